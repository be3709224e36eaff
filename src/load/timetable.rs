//! Schedules and overrides → what binds each group at which time.
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
/// How far back it is worked out: a clock that is put back a little finds its day.
const BEHIND: u64 = 2 * SECONDS_A_DAY;
/// How far ahead.
const AHEAD: u64 = 21 * SECONDS_A_DAY;
/// With less than this left it is worked out anew.
pub const RENEW: u64 = 14 * SECONDS_A_DAY;

/// When each schedule runs, around a time.
#[derive(Debug)]
pub struct Timetable {
    span: Range<u64>,
    /// By the schedule's place in the config.
    windows: Vec<Vec<Range<u64>>>,
}

impl Timetable {
    /// Works it out around `civil`.
    pub fn new(config: &Config, civil: u64) -> Self {
        let span = civil.saturating_sub(BEHIND)..civil.saturating_add(AHEAD);
        let zone = config.school.zone();
        let windows = config.schedules.iter().map(|schedule| schedule.windows(&zone, &span));
        Self { windows: windows.collect(), span }
    }

    /// Whether a schedule runs at a time.
    pub fn runs(&self, schedule: usize, civil: u64) -> bool {
        self.windows.get(schedule).is_some_and(|windows| contains(windows, civil))
    }

    /// What binds a group at each time.
    pub fn states(&self, group: &GroupRules, overrides: &[Override]) -> Timeline<GroupState> {
        let own: Vec<&Override> = overrides.iter().filter(|one| one.group == group.name).collect();
        let state_at = |civil: u64| {
            let on = own.iter().copied().filter(|one| one.is_on(civil));
            group.state(|schedule| self.runs(schedule, civil), on)
        };
        let edges = group
            .schedules()
            .filter_map(|schedule| self.windows.get(schedule))
            .flatten()
            .flat_map(|window| [window.start, window.end])
            .chain(own.iter().flat_map(|one| [one.from, one.until]));
        let strict = group.strict_state(own.iter().copied());
        Timeline::new(self.span.start, self.span.end, edges, state_at, strict)
    }
}
