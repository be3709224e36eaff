//! What the evidence book is told of the gateway.

use std::sync::Arc;

use crate::evidence::EvidenceInput;
use crate::evidence::cause::Holding;
use crate::evidence::record::ReviewCounts;
use crate::life::scrape::Observed;
use crate::metrics::counters::Totals;
use crate::sys::state_dir::StateDir;
use crate::update::enrolment::enrolled;

/// The gateway, as the evidence book looks at it.
pub(super) struct GatewayWitness {
    /// The gateway.
    pub observed: Observed,
    /// The state directory, which has the enrolment.
    pub state: Option<StateDir>,
}

impl GatewayWitness {
    /// The witness of a gateway.
    pub(super) fn of(observed: &Observed, state: Option<StateDir>) -> Arc<Self> {
        Arc::new(Self { observed: observed.clone(), state })
    }

    /// Tells the book what holds now; `is_last` at the end of the program.
    pub(super) fn tell(&self, is_last: bool) {
        let Observed { gateway, reloads, reviews, updates, evidence, .. } = &self.observed;
        let in_force = gateway.current.in_force();
        let (now, sources) = (gateway.clock.now(), in_force.sources());
        let holding = Holding {
            protection: in_force.protection(now.trust, reloads.oldest_download()),
            held: sources.held.iter().map(|one| one.role).collect(),
            is_refused: gateway.current.refusal().is_some(),
            has_upstream: gateway.upstreams.load().servers().iter().any(|one| one.is_up()),
        };
        let input = || {
            let unit = self.state.as_ref().and_then(|state| enrolled(state.path()));
            let (received, accepted) = reviews.totals();
            let urgent = in_force.urgent();
            EvidenceInput {
                config: in_force.config(),
                snapshot: &in_force.snapshot,
                totals: Totals::of(self.observed.counters.iter().map(AsRef::as_ref)),
                config_digest: sources.config_digest(),
                unit: unit.map_or_else(String::new, |enrolled| enrolled.unit),
                release: updates.as_ref().map_or(0, |updates| updates.status().release),
                emergency: (urgent.version, urgent.seconds_to_use()),
                reviews: ReviewCounts { received, accepted },
            }
        };
        evidence.tick(now, &holding, input, is_last);
    }
}
