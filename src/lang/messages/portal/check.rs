//! The self-check: whether this device uses the school's filter.

use crate::lang::message::messages;

messages! {
    check_menu() "Check this device" => "Kiểm tra thiết bị này";
    check_about()
        "This page looks whether the filter of the school holds for this device and this browser. Nothing of it is kept."
        => "Trang này xem bộ lọc của trường có tác dụng với thiết bị và trình duyệt này không. Không lưu lại kết quả.";
    check_dns_title() "Does this browser use the school's DNS?"
        => "Trình duyệt này có dùng DNS của trường không?";
    check_dns_open() "Open the test page" => "Mở trang thử";
    check_dns_how()
        "If the test page opens and says “yes”, it does. If the browser shows an error, it asks somebody else: look for a private DNS, a secure DNS (DoH) setting or a VPN, and tell the technician."
        => "Nếu trang thử mở và ghi “có” thì đúng là có. Nếu trình duyệt báo lỗi, thiết bị đang hỏi nơi khác: hãy tìm mục DNS riêng tư, DNS an toàn (DoH) hoặc VPN, và báo cán bộ kỹ thuật.";
    check_yes_title() "Yes: this browser uses the school's DNS"
        => "Có: trình duyệt này dùng DNS của trường";
    check_yes_text() "Open it again to be sure: a device with two servers uses now one and now the other."
        => "Hãy mở lại vài lần cho chắc: thiết bị có hai máy chủ DNS lúc dùng máy này, lúc dùng máy kia.";
    check_code() "Result to read out" => "Mã kết quả để đọc cho kỹ thuật viên";

    // With JavaScript.
    check_running() "Checking…" => "Đang kiểm tra…";
    check_all() "Yes: every test name was answered by the school's gateway."
        => "Có: mọi tên thử đều do thiết bị của trường trả lời.";
    check_none()
        "No: no test name was answered by the school's gateway. The browser or the device asks somebody else."
        => "Không: không tên thử nào do thiết bị của trường trả lời. Trình duyệt hoặc thiết bị đang hỏi nơi khác.";
    check_some()
        "In part: some test names were answered elsewhere. The device has a second DNS server; remove it."
        => "Một phần: vài tên thử được trả lời ở nơi khác. Thiết bị có máy chủ DNS thứ hai; hãy bỏ đi.";

    // Addresses.
    check_way_title() "How this device reaches the gateway" => "Thiết bị này tới cổng lọc bằng cách nào";
    check_address() "Address of this device" => "Địa chỉ của thiết bị này";
    check_group() "Group" => "Nhóm";
    check_staff() "Network of staff" => "Mạng của giáo viên";
    check_v4() "By IPv4" => "Qua IPv4";
    check_v6() "By IPv6" => "Qua IPv6";
    check_reached() "reached" => "tới được";
    check_not_reached() "not reached" => "không tới được";
    check_not_set() "the gateway has none here" => "cổng lọc không có ở đây";
    check_unknown() "not tried" => "chưa thử";
    yes() "yes" => "có";
    no() "no" => "không";

    // Categories.
    check_groups_title() "What the filter does with a test name of each kind"
        => "Bộ lọc xử lý tên thử của từng nhóm nội dung";
    check_groups_kind() "Kind" => "Nhóm nội dung";
    check_groups_name() "Test name" => "Tên thử";
    check_groups_verdict() "Here, now" => "Tại đây, lúc này";
    check_groups_blocked() "blocked" => "bị chặn";
    check_groups_open() "open" => "mở";
}
