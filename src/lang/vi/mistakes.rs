//! Vietnamese: what is wrong with a config, a calendar or a department's file.
//!
//! Sentences that begin alike stand with the longer first; what stands outside backticks in a
//! gap is looked up here too, so a reason inside a sentence is said in the same language.

/// English and Vietnamese.
pub(in crate::lang) const MISTAKES: &[(&str, &str)] = &[
    // Names.
    ("the name is cut short", "tên bị cắt cụt"),
    ("the name is longer than 255 octets; shorten it", "tên dài quá 255 byte; hãy rút ngắn"),
    (
        "a label of {} octets is longer than 63; shorten it",
        "một nhãn dài {} byte, quá 63; hãy rút ngắn",
    ),
    (
        "a label is empty; write single dots between labels",
        "có nhãn trống; giữa các nhãn chỉ viết một dấu chấm",
    ),
    ("the name is empty", "tên trống"),
    (
        "`{}` cannot stand in a name; letters, digits, `-`, `_` and `.` can",
        "tên miền không được có `{}`; chỉ gồm chữ, số, `-`, `_` và `.`",
    ),
    (
        "the name cannot be converted to its ASCII form (UTS-46); check the spelling",
        "không chuyển được tên sang dạng ASCII (UTS-46); hãy xem lại chính tả",
    ),
    ("`{}` in `{}` is no name: {}", "`{}` trong `{}` không phải là tên miền: {}"),
    ("`{}` is no name: {}", "`{}` không phải là tên miền: {}"),
    ("`{}` is no zone: {}", "`{}` không phải là vùng tên miền: {}"),
    (
        "{} is not a school id; it must be 1 to 64 of letters, digits, `.`, `_` and `-`",
        "{} không phải là mã trường; mã gồm 1 đến 64 chữ không dấu, số, `.`, `_` và `-`",
    ),
    (
        "{} cannot name a {}; a name is 1 to 32 of `a` to `z`, digits, `_` and `-`",
        "{} không dùng làm tên {} được; tên gồm 1 đến 32 ký tự `a` đến `z`, số, `_` và `-`",
    ),
    (
        "{} is not an id; an id is 1 to 32 of `a` to `z`, digits and `_`",
        "{} không phải là mã; mã gồm 1 đến 32 ký tự `a` đến `z`, số và `_`",
    ),
    (
        "{} is no id; it is 1 to 32 of `a` to `z` and digits",
        "{} không phải là mã; mã gồm 1 đến 32 ký tự `a` đến `z` và số",
    ),
    (
        "{} is not an IANA time zone; it must be a name such as `{}` or `{}`",
        "{} không phải là múi giờ IANA; hãy viết tên như `{}` hoặc `{}`",
    ),
    (
        "{} is not a name; it must be at most 200 characters on one line",
        "{} không phải là tên; tên dài không quá 200 ký tự trên một dòng",
    ),
    // Kinds of things.
    ("profile", "hồ sơ"),
    ("group", "nhóm máy"),
    ("schedule", "lịch"),
    ("bundle", "gói"),
    ("category", "nhóm nội dung"),
    ("level", "cấp học"),
    ("answer", "cách trả lời"),
    ("format", "định dạng"),
    ("canary", "tên báo hiệu"),
    ("day", "ngày"),
    // Groups and networks.
    (
        "`{}` has a mask where the length of a prefix is asked for",
        "`{}` ghi mặt nạ mạng, ở đây cần độ dài tiền tố (ví dụ `/24`)",
    ),
    (
        "`{}` has no right prefix length; it must be 0 to {}",
        "`{}` có độ dài tiền tố sai; phải từ 0 đến {}",
    ),
    ("`{}` has bits set behind its prefix of {}", "`{}` có bit khác 0 phía sau tiền tố {}"),
    ("`{}` is not a range of addresses", "`{}` không phải là một dải địa chỉ"),
    ("`{}` ends before it begins", "`{}` có đầu cuối ngược nhau"),
    ("`{}` is not a network or an address", "`{}` không phải là mạng hay địa chỉ"),
    (
        "`{}` is IPv4 written as IPv6, and would match no client",
        "`{}` là IPv4 viết dưới dạng IPv6, không khớp với máy nào",
    ),
    (
        "`{}` stands twice in `{}` of group `{}`",
        "`{}` được ghi hai lần trong `{}` của nhóm máy `{}`",
    ),
    ("`{}` stands twice in `{}`", "`{}` được ghi hai lần trong `{}`"),
    (
        "`{}` is the listener of group `{}` already",
        "`{}` đã là địa chỉ lắng nghe của nhóm máy `{}`",
    ),
    (
        "`{}` is of level `{}`, but its profile of `{}`",
        "`{}` thuộc cấp `{}`, nhưng hồ sơ của nhóm lại thuộc cấp `{}`",
    ),
    ("`{}` is empty, so no client would be answered", "`{}` trống nên không máy nào được trả lời"),
    (
        "there are {} groups with the default group; there may be {}",
        "có {} nhóm máy kể cả nhóm mặc định; tối đa là {}",
    ),
    ("there are {} schedules; there may be {}", "có {} lịch; tối đa là {}"),
    // Profiles and categories.
    (
        "`{}` is a list of good names and never blocks",
        "`{}` là danh sách tên tốt, không bao giờ chặn",
    ),
    ("`{}` never blocks, and cannot fail", "`{}` không bao giờ chặn nên không có chế độ hỏng"),
    (
        "`{}` cannot be open without its list: it is locked",
        "`{}` không thể để mở khi thiếu danh sách: nhóm này bị khóa",
    ),
    ("`{}` locks nothing here", "`{}` ở đây không khóa gì"),
    ("this `{}` locks nothing", "`{}` này không khóa gì"),
    ("`{}` is one word, and no array", "`{}` là một từ, không phải danh sách"),
    ("`{}` has modes, and so a key of its own", "`{}` có nhiều mức nên có khóa riêng"),
    ("`{}` does not name every level", "`{}` chưa ghi đủ các cấp học"),
    (
        "`{}` in a category of kind `{}`, which never blocks",
        "`{}` trong nhóm nội dung loại `{}`, loại này không bao giờ chặn",
    ),
    ("category `{}` does not fit", "không còn chỗ cho nhóm nội dung `{}`"),
    ("`{}` has no action for {}", "`{}` thiếu cách xử lý cho {}"),
    (
        "there is no `{}`; a taxonomy has at least one",
        "không có `{}`; danh mục phải có ít nhất một",
    ),
    // Where answers come from.
    (
        "`{}` cannot be essential: `{}` is a {} name",
        "`{}` không thể là tên thiết yếu: `{}` thuộc loại {}",
    ),
    (
        "`{}` is a public suffix: all the world registers names below it",
        "`{}` là hậu tố công cộng: ai cũng đăng ký được tên bên dưới",
    ),
    (
        "`{}` is a special-use name that is always answered here",
        "`{}` là tên dành riêng, luôn được trả lời tại đây",
    ),
    (
        "the root cannot be a forward zone: that is everything",
        "không thể chuyển tiếp vùng gốc: đó là toàn bộ tên miền",
    ),
    ("`{}` is a forward zone already", "`{}` đã là vùng chuyển tiếp"),
    ("a forward zone needs `{}`", "vùng chuyển tiếp cần có `{}`"),
    (
        "`{}` has a CNAME, and so can have no other record",
        "`{}` đã có CNAME nên không có bản ghi khác",
    ),
    (
        "`{}` is where safe search leads; no record may say otherwise",
        "`{}` là đích của tìm kiếm an toàn; không bản ghi nào được nói khác",
    ),
    ("the aliases of `{}` lead in a circle", "các bí danh của `{}` dẫn vòng tròn"),
    ("{}: a record is a name, a type and its data", "{}: bản ghi gồm tên, loại và dữ liệu"),
    (
        "{}: a name with `*` is not answered here; write each name, or use a forward zone",
        "{}: tên có `*` không được trả lời tại đây; hãy ghi từng tên, hoặc dùng vùng chuyển tiếp",
    ),
    (
        "{}: `{}` is no type that can be written here; known are {}",
        "{}: không ghi được loại `{}` ở đây; các loại dùng được: {}",
    ),
    ("{}: `{}` is no data of type {}", "{}: `{}` không phải là dữ liệu loại {}"),
    ("{}: `{}` is no name: {}", "{}: `{}` không phải là tên miền: {}"),
    ("there may be {} records", "tối đa là {} bản ghi"),
    ("there may be {} forward zones", "tối đa là {} vùng chuyển tiếp"),
    // Addresses and servers.
    (
        "`{}` is taken: `{}` answers there over TCP",
        "`{}` đã bị chiếm: `{}` đang trả lời qua TCP ở đó",
    ),
    (
        "`{}` is this gateway itself, which listens on `{}`",
        "`{}` chính là cổng này, đang lắng nghe ở `{}`",
    ),
    (
        "`{}` is not an address with a port; names are not looked up here",
        "`{}` không phải là địa chỉ kèm cổng; ở đây không tra tên",
    ),
    ("`{}` has no port", "`{}` thiếu số cổng"),
    ("`{}` is not an upstream server: {}", "`{}` không phải là máy chủ cấp trên: {}"),
    (
        "`{}` is not an IP address; write one, such as `{}` or `{}`",
        "`{}` không phải là địa chỉ IP; hãy viết như `{}` hoặc `{}`",
    ),
    (
        "`{}` is an IPv6 address without brackets; write `{}`",
        "`{}` là địa chỉ IPv6 thiếu ngoặc vuông; hãy viết `{}`",
    ),
    (
        "`{}` is no server's address; write the address it answers on",
        "`{}` không phải là địa chỉ máy chủ; hãy ghi địa chỉ mà máy chủ trả lời",
    ),
    (
        "`{}` is not a port; write a number from 1 to 65535, or leave it out",
        "`{}` không phải là cổng; ghi số từ 1 đến 65535, hoặc bỏ đi",
    ),
    (
        "the server is empty; write an address, such as `{}`",
        "máy chủ để trống; hãy ghi địa chỉ như `{}`",
    ),
    ("`{}` is empty; it must have at least one address", "`{}` trống; phải có ít nhất một địa chỉ"),
    // Lists.
    ("`{}` is a source of this category already", "`{}` đã là nguồn của nhóm nội dung này"),
    ("`{}` is for sources with a `{}` only", "`{}` chỉ dùng cho nguồn có `{}`"),
    ("`{}` is for sealed lists only", "`{}` chỉ dùng cho danh sách niêm phong"),
    (
        "`{}` means nothing here: a sealed name has all below it",
        "`{}` không có nghĩa ở đây: tên niêm phong gồm mọi tên bên dưới",
    ),
    (
        "a sealed list comes as a file, not by `{}`",
        "danh sách niêm phong là tệp, không tải qua `{}`",
    ),
    (
        "a sealed list is for `{}`, not for `{}`",
        "danh sách niêm phong dành cho `{}`, không cho `{}`",
    ),
    ("a source has a `{}` or a `{}`, not both", "một nguồn có `{}` hoặc `{}`, không có cả hai"),
    ("`{}` is neither https nor http", "`{}` không phải https cũng không phải http"),
    ("`{}` has a `#`, which no server sees", "`{}` có `#`, phần mà máy chủ không thấy"),
    (
        "the URL has a user name or a password in it, which are not sent",
        "URL có tên người dùng hoặc mật khẩu, những thứ này không được gửi đi",
    ),
    ("`{}` is not a URL: {}", "`{}` không phải là URL: {}"),
    ("`{}` is not a path", "`{}` không phải là đường dẫn"),
    // Amounts.
    ("`{}` is {}, more than `{}`, which is {}", "`{}` là {}, lớn hơn `{}` là {}"),
    ("`{}` is {}; it must be whole seconds", "`{}` là {}; phải là số giây chẵn"),
    ("`{}` is {}; it must be {} to {}", "`{}` là {}; phải từ {} đến {}"),
    ("`{}` is {}, not a duration: {}", "`{}` là {}, không phải khoảng thời gian: {}"),
    ("`{}` is {}, not a size: {}", "`{}` là {}, không phải dung lượng: {}"),
    ("`{}` is not a unit; the units are {}", "`{}` không phải là đơn vị; các đơn vị: {}"),
    ("it does not begin with a whole number", "không bắt đầu bằng số nguyên"),
    ("it has no unit; the units are {}", "thiếu đơn vị; các đơn vị: {}"),
    ("the number is too large", "số quá lớn"),
    // Calendars.
    (
        "`{}` in `RRULE` is not read; what is: FREQ of DAILY, WEEKLY or YEARLY, INTERVAL, COUNT, UNTIL, BYDAY of a week",
        "không đọc `{}` trong `RRULE`; chỉ đọc: FREQ là DAILY, WEEKLY hoặc YEARLY, INTERVAL, COUNT, UNTIL, BYDAY theo tuần",
    ),
    ("`RDATE` is not read", "không đọc `RDATE`"),
    ("`{}` is no duration", "`{}` không phải là khoảng thời gian"),
    (
        "a line of a calendar has a name, `:` and a value",
        "mỗi dòng của lịch gồm tên, `:` và giá trị",
    ),
    ("an event begins inside another", "một sự kiện bắt đầu bên trong sự kiện khác"),
    ("an event ends that has not begun", "một sự kiện kết thúc mà chưa bắt đầu"),
    ("this event begins and does not last", "sự kiện này bắt đầu nhưng không kéo dài"),
    (
        "this event has no `DTSTART`, so it is never",
        "sự kiện này thiếu `DTSTART` nên không bao giờ diễn ra",
    ),
    ("this event has no end; the file is cut off", "sự kiện này không có kết thúc; tệp bị cắt cụt"),
    ("there are {} events; there may be {}", "có {} sự kiện; tối đa là {}"),
    // The shape of the file.
    ("this `{}` has no `{}`", "`{}` này thiếu `{}`"),
    ("`{}` is given twice in one table", "`{}` được ghi hai lần trong một bảng"),
    ("wrong type: found {}, expected {}", "sai kiểu: thấy {}, cần {}"),
    ("a table", "một bảng"),
    ("an array", "một danh sách"),
    ("an array in square brackets", "một danh sách trong ngoặc vuông"),
    ("a whole number", "một số nguyên"),
    ("a text in quotes", "chữ trong dấu ngoặc kép"),
    ("a text in quotes or an array of them", "chữ trong dấu ngoặc kép hoặc một danh sách"),
    ("`true` or `false`", "`true` hoặc `false`"),
    ("`true`, `false` or an array of names", "`true`, `false` hoặc một danh sách tên"),
    ("a duration in quotes, such as {}", "khoảng thời gian trong dấu ngoặc kép, như {}"),
    ("a size in quotes, such as {}", "dung lượng trong dấu ngoặc kép, như {}"),
    ("integer `{}`", "số nguyên `{}`"),
    ("floating point `{}`", "số thập phân `{}`"),
    ("string {}", "chữ {}"),
    ("boolean `{}`", "giá trị `{}`"),
];
