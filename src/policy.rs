//! Policy: who may look up what.
//!
//! A [`Snapshot`] is all policy at one moment, immutable. One function decides
//! a query, in one order, and says why:
//!
//! ```text
//! special-use names ▶ canaries                          answered here, always
//! csam, legal request                                   blocked for everyone
//! essential names                                       pass, whatever lists say
//! locked categories                                     blocked; no school allow loosens them
//! school allow / school deny (the longest name wins)
//! department allow (the category of good names)
//! the group's categories                                block / observe / pass
//! keyword rules                                         block, for groups that use them
//! safe search                                           what passed goes to the safe name
//! ```
//!
//! Review is the same order for the names an answer points to, without the
//! names we answer ourselves. What the question's name was allowed by shields
//! its chain from school deny and plain categories, never from what is locked.
//!
//! Absent on purpose: sockets, clock, files, counters.

pub mod client;
pub mod explain;
pub mod group;
pub mod moment;
pub mod rebinding;
pub mod rewrite;
pub mod special;
pub mod verdict;

pub use group::{AnswerMode, Group, GroupCounters, GroupId, GroupRules, Own};
pub use verdict::{Block, CanaryKind, Layer, Pass, Verdict};

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::category::{CategoryId, CategorySet, Taxonomy};
use crate::matcher::SuffixHashes;
use crate::matcher::keyword::{KeywordMatch, Keywords};
use crate::matcher::names::NameTable;
use crate::matcher::suffix::{Listed, SuffixTable};
use crate::name::{Folded, Name};
use crate::policy::client::PrefixTable;
use crate::policy::rebinding::is_internal;
use crate::policy::rewrite::{Engines, SafeHosts};
use crate::policy::special::special;
use crate::rule::{Action, LocalData, Scope};

/// A name with its hashes: what every table is asked with.
pub struct Subject<'a> {
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

/// What the lists say of a name: the same for every client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its categories, and what response policy zones say.
    pub listed: Listed,
    /// The categories that words in it hint at.
    pub keywords: KeywordMatch,
}

impl Facts {
    /// Whether nothing is said at all.
    #[inline]
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }
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
    /// Keyword rules; empty where none are used.
    pub keywords: Arc<Keywords>,
    /// A number of its own for these lists: facts of other lists have another.
    pub facts_tag: u64,
    /// The groups, never empty, and where each is counted.
    pub groups: Vec<(GroupRules, GroupCounters)>,
    /// Which of them takes the clients that no prefix covers.
    pub default_group: usize,
    /// Networks that are answered at all.
    pub access: Vec<IpNet>,
    /// Listed prefixes of addresses in answers.
    pub addresses: Vec<(IpNet, ListedAddress)>,
    /// Names that may resolve to internal addresses; none where that is not looked at.
    pub rebinding: Option<Vec<Name>>,
    /// Names that resolve in every mode.
    pub essential: Vec<(Name, Scope)>,
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
    keywords: Arc<Keywords>,
    facts_tag: u64,
    groups: Vec<Group>,
    default_group: GroupId,
    clients: PrefixTable<GroupId>,
    access: PrefixTable<()>,
    /// None where no address is listed.
    addresses: Option<PrefixTable<ListedAddress>>,
    /// Names that may resolve to internal addresses; none where all may.
    rebinding: Option<NameTable<()>>,
    essential: NameTable<()>,
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

/// A name that the school allows and a locked category lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedAllow {
    /// The group whose profile allows it.
    pub group: String,
    /// The name.
    pub name: Name,
    /// The locked category that lists it.
    pub category: CategoryId,
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
            .flat_map(|((group, _), n)| group.clients.iter().map(move |&net| (net, GroupId(n))));
        Self {
            clients: PrefixTable::new(clients),
            access: PrefixTable::new(parts.access.into_iter().map(|net| (net, ()))),
            addresses: (!parts.addresses.is_empty())
                .then(|| PrefixTable::joined(parts.addresses, join_addresses)),
            rebinding: parts.rebinding.map(|names| {
                NameTable::new(names.into_iter().map(|name| (name, Scope::Subtree, ())), seed)
            }),
            essential: NameTable::new(
                parts.essential.into_iter().map(|(name, scope)| (name, scope, ())),
                seed,
            ),
            canaries: NameTable::new(parts.canaries.into_iter().map(subtree), seed),
            safe_hosts: SafeHosts::new(parts.engines, seed),
            legal_request: named("legal_request"),
            positive: taxonomy.select(|row| row.is_positive),
            texts: texts(&taxonomy, parts.lists.digest(), parts.ede_text),
            illegal,
            groups: parts
                .groups
                .into_iter()
                .map(|(rules, counters)| Group::new(rules, counters, illegal, seed))
                .collect(),
            default_group: GroupId(parts.default_group as u8),
            block_ttl: parts.block_ttl,
            lists: parts.lists,
            local: parts.local,
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
    #[inline]
    pub fn group_of(&self, client: IpAddr) -> GroupId {
        self.clients.get(client).unwrap_or(self.default_group)
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

    /// The words that go with a blocked answer.
    #[inline]
    pub fn text(&self, category: Option<CategoryId>) -> &[u8] {
        let place = category.map_or(self.texts.len() - 1, CategoryId::index);
        self.texts.get(place).map_or(&[], |text| text)
    }

    /// Hashes a name once, for all tables.
    #[inline]
    pub fn subject<'a>(&self, name: &'a Folded) -> Subject<'a> {
        Subject { name, hashes: SuffixHashes::of(name, self.lists.seed()) }
    }

    /// What the lists say of a name, whoever asks.
    #[inline]
    pub fn facts(&self, subject: &Subject<'_>) -> Facts {
        Facts {
            listed: self.lists.lookup(subject.name, &subject.hashes),
            keywords: self.keywords.lookup(subject.name),
        }
    }

    /// A number that changes when [`Snapshot::facts`] may change.
    #[inline]
    pub fn facts_tag(&self) -> u64 {
        self.facts_tag
    }

    /// Decides about the name of a question.
    #[inline]
    pub fn decide(&self, group: GroupId, subject: &Subject<'_>, qtype: u16) -> Verdict {
        if let Some(special) = special(subject.name, qtype) {
            return Verdict::Special(special);
        }
        if let Some((_, &kind)) = self.canaries.longest(subject.name, &subject.hashes)
            && self.group(group).refuses(kind)
        {
            return Verdict::Canary(kind);
        }
        let listed = self.lists.lookup(subject.name, &subject.hashes);
        let keywords = || self.keywords.lookup(subject.name);
        match self.judge(self.group(group), subject, &listed, keywords, false) {
            Err(block) => Verdict::Block(block),
            Ok(pass) => match self.safe_engine(group, subject) {
                None => Verdict::Pass(pass),
                Some(engine) => Verdict::Safe(pass, engine),
            },
        }
    }

    /// Whether no name with these facts can be blocked for a group, so that a name an
    /// answer points to need not even be read.
    #[inline]
    pub fn is_silent(&self, group: GroupId, facts: &Facts) -> bool {
        facts.is_silent() && self.group(group).own.is_empty()
    }

    /// Decides about a name that an answer points to; `is_shielded` when the
    /// question's name was allowed by name.
    #[inline]
    pub fn review(
        &self,
        group: GroupId,
        subject: &Subject<'_>,
        facts: &Facts,
        is_shielded: bool,
    ) -> Option<Block> {
        let keywords = || facts.keywords;
        self.judge(self.group(group), subject, &facts.listed, keywords, is_shielded).err()
    }

    /// Whether the addresses of answers to `name` must be looked at.
    #[inline]
    pub fn reviews_addresses(&self, has_internal: bool) -> bool {
        self.addresses.is_some() || has_internal && self.rebinding.is_some()
    }

    /// Decides about an address in the answer to `subject`.
    pub fn review_address(
        &self,
        group: GroupId,
        subject: &Subject<'_>,
        address: IpAddr,
        is_shielded: bool,
    ) -> Option<Block> {
        let group = self.group(group);
        let listed = self.addresses.as_ref().and_then(|table| table.get(address));
        if let Some(listed) = listed {
            let locked = listed.set.intersection(group.locked.union(self.illegal));
            let blocked = listed.set.intersection(group.block);
            let action = listed.action;
            if !locked.is_empty() {
                return Some(Block { layer: Layer::Locked, category: locked.first(), action });
            }
            if !blocked.is_empty() && !is_shielded && action != Action::Passthru {
                return Some(Block { layer: Layer::Category, category: blocked.first(), action });
            }
        }
        let exceptions = self.rebinding.as_ref().filter(|_| is_internal(address))?;
        let is_expected = exceptions.longest(subject.name, &subject.hashes).is_some();
        let (layer, action) = (Layer::Rebinding, Action::Default);
        (!is_expected).then_some(Block { layer, category: None, action })
    }

    /// The order of policy, for every name. One function, nowhere configurable.
    #[inline]
    fn judge(
        &self,
        group: &Group,
        subject: &Subject<'_>,
        listed: &Listed,
        keywords: impl FnOnce() -> KeywordMatch,
        is_shielded: bool,
    ) -> Result<Pass, Block> {
        let Subject { name, hashes } = subject;
        let set = listed.set;
        let block = |layer, set: CategorySet| Err(self.block(layer, set, subject, listed));
        let pass = |layer| Ok(Pass { layer, observed: set.intersection(group.observe) });
        // A zone that lets a name pass does not open a lock.
        let lockable = set.union(listed.any_zone);
        if !lockable.intersection(self.illegal).is_empty() {
            return block(Layer::Illegal, lockable.intersection(self.illegal));
        }
        if self.essential.longest(name, hashes).is_some() {
            return Ok(Pass { layer: Layer::Essential, observed: CategorySet::EMPTY });
        }
        // A school allow for such a name is refused at load; a name that was locked
        // since then stays blocked.
        if !lockable.intersection(group.locked).is_empty() {
            return block(Layer::Locked, lockable.intersection(group.locked));
        }
        match group.own.longest(name, hashes) {
            Some((_, Own::Allow)) => return pass(Layer::SchoolAllow),
            Some((_, Own::Deny)) if !is_shielded => return block(Layer::SchoolDeny, set),
            Some((_, Own::Deny)) | None => {}
        }
        if !set.intersection(self.positive).is_empty() {
            return pass(Layer::DepartmentAllow);
        }
        let blocked = set.intersection(group.block);
        if !blocked.is_empty() && !is_shielded {
            return block(Layer::Category, blocked);
        }
        let layer = if set.is_empty() { Layer::Default } else { Layer::Category };
        if !group.keywords || is_shielded {
            return pass(layer);
        }
        let found = keywords();
        let blocked = found.block.intersection(group.block);
        if !blocked.is_empty() {
            let (category, action) = (blocked.first(), Action::Default);
            return Err(Block { layer: Layer::Keyword, category, action });
        }
        // What a group blocks when it is listed is counted where a word only hints at it.
        let counted = found.observe.union(found.block.intersection(group.observe));
        let counted = counted.intersection(group.block.union(group.observe));
        Ok(Pass { layer, observed: set.intersection(group.observe).union(counted) })
    }

    fn block(
        &self,
        layer: Layer,
        set: CategorySet,
        subject: &Subject<'_>,
        listed: &Listed,
    ) -> Block {
        let category = set.first();
        let from_zone = listed.zone.filter(|hit| Some(hit.category) == category);
        let action = match (from_zone, category) {
            (Some(hit), _) if hit.action != Action::Passthru => hit.action,
            (_, Some(category)) => self.lists.action(subject.name, &subject.hashes, category),
            _ => Action::Default,
        };
        Block { layer, category, action }
    }

    /// The school's allowed names that a locked category lists.
    pub fn locked_allows(&self) -> Vec<LockedAllow> {
        let mut found = Vec::new();
        for group in &self.groups {
            let locked = group.locked.union(self.illegal);
            for (name, _, _) in group.own.iter().filter(|(_, _, own)| **own == Own::Allow) {
                let folded = Folded::from_name(name);
                let hashes = SuffixHashes::of(&folded, self.lists.seed());
                let set = self.lists.lookup(&folded, &hashes).set.intersection(locked);
                if let Some(category) = set.first() {
                    let (group, name) = (group.name.clone(), name.clone());
                    found.push(LockedAllow { group, name, category });
                }
            }
        }
        found
    }
}

/// A listed prefix inside others: all their categories, and its own action.
fn join_addresses(outer: ListedAddress, inner: ListedAddress) -> ListedAddress {
    ListedAddress { set: outer.set.union(inner.set), action: inner.action }
}

/// Category and reference code; of protected categories the code alone.
fn texts(taxonomy: &Taxonomy, digest: u64, in_words: bool) -> Vec<Box<[u8]>> {
    let code = |place: usize| format!("ref={place:02}-{:06x}", digest & 0xff_ffff);
    let mut texts: Vec<Box<[u8]>> = taxonomy
        .iter()
        .map(|(id, row)| {
            let code = code(id.index() + 1);
            let text = if row.is_protected || !in_words {
                code
            } else {
                format!("category={} {code}", row.id)
            };
            text.into_bytes().into()
        })
        .collect();
    texts.push(code(0).into_bytes().into());
    texts
}

#[cfg(test)]
mod tests;
