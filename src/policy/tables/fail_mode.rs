//! What holds for a category whose list is missing.
//!
//! A category is *enrolled* when the config has a source for it. It is *missing* when a
//! source of it cannot be had and nothing else says a word of it. Then it is closed (only
//! essential and good names resolve, for groups that block it) or open, as the
//! config has it. A category that nobody enrolled is absent, and no failure.

use crate::category::CategorySet;
use crate::policy::Snapshot;

/// Which categories have no list, and what follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailMode {
    /// Categories that the config has a source for.
    pub enrolled: CategorySet,
    /// Those of them without any list.
    pub missing: CategorySet,
    /// Categories that are closed without a list.
    pub fails_closed: CategorySet,
    /// Sources that could not be used, whatever else there is of their category.
    pub left_out: u32,
}

impl FailMode {
    /// The categories that are closed now.
    pub fn closed(self) -> CategorySet {
        self.missing.intersection(self.fails_closed)
    }
}

impl Snapshot {
    /// Which categories have no list, and what follows.
    pub fn fail_mode(&self) -> FailMode {
        self.fail_mode
    }
}
