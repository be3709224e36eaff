//! Urgent entries of a department: what is wrong with one, and what becomes of them.

use crate::lang::message::messages;

messages! {
    // The fault of one entry.
    urgent_name() "its name must be a domain name in lower case, of A-labels, without a final dot"
        => "tên phải là tên miền viết thường, dạng A-label, không có dấu chấm cuối";
    urgent_top_level() "a top-level domain is beyond an emergency list"
        => "tên miền cấp cao nhất không được nằm trong danh sách khẩn";
    urgent_twice() "an entry before it has the same name" => "một mục trước đó đã có tên này";
    urgent_category(allowed) "its category must be one of {allowed}"
        => "nhóm nội dung phải là một trong các nhóm {allowed}";
    urgent_warn(category) "`warn` is for category {category} alone"
        => "chỉ dùng `warn` cho nhóm {category}";
    urgent_validity(days) "it must be valid for more than 0 and at most {days} days"
        => "thời hạn phải dài hơn 0 và không quá {days} ngày";
    urgent_text(octets)
        "document, authority and reason must each have a text of at most {octets} octets"
        => "số văn bản, cơ quan và lý do đều phải có nội dung, mỗi mục không quá {octets} byte";
    urgent_protected() "it would block an essential or guarded name, which no signature can"
        => "mục này sẽ chặn một tên thiết yếu hoặc được bảo vệ, không chữ ký nào được phép";
    // The fault of a document.
    urgent_too_large(octets, most) "the emergency list has {octets} octets; at most {most} are read"
        => "danh sách khẩn có {octets} byte; chỉ đọc tối đa {most} byte";
    urgent_too_many(entries, most) "the emergency list has {entries} entries; at most {most} are taken"
        => "danh sách khẩn có {entries} mục; chỉ nhận tối đa {most} mục";
    urgent_malformed(why) "the emergency list is malformed: {why}"
        => "danh sách khẩn sai định dạng: {why}";
    urgent_format(found, read)
        "the emergency list has format {found}; this program reads format {read}: update the program"
        => "danh sách khẩn có định dạng {found}; chương trình này đọc định dạng {read}: hãy cập nhật chương trình";
    // What the department's office reads.
    urgent_refused(name, why) "not published, entry `{name}` is refused: {why}"
        => "chưa phát hành, mục `{name}` bị từ chối: {why}";
    urgent_unknown(name) "not published, the emergency list has no entry `{name}`"
        => "chưa phát hành, danh sách khẩn không có mục `{name}`";
    urgent_stranger(key, wanted)
        "not published, key {key} is no officer's of this repository; the emergency list is signed by {wanted} of them"
        => "chưa phát hành, khoá {key} không phải của cán bộ nào của kho này; danh sách khẩn cần chữ ký của {wanted} cán bộ";
    urgent_published(version, entries, ended)
        "published: emergency list {version}, entries: {entries}, ended and taken out: {ended}"
        => "đã phát hành: danh sách khẩn {version}, số mục: {entries}, hết hạn và đã bỏ: {ended}";
    urgent_until(name, until) "`{name}` until {until}" => "`{name}` đến {until}";
    urgent_none() "the emergency list has no entry" => "danh sách khẩn không có mục nào";
    // What the people of a school read.
    update_emergency() "the emergency list is refused; the one before stays in force"
        => "danh sách khẩn bị từ chối; danh sách khẩn trước vẫn có hiệu lực";
}
