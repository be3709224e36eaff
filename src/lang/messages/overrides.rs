//! Overrides: why one is refused, and what may be done.

use crate::lang::message::messages;

messages! {
    // What is asked for.
    override_no_group(given, known) "there is no group `{given}`; there are {known}"
        => "không có nhóm `{given}`; các nhóm hiện có: {known}";
    override_no_kind(given) "`{given}` is neither `lesson` nor `exam`"
        => "`{given}` không phải là `lesson` (tiết học) hay `exam` (thi)";
    override_length(most) "an override lasts from 1 minute to {most} hours"
        => "thời gian phải từ 1 phút đến {most} giờ";
    allow_length(most) "an allow lasts from 1 minute to {most} days; what stays longer belongs in the config"
        => "thời gian mở phải từ 1 phút đến {most} ngày; muốn mở lâu hơn hãy ghi vào tệp cấu hình";
    no_reason() "say why, in at most 300 characters: the ledger keeps it"
        => "hãy ghi lý do (không quá 300 ký tự): sổ thay đổi sẽ lưu lại";
    override_by_nobody() "say who sets it, with `--by NAME`: the ledger keeps it"
        => "hãy ghi tên người thực hiện bằng `--by TÊN`: sổ thay đổi sẽ lưu lại";
    lesson_of_nothing()
        "say what the lesson needs: `--allow NAME`, `--allow service:ID`, `--allow category:ID` or `--allow bundle:NAME`; `--deny NAME` closes one"
        => "hãy ghi nội dung tiết học cần mở: `--allow TÊN_MIỀN`, `--allow service:MÃ`, `--allow category:MÃ` hoặc `--allow bundle:TÊN`; `--deny TÊN_MIỀN` để cấm";
    exam_of_nothing() "say the only names of the exam, with `--only NAME`"
        => "hãy ghi các tên miền duy nhất được dùng khi thi bằng `--only TÊN_MIỀN`";
    exam_of_categories()
        "an exam lets single names through, not categories; name them, a `service:ID` or a `bundle:NAME`"
        => "khi thi chỉ mở từng tên miền, không mở cả nhóm nội dung; hãy ghi tên miền, `service:MÃ` hoặc `bundle:TÊN`";
    exam_denies() "an exam lets nothing through but its names, so there is nothing to deny"
        => "khi thi chỉ các tên miền đã ghi được mở nên không cần cấm thêm";
    deny_of_categories()
        "a lesson denies single names, not categories; name them, a `service:ID` or a `bundle:NAME`"
        => "tiết học chỉ cấm từng tên miền, không cấm cả nhóm nội dung; hãy ghi tên miền, `service:MÃ` hoặc `bundle:TÊN`";
    override_no_category(given, known) "there is no category `{given}`; there are {known}"
        => "không có nhóm nội dung `{given}`; hiện có: {known}";
    override_no_word(kind, given, known) "there is no {kind} `{given}`; there are {known}"
        => "không có {kind} `{given}`; hiện có: {known}";
    override_no_word_but(kind, given, meant) "there is no {kind} `{given}`; did you mean `{meant}`?"
        => "không có {kind} `{given}`; có phải ý bạn là `{meant}`?";
    // Vietnamese leaves the reason out, which is English: none of its characters is shown.
    override_no_name(given, reason) "`{given}` is no name: {reason}"
        => "`{given}` không phải là tên miền{reason:.0}";
    override_public_suffix(given)
        "`{given}` is no site: everybody registers names under it; write the whole name, such as `school.{given}`"
        => "`{given}` không phải là một trang: ai cũng đăng ký tên dưới đó; hãy viết đủ tên, như `school.{given}`";

    // What is locked.
    override_locked(category, lock, remedy) "`{category}` stays blocked: {lock}; {remedy}"
        => "`{category}` vẫn bị chặn: {lock}; {remedy}";
    override_locked_for_everyone() "it is locked for everyone" => "nhóm này bị khóa với mọi người";
    nobody_can_open_it() "nobody at a school can open it" => "nhà trường không thể mở";
    override_locked_for_pupils() "it is locked for pupils" => "nhóm này bị khóa với học sinh";
    single_names_can_be_allowed() "single names that no locked list has can be allowed"
        => "có thể mở từng tên miền không nằm trong danh sách bị khóa";
    override_department_locks(department) "{department} locks it" => "{department} đã khóa";
    override_department_locks_because(department, reason) "{department} locks it ({reason})"
        => "{department} đã khóa ({reason})";
    ask_the_department() "ask the department" => "hãy đề nghị cơ quan quản lý";
    ask_the_department_at(contact) "ask the department: {contact}"
        => "hãy đề nghị cơ quan quản lý: {contact}";
    override_listed_name(name, category)
        "`{name}` stays blocked: it is listed in the locked category `{category}`; if the list is wrong, ask the department to take it off"
        => "`{name}` vẫn bị chặn: tên này nằm trong nhóm bị khóa `{category}`; nếu danh sách sai, hãy đề nghị cơ quan quản lý gỡ ra";
    override_locked_name(name) "`{name}` stays blocked: it is locked"
        => "`{name}` vẫn bị chặn: tên này bị khóa";
    override_denied_name(name, department)
        "`{name}` stays blocked: {department} denies it, and only it can open it"
        => "`{name}` vẫn bị chặn: {department} đã cấm tên này và chỉ cơ quan đó mới mở được";

    // What does not fit.
    too_many_overrides(most)
        "there are {most} overrides already; end one with `lachan override end`"
        => "đã có {most} thay đổi tạm thời; hãy kết thúc bớt bằng `lachan override end`";
    too_many_allows(most) "there are {most} allows already; revoke one with `lachan review revoke`"
        => "đã có {most} tên miền được mở; hãy thu hồi bớt bằng `lachan review revoke`";
    too_many_names(most) "an override has at most {most} names"
        => "mỗi lần chỉ được tối đa {most} tên miền";
    clock_untrusted()
        "the clock is not to be trusted, so nobody knows when it would end; set the clock first"
        => "đồng hồ chưa đáng tin cậy nên không biết khi nào hết giờ; hãy chỉnh đồng hồ trước";
    no_override(id) "there is no override {id}; `lachan override list` shows them"
        => "không có thay đổi tạm thời số {id}; xem bằng `lachan override list`";
}
