//! Findings of a release before it is signed, and the page about it.

use crate::lang::message::messages;

messages! {
    keyword_finding(pattern, names, category)
        "keyword `{pattern}` would block {names} as `{category}`"
        => "từ khoá `{pattern}` sẽ chặn {names} theo nhóm `{category}`";
    category_lost(category, before, now)
        "category `{category}` lost most of its names: {before} before, {now} now"
        => "nhóm `{category}` mất phần lớn số tên: trước {before}, nay {now}";
    source_empty(name, category) "`{name}` of `{category}` has no rule"
        => "`{name}` của `{category}` không có quy tắc nào";
    source_garbled(name, category, lost, rules)
        "`{name}` of `{category}` has {lost} lines that are no rules, and {rules} rules; is it a web page?"
        => "`{name}` của `{category}` có {lost} dòng không phải quy tắc và {rules} quy tắc; có phải trang web không?";
    source_unchanged(name, category, days)
        "`{name}` of `{category}` is the same for {days} days; is it still maintained?"
        => "`{name}` của `{category}` không đổi suốt {days} ngày; nguồn còn được duy trì không?";
    release_refused()
        "refused: mend the sources, or accept each finding with --accept KEY --by NAME --reason TEXT"
        => "từ chối: hãy sửa nguồn, hoặc chấp nhận từng phát hiện bằng --accept KHOÁ --by TÊN --reason LÝ-DO";
    release_passes(accepted) "nothing refuses the release; accepted findings: {accepted}"
        => "không có gì ngăn bản phát hành; số phát hiện đã chấp nhận: {accepted}";
    consent_unmet(finding) "`{finding}` is accepted, and no finding has this key"
        => "đã chấp nhận `{finding}`, nhưng không phát hiện nào có khoá này";
    page_title(new, gone) "RELEASE  new names: {new}, gone: {gone}"
        => "BẢN PHÁT HÀNH  tên mới: {new}, tên bỏ: {gone}";
    page_categories() "BY CATEGORY" => "THEO NHÓM";
    page_sources() "SOURCES THAT CHANGED (rules before > now)" => "NGUỒN THAY ĐỔI (quy tắc trước > nay)";
    page_new() "NEW, the most popular first" => "TÊN MỚI, phổ biến nhất trước";
    page_gone() "GONE, the most popular first" => "TÊN BỎ, phổ biến nhất trước";
    page_levels() "WHOM IT HITS (names newly blocked, no longer blocked)"
        => "ẢNH HƯỞNG ĐẾN AI (tên mới bị chặn, tên thôi bị chặn)";
    page_findings(all, open) "FINDINGS: {all}, of these open: {open}"
        => "PHÁT HIỆN: {all}, còn mở: {open}";
    page_more(count) "… {count} more" => "… còn {count}";
}
