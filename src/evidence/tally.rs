//! What was counted in a stretch of time, before it is of any month.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::category::{CategoryId, NO_CATEGORY};
use crate::config::Config;
use crate::evidence::record::{
    CategoryCounts, GroupMonth, OrderCounts, ReviewCounts, RowCounts, SelfTestMonth,
};
use crate::metrics::counters::{FAMILIES, MAX_GROUPS, Totals};
use crate::policy::Snapshot;
use crate::resolve::{BlockedBy, Transport};

/// The most rows of a self-test that are counted.
const MAX_ROWS: usize = 512;
/// The most orders of a month with their seconds.
const MAX_ORDERS: usize = 1_000;

/// Counts of a stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceTally {
    /// Queries received.
    pub queries: u64,
    /// What policy did, by the name of a group.
    pub groups: BTreeMap<String, GroupMonth>,
    /// Blocked queries, by the source that named them.
    pub sources: BTreeMap<String, u64>,
    /// Requests to open a name.
    pub reviews: ReviewCounts,
    /// Orders that were carried out.
    pub orders: OrderCounts,
    /// Self-tests.
    pub self_test: SelfTestMonth,
}

/// A group and the place of its counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CountedGroup {
    cells: usize,
    name: String,
    level: String,
}

impl CountedGroup {
    /// The groups of a policy, and those of an earlier one with counters that no other has taken: queries
    /// were counted there until the policy was swapped.
    pub(super) fn all(config: &Config, snapshot: &Snapshot, earlier: &[Self]) -> Vec<Self> {
        let level = |name: &str| config.groups.iter().find(|one| one.name == name);
        let of = |group: &crate::policy::Group| Self {
            cells: usize::from(group.counters.0) % MAX_GROUPS,
            name: group.name.clone(),
            level: level(&group.name).map_or("", |group| group.level.id()).to_owned(),
        };
        let mut groups: Vec<Self> = snapshot.groups().iter().map(of).collect();
        for one in earlier {
            if !groups.iter().any(|group| group.cells == one.cells) {
                groups.push(one.clone());
            }
        }
        groups
    }
}

impl EvidenceTally {
    /// What the counters counted in a stretch. The only place where they become counts of a record.
    pub(super) fn of(counted: &Totals, groups: &[CountedGroup], snapshot: &Snapshot) -> Self {
        let taxonomy = snapshot.taxonomy();
        let mut sources = counted.by_source(snapshot.sources());
        sources.retain(|_, count| *count > 0);
        let families = 0..FAMILIES.len();
        let queries = Transport::ALL
            .into_iter()
            .flat_map(|transport| families.clone().map(move |family| (transport, family)));
        let mut tally = Self {
            queries: queries.map(|(transport, family)| counted.queries(transport, family)).sum(),
            sources,
            ..Self::default()
        };
        for group in groups {
            let blocked = |category: Option<usize>| -> u64 {
                BlockedBy::ALL.map(|by| counted.blocked(group.cells, category, by)).iter().sum()
            };
            let merged = |category| counted.merged(group.cells, category);
            let of_category = |id: CategoryId| {
                let observed = counted.observed(group.cells, id.index());
                let (blocked, merged) = (blocked(Some(id.index())), merged(Some(id.index())));
                CategoryCounts { blocked, merged, observed }
            };
            let none = CategoryCounts { blocked: blocked(None), merged: merged(None), observed: 0 };
            let all = taxonomy.iter().map(|(id, row)| (row.counted_as(), of_category(id)));
            let all = all.chain([(NO_CATEGORY, none)]);
            let mut categories = BTreeMap::new();
            for (name, counts) in all.filter(|(_, counts)| *counts != CategoryCounts::default()) {
                add_counts(categories.entry(name.to_owned()).or_default(), counts);
            }
            if !categories.is_empty() {
                let found = GroupMonth { level: group.level.clone(), categories };
                tally.groups.insert(group.name.clone(), found);
            }
        }
        tally
    }

    /// Counts a self-test: the rows that were asked, by id, and whether each was as it must be.
    pub(super) fn self_tested(&mut self, rows: &[(String, bool)]) {
        self.self_test.runs = self.self_test.runs.saturating_add(1);
        let has_failed = rows.iter().any(|(_, passed)| !passed);
        self.self_test.failed = self.self_test.failed.saturating_add(has_failed.into());
        for (id, passed) in rows {
            add_row(&mut self.self_test.rows, id, RowCounts { asked: 1, passed: (*passed).into() });
        }
    }

    /// True where nothing was counted.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what was counted elsewhere.
    pub(super) fn add(&mut self, other: &Self) {
        self.queries = self.queries.saturating_add(other.queries);
        add_groups(&mut self.groups, &other.groups);
        add_sources(&mut self.sources, &other.sources);
        add_reviews(&mut self.reviews, other.reviews);
        add_orders(&mut self.orders, &other.orders);
        add_self_tests(&mut self.self_test, &other.self_test);
    }
}

fn add_counts(to: &mut CategoryCounts, more: CategoryCounts) {
    to.blocked = to.blocked.saturating_add(more.blocked);
    to.merged = to.merged.saturating_add(more.merged);
    to.observed = to.observed.saturating_add(more.observed);
}

fn add_row(to: &mut BTreeMap<String, RowCounts>, id: &str, more: RowCounts) {
    if to.len() >= MAX_ROWS && !to.contains_key(id) {
        return;
    }
    let row = to.entry(id.to_owned()).or_default();
    row.asked = row.asked.saturating_add(more.asked);
    row.passed = row.passed.saturating_add(more.passed);
}

pub(super) fn add_groups(
    to: &mut BTreeMap<String, GroupMonth>,
    more: &BTreeMap<String, GroupMonth>,
) {
    for (name, group) in more {
        let known = to.entry(name.clone()).or_default();
        known.level.clone_from(&group.level);
        for (category, counts) in &group.categories {
            add_counts(known.categories.entry(category.clone()).or_default(), *counts);
        }
    }
}

pub(super) fn add_sources(to: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (source, count) in more {
        let known = to.entry(source.clone()).or_default();
        *known = known.saturating_add(*count);
    }
}

pub(super) fn add_reviews(to: &mut ReviewCounts, more: ReviewCounts) {
    to.received = to.received.saturating_add(more.received);
    to.accepted = to.accepted.saturating_add(more.accepted);
}

pub(super) fn add_orders(to: &mut OrderCounts, more: &OrderCounts) {
    to.applied = to.applied.saturating_add(more.applied);
    let room = MAX_ORDERS.saturating_sub(to.seconds.len());
    to.seconds.extend(more.seconds.iter().take(room));
}

pub(super) fn add_self_tests(to: &mut SelfTestMonth, more: &SelfTestMonth) {
    to.runs = to.runs.saturating_add(more.runs);
    to.failed = to.failed.saturating_add(more.failed);
    for (id, row) in &more.rows {
        add_row(&mut to.rows, id, *row);
    }
}
