//! Vietnamese: what the program says in English, and the same for school people.
//!
//! `{}` stands for what changes, in the same order on both sides. A sentence that is not
//! here is said in English; `tests/config` holds that every hint of the config is.

mod mistakes;

pub(super) use mistakes::MISTAKES;

/// English and Vietnamese.
pub(super) const PHRASES: &[(&str, &str)] = &[
    // Hints.
    ("did you mean `{}`?", "có phải ý bạn là `{}`?"),
    (
        "add `{}`, or make it the `default_group`",
        "thêm `{}`, hoặc đặt nhóm này làm `default_group`",
    ),
    ("add `{}` with every level", "thêm `{}` với đủ các cấp học"),
    ("add `{}`, or remove it", "thêm `{}`, hoặc xóa đi"),
    ("add `{}`, or `{}`", "thêm `{}`, hoặc `{}`"),
    ("add `days`, `times` or `calendar`", "thêm `days`, `times` hoặc `calendar`"),
    ("add `{}`", "thêm `{}`"),
    (
        "a table that can stand many times has two brackets: `{}`",
        "bảng có thể lặp lại phải viết hai dấu ngoặc: `{}`",
    ),
    (
        "a table that stands once has one bracket: `{}`",
        "bảng chỉ có một lần phải viết một dấu ngoặc: `{}`",
    ),
    (
        "a schedule can have several `times`; give another one another name",
        "một lịch có thể có nhiều `times`; lịch khác thì đặt tên khác",
    ),
    (
        "a path is absolute, or relative to the directory of this file",
        "đường dẫn là tuyệt đối, hoặc tính từ thư mục của tệp này",
    ),
    ("this is not the file that was meant", "đây không phải là tệp cần dùng"),
    (
        "a date is 20270101, a time 20270101T073000 or, in UTC, 20270101T003000Z",
        "ngày viết là 20270101, giờ viết là 20270101T073000 hoặc theo UTC là 20270101T003000Z",
    ),
    (
        "an essential name resolves in every mode; name only what does that one job",
        "tên thiết yếu luôn được phân giải; chỉ ghi tên làm đúng một việc đó",
    ),
    (
        "an event of one whole day ends on the day after",
        "sự kiện trọn một ngày kết thúc vào ngày hôm sau",
    ),
    ("choose another name", "hãy chọn tên khác"),
    (
        "copy it to the gateway, and its key by another way",
        "chép tệp vào cổng, và chép khóa bằng đường khác",
    ),
    ("give each group its own name", "mỗi nhóm cần một tên riêng"),
    ("give it a date in the calendar program", "đặt ngày cho sự kiện trong chương trình lịch"),
    (
        "give it an end, or make it one of the whole day",
        "đặt giờ kết thúc, hoặc để là sự kiện cả ngày",
    ),
    ("give the admin server another port", "đặt cổng khác cho máy chủ quản trị"),
    (
        "give the list as names: who is blocked by it may ask why",
        "hãy đưa danh sách ở dạng tên: người bị chặn có quyền hỏi lý do",
    ),
    (
        "leave it in one: `block` refuses its names, `observe` only counts them",
        "chỉ để ở một nơi: `block` chặn, `observe` chỉ đếm",
    ),
    (
        "leave it in one; a longer prefix goes before a shorter one",
        "chỉ để ở một nhóm; dải mạng dài hơn được xét trước",
    ),
    ("leave it in one", "chỉ để ở một nơi"),
    ("leave it out", "hãy bỏ đi"),
    ("let one of them lead to a name with an address", "hãy để một bản ghi dẫn tới tên có địa chỉ"),
    ("let the server know the gateway by its address", "hãy để máy chủ nhận ra cổng qua địa chỉ"),
    ("lower `{}` or raise `{}`", "giảm `{}` hoặc tăng `{}`"),
    ("make an event of each date", "hãy tạo riêng từng ngày thành một sự kiện"),
    (
        "move `{}` to the top, before the first `[table]`",
        "chuyển `{}` lên đầu tệp, trước `[bảng]` đầu tiên",
    ),
    (
        "name all its servers in one `[[forward]]`",
        "ghi tất cả máy chủ của nó trong một `[[forward]]`",
    ),
    (
        "name another server: a query must not come back to its sender",
        "hãy chọn máy chủ khác: truy vấn không được quay về nơi gửi",
    ),
    (
        "name the networks of the school, or leave the key out",
        "ghi các mạng của trường, hoặc bỏ khóa này",
    ),
    ("name the zone itself, such as `{}`", "ghi đúng vùng cần chuyển, ví dụ `{}`"),
    (
        "one group can have many prefixes in `clients`",
        "một nhóm có thể có nhiều dải mạng trong `clients`",
    ),
    ("put it below a line such as `{}`", "đặt dưới một dòng như `{}`"),
    (
        "remove `days` and `times`, or look at the dates of the calendar",
        "bỏ `days` và `times`, hoặc xem lại ngày trong lịch",
    ),
    (
        "remove it from `block`; to refuse single names, use `deny`",
        "bỏ khỏi `block`; muốn chặn từng tên thì dùng `deny`",
    ),
    (
        "remove it from `observe`, or give the profile `{}` if no pupil is bound by it",
        "bỏ khỏi `observe`, hoặc đặt `{}` cho hồ sơ nếu không áp dụng cho học sinh",
    ),
    (
        "remove it from `observe`; nobody at a school can loosen it",
        "bỏ khỏi `observe`; nhà trường không được nới lỏng",
    ),
    (
        "remove it from `observe`; only the department can open it: {}",
        "bỏ khỏi `observe`; chỉ cơ quan quản lý mới mở được: {}",
    ),
    (
        "remove it from `{}`; only the department can open it",
        "bỏ khỏi `{}`; chỉ cơ quan quản lý mới mở được",
    ),
    (
        "remove it from `{}`; if the list is wrong, ask the department to allow it",
        "bỏ khỏi `{}`; nếu danh sách sai, đề nghị cơ quan quản lý cho phép",
    ),
    (
        "name them in `{}`, or leave the key out; only the department can open it: {}",
        "ghi chúng trong `{}`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được: {}",
    ),
    (
        "name them in `{}`, or leave the key out; only the department can open it",
        "ghi chúng trong `{}`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được",
    ),
    (
        "write `{}`, or leave the key out; only the department can open it: {}",
        "viết `{}`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được: {}",
    ),
    (
        "write `{}`, or leave the key out; only the department can open it",
        "viết `{}`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được",
    ),
    (
        "a lock keeps what is on; write what must be on, or leave the key out",
        "khóa là để giữ những gì đang bật; ghi những gì phải bật, hoặc bỏ khóa này",
    ),
    ("add `{}`, `{}`, `{}` or `{}`", "thêm `{}`, `{}`, `{}` hoặc `{}`"),
    ("remove it; a file is read when it changes", "bỏ đi; tệp được đọc lại khi thay đổi"),
    ("remove it", "hãy xóa đi"),
    ("remove one of the two `{}`", "bỏ một trong hai `{}`"),
    ("remove one of the two", "bỏ một trong hai"),
    ("remove one of them, or make two `{}`", "bỏ một trong hai, hoặc tách thành hai `{}`"),
    (
        "remove the line; nobody at a school can loosen it",
        "xóa dòng này; nhà trường không được nới lỏng",
    ),
    ("remove this `{}`", "xóa `{}` này"),
    ("save it again", "hãy lưu lại"),
    (
        "save it from a calendar program as iCalendar (.ics)",
        "hãy lưu từ chương trình lịch ở dạng iCalendar (.ics)",
    ),
    (
        "save the calendar again; do not edit it by hand",
        "hãy lưu lại lịch từ chương trình; đừng sửa bằng tay",
    ),
    (
        "save the calendar with an IANA zone such as `{}`, or without one",
        "hãy lưu lịch với múi giờ IANA như `{}`, hoặc không ghi múi giờ",
    ),
    (
        "write `{}`: it stands for the name and all below it",
        "viết `{}`: gồm tên này và mọi tên bên dưới",
    ),
    ("write `{}` for the whole day", "viết `{}` cho cả ngày"),
    ("write `{}`; `{}` ends on the next day", "viết `{}`; `{}` kết thúc vào ngày hôm sau"),
    ("write `{}` for a day or `{}`", "viết `{}` cho một ngày hoặc `{}`"),
    ("write `{}`, `{}` or a single address", "viết `{}`, `{}` hoặc một địa chỉ"),
    ("write `{}`, `{}` or `{}`", "viết `{}`, `{}` hoặc `{}`"),
    ("write `{}`, or leave the key out", "viết `{}`, hoặc bỏ khóa này"),
    (
        "write the network, `{}`, or the single address, `{}`",
        "viết dải mạng `{}`, hoặc một địa chỉ `{}`",
    ),
    ("write the servers for everything into `{}`", "ghi máy chủ dùng chung vào `{}`"),
    ("write it as `{}`", "viết là `{}`"),
    ("write an IANA name such as `{}`", "viết tên IANA như `{}`"),
    ("write `{}`", "viết `{}`"),
    // Refusals: who locked what.
    (
        "`{}` cannot be let through: the taxonomy locks it for everyone",
        "`{}` không thể mở: danh mục khóa nhóm này với mọi người",
    ),
    (
        "`{}` cannot be let through: the taxonomy locks it for pupils, and this profile is used at level `{}`",
        "`{}` không thể mở: danh mục khóa nhóm này với học sinh, và hồ sơ này dùng cho cấp `{}`",
    ),
    (
        "`{}` cannot be let through: {} locks it for level `{}` ({})",
        "`{}` không thể mở: {} khóa nhóm này với cấp `{}` ({})",
    ),
    (
        "`{}` cannot be let through: {} locks it for level `{}`",
        "`{}` không thể mở: {} khóa nhóm này với cấp `{}`",
    ),
    ("`{}` cannot be let through: {} denies `{}`", "`{}` không thể mở: {} cấm `{}`"),
    (
        "`{}` cannot be let through, for `{}` lists it and is locked: the taxonomy locks it for everyone",
        "`{}` không thể mở, vì thuộc nhóm `{}` đang bị khóa: danh mục khóa nhóm này với mọi người",
    ),
    (
        "`{}` cannot be let through, for `{}` lists it and is locked: the taxonomy locks it for pupils, and this profile is used at level `{}`",
        "`{}` không thể mở, vì thuộc nhóm `{}` đang bị khóa: danh mục khóa nhóm này với học sinh, và hồ sơ này dùng cho cấp `{}`",
    ),
    (
        "`{}` cannot be let through, for `{}` lists it and is locked: {} locks it for level `{}` ({})",
        "`{}` không thể mở, vì thuộc nhóm `{}` đang bị khóa: {} khóa nhóm này với cấp `{}` ({})",
    ),
    (
        "`{}` cannot be let through, for `{}` lists it and is locked: {} locks it for level `{}`",
        "`{}` không thể mở, vì thuộc nhóm `{}` đang bị khóa: {} khóa nhóm này với cấp `{}`",
    ),
    ("`{}` cannot be let through: {} denies it", "`{}` không thể mở: {} cấm tên này"),
    (
        "safe search of {} cannot be off: {} locks it for level `{}` ({})",
        "không thể tắt tìm kiếm an toàn của {}: {} khóa với cấp `{}` ({})",
    ),
    (
        "safe search of {} cannot be off: {} locks it for level `{}`",
        "không thể tắt tìm kiếm an toàn của {}: {} khóa với cấp `{}`",
    ),
    (
        "`{}` must be at least `{}`, not `{}`: {} locks it for level `{}` ({})",
        "`{}` ít nhất phải là `{}`, không thể là `{}`: {} khóa với cấp `{}` ({})",
    ),
    (
        "`{}` must be at least `{}`, not `{}`: {} locks it for level `{}`",
        "`{}` ít nhất phải là `{}`, không thể là `{}`: {} khóa với cấp `{}`",
    ),
    (
        "canaries of {} cannot be off: {} locks it for level `{}` ({})",
        "không thể tắt tên báo hiệu của {}: {} khóa với cấp `{}` ({})",
    ),
    (
        "canaries of {} cannot be off: {} locks it for level `{}`",
        "không thể tắt tên báo hiệu của {}: {} khóa với cấp `{}`",
    ),
    (
        "`{}` is locked for everyone; a department cannot open it",
        "`{}` bị khóa với mọi người; cơ quan quản lý cũng không mở được",
    ),
    ("`{}` is not locked, so there is nothing to open", "`{}` không bị khóa nên không có gì để mở"),
    // Mistakes that a school makes most.
    ("unknown {} `{}`; this file defines none", "không có {} `{}`; tệp này chưa khai báo"),
    ("unknown {} `{}`; known are {}", "không có {} `{}`; hiện có {}"),
    ("unknown key `{}`; the keys here are {}", "không có khóa `{}`; ở đây có {}"),
    ("there is no time zone `{}`", "không có múi giờ `{}`"),
    ("there is a group `{}` already", "đã có nhóm `{}`"),
    ("there is a schedule `{}` already", "đã có lịch `{}`"),
    ("no client can be in group `{}`", "không có máy nào thuộc nhóm `{}`"),
    ("`{}` is in group `{}` and in group `{}`", "`{}` vừa thuộc nhóm `{}` vừa thuộc nhóm `{}`"),
    ("`{}` is in `block` and in `observe`", "`{}` vừa ở `block` vừa ở `observe`"),
    ("`{}` in `{}` is no name: {}", "`{}` trong `{}` không phải là tên miền: {}"),
    ("`{}` is empty, so schedule `{}` never runs", "`{}` trống nên lịch `{}` không bao giờ chạy"),
    (
        "schedule `{}` never runs: no event of `{}` is on its days and times",
        "lịch `{}` không bao giờ chạy: không có sự kiện nào của `{}` trùng ngày giờ",
    ),
    ("schedule `{}` says nothing of when it runs", "lịch `{}` chưa ghi thời gian"),
    ("`{}` has no length, so it never runs", "`{}` không có độ dài nên không bao giờ chạy"),
    ("`{}` is no time from one to another", "`{}` không phải là khoảng giờ"),
    ("`{}` is no date", "`{}` không phải là ngày"),
    ("`{}` cannot be read: {}", "không đọc được `{}`: {}"),
    ("this event ends before it begins", "sự kiện này kết thúc trước khi bắt đầu"),
    (
        "this is not a calendar; one begins with `{}`",
        "đây không phải là lịch; tệp lịch bắt đầu bằng `{}`",
    ),
];
