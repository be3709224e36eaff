//! Queries that search engines were answered in safe mode.

use prometheus::proto::{MetricFamily, MetricType};

use super::{counter, family as new_family};
use crate::metrics::counters::Totals;
use crate::policy::Snapshot;
use crate::policy::tables::rewrite::EngineId;

/// One series for each engine that some group is held to, from 0.
pub(super) fn family(totals: &Totals, snapshot: &Snapshot) -> MetricFamily {
    let is_used = |number: u8| {
        let target = |group: &crate::policy::Group| {
            group.safe.as_ref().is_some_and(|modes| modes.target(EngineId(number)).is_some())
        };
        snapshot.groups().iter().any(target)
    };
    let engines = (0..=u8::MAX).zip(snapshot.engine_ids());
    let counts = engines.filter_map(|(number, id)| {
        let count = totals.safe(usize::from(number));
        (count > 0 || is_used(number)).then(|| counter(&[("engine", id)], count))
    });
    new_family(
        "lachan_safesearch_rewrites_total",
        "Queries for a search engine that were answered with its safe name.",
        MetricType::COUNTER,
        counts.collect(),
    )
}
