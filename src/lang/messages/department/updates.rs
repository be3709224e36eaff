//! Updates of the department's releases, as the people of a school read of them.

use crate::lang::message::messages;

messages! {
    update_disk() "the update cannot be stored; is the disk full, or read-only? The old lists stay in force"
        => "không lưu được bản cập nhật; đĩa đầy hoặc chỉ đọc? Danh sách cũ vẫn có hiệu lực";
    update_busy() "another update is at work; try again when it has ended"
        => "một bản cập nhật khác đang chạy; hãy thử lại khi nó xong";
    update_unreachable()
        "the repository cannot be reached or is half copied; the old lists stay in force"
        => "không tới được kho phát hành, hoặc kho mới chép được một nửa; danh sách cũ vẫn có hiệu lực";
    update_expired()
        "the repository is past its date: the department must refresh it; the old lists stay in force"
        => "kho phát hành đã quá hạn: Sở cần ký lại; danh sách cũ vẫn có hiệu lực";
    update_rollback()
        "the repository is older than what this gateway has seen; the old lists stay in force"
        => "kho phát hành cũ hơn bản mà cổng này đã thấy; danh sách cũ vẫn có hiệu lực";
    update_disagreeing()
        "the two servers of the repository disagree: tell the department; the old lists stay in force"
        => "hai máy chủ của kho phát hành không khớp nhau: hãy báo cho Sở; danh sách cũ vẫn có hiệu lực";
    update_signature()
        "the signatures of the repository are not those of the department; the old lists stay in force"
        => "chữ ký của kho phát hành không phải của Sở; danh sách cũ vẫn có hiệu lực";
    update_malformed() "a file of the repository is damaged; the old lists stay in force"
        => "một tệp trong kho phát hành bị hỏng; danh sách cũ vẫn có hiệu lực";
    update_clock() "the clock stepped backward; the old lists stay in force"
        => "đồng hồ bị lùi lại; danh sách cũ vẫn có hiệu lực";
    update_root()
        "what is stored is of another repository than the one that the gateway is enrolled with"
        => "dữ liệu đã lưu thuộc kho phát hành khác với kho mà cổng này đã ghi danh";
    update_root_unread()
        "the root that this gateway is enrolled with cannot be read: correct `root` in [update], or enrol the gateway"
        => "không đọc được khoá gốc mà cổng này đã ghi danh: hãy sửa `root` trong [update], hoặc ghi danh cổng";
    update_memory()
        "what was seen of releases is lost; `lachan enrol … --anew` begins a new memory"
        => "mất dữ liệu về các bản phát hành đã thấy; `lachan enrol … --anew` bắt đầu lại từ đầu";
    update_not_kept() "this release is not kept here; `lachan lists releases` shows those that are"
        => "cổng này không giữ bản phát hành đó; `lachan lists releases` cho biết các bản đang giữ";
    update_config()
        "the config of this gateway has a mistake: correct it, and the release is tried again. The old lists stay in force"
        => "tệp cấu hình của cổng này có lỗi: hãy sửa, rồi bản phát hành được thử lại. Danh sách cũ vẫn có hiệu lực";
    update_policy() "this gateway cannot use the release; the old lists stay in force"
        => "cổng này không dùng được bản phát hành; danh sách cũ vẫn có hiệu lực";
    update_program()
        "the release needs a newer program: update it on this gateway. The old lists stay in force"
        => "bản phát hành cần chương trình mới hơn: hãy cập nhật chương trình của cổng này. Danh sách cũ vẫn có hiệu lực";
    update_unsigned_program()
        "the rollout chooses a program that nobody at the department signed: it is not chosen here; tell the department"
        => "kế hoạch phát hành chọn một phiên bản chương trình không ai ở Sở đã ký: cổng này không chọn phiên bản đó; hãy báo cho Sở";
    update_rehearsal()
        "the release blocks names that no list may block by mistake; tell the department. The old lists stay in force"
        => "bản phát hành chặn những tên không danh sách nào được chặn nhầm; hãy báo cho Sở. Danh sách cũ vẫn có hiệu lực";
    update_selftest() "the release fails the self-test; the old lists stay in force"
        => "bản phát hành không qua được tự kiểm tra; danh sách cũ vẫn có hiệu lực";
    // `lachan publish apt`.
    apt_no_program(program) "`{program}` is not there; `apt install reprepro gnupg dpkg`"
        => "không có `{program}`; `apt install reprepro gnupg dpkg`";
    apt_nothing_signed() "officers signed no program yet; `lachan publish program add` signs one"
        => "cán bộ chưa ký phiên bản nào; `lachan publish program add` để ký";
    apt_all_withdrawn(place)
        "officers sign no program any more: {place} has none now; `lachan publish program add` signs one"
        => "cán bộ không còn ký phiên bản nào: {place} giờ không có gói nào; `lachan publish program add` để ký";
    apt_gpg(why) "gpg does not work here, so nothing can be signed: {why}"
        => "gpg ở đây không chạy được nên không ký được gì: {why}";
    apt_no_key()
        "gpg has no secret key here; make one: `gpg --quick-generate-key \"NAME <MAIL>\" ed25519 sign never`"
        => "gpg ở đây không có khóa bí mật nào; hãy tạo: `gpg --quick-generate-key \"TÊN <THƯ>\" ed25519 sign never`";
    apt_no_such_key(key) "gpg has no secret key `{key}` here; `gpg --list-secret-keys` shows them"
        => "gpg ở đây không có khóa bí mật `{key}`; `gpg --list-secret-keys` liệt kê các khóa";
    apt_many_keys(keys) "gpg has several secret keys here; name one with `--key`: {keys}"
        => "gpg ở đây có nhiều khóa bí mật; hãy chọn một bằng `--key`: {keys}";
    apt_other_package(wanted, found)
        "a package that was signed as `{wanted}` says that it is `{found}`; take it out: `lachan publish program remove`"
        => "gói được ký là `{wanted}` lại tự nhận là `{found}`; hãy rút gói: `lachan publish program remove`";
    apt_unsigned(place) "{place}: it has a package that no officer signed; remove the directory, and begin again"
        => "{place}: có gói không cán bộ nào ký; hãy xóa thư mục và làm lại";
    // [update]
    update_two_urls(key) "`{key}` has at most two URLs" => "`{key}` có tối đa hai URL";
    update_plain_http(text) "`{text}` is not https; http is for this machine and the school's network"
        => "`{text}` không phải https; http chỉ dùng cho máy này và mạng của trường";
    update_needs(key, needed) "`{key}` needs `{needed}`" => "`{key}` cần có `{needed}`";
    update_category_moved(id) "category `{id}` is missing or has another place; new ones stand behind those that block"
        => "nhóm nội dung `{id}` bị thiếu hoặc đổi vị trí; chỉ được thêm nhóm mới vào cuối";
}
