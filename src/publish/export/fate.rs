//! What becomes of a name at a gateway of a level.

use crate::category::CategoryId;
use crate::rule::Action;

/// What becomes of a name at a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is resolved.
    Pass,
    /// It is blocked, and no category says why: an allow list lets nothing else pass.
    Closed,
    /// It is blocked for a category, with this answer.
    Block(CategoryId, Action),
}

impl Fate {
    /// Whether it is blocked, as far as that can be said without the answer: by TCP-only a name
    /// passes.
    pub(super) fn is_block(self) -> bool {
        match self {
            Self::Pass | Self::Block(_, Action::TcpOnly) => false,
            Self::Closed | Self::Block(..) => true,
        }
    }

    /// Its category, for counts and limits.
    pub(super) fn category(self) -> Option<CategoryId> {
        match self {
            Self::Pass | Self::Closed => None,
            Self::Block(category, _) => Some(category),
        }
    }

    /// Whether a list sets the answer, and it is none that blocks plainly.
    pub(super) fn has_answer(self) -> bool {
        matches!(self, Self::Block(_, Action::Local(_) | Action::Refused | Action::TcpOnly))
    }
}
