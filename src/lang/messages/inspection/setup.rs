//! `lachan setup`: questions, plan, what was done and undone.

use crate::lang::message::messages;

messages! {
    // Answers that are wrong or absent.
    setup_no_level(levels) "`level` is missing: it says who learns here, one of {levels}"
        => "thiếu `level`: cấp học của trường, một trong {levels}";
    setup_no_addresses() "`addresses` in [network] has no address: those of this machine in the school's network"
        => "`addresses` trong [network] chưa có địa chỉ: địa chỉ của máy này trong mạng của trường";
    setup_no_address(text) "`{text}` is no IP address" => "`{text}` không phải địa chỉ IP";
    setup_wide_network(network) "`{network}` is larger than a school's: strangers would be answered"
        => "`{network}` lớn hơn mạng của một trường: người ngoài sẽ được trả lời";
    setup_no_servers() "`servers` in [upstream] has no server to ask" => "`servers` trong [upstream] chưa có máy chủ nào để hỏi";
    setup_stub() "`stub` of [network]" => "`stub` trong [network]";
    setup_no_answers(flag) "there is no terminal to ask at: give the answers with `{flag} FILE`"
        => "không có màn hình để hỏi: hãy đưa câu trả lời bằng `{flag} TỆP`";
    setup_ended(why) "the questions were not answered: {why}; nothing was changed"
        => "chưa trả lời xong câu hỏi: {why}; chưa thay đổi gì";

    setup_unread_answers(path, why, flag)
        "{path}: it cannot be read: {why}; give the path of an answers file with `{flag} FILE`"
        => "{path}: không đọc được: {why}; hãy đưa đường dẫn của tệp trả lời bằng `{flag} TỆP`";
    setup_no_root(path)
        "`{path}` is no directory: `--root` is the directory of a system, such as a mounted image; nothing was changed"
        => "`{path}` không phải thư mục: `--root` là thư mục của một hệ thống, ví dụ ảnh đĩa đã gắn; chưa thay đổi gì";
    setup_bad_config_path(path, usual)
        "`{path}` cannot be the config that setup writes: its path is absolute, without a blank, a line break or `..`, such as {usual}; nothing was changed"
        => "`{path}` không thể là cấu hình do setup ghi: đường dẫn phải tuyệt đối, không có dấu cách, xuống dòng hay `..`, ví dụ {usual}; chưa thay đổi gì";
    setup_bad_reply_path(path)
        "the reply to `{path}` cannot be written beside it: the path has a line break, or is no UTF-8; copy the file to another directory"
        => "không ghi được thư trả lời cạnh `{path}`: đường dẫn có xuống dòng hoặc không phải UTF-8; hãy chép tệp sang thư mục khác";

    // Questions.
    setup_ask_school() "1/5  The school: its id, a blank, its name (thcs-da-bac THCS Đà Bắc)"
        => "1/5  Trường: mã trường, dấu cách, tên trường (thcs-da-bac THCS Đà Bắc)";
    setup_ask_level(levels) "2/5  Who learns here: {levels}" => "2/5  Cấp học: {levels}";
    setup_ask_network()
        "3/5  The network: addresses of this machine, and networks that may ask (192.168.1.2 192.168.1.0/24); without a network all private ones"
        => "3/5  Mạng: địa chỉ của máy này và các mạng được phép hỏi (192.168.1.2 192.168.1.0/24); không ghi mạng thì là mọi mạng riêng";
    setup_ask_upstream() "4/5  Upstream DNS servers, such as those of the provider (udp://203.113.131.1)"
        => "4/5  Máy chủ DNS phía trên, ví dụ của nhà mạng (udp://203.113.131.1)";
    setup_ask_department() "5/5  The department's enrolment file, or nothing" => "5/5  Tệp ghi danh của Sở, hoặc bỏ trống";
    setup_agree() "Do this? Type `yes`:" => "Thực hiện? Gõ `có`:";

    // The plan.
    setup_heading_written() "What is written" => "Sẽ ghi";
    setup_file_new(path) "{path} (new)" => "{path} (mới)";
    setup_file_same(path) "{path} (is so already)" => "{path} (đã đúng như vậy)";
    setup_file_own(path) "{path} (in place of what setup wrote before)" => "{path} (thay bản do setup ghi trước đây)";
    setup_file_replaced(path, backup) "{path} (what is there is kept as {backup})" => "{path} (bản đang có được giữ ở {backup})";
    setup_enrols(unit, state, root)
        "{state}/enrolment: the key of this box, `{unit}`, and the department's root {root}; {state}-upgrade: that `lachan upgrade` trusts this root"
        => "{state}/enrolment: khoá của hộp này, `{unit}`, và khoá gốc của Sở {root}; {state}-upgrade: `lachan upgrade` tin khoá gốc này";
    setup_reply(path) "{path}: the reply for the department" => "{path}: thư trả lời cho Sở";
    setup_other_reply(path)
        "{path} is there, and is not this box's reply: move it elsewhere, and run this again"
        => "{path} đang có và không phải thư trả lời của hộp này: hãy chuyển tệp đi nơi khác rồi chạy lại";
    setup_other_file(path)
        "{path} is not a place for the config: another file of this setup goes there; choose another with `--config`"
        => "{path} không phải chỗ cho cấu hình: một tệp khác của lần cài đặt này nằm ở đó; hãy chọn chỗ khác bằng `--config`";
    setup_heading_stays() "What stays as it is" => "Giữ nguyên";
    setup_resolv_conf_stays() "/etc/resolv.conf: it is never written" => "/etc/resolv.conf: không bao giờ bị ghi";
    setup_stub_stays() "systemd-resolved: its stub at 127.0.0.53 is in nobody's way"
        => "systemd-resolved: bộ phân giải phụ tại 127.0.0.53 không vướng";
    setup_stub_off(path) "systemd-resolved: its stub is switched off by {path}"
        => "systemd-resolved: bộ phân giải phụ đã bị tắt bởi {path}";
    setup_no_zone(timer, zone) "{timer}: its hours are those of this machine, whose zones have no {zone}"
        => "{timer}: giờ chạy theo máy này, máy không có múi giờ {zone}";
    setup_heading_held() "What has port 53 now, and must be stopped first" => "Đang giữ cổng 53, phải dừng trước";
    setup_heading_router() "What you tell the router: nothing here does it" => "Việc phải làm trên bộ định tuyến: máy này không tự làm";
    setup_dhcp(addresses) "DHCP: hand out {addresses} as the only DNS server (option 6)"
        => "DHCP: chỉ phát {addresses} làm máy chủ DNS (option 6)";
    setup_no_dhcp() "DHCP over IPv4: hand out no DNS server; this gateway has no IPv4 address"
        => "DHCP IPv4: không phát máy chủ DNS; cổng lọc này không có địa chỉ IPv4";
    setup_rdnss(addresses) "IPv6: announce {addresses} as the only DNS server (RDNSS, DHCPv6 option 23)"
        => "IPv6: chỉ quảng bá {addresses} làm máy chủ DNS (RDNSS, DHCPv6 option 23)";
    setup_no_rdnss() "IPv6: announce no DNS server (RDNSS, DHCPv6 option 23): devices would ask that one, unfiltered"
        => "IPv6: không quảng bá máy chủ DNS nào (RDNSS, DHCPv6 option 23): thiết bị sẽ hỏi máy đó và không được lọc";
    setup_exports(dhcp, ra) "`{dhcp}` and `{ra}` print it for the router, with encrypted DNS, once a certificate is there"
        => "`{dhcp}` và `{ra}` in sẵn cho bộ định tuyến, kèm DNS mã hoá, khi đã có chứng chỉ";
    setup_heading_next() "Then" => "Tiếp theo";

    // What was done, and undone.
    setup_nothing_changed(flag) "nothing was changed; `{flag}` consents to the plan" => "chưa thay đổi gì; `{flag}` là đồng ý với kế hoạch";
    setup_written(path) "written: {path}" => "đã ghi: {path}";
    setup_undo(command) "`{command}` takes all of it back" => "`{command}` hoàn tác tất cả";
    setup_failed(path, why) "{path}: {why}" => "{path}: {why}";
    setup_changed_since(path, flag)
        "{path} was changed since setup wrote it: edit it by hand, or take setup back with `{flag}` after moving it aside"
        => "{path} đã bị sửa sau khi setup ghi: hãy sửa tay, hoặc chuyển tệp đi rồi hoàn tác bằng `{flag}`";
    setup_bad_record(path, line, text, forms)
        "{path}:{line}: `{text}` is no line of a record; a line is one of {forms}, and no path but a reply's has a blank. \
         Correct it, or remove the line and by hand what it is about; nothing was changed"
        => "{path}:{line}: `{text}` không phải dòng của bản ghi; mỗi dòng là một trong {forms}, và chỉ đường dẫn của thư trả lời được có dấu cách. \
            Hãy sửa dòng đó, hoặc xoá nó và tự dọn những gì nó nói đến; chưa thay đổi gì";
    setup_no_record(path) "there is nothing to take back: no {path}" => "không có gì để hoàn tác: không có {path}";
    setup_removed(path) "removed: {path}" => "đã xoá: {path}";
    setup_put_back(path) "put back as it was: {path}" => "đã trả lại như cũ: {path}";
    setup_left(path) "left: {path} was changed since; remove it by hand, and run this again"
        => "để lại: {path} đã bị sửa; hãy tự xoá rồi chạy lại";
    setup_undone() "nothing of setup is left" => "không còn gì của setup";

    // Comments in what is written.
    setup_config_comment() "Written by `lachan setup`; yours to change, it acts as soon as it is saved"
        => "Do `lachan setup` ghi; thầy cô sửa được, lưu lại là có hiệu lực";
    setup_config_reference() "Every key: /usr/share/doc/lachan/examples/gateway.toml; `lachan check` says what is wrong"
        => "Mọi khoá: /usr/share/doc/lachan/examples/gateway.toml; `lachan check` chỉ ra lỗi";
    setup_stub_comment() "Written by `lachan setup`: this machine asks the gateway, and port 53 is free for it"
        => "Do `lachan setup` ghi: máy này hỏi cổng lọc, và cổng 53 để dành cho nó";
    setup_timer_comment() "Written by `lachan setup`: the program is looked for in the school's hours, whatever the zone of this machine"
        => "Do `lachan setup` ghi: tìm bản chương trình mới theo giờ của trường, dù máy đặt múi giờ nào";
}
