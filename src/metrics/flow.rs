//! What happens between a query and its answer: who waits, who is too many.

use prometheus::proto::{MetricFamily, MetricType};

use super::counters::{Event, Totals};
use super::{counter, family};

/// Families about queries that wait, and about what does not fit.
pub(super) fn families(totals: &Totals) -> Vec<MetricFamily> {
    let single = |name, help, event| {
        family(name, help, MetricType::COUNTER, vec![counter(&[], totals.events(event))])
    };
    let bounds = [
        ("all", Event::OverAll),
        ("client", Event::OverClient),
        ("question", Event::OverQuestion),
        ("upstream", Event::OverUpstream),
    ];
    let overflow = bounds
        .into_iter()
        .map(|(bound, event)| counter(&[("bound", bound)], totals.events(event)))
        .collect();
    vec![
        single(
            "lachan_coalesced_total",
            "Queries that waited for the answer to the same question of another query.",
            Event::Coalesced,
        ),
        single(
            "lachan_prefetches_total",
            "Answers fetched anew before their time was over, because they are in use.",
            Event::CacheRefresh,
        ),
        family(
            "lachan_overflow_total",
            "Queries that got a stale answer or SERVFAIL because too many waited, by the bound.",
            MetricType::COUNTER,
            overflow,
        ),
        single(
            "lachan_udp_send_failures_total",
            "UDP replies that the kernel did not take.",
            Event::NotSent,
        ),
    ]
}
