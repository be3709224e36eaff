//! The snapshot: all policy at one moment, immutable.
//!
//! It has the tables that the order consults; [`crate::policy::judge`] has the order.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use crate::category::{CategoryId, CategorySet, LegalDuty, Taxonomy};
use crate::dns::name::{Folded, Name};
use crate::dns::route::UpstreamId;
use crate::dns::rtype;
use crate::matcher::keyword::Keywords;
use crate::matcher::names::NameTable;
use crate::matcher::prefetch::BatchPrefetch;
use crate::matcher::suffix::{Listed, SuffixTable, ZoneHit};
use crate::matcher::{Facts, HashedName, SuffixHashes};
use crate::policy::group::rules::{
    ActiveRules, Group, GroupCounters, GroupId, GroupRules, GroupState,
};
use crate::policy::group::strictness::{ListTraits, Strictness};
use crate::policy::group::time::Now;
use crate::policy::group::timeline::Timeline;
use crate::policy::tables::addresses::{AddressTable, ListedAddress};
use crate::policy::tables::categories::{FailMode, SealedList, ede_texts};
use crate::policy::tables::claims::{ClaimTable, NamedBy};
use crate::policy::tables::client::PrefixTable;
use crate::policy::tables::designated::DesignatedTable;
use crate::policy::tables::local_zones::{LocalName, LocalZoneParts, LocalZones, PortalHost};
use crate::policy::tables::names::{CanaryKind, Essential, LockedAllow, Own, own_names};
use crate::policy::tables::rewrite::{EngineId, Engines, SafeHosts};
use crate::policy::tables::sources::{PROTECTED, SourcePlaces};
use crate::policy::tables::special::Special;
use crate::policy::tables::urgent::{UrgentRule, UrgentTable};
use crate::policy::verdict::Block;
use crate::rule::{Action, LocalData, OTHER_SOURCES, Scope};

/// The parts of a snapshot.
#[derive(Debug)]
pub struct Parts {
    /// All categories.
    pub taxonomy: Arc<Taxonomy>,
    /// Every listed name.
    pub lists: Arc<SuffixTable>,
    /// The local data behind [`Action::Local`] of the lists.
    pub local: Arc<[LocalData]>,
    /// Sealed lists; mostly none.
    pub sealed: Arc<[SealedList]>,
    /// Keyword rules; empty where none are used.
    pub keywords: Arc<Keywords>,
    /// The places at which matches of the sources of lists are counted.
    pub sources: SourcePlaces,
    /// A number unique to these lists: facts of other lists have another.
    pub facts_tag: u64,
    /// The groups, never empty, each with its timeline and counters.
    pub groups: Vec<(GroupRules, Timeline<GroupState>, GroupCounters)>,
    /// The place of the default group: clients that no prefix covers.
    pub default_group: usize,
    /// Names that the department allows and denies.
    pub department: (Vec<Name>, Vec<Name>),
    /// Networks with access.
    pub access: Vec<IpNet>,
    /// Listed prefixes of addresses in answers.
    pub addresses: Vec<(IpNet, ListedAddress)>,
    /// Names that may resolve to internal addresses; none without rebinding protection.
    pub rebinding: Option<Vec<Name>>,
    /// Names that resolve in every mode.
    pub essential: Vec<(Name, Scope, Essential)>,
    /// Enrolled and missing categories.
    pub fail_mode: FailMode,
    /// Local data and forward zones.
    pub local_zones: LocalZoneParts,
    /// Urgent entries of the department, each for a name and all below it.
    pub urgent: Vec<(Name, UrgentRule)>,
    /// Canaries.
    pub canaries: Vec<(Name, CanaryKind)>,
    /// Search engines with a safe mode.
    pub engines: Engines,
    /// TTL of a blocked answer in seconds.
    pub block_ttl: u32,
    /// Whether the EDE text of a blocked answer has the id of its category.
    pub ede_text: bool,
}

/// All policy at one moment.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) taxonomy: Arc<Taxonomy>,
    pub(super) lists: Arc<SuffixTable>,
    pub(super) local: Arc<[LocalData]>,
    pub(super) sealed: Arc<[SealedList]>,
    pub(super) keywords: Arc<Keywords>,
    pub(super) facts_tag: u64,
    sources: SourcePlaces,
    /// Categories of which nothing is counted by itself.
    protected: CategorySet,
    /// Those, and categories that tell of a person where few asked.
    delicate: CategorySet,
    pub(super) groups: Vec<Group>,
    pub(super) default_group: GroupId,
    pub(super) clients: PrefixTable<GroupId>,
    /// Few, and searched only for clients that no prefix covers.
    pub(super) listeners: Vec<(SocketAddr, GroupId)>,
    pub(super) claims: ClaimTable,
    pub(super) strictness: Strictness,
    pub(super) department: NameTable<Own>,
    pub(super) access: PrefixTable<()>,
    /// None where no address is listed.
    pub(super) addresses: Option<AddressTable>,
    /// Names that may resolve to internal addresses; none without rebinding protection.
    pub(super) rebinding: Option<NameTable<()>>,
    pub(super) essential: NameTable<Essential>,
    pub(super) fail_mode: FailMode,
    /// Missing categories that are closed.
    pub(super) closed: CategorySet,
    pub(super) local_zones: LocalZones,
    /// None where the department has no urgent entry.
    pub(super) urgent: Option<UrgentTable>,
    pub(super) canaries: NameTable<CanaryKind>,
    pub(super) safe_hosts: SafeHosts,
    /// Categories with a legal duty to block them.
    pub(super) illegal: CategorySet,
    /// Those of them that an authority requested.
    legal_requests: CategorySet,
    /// Good names (`safe`): no plain category blocks them.
    pub(super) positive: CategorySet,
    pub(super) block_ttl: u32,
    /// EDE texts of blocked answers by category; the last is for none.
    pub(super) ede_texts: Vec<Box<[u8]>>,
    pub(super) void_allows: Vec<LockedAllow>,
    has_list_answers: bool,
}

impl Snapshot {
    /// A snapshot of these parts.
    pub fn new(parts: Parts) -> Self {
        let seed = parts.lists.seed();
        let taxonomy = parts.taxonomy;
        let illegal = taxonomy.select(|row| row.duty.is_some());
        let subtree = |(name, kind)| (name, Scope::Subtree, kind);
        let numbered = || parts.groups.iter().zip(0..=u8::MAX);
        let clients = numbered()
            .flat_map(|((group, ..), n)| group.clients.iter().map(move |&net| (net, GroupId(n))));
        let listeners = numbered()
            .flat_map(|((group, ..), n)| group.listeners.iter().map(move |&at| (at, GroupId(n))));
        let (clients, listeners) = (PrefixTable::new(clients), listeners.collect());
        let claims = ClaimTable::new(&parts.groups.iter().map(|(group, ..)| NamedBy {
            group: &group.name,
            clients: &group.clients,
            claims: &group.claims,
        }));
        let group = |(rules, states, counters)| Group::new(rules, states, counters, illegal, seed);
        let groups: Vec<Group> = parts.groups.into_iter().map(group).collect();
        let lists =
            ListTraits { answer: !parts.local.is_empty(), protects: parts.rebinding.is_some() };
        let strictness = Strictness::new(&groups, &parts.engines, lists);
        let mut snapshot = Self {
            clients,
            listeners,
            claims,
            strictness,
            department: own_names(parts.department.0, parts.department.1, Vec::new(), seed),
            access: PrefixTable::new(parts.access.into_iter().map(|net| (net, ()))),
            addresses: AddressTable::new(parts.addresses),
            rebinding: parts.rebinding.map(|names| {
                NameTable::new(names.into_iter().map(|name| (name, Scope::Subtree, ())), seed)
            }),
            essential: NameTable::new(parts.essential, seed),
            fail_mode: parts.fail_mode,
            closed: parts.fail_mode.closed(),
            urgent: UrgentTable::new(parts.urgent, seed),
            local_zones: LocalZones::new(parts.local_zones, seed),
            canaries: NameTable::new(parts.canaries.into_iter().map(subtree), seed),
            safe_hosts: SafeHosts::new(parts.engines, seed),
            legal_requests: taxonomy.select(|row| row.duty == Some(LegalDuty::Request)),
            positive: taxonomy.select(|row| row.is_positive),
            ede_texts: ede_texts(&taxonomy, parts.lists.digest(), parts.ede_text),
            illegal,
            groups,
            default_group: GroupId(parts.default_group as u8),
            block_ttl: parts.block_ttl,
            lists: parts.lists,
            has_list_answers: !parts.local.is_empty(),
            local: parts.local,
            sealed: parts.sealed,
            keywords: parts.keywords,
            facts_tag: parts.facts_tag,
            sources: parts.sources,
            protected: taxonomy.select(|row| row.is_protected),
            delicate: taxonomy.select(|row| row.is_protected || row.is_sensitive),
            void_allows: Vec::new(),
            taxonomy,
        };
        snapshot.void_allows = snapshot.locked_allows();
        snapshot
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

    /// The places of the sources of lists.
    pub fn sources(&self) -> &SourcePlaces {
        &self.sources
    }

    /// Categories of which nothing is shown by name: protected and sensitive ones.
    #[inline]
    pub fn delicate(&self) -> CategorySet {
        self.delicate
    }

    /// The places of the sources that name what is blocked in the category that is reported.
    #[inline]
    pub fn matched(&self, block: &Block) -> u32 {
        let Some(category) = block.category else { return 0 };
        let named = block.named & (self.lists.named_in(category.index()) | OTHER_SOURCES);
        match named {
            0 => 0,
            _ if self.protected.contains(category) => 1 << PROTECTED,
            named => self.sources.of(named),
        }
    }

    /// Local data of the lists.
    pub fn local(&self, number: u16) -> Option<&LocalData> {
        self.local.get(usize::from(number))
    }

    /// The name that a list has in the place of `asked`, which it blocks: its CNAME target.
    #[inline]
    pub fn rewrite_of(&self, block: &Block, asked: &Folded) -> Option<Cow<'_, Name>> {
        let Action::Local(number) = block.action else { return None };
        let target = self.local(number)?.cname.as_ref()?;
        match target.as_wire().strip_prefix(WILD) {
            None => Some(Cow::Borrowed(target)),
            Some(garden) => below(asked, garden).map(Cow::Owned),
        }
    }

    /// Whether a list has `asked` itself in the place of `asked`, as `*.x CNAME www.x.` for www.x.
    #[cold]
    fn is_its_own(&self, hit: ZoneHit, asked: &Folded) -> bool {
        let Action::Local(number) = hit.action else { return false };
        let target = self.local(number).and_then(|data| data.cname.as_ref());
        target.is_some_and(|target| Folded::from_name(target).as_wire() == asked.as_wire())
    }

    /// Whether a list answers any name or address by itself.
    #[inline]
    pub fn has_list_answers(&self) -> bool {
        self.has_list_answers
    }

    /// The groups, in the order of their ids.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Whether clients at this address have access.
    #[inline]
    pub fn answers(&self, client: IpAddr) -> bool {
        self.access.get(client).is_some()
    }

    /// The group with this id and its rules in force now.
    #[inline]
    pub fn rules_at(&self, id: GroupId, now: Now) -> ActiveRules<'_> {
        self.group(id).at(now)
    }

    /// Whether the timelines of all groups cover `civil` and `ahead` seconds after it.
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

    /// The portal.
    #[inline]
    pub fn portal(&self) -> Option<&PortalHost> {
        self.local_zones.portal()
    }

    /// The encrypted listeners that clients are led to; none without any.
    #[inline]
    pub fn designated(&self) -> Option<&DesignatedTable> {
        self.local_zones.designated()
    }

    /// TTL of a blocked answer in seconds.
    #[inline]
    pub fn block_ttl(&self) -> u32 {
        self.block_ttl
    }

    /// Whether a category exists on request of a competent authority.
    #[inline]
    pub fn is_legal_request(&self, category: Option<CategoryId>) -> bool {
        category.is_some_and(|id| self.legal_requests.contains(id))
    }

    /// The name with its hashes for all tables.
    #[inline]
    pub fn hashed<'a>(&self, name: &'a Folded) -> HashedName<'a> {
        HashedName::new(name, self.lists.seed())
    }

    /// Adds a name to a batch of list look-ups to prefetch.
    #[inline]
    pub fn prefetch(&self, name: &Folded, batch: &mut BatchPrefetch) {
        batch.add(&self.lists, &SuffixHashes::of(name, self.lists.seed()));
    }

    /// The facts of a name that an answer points to: the same for every client and query. Rules for
    /// some types speak of it as the target of an alias.
    #[inline]
    pub fn facts(&self, hashed: &HashedName<'_>) -> Facts {
        Facts {
            listed: self.listed(hashed, rtype::CNAME),
            keywords: self.keywords.lookup(hashed.name),
        }
    }

    /// A tag that changes whenever [`Snapshot::facts`] may change.
    #[inline]
    pub fn facts_tag(&self) -> u64 {
        self.facts_tag
    }

    /// The sealed lists.
    pub fn sealed(&self) -> &[SealedList] {
        &self.sealed
    }

    /// Number of names in a category, on open and sealed lists.
    pub fn listed_in(&self, category: CategoryId) -> u64 {
        let sealed = self.sealed.iter().filter(|list| list.category == category);
        let sealed: usize = sealed.map(|list| list.table.len()).sum();
        self.lists.listed_in(category.index()) + sealed as u64
    }

    /// The listing of a name on open and sealed lists, for a query of a type.
    #[inline]
    pub(crate) fn listed(&self, hashed: &HashedName<'_>, qtype: u16) -> Listed {
        let mut listed = self.lists.lookup_of(hashed.name, &hashed.hashes, Some(qtype));
        if let Some(hit) = listed.zone
            && self.is_its_own(hit, hashed.name)
        {
            // The zone lets through what it leads to.
            listed = self.lists.lookup_past(hashed.name, &hashed.hashes, qtype, hit);
        }
        for list in self.sealed.iter().filter(|list| list.table.lists(hashed.name)) {
            listed.set = listed.set.with(list.category);
            listed.named |= OTHER_SOURCES;
        }
        listed
    }

    /// Enrolled and missing categories.
    pub fn fail_mode(&self) -> FailMode {
        self.fail_mode
    }

    /// The EDE text of a blocked answer.
    #[inline]
    pub fn text(&self, category: Option<CategoryId>) -> &[u8] {
        let place = category.map_or(self.ede_texts.len() - 1, CategoryId::index);
        self.ede_texts.get(place).map_or(&[], |text| text)
    }

    /// The local data of a name.
    #[inline]
    pub fn local_name(&self, hashed: &HashedName<'_>) -> Option<&LocalName> {
        self.local_zones.local(hashed)
    }

    /// The upstream for a name.
    #[inline]
    pub fn upstream_of(&self, hashed: &HashedName<'_>) -> UpstreamId {
        self.local_zones.upstream(hashed)
    }

    /// The upstream for a name without hashes.
    pub fn upstream_for(&self, name: &Name) -> UpstreamId {
        if !self.local_zones.has_zones() {
            return UpstreamId::MAIN;
        }
        self.upstream_of(&self.hashed(&Folded::from_name(name)))
    }

    /// The answer to a special-use or private name; none for a name with a source of its own.
    pub fn special_of(&self, hashed: &HashedName<'_>, qtype: u16) -> Option<Special> {
        self.local_zones.special(hashed, qtype)
    }

    /// Whether `upstream` has no say about a name: the config has its records, or another upstream
    /// for it.
    pub fn is_elsewhere(&self, name: &Name, upstream: UpstreamId) -> bool {
        if self.local_zones.is_empty() {
            return false;
        }
        let folded = Folded::from_name(name);
        let hashed = self.hashed(&folded);
        self.local_name(&hashed).is_some() || self.upstream_of(&hashed) != upstream
    }

    /// The engine of a host, where the group enforces a mode of it.
    #[inline]
    pub(crate) fn safe_engine(&self, group: &Group, hashed: &HashedName<'_>) -> Option<EngineId> {
        let modes = group.safe.as_ref()?;
        let engine = self.safe_hosts.engine(hashed.name, &hashed.hashes)?;
        modes.target(engine).map(|_| engine)
    }

    /// The engine of a host, enforced or not.
    pub fn engine_named(&self, hashed: &HashedName<'_>) -> Option<EngineId> {
        self.safe_hosts.engine(hashed.name, &hashed.hashes)
    }

    /// The engine of a host, where the group with this id enforces a mode of it.
    #[inline]
    pub fn engine_of(&self, group: GroupId, hashed: &HashedName<'_>) -> Option<EngineId> {
        self.safe_engine(self.group(group), hashed)
    }

    /// The safe name of an engine for a group.
    #[inline]
    pub fn safe_target(&self, group: GroupId, engine: EngineId) -> Option<&Name> {
        self.group(group).safe.as_ref()?.target(engine)
    }

    /// The ids of the search engines with a safe mode, in the order of [`EngineId`].
    pub fn engine_ids(&self) -> &[String] {
        &self.safe_hosts.ids
    }
}

/// The first label of a target that stands for the name asked for.
const WILD: &[u8] = b"\x01*";

/// `asked` below a garden; none where that is too long for a name.
#[cold]
fn below(asked: &Folded, garden: &[u8]) -> Option<Name> {
    let asked = asked.as_wire();
    let wire = [asked.strip_suffix(&[0]).unwrap_or(asked), garden].concat();
    Name::from_wire(&wire).ok().map(|(name, _)| name)
}
