//! `[portal]` in the config.

use crate::lang::message::messages;

messages! {
    portal_needs_listen(what, key) "`{what}` needs `{key}`: there is no portal without it"
        => "`{what}` cần có `{key}`: thiếu khóa này thì không có cổng thông tin";
    portal_another_port() "give the portal another port" => "hãy cho cổng thông tin một cổng khác";
    portal_too_many(key, most) "`{key}` has more than {most}" => "`{key}` có hơn {most} mục";
    portal_special_name(name)
        "`{name}` cannot name the portal: it is a single label, or has a meaning of its own on every network"
        => "không thể dùng `{name}` cho cổng thông tin: tên chỉ có một nhãn, hoặc đã có nghĩa riêng trên mọi mạng";
    portal_public_name(name)
        "anybody may register `{name}`, and away from school browsers would send its owner what they keep for it"
        => "ai cũng có thể đăng ký `{name}`, và ngoài trường trình duyệt sẽ gửi dữ liệu đã lưu cho chủ của tên đó";
    portal_name_taken(name, key) "`{name}` is answered by `{key}` already"
        => "`{name}` đã được trả lời theo `{key}`";
    portal_write_name(name, owned)
        "write a name that nobody can register, such as `{name}`; of a name that the school has registered, say `{owned}`"
        => "ghi tên không ai đăng ký được, ví dụ `{name}`; nếu nhà trường đã đăng ký tên này, ghi `{owned}`";
    portal_no_address(text) "`{text}` is no address that a browser can reach"
        => "`{text}` không phải là địa chỉ mà trình duyệt tới được";
    portal_needs_address(key) "the portal listens on every address, so `{key}` must say which ones its name leads to"
        => "cổng thông tin nghe trên mọi địa chỉ, nên `{key}` phải cho biết tên của nó dẫn tới đâu";
    portal_text(key, most) "`{key}` is empty, longer than {most} characters, or has control characters"
        => "`{key}` rỗng, dài hơn {most} ký tự, hoặc có ký tự điều khiển";
    portal_help_needs(label, number) "a help line has a `{label}` and a `{number}`"
        => "một đường dây trợ giúp cần `{label}` và `{number}`";
}
