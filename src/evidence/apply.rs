//! Changes of a month, added to its record.

use crate::evidence::account::Change;
use crate::evidence::month::LocalMonth;
use crate::evidence::record::{FORMAT, Gap, MonthRecord};
use crate::evidence::tally::{
    EvidenceTally, add_groups, add_orders, add_reviews, add_self_tests, add_sources,
};

/// The most gaps of a record: the longest stay, and the sums have the seconds of all.
const MAX_GAPS: usize = 200;

impl Change {
    /// The month that it is of.
    pub fn month(&self) -> LocalMonth {
        match self {
            Self::Seconds { month, .. } | Self::Counts { month, .. } => *month,
        }
    }
}

impl MonthRecord {
    /// The record of a month in which nothing happened yet.
    pub fn new(month: LocalMonth) -> Self {
        Self { format: FORMAT, month: month.to_string(), ..Self::default() }
    }

    /// The record of a month of which both have a part: an earlier one, and what was counted since without it.
    pub(super) fn sum(mut earlier: Self, since: &Self) -> Self {
        earlier.queries = earlier.queries.saturating_add(since.queries);
        let without_clock = since.queries_without_clock;
        earlier.queries_without_clock = earlier.queries_without_clock.saturating_add(without_clock);
        add_groups(&mut earlier.groups, &since.groups);
        add_sources(&mut earlier.sources, &since.sources);
        add_reviews(&mut earlier.reviews, since.reviews);
        add_orders(&mut earlier.orders, &since.orders);
        add_self_tests(&mut earlier.self_test, &since.self_test);
        earlier.active_days.extend(&since.active_days);
        let (sum, more) = (&mut earlier.enforcement, &since.enforcement);
        sum.enforced = sum.enforced.saturating_add(more.enforced);
        for (cause, seconds) in &more.gaps {
            let known = sum.gaps.entry(*cause).or_default();
            *known = known.saturating_add(*seconds);
        }
        since.gaps.iter().for_each(|gap| earlier.add_gap(gap.clone()));
        for used in &since.releases {
            if earlier.releases.last().is_none_or(|last| last.release != used.release) {
                earlier.releases.push(used.clone());
            }
        }
        earlier.began_anew |= since.began_anew;
        earlier
    }

    /// Adds a change of its month.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Seconds { span, cause: None, .. } => {
                let seconds = span.end.saturating_sub(span.start);
                self.enforcement.enforced = self.enforcement.enforced.saturating_add(seconds);
            }
            Change::Seconds { span, cause: Some(cause), .. } => {
                let seconds = span.end.saturating_sub(span.start);
                let sum = self.enforcement.gaps.entry(*cause).or_default();
                *sum = sum.saturating_add(seconds);
                self.add_gap(Gap { from: span.start, to: span.end, cause: *cause });
            }
            Change::Counts { day, tally, without_clock, .. } => {
                self.add_counts(tally, *without_clock);
                if tally.queries > 0 {
                    self.active_days.insert(day.day().unsigned_abs());
                }
            }
        }
    }

    fn add_counts(&mut self, tally: &EvidenceTally, without_clock: u64) {
        self.queries = self.queries.saturating_add(tally.queries);
        self.queries_without_clock = self.queries_without_clock.saturating_add(without_clock);
        add_groups(&mut self.groups, &tally.groups);
        add_sources(&mut self.sources, &tally.sources);
        add_reviews(&mut self.reviews, tally.reviews);
        add_orders(&mut self.orders, &tally.orders);
        add_self_tests(&mut self.self_test, &tally.self_test);
    }

    /// Adds a gap, which continues the last one where that has its cause and ends where it begins.
    fn add_gap(&mut self, gap: Gap) {
        match self.gaps.last_mut() {
            Some(last) if last.cause == gap.cause && last.to == gap.from => last.to = gap.to,
            _ => self.gaps.push(gap),
        }
        if self.gaps.len() > MAX_GAPS {
            // The newest may still grow.
            let older = self.gaps.iter().enumerate().take(MAX_GAPS);
            let shortest = older.min_by_key(|(_, gap)| gap.to.saturating_sub(gap.from));
            if let Some((place, _)) = shortest {
                self.gaps.remove(place);
            }
        }
    }
}
