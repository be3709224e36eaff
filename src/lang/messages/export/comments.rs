//! Comments in what is exported: what a line is, and whether anybody has seen it work.

use crate::lang::message::messages;

messages! {
    export_made(command, name)
        "Made by `{command}` for {name}. Make it again when an address, a port or the certificate's name changes."
        => "Tạo bằng `{command}` cho {name}. Hãy tạo lại khi địa chỉ, cổng hoặc tên trong chứng chỉ thay đổi.";
    export_read_by(program)
        "{program} reads these lines without a complaint. Unseen: a device that acts on them."
        => "{program} đọc được các dòng này. Chưa thấy: một thiết bị thật làm theo.";
    export_unseen(product)
        "Unseen: written from the manual of {product}, and not tried on one."
        => "Chưa thấy: viết theo tài liệu của {product}, chưa thử trên máy thật.";
    export_certificate_elsewhere(name, table)
        "the config has no `{table}`: what speaks encrypted DNS for `{name}` must show a certificate for it, or devices \
         refuse it"
        => "cấu hình không có `{table}`: nơi trả lời DNS mã hóa cho `{name}` phải có chứng chỉ ghi tên này, nếu không \
            thiết bị từ chối";
    export_uncovered(name, command)
        "no certificate of the config is for `{name}`, so devices that get these settings refuse the gateway; issue one \
         (`{command}`), or export a name that a certificate has"
        => "không chứng chỉ nào trong cấu hình ghi tên `{name}`, nên thiết bị nhận cấu hình này sẽ từ chối cổng lọc; hãy \
            cấp chứng chỉ (`{command}`), hoặc xuất một tên có trong chứng chỉ";
    export_no_certificate(name)
        "no certificate of the config can be read, so nobody knows here whether devices would take one for `{name}`"
        => "không đọc được chứng chỉ nào trong cấu hình, nên ở đây không biết thiết bị có chấp nhận tên `{name}` không";
    export_plain(option)
        "Option {option}, the plain address: for devices that know no encrypted DNS."
        => "Tùy chọn {option}, địa chỉ DNS thường: cho thiết bị chưa biết DNS mã hóa.";
    export_designated(option, what)
        "Option {option}, the encrypted resolver (RFC 9463): {what}."
        => "Tùy chọn {option}, máy phân giải có mã hóa (RFC 9463): {what}.";
    export_first_only(program)
        "{program} sends one option of a number: the second protocol is left out."
        => "{program} chỉ gửi một tùy chọn cho mỗi số: giao thức thứ hai bị bỏ ra.";
    export_into(place) "These lines go into {place}." => "Các dòng này đặt trong {place}.";
    export_ra_plain()
        "The plain address in router advertisements (RFC 8106, option 25)."
        => "Địa chỉ DNS thường trong quảng bá của bộ định tuyến (RFC 8106, tùy chọn 25).";
    export_ra_cannot(product)
        "{product} has no way known to us to send option 144; DHCPv6 can, and so can a daemon that takes octets:"
        => "Theo chỗ chúng tôi biết, {product} không gửi được tùy chọn 144; DHCPv6 gửi được, hoặc chương trình nhận byte thô:";
    export_radvd_block()
        "Only a radvd whose radvd.conf(5) has a block `DNR` takes the next lines (2.19 does not): take the `#` away there."
        => "Chỉ radvd mà radvd.conf(5) có khối `DNR` mới nhận các dòng sau (bản 2.19 thì không): khi đó hãy bỏ dấu `#`.";
    export_interface() "Put your own interface in the place of `lan0`." => "Thay `lan0` bằng cổng mạng của trường.";
    export_opnsense_dns(addresses)
        "DNS servers of the subnet: {addresses} (Services, Dnsmasq DNS & DHCP or Kea DHCP)."
        => "Máy chủ DNS của mạng con: {addresses} (Services, Dnsmasq DNS & DHCP hoặc Kea DHCP).";
    export_opnsense_option(option, octets)
        "A DHCP option of that service: number {option}, value {octets}"
        => "Thêm tùy chọn DHCP ở dịch vụ đó: số {option}, giá trị {octets}";
    export_opnsense_ra(addresses)
        "Services, Router Advertisements: DNS servers {addresses}."
        => "Services, Router Advertisements: máy chủ DNS {addresses}.";
    export_router_network()
        "Nothing is handed out before a network names it; take the `#` away:"
        => "Chưa phát gì cho đến khi một mạng dùng tùy chọn này; hãy bỏ dấu `#`:";
    export_routeros_import(command, word)
        "Load it with `{command}`. Again it replaces what it made, which has the comment `{word}`; other rules stay."
        => "Nạp bằng `{command}`. Nạp lại thì thay những gì tệp này đã tạo (ghi chú `{word}`); luật khác giữ nguyên.";
    export_routeros_told()
        "What devices are told: this gateway, and no other resolver. For some networks only: `[find address=…]`, `[find interface=…]`."
        => "Thiết bị được phát: chỉ cổng lọc này, không máy phân giải nào khác. Chỉ cho vài mạng: `[find address=…]`, `[find interface=…]`.";
    export_routeros_closed(family)
        "{family}: ports 53 and 853, and known DNS over HTTPS, are reached at the gateway alone, not at the router either."
        => "{family}: cổng 53, 853 và các máy DNS qua HTTPS đã biết chỉ tới được ở cổng lọc, kể cả chính bộ định tuyến cũng không.";
    export_routeros_order()
        "The rules stand at the end: a rule before them that accepts what devices send hides them. Look: print, move."
        => "Các luật nằm ở cuối: luật nào phía trước đã cho qua thì các luật này vô hiệu. Hãy xem bằng print, dời bằng move.";
    export_routeros_public(key)
        "Devices with public IPv6 addresses are in no network of `{key}`: their rules need the school's prefix there, or `--interface`."
        => "Thiết bị có địa chỉ IPv6 công cộng không thuộc mạng nào của `{key}`: hãy thêm dải của trường vào đó, hoặc dùng `--interface`.";
    export_routeros_redirect()
        "Plain DNS to others is answered by the gateway. Right only where gateway and devices are in different networks of the \
         router: in one network the device drops the answer, and a masquerade against that hides every device's address, so \
         its group too. IPv6 is refused, not redirected."
        => "DNS thường gửi cho máy khác được cổng lọc trả lời. Chỉ đúng khi cổng lọc và thiết bị ở hai mạng khác nhau của bộ \
            định tuyến: cùng một mạng thì thiết bị bỏ câu trả lời, còn masquerade thì giấu địa chỉ mọi thiết bị nên mất nhóm. \
            IPv6 bị từ chối chứ không chuyển hướng.";
    export_unseen_device(system)
        "Unseen on a device: written from the documentation of {system}. Try it on one device first."
        => "Chưa thấy trên thiết bị: viết theo tài liệu của {system}. Hãy thử trên một máy trước.";
    export_group_of(group) "Devices that take it are in the group `{group}`, if that group has this name or token."
        => "Thiết bị dùng cấu hình này thuộc nhóm `{group}`, nếu nhóm có tên máy chủ hoặc mã này.";
    export_token_is_secret()
        "The token is a secret of the group: whoever has this file has it."
        => "Mã truy cập là bí mật của nhóm: ai có tệp này là có mã.";
    export_token_put(word)
        "Put the group's token in the place of `{word}`; one for a group, never one for a child."
        => "Thay `{word}` bằng mã của nhóm; mỗi nhóm một mã, không bao giờ mỗi em một mã.";
    export_apple_networks()
        "It acts where the network hands out the gateway's address as its DNS server, and nowhere else: at home the device works as before."
        => "Chỉ có tác dụng ở mạng phát địa chỉ cổng lọc làm máy chủ DNS: ở nhà thiết bị dùng như cũ.";
    export_apple_ssids(names)
        "It acts in the wireless networks {names}, and nowhere else."
        => "Chỉ có tác dụng ở các mạng không dây {names}.";
    export_apple_supervised()
        "`ProhibitDisablement` acts on supervised devices alone; on others the user can switch it off."
        => "`ProhibitDisablement` chỉ có tác dụng trên thiết bị được giám sát (supervised); trên máy khác người dùng tắt được.";
    export_apple_removable(flag)
        "The user can switch it off. For supervised devices: `{flag}`."
        => "Người dùng tắt được. Với thiết bị được giám sát (supervised): `{flag}`.";
    export_chrome_where()
        "Linux: /etc/opt/chrome/policies/managed/; elsewhere the same two policies in the console, for Chrome, Edge and ChromeOS."
        => "Linux: /etc/opt/chrome/policies/managed/; nơi khác đặt hai chính sách này trong bảng quản trị, cho Chrome, Edge và ChromeOS.";
    export_chrome_home()
        "`secure` means no name resolves where the gateway is not reached: for devices that go home write `automatic`."
        => "`secure` nghĩa là nơi không tới được cổng lọc thì không tên nào phân giải: máy mang về nhà hãy ghi `automatic`.";
    export_windows_prompt() "In a prompt of an administrator." => "Chạy trong cửa sổ lệnh của quản trị viên.";
    export_windows_dot_port()
        "Windows is known to take port 853 alone for DNS over TLS."
        => "Windows chỉ dùng cổng 853 cho DNS qua TLS.";
    export_windows_powershell() "The same in PowerShell:" => "Cũng như vậy trong PowerShell:";
    export_windows_ztdns()
        "Zero Trust DNS (Windows 11 Enterprise, Education), audit mode first: it blocks nothing and logs what it would."
        => "Zero Trust DNS (Windows 11 Enterprise, Education), trước hết ở chế độ kiểm tra: không chặn gì, chỉ ghi lại.";
    export_windows_enforce()
        "After a week of that log (Event Viewer, ZTDNS), and with exceptions for what needs bare addresses:"
        => "Sau một tuần xem nhật ký đó (Event Viewer, ZTDNS) và đã thêm ngoại lệ cho phần mềm dùng địa chỉ trần:";
    export_windows_no_ztdns()
        "Lines for Zero Trust DNS are written for DNS over HTTPS, which is not on."
        => "Các dòng cho Zero Trust DNS chỉ viết cho DNS qua HTTPS, hiện chưa bật.";
    export_android_where()
        "Settings, Network, Private DNS, host name; or the same by device management."
        => "Cài đặt, Mạng, DNS riêng tư, tên máy chủ; hoặc đặt qua phần mềm quản lý thiết bị.";
    export_android_home()
        "With a host name nothing resolves where the gateway is not reached; \"Automatic\" uses the gateway at school and asks plainly elsewhere."
        => "Đặt tên máy chủ thì nơi không tới được cổng lọc không phân giải được gì; \"Tự động\" dùng cổng lọc ở trường và hỏi thường ở nơi khác.";
}
