//! The pages of teachers, technicians and inspectors.

use crate::lang::message::messages;

messages! {
    // Logging in.
    staff_menu() "Staff" => "Giáo viên, cán bộ";
    staff_login() "Log in" => "Đăng nhập";
    staff_leave() "Leave" => "Thoát";
    staff_session_note()
        "You are logged out after ten minutes without a click, and when the gateway restarts. What you opened ends at its own time."
        => "Sau mười phút không thao tác, hoặc khi máy lọc khởi động lại, bạn sẽ bị đăng xuất. Những gì đã mở sẽ tự đóng đúng giờ.";
    staff_with_code() "Teacher with a code" => "Giáo viên có mã";
    staff_code() "Code" => "Mã";
    staff_code_hint() "Ten letters and digits, from the technician. Each code is good once."
        => "Mười chữ và số do người phụ trách kỹ thuật phát. Mỗi mã dùng một lần.";
    staff_name() "Your name" => "Tên của bạn";
    staff_name_hint() "The list of changes keeps it." => "Tên này được ghi vào sổ thay đổi.";
    staff_with_pin() "Teacher with the PIN" => "Giáo viên dùng PIN";
    staff_pin() "PIN" => "PIN";
    staff_room() "Room" => "Phòng";
    staff_with_token() "Technician" => "Người phụ trách kỹ thuật";
    staff_as_inspector() "Inspector" => "Cán bộ kiểm tra";
    staff_token() "Token" => "Khóa truy cập";
    staff_token_hint(file) "The text in {file} of the gateway's state directory."
        => "Nội dung tệp {file} trong thư mục trạng thái của máy lọc.";
    staff_other_network()
        "The PIN, the technician and the inspector log in on the staff network only."
        => "PIN, người phụ trách kỹ thuật và cán bộ kiểm tra chỉ đăng nhập được từ mạng của cán bộ, giáo viên.";
    staff_not_logged_in() "Log in first: your time here is over, or you are on another device."
        => "Hãy đăng nhập: phiên đã hết, hoặc bạn đang ở thiết bị khác.";
    staff_not_yours() "That is not for you to change" => "Bạn không được thay đổi mục này";
    staff_greeting(by) "Logged in: {by}" => "Đang đăng nhập: {by}";
    staff_done() "Done." => "Đã xong.";

    // The teacher.
    teacher_title(room) "Room {room}" => "Phòng {room}";
    teacher_open() "Open for a lesson" => "Mở cho tiết học";
    teacher_open_what() "Sites to open" => "Các trang cần mở";
    teacher_open_hint()
        "Choose a service from the list, or write names such as youtube.com, with spaces between."
        => "Chọn một dịch vụ trong danh sách, hoặc ghi tên như youtube.com, cách nhau bằng dấu cách.";
    teacher_minutes() "For how many minutes" => "Trong bao nhiêu phút";
    teacher_open_do() "Open" => "Mở";
    teacher_exam() "Begin an exam" => "Bắt đầu giờ thi";
    teacher_exam_what() "The only sites that open" => "Chỉ những trang này được mở";
    teacher_exam_do() "Begin the exam" => "Bắt đầu thi";
    teacher_say_what() "Write at least one name, and nothing but names and words of the list."
        => "Hãy ghi ít nhất một tên, và chỉ ghi tên miền hoặc từ trong danh sách.";
    teacher_say_minutes() "Choose for how many minutes." => "Hãy chọn số phút.";

    // What runs.
    running_title() "Running now" => "Đang chạy";
    running_none() "Nothing is open beyond the usual." => "Hiện không mở gì ngoài quy định thường ngày.";
    running_kind() "What" => "Loại";
    running_room() "Room" => "Phòng";
    running_names() "Sites" => "Các trang";
    running_until() "Until" => "Đến";
    running_by() "By" => "Người đặt";
    running_end() "End it" => "Kết thúc";
    running_end_of(id) "End it: number {id}" => "Kết thúc: số {id}";
    running_lesson() "lesson" => "tiết học";
    running_exam() "exam" => "giờ thi";
    running_without(name) "without {name}" => "cấm {name}";

    // The technician.
    technician_title() "The gateway" => "Máy lọc";
    technician_codes() "Codes for teachers" => "Mã cho giáo viên";
    technician_issue() "Make codes" => "Tạo mã";
    technician_issue_by() "Teacher (may be empty)" => "Giáo viên (có thể để trống)";
    technician_issue_count() "How many" => "Số mã";
    technician_issue_hours() "Good for, in hours from now" => "Có hiệu lực trong bao nhiêu giờ, từ bây giờ";
    technician_issued() "New codes: write them down now, they are not shown again."
        => "Mã mới: hãy ghi lại ngay, sẽ không hiện lại.";
    technician_revoke() "Revoke" => "Thu hồi";
    technician_revoke_of(id) "Revoke code {id}" => "Thu hồi mã {id}";
    technician_why() "Why is a name blocked, or not?" => "Vì sao một tên bị chặn hay không?";
    technician_name() "Name" => "Tên miền";
    technician_group() "Group" => "Nhóm";
    technician_why_do() "Look" => "Xem";
    technician_no_name() "That is no name of a site." => "Đó không phải là tên miền.";
    technician_blocked(layer) "blocked, by step {layer}" => "bị chặn, ở bước {layer}";
    technician_passes(layer) "not blocked, by step {layer}" => "không bị chặn, ở bước {layer}";
    technician_own() "answered by the gateway itself" => "máy lọc tự trả lời";
    technician_verdict() "Verdict" => "Kết luận";
    technician_category() "Category" => "Nhóm nội dung";
    technician_listed() "Listed as" => "Có trong danh sách";
    technician_groups() "Groups" => "Các nhóm";
    technician_level() "Level" => "Cấp học";
    technician_networks() "Networks" => "Mạng";
    technician_all_others() "all others" => "các máy còn lại";
    technician_you(group) "This device is in group {group}." => "Thiết bị này thuộc nhóm {group}.";

    // The inspector.
    inspector_title(school) "What is enforced at {school}" => "Những gì đang áp dụng tại {school}";
    inspector_group(group, level) "Group {group}: {level}" => "Nhóm {group}: {level}";
    inspector_blocked() "Blocked" => "Chặn";
    inspector_locked() "of these, locked above the school" => "trong đó bị khóa ở cấp trên, trường không mở được";
    inspector_lessons() "blocked in lessons only" => "chỉ chặn trong giờ học";
    inspector_observed() "Let through and counted" => "Cho qua và đếm";
    inspector_allow_only() "Only allowed names open." => "Chỉ các tên được cho phép mới mở.";
    inspector_none() "none" => "không có";
    inspector_exceptions(allow, deny) "names of the school: {allow} allowed, {deny} denied"
        => "tên do trường ghi: {allow} cho phép, {deny} cấm";
    inspector_tests() "Self-check" => "Tự kiểm tra";
    inspector_changes() "Changes" => "Các thay đổi";
    inspector_no_changes() "No change is recorded." => "Chưa có thay đổi nào được ghi.";
    inspector_time() "When" => "Lúc";
    inspector_who() "Who" => "Ai";
    inspector_change() "Change" => "Thay đổi";
    inspector_what() "About" => "Về";
    inspector_print() "Use the print button of the browser: the page has a style for paper."
        => "Dùng nút in của trình duyệt: trang này có kiểu chữ riêng cho bản in.";
    change_begin() "begins" => "bắt đầu";
    change_end() "ended by hand" => "kết thúc sớm";
    change_expire() "ended by itself" => "tự hết giờ";
    change_issue_code() "code made" => "tạo mã";
    change_revoke_code() "code revoked" => "thu hồi mã";
    change_set_pin() "PIN set" => "đặt PIN";
    change_remove_pin() "PIN removed" => "bỏ PIN";
    change_other(action) "{action}" => "{action}";
}
