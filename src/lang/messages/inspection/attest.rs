//! The attestation.

use crate::lang::message::messages;

messages! {
    attest_title() "Attestation of filtering" => "Bản xác nhận lọc nội dung";
    attest_what()
        "This page proves which gateway said it, and that nothing was changed since. It does not prove that nobody with full access to the gateway made it say something untrue."
        => "Trang này chứng minh máy lọc nào đã nêu các số liệu và không ai sửa kể từ đó. Trang không chứng minh được rằng người có toàn quyền trên máy đã không khiến máy nói sai.";
    attest_month(month, name, id) "{month}: {name} ({id})" => "{month}: {name} ({id})";
    attest_not_over() "The month is not over: the numbers still change."
        => "Tháng chưa kết thúc: số liệu còn thay đổi.";
    attest_signed(unit) "Signed with the key of the box {unit}:" => "Ký bằng khoá của máy {unit}:";
    attest_unsigned() "NOT SIGNED: this gateway is not enrolled at a department, so nobody can verify the page."
        => "CHƯA KÝ: máy này chưa ghi danh với Sở nên không ai kiểm chứng được trang này.";
    attest_time() "Time" => "Thời gian";
    attest_state() "State" => "Tình trạng";
    attest_minutes() "Minutes" => "Số phút";
    attest_enforced() "Filtering was enforced" => "Có lọc đầy đủ";
    attest_gap_uplink() "no server upstream answered" => "không máy chủ nào ở ngoài trả lời";
    attest_gap_power() "no power, or the machine was shut down" => "mất điện hoặc máy bị tắt";
    attest_gap_stopped() "stopped by hand" => "bị dừng bằng tay";
    attest_gap_program() "the program ended by itself" => "phần mềm tự dừng";
    attest_gap_clock() "the clock was not trusted" => "đồng hồ không tin cậy";
    attest_gap_config() "the config could not be used" => "cấu hình không dùng được";
    attest_gap_lists() "lists were missing or too old" => "danh sách thiếu hoặc quá cũ";
    attest_gaps() "Times without enforcement" => "Các khoảng không lọc đầy đủ";
    attest_from() "From" => "Từ";
    attest_to() "To" => "Đến";
    attest_cause() "Cause" => "Nguyên nhân";
    attest_more(count) "{count} more" => "còn {count}";
    attest_tests(runs, failed) "Self-tests: {runs}, of these with a failed row: {failed}"
        => "Số lần tự kiểm tra: {runs}, trong đó có dòng không đạt: {failed}";
    attest_row() "Question" => "Câu hỏi";
    attest_asked() "Asked" => "Số lần hỏi";
    attest_right() "As it must be" => "Đúng";
    attest_reason() "Reason" => "Lý do";
    attest_facts() "Other facts" => "Thông tin khác";
    attest_releases() "Releases in use, from" => "Bản phát hành đã dùng, từ";
    attest_reviews() "Requests to open a name: allowed / received"
        => "Đề nghị mở tên: được mở / đã nhận";
    attest_orders() "Orders of an authority carried out" => "Yêu cầu của cơ quan có thẩm quyền đã thực hiện";
    attest_config() "Digest of the config (BLAKE3)" => "Mã băm cấu hình (BLAKE3)";
    attest_version() "Version of the program" => "Phiên bản phần mềm";
    attest_made() "Made at" => "Lập lúc";
    attest_before() "Digest of the sealed month before (SHA-256)" => "Mã băm tháng trước đã niêm phong (SHA-256)";
    attest_digest() "Digest of this document (SHA-256)" => "Mã băm tài liệu này (SHA-256)";
    attest_no_period(text) "`{text}` is no month such as 2026-11 and no year such as 2026"
        => "`{text}` không phải tháng như 2026-11 hay năm như 2026";
    attest_no_record(period) "there is no record of {period}" => "không có số liệu của {period}";
    attest_no_state() "there is no state directory: give `dir` in [state]"
        => "không có thư mục trạng thái: hãy ghi `dir` trong [state]";
    attest_changed(month) "the record of {month} is another one than when the month was sealed; the sealed document is written"
        => "số liệu {month} đã khác so với lúc niêm phong; bản đã niêm phong được ghi ra";
    attest_warn_unsigned() "not signed: this gateway is not enrolled (`lachan enrol`)"
        => "chưa ký: máy chưa ghi danh (`lachan enrol`)";
    attest_left_out(months)
        "LEFT OUT: {months}. A month goes behind a sealed one only: the gateway seals it a day after its end, while it serves; what is lost of what was sealed stays lost"
        => "THIẾU: {months}. Mỗi tháng chỉ nối tiếp sau một tháng đã niêm phong: máy niêm phong một ngày sau khi hết tháng, khi đang chạy; bản niêm phong đã mất thì không lấy lại được";
    attest_begins_later(month)
        "an earlier sealed month of this year is not in it: it begins with {month}"
        => "còn một tháng đã niêm phong trước đó trong năm không có ở đây: tệp bắt đầu từ {month}";
    attest_wrote(path) "wrote {path}" => "đã ghi {path}";
    attest_valid(file, month, school, unit) "{file}: {month} of {school}, signed by box {unit}"
        => "{file}: {month} của {school}, máy {unit} ký";
    attest_valid_running() "the month was not over" => "tháng chưa kết thúc";
    attest_too_long(most) "longer than {most} octets: no box writes such a file"
        => "dài hơn {most} byte: không máy nào ghi tệp như vậy";
    attest_malformed(why) "malformed, so it was changed or cut: {why}; ask the school for the file again"
        => "sai cấu trúc nên đã bị sửa hoặc bị cắt: {why}; hãy xin lại tệp của trường";
    attest_not_canonical() "not as a box writes it: something in it was changed; ask the school for the file again"
        => "không đúng như máy ghi ra: đã có chỗ bị sửa; hãy xin lại tệp của trường";
    attest_format(kind, format, known, reads)
        "kind `{kind}` of format {format}; this program reads `{known}` of format {reads}: update the older of both programs"
        => "loại `{kind}` định dạng {format}; phần mềm này đọc `{known}` định dạng {reads}: hãy cập nhật bên cũ hơn";
    attest_no_signature() "not signed: the box was not enrolled (`lachan enrol`)"
        => "chưa ký: máy chưa ghi danh (`lachan enrol`)";
    attest_unknown_key(unit, school)
        "no such key of `{unit}` of `{school}` is pinned: `lachan publish enrol pin` takes the box's reply"
        => "chưa có khóa này của máy `{unit}` trường `{school}`: `lachan publish enrol pin` nhận phản hồi của máy";
    attest_other_box(found, owner) "it says `{found}`, and the key is that of `{owner}`"
        => "tệp ghi `{found}` nhưng khóa lại của `{owner}`";
    attest_revoked(unit, school, reason)
        "the key of `{unit}` of `{school}` was revoked: {reason}; the box must be enrolled anew"
        => "khóa của máy `{unit}` trường `{school}` đã bị thu hồi: {reason}; máy phải ghi danh lại";
    attest_wrong_signature() "the signature is wrong: something in it was changed; ask the school for the file again"
        => "chữ ký sai: đã có chỗ bị sửa; hãy xin lại tệp của trường";
    attest_broken_chain(month, before)
        "{month} does not follow {before}: one of them was changed, or is another box's"
        => "{month} không nối tiếp {before}: một trong hai đã bị sửa, hoặc của máy khác";
    attest_missing_month(before, month) "between {before} and {month} a sealed month is missing"
        => "giữa {before} và {month} thiếu một tháng đã niêm phong";
    attest_other_figures(month) "the report says something else of {month} than the box attested"
        => "số liệu {month} trong báo cáo khác với điều máy đã xác nhận";
    attest_invalid(file, why) "{file}: {why}" => "{file}: {why}";
    role_not_plain(key) "`{key}` is a role in lower-case letters, digits and `_`, with the name of a person of at most 100 characters; at most 16"
        => "`{key}` là vai trò viết bằng chữ thường, số và `_`, kèm tên người không quá 100 ký tự; tối đa 16";
}
