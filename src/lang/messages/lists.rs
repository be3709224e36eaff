//! Findings of `lachan lists build`.

use crate::lang::message::messages;

messages! {
    guard_finding(names, category) "{names} would be blocked as `{category}`"
        => "{names} sẽ bị chặn theo nhóm `{category}`";
    suffix_finding(name) "`{name}` is listed with all below it, where others register names"
        => "`{name}` bị ghi kèm mọi tên bên dưới, nơi người khác đăng ký tên";
    popular_finding(names, category) "{names}, which many people use, would be blocked as `{category}`"
        => "{names}, tên nhiều người dùng, sẽ bị chặn theo nhóm `{category}`";
    source_shrank(name, category, before, now)
        "`{name}` of `{category}` shrank from {before} rules to {now}"
        => "`{name}` của `{category}` giảm từ {before} quy tắc còn {now}";
    source_grew(name, category, before, now)
        "`{name}` of `{category}` grew from {before} rules to {now}"
        => "`{name}` của `{category}` tăng từ {before} quy tắc lên {now}";
    answers_finding(name, category, count, option)
        "`{name}` of `{category}` has {count} answers of its own, which only block; `{option}` gives them"
        => "`{name}` của `{category}` có {count} câu trả lời riêng, chỉ dùng để chặn; `{option}` để dùng chúng";
    more_findings(count, kind) "{count} more findings of kind `{kind}`; `--json` has all"
        => "còn {count} phát hiện loại `{kind}`; xem đủ bằng `--json`";
    exception_unmet(finding) "note: exception `{finding}` meets no finding any more"
        => "ghi chú: ngoại lệ `{finding}` không còn khớp phát hiện nào";
    pack_refused(path)
        "{path}: not written; mend the sources, or accept findings one by one with --exceptions, or all with --accept"
        => "{path}: chưa ghi; hãy sửa nguồn, hoặc chấp nhận từng phát hiện bằng --exceptions, hoặc tất cả bằng --accept";
    pack_accepted(path, who) "{path}: written; accepted: {who}" => "{path}: đã ghi; người chấp nhận: {who}";
    pack_written(path) "{path}: written" => "{path}: đã ghi";
}
