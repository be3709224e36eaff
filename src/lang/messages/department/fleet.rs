//! The first screen of a department: which schools are protected, and why one is not.

use crate::lang::message::messages;

messages! {
    fleet_title() "Schools: who is protected now" => "Các trường: nơi nào đang được bảo vệ";
    fleet_at(time) "at {time}" => "lúc {time}";
    fleet_counts(no, unknown, reported, yes)
        "not protected: {no}; unknown: {unknown}; as reported: {reported}; protected: {yes}"
        => "không được bảo vệ: {no}; không rõ: {unknown}; theo báo cáo: {reported}; được bảo vệ: {yes}";
    fleet_objective(percent, minutes, due)
        "this month filtering was enforced in {percent} % of the school minutes (objective: 99.9 %): {minutes} of {due} minutes not"
        => "tháng này việc lọc có hiệu lực trong {percent} % số phút học (mục tiêu: 99,9 %): {minutes} trong {due} phút không có";
    fleet_no_objective() "no gateway has counted school minutes this month"
        => "tháng này chưa có cổng nào đếm phút học";
    fleet_as_reported()
        "`as reported` is what boxes say of themselves in the web server's log; anybody can send such a line"
        => "`theo báo cáo` là điều hộp tự nói trong nhật ký máy chủ web; ai cũng có thể gửi một dòng như vậy";
    fleet_strangers(count, ids)
        "{count} reported schools are not in the registry, or closed there; they are counted nowhere else: {ids}"
        => "{count} trường theo báo cáo không có trong danh sách, hoặc đã đóng ở đó; không tính vào đâu khác: {ids}";
    fleet_unread(question, why) "not answered: {question}: {why}"
        => "không có trả lời: {question}: {why}";

    // Whether a school is protected.
    fleet_no() "NO" => "KHÔNG";
    fleet_unknown() "unknown" => "không rõ";
    fleet_reported() "as reported" => "theo báo cáo";
    fleet_yes() "yes" => "có";

    // Causes.
    fleet_silent() "a gateway does not answer: box, link or service is down"
        => "cổng không trả lời: hộp, đường truyền hoặc dịch vụ đã dừng";
    fleet_unsaid() "a gateway answers and does not say whether it filters: its program is older"
        => "cổng trả lời nhưng không nói có lọc hay không: chương trình cũ hơn";
    fleet_never_heard() "no gateway of this school was ever heard of" => "chưa từng thấy cổng nào của trường này";
    fleet_not_answered() "not known: Prometheus did not answer" => "không biết: Prometheus không trả lời";
    fleet_reported_only() "the box still polls for releases, and is not scraped"
        => "hộp vẫn hỏi bản phát hành nhưng không đọc được số liệu";
    fleet_reported_silent() "the box has not polled for three days" => "hộp không hỏi bản phát hành đã ba ngày";
    fleet_reported_rejected(reason) "reports that it refused a release ({reason}); the one before is in force"
        => "báo rằng đã từ chối một bản phát hành ({reason}); bản trước vẫn có hiệu lực";
    fleet_reported_held() "reports that a release waits for a person" => "báo rằng một bản phát hành đang chờ người xem";
    fleet_uplink() "no upstream server answers: nothing is resolved, and nothing passes"
        => "không máy chủ phía trên nào trả lời: không phân giải được gì, cũng không lọt gì";
    fleet_reason_ok() "as configured" => "đúng như cấu hình";
    fleet_reason_stale_list() "a list was confirmed by no server for a week"
        => "một danh sách không được máy chủ xác nhận suốt một tuần";
    fleet_reason_clock() "the clock is not trusted: it is lesson time for everyone"
        => "đồng hồ chưa tin được: với mọi người đều là giờ học";
    fleet_reason_held() "a kept copy stands in for a file that cannot be used"
        => "bản lưu đang thay cho một tệp không dùng được";
    fleet_reason_fail_closed() "a category without a list is closed: only essential names are answered"
        => "một nhóm thiếu danh sách nên bị đóng: chỉ trả lời các tên thiết yếu";
    fleet_reason_list_missing() "a list is not in force: its names pass"
        => "một danh sách không có hiệu lực: các tên trong đó lọt qua";
    fleet_reason_no_lists() "no list is in force: it filters nothing" => "không danh sách nào có hiệu lực: không lọc gì";
    fleet_reason_other(word) "it says `{word}`" => "cổng báo `{word}`";

    // Headings.
    fleet_schools() "Schools" => "Các trường";
    fleet_school() "School" => "Trường";
    fleet_commune() "Commune" => "Xã/Phường";
    fleet_old_unit() "Old district" => "Huyện cũ";
    fleet_protected() "Protected" => "Bảo vệ";
    fleet_since() "Since" => "Từ";
    fleet_cause() "Cause" => "Nguyên nhân";
    fleet_minutes() "Minutes not enforced" => "Phút không hiệu lực";
    fleet_release() "Release" => "Bản phát hành";
    fleet_seen() "Last seen" => "Thấy lần cuối";
    fleet_releases() "Rollout: schools by release" => "Triển khai: số trường theo bản phát hành";
    fleet_versions() "Programs: schools by version" => "Chương trình: số trường theo phiên bản";
    fleet_blocked() "Blocked in the last day, by category" => "Số lượt chặn trong ngày qua, theo nhóm";
    fleet_upstreams() "Upstream servers" => "Máy chủ phía trên";
    fleet_server() "Server" => "Máy chủ";
    fleet_up() "Up at" => "Hoạt động ở";
    fleet_errors() "Failed in the last hour" => "Lỗi trong giờ qua";
    fleet_by_commune() "By commune" => "Theo xã/phường";
    fleet_by_old_unit() "By old district" => "Theo huyện cũ";
    fleet_no_unit() "(not known)" => "(không rõ)";
    fleet_not_registered() "not in the registry" => "không có trong danh sách";
    fleet_release_none() "none" => "không có";
}
