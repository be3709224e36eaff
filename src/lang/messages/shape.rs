//! The shape of a file: keys, tables, types; and hints that fit many mistakes.

use crate::lang::message::messages;

messages! {
    unknown_key(key, known) "unknown key `{key}`; the keys here are {known}"
        => "không có khóa `{key}`; ở đây có {known}";
    move_to_the_top(key) "move `{key}` to the top, before the first `[table]`"
        => "chuyển `{key}` lên đầu tệp, trước `[bảng]` đầu tiên";
    table_without(table, key) "this `{table}` has no `{key}`" => "`{table}` này thiếu `{key}`";
    key_twice(key) "`{key}` is given twice in one table" => "`{key}` được ghi hai lần trong một bảng";
    wrong_type(found, expected) "wrong type: found {found}, expected {expected}"
        => "sai kiểu: thấy {found}, cần {expected}";
    brackets_of_many(example) "a table that can stand many times has two brackets: `{example}`"
        => "bảng có thể lặp lại phải viết hai dấu ngoặc: `{example}`";
    brackets_of_one(example) "a table that stands once has one bracket: `{example}`"
        => "bảng chỉ có một lần phải viết một dấu ngoặc: `{example}`";

    // Types, found and expected.
    a_table() "a table" => "một bảng";
    an_array() "an array" => "một danh sách";
    an_array_in_brackets() "an array in square brackets" => "một danh sách trong ngoặc vuông";
    a_whole_number() "a whole number" => "một số nguyên";
    a_text() "a text in quotes" => "chữ trong dấu ngoặc kép";
    a_text_or_array() "a text in quotes or an array of them"
        => "chữ trong dấu ngoặc kép hoặc một danh sách";
    true_or_false() "`true` or `false`" => "`true` hoặc `false`";
    true_false_or_names() "`true`, `false` or an array of names"
        => "`true`, `false` hoặc một danh sách tên";
    a_duration(examples) "a duration in quotes, such as {examples}"
        => "khoảng thời gian trong dấu ngoặc kép, như {examples}";
    a_size(examples) "a size in quotes, such as {examples}"
        => "dung lượng trong dấu ngoặc kép, như {examples}";
    found_integer(value) "integer `{value}`" => "số nguyên `{value}`";
    found_float(value) "floating point `{value}`" => "số thập phân `{value}`";
    found_string(value) "string {value}" => "chữ {value}";
    found_boolean(value) "boolean `{value}`" => "giá trị `{value}`";

    // Hints that fit many mistakes.
    more_mistakes(count) "and {count} more mistakes, which are not shown"
        => "và {count} lỗi nữa, không hiển thị";
    add(what) "add `{what}`" => "thêm `{what}`";
    add_either(one, other) "add `{one}`, or `{other}`" => "thêm `{one}`, hoặc `{other}`";
    add_one_of(one, two, three, four) "add `{one}`, `{two}`, `{three}` or `{four}`"
        => "thêm `{one}`, `{two}`, `{three}` hoặc `{four}`";
    add_or_remove(what) "add `{what}`, or remove it" => "thêm `{what}`, hoặc xóa đi";
    add_every_level(what) "add `{what}` with every level" => "thêm `{what}` với đủ các cấp học";
    remove_it() "remove it" => "hãy xóa đi";
    remove_one() "remove one of the two" => "bỏ một trong hai";
    remove_one_table(table) "remove one of the two `{table}`" => "bỏ một trong hai `{table}`";
    remove_this(table) "remove this `{table}`" => "xóa `{table}` này";
    leave_it_out() "leave it out" => "hãy bỏ đi";
    leave_in_one() "leave it in one" => "chỉ để ở một nơi";
    choose_another_name() "choose another name" => "hãy chọn tên khác";
    write(what) "write `{what}`" => "viết `{what}`";
    write_one_of(one, two, three) "write `{one}`, `{two}` or `{three}`"
        => "viết `{one}`, `{two}` hoặc `{three}`";
    write_or_leave_out(what) "write `{what}`, or leave the key out"
        => "viết `{what}`, hoặc bỏ khóa này";
    write_it_as(what) "write it as `{what}`" => "viết là `{what}`";

    // Other files.
    cannot_be_read(path, reason) "`{path}` cannot be read: {reason}"
        => "không đọc được `{path}`: {reason}";
    file_too_long(path, octets, most) "`{path}` has {octets} octets; it may have {most}"
        => "`{path}` dài {octets} byte; tối đa là {most}";
    not_the_file_meant() "this is not the file that was meant" => "đây không phải là tệp cần dùng";
    path_is_relative() "a path is absolute, or relative to the directory of this file"
        => "đường dẫn là tuyệt đối, hoặc tính từ thư mục của tệp này";
    no_path(key) "`{key}` is not a path" => "`{key}` không phải là đường dẫn";
}
