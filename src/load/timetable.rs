//! Schedules and overrides → the state of each group at each time.
//!
//! All arithmetic of days and time zones is done here, away from the queries, for some weeks
//! around a time; the result is a table of instants ([`Timeline`]).

use std::ops::Range;

use crate::config::Config;
use crate::config::layers::spans::contains;
use crate::policy::group::overrides::Override;
use crate::policy::group::timeline::Timeline;
use crate::policy::{GroupRules, GroupState};

const SECONDS_A_DAY: u64 = 86_400;
/// Its length before the time: a clock that is set back a little finds its day.
const BEHIND: u64 = 2 * SECONDS_A_DAY;
/// Its length after the time.
const AHEAD: u64 = 21 * SECONDS_A_DAY;
/// It is computed anew when less than this is left of it.
pub const RENEW: u64 = 14 * SECONDS_A_DAY;

/// The windows of each schedule, around a time.
#[derive(Debug)]
pub struct Timetable {
    span: Range<u64>,
    /// By the schedule's place in the config.
    windows: Vec<Vec<Range<u64>>>,
    /// Whether nobody knows when it runs; it counts as running then.
    unknown: Vec<bool>,
}

impl Timetable {
    /// Computes the windows around `civil`.
    pub fn new(config: &Config, civil: u64) -> Self {
        let span = civil.saturating_sub(BEHIND)..civil.saturating_add(AHEAD);
        let zone = config.school.zone();
        let windows = config.schedules.iter().map(|schedule| {
            if schedule.is_unknown { vec![span.clone()] } else { schedule.windows(&zone, &span) }
        });
        let unknown = config.schedules.iter().map(|schedule| schedule.is_unknown);
        Self { windows: windows.collect(), unknown: unknown.collect(), span }
    }

    /// Whether a schedule runs at a time.
    pub fn runs(&self, schedule: usize, civil: u64) -> bool {
        self.windows.get(schedule).is_some_and(|windows| contains(windows, civil))
    }

    /// The state of a group at each time; `urgent` has the edges of urgent entries, ascending.
    pub fn states(
        &self,
        group: &GroupRules,
        overrides: &[Override],
        urgent: &[u64],
    ) -> Timeline<GroupState> {
        let is_unknown = |schedule: usize| self.unknown.get(schedule) == Some(&true);
        let group = &group.clone().unknown(is_unknown);
        let own: Vec<&Override> = overrides.iter().filter(|one| one.binds(&group.name)).collect();
        let state_at = |civil: u64| {
            let on = own.iter().copied().filter(|one| one.is_on(civil));
            let state = group.state(|schedule| self.runs(schedule, civil), on);
            // Between two edges the same entries are in force: one time stands for the interval.
            let past = urgent.partition_point(|&edge| edge <= civil);
            let begun = past.checked_sub(1).and_then(|place| urgent.get(place)).copied();
            let urgent_at = (!urgent.is_empty()).then(|| begun.unwrap_or(0));
            GroupState { urgent_at, ..state }
        };
        let edges = group
            .schedules()
            .filter_map(|schedule| self.windows.get(schedule))
            .flatten()
            .flat_map(|window| [window.start, window.end])
            .chain(own.iter().flat_map(|one| [one.from, one.until]))
            .chain(urgent.iter().copied());
        let strict = group.strict_state(own.iter().copied());
        Timeline::new(self.span.start, self.span.end, edges, state_at, strict)
    }
}
