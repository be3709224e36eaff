//! One keyword rule: its tier, and the conditions on its literal.

use super::edge::Edge;
use crate::category::CategoryId;

/// Tier: the trust in a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// Blocks where policy blocks the category.
    Block,
    /// Is counted and reported, and never blocks.
    Observe,
}

impl Tier {
    /// The id in the rule file.
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

/// The conditions on both sides of a literal of one rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct LiteralUse {
    pub(super) left: Edge,
    pub(super) right: Edge,
    /// Place in the rules.
    pub(super) rule: u32,
}
