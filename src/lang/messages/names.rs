//! Names, ids and the words for kinds of things.

use crate::lang::message::messages;

messages! {
    // Why a text is no name.
    name_cut_short() "the name is cut short" => "tên bị cắt cụt";
    label_type(octet) "label type {octet} is not allowed here" => "ở đây không được có nhãn loại {octet}";
    name_too_long() "the name is longer than 255 octets; shorten it"
        => "tên dài quá 255 byte; hãy rút ngắn";
    label_too_long(octets) "a label of {octets} octets is longer than 63; shorten it"
        => "một nhãn dài {octets} byte, quá 63; hãy rút ngắn";
    empty_label() "a label is empty; write single dots between labels"
        => "có nhãn trống; giữa các nhãn chỉ viết một dấu chấm";
    empty_name() "the name is empty" => "tên trống";
    character_in_name(character)
        "`{character}` cannot stand in a name; letters, digits, `-`, `_` and `.` can"
        => "tên miền không được có `{character}`; chỉ gồm chữ, số, `-`, `_` và `.`";
    no_ascii_form()
        "the name cannot be converted to its ASCII form (UTS-46); check the spelling"
        => "không chuyển được tên sang dạng ASCII (UTS-46); hãy xem lại chính tả";

    // Where it stands.
    no_name_in(text, key, reason) "`{text}` in `{key}` is no name: {reason}"
        => "`{text}` trong `{key}` không phải là tên miền: {reason}";
    no_name(text, reason) "`{text}` is no name: {reason}"
        => "`{text}` không phải là tên miền: {reason}";
    no_zone_name(text, reason) "`{text}` is no zone: {reason}"
        => "`{text}` không phải là vùng tên miền: {reason}";
    write_plain_name(name) "write `{name}`: it stands for the name and all below it"
        => "viết `{name}`: gồm tên này và mọi tên bên dưới";

    // Words that stand for many names.
    word_of_no_name(word) "`{word}` stands for no name yet: nobody looked its names up"
        => "`{word}` chưa có tên miền nào: chưa ai xác minh các tên của nó";
    word_is_no_category(word) "`{word}` stands for names, and here stand categories"
        => "`{word}` là các tên miền, còn ở đây là nhóm nội dung";
    words_stand_in(deny, allow) "write it in `{deny}` to block its names, in `{allow}` to let them through"
        => "viết vào `{deny}` để chặn, vào `{allow}` để mở";
    write_the_names() "write its names themselves, or a bundle of them"
        => "hãy ghi thẳng các tên miền, hoặc khai báo một gói";

    // Ids.
    no_school_id(text)
        "{text} is not a school id; it must be 1 to 64 of letters, digits, `.`, `_` and `-`"
        => "{text} không phải là mã trường; mã gồm 1 đến 64 chữ không dấu, số, `.`, `_` và `-`";
    no_label(text, kind)
        "{text} cannot name a {kind}; a name is 1 to 32 of `a` to `z`, digits, `_` and `-`"
        => "{text} không dùng làm tên {kind} được; tên gồm 1 đến 32 ký tự `a` đến `z`, số, `_` và `-`";
    no_category_id(text)
        "{text} is not an id; an id is 1 to 32 of `a` to `z`, digits and `_`"
        => "{text} không phải là mã; mã gồm 1 đến 32 ký tự `a` đến `z`, số và `_`";
    no_engine_id(text) "{text} is no id; it is 1 to 32 of `a` to `z` and digits"
        => "{text} không phải là mã; mã gồm 1 đến 32 ký tự `a` đến `z` và số";
    no_zone_id(text)
        "{text} is not an IANA time zone; it must be a name such as `Asia/Ho_Chi_Minh` or `UTC`"
        => "{text} không phải là múi giờ IANA; hãy viết tên như `Asia/Ho_Chi_Minh` hoặc `UTC`";
    no_school_name(text) "{text} is not a name; it must be at most 200 characters on one line"
        => "{text} không phải là tên; tên dài không quá 200 ký tự trên một dòng";
    no_time_zone(zone) "there is no time zone `{zone}`" => "không có múi giờ `{zone}`";

    // Words of closed sets.
    unknown_word(kind, word, known) "unknown {kind} `{word}`; known are {known}"
        => "không có {kind} `{word}`; hiện có {known}";
    unknown_undefined(kind, word) "unknown {kind} `{word}`; this file defines none"
        => "không có {kind} `{word}`; tệp này chưa khai báo";
    did_you_mean(meant) "did you mean `{meant}`?" => "có phải ý bạn là `{meant}`?";

    // Kinds of things.
    profile() "profile" => "hồ sơ";
    group() "group" => "nhóm máy";
    schedule() "schedule" => "lịch";
    bundle() "bundle" => "gói";
    service() "service" => "dịch vụ";
    category() "category" => "nhóm nội dung";
    level() "level" => "cấp học";
    answer() "answer" => "cách trả lời";
    format() "format" => "định dạng";
    canary() "canary" => "tên báo hiệu";
    day() "day" => "ngày";
    lang() "lang" => "ngôn ngữ";
    mode() "mode" => "chế độ";
    mode_of(engine) "mode of `{engine}`" => "chế độ của `{engine}`";
    scope() "scope" => "phạm vi";
    action() "action" => "cách xử lý";
    listener() "listener" => "địa chỉ nhận";
    search_engine() "search engine" => "máy tìm kiếm";
    word_for(key) "word for `{key}`" => "giá trị cho `{key}`";
    word() "word" => "từ";
    origin() "origin" => "nguồn gốc";
    key() "key" => "khóa";
    kind() "kind" => "loại";
    class() "class" => "lớp";
}
