//! Enrolment with a department, and backups of a box.

use crate::lang::message::messages;

messages! {
    enrol_unreadable(path, why) "{path}: not an enrolment: {why}"
        => "{path}: không phải tệp ghi danh: {why}";
    enrol_no_fingerprint(text) "`{text}` is no fingerprint: it has 64 digits and letters a to f"
        => "`{text}` không phải dấu vân tay: cần 64 ký tự 0-9 và a-f";
    enrol_wrong_root(wanted, found)
        "refused: the root has the fingerprint {found}, not {wanted}; ask the department, and enrol with nothing that came another way"
        => "từ chối: khoá gốc có dấu vân tay {found}, không phải {wanted}; hãy hỏi lại Sở, đừng ghi danh bằng tệp từ nguồn khác";
    enrol_bad_root(why) "refused: the root is not signed by its own keys: {why}"
        => "từ chối: khoá gốc không được chính các khoá của nó ký: {why}";
    enrol_no_state() "a box is enrolled in its state directory; name one with `dir` in [state]"
        => "thông tin ghi danh nằm trong thư mục trạng thái; hãy đặt `dir` trong [state]";
    enrol_other_school(wanted, found)
        "the enrolment is for the school `{wanted}`, and `id` in [school] is `{found}`"
        => "tệp ghi danh dành cho trường `{wanted}`, còn `id` trong [school] là `{found}`";
    enrol_enrolled(school, unit, root)
        "this box is enrolled as `{unit}` of `{school}`, with the root {root}; `--anew` gives that up, and its key"
        => "hộp này đã ghi danh là `{unit}` của `{school}`, với khoá gốc {root}; `--anew` bỏ ghi danh cũ và khoá của nó";
    enrol_in_use(root)
        "releases of the root {root} are in use here: a department hands over by changing its root, not by a new enrolment; to leave it, remove `releases` in the state directory, and all that it blocks is open until the first update"
        => "ở đây đang dùng bản phát hành của khoá gốc {root}: Sở chuyển giao bằng cách đổi khoá gốc, không phải ghi danh mới; muốn bỏ, hãy xoá `releases` trong thư mục trạng thái, và mọi thứ nó chặn sẽ mở cho đến lần cập nhật đầu tiên";
    enrol_failed(why) "not enrolled: {why}" => "chưa ghi danh: {why}";
    enrol_done(unit, school, root) "enrolled: `{unit}` of `{school}`, root {root}"
        => "đã ghi danh: `{unit}` của `{school}`, khoá gốc {root}";
    enrol_unconfirmed()
        "the root was compared with nothing: compare it with the department's letter, or enrol with --fingerprint"
        => "khoá gốc chưa được đối chiếu: hãy so với công văn của Sở, hoặc ghi danh với --fingerprint";
    enrol_reply(path) "send this reply to the department: {path}" => "gửi thư trả lời này cho Sở: {path}";
    enrol_config(path) "in {path}:" => "trong {path}:";
    enrol_untrusted(why)
        "`lachan upgrade` does not trust this root yet: {why}"
        => "`lachan upgrade` chưa tin khóa gốc này: {why}";
    enrol_no_reply(flag)
        "the box is enrolled: run this again with `{flag}` for its reply"
        => "hộp đã ghi danh: hãy chạy lại với `{flag}` để có thư trả lời";
    backup_done(path, count) "{path}: a backup of {count} files; it has the keys of this box, keep it as one keeps a key"
        => "{path}: bản sao lưu {count} tệp; trong đó có các khoá của hộp này, hãy giữ nó như giữ chìa khoá";
    backup_there(path) "{path}: there is a file of this name already, perhaps an older backup; give a new name, or delete it first"
        => "{path}: đã có tệp mang tên này, có thể là bản sao lưu cũ; hãy đặt tên khác, hoặc xoá tệp ấy trước";
    backup_without(path) "not in it: {path} (no file below the directory of the config)"
        => "không có trong đó: {path} (không phải tệp nằm dưới thư mục cấu hình)";
    restore_other_school(found, here)
        "the backup is of the school `{found}`, and this box is of `{here}`; `--other-school` makes it the other one's"
        => "bản sao lưu của trường `{found}`, còn hộp này của `{here}`; `--other-school` để đổi sang trường kia";
    restore_there(path) "{path}: a config is there; `--replace` takes its place"
        => "{path}: đã có cấu hình; `--replace` để thay thế";
    restore_no_state() "the config has no state directory: overrides and enrolment are not restored"
        => "cấu hình không có thư mục trạng thái: chưa khôi phục ngoại lệ và ghi danh";
    restore_key(path) "{path}: a private key, for its owner and the group of the state directory"
        => "{path}: khoá riêng, chỉ chủ sở hữu và nhóm của thư mục trạng thái đọc được";
    restore_beside(address)
        "a gateway runs ({address}), and would write over what is restored; nothing is changed. Stop it first: `systemctl stop lachan`"
        => "cổng lọc đang chạy ({address}) và sẽ ghi đè những gì được khôi phục nên chưa có gì thay đổi. Hãy dừng nó trước: `systemctl stop lachan`";
    restore_kept_ledger()
        "the change ledger of this box has more than the backup: it stays, and lessons, exams, codes, tokens and reviews are as this box has them"
        => "sổ thay đổi của hộp này có nhiều hơn bản sao lưu nên được giữ nguyên; tiết học, kỳ thi, mã, token và yêu cầu xem lại vẫn như hộp này đang có";
    restore_kept_evidence() "what this box has counted since the backup stays"
        => "giữ nguyên những gì hộp này đã đếm từ sau bản sao lưu";
    restore_aside(path) "{path}: what was there is not in the backup; it is set aside beside it, as `.broken`"
        => "{path}: nội dung cũ không có trong bản sao lưu nên được để riêng bên cạnh, với đuôi `.broken`";
    restore_kept_mark() "what this box has seen of releases stays: it is never lowered"
        => "giữ nguyên những gì hộp này đã thấy về các bản phát hành: không bao giờ hạ thấp";
    restore_done(school, count) "restored: {count} files of `{school}`"
        => "đã khôi phục: {count} tệp của `{school}`";
}
