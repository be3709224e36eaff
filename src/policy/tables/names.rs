//! Kinds of names that config and shipped data list: essential names, canaries, and names that
//! a school or a department allows or denies, and what locks them.

use crate::category::CategoryId;
use crate::dns::name::Name;
use crate::matcher::names::NameTable;
use crate::rule::Scope;

/// Why a name resolves in every mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Essential {
    /// Time, certificates, probes, updates: only a legal duty blocks it.
    Shipped,
    /// Help for children: the same, and counted in the total only.
    Help,
    /// A name of this gateway's config, such as the host of its lists: locks block it.
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

/// Allow or deny of a name by a school or a department.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// Let it through.
    Allow,
    /// Block it.
    Deny,
}

/// The reason why a school cannot allow a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockCause {
    /// A locked category lists it.
    Category(CategoryId),
    /// The department denies it.
    Department,
    /// A sealed list has it.
    Sealed,
}

/// A locked name that the school allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedAllow {
    /// The group with a profile that allows it; none for an essential name of the config.
    pub group: Option<String>,
    /// The name.
    pub name: Name,
    /// What locks it.
    pub lock: LockCause,
}

/// A table of allowed and denied names, for hashes of `seed`.
///
/// Where a name is in both, allow wins; where it is in `more` too, the last one there.
pub(crate) fn own_names(
    allow: Vec<Name>,
    deny: Vec<Name>,
    more: Vec<(Name, Own)>,
    seed: u64,
) -> NameTable<Own> {
    let deny = deny.into_iter().map(|name| (name, Own::Deny));
    let allow = allow.into_iter().map(|name| (name, Own::Allow));
    let all = deny.chain(allow).chain(more);
    NameTable::new(all.map(|(name, own)| (name, Scope::Subtree, own)), seed)
}
