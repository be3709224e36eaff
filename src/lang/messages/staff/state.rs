//! The state of a gateway in words: `lachan status`, and the technician's page.

use crate::lang::message::messages;

messages! {
    // The first line.
    filtering_on(since) "filtering: on since {since}" => "đang lọc: từ {since}";
    filtering_partly(since) "filtering: in part, since {since}" => "đang lọc: chỉ một phần, từ {since}";
    filtering_off(since) "filtering: OFF, running since {since}" => "KHÔNG LỌC, đang chạy từ {since}";
    state_ok() "all is as it should be" => "mọi thứ bình thường";
    state_degraded(since) "needs attention since {since}" => "cần xử lý từ {since}";
    state_notices() "works; there is something to look at" => "đang hoạt động; có điều cần xem";
    program_version(version, generation) "lachan {version}, policy number {generation}"
        => "lachan {version}, chính sách số {generation}";
    what_to_do(remedy) "what to do: {remedy}" => "cần làm: {remedy}";

    // Headings.
    heading_todo() "To do" => "Việc cần làm";
    heading_lists() "Lists" => "Danh sách";
    heading_upstreams() "Upstream servers" => "Máy chủ DNS phía trên";
    heading_release() "Release of the department" => "Bản phát hành của Sở";
    heading_box() "This box" => "Máy này";
    heading_errors() "Last warnings of the log" => "Cảnh báo gần đây trong nhật ký";

    // Lists.
    list_ok(name, rules, age) "{name}: ok, {rules} rules{age}" => "{name}: tốt, {rules} quy tắc{age}";
    list_held(name, rules, age) "{name}: kept copy stands in, {rules} rules{age}"
        => "{name}: đang dùng bản lưu, {rules} quy tắc{age}";
    list_left_out(name) "{name}: NOT in force" => "{name}: KHÔNG có hiệu lực";
    hours_old(hours) ", {hours} h old" => ", cũ {hours} giờ";
    days_old(days) ", {days} days old" => ", cũ {days} ngày";

    // Upstream.
    upstream_up(name) "{name}: answers" => "{name}: trả lời tốt";
    upstream_down(name, minutes) "{name}: does not answer, for {minutes} min"
        => "{name}: không trả lời, đã {minutes} phút";

    // Releases.
    release_in_use(release, ring) "release {release}, {ring}" => "bản phát hành {release}, {ring}";
    in_ring(ring) "ring `{ring}`" => "nhóm triển khai `{ring}`";
    no_ring() "no ring yet" => "chưa có nhóm triển khai";
    no_release_yet() "no release yet" => "chưa có bản phát hành nào";
    no_repository() "this box follows no department" => "máy này không theo Sở nào";
    program_chosen(version) "program chosen by the department: lachan {version}"
        => "phiên bản chương trình do Sở chọn: lachan {version}";
    program_upgraded(version, at) "lachan {version} was installed by `lachan upgrade` at {at}"
        => "lachan {version} do `lachan upgrade` cài lúc {at}";
    finding_program_refused(version)
        "lachan {version}, which the department chose, was refused here; the program before it runs on"
        => "lachan {version} do Sở chọn không qua được kiểm tra ở máy này; chương trình trước đó vẫn chạy";
    finding_upgrade_failed() "the last upgrade of the program did not come about; the installed one runs on"
        => "lần nâng cấp chương trình gần nhất không thực hiện được; bản đang cài vẫn chạy";
    remedy_upgrade_failed() "see the cause, then `lachan upgrade --check` as root"
        => "xem nguyên nhân, rồi chạy `lachan upgrade --check` bằng quyền root";
    update_looked_for(at) "last looked for: {at}" => "lần kiểm tra gần nhất: {at}";
    update_never_looked_for() "last looked for: not since the start"
        => "lần kiểm tra gần nhất: chưa, từ khi khởi động";
    repository_server_ok(url) "{url}: ok" => "{url}: tốt";
    repository_server_fails(url, why) "{url}: {why}" => "{url}: {why}";
    emergency_in_use(version, block, warn, allow, when)
        "emergency list {version}: {block} blocked, {warn} warned, {allow} allowed now; {when}"
        => "danh sách khẩn số {version}: đang chặn {block}, cảnh báo {warn}, cho phép {allow}; {when}";
    emergency_took(seconds) "in use {seconds} s after its signing" => "có hiệu lực {seconds} giây sau khi ký";
    emergency_signed(at) "signed at {at}" => "ký lúc {at}";

    // The box.
    clock_is_synced() "clock: right, confirmed by a time server" => "đồng hồ: đúng, đã khớp máy chủ giờ";
    clock_is_plausible() "clock: plausible, not confirmed by a time server"
        => "đồng hồ: có vẻ đúng, chưa khớp máy chủ giờ";
    clock_is_untrusted() "clock: WRONG; lessons and schedules are strict"
        => "đồng hồ: SAI; lịch học chạy ở mức chặt nhất";
    kept_in_state() "kept for the next start: in the state directory"
        => "lưu cho lần khởi động sau: trong thư mục trạng thái";
    kept_in_memory() "kept for the next start: no, in memory only"
        => "lưu cho lần khởi động sau: không, chỉ trong bộ nhớ";
    reviews_waiting(open, allows)
        "reviews: {open} wait for an answer, {allows} names are allowed; see `lachan review list`"
        => "yêu cầu xem xét: {open} đang chờ, {allows} tên đã cho phép; xem `lachan review list`";
    error_line(at, text) "{at}  {text}" => "{at}  {text}";
    error_line_times(at, text, times) "{at}  {text} ({times} times)" => "{at}  {text} ({times} lần)";
    no_errors() "none since the start" => "không có từ khi khởi động";

    // Findings, each with its remedy.
    finding_no_lists() "no name is listed: nothing is blocked by category"
        => "không có danh sách nào: không nhóm nội dung nào bị chặn";
    remedy_no_lists() "set `starter = true` in [lists], or add a source; then `lachan check`"
        => "đặt `starter = true` trong [lists] hoặc thêm nguồn; rồi chạy `lachan check`";
    finding_left_out(list) "list `{list}` is not in force and has no kept copy"
        => "danh sách `{list}` không có hiệu lực và không có bản lưu";
    remedy_left_out()
        "correct the file or its URL in [lists], see `lachan check`; it acts as soon as it can be read"
        => "sửa tệp hoặc URL trong [lists], xem `lachan check`; đọc được là có hiệu lực ngay";
    finding_fail_closed()
        "a category has no list and is closed: pupils reach essential and known good names only"
        => "một nhóm nội dung không có danh sách nên bị đóng: học sinh chỉ vào được tên thiết yếu và tên tốt đã biết";
    remedy_fail_closed() "bring the missing list back; it is named here too"
        => "khôi phục danh sách bị thiếu; tên của nó cũng ghi ở đây";
    finding_no_upstream() "no upstream server answers: only what is remembered is answered"
        => "không máy chủ DNS phía trên nào trả lời: chỉ còn trả lời được những gì đã nhớ";
    remedy_no_upstream()
        "look whether the line and the router work; if so, give other servers in [upstream]"
        => "kiểm tra đường truyền và bộ định tuyến; nếu vẫn tốt, ghi máy chủ khác trong [upstream]";
    finding_clock() "the clock is wrong: schedules are strict, lessons cannot be opened"
        => "đồng hồ sai: lịch chạy ở mức chặt nhất, không mở được tiết học";
    remedy_clock() "set the clock, and let the time servers through: `timedatectl set-ntp true`"
        => "chỉnh đồng hồ và cho phép máy chủ giờ: `timedatectl set-ntp true`";
    finding_refused() "the files are refused; the policy before them stays in force"
        => "cấu hình mới bị từ chối; chính sách cũ vẫn có hiệu lực";
    remedy_refused() "correct what `lachan check FILE` shows; it is read again by itself"
        => "sửa lỗi mà `lachan check TỆP` chỉ ra; máy tự đọc lại";
    finding_held(file) "`{file}` cannot be used: its kept copy stands in"
        => "không dùng được `{file}`: bản lưu đang thay thế";
    remedy_held() "repair the file; a list that shrank on purpose is taken with `lachan lists accept`"
        => "sửa lại tệp; nếu danh sách được rút ngắn có chủ ý, chạy `lachan lists accept`";
    finding_absent(address) "this machine does not have the listen address {address}"
        => "máy này không có địa chỉ lắng nghe {address}";
    remedy_absent() "plug the cable in or correct `dns` in [listen]; it is served once it is there"
        => "cắm lại cáp hoặc sửa `dns` trong [listen]; có địa chỉ là phục vụ ngay";
    finding_certificate_unusable(file)
        "encrypted DNS has no certificate that devices accept: `{file}`"
        => "DNS mã hóa không có chứng chỉ mà thiết bị chấp nhận: `{file}`";
    finding_certificate_held(file)
        "the new files of `{file}` cannot be used; the certificate before them stays in use"
        => "không dùng được tệp mới của `{file}`; chứng chỉ cũ vẫn được dùng";
    finding_name_uncovered(name)
        "no certificate covers `{name}`, a server name of a group: devices that are told it refuse the gateway"
        => "không chứng chỉ nào cấp cho `{name}`, tên máy chủ của một nhóm: thiết bị dùng tên này sẽ từ chối máy lọc";
    remedy_name_uncovered()
        "issue the certificate for this name too (`lachan certs self --name`), or take it out of `server_names`"
        => "cấp chứng chỉ cho cả tên này (`lachan certs self --name`), hoặc bỏ nó khỏi `server_names`";
    certificate_not_yet() "it is not valid yet; look at the clock" => "chưa đến ngày có hiệu lực; hãy xem lại đồng hồ";
    finding_certificate_ends(file) "a certificate of encrypted DNS must be renewed soon: `{file}`"
        => "cần sớm gia hạn chứng chỉ của DNS mã hóa: `{file}`";
    remedy_certificate()
        "put a new certificate and its key in the places of the old ones; see `lachan certs show FILE`; no restart is needed"
        => "đặt chứng chỉ mới và khóa của nó vào chỗ cũ; xem bằng `lachan certs show TỆP`; không cần khởi động lại";
    certificate_until(file, until, covers) "certificate {file}: until {until}, for {covers}"
        => "chứng chỉ {file}: đến {until}, cho {covers}";
    certificate_ended(until) "it ended at {until}" => "đã hết hạn lúc {until}";
    certificate_ends(until) "it ends at {until}" => "sẽ hết hạn lúc {until}";
    finding_no_release() "the department's release has not arrived yet"
        => "chưa nhận được bản phát hành của Sở";
    remedy_no_release()
        "look at `urls` in [update] and at the line, or take it from a stick: `lachan lists update CONFIG --from DIR`"
        => "kiểm tra `urls` trong [update] và đường truyền, hoặc lấy từ USB: `lachan lists update CONFIG --from THƯ_MỤC`";
    finding_release_held() "a release of the department waits for a person"
        => "một bản phát hành của Sở đang chờ người xem";
    remedy_release_held()
        "see what it would block with `lachan lists rehearse`; tell the department; take it with `lachan lists accept CONFIG release`"
        => "xem nó sẽ chặn gì bằng `lachan lists rehearse`; báo cho Sở; nhận bằng `lachan lists accept CONFIG release`";
    finding_release_rejected() "a release of the department is refused; the one before stays in force"
        => "một bản phát hành của Sở bị từ chối; bản trước vẫn có hiệu lực";
    remedy_release_rejected() "tell the department what stands here; nothing else needs to be done"
        => "báo cho Sở nội dung ghi ở đây; ngoài ra không cần làm gì";
    finding_release_stale(days) "no update ended well for {days} days; the old lists stay in force"
        => "đã {days} ngày không cập nhật được; danh sách cũ vẫn có hiệu lực";
    finding_repository_silent(url) "no update from {url}" => "không cập nhật được từ {url}";
    remedy_repository() "look at the line; if other sites work, ask the department about its server"
        => "kiểm tra đường truyền; nếu trang khác vẫn vào được, hỏi Sở về máy chủ đó";
    finding_list_stale() "a downloaded list was confirmed by no server for a week"
        => "một danh sách tải về đã một tuần không được máy chủ nào xác nhận";
    remedy_list_stale() "look at its URL in [lists], and at the warnings below"
        => "kiểm tra URL trong [lists] và các cảnh báo bên dưới";
    finding_upstream_down(server) "{server} does not answer; the others do"
        => "{server} không trả lời; các máy chủ khác vẫn trả lời";
    remedy_upstream_down() "nothing at once; if it stays so, replace it in [upstream]"
        => "chưa cần làm gì; nếu kéo dài, thay máy chủ này trong [upstream]";
    finding_emergency_refused(count) "{count} entries of the emergency list are beyond the limits and do not act"
        => "{count} mục trong danh sách khẩn vượt giới hạn nên không có tác dụng";
    remedy_tell_department() "tell the department" => "báo cho Sở";
    state_unread(file)
        "`{file}` in the state directory of the gateway cannot be read now, so nothing is changed and nothing is written over it; it is read again each half minute: try again soon, and tell the technician"
        => "hiện không đọc được `{file}` trong thư mục trạng thái của máy lọc nên chưa có gì thay đổi và tệp không bị ghi đè; tệp được đọc lại mỗi nửa phút: hãy thử lại sau ít phút và báo người phụ trách kỹ thuật";
    finding_state_unread(path) "{path} cannot be read now: what it says is not in force"
        => "hiện không đọc được {path}: nội dung của tệp chưa có hiệu lực";
    remedy_state_unread()
        "look at the disk, and at the owner and the mode of the file; nothing is written over it, and it is read again each half minute"
        => "kiểm tra đĩa, chủ sở hữu và quyền của tệp; tệp không bị ghi đè và được đọc lại mỗi nửa phút";
    finding_not_kept() "a restart may not find what is in force now"
        => "khởi động lại có thể không còn những gì đang có hiệu lực";
    remedy_not_kept()
        "give `dir` in [state] a directory of its own; where there is one, look at its disk and at the warnings below"
        => "ghi thư mục riêng ở `dir` trong [state]; nếu đã có, kiểm tra đĩa và các cảnh báo bên dưới";

    // Without an answer.
    gateway_silent(address, error)
        "the gateway at {address} does not answer: {error}; is it running? `systemctl status lachan` says why not"
        => "máy lọc ở {address} không trả lời: {error}; máy có đang chạy không? `systemctl status lachan` cho biết lý do";
    gateway_ready(address) "the gateway at {address} answers queries" => "máy lọc ở {address} đang trả lời truy vấn";
    gateway_not_ready(address)
        "the gateway at {address} runs and answers no queries yet, or none of its listen addresses is on this machine; its \
         log says which"
        => "máy lọc ở {address} đang chạy nhưng chưa trả lời truy vấn, hoặc máy này không có địa chỉ nào ở `listen`; nhật ký \
            cho biết lý do";
    state_unusable(path, error)
        "{path}: the state directory cannot be used: {error}; give this user a directory to write to with `dir` in [state]"
        => "{path}: không dùng được thư mục trạng thái: {error}; hãy cho tài khoản này một thư mục được phép ghi ở `dir` trong [state]";
    api_no_token()
        "the gateway has no token, so nothing can be asked of it or changed: give `dir` in [state] or `token` in [admin]; \
         where one is given its log says what is wrong with the file"
        => "máy lọc không có mã truy cập nên không hỏi hay thay đổi gì được: ghi `dir` trong [state] hoặc `token` trong [admin]; \
            nếu đã ghi, nhật ký cho biết tệp sai ở đâu";
    api_token_unread(file)
        "the gateway cannot read its token `{file}` now; no other is made, and it is read again each half minute: look at the \
         disk, and at the owner and the mode of the file"
        => "máy lọc hiện không đọc được mã truy cập `{file}`; không có mã mới nào được tạo và tệp được đọc lại mỗi nửa phút: \
            kiểm tra đĩa, chủ sở hữu và quyền của tệp";
    token_unreadable(path, error)
        "{path}: the token cannot be read: {error}; `--token FILE` names another"
        => "{path}: không đọc được mã truy cập: {error}; dùng `--token FILE` để chỉ tệp khác";
    accept_downloaded(source)
        "`{source}` is downloaded: `lachan lists fetch CONFIG --accept-shrunken` takes a download"
        => "`{source}` được tải về: dùng `lachan lists fetch CONFIG --accept-shrunken` để nhận bản tải về";
    accept_no_source(source)
        "`{source}` is no source of the config; give the `path` of one as it stands in [[lists.source]], or `packs` of [lists]"
        => "`{source}` không phải là nguồn nào của tệp cấu hình; hãy ghi `path` đúng như trong [[lists.source]], hoặc `packs` của [lists]";
    accept_no_state()
        "nothing is remembered without a state directory; set `dir` in [state], or `min_percent = 0` for the source"
        => "không có thư mục trạng thái thì không nhớ được gì; hãy ghi `dir` trong [state], hoặc `min_percent = 0` cho nguồn này";
    update_no_root(path)
        "{path}: this gateway follows no department: there is no `root` in [update]; `lachan enrol` sets it"
        => "{path}: máy lọc này không theo Sở nào: thiếu `root` trong [update]; `lachan enrol` sẽ ghi giúp";
}
