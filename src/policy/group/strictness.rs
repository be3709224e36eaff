//! Strictness: the groups that are no looser than another one, at each time.
//!
//! Law: **a group is no looser than another at a time only if it blocks all that the other blocks
//! then**, of whatever name, as a question and as the target of an answer, and answers no less
//! safely. It is worked out once for a snapshot, from rules alone and never from what lists have
//! now: lists change by themselves.
//!
//! The relation is conservative: where two groups cannot be compared, neither is no looser. So each
//! name that one denies must be denied by the other, though a category of it may have the name.
//! Between two equal edges of both timelines nothing changes, so the relation is a timeline too; at an
//! unknown time the strict states are compared.

use std::collections::HashMap;
use std::sync::Arc;

use crate::category::CategorySet;
use crate::dns::name::{Folded, Name};
use crate::matcher::SuffixHashes;
use crate::matcher::names::NameTable;
use crate::policy::group::rules::{AnswerMode, Group, GroupId, Rules};
use crate::policy::group::time::{Now, Trust};
use crate::policy::group::timeline::Timeline;
use crate::policy::tables::claims::GroupSet;
use crate::policy::tables::names::{CanaryKind, Own};
use crate::policy::tables::rewrite::{EngineId, Engines};

/// What of the lists and the config matters to a comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListTraits {
    /// Whether a list has answers of its own for what it blocks: then more categories may change the
    /// answer to a name that both block.
    pub(crate) answer: bool,
    /// Whether internal addresses are withheld, but for names that are allowed themselves.
    pub(crate) protects: bool,
}

/// The first rule by which a group is looser than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looser {
    /// A category that is blocked there, or is not opened by a lesson.
    Categories,
    /// A locked category.
    Locks,
    /// Lists with answers of their own, where the categories of both are not the same.
    ListAnswers,
    /// Allow-list mode.
    AllowOnly,
    /// A name that is denied there, or is not allowed there; exams and lessons too.
    Names,
    /// Keyword rules.
    Keywords,
    /// The mode of a search engine.
    SafeSearch,
    /// A canary.
    Canaries,
    /// REFUSED, after which a device asks another resolver.
    Answer,
    /// Urgent entries of another time.
    Urgent,
}

impl Looser {
    /// The id used in traces.
    pub fn id(self) -> &'static str {
        match self {
            Self::Categories => "categories",
            Self::Locks => "locks",
            Self::ListAnswers => "list-answers",
            Self::AllowOnly => "allow-only",
            Self::Names => "names",
            Self::Keywords => "keywords",
            Self::SafeSearch => "safesearch",
            Self::Canaries => "canaries",
            Self::Answer => "answer",
            Self::Urgent => "urgent",
        }
    }
}

/// The groups that are no looser than each group.
#[derive(Debug)]
pub(crate) struct Strictness {
    /// By the place of the other group.
    lines: Vec<Timeline<GroupSet>>,
    /// Strictness of the mode of each search engine, by group.
    ranks: Vec<Vec<usize>>,
    lists: ListTraits,
}

impl Strictness {
    /// The relation of these groups.
    pub(crate) fn new(groups: &[Group], engines: &Engines, lists: ListTraits) -> Self {
        let ranks = groups.iter().map(|group| ranks(group, engines)).collect();
        let mut made = Self { lines: Vec::new(), ranks, lists };
        let mut instants: Vec<u64> = groups.iter().flat_map(|one| one.rules.instants()).collect();
        instants.push(0);
        instants.sort_unstable();
        instants.dedup();
        let mut known = Known::default();
        let unknown = made.sets(groups, &mut known, None);
        let sets: Vec<Vec<GroupSet>> =
            instants.iter().map(|&at| made.sets(groups, &mut known, Some(at))).collect();
        made.lines = (0..groups.len())
            .map(|base| {
                let state_at = |civil: u64| {
                    let after = instants.partition_point(|&instant| instant <= civil);
                    let sets = after.checked_sub(1).and_then(|place| sets.get(place));
                    sets.and_then(|sets| sets.get(base)).copied().unwrap_or_default()
                };
                let strict = unknown.get(base).copied().unwrap_or_default();
                Timeline::new(0, u64::MAX, instants.iter().copied(), state_at, strict)
            })
            .collect();
        made
    }

    /// The groups that are no looser than `base` now, itself among them, and the instant until which
    /// they are the same, in civil seconds.
    #[inline]
    pub(crate) fn no_looser(&self, base: GroupId, now: Now) -> (GroupSet, u64) {
        let line = self.lines.get(usize::from(base.0));
        line.map_or((GroupSet::default(), u64::MAX), |line| {
            let (set, until) = line.at_until(now);
            (*set, until)
        })
    }

    /// The first rule by which a group is looser than another now.
    pub(crate) fn looser(
        &self,
        groups: &[Group],
        (group, base): (GroupId, GroupId),
        now: Now,
    ) -> Option<Looser> {
        let (group, base) = (usize::from(group.0), usize::from(base.0));
        let ours = groups.get(group)?.rules.at(now);
        let theirs = groups.get(base)?.rules.at(now);
        self.always(groups, group, base)
            .or_else(|| self.looser_rules(ours, theirs))
            .or_else(|| looser_names(ours, theirs, self.lists).then_some(Looser::Names))
    }

    /// By each group the set of those that are no looser at a time; none is an unknown one.
    fn sets(&self, groups: &[Group], known: &mut Known, at: Option<u64>) -> Vec<GroupSet> {
        let trust = if at.is_some() { Trust::Synced } else { Trust::Untrusted };
        let now = Now { mono: 0, civil: at.unwrap_or(0), trust };
        let states: Vec<usize> = groups.iter().map(|group| group.rules.number(now)).collect();
        let set_of = |base: usize| {
            (0..groups.len()).zip(0..=u8::MAX).fold(GroupSet::default(), |set, (group, place)| {
                let pair = [group, base];
                let is_in = group == base || self.holds(groups, known, pair, &states);
                if is_in { set.with(place) } else { set }
            })
        };
        (0..groups.len()).map(set_of).collect()
    }

    /// Whether the first group of a pair is no looser than the second, in these states.
    fn holds(
        &self,
        groups: &[Group],
        known: &mut Known,
        [group, base]: [usize; 2],
        states: &[usize],
    ) -> bool {
        let state_of = |place: usize| {
            let number = *states.get(place)?;
            Some((number, groups.get(place)?.rules.states().get(number)?))
        };
        let Some(((ours, our_rules), (theirs, their_rules))) = state_of(group).zip(state_of(base))
        else {
            return false;
        };
        let always =
            known.always.entry([group, base]).or_insert_with(|| self.always(groups, group, base));
        if always.is_some() {
            return false;
        }
        *known.states.entry([group, base, ours, theirs]).or_insert_with(|| {
            let tables = [Arc::as_ptr(&our_rules.own), Arc::as_ptr(&their_rules.own)];
            self.looser_rules(our_rules, their_rules).is_none()
                && if [our_rules, their_rules].into_iter().all(is_plain) {
                    *known
                        .tables
                        .entry(tables.map(<*const _>::addr))
                        .or_insert_with(|| !looser_names(our_rules, their_rules, self.lists))
                } else {
                    !looser_names(our_rules, their_rules, self.lists)
                }
        })
    }

    /// What is the same at all times.
    fn always(&self, groups: &[Group], group: usize, base: usize) -> Option<Looser> {
        let (ours, theirs) = groups.get(group).zip(groups.get(base))?;
        let weaker = |(ours, theirs): (&usize, &usize)| ours < theirs;
        let mut ranks = self.ranks.get(group)?.iter().zip(self.ranks.get(base)?);
        let is_lacking = |kind: CanaryKind| theirs.refuses(kind) && !ours.refuses(kind);
        let refuses = |group: &Group| group.answer == AnswerMode::Refused;
        match () {
            () if !is_in(theirs.locked, ours.locked) => Some(Looser::Locks),
            () if self.lists.answer && ours.locked != theirs.locked => Some(Looser::ListAnswers),
            () if theirs.keywords && !ours.keywords => Some(Looser::Keywords),
            () if ranks.any(weaker) => Some(Looser::SafeSearch),
            () if CanaryKind::ALL.into_iter().any(is_lacking) => Some(Looser::Canaries),
            () if refuses(ours) && !refuses(theirs) => Some(Looser::Answer),
            () => None,
        }
    }

    /// What categories and modes say at one time.
    fn looser_rules(&self, ours: &Rules, theirs: &Rules) -> Option<Looser> {
        match () {
            () if ours.urgent_at != theirs.urgent_at => Some(Looser::Urgent),
            () if !is_in(theirs.block, ours.block) => Some(Looser::Categories),
            () if !is_in(ours.opened, theirs.opened) => Some(Looser::Categories),
            () if self.lists.answer && ours.block != theirs.block => Some(Looser::ListAnswers),
            () if theirs.is_allow_only && !ours.is_allow_only => Some(Looser::AllowOnly),
            () => None,
        }
    }
}

/// What was compared already.
#[derive(Default)]
struct Known {
    /// Pairs of groups.
    always: HashMap<[usize; 2], Option<Looser>>,
    /// Pairs of groups with a state each.
    states: HashMap<[usize; 4], bool>,
    /// Pairs of tables of names, by their addresses: most states of a group have one table.
    tables: HashMap<[usize; 2], bool>,
}

/// Whether neither a lesson nor an exam speaks of a name.
fn is_plain(rules: &Rules) -> bool {
    rules.exam.is_none() && rules.lesson.is_empty()
}

fn is_in(inner: CategorySet, outer: CategorySet) -> bool {
    inner.without(outer).is_empty()
}

/// Strictness of the mode of each search engine that a group enforces.
fn ranks(group: &Group, engines: &Engines) -> Vec<usize> {
    let target = |engine| group.safe.as_ref().and_then(|modes| modes.target(EngineId(engine)));
    let engines_by_place = (0..engines.0.len()).zip(0..=u8::MAX);
    engines_by_place.map(|(place, engine)| engines.rank(place, target(engine))).collect()
}

/// What rules say of one name, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum NameRule {
    Allowed,
    None,
    Denied,
}

/// What exam, lesson and school say of a name, in the order of policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NameRules {
    question: NameRule,
    target: NameRule,
    /// Whether the name itself is allowed, and not by a name above it.
    is_named: bool,
}

impl NameRules {
    fn of(rules: &Rules, name: &Folded, hashes: &SuffixHashes) -> Self {
        let own = |own: Own| match own {
            Own::Allow => NameRule::Allowed,
            Own::Deny => NameRule::Denied,
        };
        let found = rules.lesson.longest(name, hashes).or_else(|| rules.own.longest(name, hashes));
        let target = found.map_or(NameRule::None, |(_, &found)| own(found));
        let question = match &rules.exam {
            None => target,
            Some(exam) if exam.longest(name, hashes).is_some() => NameRule::Allowed,
            Some(_) => NameRule::Denied,
        };
        let is_named = rules.own.exact(name, hashes) == Some(&Own::Allow)
            || rules.lesson.exact(name, hashes) == Some(&Own::Allow)
            || rules.exam.as_ref().is_some_and(|exam| exam.exact(name, hashes).is_some());
        Self { question, target, is_named }
    }

    fn is_looser(self, than: Self, lists: ListTraits) -> bool {
        self.question < than.question
            || self.target < than.target
            || lists.protects && self.is_named && !than.is_named
    }
}

/// Whether there is a name of which `ours` says less than `theirs`.
///
/// The longest name of a table decides, so both say of any name what they say of the longest name of
/// both that covers it: the names of both are all that is to be looked at, and one that is in neither.
fn looser_names(ours: &Rules, theirs: &Rules, lists: ListTraits) -> bool {
    if theirs.exam.is_some() && ours.exam.is_none() {
        return true;
    }
    let names_of = |rules: &'_ Rules| -> Vec<Name> {
        let own = rules.own.iter().chain(rules.lesson.iter()).map(|(name, ..)| name);
        let exam = rules.exam.iter().flat_map(NameTable::iter).map(|(name, ..)| name);
        own.chain(exam).cloned().collect()
    };
    names_of(ours).iter().chain(&names_of(theirs)).any(|name| {
        let name = Folded::from_name(name);
        let hashes = SuffixHashes::of(&name, ours.own.seed());
        let of = |rules| NameRules::of(rules, &name, &hashes);
        of(ours).is_looser(of(theirs), lists)
    })
}
