//! Categories without a list, and sources that could not be used.

use std::collections::BTreeMap;

use prometheus::proto::{MetricFamily, MetricType};

use super::{categories, family, gauge};
use crate::policy::Snapshot;

/// One series for each category that has a source, from 0.
pub(super) fn families(snapshot: &Snapshot) -> Vec<MetricFamily> {
    let state = snapshot.fail_mode();
    let mut modes: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for (category, id) in categories(snapshot.taxonomy(), state.enrolled) {
        let mode = if state.fails_closed.contains(category) { "closed" } else { "open" };
        let value = f64::from(u8::from(state.missing.contains(category)));
        // Protected categories share a series: one that is missing shows.
        let cell = modes.entry((id, mode)).or_default();
        *cell = cell.max(value);
    }
    let modes = modes
        .iter()
        .map(|((id, mode), value)| gauge(&[("category", id), ("mode", mode)], *value))
        .collect();
    vec![
        family(
            "lachan_fail_mode",
            "Whether a category with a source has no list (1), and so is closed or open.",
            MetricType::GAUGE,
            modes,
        ),
        family(
            "lachan_list_sources_left_out",
            "Sources that could not be used; what they held before is not in force.",
            MetricType::GAUGE,
            vec![gauge(&[], f64::from(state.left_out))],
        ),
    ]
}
