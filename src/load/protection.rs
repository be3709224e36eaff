//! Whether the policy in force filters as it is configured, for the metrics.

use crate::load::in_force::InForce;
use crate::load::left_out::LeftOut;
use crate::load::list_state::{ListCondition, ListState};
use crate::metrics::Sample;
use crate::metrics::labels::{ListHealth, Protection};
use crate::metrics::lists::{self, ListSample};
use crate::policy::group::time::{Now, Trust};

/// The age of a download, in seconds, from which its list is stale: many failures in a row.
const STALE: u64 = 7 * 86_400;

impl InForce {
    /// The lists and the protection at a moment; `oldest` is the age of the oldest download.
    pub fn list_samples(&self, now: Now, oldest: u64) -> Vec<Sample> {
        let sealed = &self.config().lists.sealed;
        let states = self.sources().list_states(now.civil);
        // A sealed list has a number: its file may be named for what nobody shall read.
        let name = |state: &ListState| {
            let place = sealed.iter().position(|one| one.label == state.name);
            place.map_or_else(|| state.name.clone(), |place| format!("sealed-{}", place + 1))
        };
        let lists = states.into_iter().map(|state| ListSample {
            source: name(&state),
            state: match state.state {
                ListCondition::Ok => ListHealth::Ok,
                ListCondition::Held => ListHealth::Held,
                ListCondition::LeftOut => ListHealth::LeftOut,
            },
            digest: state.digest,
            rules: state.rules,
            age: state.age_s,
        });
        let mut samples = lists::samples(lists);
        samples.push(lists::protection(self.protection(now.trust, oldest)));
        samples
    }

    /// The worst that is to be said of what is in force.
    fn protection(&self, trust: Trust, oldest: u64) -> Protection {
        let (sources, state) = (self.sources(), self.snapshot.fail_mode());
        let is_closed = |one: &LeftOut| {
            one.category.is_some_and(|category| {
                state.missing.contains(category) && state.fails_closed.contains(category)
            })
        };
        // A calendar that is left out makes its schedules strict.
        let is_calendar = |one: &LeftOut| {
            sources.config.unusable.iter().any(|calendar| calendar.path == one.path)
        };
        let passes = |one: &LeftOut| !is_closed(one) && !is_calendar(one);
        match () {
            () if self.snapshot.lists().len() == 0 => Protection::NoLists,
            () if sources.left_out.iter().any(passes) => Protection::ListMissing,
            () if sources.left_out.iter().any(is_closed) => Protection::FailClosed,
            () if sources.is_degraded() => Protection::Held,
            () if trust == Trust::Untrusted => Protection::Clock,
            () if oldest > STALE => Protection::StaleList,
            () => Protection::Ok,
        }
    }
}
