//! Words of the tables and pages of reports.

use crate::lang::message::messages;

messages! {
    report_title(school) "Filtering report: {school}" => "Báo cáo số liệu chặn lọc truy cập: {school}";
    report_merged_title(year)
        "Filtering of access in schools: report of {year}"
        => "Báo cáo tổng hợp kết quả chặn lọc truy cập trong trường học năm {year}";
    report_public_title(year)
        "Filtering of access in schools in {year}"
        => "Kết quả chặn lọc truy cập trong trường học năm {year}";
    report_period_is(from, to)
        "Period: {from} to {to}, by whole months" => "Kỳ số liệu: từ {from} đến {to}, theo tháng trọn vẹn";
    report_made_on(day, version)
        "Made on {day} by Lá Chắn {version}" => "Lập ngày {day} bằng Lá Chắn {version}";

    report_paragraph(from, to, schools, share, queries, blocked, rate)
        "In the period from {from} to {to}, {schools} schools ran the filter, {share} %; it \
         handled {queries} domain name queries and blocked {blocked} ({rate} %)"
        => "Trong kỳ báo cáo từ ngày {from} đến ngày {to}, có {schools} cơ sở giáo dục vận \
            hành hệ thống chặn lọc truy cập, đạt {share}%; hệ thống đã xử lý {queries} truy vấn tên miền, \
            chặn {blocked} lượt ({rate}%)";
    report_paragraph_most(groups) ", most of them: {groups}." => ", trong đó nhiều nhất là {groups}.";
    report_paragraph_one(name, count) "{name} ({count})" => "nhóm {name} ({count} lượt)";
    report_paragraph_orders(orders, hours)
        " {orders} orders of competent authorities were carried out, in a median time of {hours} hours;"
        => " Đã thực hiện {orders} yêu cầu của cơ quan có thẩm quyền, thời gian trung vị {hours} giờ;";
    report_paragraph_orders_untimed(orders)
        " {orders} orders of competent authorities were carried out;"
        => " Đã thực hiện {orders} yêu cầu của cơ quan có thẩm quyền;";
    report_paragraph_reviews(received, accepted)
        " {received} requests to unblock a name were received, {accepted} accepted. "
        => " tiếp nhận {received} đề nghị xem xét bỏ chặn, chấp nhận {accepted}. ";
    report_not_people()
        "These are counts of domain name queries, not of pupils or of visits; the system keeps nothing that \
         identifies a pupil."
        => "Số liệu là số truy vấn tên miền, không phải số học sinh hay số lần truy cập; hệ thống không lưu \
            thông tin định danh học sinh.";
    report_hidden_rule()
        "\"<10\": 1 to 9, not told, to protect pupils. A total with such counts takes each as 5, is rounded \
         to 10 and marked ≈; totals and shares are made of the published numbers only."
        => "“<10”: từ 1 đến 9, không công bố để bảo vệ học sinh. Tổng có số như vậy tính mỗi số là 5, làm \
            tròn đến 10 và ghi dấu ≈; tổng và tỷ lệ chỉ tính từ các số đã công bố.";
    report_public_rule()
        "In this public version every count is rounded to 10; counts of 1 to 9 are \"<10\"."
        => "Trong bản công khai này mọi số lượt được làm tròn đến 10; số từ 1 đến 9 ghi “<10”.";
    report_merged_rule()
        "\"Merged\": one network group and one site count once in 60 seconds, as one page makes several \
         queries."
        => "“Đã gộp”: cùng một nhóm mạng và cùng một trang trong 60 giây chỉ tính một lần, vì mở một trang \
            sinh ra nhiều truy vấn.";
    report_without_clock(count)
        "{count} queries came while no clock could be trusted; they count in the month of the first trusted \
         time after them."
        => "{count} truy vấn đến khi đồng hồ chưa tin cậy; được tính vào tháng của thời điểm tin cậy đầu \
            tiên sau đó.";

    table_by_level() "1. By school level" => "1. Theo cấp học";
    table_by_commune() "2a. By commune" => "2a. Theo xã/phường";
    table_by_district() "2b. By former district" => "2b. Theo huyện/thành phố (trước 01/7/2025)";
    table_by_category() "3. By category" => "3. Theo nhóm nội dung";
    table_by_month() "4. By month" => "4. Theo tháng";
    table_absent() "5. Schools that did not report" => "5. Trường chưa triển khai hoặc không gửi số liệu";
    table_orders() "6. Orders of competent authorities" => "6. Yêu cầu của cơ quan có thẩm quyền";
    table_reviews() "7. Wrong blocks mended" => "7. Chặn nhầm đã sửa";
    table_refused() "Files that were not counted" => "Tệp không được tính";
    table_gaps() "Time without full filtering" => "Thời gian chưa chặn lọc đầy đủ";
    report_by_month() "By month" => "Theo tháng";
    report_by_category() "By category" => "Theo nhóm nội dung";
    table_standings() "Attestations of the boxes" => "Bản xác nhận có chữ ký số của các máy";
    table_boxes() "Boxes" => "Danh sách máy";
    plot_by_category() "Blocked, by category" => "Số lượt bị chặn theo nhóm nội dung";
    plot_by_month() "Blocked, by month" => "Số lượt bị chặn theo tháng";

    column_level() "Level" => "Cấp học";
    column_commune() "Commune" => "Xã/Phường";
    column_district() "Former district" => "Huyện/Thành phố (trước 01/7/2025)";
    column_category() "Category" => "Nhóm nội dung";
    column_category_id() "Id" => "Mã nhóm";
    column_month() "Month" => "Tháng";
    column_schools() "Schools reporting" => "Số trường có số liệu";
    column_registered() "Schools" => "Tổng số trường";
    column_queries() "Queries" => "Tổng số truy vấn";
    column_blocked() "Blocked" => "Số lượt bị chặn";
    column_merged() "Blocked (merged)" => "Bị chặn (đã gộp)";
    column_rate() "Blocked (%)" => "Tỷ lệ chặn (%)";
    column_share() "Share of blocked (%)" => "Tỷ trọng (%)";
    column_observed() "Only counted" => "Chỉ ghi nhận";
    column_uptime() "Enforced (%)" => "Thời gian hoạt động (%)";
    column_school_id() "Id" => "Mã trường";
    column_school() "School" => "Tên trường";
    column_why() "Why" => "Lý do";
    column_file() "File" => "Tệp";
    column_orders() "Carried out" => "Số yêu cầu đã thực hiện";
    column_hours() "Median time (hours)" => "Thời gian trung vị (giờ)";
    column_received() "Requests" => "Số đề nghị";
    column_accepted() "Accepted" => "Được chấp nhận";
    column_reviews() "Requests / accepted" => "Đề nghị / chấp nhận";
    column_box() "Box" => "Máy";
    column_boxes() "Boxes" => "Số máy";
    column_standing() "State" => "Tình trạng";
    column_cause() "Cause" => "Nguyên nhân";
    column_hours_of() "Hours" => "Số giờ";

    row_total() "Total" => "Tổng cộng";
    row_no_place() "Not in the registry" => "Chưa có trong danh mục";
    row_all_categories() "All categories" => "Tất cả các nhóm";
    row_protected() "Protected categories" => "Nhóm được bảo vệ";
    row_no_category() "No category" => "Không thuộc nhóm nào";
    standing_verified() "verified" => "đã xác thực";
    standing_months(months) "{months} months" => "{months} tháng";
    standing_unsigned() "unsigned" => "không có chữ ký";
    standing_refused() "refused" => "không hợp lệ";
    absent_no_file() "no file" => "không gửi tệp";
    absent_refused() "its file was not counted" => "tệp gửi lên không được tính";
    absent_no_month() "no month recorded" => "không có tháng nào có số liệu";

    note_rounded() "totals rounded to 10" => "tổng làm tròn đến 10";
    note_raised() "queries rounded up" => "tổng truy vấn làm tròn lên";
    note_without_clock(count)
        "{count} queries without a trusted clock" => "{count} truy vấn khi đồng hồ chưa tin cậy";
    note_partly_recorded(days)
        "{days} days recorded" => "có số liệu {days} ngày";
    note_began_anew() "an earlier record of the month was lost" => "bản ghi trước đó trong tháng bị mất";
    note_boxes(count) "{count} boxes" => "{count} máy";

    sign_maker() "Made by" => "Người lập biểu";
    sign_head() "Head of the school" => "Thủ trưởng đơn vị";
    sign_department() "Head of the publishing department" => "Thủ trưởng cơ quan tổng hợp";
    report_recipients() "Sent to" => "Nơi nhận";
}
