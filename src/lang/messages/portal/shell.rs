//! The frame of every page of the portal, the first page, and pages of refusals.

use crate::lang::message::messages;

messages! {
    portal_brand() "Lá Chắn – the school's filter" => "Lá Chắn – bộ lọc của nhà trường";
    portal_skip() "Skip to the content" => "Tới phần nội dung";
    portal_menu() "Pages" => "Các trang";
    portal_other_language() "Tiếng Việt" => "English";
    portal_nothing_kept() "Nobody keeps who visits or who asks what. What staff change is kept with their name."
        => "Không lưu ai đã vào xem hay đã hỏi gì. Chỉ thay đổi do cán bộ, giáo viên thực hiện được ghi kèm tên.";

    // The first page.
    portal_home() "Home" => "Trang đầu";
    menu_blocked() "Blocked?" => "Chặn hay mở?";
    menu_review() "Ask" => "Đề nghị mở";
    menu_check() "Check" => "Kiểm tra máy";
    menu_staff() "Staff" => "Thầy cô";
    portal_home_title() "What would you like to do?" => "Bạn muốn làm gì?";
    portal_home_about()
        "This page belongs to the gateway of your school. It can tell why a site does not open."
        => "Trang này thuộc thiết bị mạng của nhà trường. Ở đây có thể xem vì sao một trang web không mở được.";

    // Refusals.
    portal_back_home() "To the first page" => "Về trang đầu";
    portal_not_found() "There is no such page" => "Không có trang này";
    portal_not_found_text() "The address may be misspelt." => "Có thể địa chỉ bị gõ sai.";
    portal_no_method() "That cannot be done here" => "Không thể làm việc này ở đây";
    portal_no_method_text() "Open the page again and use its buttons."
        => "Hãy mở lại trang và dùng các nút trên trang.";
    portal_not_here() "This page is for the school's network only"
        => "Trang này chỉ dùng trong mạng của nhà trường";
    portal_not_here_text() "Your device is not on a network that this gateway serves."
        => "Thiết bị của bạn không thuộc mạng mà bộ lọc này phục vụ.";
    portal_no_host() "This server has no such site" => "Máy chủ này không có trang đó";
    portal_no_host_text()
        "The name that was asked for is not this server's. If a site does not open, reload it, or open it later."
        => "Tên được hỏi không phải của máy chủ này. Nếu một trang không mở được, hãy tải lại, hoặc mở lại sau.";
    portal_bad_request() "The request cannot be understood" => "Không hiểu được yêu cầu này";
    portal_bad_request_text() "Open the page again and fill the form in anew."
        => "Hãy mở lại trang và điền lại.";
    portal_from_elsewhere() "This came from another page" => "Yêu cầu này đến từ một trang khác";
    portal_from_elsewhere_text()
        "Nothing was changed. Open the page here and send the form again."
        => "Chưa có gì thay đổi. Hãy mở trang ngay tại đây rồi gửi lại.";
    portal_too_long() "That is too long" => "Nội dung quá dài";
    portal_too_long_text() "Write less, and send it again." => "Hãy viết ngắn hơn rồi gửi lại.";
    portal_is_off() "The portal is switched off" => "Cổng thông tin đang tắt";
    portal_is_off_text() "Ask the school's technician." => "Hãy hỏi cán bộ kỹ thuật của trường.";
}
