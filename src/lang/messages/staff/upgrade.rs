//! Upgrades of the program: `lachan upgrade`.

use crate::lang::message::messages;

messages! {
    // What it came to.
    upgrade_no_department() "this gateway follows no department: nobody chooses a program for it"
        => "máy này không theo Sở nào: không ai chọn phiên bản chương trình cho nó";
    upgrade_none_chosen(installed) "lachan {installed} stays: the rollout chooses no program for this gateway"
        => "giữ lachan {installed}: kế hoạch phát hành không chọn phiên bản nào cho máy này";
    upgrade_up_to_date(installed) "lachan {installed} is the chosen program"
        => "lachan {installed} đúng là phiên bản được chọn";
    upgrade_would(version, installed) "lachan {version} would be tried and installed in the place of {installed}"
        => "sẽ thử rồi cài lachan {version} thay cho {installed}";
    upgrade_older(version, installed)
        "lachan {version} is older than {installed}, which officers have not withdrawn: it is not installed. The rollout's key alone leads nobody back; tell the department"
        => "lachan {version} cũ hơn {installed} và cán bộ chưa rút bản {installed}: không cài. Chỉ khóa của kế hoạch phát hành thì không đưa được máy nào về bản cũ; hãy báo cho Sở";
    upgrade_rejected_before(version, why)
        "lachan {version} failed here before, and is not tried again by itself ({why}); `lachan upgrade --again` tries it"
        => "lachan {version} đã không đạt ở máy này và không tự thử lại ({why}); muốn thử lại: `lachan upgrade --again`";
    upgrade_done(version, before) "lachan {version} is installed and answers; before it was {before}"
        => "đã cài lachan {version}, chương trình trả lời tốt; trước đó là {before}";
    upgrade_refused(version, installed, why)
        "lachan {version} fails its rehearsal, and nothing was installed: {installed} runs on ({why})"
        => "lachan {version} không qua được lần chạy thử, không cài gì: {installed} vẫn chạy ({why})";
    upgrade_went_back(version, before, why)
        "lachan {version} failed after its installation: {before} is installed again and answers ({why})"
        => "lachan {version} hỏng sau khi cài: đã cài lại {before} và chương trình trả lời tốt ({why})";
    upgrade_died(times) "the machine went down {times} times during its installation"
        => "máy tắt {times} lần giữa lúc cài";

    // What stopped it, and is no fault of the program.
    upgrade_fault_root() "`lachan upgrade` installs as root; `sudo lachan upgrade`"
        => "`lachan upgrade` cài bằng quyền root; hãy dùng `sudo lachan upgrade`";
    upgrade_fault_package() "lachan is not installed as a Debian package here, so nothing can be upgraded"
        => "lachan ở đây không cài từ gói Debian nên không nâng cấp được";
    upgrade_fault_state(why) "the record of upgrades cannot be used: {why}"
        => "không dùng được sổ ghi nâng cấp: {why}";
    upgrade_fault_exposed(dir, place)
        "root keeps upgrades in {dir}, and another account could replace them: {place} belongs to one, or others can write to it. Give it to root (`chown root`, `chmod go-w`) and remove {dir}, or choose a `dir` in [state] whose parents are root's, such as /var/lib/lachan"
        => "root lưu việc nâng cấp ở {dir}, mà tài khoản khác có thể thay: {place} thuộc tài khoản khác, hoặc người khác ghi được vào đó. Hãy giao nó cho root (`chown root`, `chmod go-w`) rồi xóa {dir}, hoặc chọn `dir` trong [state] nằm dưới thư mục của root, như /var/lib/lachan";
    upgrade_fault_look(place) "only root can look at {place}; `sudo lachan upgrade --check`"
        => "chỉ root xem được {place}; hãy dùng `sudo lachan upgrade --check`";
    upgrade_fault_record(place, why)
        "{place}: the record of upgrades cannot be read, and what failed here is in it, so nothing is done: {why}. Mend the disk; where the file is damaged, remove it, and what failed may be tried again"
        => "{place}: không đọc được sổ ghi nâng cấp, mà trong đó có những bản đã không đạt ở máy này, nên không làm gì: {why}. Hãy sửa ổ đĩa; nếu tệp bị hỏng thì xóa tệp, và các bản không đạt có thể được thử lại";
    upgrade_fault_repository(why, fault) "what people signed cannot be verified: {why} ({fault})"
        => "không kiểm chứng được những gì cán bộ đã ký: {why} ({fault})";
    upgrade_fault_memory(place)
        "{place}: what upgrades have seen of the repository is lost, so an old one could be taken for new. Compare the fingerprint of the root with the department's letter, then `lachan upgrade --trust FINGERPRINT` begins anew"
        => "{place}: mất dữ liệu mà việc nâng cấp đã thấy ở kho phát hành, nên kho cũ có thể bị nhầm là mới. Hãy so dấu vân tay của khóa gốc với thư của Sở rồi chạy `lachan upgrade --trust DẤU-VÂN-TAY` để bắt đầu lại";
    upgrade_fault_busy() "another `lachan upgrade` is at work; try again when it has ended"
        => "một `lachan upgrade` khác đang chạy; hãy thử lại khi nó xong";
    upgrade_fault_root_changed(found)
        "the enrolled root, with the fingerprint {found}, is not the one that upgrades trust. Compare the fingerprint with the department's letter, then `lachan upgrade --trust FINGERPRINT`"
        => "khóa gốc đang ghi danh, dấu vân tay {found}, không phải khóa gốc mà việc nâng cấp tin. Hãy so dấu vân tay với thư của Sở rồi chạy `lachan upgrade --trust DẤU-VÂN-TAY`";
    upgrade_fault_digest(version, from)
        "what {from} gives as lachan {version} is not what people signed: dpkg never saw it; tell the department"
        => "gói mà {from} đưa ra làm lachan {version} không phải gói cán bộ đã ký: dpkg chưa hề đọc; hãy báo cho Sở";
    upgrade_fault_download(version, why) "lachan {version} cannot be had: {why}"
        => "không lấy được lachan {version}: {why}";
    upgrade_fault_no_way_back(installed)
        "there is no package of lachan {installed} to go back to, so nothing is installed: the department signs it (`lachan publish program add`), and it is kept here from the next run on"
        => "không có gói lachan {installed} để quay về nên không cài gì: Sở ký gói đó (`lachan publish program add`), lần chạy sau máy sẽ giữ lại";
    upgrade_fault_way_back(installed, why)
        "the package of lachan {installed}, the way back, cannot be fetched, so nothing is installed; it is fetched again at the next run: {why}"
        => "không lấy được gói lachan {installed} để quay về nên không cài gì; lần chạy sau sẽ lấy lại: {why}";
    upgrade_fault_changed(place, version)
        "{place} is not lachan {version} as officers signed it: dpkg never saw it. Remove it; the next run fetches it again, or get it from the department and `dpkg --install` it"
        => "{place} không phải lachan {version} mà cán bộ đã ký: dpkg chưa hề đọc. Hãy xóa tệp đó; lần chạy sau sẽ lấy lại, hoặc xin gói từ Sở rồi `dpkg --install`";
    upgrade_fault_stopped() "the gateway was stopped by somebody (`systemctl start lachan`): nothing is installed meanwhile"
        => "có người đã dừng cổng lọc (`systemctl start lachan`): trong lúc đó không cài gì";
    upgrade_fault_both(why) "the installed program fails in the same way, so the new one is not to blame: {why}"
        => "chương trình đang cài cũng hỏng như vậy nên không phải lỗi của bản mới: {why}";
    upgrade_fault_machine(why)
        "this machine is at fault, not the new program, and nothing was installed; the next run tries again: {why}"
        => "lỗi ở máy này chứ không phải ở bản mới, không cài gì; lần chạy sau sẽ thử lại: {why}";
    upgrade_fault_dpkg_asked(why) "dpkg does not say what is installed, so nothing was changed: {why}"
        => "dpkg không cho biết đang cài bản nào nên không thay đổi gì: {why}";
    upgrade_fault_dpkg(why) "dpkg could not end what it was interrupted in: {why}"
        => "dpkg không làm xong việc bị ngắt giữa chừng: {why}";
    upgrade_fault_lost(version, why)
        "lachan {version} failed, AND THE PROGRAM BEFORE IT DOES NOT ANSWER EITHER: {why}. See `journalctl -u lachan`"
        => "lachan {version} hỏng VÀ CHƯƠNG TRÌNH TRƯỚC ĐÓ CŨNG KHÔNG TRẢ LỜI: {why}. Xem `journalctl -u lachan`";
    upgrade_trusted(fingerprint) "upgrades trust the root {fingerprint} from now on"
        => "từ nay việc nâng cấp tin khóa gốc {fingerprint}";
    upgrade_forgot(count) "{count} refused packages may be tried again"
        => "{count} gói bị từ chối có thể được thử lại";
}
