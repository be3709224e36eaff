//! The report of a rehearsal.

use crate::lang::message::messages;

messages! {
    rehearsal_group() "group" => "nhóm";
    rehearsal_set() "names" => "tập tên";
    rehearsal_category() "category" => "loại";
    rehearsal_blocked() "newly blocked" => "chặn thêm";
    rehearsal_opened() "newly open" => "mở thêm";
    rehearsal_set_guard() "guard" => "tên được bảo vệ";
    rehearsal_set_essential() "essential" => "tên thiết yếu";
    rehearsal_set_popular() "popular" => "tên phổ biến";
    rehearsal_set_recent() "of this school" => "tên trường vừa dùng";
    rehearsal_no_change() "no name of these sets changes in any group"
        => "không tên nào trong các tập này thay đổi ở bất kỳ nhóm nào";
    rehearsal_names_were(guard, essential, popular, recent)
        "rehearsed with {guard} guarded, {essential} essential, {popular} popular names and {recent} of this school"
        => "đã thử với {guard} tên được bảo vệ, {essential} tên thiết yếu, {popular} tên phổ biến và {recent} tên của trường này";
    rehearsal_unrehearsed(percent)
        "not rehearsed: {percent} % of what this school asks for, and all that answers lead to"
        => "chưa thử: {percent} % lượt hỏi của trường này, và mọi tên mà câu trả lời dẫn tới";
    rehearsal_unknown()
        "not rehearsed: what this school asks for, of which nothing is known here, and all that answers lead to"
        => "chưa thử: những gì trường này hỏi (ở đây chưa biết gì), và mọi tên mà câu trả lời dẫn tới";
    rehearsal_new_groups(count) "{count} groups are new: there is nothing to compare them with"
        => "{count} nhóm là mới: không có gì để so sánh";
    rehearsal_holds(count)
        "{count} guarded or essential names would be blocked: a gateway holds such a release until people have looked"
        => "{count} tên được bảo vệ hoặc thiết yếu sẽ bị chặn: gateway giữ lại bản phát hành này cho đến khi có người xem";
    rehearsal_names_blocked() "newly blocked" => "chặn thêm";
    rehearsal_names_opened() "newly open" => "mở thêm";
}
