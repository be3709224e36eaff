//! Overrides: what a teacher sets for one room and some minutes.

use crate::category::CategorySet;
use crate::dns::name::Name;

/// What an override does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OverrideKind {
    /// Lets names or categories through.
    Lesson,
    /// Lets nothing through but its names.
    Exam,
}

impl OverrideKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Lesson, Self::Exam];

    /// The id used on the command line, in the ledger and in metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::Lesson => "lesson",
            Self::Exam => "exam",
        }
    }
}

/// One override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Its number, never used again.
    pub id: u64,
    /// What it does.
    pub kind: OverrideKind,
    /// The group it binds.
    pub group: String,
    /// The names it lets through, each with all below.
    pub names: Vec<Name>,
    /// The categories it lets through; none for an exam.
    pub categories: CategorySet,
    /// When it began, in civil seconds.
    pub from: u64,
    /// When it ends, in civil seconds.
    pub until: u64,
    /// Who set it.
    pub by: String,
}

impl Override {
    /// Whether it holds at this time.
    pub fn is_on(&self, civil: u64) -> bool {
        (self.from..self.until).contains(&civil)
    }
}
