//! Why a list, a pack or a key cannot be used.

use crate::lang::message::messages;

messages! {
    os_gone(code) "No such file or directory (os error {code})" => "không có tệp hay thư mục này (os error {code})";
    os_denied(code) "Permission denied (os error {code})" => "không có quyền (os error {code})";
    os_io(code) "Input/output error (os error {code})" => "đĩa báo lỗi vào/ra (os error {code})";
    os_no_directory(code) "Not a directory (os error {code})" => "không phải thư mục (os error {code})";
    os_late() "the disk or mount does not answer" => "đĩa hoặc ổ gắn ngoài không trả lời";
    list_unread(path, error) "{path}: the list cannot be read: {error}; check its path in [lists]"
        => "{path}: không đọc được danh sách: {error}; hãy kiểm tra đường dẫn của nó trong [lists]";
    list_refused(path, why) "{path}: refused: {why}" => "{path}: từ chối: {why}";
    list_unfitting(path, needs, room)
        "{path}: refused: it would take {needs} MiB of memory or so, and {room} MiB are left; make the list shorter, or give the gateway more memory"
        => "{path}: từ chối: cần khoảng {needs} MiB bộ nhớ mà chỉ còn {room} MiB; hãy rút ngắn danh sách, hoặc thêm bộ nhớ cho máy lọc";
    list_lost(path, why) "{path}: {why}" => "{path}: {why}";
    list_emptied(path, before) "{path}: no list is there any more, where {before} rules were"
        => "{path}: không còn danh sách nào, trước đây có {before} quy tắc";
    list_shrunken(path, rules, before, name)
        "{path}: refused: {rules} rules, where {before} were; if that is meant, `lachan lists accept CONFIG {name}`, or set `min_percent`"
        => "{path}: từ chối: {rules} quy tắc, trước đây có {before}; nếu đúng là muốn thế, `lachan lists accept CONFIG {name}`, hoặc đặt `min_percent`";
    list_unkept(why)
        "{why}; its kept copy is lost, so nothing is reloaded until it is mended; `lachan state forget` says that it may go"
        => "{why}; bản lưu của nó đã mất, nên không nạp lại gì cho đến khi sửa xong; `lachan state forget` cho phép bỏ nó";
    list_unread_twice(why) "{why}; nothing is reloaded until one of them can be used"
        => "{why}; không nạp lại gì cho đến khi dùng được một trong hai";
    no_pack(why) "no pack can be used: {why}; check `packs` in [lists]"
        => "không dùng được gói nào: {why}; hãy kiểm tra `packs` trong [lists]";
    list_page() "this is a web page, not a list; open its address in a browser to see what it says"
        => "đây là trang web, không phải danh sách; hãy mở địa chỉ ấy bằng trình duyệt để xem nội dung";
    list_utf16() "this is UTF-16 text; save it as UTF-8" => "đây là văn bản UTF-16; hãy lưu lại ở dạng UTF-8";
    list_empty() "the list is empty; remove the source if that is meant"
        => "danh sách rỗng; nếu đúng là muốn thế, hãy bỏ nguồn này";
    list_without_rule(lines, format)
        "no rule in {lines} lines, read as `{format}`; check the file, or set its `format`"
        => "không có quy tắc nào trong {lines} dòng, đọc theo `{format}`; hãy kiểm tra tệp, hoặc đặt `format` cho nó";
    list_most_lost(lost, rules, format)
        "most of it is lost: {lost} lines gave no rule and {rules} did, read as `{format}`; check the file, or set its `format`"
        => "mất phần lớn: {lost} dòng không cho quy tắc, {rules} dòng có, đọc theo `{format}`; hãy kiểm tra tệp, hoặc đặt `format` cho nó";
    list_bad_lines(bad, lines, format)
        "{bad} mistakes in {lines} lines, read as `{format}`; check the file, or set its `format`"
        => "{bad} lỗi trong {lines} dòng, đọc theo `{format}`; hãy kiểm tra tệp, hoặc đặt `format` cho nó";
    list_example(line, text, why) "line {line}: `{text}`: {why}" => "dòng {line}: `{text}`: {why}";
    line_not_text() "not UTF-8 text" => "không phải văn bản UTF-8";
    line_too_long() "line longer than 4096 octets" => "dòng dài hơn 4096 octet";
    line_syntax() "not the syntax of this format" => "không đúng cú pháp của định dạng này";
    line_bad_name() "not a name" => "không phải tên miền";
    line_idna() "cannot be converted to ASCII (UTS-46)" => "không chuyển được sang ASCII (UTS-46)";
    line_out_of_zone() "outside the zone of this file" => "nằm ngoài vùng của tệp này";
    line_too_much_data() "more answers than a name or a source can hold"
        => "nhiều câu trả lời hơn mức một tên hay một nguồn chứa được";
    line_address() "an address, not a name" => "là địa chỉ, không phải tên miền";
    line_single_label() "a single label" => "chỉ có một nhãn";
    line_path_rule() "a path, port or URL, not a whole host" => "là đường dẫn, cổng hoặc URL, không phải cả máy chủ";
    line_cosmetic() "about what a page shows" => "nói về cách trang hiển thị";
    line_modifier() "a modifier that DNS cannot honour" => "tuỳ chọn mà DNS không làm được";
    line_regex() "not a regular expression on host names" => "không phải biểu thức chính quy về tên máy chủ";
    line_regex_unbounded() "look-around or a back-reference, which no bounded search has"
        => "nhìn trước sau hoặc tham chiếu ngược, tìm kiếm có giới hạn không có";
    line_too_large() "a pattern that is too large, or one too many" => "mẫu quá lớn, hoặc quá nhiều mẫu";
    line_too_wide() "a pattern of nearly all names, without `$denyallow` or `$dnstype`"
        => "mẫu khớp gần như mọi tên, mà không có `$denyallow` hay `$dnstype`";
    line_wildcard() "a wildcard that is not the whole first label" => "ký tự đại diện không phải cả nhãn đầu";
    line_prefix() "a pattern that no host name can match" => "mẫu mà không tên máy chủ nào khớp được";
    line_disabled() "switched off by `$badfilter`" => "bị tắt bởi `$badfilter`";
    line_client_ip() "a trigger on the client's address" => "điều kiện theo địa chỉ máy khách";
    line_server_ip() "a trigger on a name server's address" => "điều kiện theo địa chỉ máy chủ tên miền";
    line_server_name() "a trigger on a name server's name" => "điều kiện theo tên máy chủ tên miền";
    line_unsupported() "a statement that is not used here" => "câu lệnh không dùng ở đây";
    keywords_empty(path) "{path}: the keyword rules are empty" => "{path}: không có quy tắc từ khoá nào";
    list_being_written(path) "{path}: it is still being written" => "{path}: đang được ghi";
    list_still_to_come() "it has not been downloaded yet" => "chưa tải về lần nào";
    kept_unread(error) "what is kept cannot be read: {error}" => "không đọc được các bản lưu: {error}";
    kept_copy_unread(error) "its kept copy cannot be read: {error}" => "không đọc được bản lưu của nó: {error}";
    sealed_unread(path, error) "{path}: the sealed list cannot be read: {error}; check the paths in [[lists.source]]"
        => "{path}: không đọc được danh sách niêm phong: {error}; hãy kiểm tra các đường dẫn trong [[lists.source]]";
    sealed_key_unread(path, error) "{path}: the key cannot be read: {error}; check the paths in [[lists.source]]"
        => "{path}: không đọc được khoá: {error}; hãy kiểm tra các đường dẫn trong [[lists.source]]";
    sealed_key_exposed(path, mode)
        "{path}: the key of a sealed list must be for its owner alone, but its mode is {mode}; `chmod 600` it, and get a new list and key if somebody may have read it"
        => "{path}: khoá của danh sách niêm phong chỉ được để chủ nó đọc, mà quyền đang là {mode}; hãy `chmod 600`, và nếu có thể đã bị người khác đọc thì xin danh sách và khoá mới";
    sealed_no_key(path)
        "{path}: not a key: a key is 64 hexadecimal digits; get the key again, or make one with `lachan lists seal`"
        => "{path}: không phải khoá: khoá gồm 64 chữ số thập lục phân; hãy lấy lại khoá, hoặc tạo bằng `lachan lists seal`";
    sealed_none() "not a sealed list; `lachan lists seal` makes them"
        => "không phải danh sách niêm phong; `lachan lists seal` tạo ra chúng";
    sealed_format(found, read) "sealed list of format {found}, but this build reads {read}; seal it again"
        => "danh sách niêm phong định dạng {found}, bản này đọc {read}; hãy niêm phong lại";
    sealed_length(actual, needed) "sealed list of {actual} octets, but its header says {needed}; copy it again"
        => "danh sách niêm phong có {actual} octet mà phần đầu ghi {needed}; hãy chép lại";
    sealed_other_key() "sealed with another key; the list and its key come in pairs: get both again"
        => "niêm phong bằng khoá khác; danh sách và khoá đi theo cặp: hãy lấy lại cả hai";
    sealed_damaged() "damaged: not the octets that were sealed; copy it again"
        => "bị hỏng: không phải nội dung đã niêm phong; hãy chép lại";
    sealed_unordered() "the digests are not in ascending order, each once; seal it with `lachan lists seal`"
        => "các mã băm không xếp tăng dần, mỗi mã một lần; hãy niêm phong bằng `lachan lists seal`";
    sealed_empty() "the sealed list is empty; remove the source if that is meant"
        => "danh sách niêm phong rỗng; nếu đúng là muốn thế, hãy bỏ nguồn này";
    pack_unread(error) "cannot be read: {error}" => "không đọc được: {error}";
    pack_fragment() "the pack is not whole: it is damaged, or it is still being copied; copy it again"
        => "gói không trọn vẹn: bị hỏng, hoặc đang được chép; hãy chép lại";
    pack_none() "this is not a pack" => "đây không phải là gói";
    pack_format(found, read) "the pack is of format {found}; this program reads format {read}; build it again"
        => "gói thuộc định dạng {found}; chương trình này đọc định dạng {read}; hãy tạo lại";
    pack_length(found, expected) "the pack has {found} octets instead of {expected}; copy it again"
        => "gói có {found} octet thay vì {expected}; hãy chép lại";
    pack_damaged(section) "the pack is damaged in its {section}; copy it again"
        => "gói bị hỏng ở phần `{section}`; hãy chép lại";
    pack_nonsense(section, what) "the {section} of the pack do not hold together: {what}"
        => "phần `{section}` của gói không khớp nhau: {what}";
    pack_short(now, before)
        "refused: {now} names, where {before} were; if that is meant, `lachan lists accept CONFIG PACKS` with the directory, or set `min_percent` in [lists]"
        => "từ chối: {now} tên, trước đây có {before}; nếu đúng là muốn thế, `lachan lists accept CONFIG PACKS` với thư mục ấy, hoặc đặt `min_percent` trong [lists]";
    pack_short_of(now, before, category)
        "refused: {now} names of `{category}`, where {before} were; if that is meant, `lachan lists accept CONFIG PACKS` with the directory, or set `min_percent` in [lists]"
        => "từ chối: {now} tên thuộc `{category}`, trước đây có {before}; nếu đúng là muốn thế, `lachan lists accept CONFIG PACKS` với thư mục ấy, hoặc đặt `min_percent` trong [lists]";
    packs_unread(directory, error) "{directory}: cannot be read: {error}" => "{directory}: không đọc được: {error}";
    packs_none(directory) "{directory}: no file there ends in `.pack`"
        => "{directory}: không có tệp nào ở đó kết thúc bằng `.pack`";
}
