//! The self-test.

use crate::lang::message::messages;

messages! {
    selftest_title() "Self-test of the filter" => "Biên bản tự kiểm tra hệ thống lọc";
    selftest_school(name, id) "School: {name} ({id})" => "Trường: {name} ({id})";
    selftest_time(at) "Time: {at}" => "Thời điểm: {at}";
    selftest_release(release, version) "Release of the department: {release}; program {version}"
        => "Bản phát hành của Sở: {release}; phần mềm {version}";
    selftest_sums(passed, failed, unknown) "Passed {passed}, failed {failed}, unknown {unknown}"
        => "Đạt {passed}, không đạt {failed}, chưa rõ {unknown}";
    selftest_what()
        "The gateway asked itself through its own DNS addresses, encrypted ones too. A row is unknown where no server upstream answers, or the lists have no name to ask for."
        => "Máy lọc tự hỏi qua chính các địa chỉ DNS của mình, kể cả địa chỉ có mã hóa. Dòng chưa rõ là khi không máy chủ nào ở ngoài trả lời, hoặc danh sách không có tên thử.";
    selftest_result() "Result" => "Kết quả";
    selftest_group() "Group" => "Nhóm máy";
    selftest_kind() "About" => "Nội dung";
    selftest_name() "Name asked for" => "Tên được hỏi";
    selftest_way() "Address" => "Địa chỉ";
    selftest_expected() "Must be" => "Phải là";
    selftest_found() "Is" => "Thực tế";
    selftest_passed() "passed" => "đạt";
    selftest_failed() "FAILED" => "KHÔNG ĐẠT";
    selftest_unknown() "unknown" => "chưa rõ";
    selftest_listener() "listen address" => "địa chỉ lắng nghe";
    selftest_category() "category" => "nhóm nội dung";
    selftest_safe_search() "safe search" => "tìm kiếm an toàn";
    selftest_canary() "way round" => "đường vòng";
    selftest_essential() "essential name" => "tên thiết yếu";
    selftest_blocked() "blocked" => "bị chặn";
    selftest_closed() "all blocked, a list is missing" => "chặn tất cả vì thiếu danh sách";
    selftest_open() "open" => "mở";
    selftest_safe() "safe mode" => "chế độ an toàn";
    selftest_negative() "does not exist" => "không tồn tại";
    selftest_local() "answered here" => "máy lọc tự trả lời";
    selftest_unresolved() "no server answers" => "không máy chủ nào trả lời";
    selftest_refused() "refused" => "bị từ chối";
    selftest_silent() "no answer" => "không có trả lời";
    selftest_absent() "address not there" => "không có địa chỉ này";
    selftest_no_list() "no list" => "không có danh sách";
    selftest_no_test_name() "no test name in the list" => "danh sách không có tên thử";
    selftest_list() "list" => "danh sách";
    selftest_freshness() "date of the lists" => "ngày của danh sách";
    selftest_stale() "older than two weeks" => "cũ hơn hai tuần";
    selftest_no_certificate() "no certificate that can be used" => "không có chứng chỉ dùng được";
    selftest_certificate_dates() "certificate expired or not valid yet" => "chứng chỉ hết hạn hoặc chưa có hiệu lực";
    selftest_certificate_name() "certificate not for this name" => "chứng chỉ không dành cho tên này";
    selftest_certificate_refused() "a certificate that devices refuse" => "chứng chỉ mà thiết bị từ chối";
    selftest_no_message() "an answer that is not DNS" => "trả lời không phải là DNS";
    selftest_in_force() "in force" => "đang có hiệu lực";
    selftest_held() "an earlier copy: the file cannot be used" => "bản lưu trước đó: tệp hiện không dùng được";
    selftest_not_in_force() "NOT in force" => "KHÔNG có hiệu lực";
    selftest_empty() "empty" => "trống";
    selftest_sign_name() "Full name" => "Họ và tên";
    selftest_sign_date() "Date" => "Ngày";
    selftest_sign() "Signature" => "Ký tên";
    selftest_never() "No self-test has run yet: it runs a minute after the start, or with `lachan selftest`."
        => "Chưa có lần tự kiểm tra nào: máy tự chạy một phút sau khi khởi động, hoặc khi gõ `lachan selftest`.";
    selftest_off_or_time(key, text) "`{key}` is a time such as \"5m\", at least \"1m\", or \"off\", not `{text}`"
        => "`{key}` là một khoảng thời gian như \"5m\", ít nhất \"1m\", hoặc \"off\", không phải `{text}`";
    finding_self_test(count) "the self-test failed in {count} rows" => "tự kiểm tra không đạt ở {count} dòng";
    remedy_self_test()
        "see the rows with `lachan selftest`: a list that is missing, a listener that is silent, a certificate that devices refuse, or a server upstream that filters"
        => "xem từng dòng bằng `lachan selftest`: thiếu danh sách, địa chỉ lắng nghe không trả lời, chứng chỉ bị thiết bị từ chối, hoặc máy chủ ngoài tự lọc";
}
