//! Tables that are released with the program: taxonomy, search engines, essential names.

use crate::lang::message::messages;

messages! {
    // The taxonomy.
    kind_never_blocks(action, kind) "`{action}` in a category of kind `{kind}`, which never blocks"
        => "`{action}` trong nhóm nội dung loại `{kind}`, loại này không bao giờ chặn";
    category_does_not_fit(category) "category `{category}` does not fit"
        => "không còn chỗ cho nhóm nội dung `{category}`";
    no_action_for(key, levels) "`{key}` has no action for {levels}"
        => "`{key}` thiếu cách xử lý cho {levels}";
    no_category_table(table) "there is no `{table}`; a taxonomy has at least one"
        => "không có `{table}`; danh mục phải có ít nhất một";
    category_already(id) "there is a category `{id}` already";
    id_used_once() "an id stands for one category, and is never used again";
    too_many_categories(count, most) "there are {count} categories; there may be {most}";
    level_already(level) "there is a level `{level}` already";
    no_level_table(levels) "there is no `[[level]]` for {levels}";
    is_empty(key) "`{key}` is empty";

    // Search engines.
    not_every_level(key) "`{key}` does not name every level" => "`{key}` chưa ghi đủ các cấp học";
    engine_already(id) "there is an engine `{id}` already";
    too_many_engines(most) "there may be {most} engines";
    engine_needs(id) "engine `{id}` needs `hosts`, and `target` or `modes`";

    // Answers to reviews.
    too_many_answers(most) "there may be {most} answers" => "chỉ được tối đa {most} câu trả lời";
    no_answer_text(most) "no text of 1 to {most} characters without control characters"
        => "phải là văn bản từ 1 đến {most} ký tự, không có ký tự điều khiển";
    // Services.
    too_many_services(most) "there may be {most} services" => "chỉ được tối đa {most} dịch vụ";
    service_too_many_names(id, most) "service `{id}` may have {most} names"
        => "dịch vụ `{id}` chỉ được tối đa {most} tên miền";
    service_public_suffix(name) "`{name}` is no site: everybody registers names under it"
        => "`{name}` không phải là một trang: ai cũng đăng ký tên dưới đó";
    no_service_text(text) "{text} is no text of a service; it is 1 to 500 characters on one line"
        => "{text} không phải là lời ghi của dịch vụ; lời ghi dài 1 đến 500 ký tự trên một dòng";
    service_is_essential(id, names)
        "service `{id}` has what is essential and always resolves: {names}"
        => "dịch vụ `{id}` có tên thiết yếu, luôn phải mở được: {names}";
    service_is_guarded(id, names) "service `{id}` would close what is guarded: {names}"
        => "dịch vụ `{id}` sẽ chặn cả tên được bảo vệ: {names}";
    service_say_guarded(key) "take the name out, or say that it belongs to the service: `{key}`"
        => "hãy bỏ tên này, hoặc ghi rõ nó thuộc dịch vụ: `{key}`";
    service_meets(id, name, other)
        "service `{id}` has `{name}`, which is also of service `{other}`"
        => "dịch vụ `{id}` có `{name}`, cũng thuộc dịch vụ `{other}`";
    service_say_shares(key) "take the name out of one, or say that they share it: `{key}`"
        => "hãy bỏ tên này ở một bên, hoặc ghi rõ hai bên dùng chung: `{key}`";

    // Lists of names below headings.
    before_heading() "a name before the first heading";
    put_below(example) "put it below a line such as `{example}`" => "đặt dưới một dòng như `{example}`";
    unknown_kind(known) "unknown kind; known are {known}";
    kind_and_name() "a line here is a kind and a name";
}
