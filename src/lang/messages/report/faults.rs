//! Why a report cannot be made, or a file is not merged, and what to do.

use crate::lang::message::messages;

messages! {
    report_no_period(given)
        "`{given}` is no period; write `2026` (a report year), `2026-11`, or `2025-11-16..2026-11-15`"
        => "`{given}` không phải là kỳ báo cáo; hãy ghi `2026` (năm báo cáo), `2026-11` hoặc \
            `2025-11-16..2026-11-15`";
    report_period_months(given, most)
        "no month ends within `{given}`, or more than {most} do; a report is of whole months, and a \
         month belongs to the period that has its last day"
        => "kỳ `{given}` không chứa ngày cuối của tháng nào, hoặc quá {most} tháng; báo cáo tính theo \
            tháng trọn vẹn, mỗi tháng thuộc kỳ có ngày cuối của tháng đó";
    report_no_year_start(given)
        "`{given}` is no day on which report years begin; write a month and a day, such as `11-16`"
        => "`{given}` không phải là ngày bắt đầu năm báo cáo; hãy ghi tháng và ngày, như `11-16`";
    report_no_records(directory)
        "{directory} has no record of a month of this period that is over; `lachan serve` writes them \
         into its state directory: name that by `--state` or `--config`"
        => "{directory} không có bản ghi của tháng nào đã kết thúc trong kỳ này; `lachan serve` ghi vào \
            thư mục trạng thái: hãy chỉ ra bằng `--state` hoặc `--config`";
    report_no_state()
        "there is no state directory, so no month was recorded; set `[state] dir`"
        => "không có thư mục trạng thái nên không có tháng nào được ghi; hãy đặt `[state] dir`";
    report_several_schools(ids)
        "the records are of several schools ({ids}): a gateway was given another `[school] id`; report \
         the months of each by a `--period` of its own"
        => "các bản ghi thuộc nhiều trường ({ids}): máy này đã đổi `[school] id`; hãy lập báo cáo riêng \
            từng phần bằng `--period`";
    report_damaged_record(file)
        "{file}: the record is damaged, or cannot be read by you, and is left out; its month stands as not \
         recorded"
        => "{file}: bản ghi bị hỏng hoặc bạn không có quyền đọc nên không dùng; tháng đó coi như không có số liệu";
    report_written(count, directory)
        "{count} months are in {directory}: hand in report.json; report.html is to print and sign"
        => "đã ghi số liệu {count} tháng vào {directory}: gửi report.json; in và ký report.html";
    report_months_missing(months) "no record of {months}" => "không có bản ghi của {months}";
    report_months_running(months)
        "left out because it was not over: {months}"
        => "chưa kết thúc nên chưa đưa vào: {months}";

    merge_no_files()
        "there is no report in what was named; give the directory, or the report.json of each school"
        => "không tìm thấy báo cáo nào; hãy chỉ ra thư mục hoặc tệp report.json của từng trường";
    merge_mixed_periods(periods)
        "the files are of several periods: {periods}; ask those schools for the period that is wanted, or \
         choose one by `--period`"
        => "các tệp thuộc nhiều kỳ khác nhau: {periods}; hãy đề nghị các trường gửi đúng kỳ, hoặc chọn \
            một kỳ bằng `--period`";
    merge_unreadable(why)
        "it cannot be read: {why}; ask the school for the file again"
        => "không đọc được: {why}; hãy đề nghị trường gửi lại";
    merge_malformed(why)
        "it is damaged or was edited: {why}; ask the school for report.json as `lachan report` wrote it"
        => "tệp bị hỏng hoặc đã bị sửa: {why}; hãy đề nghị trường gửi lại report.json nguyên gốc do \
            `lachan report` tạo";
    merge_other_format(found, known)
        "it has format {found}, and this program reads {known}; update the older of the two programs"
        => "tệp có định dạng {found}, chương trình này đọc định dạng {known}; hãy cập nhật chương trình \
            cũ hơn";
    merge_field(field)
        "`{field}` has a value that it cannot have; ask the school for report.json as `lachan report` wrote it"
        => "`{field}` có giá trị không hợp lệ; hãy đề nghị trường gửi lại report.json nguyên gốc";
    merge_other_period(found, wanted)
        "it is of the period {found}, not {wanted}; ask the school to run `lachan report --period {wanted}`"
        => "tệp thuộc kỳ {found}, không phải {wanted}; hãy đề nghị trường chạy \
            `lachan report --period {wanted}`";
    merge_twice(school, unit, other)
        "school `{school}`, box `{unit}` is in {other} too, with other content; none of them is counted: \
         keep the one that the school confirms"
        => "trường `{school}`, máy `{unit}` còn có trong {other} với nội dung khác; không tính tệp nào: \
            hãy giữ lại tệp được trường xác nhận";
    merge_unknown_school(school)
        "school `{school}` is not in the registry; add a [[school]] to org.toml, or mend `[school] id` at \
         the school"
        => "trường `{school}` không có trong danh sách; hãy thêm [[school]] vào org.toml, hoặc sửa \
            `[school] id` tại trường";
    merge_refused(file, why) "{file}: not counted: {why}" => "{file}: không tính: {why}";
    merge_attestation_refused(school, unit, why)
        "school `{school}`, box `{unit}`: counted, but its attestation is not valid: {why}"
        => "trường `{school}`, máy `{unit}`: có tính, nhưng bản xác nhận không hợp lệ: {why}";
    merge_copies(count)
        "{count} files are copies of others, and count once"
        => "{count} tệp là bản sao của tệp khác, chỉ tính một lần";
    merge_done(schools, registered, directory)
        "{schools} of {registered} schools are merged into {directory}"
        => "đã tổng hợp {schools}/{registered} trường vào {directory}";
}
