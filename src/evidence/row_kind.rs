//! Kinds of rows of the self-test: what ids of rows begin with, and what people read.

use serde::{Deserialize, Serialize};

use crate::lang::{Message, messages};

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowKind {
    /// A listen address and a transport.
    Listener,
    /// The test name of a category.
    Category,
    /// A host of a search engine.
    SafeSearch,
    /// A name by which software asks whether it may pass by.
    Canary,
    /// A name that resolves in every mode.
    Essential,
    /// A list of the config.
    List,
    /// The newest dated name of the lists.
    Freshness,
}

impl RowKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Listener,
        Self::Category,
        Self::SafeSearch,
        Self::Canary,
        Self::Essential,
        Self::List,
        Self::Freshness,
    ];

    /// The id in ids of rows.
    pub fn id(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Category => "category",
            Self::SafeSearch => "safe-search",
            Self::Canary => "canary",
            Self::Essential => "essential",
            Self::List => "list",
            Self::Freshness => "freshness",
        }
    }

    /// The kind, for people.
    pub fn message(self) -> Message {
        match self {
            Self::Listener => messages::selftest_listener(),
            Self::Category => messages::selftest_category(),
            Self::SafeSearch => messages::selftest_safe_search(),
            Self::Canary => messages::selftest_canary(),
            Self::Essential => messages::selftest_essential(),
            Self::List => messages::selftest_list(),
            Self::Freshness => messages::selftest_freshness(),
        }
    }
}
