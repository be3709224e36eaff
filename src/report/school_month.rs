//! A month of a school, over all its boxes, and sums of such months.

use std::collections::BTreeMap;

use crate::evidence::record::GapCause;
use crate::report::count::{PublishedSum, ShownCount, permille};
use crate::report::unit::{UnitCounts, UnitMonth, UsedLists};

/// Blocked, merged and observed queries of a category.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CategorySums {
    /// Queries answered as blocked.
    pub blocked: PublishedSum,
    /// The same, where one group and one registrable domain count once in 60 s.
    pub merged: PublishedSum,
    /// Queries let through and counted.
    pub observed: PublishedSum,
}

impl CategorySums {
    /// Adds other sums.
    pub fn add(&mut self, other: Self) {
        self.blocked.add(other.blocked);
        self.merged.add(other.merged);
        self.observed.add(other.observed);
    }
}

impl From<UnitCounts> for CategorySums {
    fn from(counts: UnitCounts) -> Self {
        Self {
            blocked: counts.blocked.into(),
            merged: counts.merged.into(),
            observed: counts.observed.into(),
        }
    }
}

/// What is summed over months and boxes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReportSums {
    /// Queries received.
    queries: u64,
    /// Whether a part of them is a raised number.
    is_raised: bool,
    /// Of them, those that came while no clock could be trusted.
    pub queries_without_clock: u64,
    /// Sums by category.
    pub categories: BTreeMap<String, CategorySums>,
    /// The most days of a month on which a query came, over the boxes.
    pub active_days: u8,
    /// Seconds in which all was enforced.
    pub enforced: u64,
    /// Seconds in which it was not, by cause.
    pub gaps: BTreeMap<GapCause, u64>,
    /// The newest release in use.
    pub lists: Option<UsedLists>,
    /// Whether an earlier record of a month was lost.
    pub began_anew: bool,
    /// Requests to open a name.
    pub reviews_received: u64,
    /// Names that were allowed.
    pub reviews_accepted: u64,
    /// Orders of an authority that came into use.
    pub orders: u64,
    /// Seconds that each took, where they are known.
    pub order_seconds: Vec<u64>,
    /// Self-tests that ran, and those that failed.
    pub self_tests: (u64, u64),
}

impl ReportSums {
    /// Adds one month of one box.
    pub fn add(&mut self, month: &UnitMonth) {
        self.queries = self.queries.saturating_add(month.queries);
        self.is_raised |= month.has_raised_queries();
        self.queries_without_clock =
            self.queries_without_clock.saturating_add(month.queries_without_clock);
        for (category, counts) in &month.categories {
            // A department has a handful of categories and millions of cells.
            if let Some(sums) = self.categories.get_mut(category) {
                sums.add((*counts).into());
            } else {
                self.categories.insert(category.clone(), (*counts).into());
            }
        }
        self.active_days = self.active_days.max(month.active_days);
        self.enforced = self.enforced.saturating_add(month.enforced);
        for (cause, seconds) in &month.gaps {
            let sum = self.gaps.entry(*cause).or_default();
            *sum = sum.saturating_add(*seconds);
        }
        self.began_anew |= month.began_anew;
        let day = |lists: &UsedLists| (lists.day, lists.release);
        self.lists = self.lists.into_iter().chain(month.lists).max_by_key(day);
        self.reviews_received = self.reviews_received.saturating_add(month.reviews.received);
        self.reviews_accepted = self.reviews_accepted.saturating_add(month.reviews.accepted);
        self.orders = self.orders.saturating_add(month.orders.applied);
        self.order_seconds.extend_from_slice(&month.orders.seconds);
        self.self_tests.0 = self.self_tests.0.saturating_add(month.self_tests.0);
        self.self_tests.1 = self.self_tests.1.saturating_add(month.self_tests.1);
    }

    /// Over all categories; made of their published cells.
    pub fn all(&self) -> CategorySums {
        let mut all = CategorySums::default();
        self.categories.values().for_each(|sums| all.add(*sums));
        all
    }

    /// The queries, as they are shown.
    pub fn queries(&self) -> ShownCount {
        if self.is_raised {
            ShownCount::Rounded(self.queries)
        } else {
            ShownCount::Told(self.queries)
        }
    }

    /// Seconds of gaps.
    pub fn not_enforced(&self) -> u64 {
        self.gaps.values().fold(0, |sum, seconds| sum.saturating_add(*seconds))
    }

    /// Tenths of a percent of the recorded time in which all was enforced.
    pub fn uptime(&self) -> Option<u64> {
        let all = self.enforced.saturating_add(self.not_enforced());
        // A share is rounded down: 100 % is said only of time without any gap.
        let exact = permille(ShownCount::Told(self.enforced), ShownCount::Told(all))?;
        Some(if exact == 1000 && self.not_enforced() > 0 { 999 } else { exact })
    }

    /// The median time of an order, in tenths of an hour.
    pub fn median_hours(&self) -> Option<u64> {
        let mut seconds = self.order_seconds.clone();
        seconds.sort_unstable();
        let (low, high) =
            (seconds.get(seconds.len().checked_sub(1)? / 2)?, seconds.get(seconds.len() / 2)?);
        Some((u64::midpoint(*low, *high) + 180) / 360)
    }
}
