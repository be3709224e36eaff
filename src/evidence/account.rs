//! Accounting: which second of which month was what, and what was counted in it.
//!
//! ```text
//! each second ▸ hold(mono, cause)   ┐ stretches of the monotonic clock      changes of months,
//! each minute ▸ count(tally)        ┴ and counts, without a place ▸ settle ▸ by the civil clock
//! ```
//!
//! Pure: no clock, no file. Laws:
//!
//! - A second that passed is placed once, by the monotonic clock, whatever the civil one does. None is
//!   negative, and none is made up but those between two lives.
//! - A count is placed once.
//! - Nothing is placed while the clock is not trusted; it waits, and is placed by the first time that
//!   can be trusted. After a boot that is a time server's; where none answers, the clock's own after
//!   [`PATIENCE`]: a board without a battery goes on where it was switched off.

use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::SchoolHours;
use crate::evidence::month::{LocalMonth, day_of};
use crate::evidence::record::GapCause;
use crate::evidence::tally::EvidenceTally;
use crate::policy::group::time::{Now, Trust};

/// Seconds for which a time server is waited for after a boot.
pub const PATIENCE: u64 = 600;
/// The longest time between two lives that is believed, in seconds: a record may have been written by
/// another hand, or by a clock that was wrong.
const MOST_BETWEEN: u64 = 2 * 366 * 86_400;
/// The most stretches that wait: then the last one takes the worse cause.
const MAX_STRETCHES: usize = 4_096;

/// The end of an earlier life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierLife {
    /// Its civil second.
    pub at: u64,
    /// Why there was no life from then on.
    pub cause: GapCause,
}

/// What a school's time is measured by.
#[derive(Debug, Clone, Copy)]
pub struct SchoolTime<'a> {
    /// The time zone.
    pub zone: &'a TimeZone,
    /// The minutes that count.
    pub hours: &'a SchoolHours,
}

/// What is added to the record of a month.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Seconds of school minutes; all was enforced where there is no cause.
    Seconds {
        /// The month.
        month: LocalMonth,
        /// The first civil second, and the one after the last.
        span: Range<u64>,
        /// Why not all was enforced.
        cause: Option<GapCause>,
    },
    /// Counts.
    Counts {
        /// The month.
        month: LocalMonth,
        /// The day.
        day: Date,
        /// The counts.
        tally: Box<EvidenceTally>,
        /// Queries among them that came while no clock could be trusted.
        without_clock: u64,
    },
}

/// A stretch of the monotonic clock in which one thing held.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stretch {
    span: Range<u64>,
    cause: Option<GapCause>,
}

/// What is not placed yet.
#[derive(Debug, Default)]
pub struct LifeAccount {
    /// Seconds of the monotonic clock, at the first look and at the last.
    looked: Option<Range<u64>>,
    stretches: Vec<Stretch>,
    counts: EvidenceTally,
    without_clock: u64,
    /// Seconds for which earlier lives ran without a clock.
    earlier: u64,
    ended: Option<EarlierLife>,
    /// Whether a time server is waited for.
    is_patient: bool,
    is_placed: bool,
}

impl LifeAccount {
    /// The account of a life. `earlier` are the counts, of them those without a clock, and the seconds
    /// of earlier lives that nothing has placed; `has_booted` where the machine was off in between.
    pub fn new(
        ended: Option<EarlierLife>,
        has_booted: bool,
        (counts, without_clock, earlier): (EvidenceTally, u64, u64),
    ) -> Self {
        // Without an earlier life no time depends on the first one of this.
        let is_patient = has_booted && ended.is_some();
        Self { counts, without_clock, earlier, ended, is_patient, ..Self::default() }
    }

    /// Takes over an account of the lives before, which has seen nothing of this one.
    pub(super) fn follow(&mut self, before: Self) {
        let Self { counts, without_clock, earlier, ended, is_patient, .. } = before;
        self.counts.add(&counts);
        self.without_clock = self.without_clock.saturating_add(without_clock);
        self.earlier = self.earlier.saturating_add(earlier);
        (self.ended, self.is_patient) = (ended, is_patient);
    }

    /// Notes what held from the last look until now.
    pub fn hold(&mut self, mono: u64, cause: Option<GapCause>) {
        let Some(looked) = &mut self.looked else {
            self.looked = Some(mono..mono);
            return;
        };
        let span = looked.end..mono.max(looked.end);
        looked.end = span.end;
        if span.is_empty() {
            return;
        }
        let is_full = self.stretches.len() >= MAX_STRETCHES;
        match self.stretches.last_mut() {
            Some(last) if last.cause == cause => last.span.end = span.end,
            Some(last) if is_full => {
                last.span.end = span.end;
                last.cause = last.cause.max(cause);
            }
            _ => self.stretches.push(Stretch { span, cause }),
        }
    }

    /// Notes counts.
    pub fn count(&mut self, tally: &EvidenceTally, trust: Trust) {
        if trust == Trust::Untrusted {
            self.without_clock = self.without_clock.saturating_add(tally.queries);
        }
        self.counts.add(tally);
    }

    /// Counts, queries without a clock and seconds that wait; none where all is placed.
    pub fn waiting(&self) -> Option<(&EvidenceTally, u64, u64)> {
        let own: u64 = self.stretches.iter().map(|one| one.span.end - one.span.start).sum();
        let seconds = own.saturating_add(self.earlier);
        let has_any = seconds > 0 || !self.counts.is_empty();
        has_any.then_some((&self.counts, self.without_clock, seconds))
    }

    /// Whether the time of this life is known.
    pub fn is_placed(&self) -> bool {
        self.is_placed
    }

    /// Places what waits, where the time is known: counts at `counted`, a civil second. `is_last` where
    /// this life ends now.
    pub fn settle(
        &mut self,
        (now, counted): (Now, u64),
        time: SchoolTime<'_>,
        is_last: bool,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let Some(looked) = self.looked.clone() else { return changes };
        if now.trust == Trust::Untrusted || !is_last && self.is_waiting(now, looked.start) {
            return changes;
        }
        // The civil second of a moment of the monotonic clock.
        let at = |mono: u64| now.civil.saturating_sub(now.mono.saturating_sub(mono));
        if !self.is_placed {
            self.is_placed = true;
            self.place_earlier(at(looked.start), time, &mut changes);
        }
        for Stretch { span, cause } in std::mem::take(&mut self.stretches) {
            place(&(at(span.start)..at(span.end)), cause, time, &mut changes);
        }
        let (tally, without_clock) =
            (std::mem::take(&mut self.counts), std::mem::take(&mut self.without_clock));
        if !tally.is_empty() {
            let (month, day) = (LocalMonth::of(counted, time.zone), day_of(counted, time.zone));
            changes.push(Change::Counts { month, day, tally: Box::new(tally), without_clock });
        }
        changes
    }

    /// Whether the first time of this life is still waited for.
    fn is_waiting(&self, now: Now, start: u64) -> bool {
        let is_over = now.trust == Trust::Synced || now.mono.saturating_sub(start) >= PATIENCE;
        !self.is_placed && self.is_patient && !is_over
    }

    /// Places the time before this life: at its end the lives that ran without a clock.
    fn place_earlier(&mut self, start: u64, time: SchoolTime<'_>, changes: &mut Vec<Change>) {
        let least = start.saturating_sub(MOST_BETWEEN);
        let mut ran = start.saturating_sub(std::mem::take(&mut self.earlier)).max(least);
        if let Some(EarlierLife { at, cause }) = self.ended.take() {
            let from = at.max(least);
            ran = ran.max(from);
            place(&(from..ran), Some(cause), time, changes);
        }
        place(&(ran..start), Some(GapCause::Clock), time, changes);
    }
}

/// Adds the school minutes of a span, month by month.
fn place(
    span: &Range<u64>,
    cause: Option<GapCause>,
    time: SchoolTime<'_>,
    changes: &mut Vec<Change>,
) {
    if span.is_empty() {
        return;
    }
    for window in time.hours.windows(time.zone, span) {
        for (month, span) in LocalMonth::parts(window, time.zone) {
            changes.push(Change::Seconds { month, span, cause });
        }
    }
}
