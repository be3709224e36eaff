//! Sections of the config: local records, forward zones, essential names, sources of lists.

use crate::lang::message::messages;

messages! {
    no_copy_directory(key) "a list by `{key}` has no directory for its copy"
        => "danh sách lấy theo `{key}` chưa có thư mục để lưu bản sao";
    give_state_directory(key)
        "set `{key}` in [state], or let the service manager give a directory (StateDirectory=)"
        => "đặt `{key}` trong [state], hoặc để trình quản lý dịch vụ cấp thư mục (StateDirectory=)";
    // Essential names.
    not_essential(name, refused, kind) "`{name}` cannot be essential: `{refused}` is a {kind} name"
        => "`{name}` không thể là tên thiết yếu: `{refused}` thuộc loại {kind}";
    essential_is_one_job()
        "an essential name resolves in every mode; name only what does that one job"
        => "tên thiết yếu luôn được phân giải; chỉ ghi tên làm đúng một việc đó";

    // Forward zones.
    public_suffix(zone) "`{zone}` is a public suffix: all the world registers names below it"
        => "`{zone}` là hậu tố công cộng: ai cũng đăng ký được tên bên dưới";
    name_the_zone(example) "name the zone itself, such as `{example}`"
        => "ghi đúng vùng cần chuyển, ví dụ `{example}`";
    special_use(name) "`{name}` is a special-use name that is always answered here"
        => "`{name}` là tên dành riêng, luôn được trả lời tại đây";
    root_zone() "the root cannot be a forward zone: that is everything"
        => "không thể chuyển tiếp vùng gốc: đó là toàn bộ tên miền";
    write_into(key) "write the servers for everything into `{key}`"
        => "ghi máy chủ dùng chung vào `{key}`";
    zone_already(zone) "`{zone}` is a forward zone already" => "`{zone}` đã là vùng chuyển tiếp";
    name_all_servers(table) "name all its servers in one `{table}`"
        => "ghi tất cả máy chủ của nó trong một `{table}`";
    zone_needs(key) "a forward zone needs `{key}`" => "vùng chuyển tiếp cần có `{key}`";
    too_many_zones(most) "there may be {most} forward zones" => "tối đa là {most} vùng chuyển tiếp";

    // Records.
    beside_cname(name) "`{name}` has a CNAME, and so can have no other record"
        => "`{name}` đã có CNAME nên không có bản ghi khác";
    safe_search_target(name) "`{name}` is where safe search leads; no record may say otherwise"
        => "`{name}` là đích của tìm kiếm an toàn; không bản ghi nào được nói khác";
    alias_circle(name) "the aliases of `{name}` lead in a circle"
        => "các bí danh của `{name}` dẫn vòng tròn";
    lead_to_an_address() "let one of them lead to a name with an address"
        => "hãy để một bản ghi dẫn tới tên có địa chỉ";
    wrong_record(text, reason) "{text}: {reason}" => "{text}: {reason}";
    record_too_short() "a record is a name, a type and its data"
        => "bản ghi gồm tên, loại và dữ liệu";
    record_wildcard()
        "a name with `*` is not answered here; write each name, or use a forward zone"
        => "tên có `*` không được trả lời tại đây; hãy ghi từng tên, hoặc dùng vùng chuyển tiếp";
    record_type(word, known) "`{word}` is no type that can be written here; known are {known}"
        => "không ghi được loại `{word}` ở đây; các loại dùng được: {known}";
    record_data(text, rtype) "`{text}` is no data of type {rtype}"
        => "`{text}` không phải là dữ liệu loại {rtype}";
    record_ttl(seconds, most) "the TTL is {seconds}; it must be 0 to {most} seconds"
        => "TTL là {seconds}; phải từ 0 đến {most} giây";
    too_many_records(most) "there may be {most} records" => "tối đa là {most} bản ghi";
    let_a_server_answer(table) "let a server of its own answer, behind a `{table}` zone"
        => "hãy để máy chủ riêng trả lời, qua một vùng trong `{table}`";

    // Sources of lists.
    source_already(label) "`{label}` is a source of this category already"
        => "`{label}` đã là nguồn của nhóm nội dung này";
    for_sources_with(key, only) "`{key}` is for sources with a `{only}` only"
        => "`{key}` chỉ dùng cho nguồn có `{only}`";
    file_read_on_change() "remove it; a file is read when it changes"
        => "bỏ đi; tệp được đọc lại khi thay đổi";
    for_sealed_lists(key) "`{key}` is for sealed lists only"
        => "`{key}` chỉ dùng cho danh sách niêm phong";
    for_zones_only(key) "`{key}` is for response policy zones only"
        => "`{key}` chỉ dùng cho vùng chính sách (RPZ)";
    scope_of_sealed(key) "`{key}` means nothing here: a sealed name has all below it"
        => "`{key}` không có nghĩa ở đây: tên niêm phong gồm mọi tên bên dưới";
    sealed_by_url(key) "a sealed list comes as a file, not by `{key}`"
        => "danh sách niêm phong là tệp, không tải qua `{key}`";
    copy_it_and_its_key() "copy it to the gateway, and its key by another way"
        => "chép tệp vào cổng, và chép khóa bằng đường khác";
    sealed_category(only, found) "a sealed list is for `{only}`, not for `{found}`"
        => "danh sách niêm phong dành cho `{only}`, không cho `{found}`";
    give_it_as_names() "give the list as names: who is blocked by it may ask why"
        => "hãy đưa danh sách ở dạng tên: người bị chặn có quyền hỏi lý do";
    source_both(one, other) "a source has a `{one}` or a `{other}`, not both"
        => "một nguồn có `{one}` hoặc `{other}`, không có cả hai";
    remove_one_or_make_two(table) "remove one of them, or make two `{table}`"
        => "bỏ một trong hai, hoặc tách thành hai `{table}`";
    no_url(text, reason) "`{text}` is not a URL: {reason}" => "`{text}` không phải là URL: {reason}";
    url_scheme(text) "`{text}` is neither https nor http"
        => "`{text}` không phải https cũng không phải http";
    url_fragment(text) "`{text}` has a `#`, which no server sees"
        => "`{text}` có `#`, phần mà máy chủ không thấy";
    url_password() "the URL has a user name or a password in it, which are not sent"
        => "URL có tên người dùng hoặc mật khẩu, những thứ này không được gửi đi";
    known_by_address() "let the server know the gateway by its address"
        => "hãy để máy chủ nhận ra cổng qua địa chỉ";
}
