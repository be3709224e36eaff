//! Groups, profiles and schedules.

use crate::lang::message::messages;

messages! {
    // Groups.
    group_already(name) "there is a group `{name}` already" => "đã có nhóm `{name}`";
    each_its_own_name() "give each group its own name" => "mỗi nhóm cần một tên riêng";
    empty_group(name) "no client can be in group `{name}`" => "không có máy nào thuộc nhóm `{name}`";
    add_or_make_it(what, key) "add `{what}`, or make it the `{key}`"
        => "thêm `{what}`, hoặc đặt nhóm này làm `{key}`";
    in_two_groups(network, one, other) "`{network}` is in group `{one}` and in group `{other}`"
        => "`{network}` vừa thuộc nhóm `{one}` vừa thuộc nhóm `{other}`";
    longer_prefix_first() "leave it in one; a longer prefix goes before a shorter one"
        => "chỉ để ở một nhóm; dải mạng dài hơn được xét trước";
    twice_in_group(network, key, group) "`{network}` stands twice in `{key}` of group `{group}`"
        => "`{network}` được ghi hai lần trong `{key}` của nhóm máy `{group}`";
    listener_of(address, group) "`{address}` is the listener of group `{group}` already"
        => "`{address}` đã là địa chỉ lắng nghe của nhóm máy `{group}`";
    no_server_name(text) "`{text}` is no host name by which a device could call this gateway"
        => "`{text}` không phải tên máy chủ mà thiết bị có thể dùng để gọi gateway này";
    no_mac(text) "`{text}` is no hardware address (MAC)"
        => "`{text}` không phải địa chỉ phần cứng (MAC)";
    mac_of_no_device(mac) "`{mac}` is the hardware address of no single device"
        => "`{mac}` không phải địa chỉ phần cứng của riêng một thiết bị nào";
    write_the_printed_one() "write the address that the device's settings or its label show"
        => "hãy ghi địa chỉ có trong phần cài đặt hoặc trên nhãn của thiết bị";
    tokens_from_nowhere(group) "`tokens_from` of group `{group}` names no network"
        => "`tokens_from` của nhóm `{group}` không ghi mạng nào";
    name_networks_or_leave_out()
        "name the networks where its tokens act, or leave it out: then they are those of `clients`"
        => "hãy ghi các mạng mà mã của nhóm có tác dụng, hoặc bỏ khóa này: khi đó là các mạng trong `clients`";
    level_of_profile(group, own, its) "`{group}` is of level `{own}`, but its profile of `{its}`"
        => "`{group}` thuộc cấp `{own}`, nhưng hồ sơ của nhóm lại thuộc cấp `{its}`";
    too_many_groups(count, most)
        "there are {count} groups with the default group; there may be {most}"
        => "có {count} nhóm máy kể cả nhóm mặc định; tối đa là {most}";
    many_prefixes(key) "one group can have many prefixes in `{key}`"
        => "một nhóm có thể có nhiều dải mạng trong `{key}`";

    // Profiles.
    never_blocks(category) "`{category}` is a list of good names and never blocks"
        => "`{category}` là danh sách tên tốt, không bao giờ chặn";
    remove_from_block(block, deny) "remove it from `{block}`; to refuse single names, use `{deny}`"
        => "bỏ khỏi `{block}`; muốn chặn từng tên thì dùng `{deny}`";
    cannot_fail(category) "`{category}` never blocks, and cannot fail"
        => "`{category}` không bao giờ chặn nên không có chế độ hỏng";
    cannot_be_open(category) "`{category}` cannot be open without its list: it is locked"
        => "`{category}` không thể để mở khi thiếu danh sách: nhóm này bị khóa";
    nobody_loosens_it() "remove the line; nobody at a school can loosen it"
        => "xóa dòng này; nhà trường không được nới lỏng";
    in_block_and_observe(category) "`{category}` is in `block` and in `observe`"
        => "`{category}` vừa ở `block` vừa ở `observe`";
    leave_in_block_or_observe()
        "leave it in one: `block` refuses its names, `observe` only counts them"
        => "chỉ để ở một nơi: `block` chặn, `observe` chỉ đếm";
    own_key(engine) "`{engine}` has modes, and so a key of its own"
        => "`{engine}` có nhiều mức nên có khóa riêng";
    one_word(key) "`{key}` is one word, and no array" => "`{key}` là một từ, không phải danh sách";

    // Schedules.
    schedule_already(name) "there is a schedule `{name}` already" => "đã có lịch `{name}`";
    several_times() "a schedule can have several `times`; give another one another name"
        => "một lịch có thể có nhiều `times`; lịch khác thì đặt tên khác";
    never_with_calendar(schedule, calendar)
        "schedule `{schedule}` never runs: no event of `{calendar}` is on its days and times"
        => "lịch `{schedule}` không bao giờ chạy: không có sự kiện nào của `{calendar}` trùng ngày giờ";
    look_at_the_dates()
        "remove `days` and `times`, or look at the dates of the calendar"
        => "bỏ `days` và `times`, hoặc xem lại ngày trong lịch";
    too_many_schedules(count, most) "there are {count} schedules; there may be {most}"
        => "có {count} lịch; tối đa là {most}";
    without_times(schedule) "schedule `{schedule}` says nothing of when it runs"
        => "lịch `{schedule}` chưa ghi thời gian";
    add_times() "add `days`, `times` or `calendar`" => "thêm `days`, `times` hoặc `calendar`";
    never_by(key, schedule) "`{key}` is empty, so schedule `{schedule}` never runs"
        => "`{key}` trống nên lịch `{schedule}` không bao giờ chạy";
    no_length(window) "`{window}` has no length, so it never runs"
        => "`{window}` không có độ dài nên không bao giờ chạy";
    write_whole_day(window) "write `{window}` for the whole day" => "viết `{window}` cho cả ngày";
    no_window(text) "`{text}` is no time from one to another" => "`{text}` không phải là khoảng giờ";
    write_window(window, overnight) "write `{window}`; `{overnight}` ends on the next day"
        => "viết `{window}`; `{overnight}` kết thúc vào ngày hôm sau";
}
