//! Warnings about a config: no mistakes, and seldom what was meant.

use crate::lang::message::messages;

messages! {
    calendar_is_past(path) "no event of `{path}` is to come: it lies in the past, or is empty"
        => "`{path}` không còn sự kiện nào sắp tới: lịch đã qua hoặc trống";
    save_this_year() "save the calendar of this school year" => "hãy lưu lịch của năm học này";
    schedules_in_utc() "[school] has no `timezone`: schedules run by UTC, not by the clock on the wall"
        => "[school] chưa có `timezone`: lịch chạy theo giờ UTC, không theo giờ địa phương";
    change_one() "change one of them" => "hãy sửa một trong hai";
    default_is_staff(group, level)
        "every client in no other group is in `{group}`, of level `{level}`: a pupil's device too"
        => "mọi máy không thuộc nhóm nào khác đều thuộc `{group}`, cấp `{level}`: kể cả máy của học sinh";
    strictest_by_default() "make a group of pupils the default, and give staff their networks"
        => "hãy đặt nhóm học sinh làm mặc định và ghi mạng riêng cho giáo viên";
    no_lists_at_all() "there is no list: `starter` is off, and there is no source and no pack"
        => "không có danh sách nào: `starter` đã tắt, không có nguồn và không có gói";
    accepts_nothing(name) "`{name}` in `accept` is not guarded: a list may block it without that"
        => "`{name}` trong `accept` không được bảo vệ: danh sách vẫn chặn được mà không cần ghi";
    name_is_address(text, key) "`{text}` in `{key}` is an address: no device asks DNS for it as a name, so nothing is covered"
        => "`{text}` trong `{key}` là địa chỉ: không thiết bị nào hỏi DNS tên này nên không có tác dụng gì";
    write_names_not_addresses() "write names; addresses are filtered by a firewall"
        => "hãy ghi tên miền; lọc theo địa chỉ là việc của tường lửa";
    accept_guarded() "write a guarded or essential name as `lachan check` shows it, or remove it"
        => "hãy ghi tên được bảo vệ như `lachan check` hiển thị, hoặc xóa đi";
    guard_voids(source, category, count, names)
        "{source}: {count} rules of `{category}` would block what schools need, and have no effect on it: {names}"
        => "{source}: {count} quy tắc của `{category}` sẽ chặn thứ trường học cần nên không có tác dụng với chúng: {names}";
    accept_if_meant() "add them to `accept` of the source (of [lists] for a pack) if they are meant"
        => "nếu đúng ý, hãy thêm vào `accept` của nguồn (của [lists] nếu là gói)";
    schedule_unused(name) "nothing depends on schedule `{name}`"
        => "không có gì phụ thuộc vào lịch `{name}`";
    use_the_schedule() "name it `lessons`, or name it in `lessons` of a group or in `during` of a profile"
        => "đặt tên là `lessons`, hoặc ghi trong `lessons` của nhóm hay `during` của hồ sơ";
    window_is_long(window, hours, minutes) "`{window}` ends on the next day and lasts {hours} h {minutes} min"
        => "`{window}` kết thúc vào ngày hôm sau và kéo dài {hours} giờ {minutes} phút";
    window_ends_next_day() "a window that ends before it begins ends on the next day; was the other order meant?"
        => "khoảng giờ có giờ cuối trước giờ đầu sẽ kết thúc vào hôm sau; có phải ý bạn là thứ tự ngược lại?";
    clients_never_answered(group, network)
        "group `{group}`: `{network}` is outside `allow` of [listen], so its clients get REFUSED"
        => "nhóm `{group}`: `{network}` nằm ngoài `allow` của [listen] nên các máy này bị REFUSED";
    widen_allow() "add the network to `allow` of [listen], or remove it here"
        => "thêm mạng vào `allow` của [listen], hoặc bỏ ở đây";
    random_mac(mac, group)
        "group `{group}`: `{mac}` was drawn by the device itself (a private or randomised address); it has another one in another network, and may draw a new one here"
        => "nhóm `{group}`: `{mac}` do thiết bị tự đặt ngẫu nhiên (địa chỉ riêng tư); sang mạng khác thiết bị dùng địa chỉ khác, và ở đây cũng có thể đổi";
    use_the_device_mac()
        "switch the private address off for the school's network on the device, and write the address it then has"
        => "hãy tắt địa chỉ riêng tư cho mạng của trường trên thiết bị rồi ghi địa chỉ mà thiết bị dùng sau đó";
    allowed_and_denied(name) "`{name}` is in `allow` and in `deny`"
        => "`{name}` vừa có trong `allow` vừa có trong `deny`";
    denied_is_essential(name) "`{name}` is in `deny` and is essential, so it is answered all the same"
        => "`{name}` vừa có trong `deny` vừa là tên thiết yếu, nên vẫn được trả lời";
    denied_is_local(name) "`{name}` is in `deny` and has local records, which nobody of this profile gets"
        => "`{name}` có trong `deny` và có bản ghi nội bộ, nhưng không ai thuộc hồ sơ này nhận được";
    setting_is_void(key, why) "`{key}` has no effect: {why}" => "`{key}` không có tác dụng: {why}";
    key_is(key, value) "`{key}` is {value}" => "`{key}` là {value}";
    only_allowed_passes() "with `allow_only` nothing passes but what is allowed, whatever its category"
        => "với `allow_only`, chỉ những gì được phép mới qua, thuộc nhóm nào cũng vậy";
    nothing_is_allowed() "`allow_only` without a name in `allow`: nothing passes but essential names"
        => "`allow_only` mà không có tên nào trong `allow`: chỉ tên thiết yếu mới qua";
    so_at_all_times() "it is so at all times" => "lúc nào cũng đã như vậy";
    window_says_nothing() "this `during` changes nothing" => "mục `during` này không thay đổi gì";
    servers_are_named(key) "`{key}` names the servers" => "`{key}` đã ghi các máy chủ";
    nothing_is_encrypted() "nothing is asked by TLS" => "không có gì được hỏi qua TLS";
    exempt_never_answered(network)
        "`{network}` of `exempt` is outside `allow` of [listen], so its clients get REFUSED"
        => "`{network}` trong `exempt` nằm ngoài `allow` của [listen] nên các máy này bị REFUSED";
    no_list_of_it() "no list has names of it" => "không có danh sách nào của nhóm này";
    lessons_change_nothing(group) "lessons change nothing for group `{group}`"
        => "tiết học không thay đổi gì với nhóm `{group}`";
    one_file_for_two(path, one, other) "`{path}` is the file of `{one}` and of `{other}`"
        => "`{path}` vừa là tệp của `{one}` vừa là tệp của `{other}`";
    department_opens_its_lock(department, category)
        "{department} locks `{category}` and unlocks it; the lock counts"
        => "{department} vừa khóa vừa mở `{category}`; khóa được áp dụng";
    department_allows_and_denies(department, name)
        "{department} allows `{name}` and denies it; it is allowed"
        => "{department} vừa cho phép vừa cấm `{name}`; tên này được phép";
    untrusted_answers(path, count, key)
        "{path}: {count} answers of the list's own (addresses, aliases) are not given, such names are blocked; add `{key}` to its [[lists.source]] if it may answer"
        => "{path}: {count} câu trả lời riêng của danh sách (địa chỉ, bí danh) không được dùng, các tên đó bị chặn; thêm `{key}` vào [[lists.source]] nếu được phép trả lời";
    unused_triggers(path, triggers) "{path}: triggers that are not used: {triggers}"
        => "{path}: các điều kiện không được dùng: {triggers}";
    list_lines_left_out(path, rules, format, rejected, example)
        "{path}: {rules} rules as `{format}`, {rejected} lines left out, for example {example}"
        => "{path}: {rules} quy tắc theo `{format}`, bỏ qua {rejected} dòng, ví dụ {example}";
    list_not_downloaded(list) "{list}: not downloaded yet, and so not in force"
        => "{list}: chưa tải về nên chưa có hiệu lực";
    profile_opens(profile, count, categories)
        "`block` of profile `{profile}` is complete, and opens {count} categories that its level blocks: {categories}"
        => "`block` của hồ sơ `{profile}` là danh sách đầy đủ và mở {count} nhóm nội dung mà cấp học chặn: {categories}";
    without_block() "add them to `block` or `observe`; without `block` the defaults of the level apply"
        => "thêm chúng vào `block` hoặc `observe`; không có `block` thì áp dụng mặc định của cấp học";
    whole_top_level(key, name) "`{name}` in `{key}` is a whole top-level domain, not a site"
        => "`{name}` trong `{key}` là cả một tên miền cấp cao nhất, không phải một trang";
    write_whole_name() "write the whole name, such as `youtube.com`"
        => "hãy viết đủ tên, như `youtube.com`";
    kept_copies_stand_in()
        "a gateway of this config that starts here goes on, degraded, with its kept copies of files that cannot be used"
        => "bộ lọc khởi động với cấu hình này vẫn chạy, ở trạng thái suy giảm, bằng bản lưu của các tệp không dùng được";
    file_not_for_service(path, mode)
        "`{path}` (mode {mode}) can be read by this user and not by the service's"
        => "`{path}` (quyền {mode}) người dùng này đọc được nhưng dịch vụ thì không";
    make_it_readable() "chmod o+r for files, o+rx for directories on the way"
        => "dùng chmod o+r cho tệp, o+rx cho các thư mục trên đường dẫn";
    state_open_to_others(path, mode)
        "`{path}` (mode {mode}): others can write to the state directory, so nothing is kept in it"
        => "`{path}` (quyền {mode}): người khác ghi được vào thư mục trạng thái nên không lưu gì ở đó";
    state_no_directory(path) "`{path}` is no directory, nor can be one, so nothing is kept in it"
        => "`{path}` không phải là thư mục và không tạo được thư mục ở đó nên không lưu gì được";
    give_a_directory() "give `dir` in [state] a directory of its own, such as `/var/lib/lachan`"
        => "hãy ghi thư mục riêng ở `dir` trong [state], như `/var/lib/lachan`";
    close_it_to_others() "chmod go-w it" => "dùng chmod go-w";
}
