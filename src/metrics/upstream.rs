//! What upstream servers did: one series a server, and one a forward zone for all its servers.

use crate::metrics::families as family;
use crate::metrics::family::{Distribution, Sample};
use crate::metrics::labels::FailureReason;

/// What one upstream server did.
#[derive(Debug, Clone, Default)]
pub struct UpstreamSample {
    /// The server as written in the config.
    pub label: String,
    /// Questions it was asked.
    pub queries: u64,
    /// Questions it failed, by reason.
    pub errors: Vec<(FailureReason, u64)>,
    /// The seconds its answers took.
    pub durations: Distribution,
    /// Whether it is asked first.
    pub is_up: bool,
}

impl UpstreamSample {
    pub(super) fn into_samples(self) -> Vec<Sample> {
        let label = || self.label.as_str().into();
        let errors = self
            .errors
            .iter()
            .map(|&(reason, count)| family::UPSTREAM_ERRORS.sample((label(), reason), count));
        let mut samples = vec![
            family::UPSTREAM_QUERIES.sample((label(),), self.queries),
            family::UPSTREAM_DURATION.sample((label(),), self.durations.clone()),
            family::UPSTREAM_UP.flag((label(),), self.is_up),
        ];
        samples.extend(errors);
        samples
    }
}

/// One forward zone, all its servers together.
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

impl ZoneSample {
    pub(super) fn into_samples(self) -> Vec<Sample> {
        let zone = || self.zone.as_str().into();
        vec![
            family::ZONE_QUERIES.sample((zone(),), self.queries),
            family::ZONE_ERRORS.sample((zone(),), self.errors),
            family::ZONE_UP.flag((zone(),), self.is_up),
        ]
    }
}
