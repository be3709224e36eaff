//! One keyword rule: how far it is trusted, and where its literal must stand.

use super::edge::Edge;
use crate::category::CategoryId;

/// How far a rule is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// Enough to block where the policy blocks the category.
    Block,
    /// Counted and reported; never blocks.
    Observe,
}

impl Tier {
    /// The word in the rule file.
    pub fn id(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Observe => "observe",
        }
    }
}

/// One rule as written.
#[derive(Debug, Clone)]
pub(super) struct KeywordRule {
    pub(super) tier: Tier,
    pub(super) category: CategoryId,
    /// `^cado#`, or `tld bet`.
    pub(super) pattern: Box<str>,
    pub(super) line: u32,
}

/// Where a literal must stand for its rule to hit.
#[derive(Debug, Clone, Copy)]
pub(super) struct LiteralUse {
    pub(super) left: Edge,
    pub(super) right: Edge,
    /// Place in the rules.
    pub(super) rule: u32,
}
