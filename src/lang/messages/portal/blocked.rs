//! The block page and the page that tells whether a name is blocked.

use crate::lang::message::messages;

messages! {
    // The block page, by age.
    block_title_young() "This page is not right for you yet" => "Trang này chưa phù hợp với em";
    block_young_calm()
        "You did nothing wrong. The school keeps this page closed to keep you safe."
        => "Em không làm gì sai cả. Nhà trường tạm khóa trang này để giữ an toàn cho em.";
    block_young_go_back() "Go back, or ask your teacher for help."
        => "Em hãy quay lại, hoặc nhờ thầy cô giúp nhé.";
    block_young_tell()
        "If something on the internet frightened you or made you sad, tell your teacher or your parents."
        => "Nếu có điều gì trên mạng làm em sợ hay buồn, em hãy kể với thầy cô, bố mẹ.";
    block_title() "This site does not open on the school's network"
        => "Trang này không mở được trên mạng của trường";
    block_why_schools()
        "Schools close some kinds of sites to protect pupils. It is automatic, by the site's name; no one's name is recorded."
        => "Nhà trường đóng một số nhóm trang để bảo vệ học sinh. Việc chặn là tự động theo tên miền; không ai bị ghi tên.";
    block_care() "If you are sad or do not feel safe, you are not alone. Somebody listens."
        => "Nếu em đang buồn hoặc thấy không an toàn, em không đơn độc. Luôn có người lắng nghe em.";
    block_care_adult() "If you are sad or do not feel safe, you are not alone. Somebody listens."
        => "Nếu bạn đang buồn hoặc thấy không an toàn, bạn không đơn độc. Luôn có người lắng nghe bạn.";
    help_title() "To talk to somebody" => "Cần người lắng nghe";
    reference_code() "Code of this page" => "Mã của trang này";
    reference_about() "Say this code with it. It is random and says nothing about you."
        => "Khi hỏi hãy kèm mã này. Mã là ngẫu nhiên, không chứa thông tin về em.";

    // Reasons.
    reason_category(category) "Why: it is in the group “{category}”."
        => "Lý do: thuộc nhóm “{category}”.";
    reason_exam() "Why: an exam is running, and only the sites of the exam open."
        => "Lý do: đang trong giờ thi, chỉ mở các trang dùng cho bài thi.";
    reason_lesson() "Why: the teacher has closed it for this lesson."
        => "Lý do: thầy cô tạm đóng trang này trong tiết học.";
    reason_only_allowed() "Why: only sites that the school has chosen open here now."
        => "Lý do: lúc này chỉ mở các trang nhà trường đã chọn.";
    reason_closed()
        "Why: a part of the filter is missing, and until it is back only well-known sites open."
        => "Lý do: bộ lọc đang thiếu một phần; chờ khôi phục, chỉ các trang quen thuộc mở được.";
    reason_bare() "The filter does not open this site." => "Bộ lọc không mở trang này.";

    // What can be done.
    do_title() "What you can do" => "Em có thể làm gì";
    do_title_adult() "What you can do" => "Bạn có thể làm gì";
    do_ask(contact) "If you need it for class, tell {contact}."
        => "Nếu cần trang này để học, hãy nói với {contact}.";
    school_staff() "your teacher" => "thầy cô phụ trách";
    do_wait_exam() "It opens again when the exam has ended." => "Trang sẽ mở lại khi hết giờ thi.";
    do_wait_lesson() "It opens again when the lesson has ended."
        => "Trang sẽ mở lại khi hết tiết học.";
    do_wait_mended() "Try again later." => "Hãy thử lại sau.";
    do_review() "Ask for this site" => "Đề nghị mở trang này";
    do_look_up() "See why it is blocked" => "Xem vì sao trang bị chặn";

    // The page.
    blocked_menu() "Is this site blocked?" => "Trang này có bị chặn không?";
    blocked_about()
        "Type the name of a site. The answer is for the group of this device, as it is now."
        => "Gõ tên trang web. Kết quả dành cho nhóm của thiết bị này, tại thời điểm này.";
    blocked_name() "Name of the site" => "Tên trang web";
    blocked_example() "For example: example.com" => "Ví dụ: example.com";
    blocked_look() "Look it up" => "Kiểm tra";
    blocked_no_name()
        "That is no name of a site. Write it as in the address bar, such as example.com."
        => "Đó không phải là tên trang web. Hãy ghi như trên thanh địa chỉ, ví dụ example.com.";
    blocked_is_blocked() "Blocked" => "Bị chặn";
    blocked_is_open() "Not blocked" => "Không bị chặn";
    blocked_is_safe() "Not blocked; it opens in its safe version"
        => "Không bị chặn; trang mở ở chế độ an toàn";
    blocked_is_own() "This name is answered by the school's gateway itself"
        => "Tên này do chính thiết bị mạng của trường trả lời";
    blocked_as_written() "In letters of the network" => "Dạng mã trên mạng";
    blocked_group_of_site() "Group of content" => "Nhóm nội dung";
    blocked_rule() "Listed as" => "Có trong danh sách dưới tên";
    blocked_list() "List" => "Danh sách";
    blocked_device_group() "Group of this device" => "Nhóm của thiết bị này";
    blocked_open_help()
        "If the site still does not open: reload it, try another browser, or look whether the network itself works. A site may also need other names that are blocked."
        => "Nếu trang vẫn không mở: hãy tải lại, thử trình duyệt khác, hoặc xem mạng có hoạt động không. Một trang cũng có thể cần tên miền khác đang bị chặn.";
    blocked_https_title() "Why the browser shows an error" => "Vì sao trình duyệt báo lỗi";
    blocked_https()
        "Most sites use https. For a blocked one the browser then shows an error of its own and not our page: the filter sees names only, opens nothing that is encrypted, and puts no certificate on your device."
        => "Hầu hết các trang dùng https. Khi trang bị chặn, trình duyệt hiện lỗi của nó chứ không hiện trang của chúng tôi: bộ lọc chỉ thấy tên miền, không mở nội dung đã mã hóa và không cài chứng chỉ nào lên thiết bị của bạn.";
}
