//! Why an override is refused, in the language of the school.

use crate::config::layers::department::LockedBy;
use crate::lang::Lang;
use crate::policy::group::overrides::OverrideKind;

/// Why an override is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverrideRefusal {
    /// No group of this name.
    NoGroup {
        /// What was asked for.
        given: String,
        /// The groups there are.
        known: Vec<String>,
    },
    /// Neither lesson nor exam.
    NoKind {
        /// What was asked for.
        given: String,
    },
    /// Too short or too long.
    Length {
        /// The most, in hours.
        most: u64,
    },
    /// Nobody says that they set it.
    NoOne,
    /// No name and no category.
    Nothing {
        /// What it should have been.
        kind: OverrideKind,
    },
    /// An exam lets names through, not categories.
    ExamOfCategories,
    /// No category of this id.
    NoCategory {
        /// What was asked for.
        given: String,
        /// The categories there are.
        known: Vec<String>,
    },
    /// No bundle of this name.
    NoBundle {
        /// What was asked for.
        given: String,
        /// The bundles there are.
        known: Vec<String>,
    },
    /// A text that is no name.
    NoName {
        /// What was asked for.
        given: String,
        /// What is wrong with it.
        error: String,
    },
    /// A category that somebody above keeps blocked.
    Locked {
        /// The category.
        category: String,
        /// Who.
        by: LockedBy,
        /// The department's name.
        department: String,
        /// Whom to ask.
        contact: String,
    },
    /// A name in a locked category.
    LockedName {
        /// The name.
        name: String,
        /// The category, where it may be told.
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
    /// Too many names in one.
    TooManyNames {
        /// The most.
        most: usize,
    },
    /// The clock is not to be trusted, so nobody knows when it would end.
    Clock,
    /// None with this number.
    NoOverride {
        /// The number.
        id: u64,
    },
}

impl OverrideRefusal {
    /// The refusal in words, with what may be done.
    pub fn say(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.english(),
            Lang::Vi => self.vietnamese(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::NoGroup { given, known } => {
                format!("there is no group `{given}`; there are {}", known.join(", "))
            }
            Self::NoKind { given } => format!("`{given}` is neither `lesson` nor `exam`"),
            Self::Length { most } => format!("an override lasts from 1 minute to {most} hours"),
            Self::NoOne => "say who sets it, with `--by NAME`: the ledger keeps it".into(),
            Self::Nothing { kind: OverrideKind::Lesson } => {
                "say what the lesson needs: `--allow NAME`, `--allow category:ID` or `--allow bundle:NAME`".into()
            }
            Self::Nothing { kind: OverrideKind::Exam } => {
                "say the only names of the exam, with `--only NAME`".into()
            }
            Self::ExamOfCategories => {
                "an exam lets single names through, not categories; name them, or a `bundle:NAME`".into()
            }
            Self::NoCategory { given, known } => {
                format!("there is no category `{given}`; there are {}", known.join(", "))
            }
            Self::NoBundle { given, known } => {
                format!("there is no bundle `{given}`; there are {}", known.join(", "))
            }
            Self::NoName { given, error } => format!("`{given}` is no name: {error}"),
            Self::Locked { category, by, department, contact } => {
                let (who, then) = match by {
                    LockedBy::Everyone => ("it is locked for everyone".to_owned(), "nobody at a school can open it".to_owned()),
                    LockedBy::Pupils => ("it is locked for pupils".to_owned(), "single names that no locked list has can be allowed".to_owned()),
                    LockedBy::Department(reason) => (
                        format!("{department} locks it{}", bracketed(reason)),
                        format!("ask the department{}", spaced(contact)),
                    ),
                };
                format!("`{category}` stays blocked: {who}; {then}")
            }
            Self::LockedName { name, category: Some(category) } => format!(
                "`{name}` stays blocked: it is listed in the locked category `{category}`; if the list is wrong, ask the department to take it off"
            ),
            Self::LockedName { name, category: None } => {
                format!("`{name}` stays blocked: it is locked")
            }
            Self::DeniedName { name, department } => {
                format!("`{name}` stays blocked: {department} denies it, and only it can open it")
            }
            Self::TooMany { most } => {
                format!("there are {most} overrides already; end one with `lachan override end`")
            }
            Self::TooManyNames { most } => format!("an override has at most {most} names"),
            Self::Clock => {
                "the clock is not to be trusted, so nobody knows when it would end; set the clock first".into()
            }
            Self::NoOverride { id } => format!("there is no override {id}; `lachan override list` shows them"),
        }
    }

    fn vietnamese(&self) -> String {
        match self {
            Self::NoGroup { given, known } => {
                format!("không có nhóm `{given}`; các nhóm hiện có: {}", known.join(", "))
            }
            Self::NoKind { given } => format!("`{given}` không phải là `lesson` (tiết học) hay `exam` (thi)"),
            Self::Length { most } => format!("thời gian phải từ 1 phút đến {most} giờ"),
            Self::NoOne => "hãy ghi tên người thực hiện bằng `--by TÊN`: sổ thay đổi sẽ lưu lại".into(),
            Self::Nothing { kind: OverrideKind::Lesson } => {
                "hãy ghi nội dung tiết học cần mở: `--allow TÊN_MIỀN`, `--allow category:MÃ` hoặc `--allow bundle:TÊN`".into()
            }
            Self::Nothing { kind: OverrideKind::Exam } => {
                "hãy ghi các tên miền duy nhất được dùng khi thi bằng `--only TÊN_MIỀN`".into()
            }
            Self::ExamOfCategories => {
                "khi thi chỉ mở từng tên miền, không mở cả nhóm nội dung; hãy ghi tên miền hoặc `bundle:TÊN`".into()
            }
            Self::NoCategory { given, known } => {
                format!("không có nhóm nội dung `{given}`; hiện có: {}", known.join(", "))
            }
            Self::NoBundle { given, known } => {
                format!("không có gói `{given}`; hiện có: {}", known.join(", "))
            }
            Self::NoName { given, .. } => format!("`{given}` không phải là tên miền"),
            Self::Locked { category, by, department, contact } => {
                let (who, then) = match by {
                    LockedBy::Everyone => ("nhóm này bị khóa với mọi người".to_owned(), "nhà trường không thể mở".to_owned()),
                    LockedBy::Pupils => ("nhóm này bị khóa với học sinh".to_owned(), "có thể mở từng tên miền không nằm trong danh sách bị khóa".to_owned()),
                    LockedBy::Department(reason) => (
                        format!("{department} đã khóa{}", bracketed(reason)),
                        format!("hãy đề nghị cơ quan quản lý{}", spaced(contact)),
                    ),
                };
                format!("`{category}` vẫn bị chặn: {who}; {then}")
            }
            Self::LockedName { name, category: Some(category) } => format!(
                "`{name}` vẫn bị chặn: tên này nằm trong nhóm bị khóa `{category}`; nếu danh sách sai, hãy đề nghị cơ quan quản lý gỡ ra"
            ),
            Self::LockedName { name, category: None } => format!("`{name}` vẫn bị chặn: tên này bị khóa"),
            Self::DeniedName { name, department } => {
                format!("`{name}` vẫn bị chặn: {department} đã cấm tên này và chỉ cơ quan đó mới mở được")
            }
            Self::TooMany { most } => {
                format!("đã có {most} thay đổi tạm thời; hãy kết thúc bớt bằng `lachan override end`")
            }
            Self::TooManyNames { most } => format!("mỗi lần chỉ được tối đa {most} tên miền"),
            Self::Clock => {
                "đồng hồ chưa đáng tin cậy nên không biết khi nào hết giờ; hãy chỉnh đồng hồ trước".into()
            }
            Self::NoOverride { id } => {
                format!("không có thay đổi tạm thời số {id}; xem bằng `lachan override list`")
            }
        }
    }
}

fn bracketed(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}

fn spaced(contact: &str) -> String {
    if contact.is_empty() { String::new() } else { format!(": {contact}") }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            OverrideRefusal::NoOne,
            OverrideRefusal::Nothing { kind: OverrideKind::Lesson },
            OverrideRefusal::Nothing { kind: OverrideKind::Exam },
            OverrideRefusal::ExamOfCategories,
            OverrideRefusal::NoCategory { given: given(), known: known() },
            OverrideRefusal::NoBundle { given: given(), known: known() },
            OverrideRefusal::NoName { given: "a b".into(), error: "a space".into() },
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
            OverrideRefusal::TooManyNames { most: 500 },
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
        say who sets it, with `--by NAME`: the ledger keeps it
        say what the lesson needs: `--allow NAME`, `--allow category:ID` or `--allow bundle:NAME`
        say the only names of the exam, with `--only NAME`
        an exam lets single names through, not categories; name them, or a `bundle:NAME`
        there is no category `x`; there are a, b
        there is no bundle `x`; there are a, b
        `a b` is no name: a space
        `games` stays blocked: it is locked for everyone; nobody at a school can open it
        `games` stays blocked: it is locked for pupils; single names that no locked list has can be allowed
        `games` stays blocked: Sở GD&ĐT locks it (CV 12); ask the department: 0123
        `x.example` stays blocked: it is listed in the locked category `adult`; if the list is wrong, ask the department to take it off
        `x.example` stays blocked: it is locked
        `x.example` stays blocked: Sở GD&ĐT denies it, and only it can open it
        there are 64 overrides already; end one with `lachan override end`
        an override has at most 500 names
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
        hãy ghi tên người thực hiện bằng `--by TÊN`: sổ thay đổi sẽ lưu lại
        hãy ghi nội dung tiết học cần mở: `--allow TÊN_MIỀN`, `--allow category:MÃ` hoặc `--allow bundle:TÊN`
        hãy ghi các tên miền duy nhất được dùng khi thi bằng `--only TÊN_MIỀN`
        khi thi chỉ mở từng tên miền, không mở cả nhóm nội dung; hãy ghi tên miền hoặc `bundle:TÊN`
        không có nhóm nội dung `x`; hiện có: a, b
        không có gói `x`; hiện có: a, b
        `a b` không phải là tên miền
        `games` vẫn bị chặn: nhóm này bị khóa với mọi người; nhà trường không thể mở
        `games` vẫn bị chặn: nhóm này bị khóa với học sinh; có thể mở từng tên miền không nằm trong danh sách bị khóa
        `games` vẫn bị chặn: Sở GD&ĐT đã khóa (CV 12); hãy đề nghị cơ quan quản lý: 0123
        `x.example` vẫn bị chặn: tên này nằm trong nhóm bị khóa `adult`; nếu danh sách sai, hãy đề nghị cơ quan quản lý gỡ ra
        `x.example` vẫn bị chặn: tên này bị khóa
        `x.example` vẫn bị chặn: Sở GD&ĐT đã cấm tên này và chỉ cơ quan đó mới mở được
        đã có 64 thay đổi tạm thời; hãy kết thúc bớt bằng `lachan override end`
        mỗi lần chỉ được tối đa 500 tên miền
        đồng hồ chưa đáng tin cậy nên không biết khi nào hết giờ; hãy chỉnh đồng hồ trước
        không có thay đổi tạm thời số 7; xem bằng `lachan override list`
        ");
    }
}
