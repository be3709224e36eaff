//! Suffix table: exact matching of a name and its ancestors, one probe per label.
//!
//! The names are in packs ([`crate::pack`]), used in place; this module gives their rules a
//! meaning: at a node, below it, and among response policy zones. Each pack is evaluated with its
//! own exceptions; the table unites the results.
//!
//! The filter of a pack stops most unlisted names. A fingerprint only selects the name to
//! compare. **A match is a comparison of octets: a false match is impossible.**

use std::sync::Arc;

use crate::category::{CategoryId, CategorySet};
use crate::dns::name::Folded;
use crate::matcher::SuffixHashes;
use crate::matcher::targeted::TargetTable;
use crate::pack::{MAX_ZONES, Pack, SymbolText};
use crate::rule::{Action, EVERY_NAME, Effect, Rule, Scope, is_at_or_below_any, source_bit};

/// The rules of one set, evaluated for a node.
///
/// At a node `set = (set of the parent − cleared here) ∪ added here`, evaluated separately for
/// the name itself and for names below it. Important rules win over plain exceptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Value {
    pub(crate) here: RuleChange,
    pub(crate) below: RuleChange,
    /// The triggers of response policy zones here; rarely any.
    pub(crate) rpz: Box<[RpzRule]>,
    /// The rules of the set, for traces.
    pub(crate) rules: Box<[Rule]>,
}

/// A trigger of a response policy zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RpzRule {
    /// The place of the zone in the order of zones.
    pub(crate) zone: u8,
    pub(crate) source: u16,
    pub(crate) category: CategoryId,
    pub(crate) scope: Scope,
    pub(crate) action: Action,
}

/// The listing of a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Listed {
    /// The categories it is in.
    pub set: CategorySet,
    /// The categories of all response policy zones that block it, passed by an earlier zone or
    /// not: locks use these.
    pub any_zone: CategorySet,
    /// The match of the first response policy zone that blocks the name and is not passed.
    pub zone: Option<ZoneHit>,
    /// The sources that name it, by [`source_bit`]; of every category, also of one that an exception
    /// clears.
    pub named: u32,
}

/// The match of a name in a response policy zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneHit {
    /// The category of the zone.
    pub category: CategoryId,
    /// How the name is answered.
    pub action: Action,
}

impl ZoneHit {
    pub(super) fn of(rule: &RpzRule) -> Self {
        Self { category: rule.category, action: rule.action }
    }
}

/// Categories that an earlier zone has decided, while zones are gone through in their order.
///
/// A zone speaks for its category: the first of a category decides it, and a PASSTHRU ends the others
/// of that category. A PASSTHRU of a trusted source ends all later zones.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Passed {
    decided: CategorySet,
    is_over: bool,
}

impl Passed {
    /// Whether a rule of the next zone with a match blocks.
    pub(crate) fn blocks(&mut self, rule: &RpzRule) -> bool {
        self.decides(rule.category, rule.action) && !rule.action.is_pass()
    }

    /// Whether the next zone with a match decides its category.
    pub(crate) fn decides(&mut self, category: CategoryId, action: Action) -> bool {
        if self.is_over || self.decided.contains(category) {
            return false;
        }
        self.decided = self.decided.with(category);
        self.is_over = action == Action::PassthruAll;
        true
    }
}

/// The change of a node to the set of its parent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleChange {
    pub(crate) added: CategorySet,
    pub(crate) cleared: CategorySet,
    pub(crate) important: CategorySet,
    pub(crate) important_cleared: CategorySet,
    /// The sources that list the node, by [`source_bit`].
    pub(crate) named: u32,
}

impl RuleChange {
    /// The change of those `rules` that are asked to the name itself (`is_self`) or to names below it.
    ///
    /// In one category, at one name, an exception wins over a plain rule.
    pub(crate) fn of<'a>(
        rules: &(impl IntoIterator<Item = &'a Rule> + Clone),
        is_self: bool,
        is_asked: impl Fn(&Rule) -> bool,
    ) -> Self {
        let asked = || {
            let rules = rules.clone().into_iter();
            rules.filter(|rule| is_asked(rule) && rule.scope.covers(is_self))
        };
        let set = |effect| -> CategorySet {
            asked().filter(|rule| rule.effect == effect).map(|rule| rule.category).collect()
        };
        let lists = |rule: &&Rule| matches!(rule.effect, Effect::Add | Effect::AddImportant);
        let cleared = set(Effect::Clear);
        let important_cleared = set(Effect::ClearImportant);
        Self {
            added: set(Effect::Add).without(cleared).without(important_cleared),
            cleared,
            important: set(Effect::AddImportant).without(important_cleared),
            important_cleared,
            named: asked().filter(lists).fold(0, |named, rule| named | source_bit(rule.source)),
        }
    }
}

/// The categories accumulated from the root to a node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct State {
    pub(super) plain: CategorySet,
    pub(super) important: CategorySet,
    pub(super) named: u32,
}

impl State {
    #[inline]
    pub(super) fn apply(self, change: &RuleChange) -> Self {
        Self {
            plain: self
                .plain
                .without(change.cleared)
                .without(change.important_cleared)
                .union(change.added),
            important: self.important.without(change.important_cleared).union(change.important),
            named: self.named | change.named,
        }
    }
}

/// One pack with the evaluated values of its sets.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) pack: Arc<Pack>,
    /// By number of the set.
    pub(crate) values: Box<[Value]>,
    /// The triggers for every name; rarely any.
    pub(crate) every: Box<[EveryRule]>,
    /// Names of which some rules are void, by their hash.
    pub(crate) voided: Vec<Voided>,
    /// Rules about more than a name; mostly none.
    pub(crate) targets: Option<TargetTable>,
}

/// A trigger for every name.
#[derive(Debug)]
pub(crate) struct EveryRule {
    pub(crate) rule: RpzRule,
    /// Guarded names that it has no effect on, each with all below it; in wire form and in order.
    pub(crate) guarded: Box<[Box<[u8]>]>,
}

impl EveryRule {
    fn covers(&self, name: &Folded) -> bool {
        !is_at_or_below_any(name, &self.guarded)
    }
}

/// A listed name of which some rules are void, and what is left of them.
#[derive(Debug)]
pub(crate) struct Voided {
    pub(crate) hash: u64,
    pub(crate) wire: Box<[u8]>,
    pub(crate) value: Value,
}

/// Every listed name. Immutable.
#[derive(Debug, Default)]
pub struct SuffixTable {
    pub(crate) seed: u64,
    pub(crate) listings: Vec<Listing>,
    pub(crate) per_category: Box<[u64]>,
    /// The sources with names in each category, by [`source_bit`].
    pub(crate) named_in: Box<[u32]>,
    pub(crate) digest: u64,
    /// Whether any rule has an action other than the default.
    pub(crate) has_actions: bool,
    /// Whether a response policy zone has a trigger for every name.
    pub(crate) has_every: bool,
}

/// One listed ancestor of a name, for traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node<'a> {
    /// Label count of the listed name.
    pub labels: usize,
    /// The rules of the listed name.
    pub rules: &'a [Rule],
}

impl SuffixTable {
    /// The seed of [`SuffixHashes`] for this table.
    #[inline]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Number of listed names; one in two packs counts twice.
    pub fn len(&self) -> usize {
        self.listings.iter().map(|listing| listing.pack.len()).sum()
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A number that changes when the rules change, whatever their order.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Number of names in the category with this number.
    pub fn listed_in(&self, category: usize) -> u64 {
        self.per_category.get(category).copied().unwrap_or(0)
    }

    /// The sources with names in the category with this number, by [`source_bit`].
    #[inline]
    pub fn named_in(&self, category: usize) -> u32 {
        self.named_in.get(category).copied().unwrap_or(0)
    }

    /// Octets of the packs, and of the automata of their patterns.
    pub fn octets(&self) -> usize {
        let packs: usize = self.listings.iter().map(|listing| listing.pack.octets()).sum();
        packs + self.pattern_octets()
    }

    /// The categories of `name`: those of all listed ancestors, less those that exceptions clear.
    ///
    /// For a query of any type: rules that list for some type count, exceptions for some do not.
    pub fn lookup(&self, name: &Folded, hashes: &SuffixHashes) -> Listed {
        self.lookup_of(name, hashes, None)
    }

    /// As [`SuffixTable::lookup`], for a query of this type.
    ///
    /// At most one probe per label and pack; nothing is allocated.
    #[inline]
    pub fn lookup_of(&self, name: &Folded, hashes: &SuffixHashes, qtype: Option<u16>) -> Listed {
        let mut listed = Listed::default();
        let mut has_zones = self.has_every;
        for listing in &self.listings {
            let mut state = State::default();
            self.nodes(listing, name, hashes, |index, value| {
                state = state.apply(if index == 0 { &value.here } else { &value.below });
                has_zones |= !value.rpz.is_empty();
            });
            if let Some(table) = &listing.targets {
                state = self.targeted(listing, table, name, hashes, qtype).unwrap_or(state);
            }
            listed.set = listed.set.union(state.plain).union(state.important);
            listed.named |= state.named;
        }
        if has_zones { self.with_zones(listed, name, hashes) } else { listed }
    }

    /// Calls `visit` for each listed suffix of `name` in one pack, shortest first.
    #[inline]
    pub(super) fn nodes<'a>(
        &'a self,
        listing: &'a Listing,
        name: &Folded,
        hashes: &SuffixHashes,
        visit: impl FnMut(usize, &'a Value),
    ) {
        if listing.pack.seed() == self.seed {
            listing.nodes(name, hashes, visit);
        } else {
            // A pack with another seed: rare, and matched by hashes of its own.
            listing.nodes(name, &SuffixHashes::of(name, listing.pack.seed()), visit);
        }
    }

    /// Listed suffixes of `name` in one pack, longest first.
    fn nodes_up<'a>(
        &'a self,
        listing: &'a Listing,
        name: &Folded,
        hashes: &SuffixHashes,
    ) -> Vec<(usize, &'a Value)> {
        let mut nodes = Vec::new();
        self.nodes(listing, name, hashes, |index, value| nodes.push((index, value)));
        nodes.reverse();
        nodes
    }

    /// Adds matches of response policy zones: in each zone the longest name decides, and of the zones
    /// of a category the first with a match.
    #[cold]
    fn with_zones(&self, mut listed: Listed, name: &Folded, hashes: &SuffixHashes) -> Listed {
        let mut passed = Passed::default();
        self.zone_rules(name, hashes, |rule| {
            if !rule.action.is_pass() {
                listed.any_zone = listed.any_zone.with(rule.category);
            }
            if passed.blocks(rule) {
                listed.set = listed.set.with(rule.category);
                listed.named |= source_bit(rule.source);
                listed.zone.get_or_insert(ZoneHit::of(rule));
            }
        });
        listed
    }

    /// The match of the first response policy zone that blocks a name in one of the categories `of`.
    #[cold]
    pub fn first_zone(
        &self,
        name: &Folded,
        hashes: &SuffixHashes,
        of: CategorySet,
    ) -> Option<ZoneHit> {
        let (mut passed, mut first) = (Passed::default(), None);
        self.zone_rules(name, hashes, |rule| {
            if passed.blocks(rule) && of.contains(rule.category) {
                first.get_or_insert(ZoneHit::of(rule));
            }
        });
        first
    }

    /// The rule of each zone that has the name, of the longest name, in the order of zones; zones of one
    /// pack come before those of the next.
    ///
    /// A name that a zone has stops the wildcards above it (RFC 4592 §3.3.1): `*.x` does not cover what
    /// is below `a.x` where the zone has `a.x`. A trigger for every name is stopped by wildcards only:
    /// a zone of a few good names would open most others.
    pub(super) fn zone_rules(
        &self,
        name: &Folded,
        hashes: &SuffixHashes,
        mut each: impl FnMut(&RpzRule),
    ) {
        for listing in &self.listings {
            // Of a zone: nothing yet, a name that stops its wildcards, or a rule.
            let mut nearest: [Option<Option<RpzRule>>; MAX_ZONES] = [None; MAX_ZONES];
            self.nodes(listing, name, hashes, |index, value| {
                for rule in value.rpz.iter().rev().filter(|rule| rule.scope == Scope::Exact) {
                    if let Some(Some(wildcard)) = nearest.get_mut(usize::from(rule.zone)) {
                        *wildcard = None;
                    }
                }
                for rule in value.rpz.iter().rev().filter(|rule| rule.scope.covers(index == 0)) {
                    if let Some(place) = nearest.get_mut(usize::from(rule.zone)) {
                        *place = Some(Some(*rule));
                    }
                }
            });
            for every in listing.every.iter().filter(|every| every.covers(name)) {
                if let Some(place) = nearest.get_mut(usize::from(every.rule.zone)) {
                    place.get_or_insert(Some(every.rule));
                }
            }
            nearest.iter().flatten().flatten().for_each(&mut each);
        }
    }

    /// The action of the longest rule that lists `name` in `category`.
    ///
    /// Response policy zones apart: their action is in [`Listed::zone`].
    pub fn action(
        &self,
        name: &Folded,
        hashes: &SuffixHashes,
        category: CategoryId,
        qtype: Option<u16>,
    ) -> Action {
        if !self.has_actions {
            return Action::Default;
        }
        let mut nearest = (usize::MAX, Action::Default);
        for listing in &self.listings {
            self.nodes(listing, name, hashes, |index, value| {
                let lists = |rule: &&Rule| {
                    matches!(rule.effect, Effect::Add | Effect::AddImportant)
                        && rule.category == category
                        && rule.scope.covers(index == 0)
                };
                let action = value.rules.iter().filter(lists).map(|rule| rule.action).max();
                if let Some(action) = action
                    && (index < nearest.0 || index == nearest.0 && action > nearest.1)
                {
                    nearest = (index, action);
                }
            });
        }
        if self.target_tables().next().is_none() {
            return nearest.1;
        }
        self.targeted_action(name, hashes, (category, qtype), nearest)
    }

    /// The rules for every name that cover `name`, as of an ancestor without labels.
    fn every<'a>(&'a self, name: &Folded) -> impl Iterator<Item = Node<'a>> {
        let covers = |listing: &&Listing| listing.every.iter().any(|every| every.covers(name));
        self.listings.iter().filter(covers).filter_map(|listing| {
            let every = Folded::from_wire(EVERY_NAME).ok()?.0;
            let value = listing.values.get(usize::from(listing.pack.set_of(&every)?))?;
            Some(Node { labels: 0, rules: &value.rules })
        })
    }

    /// Every listed ancestor of `name` and the name itself, longest first; in each pack.
    pub fn trace<'a>(&'a self, name: &Folded, hashes: &SuffixHashes) -> Vec<Node<'a>> {
        let labels = hashes.label_count();
        let nodes = self.listings.iter().flat_map(|listing| {
            let nodes = self.nodes_up(listing, name, hashes).into_iter();
            nodes.map(move |(index, value)| Node { labels: labels - index, rules: &value.rules })
        });
        let mut nodes: Vec<Node<'a>> = nodes.chain(self.every(name)).collect();
        nodes.sort_by_key(|node| std::cmp::Reverse(node.labels));
        nodes
    }
}

impl Listing {
    /// What is left of a listed name of which some rules are void.
    fn left_of(&self, wire: &[u8], hash: u64) -> Option<&Value> {
        let first = self.voided.partition_point(|one| one.hash < hash);
        let same = self.voided.iter().skip(first).take_while(|one| one.hash == hash);
        same.filter(|one| *one.wire == *wire).map(|one| &one.value).next()
    }

    /// Calls `visit` for each listed suffix of `name`, shortest first.
    #[inline]
    fn nodes<'a>(
        &'a self,
        name: &Folded,
        hashes: &SuffixHashes,
        mut visit: impl FnMut(usize, &'a Value),
    ) {
        let mut passing = self.pack.filter().passing(hashes.all());
        if passing == 0 {
            return;
        }
        let view = self.pack.view();
        let text = SymbolText::of(name);
        while passing != 0 {
            let index = 127 - passing.leading_zeros() as usize;
            passing &= !(1 << index);
            let found = view.find(hashes.at(index), name, &text, index);
            if let Some(value) = found.and_then(|set| self.values.get(usize::from(set))) {
                let value = if self.voided.is_empty() {
                    value
                } else {
                    self.left_of(name.suffix(index), hashes.at(index)).unwrap_or(value)
                };
                visit(index, value);
            }
        }
    }
}
