//! Locks: what a school cannot loosen, by whose decision, and the way out.

use crate::lang::message::messages;

messages! {
    // What.
    stays_blocked(what, lock) "`{what}` cannot be let through: {lock}" => "`{what}` không thể mở: {lock}";
    listed_stays_blocked(name, category, lock)
        "`{name}` cannot be let through, for `{category}` lists it and is locked: {lock}"
        => "`{name}` không thể mở, vì thuộc nhóm `{category}` đang bị khóa: {lock}";
    department_denies(name, department, denied)
        "`{name}` cannot be let through: {department} denies `{denied}`"
        => "`{name}` không thể mở: {department} cấm `{denied}`";
    department_denies_it(name, department) "`{name}` cannot be let through: {department} denies it"
        => "`{name}` không thể mở: {department} cấm tên này";
    undisclosed_lock(key)
        "a name in `{key}` cannot be let through: a list that is not shown has it, and is locked"
        => "một tên trong `{key}` không thể mở: tên này thuộc một danh sách không công bố và bị khóa";
    safesearch_stays(engines, lock) "safe search of {engines} cannot be off: {lock}"
        => "không thể tắt tìm kiếm an toàn của {engines}: {lock}";
    mode_at_least(key, needed, found, lock)
        "`{key}` must be at least `{needed}`, not `{found}`: {lock}"
        => "`{key}` ít nhất phải là `{needed}`, không thể là `{found}`: {lock}";
    canaries_stay(canaries, lock) "canaries of {canaries} cannot be off: {lock}"
        => "không thể tắt tên báo hiệu của {canaries}: {lock}";

    // By whose decision: of a category, then of a setting.
    locked_for_everyone() "the taxonomy locks it for everyone"
        => "danh mục khóa nhóm này với mọi người";
    locked_for_pupils(level)
        "the taxonomy locks it for pupils, and this profile is used at level `{level}`"
        => "danh mục khóa nhóm này với học sinh, và hồ sơ này dùng cho cấp `{level}`";
    department_locks(department, level) "{department} locks it for level `{level}`"
        => "{department} khóa nhóm này với cấp `{level}`";
    department_locks_because(department, level, reason)
        "{department} locks it for level `{level}` ({reason})"
        => "{department} khóa nhóm này với cấp `{level}` ({reason})";
    department_holds(department, level) "{department} locks it for level `{level}`"
        => "{department} khóa với cấp `{level}`";
    department_holds_because(department, level, reason)
        "{department} locks it for level `{level}` ({reason})"
        => "{department} khóa với cấp `{level}` ({reason})";

    // The way out.
    remove_or_staff(key)
        "remove it from `observe`, or give the profile `{key}` if no pupil is bound by it"
        => "bỏ khỏi `observe`, hoặc đặt `{key}` cho hồ sơ nếu không áp dụng cho học sinh";
    remove_locked() "remove it from `observe`; nobody at a school can loosen it"
        => "bỏ khỏi `observe`; nhà trường không được nới lỏng";
    remove_or_ask(contact) "remove it from `observe`; only the department can open it: {contact}"
        => "bỏ khỏi `observe`; chỉ cơ quan quản lý mới mở được: {contact}";
    remove_from(key) "remove it from `{key}`; only the department can open it"
        => "bỏ khỏi `{key}`; chỉ cơ quan quản lý mới mở được";
    remove_or_correct(key)
        "remove it from `{key}`; if the list is wrong, ask the department to allow it"
        => "bỏ khỏi `{key}`; nếu danh sách sai, đề nghị cơ quan quản lý cho phép";
    name_them_or_ask(key, contact)
        "name them in `{key}`, or leave the key out; only the department can open it: {contact}"
        => "ghi chúng trong `{key}`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được: {contact}";
    name_them(key) "name them in `{key}`, or leave the key out; only the department can open it"
        => "ghi chúng trong `{key}`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được";
    write_locked_or_ask(key, contact)
        "write `{key}`, or leave the key out; only the department can open it: {contact}"
        => "viết `{key}`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được: {contact}";
    write_locked(key) "write `{key}`, or leave the key out; only the department can open it"
        => "viết `{key}`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được";

    // The department's own file.
    locks_nothing_here(key) "`{key}` locks nothing here" => "`{key}` ở đây không khóa gì";
    locks_nothing(table) "this `{table}` locks nothing" => "`{table}` này không khóa gì";
    lock_what_is_on()
        "a lock keeps what is on; write what must be on, or leave the key out"
        => "khóa là để giữ những gì đang bật; ghi những gì phải bật, hoặc bỏ khóa này";
    department_cannot_open(category)
        "`{category}` is locked for everyone; a department cannot open it"
        => "`{category}` bị khóa với mọi người; cơ quan quản lý cũng không mở được";
    nothing_to_open(category) "`{category}` is not locked, so there is nothing to open"
        => "`{category}` không bị khóa nên không có gì để mở";
}
