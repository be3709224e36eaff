//! What policy did by group and category, and what it was made of.
//!
//! Law: only pairs of group and category that the policy in force can produce are exported, from
//! 0. Protected categories (csam, self-harm) share one series, `protected`.

use std::collections::BTreeMap;

use crate::category::{CategoryId, CategorySet, NO_CATEGORY, Taxonomy};
use crate::metrics::counters::{MAX_GROUPS, Totals};
use crate::metrics::families as family;
use crate::metrics::family::Sample;
use crate::metrics::labels::FailureMode;
use crate::policy::tables::rewrite::EngineId;
use crate::policy::{Group, Snapshot};
use crate::resolve::BlockedBy;

/// Everything that depends on the policy in force.
pub(super) fn samples(totals: &Totals, snapshot: &Snapshot) -> Vec<Sample> {
    let mut samples = verdicts(totals, snapshot);
    samples.extend(matches(totals, snapshot));
    samples.extend(listed(snapshot));
    samples.extend(rewrites(totals, snapshot));
    samples.extend(fail_modes(snapshot));
    samples.push(family::VOID_ALLOWS.sample((), snapshot.void_allows().len() as f64));
    samples
}

/// Blocked and observed queries.
fn verdicts(totals: &Totals, snapshot: &Snapshot) -> Vec<Sample> {
    let taxonomy = snapshot.taxonomy();
    let mut blocked: BTreeMap<(&str, &str, &str), (BlockedBy, u64)> = BTreeMap::new();
    let mut observed: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for group in snapshot.groups() {
        let (number, name) = (usize::from(group.counters.0) % MAX_GROUPS, group.name.as_str());
        let (ever_blocked, ever_observed) = (group.ever_blocked(), group.ever_observed());
        for (category, id) in categories(taxonomy, ever_blocked) {
            for by in BlockedBy::ALL {
                let count = totals.blocked(number, Some(category.index()), by);
                if count > 0 || by == BlockedBy::List {
                    blocked.entry((name, id, by.id())).or_insert((by, 0)).1 += count;
                }
            }
        }
        for by in BlockedBy::ALL {
            let count = totals.blocked(number, None, by);
            let can_be = match by {
                BlockedBy::School => group.ever_denies(),
                BlockedBy::AllowList => group.is_ever_allow_only(),
                BlockedBy::Rebinding | BlockedBy::Upstream => true,
                _ => false,
            };
            if count > 0 || can_be {
                blocked.insert((name, NO_CATEGORY, by.id()), (by, count));
            }
        }
        for (category, id) in categories(taxonomy, ever_blocked.union(ever_observed)) {
            let count = totals.observed(number, category.index());
            // Keywords hint at blocked categories too; rarely, so only where they did.
            if count > 0 || ever_observed.contains(category) {
                *observed.entry((name, id)).or_default() += count;
            }
        }
    }
    let blocked = blocked.into_iter().map(|((group, id, _), (by, count))| {
        family::BLOCKED.sample((group.into(), id.into(), by), count)
    });
    let observed = observed
        .into_iter()
        .map(|((group, id), count)| family::OBSERVED.sample((group.into(), id.into()), count));
    blocked.chain(observed).collect()
}

/// Blocked queries by the lists that name them: one series a source in force, from 0.
fn matches(totals: &Totals, snapshot: &Snapshot) -> Vec<Sample> {
    let counts = totals.by_source(snapshot.sources()).into_iter();
    counts.map(|(name, count)| family::SOURCE_MATCHES.sample((name.into(),), count)).collect()
}

/// Names listed, by category.
fn listed(snapshot: &Snapshot) -> Vec<Sample> {
    let mut listed: BTreeMap<&str, u64> = BTreeMap::new();
    for (id, row) in snapshot.taxonomy().iter() {
        *listed.entry(row.counted_as()).or_default() += snapshot.listed_in(id);
    }
    let listed = listed.into_iter();
    listed.map(|(id, count)| family::LIST_ENTRIES.sample((id.into(),), count as f64)).collect()
}

/// One series for each engine that some group is held to, from 0.
fn rewrites(totals: &Totals, snapshot: &Snapshot) -> Vec<Sample> {
    let is_used = |number: u8| {
        let target = |group: &Group| {
            group.safe.as_ref().is_some_and(|modes| modes.target(EngineId(number)).is_some())
        };
        snapshot.groups().iter().any(target)
    };
    let engines = (0..=u8::MAX).zip(snapshot.engine_ids());
    let counts = engines.filter_map(|(number, id)| {
        let count = totals.safe(usize::from(number));
        (count > 0 || is_used(number))
            .then(|| family::SAFESEARCH_REWRITES.sample((id.into(),), count))
    });
    counts.collect()
}

/// Categories without a list: one series for each that has a source, from 0.
fn fail_modes(snapshot: &Snapshot) -> Vec<Sample> {
    let state = snapshot.fail_mode();
    let mut modes: BTreeMap<(&str, bool), bool> = BTreeMap::new();
    for (category, id) in categories(snapshot.taxonomy(), state.enrolled) {
        // Protected categories share a series: one that is missing shows.
        let is_missing = modes.entry((id, state.fails_closed.contains(category))).or_default();
        *is_missing |= state.missing.contains(category);
    }
    let modes = modes.into_iter().map(|((id, is_closed), is_missing)| {
        let mode = if is_closed { FailureMode::Closed } else { FailureMode::Open };
        family::FAIL_MODE.flag((id.into(), mode), is_missing)
    });
    let left_out = family::LIST_SOURCES_LEFT_OUT.sample((), f64::from(state.left_out));
    modes.chain([left_out]).collect()
}

/// The categories of a set with the names they are exported under.
fn categories(taxonomy: &Taxonomy, set: CategorySet) -> impl Iterator<Item = (CategoryId, &str)> {
    set.iter().map(|category| (category, taxonomy.category(category).counted_as()))
}
