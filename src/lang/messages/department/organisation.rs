//! The registry of a department: `org.toml`.

use crate::lang::message::messages;

messages! {
    org_malformed(why) "not an organisation: {why}" => "không phải tệp tổ chức: {why}";
    org_too_many(table, count, most) "there are {count} {table}; there may be {most}"
        => "có {count} {table}; tối đa là {most}";
    org_id_twice(table, id)
        "the id `{id}` stands in two {table}; an id stands for one, and is never used again"
        => "mã `{id}` có trong hai {table}; mỗi mã chỉ dành cho một nơi và không dùng lại";
    org_no_id(key, text)
        "`{key}` cannot be `{text}`: 1 to 64 letters a to z, digits, `.`, `_` and `-`"
        => "`{key}` không thể là `{text}`: cần 1 đến 64 chữ cái không dấu, chữ số, `.`, `_` và `-`";
    org_no_text(key, most) "`{key}` has one line of 1 to {most} characters"
        => "`{key}` là một dòng từ 1 đến {most} ký tự";
    org_no_level(text, known) "`{text}` is no level of a school; they are {known}"
        => "`{text}` không phải cấp học; các cấp là {known}";
    org_no_date(key, text) "`{key}` cannot be `{text}`: write a date as \"2025-07-01\""
        => "`{key}` không thể là `{text}`: ngày viết là \"2025-07-01\"";
    org_days_backwards(last, first) "`{last}` is before `{first}`" => "`{last}` trước `{first}`";
    org_no_unit(key, id) "`{key}` names `{id}`, and no [[unit]] has this id"
        => "`{key}` là `{id}`, nhưng không có [[unit]] nào mang mã này";
    org_chain(key, most) "the units that follow each other by `{key}` come to no end within {most}"
        => "các đơn vị nối nhau bằng `{key}` không kết thúc sau {most} bước";
    org_successor_without_end()
        "a unit with a `successor` has a last day: add `valid_to = \"2025-06-30\"`"
        => "đơn vị có `successor` phải có ngày cuối: thêm `valid_to = \"2025-06-30\"`";
}
