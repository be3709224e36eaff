//! Reviews: the reasons of a request, and what is answered to people that work on them.

use crate::lang::message::messages;

messages! {
    needed_for_lesson() "I need it for a lesson" => "Em cần cho bài học trên lớp";
    needed_for_homework() "I need it for homework or to read up on something"
        => "Em cần để làm bài tập hoặc tìm hiểu thêm";
    needed_for_mistake() "The site is not what it is blocked for"
        => "Trang này không thuộc loại nội dung bị chặn";
    needed_for_broken() "Another page or app does not work without it"
        => "Trang hoặc ứng dụng khác không chạy được nếu thiếu trang này";
    needed_for_other() "Something else" => "Lý do khác";

    review_no_site(given) "`{given}` is no site; write a name such as `www.school.example`"
        => "`{given}` không phải là một trang; hãy ghi tên miền, như `www.school.example`";
    review_no_reason(given, known) "there is no reason `{given}`; there are {known}"
        => "không có lý do `{given}`; các lý do: {known}";
    review_no_row(name) "nobody asked for `{name}`; `lachan review list` shows the names"
        => "không có đề nghị nào về `{name}`; xem bằng `lachan review list`";
    review_no_allow(name) "no allow of `{name}` is in force"
        => "`{name}` hiện không được mở theo đề nghị nào";

    // What is shown of a review.
    review_open() "waits" => "đang chờ";
    review_forwarded() "forwarded" => "đã chuyển lên";
    review_allowed() "allowed" => "đã mở";
    review_denied() "denied" => "không mở";
    every_group() "every group" => "mọi nhóm";
    review_allow(names, group, day, by, reason)
        "allowed: {names}  {group}  until {day}  by {by}: {reason}"
        => "được mở: {names}  {group}  đến hết {day}  người duyệt {by}: {reason}";
    department_accepted(day, reason) "the department accepted it on {day}: {reason}"
        => "cơ quan quản lý đã đồng ý ngày {day}: {reason}";
    department_denied(day, reason) "the department refused it on {day}: {reason}"
        => "cơ quan quản lý đã từ chối ngày {day}: {reason}";
    // The technician's page.
    queue_title() "What people ask for" => "Các đề nghị mở trang";
    queue_more(count) "{count} more: `lachan review list`" => "còn {count} đề nghị: `lachan review list`";
    queue_asked(count, first, last) "{count} times, {first} to {last}"
        => "{count} lần, từ {first} đến {last}";
    queue_why() "Reason, for the ledger" => "Lý do, ghi vào sổ";
    queue_days() "Days, where it is allowed" => "Số ngày, nếu mở";
    queue_allow() "Allow" => "Mở";
    queue_deny() "Keep blocked" => "Không mở";
    queue_revoke() "Revoke" => "Thu hồi";
    queue_allowed() "allow by a review" => "mở theo đề nghị";
    queue_review() "review" => "đề nghị";
    change_deny() "denied" => "không mở";

    no_reviews() "nobody asked for a name, and none is allowed by a review"
        => "chưa có đề nghị nào và chưa mở tên miền nào theo đề nghị";
    review_received() "noted, if the name is blocked and the school may open it"
        => "đã ghi nhận, nếu tên miền đang bị chặn và nhà trường được phép mở";
    reviews_not_kept()
        "it is kept nowhere: without a state directory a restart ends it; where there is one its disk may be full, and the log has the reason"
        => "không lưu được: khi không có thư mục trạng thái thì khởi động lại sẽ mất; nếu đã có, có thể đĩa đã đầy, lý do ở trong nhật ký";
    reviews_forwarded(count, file) "{count} reviews are in {file}; send it to the department"
        => "đã ghi {count} đề nghị vào {file}; hãy gửi tệp này cho cơ quan quản lý";
}
