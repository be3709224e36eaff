//! Names that config and shipped data give a meaning of their own: essential names, canaries,
//! and what a school or a department allows and denies.

use crate::dns::name::Name;
use crate::matcher::names::NameTable;
use crate::rule::Scope;

/// Why a name resolves in every mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Essential {
    /// Time, certificates, probes, updates: nothing but csam and orders stops it.
    Shipped,
    /// Help for children: the same, and it is counted nowhere below the total.
    Help,
    /// A name of this gateway's own config, such as where its lists come from: locks stop it.
    Own,
}

/// Why a canary name exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CanaryKind {
    /// Firefox asks whether it may turn DNS over HTTPS on by itself.
    Firefox,
    /// `iCloud` Private Relay asks whether it may be used.
    ICloud,
    /// Chrome's private prefetch proxy asks whether it must check names.
    Chrome,
}

impl CanaryKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Firefox, Self::ICloud, Self::Chrome];

    /// The id used in data and metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::Firefox => "firefox",
            Self::ICloud => "icloud",
            Self::Chrome => "chrome",
        }
    }
}

/// What a school, or a department, says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// Let it through.
    Allow,
    /// Block it.
    Deny,
}

/// Names with what is said of them, in a table that is asked with hashes of `seed`.
///
/// Of equal names allow wins over deny.
pub(crate) fn own_names(allow: Vec<Name>, deny: Vec<Name>, seed: u64) -> NameTable<Own> {
    let deny = deny.into_iter().map(|name| (name, Scope::Subtree, Own::Deny));
    let allow = allow.into_iter().map(|name| (name, Scope::Subtree, Own::Allow));
    NameTable::new(deny.chain(allow), seed)
}
