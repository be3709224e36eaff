//! Codes of teachers, the PIN, and what keeps somebody out.

use crate::lang::message::messages;

messages! {
    staff_no_one() "say a name, of at most 60 characters: the ledger keeps it"
        => "hãy ghi tên, tối đa 60 ký tự: sổ thay đổi sẽ lưu lại";
    code_time() "a code is for one day, within the next 60 days, and not over yet"
        => "mỗi mã dùng cho một ngày, trong 60 ngày tới và chưa hết hạn";
    code_count(most) "1 to {most} codes are issued at one time" => "mỗi lần cấp từ 1 đến {most} mã";
    too_many_codes(most) "there are {most} codes already; revoke some with `lachan code revoke`"
        => "đã có {most} mã; hãy thu hồi bớt bằng `lachan code revoke`";
    no_code(id) "there is no code {id}; `lachan code list` shows them"
        => "không có mã số {id}; xem bằng `lachan code list`";
    weak_pin()
        "a PIN has 6 to 12 digits, neither all the same nor in a row such as 123456"
        => "PIN có từ 6 đến 12 chữ số, không phải một số lặp lại hay dãy liền như 123456";
    code_mistyped() "a character is wrong or missing: compare the code with the paper"
        => "có ký tự sai hoặc thiếu: hãy so lại mã với tờ giấy";
    login_wrong() "that is not right, or not valid any more" => "không đúng, hoặc không còn hiệu lực";
    code_used() "this code was used: each code is good once; ask the technician for another one"
        => "mã này đã dùng: mỗi mã chỉ dùng một lần; hãy xin người phụ trách kỹ thuật mã khác";
    code_not_now() "this code is for another day or hour" => "mã này dành cho ngày hoặc giờ khác";
    login_wait(minutes) "too many tries from this device: wait {minutes} min"
        => "thiết bị này đã thử quá nhiều lần: hãy đợi {minutes} phút";
    login_busy() "others are logging in at this moment: try again in some seconds"
        => "đang có nhiều người đăng nhập: hãy thử lại sau vài giây";
    login_not_staff() "this way in works on the staff network only"
        => "cách đăng nhập này chỉ dùng được từ mạng của cán bộ, giáo viên";
    no_pin() "no PIN is set; the technician sets it with `lachan code pin`"
        => "chưa đặt PIN; người phụ trách kỹ thuật đặt bằng `lachan code pin`";
    login_clock() "the clock of the gateway is wrong, so no day is known; tell the technician"
        => "đồng hồ của máy lọc sai nên không biết ngày nào; hãy báo người phụ trách kỹ thuật";
    login_disk() "it cannot be recorded: the disk of the gateway is full or broken; tell the technician"
        => "không ghi lại được: đĩa của máy lọc đầy hoặc hỏng; hãy báo người phụ trách kỹ thuật";

    // What the command line shows.
    code_issued(code, id, room, from, until)
        "{code}   number {id}, room {room}, {from} to {until}"
        => "{code}   số {id}, phòng {room}, {from} đến {until}";
    code_issued_note()
        "each code is good once, and is shown now only; hand it out on paper"
        => "mỗi mã dùng một lần và chỉ hiện lúc này; hãy phát trên giấy";
    code_not_kept()
        "it is kept nowhere: without a state directory a restart ends it"
        => "không lưu được: khi không có thư mục trạng thái thì khởi động lại sẽ mất mã";
    code_line(id, room, from, until, by, state)
        "{id}  {room}  {from} to {until}  {by}  {state}" => "{id}  {room}  {from} đến {until}  {by}  {state}";
    code_is_open() "not used" => "chưa dùng";
    code_is_used(at) "used at {at}" => "đã dùng lúc {at}";
    no_codes() "no code is open" => "không có mã nào";
    pin_is_set() "a PIN is set" => "đã đặt PIN";
    pin_is_not_set() "no PIN is set" => "chưa đặt PIN";
    code_revoked(id) "code {id} is revoked, and who used it is logged out"
        => "đã thu hồi mã {id}; người đã dùng mã này bị đăng xuất";
}
