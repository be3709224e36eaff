//! The examination of a machine, `lachan doctor`: parts, findings, remedies, and what was not seen.

use crate::lang::message::messages;

messages! {
    // The head, and headings.
    checkup_ok() "nothing is wrong" => "không phát hiện lỗi";
    checkup_found(faults, notices) "faults: {faults}, notices: {notices}"
        => "lỗi: {faults}, điều cần xem: {notices}";
    heading_looked() "Looked at" => "Đã kiểm tra";
    heading_unseen() "Not looked at" => "Chưa kiểm tra được";

    // Parts.
    part_gateway() "gateway" => "cổng lọc";
    part_ports() "ports" => "cổng mạng";
    part_clock() "clock" => "đồng hồ";
    part_disk() "disk" => "ổ đĩa";
    part_upstreams() "upstream servers" => "máy chủ DNS phía trên";
    part_exposure() "strangers" => "người ngoài";
    part_second_resolver() "second resolver" => "máy chủ DNS thứ hai";
    part_doh() "DNS over HTTPS elsewhere" => "DNS qua HTTPS của nơi khác";
    part_lists() "lists" => "danh sách";
    part_certificates() "certificates" => "chứng chỉ";

    // What was looked at.
    looked_gateway(admin, version, listeners)
        "lachan {version} answers at {admin} and at {listeners} listen addresses"
        => "lachan {version} trả lời tại {admin} và {listeners} địa chỉ lắng nghe";
    looked_listeners(admin, listeners) "answers at {admin} and at {listeners} listen addresses"
        => "trả lời tại {admin} và {listeners} địa chỉ lắng nghe";
    looked_ports(own, free) "{own} are the gateway's, {free} are free"
        => "{own} cổng do cổng lọc giữ, {free} cổng còn trống";
    looked_clock_right() "right, confirmed by a time server" => "đúng, đã khớp máy chủ giờ";
    looked_clock_plausible() "plausible, not confirmed by a time server" => "có vẻ đúng, chưa khớp máy chủ giờ";
    looked_clock_wrong() "WRONG; lessons and schedules are strict" => "SAI; lịch học chạy ở mức chặt nhất";
    looked_disk(path, mib) "{path} has {mib} MiB left" => "{path} còn trống {mib} MiB";
    looked_upstreams(up, all) "{up} of {all} answer" => "{up} trên {all} máy chủ trả lời";
    looked_exposure(networks) "{networks} networks may ask" => "{networks} mạng được phép hỏi";
    looked_handed_out(leases, files) "{leases} leases and {files} files of this machine"
        => "{leases} bản thuê địa chỉ và {files} tệp của máy này";
    looked_doh(groups) "the policy of {groups} groups of pupils" => "chính sách của {groups} nhóm học sinh";
    looked_lists(lists, days) "{lists} come from elsewhere, the oldest is {days} days old"
        => "{lists} danh sách lấy từ nơi khác, cũ nhất {days} ngày";
    looked_no_lists() "none comes from elsewhere" => "không có danh sách lấy từ nơi khác";
    looked_certificates(count, days) "{count}, the first ends in {days} days"
        => "{count} chứng chỉ, chứng chỉ hết hạn sớm nhất còn {days} ngày";
    looked_no_encryption() "encrypted DNS is off" => "DNS mã hoá đang tắt";

    // Findings, each with its remedy.
    machine_gateway_silent(admin) "no gateway answers at {admin}" => "không có cổng lọc nào trả lời tại {admin}";
    remedy_gateway_silent()
        "start it with `systemctl start lachan`; if it ends again, `journalctl -u lachan -n 50` says why"
        => "khởi động bằng `systemctl start lachan`; nếu lại dừng, `journalctl -u lachan -n 50` cho biết lý do";
    machine_listener_silent(address) "the gateway runs, and {address} does not answer by UDP and TCP"
        => "cổng lọc đang chạy nhưng {address} không trả lời qua UDP và TCP";
    remedy_listener_silent()
        "let a firewall of this machine pass port 53; a change of `dns` in [listen] needs a restart"
        => "cho tường lửa của máy này mở cổng 53; đổi `dns` trong [listen] thì phải khởi động lại cổng lọc";
    machine_port_held(address) "another program has the port of {address}"
        => "một chương trình khác đang giữ cổng của {address}";
    remedy_port_held()
        "stop that program (`systemctl disable --now NAME`), or give [listen], [portal] or [admin] an address that it does not have"
        => "dừng chương trình đó (`systemctl disable --now TÊN`), hoặc ghi trong [listen], [portal] hay [admin] địa chỉ mà nó không giữ";
    machine_stub_held(address) "the stub of systemd-resolved stands in the way of {address}"
        => "bộ phân giải phụ của systemd-resolved vướng vào {address}";
    remedy_stub_held()
        "listen at the addresses of the LAN and 127.0.0.1 instead of 0.0.0.0, or let `lachan setup` switch the stub off"
        => "lắng nghe tại địa chỉ mạng LAN và 127.0.0.1 thay vì 0.0.0.0, hoặc để `lachan setup` tắt bộ phân giải phụ";
    machine_stale_gateway(addresses)
        "{addresses}: a `lachan` that does not answer at the admin address of this config has the port"
        => "{addresses}: một `lachan` không trả lời tại địa chỉ quản trị của cấu hình này đang giữ cổng";
    remedy_stale_gateway()
        "`systemctl restart lachan`: it still has the addresses of its start, or is about to end; one that was started by hand must be stopped"
        => "`systemctl restart lachan`: nó còn giữ địa chỉ lúc khởi động, hoặc sắp dừng; bản chạy tay thì phải dừng";
    machine_sockets_stored(addresses) "{addresses}: systemd stores these sockets for the gateway, which does not run"
        => "{addresses}: systemd đang giữ các cổng này cho cổng lọc, mà cổng lọc không chạy";
    remedy_sockets_stored()
        "nothing need be stopped: `journalctl -u lachan -n 50` says why the gateway ended; `systemctl list-sockets` shows sockets of other units"
        => "không phải dừng gì: `journalctl -u lachan -n 50` cho biết vì sao cổng lọc dừng; `systemctl list-sockets` cho thấy cổng của unit khác";
    machine_clock_unsynced() "the clock follows no time server" => "đồng hồ không theo máy chủ giờ nào";
    machine_rtc_absent()
        "this machine has no clock that runs without power: after a power cut the time is wrong until a time server answers"
        => "máy này không có đồng hồ chạy khi mất điện: sau khi mất điện giờ sẽ sai cho đến khi máy chủ giờ trả lời";
    remedy_rtc_absent()
        "let time servers pass (NTP, UDP 123); until then lessons are strict. A clock module with a battery helps"
        => "cho phép máy chủ giờ (NTP, UDP 123); trước đó lịch học chạy ở mức chặt nhất. Nên lắp thêm mô-đun đồng hồ có pin";
    machine_rtc_wrong() "the clock that runs without power has no valid time, or is wrong by more than a day"
        => "đồng hồ chạy khi mất điện không có giờ hợp lệ, hoặc lệch hơn một ngày";
    remedy_rtc_wrong() "set it: `hwclock --systohc`; if it is wrong again, change its battery"
        => "chỉnh lại: `hwclock --systohc`; nếu vẫn sai, thay pin";
    machine_disk_read_only(path) "the disk of `{path}` is read-only: nothing is kept for the next start"
        => "ổ đĩa của `{path}` chỉ cho đọc: không lưu được gì cho lần khởi động sau";
    remedy_disk_read_only()
        "look for errors of the card or disk with `dmesg`, replace it, or `mount -o remount,rw` it"
        => "xem lỗi thẻ nhớ hoặc ổ đĩa bằng `dmesg`, thay mới, hoặc `mount -o remount,rw`";
    machine_disk_full(path) "the disk of `{path}` is full: new lists and evidence cannot be written"
        => "ổ đĩa của `{path}` đã đầy: không ghi được danh sách mới và bằng chứng";
    machine_disk_low(path) "the disk of `{path}` is nearly full" => "ổ đĩa của `{path}` sắp đầy";
    remedy_disk_space() "remove what is not needed: `journalctl --vacuum-size=100M`, `apt clean`"
        => "xoá thứ không cần: `journalctl --vacuum-size=100M`, `apt clean`";
    machine_state_unwritable(path) "nothing can be written to the state directory `{path}`"
        => "không ghi được vào thư mục trạng thái `{path}`";
    remedy_state_unwritable()
        "start the gateway once, which makes the directory; else correct `dir` in [state], or the owner"
        => "khởi động cổng lọc một lần để nó tạo thư mục; nếu không, sửa `dir` trong [state] hoặc chủ sở hữu";
    machine_state_open(path)
        "others can write to the state directory `{path}`: the gateway does not use it"
        => "người khác ghi được vào thư mục trạng thái `{path}`: cổng lọc không dùng thư mục này";
    remedy_state_open(path) "`chmod go-w {path}`, then restart the gateway"
        => "chạy `chmod go-w {path}` rồi khởi động lại cổng lọc";
    machine_state_foreign(path) "not all in the state directory `{path}` belongs to its owner: the gateway may not read or replace it"
        => "trong thư mục trạng thái `{path}` có thứ không thuộc chủ của nó: cổng lọc có thể không đọc hoặc không thay được";
    remedy_state_foreign(path)
        "give it to the owner, as after a copy by root: `chown -R --reference={path} {path}`"
        => "trao cho chủ của thư mục, như sau khi root sao chép vào: `chown -R --reference={path} {path}`";
    machine_state_absent() "there is no state directory: a restart finds nothing of what was kept"
        => "không có thư mục trạng thái: khởi động lại sẽ không còn gì đã lưu";
    remedy_state_absent() "set `dir` in [state], or run the gateway by its unit, which gives it one"
        => "đặt `dir` trong [state], hoặc chạy cổng lọc bằng unit của systemd, unit sẽ cấp thư mục";
    machine_open_resolver(networks) "strangers are answered: `allow` has {networks}, and a listen address can be reached"
        => "người ngoài được trả lời: `allow` có {networks}, và có địa chỉ lắng nghe ai cũng tới được";
    machine_open_allow(networks) "`allow` has {networks}: only the listen addresses keep strangers off"
        => "`allow` có {networks}: chỉ còn địa chỉ lắng nghe ngăn người ngoài";
    remedy_open_resolver()
        "write the school's own networks into `allow` in [listen]; open resolvers are used for attacks on others"
        => "ghi các mạng của trường vào `allow` trong [listen]; máy phân giải mở bị lợi dụng để tấn công nơi khác";
    machine_second_resolver(resolvers) "DHCP hands out {resolvers} too: devices that ask there are not filtered"
        => "DHCP còn phát {resolvers}: thiết bị hỏi ở đó không được lọc";
    lease_hands_out(path, server) "{path}, from the DHCP server {server}" => "{path}, từ máy chủ DHCP {server}";
    machine_foreign_resolver(resolvers)
        "this machine is told to ask {resolvers}: if the router tells devices the same, they are not filtered"
        => "máy này được chỉ hỏi {resolvers}: nếu bộ định tuyến cũng chỉ thiết bị như vậy, chúng không được lọc";
    remedy_second_resolver()
        "let the router hand out this gateway alone, by DHCP and by IPv6 router advertisements: `lachan export dhcp`, `lachan export ra`"
        => "để bộ định tuyến chỉ phát cổng lọc này, qua DHCP và quảng bá IPv6: `lachan export dhcp`, `lachan export ra`";
    machine_doh_open(group) "group `{group}` reaches public resolvers over HTTPS: a browser can go round the filter"
        => "nhóm `{group}` tới được máy chủ DNS qua HTTPS công cộng: trình duyệt có thể đi vòng qua bộ lọc";
    remedy_doh_open() "block `bypass` for the group, and let `starter = true` or a source in [lists] name them"
        => "chặn `bypass` cho nhóm này, và có danh sách của nó: `starter = true` hoặc một nguồn trong [lists]";
    machine_canary_open(group) "group `{group}`: browsers are not told to leave their own resolver"
        => "nhóm `{group}`: trình duyệt không được báo phải bỏ máy chủ DNS riêng";
    remedy_canary_open() "take `canaries` in the profile of the group back to its default"
        => "đưa `canaries` trong hồ sơ của nhóm về mặc định";
    machine_list_old(name) "list `{name}` is more than two weeks old" => "danh sách `{name}` đã cũ hơn hai tuần";

    // Causes.
    port_holder(kind, address, names) "{kind} {address}: {names}" => "{kind} {address}: {names}";
    port_holder_unseen(kind, address, user)
        "{kind} {address}: a process of user {user}; as root its name can be seen"
        => "{kind} {address}: tiến trình của người dùng số {user}; chạy bằng root sẽ thấy tên";
    list_days(days) "{days} days" => "{days} ngày";
    server_no_answer(seconds) "no answer within {seconds} s" => "không trả lời trong {seconds} giây";
    server_not_reached() "it cannot be reached" => "không kết nối được";
    server_rejects() "it refuses the question" => "từ chối câu hỏi";
    server_malformed() "its answer cannot be read" => "câu trả lời không đọc được";

    // What was not looked at.
    unseen_status(why) "what the gateway says of itself: {why}" => "điều cổng lọc tự báo: {why}";
    unseen_sockets(why) "which ports are taken: {why}" => "cổng nào đang bị giữ: {why}";
    unseen_holders() "which processes have the gateway's ports; run it as root"
        => "tiến trình nào giữ các cổng của cổng lọc; hãy chạy bằng root";
    unseen_rtc() "the clock that runs without power; run it as root" => "đồng hồ chạy khi mất điện; hãy chạy bằng root";
    unseen_writing(path) "whether `{path}` can be written: this user may not; run it as root"
        => "có ghi được vào `{path}` không: người dùng này không có quyền; hãy chạy bằng root";
    unseen_space(path, why) "the space that `{path}` has: {why}" => "dung lượng còn của `{path}`: {why}";
    unseen_policy(why) "whether resolvers over HTTPS are blocked: {why}" => "có chặn DNS qua HTTPS không: {why}";
    unseen_doh_by_address()
        "resolvers that are reached by their address: a firewall on the router is against them, `lachan export nftables`"
        => "máy chủ DNS được gọi thẳng bằng địa chỉ: phải chặn bằng tường lửa của bộ định tuyến, `lachan export nftables`";
    unseen_key(path) "whether the key `{path}` is its certificate's: this user may not read it; run it as root"
        => "khoá `{path}` có đúng của chứng chỉ không: người dùng này không đọc được; hãy chạy bằng root";
    unseen_lease(path) "leases in `{path}`: this user may not read them; run it as root"
        => "bản thuê địa chỉ trong `{path}`: người dùng này không đọc được; hãy chạy bằng root";
    unseen_advertisements()
        "what DHCP and router advertisements tell the devices: look at one, `ipconfig /all` shows its DNS servers, IPv6 too"
        => "DHCP và quảng bá IPv6 chỉ gì cho thiết bị: xem trên một máy, `ipconfig /all` cho thấy các máy chủ DNS, kể cả IPv6";
    unseen_from_outside() "whether the router passes port 53 in from the Internet: look at its port forwards"
        => "bộ định tuyến có cho cổng 53 từ Internet vào không: xem phần chuyển tiếp cổng của nó";
    unseen_no_token(why) "the token cannot be read, run it as root: {why}" => "không đọc được mã truy cập, hãy chạy bằng root: {why}";
}
