//! Asking for a review.

use crate::lang::message::messages;

messages! {
    portal_review() "Ask for a site" => "Đề nghị mở trang";
    portal_review_title() "Ask to have a site opened" => "Đề nghị mở một trang web";
    portal_review_about()
        "The school looks at what is asked for most. You are not asked who you are, and nobody keeps it."
        => "Nhà trường sẽ xem những trang được đề nghị nhiều nhất. Bạn không cần cho biết mình là ai và hệ thống không lưu lại.";
    portal_review_name() "Which site?" => "Trang nào?";
    portal_review_name_hint() "A name such as www.example.com, or the address that the browser shows"
        => "Tên như www.example.com, hoặc địa chỉ mà trình duyệt hiển thị";
    portal_review_why() "Why?" => "Vì sao?";
    portal_review_send() "Send" => "Gửi đề nghị";
    portal_review_no_site()
        "That is not the name of a site. Write it as in www.example.com, and send it again."
        => "Đó không phải là tên của một trang web. Hãy viết như www.example.com rồi gửi lại.";
    portal_review_no_reason() "Choose why, and send it again." => "Hãy chọn lý do rồi gửi lại.";
    portal_review_too_often() "You asked a few times already" => "Bạn đã gửi vài đề nghị rồi";
    portal_review_too_often_text()
        "Three requests an hour can be sent from one device or network. Ask again later, or tell a teacher."
        => "Mỗi thiết bị hoặc mạng gửi được ba đề nghị trong một giờ. Hãy gửi lại sau, hoặc nói với thầy cô.";

    // The page after it: the same for every name.
    portal_review_thanks() "Thank you" => "Cảm ơn bạn";
    portal_review_thanks_text()
        "Where the site is blocked and the school may open it, your request is on the list now. Some groups of sites nobody at the school can open; they stay blocked."
        => "Nếu trang đang bị chặn và nhà trường được phép mở, đề nghị của bạn đã có trong danh sách. Có những nhóm trang mà nhà trường không thể mở; các trang đó vẫn bị chặn.";
    portal_review_code() "If you ask about it, say this code with the name of the site:"
        => "Khi hỏi lại, hãy đọc mã này cùng với tên trang:";
    portal_review_urgent() "Do you need it for this lesson? Tell your teacher; a teacher can open a site for the room."
        => "Cần ngay cho tiết học này? Hãy nói với thầy cô; thầy cô có thể mở trang cho cả phòng.";
    portal_review_not_kept()
        "The gateway cannot save the list at the moment. If it is restarted your request may be lost; please tell a teacher as well."
        => "Thiết bị hiện không lưu được danh sách. Nếu khởi động lại, đề nghị có thể bị mất; hãy nói thêm với thầy cô.";
}
