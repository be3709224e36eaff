//! Groups of clients: configured rules, and the active rules that decide.
//!
//! ```text
//! GroupRules (config) + schedules that run + overrides ──▶ GroupState ──seeded──▶ Rules
//!                                    one for each interval of the timeline
//! ```

use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::category::{CategoryId, CategorySet, Level};
use crate::dns::name::Name;
use crate::matcher::names::NameTable;
use crate::policy::claims::GroupClaims;
use crate::policy::group::enforcement::Enforcement;
use crate::policy::group::overrides::{Override, OverrideKind};
use crate::policy::group::timeline::Timeline;
use crate::policy::tables::names::{CanaryKind, Own, own_names};
use crate::policy::tables::rewrite::SafeModes;
use crate::rule::Scope;

/// The answer to a blocked name; the same mode for all query types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnswerMode {
    /// NXDOMAIN with SOA.
    #[default]
    NxDomain,
    /// NOERROR without an answer, with SOA.
    NoData,
    /// A 0.0.0.0, AAAA ::, NODATA for every other type.
    Zero,
    /// The portal's addresses for A and AAAA, NODATA for every other type.
    Portal,
    /// REFUSED.
    Refused,
}

impl AnswerMode {
    /// Every mode, default first.
    pub const ALL: [Self; 5] =
        [Self::NxDomain, Self::NoData, Self::Zero, Self::Portal, Self::Refused];

    /// The id used in the config.
    pub fn id(self) -> &'static str {
        match self {
            Self::NxDomain => "nxdomain",
            Self::NoData => "nodata",
            Self::Zero => "zero",
            Self::Portal => "portal",
            Self::Refused => "refused",
        }
    }
}

/// Actions by category; categories in neither set pass uncounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Actions {
    /// Answered as blocked, in lessons at least.
    pub block: CategorySet,
    /// Those of `block` that are only counted outside lessons.
    pub lessons: CategorySet,
    /// Counted and let through.
    pub observe: CategorySet,
    /// Whether names that no layer allows are blocked.
    pub is_allow_only: bool,
}

impl Actions {
    /// The ids of actions, loosest first.
    pub const WORDS: [&str; 4] = ["allow", "observe", "lessons", "block"];

    /// Strictness for a category: a place in [`Actions::WORDS`].
    pub fn rank(&self, category: CategoryId) -> usize {
        match () {
            () if self.lessons.contains(category) => 2,
            () if self.block.contains(category) => 3,
            () if self.observe.contains(category) => 1,
            () => 0,
        }
    }

    /// The id of the action for a category.
    pub fn word(&self, category: CategoryId) -> &'static str {
        Self::WORDS.get(self.rank(category)).copied().unwrap_or_default()
    }
}

/// Changes to the actions of a group while a schedule runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct During {
    /// The place of the schedule in the config.
    pub schedule: usize,
    /// Categories that are blocked then.
    pub block: CategorySet,
    /// Categories that are let through and counted then.
    pub observe: CategorySet,
    /// Whether names that no layer allows are blocked then.
    pub is_allow_only: bool,
    /// Names allowed by the school then: each name and all below it.
    pub allow: Vec<Name>,
    /// Names denied by the school then: each name and all below it.
    pub deny: Vec<Name>,
}

/// The configured rules of one group of clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRules {
    /// The name in config, metrics and traces.
    pub name: String,
    /// The level of its defaults and locks.
    pub level: Level,
    /// The profile it uses.
    pub profile: Option<String>,
    /// The client prefixes of the group (the longest prefix over all groups wins).
    pub clients: Vec<IpNet>,
    /// The listeners of the group, for clients that no prefix covers.
    pub listeners: Vec<SocketAddr>,
    /// What it names of its devices beside their addresses.
    pub claims: GroupClaims,
    /// Categories that are answered as blocked, in lessons at least.
    pub block: CategorySet,
    /// Those of `block` that are only counted outside lessons.
    pub lessons: CategorySet,
    /// Categories that are counted and let through.
    pub observe: CategorySet,
    /// Categories of `block` that no layer of the school can loosen.
    pub locked: CategorySet,
    /// Whether names that no layer allows are blocked.
    pub is_allow_only: bool,
    /// The schedule of its lessons; without one lessons run at all times.
    pub lesson_schedule: Option<usize>,
    /// Changes while schedules run.
    pub during: Vec<During>,
    /// Names allowed by the school: each name and all below it.
    pub allow: Vec<Name>,
    /// Names denied by the school: each name and all below it.
    pub deny: Vec<Name>,
    /// Whether keyword rules block.
    pub keywords: bool,
    /// How a blocked name is answered.
    pub answer: AnswerMode,
    /// Enforced safe search and canaries.
    pub enforcement: Enforcement,
    /// The part of it that no layer of the school can loosen.
    pub enforcement_locked: Enforcement,
    /// The combined actions of the layers above the school.
    pub baseline: Actions,
    /// The combined enforcement of the layers above the school.
    pub enforcement_baseline: Enforcement,
}

/// The rules in force for a group in one interval, before hashing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupState {
    /// The time at which urgent entries are looked up; none where it is unknown, or there are none.
    pub urgent_at: Option<u64>,
    /// Categories answered as blocked, locked ones too.
    pub block: CategorySet,
    /// Categories counted and let through.
    pub observe: CategorySet,
    /// Whether names that no layer allows are blocked.
    pub is_allow_only: bool,
    /// Names that the school allows or denies in this interval, beside those of all times; of equal
    /// ones the last counts.
    pub own: Vec<(Name, Own)>,
    /// Categories that a lesson allows.
    pub opened: CategorySet,
    /// Names that a lesson allows or denies; of equal ones the last counts.
    pub lesson: Vec<(Name, Own)>,
    /// The only names that an exam allows.
    pub exam: Option<Vec<Name>>,
    /// The schedules that run, as places in the config.
    pub schedules: Vec<usize>,
    /// The lessons and exams in force, by number.
    pub overrides: Vec<u64>,
}

impl GroupRules {
    /// The schedules that change its rules.
    pub fn schedules(&self) -> impl Iterator<Item = usize> {
        let lessons = self.lesson_schedule.filter(|_| !self.lessons.is_empty());
        lessons.into_iter().chain(self.during.iter().map(|during| during.schedule))
    }

    /// The rules in force while these schedules run and these overrides are in force.
    ///
    /// Of several schedules at once the stricter action wins. **A locked category is blocked in
    /// every state.**
    pub fn state<'o>(
        &self,
        is_running: impl Fn(usize) -> bool,
        overrides: impl IntoIterator<Item = &'o Override>,
    ) -> GroupState {
        let in_lessons = self.lesson_schedule.is_none_or(&is_running);
        let mut state = GroupState { is_allow_only: self.is_allow_only, ..GroupState::default() };
        let (mut loosened, mut tightened) = (CategorySet::EMPTY, CategorySet::EMPTY);
        if !in_lessons {
            loosened = self.lessons;
        }
        for during in self.during.iter().filter(|during| is_running(during.schedule)) {
            loosened = loosened.union(during.observe);
            tightened = tightened.union(during.block);
            state.is_allow_only |= during.is_allow_only;
            state.own.extend(during.allow.iter().map(|name| (name.clone(), Own::Allow)));
        }
        for during in self.during.iter().filter(|during| is_running(during.schedule)) {
            state.own.extend(during.deny.iter().map(|name| (name.clone(), Own::Deny)));
        }
        let mut denied = Vec::new();
        loosened = loosened.without(tightened);
        for one in overrides {
            match one.kind {
                OverrideKind::Lesson => {
                    loosened = loosened.union(one.categories);
                    state.opened = state.opened.union(one.categories);
                    state.lesson.extend(one.names.iter().map(|name| (name.clone(), Own::Allow)));
                    denied.extend(one.deny.iter().map(|name| (name.clone(), Own::Deny)));
                }
                // Of two exams at once only what both let through would be safe; names of
                // two papers in one room are both wanted.
                OverrideKind::Exam => {
                    state.exam.get_or_insert_default().extend(one.names.iter().cloned());
                }
                // After the denies of the config: it was said of this name, and later.
                OverrideKind::Allow => {
                    state.own.extend(one.names.iter().map(|name| (name.clone(), Own::Allow)));
                    continue;
                }
            }
            state.overrides.push(one.id);
        }
        state.lesson.extend(denied);
        state.block = self.block.union(tightened).without(loosened).union(self.locked);
        state.observe = self.observe.union(loosened).without(state.block);
        state.opened = state.opened.without(state.block);
        state.schedules = self.schedules().filter(|&schedule| is_running(schedule)).collect();
        state.schedules.sort_unstable();
        state.schedules.dedup();
        state
    }

    /// The rules in force at an unknown time: lessons run, every schedule tightens and none
    /// loosens. A schedule's allow-list mode is ignored: a gateway without a clock must still
    /// serve lessons.
    pub fn strict_state<'o>(&self, all: impl IntoIterator<Item = &'o Override>) -> GroupState {
        let strict: Vec<Override> = all.into_iter().filter_map(Override::strict).collect();
        let group = self.clone().unknown(|_| true);
        GroupState { schedules: Vec::new(), ..group.state(|_| true, &strict) }
    }

    /// The same rules where nobody knows when some schedules run: such a one tightens at all times
    /// and never loosens, if it counts as running.
    #[must_use]
    pub fn unknown(mut self, is_unknown: impl Fn(usize) -> bool) -> Self {
        self.lesson_schedule = self.lesson_schedule.filter(|schedule| !is_unknown(*schedule));
        for during in self.during.iter_mut().filter(|during| is_unknown(during.schedule)) {
            during.observe = CategorySet::EMPTY;
            during.is_allow_only = false;
            during.allow.clear();
        }
        self
    }
}

/// A group's place in the snapshot, 0 to 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub u8);

/// The block of counters of a group, 0 to 15.
///
/// It follows the group's name through reloads, whatever the group's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupCounters(pub u8);

/// The rules in force for a group in one interval, in tables.
#[derive(Debug)]
pub struct Rules {
    /// The time at which urgent entries are looked up; none where it is unknown, or there are none.
    pub urgent_at: Option<u64>,
    /// Categories answered as blocked, locked ones too.
    pub block: CategorySet,
    /// Categories counted and let through.
    pub observe: CategorySet,
    /// Whether names that no layer allows are blocked.
    pub is_allow_only: bool,
    /// The school's allow and deny names in this interval; one table where it has none of its own.
    pub own: Arc<NameTable<Own>>,
    /// Categories that a lesson allows.
    pub opened: CategorySet,
    /// Names that a lesson allows or denies.
    pub lesson: NameTable<Own>,
    /// The only names that an exam allows.
    pub exam: Option<NameTable<()>>,
    /// The schedules that run, as places in the config.
    pub schedules: Vec<usize>,
    /// The lessons and exams in force, by number.
    pub overrides: Vec<u64>,
}

impl Rules {
    fn new(state: GroupState, always: &Always, illegal: CategorySet, seed: u64) -> Self {
        let table = |names: Vec<Name>| {
            NameTable::new(names.into_iter().map(|name| (name, Scope::Subtree, ())), seed)
        };
        Self {
            urgent_at: state.urgent_at,
            block: state.block.union(illegal),
            observe: state.observe.without(illegal),
            is_allow_only: state.is_allow_only,
            own: always.with(state.own, seed),
            opened: state.opened.without(illegal),
            lesson: NameTable::new(
                state.lesson.into_iter().map(|(name, own)| (name, Scope::Subtree, own)),
                seed,
            ),
            exam: state.exam.map(table),
            schedules: state.schedules,
            overrides: state.overrides,
        }
    }
}

impl Rules {
    /// Whether they speak of no name: neither the school nor a lesson.
    #[inline]
    pub fn says_nothing(&self) -> bool {
        self.own.is_empty() && self.lesson.is_empty()
    }
}

/// The school's allow and deny names of all times.
struct Always {
    allow: Vec<Name>,
    deny: Vec<Name>,
    table: Arc<NameTable<Own>>,
}

impl Always {
    /// The table of an interval: what its windows say goes before what is said of all times.
    fn with(&self, more: Vec<(Name, Own)>, seed: u64) -> Arc<NameTable<Own>> {
        if more.is_empty() {
            return Arc::clone(&self.table);
        }
        Arc::new(own_names(self.allow.clone(), self.deny.clone(), more, seed))
    }
}

/// A group with its tables.
#[derive(Debug)]
pub struct Group {
    /// The name in config, metrics and traces.
    pub name: String,
    /// Categories that no school allow loosens.
    pub locked: CategorySet,
    /// How a blocked name is answered.
    pub answer: AnswerMode,
    /// Whether keyword rules block.
    pub keywords: bool,
    /// The counters of its outcomes.
    pub counters: GroupCounters,
    /// Its rules in each interval.
    pub rules: Timeline<Rules>,
    /// Enforced modes of search engines; none where no mode is enforced.
    pub safe: Option<SafeModes>,
    /// The canaries that are answered negatively.
    canaries: Vec<CanaryKind>,
}

impl Group {
    /// A group with its tables for hashes of `seed`.
    pub(crate) fn new(
        group: GroupRules,
        states: Timeline<GroupState>,
        counters: GroupCounters,
        illegal: CategorySet,
        seed: u64,
    ) -> Self {
        let table = own_names(group.allow.clone(), group.deny.clone(), Vec::new(), seed);
        let always = Always { allow: group.allow, deny: group.deny, table: Arc::new(table) };
        Self {
            name: group.name,
            locked: group.locked,
            answer: group.answer,
            keywords: group.keywords,
            counters,
            rules: states.map(|state| Rules::new(state, &always, illegal, seed)),
            safe: Some(group.enforcement.safe).filter(|modes| !modes.is_empty()),
            canaries: group.enforcement.canaries,
        }
    }

    /// Names that the school allows at some time; one may come several times.
    pub fn ever_allowed(&self) -> impl Iterator<Item = &Name> {
        self.ever_own(Own::Allow)
    }

    /// Whether the school denies a name at some time.
    pub fn ever_denies(&self) -> bool {
        self.ever_own(Own::Deny).next().is_some()
    }

    fn ever_own(&self, which: Own) -> impl Iterator<Item = &Name> {
        let mut tables: Vec<&Arc<NameTable<Own>>> = Vec::new();
        for rules in self.rules.states() {
            if !tables.iter().any(|seen| Arc::ptr_eq(seen, &rules.own)) {
                tables.push(&rules.own);
            }
        }
        let names = tables.into_iter().flat_map(|table| table.iter());
        names.filter(move |(_, _, own)| **own == which).map(|(name, _, _)| name)
    }

    /// Categories that are blocked at some time.
    pub fn ever_blocked(&self) -> CategorySet {
        self.rules.states().iter().fold(CategorySet::EMPTY, |set, rules| set.union(rules.block))
    }

    /// Categories that are counted at some time.
    pub fn ever_observed(&self) -> CategorySet {
        self.rules.states().iter().fold(CategorySet::EMPTY, |set, rules| set.union(rules.observe))
    }

    /// Whether names that no layer allows are blocked at some time.
    pub fn is_ever_allow_only(&self) -> bool {
        self.rules.states().iter().any(|rules| rules.is_allow_only || rules.exam.is_some())
    }
}

/// A group at one time.
#[derive(Debug, Clone, Copy)]
pub struct ActiveRules<'a> {
    /// The group.
    pub group: &'a Group,
    /// Its rules in force.
    pub rules: &'a Rules,
}

impl Group {
    /// Whether a canary of this kind is answered negatively.
    #[inline]
    pub fn refuses(&self, kind: CanaryKind) -> bool {
        self.canaries.contains(&kind)
    }

    /// The group with its rules in force now.
    #[inline]
    pub fn at(&self, now: crate::policy::group::time::Now) -> ActiveRules<'_> {
        ActiveRules { group: self, rules: self.rules.at(now) }
    }
}
