//! Why nothing is exported.

use crate::lang::message::messages;

messages! {
    export_no_name(flag)
        "the name in the gateway's certificate is not known; give it, as in `{flag} dns.school.example`"
        => "chưa biết tên trong chứng chỉ của cổng lọc; hãy ghi, như `{flag} dns.school.example`";
    export_no_encryption(dot, doh)
        "neither DNS over TLS nor DNS over HTTPS is on, so there is nothing to announce; switch `dot` or `doh` on in `[listen]`, or give `{dot}`, `{doh}`"
        => "DNS qua TLS và DNS qua HTTPS đều chưa bật nên không có gì để thông báo; hãy bật `dot` hoặc `doh` trong `[listen]`, hoặc ghi `{dot}`, `{doh}`";
    export_no_address(key, flag)
        "`{key}` has no address with port 53 that a device of the network could reach; give the gateway's, as in `{flag} 10.20.0.1`"
        => "`{key}` không có địa chỉ nào ở cổng 53 mà thiết bị trong mạng tới được; hãy ghi địa chỉ của cổng lọc, như `{flag} 10.20.0.1`";
    export_no_ipv6(key, flag)
        "`{key}` has no IPv6 address with port 53, and router advertisements carry no other; give the gateway's, as in `{flag} fd20::1`"
        => "`{key}` không có địa chỉ IPv6 nào ở cổng 53, mà quảng bá của bộ định tuyến chỉ mang IPv6; hãy ghi, như `{flag} fd20::1`";
    export_no_host(address) "`{address}` is no address that a device could reach the gateway at"
        => "`{address}` không phải là địa chỉ mà thiết bị tới được cổng lọc";
    export_too_long(option, most)
        "option {option} would be longer than {most} octets; give fewer addresses or a shorter name"
        => "tùy chọn {option} sẽ dài hơn {most} byte; hãy ghi ít địa chỉ hơn hoặc tên ngắn hơn";
    export_no_group(group, known) "there is no group `{group}`; the groups are {known}"
        => "không có nhóm `{group}`; các nhóm: {known}";
    export_needs_doh(target, flag)
        "{target} takes DNS over HTTPS alone, which is not on; give `{flag} 443`"
        => "{target} chỉ nhận DNS qua HTTPS, hiện chưa bật; hãy ghi `{flag} 443`";
    export_needs_dot(flag)
        "Android's Private DNS is DNS over TLS at port 853 and nothing else, which is not on; give `{flag} 853`"
        => "DNS riêng tư của Android chỉ dùng DNS qua TLS ở cổng 853, hiện chưa bật; hãy ghi `{flag} 853`";
    export_token_form()
        "a token is 16 to 64 letters, digits, `-` and `_`; copy it as `lachan` printed it"
        => "mã truy cập gồm 16 đến 64 chữ cái, chữ số, `-` và `_`; hãy chép đúng như `lachan` đã in";
    export_ssid_form() "a network's name (SSID) has 1 to 32 octets and no control character"
        => "tên mạng không dây (SSID) dài 1 đến 32 byte và không có ký tự điều khiển";
    export_token_without_doh(flag)
        "a token is part of a path of DNS over HTTPS, which is not on; give `{flag} 443`"
        => "mã truy cập nằm trong đường dẫn của DNS qua HTTPS, hiện chưa bật; hãy ghi `{flag} 443`";
}
