//! Groups of clients: what the config says of one, and what decides with.

use ipnet::IpNet;

use crate::category::CategorySet;
use crate::matcher::names::NameTable;
use crate::name::Name;
use crate::policy::rewrite::SafeModes;
use crate::policy::verdict::CanaryKind;
use crate::rule::Scope;

/// How a blocked name is answered. All query types get the same mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnswerMode {
    /// NXDOMAIN with SOA.
    #[default]
    NxDomain,
    /// NOERROR without an answer, with SOA.
    NoData,
    /// A 0.0.0.0, AAAA ::, NODATA for every other type.
    Zero,
    /// REFUSED.
    Refused,
}

impl AnswerMode {
    /// Every mode, default first.
    pub const ALL: [Self; 4] = [Self::NxDomain, Self::NoData, Self::Zero, Self::Refused];

    /// The id used in the config.
    pub fn id(self) -> &'static str {
        match self {
            Self::NxDomain => "nxdomain",
            Self::NoData => "nodata",
            Self::Zero => "zero",
            Self::Refused => "refused",
        }
    }
}

/// What the config says of one group of clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRules {
    /// The name in config, metrics and traces.
    pub name: String,
    /// The prefixes whose clients are in it (longest prefix over all groups wins).
    pub clients: Vec<IpNet>,
    /// Categories that are answered as blocked.
    pub block: CategorySet,
    /// Categories that are counted and let through.
    pub observe: CategorySet,
    /// Categories of `block` that nothing at the school can loosen.
    pub locked: CategorySet,
    /// Names allowed by the school: each name and all below it.
    pub allow: Vec<Name>,
    /// Names denied by the school: each name and all below it.
    pub deny: Vec<Name>,
    /// Whether keyword rules block.
    pub keywords: bool,
    /// How a blocked name is answered.
    pub answer: AnswerMode,
    /// What search engines are held to.
    pub safe: SafeModes,
    /// The canaries that are answered negatively.
    pub canaries: Vec<CanaryKind>,
}

/// A group's place in the snapshot, 0 to 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub u8);

/// Which block of counters a group counts in, 0 to 15.
///
/// It stays with the group's name through reloads, whatever place the group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupCounters(pub u8);

/// What a school says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// Let it through.
    Allow,
    /// Block it.
    Deny,
}

/// A group, ready to decide with.
#[derive(Debug)]
pub struct Group {
    /// The name in config, metrics and traces.
    pub name: String,
    /// Categories answered as blocked, locked ones too.
    pub block: CategorySet,
    /// Categories counted and let through.
    pub observe: CategorySet,
    /// Categories that no school allow loosens.
    pub locked: CategorySet,
    /// The school's allow and deny names.
    pub own: NameTable<Own>,
    /// How a blocked name is answered.
    pub answer: AnswerMode,
    /// Whether keyword rules block.
    pub keywords: bool,
    /// Where its outcomes are counted.
    pub counters: GroupCounters,
    /// What search engines are held to; none where nothing is.
    pub safe: Option<SafeModes>,
    /// The canaries that are answered negatively.
    canaries: Vec<CanaryKind>,
}

impl Group {
    /// A group, with its own names in a table that is asked with hashes of `seed`.
    pub(super) fn new(
        rules: GroupRules,
        counters: GroupCounters,
        illegal: CategorySet,
        seed: u64,
    ) -> Self {
        let deny = rules.deny.into_iter().map(|name| (name, Scope::Subtree, Own::Deny));
        let allow = rules.allow.into_iter().map(|name| (name, Scope::Subtree, Own::Allow));
        Self {
            name: rules.name,
            block: rules.block.union(rules.locked).union(illegal),
            observe: rules.observe,
            locked: rules.locked,
            // The last of equal names wins: allow over deny.
            own: NameTable::new(deny.chain(allow), seed),
            answer: rules.answer,
            keywords: rules.keywords,
            counters,
            safe: Some(rules.safe).filter(|modes| !modes.is_empty()),
            canaries: rules.canaries,
        }
    }

    /// Whether a canary of this kind is answered negatively.
    #[inline]
    pub fn refuses(&self, kind: CanaryKind) -> bool {
        self.canaries.contains(&kind)
    }
}
