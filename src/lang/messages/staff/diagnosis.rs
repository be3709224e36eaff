//! What is blocked by mistake: the diagnostic mode, names that are blocked for many, what a list is
//! worth.

use crate::lang::message::messages;

messages! {
    // The diagnostic mode.
    diagnosis_length(most) "a diagnosis lasts from 1 to {most} minutes"
        => "thời gian xem phải từ 1 đến {most} phút";
    diagnosis_is_on(by, group) "{by} is looking at group `{group}` already; one at a time"
        => "{by} đang xem nhóm `{group}`; mỗi lúc chỉ một người xem";
    diagnosis_is_off() "no diagnosis is on" => "không có lần xem nào đang chạy";
    diagnosis_no_ledger()
        "a diagnosis has to be in the change ledger, and that cannot be written: give `dir` in [state], and look at its disk"
        => "lần xem phải được ghi vào sổ thay đổi, nhưng không ghi được: hãy đặt `dir` trong [state] và kiểm tra đĩa";
    diagnosis_on(group, by, until, reason)
        "diagnosis: on for group `{group}` until {until}, by {by}: {reason}"
        => "đang xem lỗi chặn nhầm của nhóm `{group}` đến {until}, người xem {by}: {reason}";
    diagnosis_ended(group, by) "the diagnosis of group `{group}` by {by} is over; what it had is dropped"
        => "lần xem nhóm `{group}` của {by} đã kết thúc; dữ liệu đã bị bỏ";
    diagnosis_nothing() "nothing was blocked yet" => "chưa có gì bị chặn";
    diagnosis_about(count)
        "{count} blocks, the oldest first; none of protected or sensitive categories, and nobody's device is known"
        => "{count} lần chặn, cũ nhất trước; không có nhóm nội dung nhạy cảm và không biết thiết bị của ai";
    diagnosis_notice(group, until)
        "Until {until} a technician looks at which sites are blocked for group {group}, to find mistakes. No device and no person is shown."
        => "Đến {until}, cán bộ kỹ thuật đang xem những trang bị chặn của nhóm {group} để tìm lỗi chặn nhầm. Không hiện thiết bị hay người nào.";
    diagnosis_kept()
        "Nobody keeps who visits or who asks. Until the time above, which names are blocked is in memory, and is then dropped."
        => "Không lưu ai đã vào xem hay đã hỏi. Đến giờ ghi ở trên, tên bị chặn chỉ nằm trong bộ nhớ rồi bị bỏ.";
    change_diagnose() "began to look at what is blocked" => "bắt đầu xem những gì bị chặn";
    change_diagnose_end() "stopped looking at what is blocked" => "ngừng xem những gì bị chặn";

    // Names that are blocked for many.
    heading_top(clients) "Blocked today for at least {clients} addresses, with the whole name"
        => "Hôm nay bị chặn với ít nhất {clients} địa chỉ, ghi tên đầy đủ";
    top_name(name, category) "{name}: {category}" => "{name}: {category}";
    top_without_category() "no category" => "không thuộc nhóm nào";
    no_top() "none" => "không có";

    // What a list is worth.
    list_matches(line, matches) "{line}; named {matches} blocked queries since the start"
        => "{line}; có tên trong {matches} truy vấn bị chặn từ khi khởi động";
    list_only_costs(line) "{line}; named NO blocked query in 30 days: it only costs"
        => "{line}; 30 ngày KHÔNG có tên trong truy vấn bị chặn nào: chỉ tốn tài nguyên";
    blocked_since(queries, merged)
        "blocked since the start: {queries} queries; {merged} where one site of one group counts once a minute"
        => "đã chặn từ khi khởi động: {queries} truy vấn; {merged} nếu mỗi trang của mỗi nhóm chỉ tính một lần mỗi phút";
}
