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
