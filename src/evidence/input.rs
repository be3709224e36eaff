//! What a look at the gateway gives, and what came since the one before.

use crate::config::Config;
use crate::evidence::record::ReviewCounts;
use crate::evidence::tally::{CountedGroup, EvidenceTally};
use crate::metrics::counters::Totals;
use crate::policy::Snapshot;

/// What the gateway is at a look. All counts are of the life of the process.
#[derive(Debug)]
pub struct EvidenceInput<'a> {
    /// The config in force.
    pub config: &'a Config,
    /// The policy in force.
    pub snapshot: &'a Snapshot,
    /// The counters.
    pub totals: Totals,
    /// BLAKE3 of the config's text.
    pub config_digest: String,
    /// The box, as it was enrolled; empty where it was not.
    pub unit: String,
    /// The release in use; 0 without one.
    pub release: u64,
    /// The version of the emergency list in force, and the seconds from its signing to its use.
    pub emergency: (u64, Option<u64>),
    /// Requests to open a name.
    pub reviews: ReviewCounts,
}

/// What was seen at the last look, from which the next one counts.
#[derive(Debug, Default)]
pub(super) struct Seen {
    totals: Totals,
    groups: Vec<CountedGroup>,
    reviews: ReviewCounts,
    pub(super) emergency: u64,
}

impl Seen {
    /// What a life begins with, where this version of the emergency list was seen before.
    pub(super) fn since(emergency: u64) -> Self {
        Self { emergency, ..Self::default() }
    }

    /// What came since the last look, which is this one from now on.
    pub(super) fn next(&mut self, input: &mut EvidenceInput<'_>) -> EvidenceTally {
        let groups = CountedGroup::all(input.config, input.snapshot, &self.groups);
        let counted = input.totals.since(&self.totals);
        let mut tally = EvidenceTally::of(&counted, &groups, input.snapshot);
        tally.reviews = ReviewCounts {
            received: input.reviews.received.saturating_sub(self.reviews.received),
            accepted: input.reviews.accepted.saturating_sub(self.reviews.accepted),
        };
        let (version, seconds) = input.emergency;
        if version > self.emergency {
            tally.orders.applied = 1;
            tally.orders.seconds.extend(seconds);
            self.emergency = version;
        }
        self.totals = std::mem::take(&mut input.totals);
        self.reviews = input.reviews;
        self.groups = groups;
        tally
    }
}
