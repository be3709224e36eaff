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
    allowed_and_denied(name) "`{name}` is in `allow` and in `deny`"
        => "`{name}` vừa có trong `allow` vừa có trong `deny`";
    profile_opens(profile, count, categories)
        "`block` of profile `{profile}` is complete, and opens {count} categories that its level blocks: {categories}"
        => "`block` của hồ sơ `{profile}` là danh sách đầy đủ và mở {count} nhóm nội dung mà cấp học chặn: {categories}";
    without_block() "add them to `block` or `observe`; without `block` the defaults of the level apply"
        => "thêm chúng vào `block` hoặc `observe`; không có `block` thì áp dụng mặc định của cấp học";
    whole_top_level(key, name) "`{name}` in `{key}` is a whole top-level domain, not a site"
        => "`{name}` trong `{key}` là cả một tên miền cấp cao nhất, không phải một trang";
    write_whole_name() "write the whole name, such as `youtube.com`"
        => "hãy viết đủ tên, như `youtube.com`";
    file_not_for_service(path, mode)
        "`{path}` (mode {mode}) can be read by this user and not by the service's"
        => "`{path}` (quyền {mode}) người dùng này đọc được nhưng dịch vụ thì không";
    make_it_readable() "chmod o+r for files, o+rx for directories on the way"
        => "dùng chmod o+r cho tệp, o+rx cho các thư mục trên đường dẫn";
}
