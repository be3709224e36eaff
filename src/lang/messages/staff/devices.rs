//! Tokens of DNS over HTTPS, and hardware addresses.

use crate::lang::message::messages;

messages! {
    token_name(given)
        "\"{given}\" cannot name a token; a name is 1 to 32 of `a` to `z`, digits, `_` and `-`"
        => "\"{given}\" không thể là tên mã truy cập; tên gồm 1 đến 32 ký tự trong `a` đến `z`, chữ số, `_` và `-`";
    token_taken(name)
        "there is a token `{name}` already; `lachan token rotate {name}` gives it another secret"
        => "đã có mã truy cập `{name}`; đổi phần bí mật bằng `lachan token rotate {name}`";
    no_token(given, known) "there is no token `{given}`; there are {known}"
        => "không có mã truy cập `{given}`; hiện có {known}";
    no_token_at_all(given) "there is no token `{given}`, nor any other"
        => "không có mã truy cập `{given}`, cũng chưa có mã nào khác";
    too_many_tokens(most)
        "there are {most} tokens already; one is for a group of devices: revoke some with `lachan token revoke`"
        => "đã có {most} mã truy cập; mỗi mã dành cho một nhóm thiết bị: hãy thu hồi bớt bằng `lachan token revoke`";
    token_old_too_long(days) "an old secret stays good for {days} days at most"
        => "phần bí mật cũ còn dùng được tối đa {days} ngày";
    tokens_damaged()
        "`tokens.json` in the state directory is damaged, and is not written over: restore it, or remove it and make all tokens anew; then restart the gateway"
        => "`tokens.json` trong thư mục trạng thái bị hỏng và không bị ghi đè: hãy khôi phục, hoặc xoá rồi tạo lại mọi mã truy cập; sau đó khởi động lại máy lọc";
    token_disk() "it cannot be recorded: the disk of the gateway is full or broken; nothing has changed"
        => "không ghi lại được: đĩa của máy lọc đầy hoặc hỏng; chưa có gì thay đổi";
    token_failed() "it failed; the log of the gateway has more" => "không thực hiện được; xem thêm trong nhật ký của máy lọc";

    // What the command line shows.
    token_issued(token, path)
        "{token}\npath: {path}" => "{token}\nđường dẫn: {path}";
    token_issued_note()
        "the token is shown now only; it is for a group of devices, never for a child: whoever has it has the group"
        => "mã truy cập chỉ hiện lúc này; dành cho một nhóm thiết bị, không bao giờ cho riêng một học sinh: ai có mã là vào nhóm";
    token_not_kept()
        "it is kept nowhere: without a state directory a restart ends it"
        => "không lưu được: khi không có thư mục trạng thái thì khởi động lại sẽ mất mã truy cập";
    token_line(name, group, day) "{name}  group {group}, made {day}" => "{name}  nhóm {group}, tạo ngày {day}";
    token_line_old(name, group, day, until)
        "{name}  group {group}, made {day}; the secret before it is good until {until}"
        => "{name}  nhóm {group}, tạo ngày {day}; phần bí mật trước còn dùng được đến {until}";
    no_tokens() "there is no token" => "chưa có mã truy cập nào";
    token_revoked(name) "token {name} is revoked: its devices are answered as their network says, or not at all"
        => "đã thu hồi mã truy cập {name}: thiết bị dùng mã này được trả lời theo mạng của chúng, hoặc không được trả lời";

    // Lease files and the neighbour table.
    leases_unread(error) "the file cannot be read: {error}" => "không đọc được tệp: {error}";
    leases_format()
        "its first line is of no lease file: dnsmasq's, Kea's memfile (`address,hwaddr,…`) and ISC dhcpd's are understood"
        => "dòng đầu không thuộc loại tệp cấp phát nào: chỉ hiểu tệp của dnsmasq, memfile của Kea (`address,hwaddr,…`) và ISC dhcpd";
    leases_line(line) "line {line} is not as its DHCP server writes it" => "dòng {line} không đúng dạng mà máy chủ DHCP ghi";
    leases_too_many(most) "more than {most} addresses of devices that groups name"
        => "quá {most} địa chỉ của các thiết bị được nêu trong các nhóm";
    neighbours_unseen(error)
        "the neighbour table of the kernel cannot be followed: {error}"
        => "không theo dõi được bảng láng giềng của nhân hệ điều hành: {error}";
    too_many_lease_files(key, most) "`{key}` has more than {most} files" => "`{key}` có hơn {most} tệp";

    // Findings.
    finding_tokens_damaged() "`tokens.json` is damaged: no token of DNS over HTTPS is good"
        => "`tokens.json` bị hỏng: không mã truy cập DNS qua HTTPS nào dùng được";
    remedy_tokens_damaged()
        "restore `tokens.json` of the state directory from a backup, or remove it and make the tokens anew; then restart the gateway"
        => "khôi phục `tokens.json` trong thư mục trạng thái từ bản sao lưu, hoặc xoá rồi tạo lại các mã truy cập; sau đó khởi động lại máy lọc";
    finding_token_group(name) "token {name} is of a group that the config does not have: it is ignored"
        => "mã truy cập {name} thuộc nhóm không có trong cấu hình: không có tác dụng";
    remedy_token_group()
        "revoke it with `lachan token revoke`, or give the config the group again"
        => "thu hồi bằng `lachan token revoke`, hoặc đưa nhóm trở lại cấu hình";
    finding_leases(path) "the lease file {path} cannot be used: what was read of it last holds"
        => "không dùng được tệp cấp phát {path}: giữ nguyên nội dung đọc được lần trước";
    remedy_leases()
        "correct `leases` in [devices], or let the gateway read the file; it is read again at each change"
        => "sửa `leases` trong [devices], hoặc cho máy lọc quyền đọc tệp; tệp được đọc lại mỗi khi thay đổi";
    finding_neighbours() "hardware addresses of groups are not seen on the wire"
        => "không thấy địa chỉ phần cứng của các nhóm trên mạng";
    remedy_neighbours()
        "let the program open a netlink socket (`RestrictAddressFamilies=AF_NETLINK` of systemd), or set `neighbours = false` in [devices]"
        => "cho chương trình mở socket netlink (`RestrictAddressFamilies=AF_NETLINK` của systemd), hoặc đặt `neighbours = false` trong [devices]";
}
