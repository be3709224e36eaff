//! Why an override is refused, in the language of the school.

use crate::config::layers::department::LockedBy;
use crate::config::layers::words::UnknownWord;
use crate::diagnostic::nearest;
use crate::lang::{Lang, Message, messages};
use crate::policy::group::overrides::OverrideKind;

/// Why an override is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverrideRefusal {
    /// No group of this name.
    NoGroup {
        /// The word of the request.
        given: String,
        /// The groups there are.
        known: Vec<String>,
    },
    /// Neither lesson nor exam.
    NoKind {
        /// The word of the request.
        given: String,
    },
    /// Too short or too long.
    Length {
        /// The most, in hours.
        most: u64,
    },
    /// An allow that is too short or too long.
    AllowLength {
        /// The most, in days.
        most: u64,
    },
    /// An allow, or a deny of a review, without a reason.
    NoReason,
    /// The request does not name a person.
    NoOne,
    /// No name and no category.
    Nothing {
        /// The kind of the request.
        kind: OverrideKind,
    },
    /// An exam allows names, not categories.
    ExamOfCategories,
    /// An exam lets nothing through but its names, so it has nothing to deny.
    ExamDenies,
    /// A lesson denies names, not categories.
    DenyOfCategories,
    /// No category of this id.
    NoCategory {
        /// The word of the request.
        given: String,
        /// The categories there are.
        known: Vec<String>,
    },
    /// No bundle or service of this name.
    NoWord(UnknownWord),
    /// A service of which no name is looked up.
    NoNames {
        /// The word of the request.
        given: String,
    },
    /// A text that is no name.
    NoName {
        /// The word of the request.
        given: String,
        /// What is wrong with it.
        error: String,
    },
    /// A name under which everybody registers names.
    PublicSuffix {
        /// The word of the request.
        given: String,
    },
    /// A category that a layer above the school locks.
    Locked {
        /// The category.
        category: String,
        /// The author of the lock.
        by: LockedBy,
        /// The department's name.
        department: String,
        /// The department's contact.
        contact: String,
    },
    /// A name in a locked category.
    LockedName {
        /// The name.
        name: String,
        /// The category; absent where it is protected.
        category: Option<String>,
    },
    /// A name that the department denies.
    DeniedName {
        /// The name.
        name: String,
        /// The department's name.
        department: String,
    },
    /// Too many at one time.
    TooMany {
        /// The most.
        most: usize,
    },
    /// Too many allows at one time.
    TooManyAllows {
        /// The most.
        most: usize,
    },
    /// Too many names in one.
    TooManyNames {
        /// The most.
        most: usize,
    },
    /// The clock is untrusted, so the end of an override cannot be known.
    Clock,
    /// No active override has this number.
    NoOverride {
        /// The number.
        id: u64,
    },
}

impl OverrideRefusal {
    /// The refusal in a language, with the way out.
    pub fn say(&self, lang: Lang) -> String {
        self.message().in_lang(lang)
    }

    /// The refusal as a message.
    pub fn message(&self) -> Message {
        match self {
            Self::NoGroup { given, known } => messages::override_no_group(given, known.join(", ")),
            Self::NoKind { given } => messages::override_no_kind(given),
            Self::Length { most } => messages::override_length(most),
            Self::AllowLength { most } => messages::allow_length(most),
            Self::NoReason => messages::no_reason(),
            Self::NoOne => messages::override_by_nobody(),
            Self::Nothing { kind: OverrideKind::Lesson } => messages::lesson_of_nothing(),
            Self::Nothing { .. } => messages::exam_of_nothing(),
            Self::ExamOfCategories => messages::exam_of_categories(),
            Self::ExamDenies => messages::exam_denies(),
            Self::DenyOfCategories => messages::deny_of_categories(),
            Self::NoCategory { given, known } => {
                messages::override_no_category(given, known.join(", "))
            }
            Self::NoWord(UnknownWord { kind, given, known }) => {
                match nearest(given, known.iter().map(String::as_str)) {
                    Some(meant) => messages::override_no_word_but(kind.message(), given, meant),
                    None => messages::override_no_word(kind.message(), given, known.join(", ")),
                }
            }
            Self::NoNames { given } => messages::word_of_no_name(given),
            Self::NoName { given, error } => messages::override_no_name(given, error),
            Self::PublicSuffix { given } => messages::override_public_suffix(given),
            Self::Locked { category, by, department, contact } => {
                let (lock, way_out) = locked(by, department, contact);
                messages::override_locked(category, lock, way_out)
            }
            Self::LockedName { name, category: Some(category) } => {
                messages::override_listed_name(name, category)
            }
            Self::LockedName { name, category: None } => messages::override_locked_name(name),
            Self::DeniedName { name, department } => {
                messages::override_denied_name(name, department)
            }
            Self::TooMany { most } => messages::too_many_overrides(most),
            Self::TooManyAllows { most } => messages::too_many_allows(most),
            Self::TooManyNames { most } => messages::too_many_names(most),
            Self::Clock => messages::clock_untrusted(),
            Self::NoOverride { id } => messages::no_override(id),
        }
    }
}

/// The lock of a category, and the way out.
fn locked(by: &LockedBy, department: &str, contact: &str) -> (Message, Message) {
    match by {
        LockedBy::Everyone => {
            (messages::override_locked_for_everyone(), messages::nobody_can_open_it())
        }
        LockedBy::Pupils => {
            (messages::override_locked_for_pupils(), messages::single_names_can_be_allowed())
        }
        LockedBy::Department(reason) => {
            let lock = match reason.as_str() {
                "" => messages::override_department_locks(department),
                reason => messages::override_department_locks_because(department, reason),
            };
            let way_out = match contact {
                "" => messages::ask_the_department(),
                contact => messages::ask_the_department_at(contact),
            };
            (lock, way_out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layers::words::WordKind;

    fn all() -> Vec<OverrideRefusal> {
        let known = || vec!["a".to_owned(), "b".to_owned()];
        let given = || "x".to_owned();
        let lock = |by| OverrideRefusal::Locked {
            category: "games".into(),
            by,
            department: "Sở GD&ĐT".into(),
            contact: "0123".into(),
        };
        vec![
            OverrideRefusal::NoGroup { given: given(), known: known() },
            OverrideRefusal::NoKind { given: given() },
            OverrideRefusal::Length { most: 12 },
            OverrideRefusal::AllowLength { most: 400 },
            OverrideRefusal::NoReason,
            OverrideRefusal::NoOne,
            OverrideRefusal::Nothing { kind: OverrideKind::Lesson },
            OverrideRefusal::Nothing { kind: OverrideKind::Exam },
            OverrideRefusal::ExamOfCategories,
            OverrideRefusal::ExamDenies,
            OverrideRefusal::DenyOfCategories,
            OverrideRefusal::NoCategory { given: given(), known: known() },
            OverrideRefusal::NoWord(UnknownWord {
                kind: WordKind::Bundle,
                given: "long".into(),
                known: known(),
            }),
            OverrideRefusal::NoWord(UnknownWord {
                kind: WordKind::Service,
                given: "tiktk".into(),
                known: vec!["tiktok".into()],
            }),
            OverrideRefusal::NoNames { given: "service:x".into() },
            OverrideRefusal::NoName { given: "a b".into(), error: "a space".into() },
            OverrideRefusal::PublicSuffix { given: "com.vn".into() },
            lock(LockedBy::Everyone),
            lock(LockedBy::Pupils),
            lock(LockedBy::Department("CV 12".into())),
            OverrideRefusal::LockedName {
                name: "x.example".into(),
                category: Some("adult".into()),
            },
            OverrideRefusal::LockedName { name: "x.example".into(), category: None },
            OverrideRefusal::DeniedName {
                name: "x.example".into(), department: "Sở GD&ĐT".into()
            },
            OverrideRefusal::TooMany { most: 64 },
            OverrideRefusal::TooManyAllows { most: 200 },
            OverrideRefusal::TooManyNames { most: 2000 },
            OverrideRefusal::Clock,
            OverrideRefusal::NoOverride { id: 7 },
        ]
    }

    #[test]
    fn in_english() {
        let said: Vec<String> = all().iter().map(|refusal| refusal.say(Lang::En)).collect();
        insta::assert_snapshot!(said.join("\n"), @"
        there is no group `x`; there are a, b
        `x` is neither `lesson` nor `exam`
        an override lasts from 1 minute to 12 hours
        an allow lasts from 1 minute to 400 days; what stays longer belongs in the config
        say why, in at most 300 characters: the ledger keeps it
        say who sets it, with `--by NAME`: the ledger keeps it
        say what the lesson needs: `--allow NAME`, `--allow service:ID`, `--allow category:ID` or `--allow bundle:NAME`; `--deny NAME` closes one
        say the only names of the exam, with `--only NAME`
        an exam lets single names through, not categories; name them, a `service:ID` or a `bundle:NAME`
        an exam lets nothing through but its names, so there is nothing to deny
        a lesson denies single names, not categories; name them, a `service:ID` or a `bundle:NAME`
        there is no category `x`; there are a, b
        there is no bundle `long`; there are a, b
        there is no service `tiktk`; did you mean `tiktok`?
        `service:x` stands for no name yet: nobody looked its names up
        `a b` is no name: a space
        `com.vn` is no site: everybody registers names under it; write the whole name, such as `school.com.vn`
        `games` stays blocked: it is locked for everyone; nobody at a school can open it
        `games` stays blocked: it is locked for pupils; single names that no locked list has can be allowed
        `games` stays blocked: Sở GD&ĐT locks it (CV 12); ask the department: 0123
        `x.example` stays blocked: it is listed in the locked category `adult`; if the list is wrong, ask the department to take it off
        `x.example` stays blocked: it is locked
        `x.example` stays blocked: Sở GD&ĐT denies it, and only it can open it
        there are 64 overrides already; end one with `lachan override end`
        there are 200 allows already; revoke one with `lachan review revoke`
        an override has at most 2000 names
        the clock is not to be trusted, so nobody knows when it would end; set the clock first
        there is no override 7; `lachan override list` shows them
        ");
    }

    #[test]
    fn in_vietnamese() {
        let said: Vec<String> = all().iter().map(|refusal| refusal.say(Lang::Vi)).collect();
        insta::assert_snapshot!(said.join("\n"), @"
        không có nhóm `x`; các nhóm hiện có: a, b
        `x` không phải là `lesson` (tiết học) hay `exam` (thi)
        thời gian phải từ 1 phút đến 12 giờ
        thời gian mở phải từ 1 phút đến 400 ngày; muốn mở lâu hơn hãy ghi vào tệp cấu hình
        hãy ghi lý do (không quá 300 ký tự): sổ thay đổi sẽ lưu lại
        hãy ghi tên người thực hiện bằng `--by TÊN`: sổ thay đổi sẽ lưu lại
        hãy ghi nội dung tiết học cần mở: `--allow TÊN_MIỀN`, `--allow service:MÃ`, `--allow category:MÃ` hoặc `--allow bundle:TÊN`; `--deny TÊN_MIỀN` để cấm
        hãy ghi các tên miền duy nhất được dùng khi thi bằng `--only TÊN_MIỀN`
        khi thi chỉ mở từng tên miền, không mở cả nhóm nội dung; hãy ghi tên miền, `service:MÃ` hoặc `bundle:TÊN`
        khi thi chỉ các tên miền đã ghi được mở nên không cần cấm thêm
        tiết học chỉ cấm từng tên miền, không cấm cả nhóm nội dung; hãy ghi tên miền, `service:MÃ` hoặc `bundle:TÊN`
        không có nhóm nội dung `x`; hiện có: a, b
        không có gói `long`; hiện có: a, b
        không có dịch vụ `tiktk`; có phải ý bạn là `tiktok`?
        `service:x` chưa có tên miền nào: chưa ai xác minh các tên của nó
        `a b` không phải là tên miền
        `com.vn` không phải là một trang: ai cũng đăng ký tên dưới đó; hãy viết đủ tên, như `school.com.vn`
        `games` vẫn bị chặn: nhóm này bị khóa với mọi người; nhà trường không thể mở
        `games` vẫn bị chặn: nhóm này bị khóa với học sinh; có thể mở từng tên miền không nằm trong danh sách bị khóa
        `games` vẫn bị chặn: Sở GD&ĐT đã khóa (CV 12); hãy đề nghị cơ quan quản lý: 0123
        `x.example` vẫn bị chặn: tên này nằm trong nhóm bị khóa `adult`; nếu danh sách sai, hãy đề nghị cơ quan quản lý gỡ ra
        `x.example` vẫn bị chặn: tên này bị khóa
        `x.example` vẫn bị chặn: Sở GD&ĐT đã cấm tên này và chỉ cơ quan đó mới mở được
        đã có 64 thay đổi tạm thời; hãy kết thúc bớt bằng `lachan override end`
        đã có 200 tên miền được mở; hãy thu hồi bớt bằng `lachan review revoke`
        mỗi lần chỉ được tối đa 2000 tên miền
        đồng hồ chưa đáng tin cậy nên không biết khi nào hết giờ; hãy chỉnh đồng hồ trước
        không có thay đổi tạm thời số 7; xem bằng `lachan override list`
        ");
    }
}
