//! Evidence of this month, in the state of the gateway.

use crate::lang::message::messages;

messages! {
    evidence_month(share) "this month: all was enforced in {share} % of the school minutes"
        => "tháng này: lọc đủ trong {share} % thời gian của trường";
    evidence_no_minute() "this month: no school minute has passed yet"
        => "tháng này: chưa có phút nào thuộc thời gian của trường";
    evidence_gaps(gaps) "not enforced, in minutes: {gaps}" => "không lọc đủ, tính bằng phút: {gaps}";
    gap_uplink(minutes) "no line {minutes}" => "mất đường truyền {minutes}";
    gap_power(minutes) "machine off {minutes}" => "mất điện hoặc tắt máy {minutes}";
    gap_stopped(minutes) "service stopped {minutes}" => "dịch vụ bị dừng {minutes}";
    gap_program(minutes) "program failed {minutes}" => "chương trình tự dừng {minutes}";
    gap_clock(minutes) "clock wrong {minutes}" => "đồng hồ sai {minutes}";
    gap_config(minutes) "config not usable {minutes}" => "cấu hình không dùng được {minutes}";
    gap_lists(minutes) "lists missing, held or old {minutes}"
        => "danh sách thiếu, bị giữ hoặc đã cũ {minutes}";
    finding_evidence_lost() "the record of this month was damaged, and begins anew"
        => "hồ sơ tháng này bị hỏng và được ghi lại từ đầu";
    remedy_evidence_lost()
        "look at the disk; what was damaged lies in `evidence` of the state directory, with `.broken` at its end"
        => "kiểm tra đĩa; tệp hỏng nằm ở `evidence` trong thư mục trạng thái, tên kết thúc bằng `.broken`";
    finding_evidence_cut() "evidence was removed before its time, because all of it is too large"
        => "hồ sơ đã bị xoá trước hạn vì tổng dung lượng quá lớn";
    remedy_evidence_cut() "raise `max_size` in [evidence]; save reports and attestations elsewhere"
        => "tăng `max_size` trong [evidence]; lưu báo cáo và bản xác nhận ra nơi khác";
}
