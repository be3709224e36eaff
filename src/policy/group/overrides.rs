//! Overrides: lessons and exams that a teacher sets for one group and a limited time, and names that
//! a technician allows until a day.

use crate::category::CategorySet;
use crate::dns::name::Name;

/// The kind of an override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OverrideKind {
    /// Allows names or categories.
    Lesson,
    /// Allows its names only.
    Exam,
    /// Allows names as the school's own config does.
    Allow,
}

/// The group of an override that binds every group.
pub const EVERY_GROUP: &str = "*";

impl OverrideKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Lesson, Self::Exam, Self::Allow];

    /// The id used on the command line, in the ledger and in metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::Lesson => "lesson",
            Self::Exam => "exam",
            Self::Allow => "allow",
        }
    }
}

/// One override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Its number, never reused.
    pub id: u64,
    /// Its kind.
    pub kind: OverrideKind,
    /// The group it applies to; [`EVERY_GROUP`] is every group.
    pub group: String,
    /// The names it allows, each with its subtree.
    pub names: Vec<Name>,
    /// The names it denies, each with its subtree; none for an exam.
    pub deny: Vec<Name>,
    /// The categories it allows; none for an exam.
    pub categories: CategorySet,
    /// Its start, in civil seconds.
    pub from: u64,
    /// Its end, in civil seconds; exclusive.
    pub until: u64,
    /// The person who set it.
    pub by: String,
}

impl Override {
    /// What of it holds at an unknown time: an exam, and what a lesson denies; `None` where that is
    /// nothing.
    pub fn strict(&self) -> Option<Self> {
        match self.kind {
            OverrideKind::Exam => Some(self.clone()),
            OverrideKind::Allow => None,
            OverrideKind::Lesson if self.deny.is_empty() => None,
            OverrideKind::Lesson => {
                Some(Self { names: Vec::new(), categories: CategorySet::EMPTY, ..self.clone() })
            }
        }
    }

    /// Whether it binds a group.
    pub fn binds(&self, group: &str) -> bool {
        self.group == group || self.group == EVERY_GROUP
    }

    /// Whether it is in force at this time.
    pub fn is_on(&self, civil: u64) -> bool {
        (self.from..self.until).contains(&civil)
    }
}
