//! What the servers of forward zones did: three series a zone, however many servers.

use prometheus::proto::{Metric, MetricFamily, MetricType};

use super::{counter, family, gauge};

/// One zone, all its servers together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneSample {
    /// The zone.
    pub zone: String,
    /// Questions sent.
    pub queries: u64,
    /// Questions failed.
    pub errors: u64,
    /// Whether one of its servers is up.
    pub is_up: bool,
}

/// The families of all zones; none without zones.
pub(super) fn families(zones: &[ZoneSample]) -> Vec<MetricFamily> {
    let each = |make: &dyn Fn(&ZoneSample) -> Metric| zones.iter().map(make).collect::<Vec<_>>();
    if zones.is_empty() {
        return Vec::new();
    }
    vec![
        family(
            "lachan_forward_zone_queries_total",
            "Questions sent to the servers of a forward zone.",
            MetricType::COUNTER,
            each(&|z| counter(&[("zone", &z.zone)], z.queries)),
        ),
        family(
            "lachan_forward_zone_errors_total",
            "Questions that the servers of a forward zone failed.",
            MetricType::COUNTER,
            each(&|z| counter(&[("zone", &z.zone)], z.errors)),
        ),
        family(
            "lachan_forward_zone_up",
            "Whether a server of a forward zone is up (1) or all fail (0).",
            MetricType::GAUGE,
            each(&|z| gauge(&[("zone", &z.zone)], f64::from(u8::from(z.is_up)))),
        ),
    ]
}
