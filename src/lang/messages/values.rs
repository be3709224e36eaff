//! Values: amounts, addresses, networks, upstream servers.

use crate::lang::message::messages;

messages! {
    // Amounts.
    more_than(key, value, limit, most) "`{key}` is {value}, more than `{limit}`, which is {most}"
        => "`{key}` là {value}, lớn hơn `{limit}` là {most}";
    deadline_below_timeout(deadline, timeout)
        "`deadline` is {deadline}, less than `timeout`, which is {timeout}: no exchange lasts that long"
        => "`deadline` là {deadline}, nhỏ hơn `timeout` là {timeout}: không lần trao đổi nào kéo dài đến thế";
    lower_or_raise(key, limit) "lower `{key}` or raise `{limit}`" => "giảm `{key}` hoặc tăng `{limit}`";
    whole_seconds(key, value) "`{key}` is {value}; it must be whole seconds"
        => "`{key}` là {value}; phải là số giây chẵn";
    out_of_range(key, value, least, most) "`{key}` is {value}; it must be {least} to {most}"
        => "`{key}` là {value}; phải từ {least} đến {most}";
    no_duration(key, value, reason) "`{key}` is {value}, not a duration: {reason}"
        => "`{key}` là {value}, không phải khoảng thời gian: {reason}";
    no_size(key, value, reason) "`{key}` is {value}, not a size: {reason}"
        => "`{key}` là {value}, không phải dung lượng: {reason}";
    no_unit(unit, units) "`{unit}` is not a unit; the units are {units}"
        => "`{unit}` không phải là đơn vị; các đơn vị: {units}";
    no_number() "it does not begin with a whole number" => "không bắt đầu bằng số nguyên";
    unit_missing(units) "it has no unit; the units are {units}" => "thiếu đơn vị; các đơn vị: {units}";
    number_too_large() "the number is too large" => "số quá lớn";

    // Lists.
    trusted_over_http(key) "`{key}` stands beside a url of http, which anybody on the way can rewrite"
        => "`{key}` đi cùng url http, mà bất kỳ ai trên đường truyền cũng có thể sửa";
    use_https_or_remove(key) "use https, or remove `{key}`" => "dùng https, hoặc bỏ `{key}`";

    // Addresses and networks.
    no_socket_address(text)
        "`{text}` is not an address with a port; names are not looked up here"
        => "`{text}` không phải là địa chỉ kèm cổng; ở đây không tra tên";
    no_port(text) "`{text}` has no port" => "`{text}` thiếu số cổng";
    mask_for_length(text) "`{text}` has a mask where the length of a prefix is asked for"
        => "`{text}` ghi mặt nạ mạng, ở đây cần độ dài tiền tố (ví dụ `/24`)";
    prefix_length(text, most) "`{text}` has no right prefix length; it must be 0 to {most}"
        => "`{text}` có độ dài tiền tố sai; phải từ 0 đến {most}";
    bits_behind_prefix(text, length) "`{text}` has bits set behind its prefix of {length}"
        => "`{text}` có bit khác 0 phía sau tiền tố {length}";
    no_range(text) "`{text}` is not a range of addresses" => "`{text}` không phải là một dải địa chỉ";
    range_backwards(text) "`{text}` ends before it begins" => "`{text}` có đầu cuối ngược nhau";
    no_network(text) "`{text}` is not a network or an address"
        => "`{text}` không phải là mạng hay địa chỉ";
    mapped_network(network) "`{network}` is IPv4 written as IPv6, and would match no client"
        => "`{network}` là IPv4 viết dưới dạng IPv6, không khớp với máy nào";
    write_network(one, other) "write `{one}`, `{other}` or a single address"
        => "viết `{one}`, `{other}` hoặc một địa chỉ";
    write_network_or_address(network, address)
        "write the network, `{network}`, or the single address, `{address}`"
        => "viết dải mạng `{network}`, hoặc một địa chỉ `{address}`";
    stands_twice(what, key) "`{what}` stands twice in `{key}`"
        => "`{what}` được ghi hai lần trong `{key}`";

    // Listeners.
    no_listener(key) "`{key}` is empty; it must have at least one address"
        => "`{key}` trống; phải có ít nhất một địa chỉ";
    nobody_answered(key) "`{key}` is empty, so no client would be answered"
        => "`{key}` trống nên không máy nào được trả lời";
    address_absent(address)
        "this machine does not have the address `{address}` now; the gateway answers there once it has"
        => "hiện máy này không có địa chỉ `{address}`; khi có, cổng lọc sẽ trả lời ở đó";
    interface_absent(server, interface)
        "`{server}`: this machine has no interface `{interface}` now; the server is asked once it has"
        => "`{server}`: hiện máy này không có cổng mạng `{interface}`; khi có, máy chủ này mới được hỏi";
    name_the_networks() "name the networks of the school, or leave the key out"
        => "ghi các mạng của trường, hoặc bỏ khóa này";
    port_taken(address, listener) "`{address}` is taken: `{listener}` answers there over TCP"
        => "`{address}` đã bị chiếm: `{listener}` đang trả lời qua TCP ở đó";
    admin_is_there(address) "`{address}` is where the admin server is"
        => "`{address}` là nơi máy chủ quản trị đang dùng";
    give_admin_another_port(key, table) "give the admin server another port: `{key}` in `{table}`"
        => "đặt cổng khác cho máy chủ quản trị: `{key}` trong `{table}`";
    cannot_both_listen(one, other) "`{one}` and `{other}` cannot be open at one time"
        => "không thể mở `{one}` và `{other}` cùng lúc";
    one_is_all(key)
        "one of the two is every address of the machine: leave it alone in `{key}`, or name each address by itself"
        => "một trong hai là mọi địa chỉ của máy: chỉ để nó trong `{key}`, hoặc ghi riêng từng địa chỉ";
    many_machines(address) "`{address}` is the address of many machines, and of none"
        => "`{address}` là địa chỉ nhóm, không phải của riêng máy nào";
    mapped_address(address) "`{address}` is IPv4 written as IPv6"
        => "`{address}` là IPv4 viết dưới dạng IPv6";
    link_local_without_zone(address)
        "`{address}` is on every link: no socket can be opened there without the number of an interface"
        => "`{address}` có trên mọi liên kết: không mở được nếu thiếu số của giao diện mạng";
    name_the_interface(example)
        "write the interface behind `%`, as `ip link` numbers it: `{example}`"
        => "viết giao diện mạng sau `%`, theo số mà `ip link` hiển thị: `{example}`";
    give_listener_another_port(key) "give `{key}` another port" => "đặt cổng khác cho `{key}`";
    no_certificate(key) "`{key}` encrypts, and there is no certificate"
        => "`{key}` cần mã hóa mà chưa có chứng chỉ";
    give_certificate(table, command)
        "name a certificate and its key in `{table}`; `{command}` makes them for a school that has none"
        => "ghi chứng chỉ và khóa của nó trong `{table}`; trường chưa có thì tạo bằng `{command}`";
    no_own_name(text) "`{text}` cannot be the gateway's name: it is an address, or all the world's"
        => "`{text}` không thể là tên của máy lọc: đó là địa chỉ, hoặc là tên chung của mọi người";
    certificate_needs(table, key) "a `{table}` needs `{key}`" => "mỗi `{table}` cần có `{key}`";
    too_many_certificates(table, most) "there may be {most} of `{table}`"
        => "tối đa là {most} bảng `{table}`";
    give_another_port() "give the admin server another port" => "đặt cổng khác cho máy chủ quản trị";
    write_zone_name(example) "write an IANA name such as `{example}`"
        => "viết tên IANA như `{example}`";

    // Upstream servers.
    no_server(text, reason) "`{text}` is not an upstream server: {reason}"
        => "`{text}` không phải là máy chủ cấp trên: {reason}";
    write_server()
        "write `udp://192.0.2.1`, `tcp://…`, `tls://192.0.2.1#dns.example` or `https://192.0.2.1/dns-query#dns.example`"
        => "viết `udp://192.0.2.1`, `tcp://…`, `tls://192.0.2.1#dns.example` hoặc `https://192.0.2.1/dns-query#dns.example`";
    no_certificate_for(server, name) "`{server}`: no certificate can be for `{name}`"
        => "`{server}`: không có chứng chỉ nào cấp cho `{name}` được";
    name_certificate(example)
        "write the host name of the server's certificate after `#`, as in `{example}`"
        => "viết tên máy trong chứng chỉ của máy chủ sau `#`, như `{example}`";
    roots_not_trusted(path, reason) "`{path}` cannot be trusted: `{reason}`"
        => "không thể tin cậy `{path}`: `{reason}`";
    give_pem_file() "give a file of PEM certificates" => "hãy chỉ tới một tệp chứng chỉ dạng PEM";
    own_server(server, own) "`{server}` is this gateway itself, which listens on `{own}`"
        => "`{server}` chính là cổng này, đang lắng nghe ở `{own}`";
    name_another_server() "name another server: a query must not come back to its sender"
        => "hãy chọn máy chủ khác: truy vấn không được quay về nơi gửi";
    server_empty() "the server is empty; write an address, such as `udp://192.0.2.1`"
        => "máy chủ để trống; hãy ghi địa chỉ như `udp://192.0.2.1`";
    server_scheme(scheme)
        "`{scheme}://` is not known; `udp://`, `tcp://`, `tls://` and `https://` are"
        => "không biết `{scheme}://`; có `udp://`, `tcp://`, `tls://` và `https://`";
    server_host_name(host)
        "`{host}` is a host name; write the server's IP address (its certificate's name goes after `#`, as in `tls://192.0.2.1#dns.example`)"
        => "`{host}` là tên máy chủ; hãy ghi địa chỉ IP của máy chủ (tên trong chứng chỉ viết sau `#`, như `tls://192.0.2.1#dns.example`)";
    server_address(text)
        "`{text}` is not an IP address; write one, such as `192.0.2.1` or `[2001:db8::1]`"
        => "`{text}` không phải là địa chỉ IP; hãy viết như `192.0.2.1` hoặc `[2001:db8::1]`";
    server_brackets(address)
        "`{address}` is an IPv6 address without brackets; write `[{address}]`"
        => "`{address}` là địa chỉ IPv6 thiếu ngoặc vuông; hãy viết `[{address}]`";
    server_unspecified(address)
        "`{address}` is no server's address; write the address it answers on"
        => "`{address}` không phải là địa chỉ máy chủ; hãy ghi địa chỉ mà máy chủ trả lời";
    server_link_local(address)
        "`{address}` is a link-local address, which means another machine on each link; write the interface behind it, as in `[{address}%eth0]`"
        => "`{address}` là địa chỉ link-local, trên mỗi mạng là một máy khác; hãy ghi thêm cổng mạng phía sau, như `[{address}%eth0]`";
    server_interface_unused(address, interface)
        "`%{interface}` names an interface, and `{address}` is no link-local address; leave it out"
        => "`%{interface}` là tên cổng mạng, mà `{address}` không phải địa chỉ link-local; hãy bỏ đi";
    server_interface(interface)
        "`%{interface}` is not an interface; write its name or number, as in `[fe80::1%eth0]`"
        => "`%{interface}` không phải là cổng mạng; hãy ghi tên hoặc số của nó, như `[fe80::1%eth0]`";
    server_port(port) "`{port}` is not a port; write a number from 1 to 65535, or leave it out"
        => "`{port}` không phải là cổng; ghi số từ 1 đến 65535, hoặc bỏ đi";
    server_path(path, scheme)
        "`{path}` follows the address, and `{scheme}://` has no path; leave it out, or use `https://`"
        => "`{path}` đứng sau địa chỉ, mà `{scheme}://` không có đường dẫn; hãy bỏ đi, hoặc dùng `https://`";
    server_path_character(path)
        "`{path}` is not an HTTP path; write printable ASCII without spaces, such as `/dns-query`"
        => "`{path}` không phải là đường dẫn HTTP; hãy viết ký tự ASCII không có dấu cách, như `/dns-query`";
    server_name_unused(name, scheme)
        "`#{name}` names a certificate, and `{scheme}://` has none; leave it out, or use `tls://`"
        => "`#{name}` là tên của chứng chỉ, mà `{scheme}://` không có chứng chỉ; hãy bỏ đi, hoặc dùng `tls://`";
    server_name(name)
        "`#{name}` is not a host name; write the name in the server's certificate, or leave it out"
        => "`#{name}` không phải là tên máy chủ; hãy ghi tên trong chứng chỉ của máy chủ, hoặc bỏ đi";
}
