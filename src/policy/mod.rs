//! Policy: who may look up what.
//!
//! A [`Snapshot`] is all policy at one moment, immutable. One function decides
//! a query, in one order, and says why:
//!
//! ```text
//! special-use names ▶ canaries                          answered here, always
//! csam, legal request                                   blocked for everyone
//! essential names                                       pass, whatever lists say
//! names the department denies, locked categories        blocked; nothing at the school loosens them
//! a closed category without its list                    blocked, but for good names
//! exam: only these ▶ lesson: these too                  for a room, for a time
//! school allow / school deny (the longest name wins)
//! department allow (its names, and the category of good names)
//! the group's categories                                block / observe / pass, by the time
//! allow-list mode                                       what nobody allowed is blocked
//! keyword rules                                         block, for groups that use them
//! safe search                                           what passed goes to the safe name
//! ```
//!
//! A name that the department lets through is free of locked categories, never of csam and
//! legal requests, and a school may still deny it.
//!
//! Review is the same order for the names an answer points to, without the
//! names we answer ourselves, exams and allow-list mode: a name that is let through may
//! be served from anywhere that nobody blocks. What the question's name was allowed by shields
//! its chain from school deny and plain categories, never from what is locked.
//!
//! Absent on purpose: sockets, clock, files, counters.

pub mod explain;
pub mod group;
pub mod judge;
pub mod tables;
pub mod trace;
pub mod verdict;

pub use group::rules::{
    Actions, ActiveRules, AnswerMode, During, Group, GroupCounters, GroupId, GroupRules,
    GroupState, Own, Rules,
};
pub use judge::LockCause;
pub use tables::sealed::SealedList;
pub use verdict::{Block, CanaryKind, Layer, Pass, Verdict};

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use crate::category::{CategoryId, CategorySet, Taxonomy};
use crate::dns::name::{Folded, Name};
use crate::matcher::keyword::Keywords;
use crate::matcher::names::NameTable;
use crate::matcher::prefetch::BatchPrefetch;
use crate::matcher::suffix::SuffixTable;
use crate::matcher::{Facts, SuffixHashes};
use crate::policy::group::rules::own_names;
use crate::policy::group::time::Now;
use crate::policy::group::timeline::Timeline;
use crate::policy::tables::client::PrefixTable;
use crate::policy::tables::ede_text;
use crate::policy::tables::essential::Essential;
use crate::policy::tables::fail_mode::FailMode;
use crate::policy::tables::local_zones::{LocalZoneParts, LocalZones};
use crate::policy::tables::rewrite::{Engines, SafeHosts};
use crate::rule::{Action, LocalData, Scope};

/// A name with its hashes: what every table is asked with.
pub struct HashedName<'a> {
    /// The name.
    pub name: &'a Folded,
    hashes: SuffixHashes,
}

/// What the lists say of an address in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedAddress {
    /// Its categories.
    pub set: CategorySet,
    /// How the longest prefix wants it answered.
    pub action: Action,
}

/// What a snapshot is made of.
#[derive(Debug)]
pub struct Parts {
    /// All categories.
    pub taxonomy: Arc<Taxonomy>,
    /// Every listed name.
    pub lists: Arc<SuffixTable>,
    /// What [`Action::Local`] of the lists stands for.
    pub local: Arc<[LocalData]>,
    /// Sealed lists; mostly none.
    pub sealed: Arc<[SealedList]>,
    /// Keyword rules; empty where none are used.
    pub keywords: Arc<Keywords>,
    /// A number of its own for these lists: facts of other lists have another.
    pub facts_tag: u64,
    /// The groups, never empty: what binds each at which time, and where it is counted.
    pub groups: Vec<(GroupRules, Timeline<GroupState>, GroupCounters)>,
    /// Which of them takes the clients that no prefix covers.
    pub default_group: usize,
    /// Names that the department lets through and denies.
    pub department: (Vec<Name>, Vec<Name>),
    /// Networks that are answered at all.
    pub access: Vec<IpNet>,
    /// Listed prefixes of addresses in answers.
    pub addresses: Vec<(IpNet, ListedAddress)>,
    /// Names that may resolve to internal addresses; none where that is not looked at.
    pub rebinding: Option<Vec<Name>>,
    /// Names that resolve in every mode.
    pub essential: Vec<(Name, Scope, Essential)>,
    /// Categories without a list.
    pub fail_mode: FailMode,
    /// Where answers come from other than upstream.
    pub sources: LocalZoneParts,
    /// Canaries.
    pub canaries: Vec<(Name, CanaryKind)>,
    /// Search engines with a safe mode.
    pub engines: Engines,
    /// Seconds that a blocked answer may be kept by the client.
    pub block_ttl: u32,
    /// Whether a blocked answer says its category in words.
    pub ede_text: bool,
}

/// All policy at one moment.
#[derive(Debug)]
pub struct Snapshot {
    taxonomy: Arc<Taxonomy>,
    lists: Arc<SuffixTable>,
    local: Arc<[LocalData]>,
    sealed: Arc<[SealedList]>,
    keywords: Arc<Keywords>,
    facts_tag: u64,
    groups: Vec<Group>,
    default_group: GroupId,
    clients: PrefixTable<GroupId>,
    /// Few, and looked at only for clients in no prefix.
    listeners: Vec<(SocketAddr, GroupId)>,
    department: NameTable<Own>,
    access: PrefixTable<()>,
    /// None where no address is listed.
    addresses: Option<PrefixTable<ListedAddress>>,
    /// Names that may resolve to internal addresses; none where all may.
    rebinding: Option<NameTable<()>>,
    essential: NameTable<Essential>,
    fail_mode: FailMode,
    /// Categories that must not be open without a list, and have none.
    closed: CategorySet,
    sources: LocalZones,
    canaries: NameTable<CanaryKind>,
    safe_hosts: SafeHosts,
    /// csam and legal requests.
    illegal: CategorySet,
    legal_request: Option<CategoryId>,
    /// Good names (`safe`): no plain category blocks them.
    positive: CategorySet,
    block_ttl: u32,
    /// What a blocked answer says, by category; the last is for none.
    texts: Vec<Box<[u8]>>,
}

/// A name that the school allows and that is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedAllow {
    /// The group whose profile allows it; none where it is an essential name of the config.
    pub group: Option<String>,
    /// The name.
    pub name: Name,
    /// What locks it.
    pub lock: LockCause,
}

impl Snapshot {
    /// Puts policy together.
    pub fn new(parts: Parts) -> Self {
        let seed = parts.lists.seed();
        let taxonomy = parts.taxonomy;
        let named = |id| taxonomy.find(id);
        let illegal = ["csam", "legal_request"].into_iter().filter_map(named).collect();
        let subtree = |(name, kind)| (name, Scope::Subtree, kind);
        let numbered = || parts.groups.iter().zip(0..=u8::MAX);
        let clients = numbered()
            .flat_map(|((group, ..), n)| group.clients.iter().map(move |&net| (net, GroupId(n))));
        let listeners = numbered()
            .flat_map(|((group, ..), n)| group.listeners.iter().map(move |&at| (at, GroupId(n))));
        Self {
            clients: PrefixTable::new(clients),
            listeners: listeners.collect(),
            department: own_names(parts.department.0, parts.department.1, seed),
            access: PrefixTable::new(parts.access.into_iter().map(|net| (net, ()))),
            addresses: (!parts.addresses.is_empty())
                .then(|| PrefixTable::joined(parts.addresses, join_addresses)),
            rebinding: parts.rebinding.map(|names| {
                NameTable::new(names.into_iter().map(|name| (name, Scope::Subtree, ())), seed)
            }),
            essential: NameTable::new(parts.essential, seed),
            fail_mode: parts.fail_mode,
            closed: parts.fail_mode.closed(),
            sources: LocalZones::new(parts.sources, seed),
            canaries: NameTable::new(parts.canaries.into_iter().map(subtree), seed),
            safe_hosts: SafeHosts::new(parts.engines, seed),
            legal_request: named("legal_request"),
            positive: taxonomy.select(|row| row.is_positive),
            texts: ede_text::of(&taxonomy, parts.lists.digest(), parts.ede_text),
            illegal,
            groups: parts
                .groups
                .into_iter()
                .map(|(rules, states, counters)| Group::new(rules, states, counters, illegal, seed))
                .collect(),
            default_group: GroupId(parts.default_group as u8),
            block_ttl: parts.block_ttl,
            lists: parts.lists,
            local: parts.local,
            sealed: parts.sealed,
            keywords: parts.keywords,
            facts_tag: parts.facts_tag,
            taxonomy,
        }
    }

    /// All categories.
    pub fn taxonomy(&self) -> &Taxonomy {
        &self.taxonomy
    }

    /// Every listed name.
    pub fn lists(&self) -> &Arc<SuffixTable> {
        &self.lists
    }

    /// The keyword rules.
    pub fn keywords(&self) -> &Keywords {
        &self.keywords
    }

    /// What a list answers itself.
    pub fn local(&self, number: u16) -> Option<&LocalData> {
        self.local.get(usize::from(number))
    }

    /// The name that a blocked name is answered with, where its list names one.
    #[inline]
    pub fn rewrite_of(&self, block: &Block) -> Option<&Name> {
        match block.action {
            Action::Local(number) => self.local(number)?.cname.as_ref(),
            _ => None,
        }
    }

    /// The groups, in the order of their ids.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Whether clients at this address are answered.
    #[inline]
    pub fn answers(&self, client: IpAddr) -> bool {
        self.access.get(client).is_some()
    }

    /// The group of a client: every client has one.
    ///
    /// Its address says first: whoever has a prefix of their own cannot choose a group by
    /// asking elsewhere. Then the listener that was asked; then it is the default group.
    #[inline]
    pub fn group_of(&self, client: IpAddr, local: SocketAddr) -> GroupId {
        self.clients.get(client).unwrap_or_else(|| {
            let listener = self.listeners.iter().find(|(listener, _)| *listener == local);
            listener.map_or(self.default_group, |&(_, group)| group)
        })
    }

    /// The group with this id, as it is bound now.
    #[inline]
    pub fn bound(&self, id: GroupId, now: Now) -> ActiveRules<'_> {
        self.group(id).at(now)
    }

    /// Whether every time near `civil` has been worked out, for every group.
    pub fn covers(&self, civil: u64, ahead: u64) -> bool {
        self.groups
            .iter()
            .filter_map(|group| group.rules.span())
            .all(|span| span.contains(&civil) && span.contains(&civil.saturating_add(ahead)))
    }

    /// The group with this id.
    #[inline]
    pub fn group(&self, id: GroupId) -> &Group {
        &self.groups[usize::from(id.0)]
    }

    /// Seconds that a blocked answer may be kept.
    #[inline]
    pub fn block_ttl(&self) -> u32 {
        self.block_ttl
    }

    /// Whether a category is there because an authority outside asked for it.
    #[inline]
    pub fn is_legal_request(&self, category: Option<CategoryId>) -> bool {
        category.is_some() && category == self.legal_request
    }

    /// Hashes a name once, for all tables.
    #[inline]
    pub fn subject<'a>(&self, name: &'a Folded) -> HashedName<'a> {
        HashedName { name, hashes: SuffixHashes::of(name, self.lists.seed()) }
    }

    /// Asks for the memory that the lists will need for a name.
    #[inline]
    pub fn look_ahead(&self, name: &Folded, ahead: &mut BatchPrefetch) {
        ahead.add(&self.lists, &SuffixHashes::of(name, self.lists.seed()));
    }

    /// What the lists say of a name, whoever asks.
    #[inline]
    pub fn facts(&self, subject: &HashedName<'_>) -> Facts {
        Facts { listed: self.listed(subject), keywords: self.keywords.lookup(subject.name) }
    }

    /// A number that changes when [`Snapshot::facts`] may change.
    #[inline]
    pub fn facts_tag(&self) -> u64 {
        self.facts_tag
    }
}

/// A listed prefix inside others: all their categories, and its own action.
fn join_addresses(outer: ListedAddress, inner: ListedAddress) -> ListedAddress {
    ListedAddress { set: outer.set.union(inner.set), action: inner.action }
}

#[cfg(test)]
mod tests;
