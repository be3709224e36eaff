//! Calendars (iCalendar, RFC 5545): holidays and exams, as calendar programs save them.
//!
//! ```text
//! text ▸ read (lines, events) ▸ value (dates), repeat (RRULE), zone (TZID) ▸ Calendar ▸ windows
//! ```
//!
//! Read: each `VEVENT` with `DTSTART`, `DTEND` or `DURATION`, an `RRULE` of days, weeks or
//! years, `EXDATE`s, `RECURRENCE-ID`s and `STATUS`. A date without a time is the whole day.
//! Properties that do not move an event are skipped.
//!
//! No crate is used: those available bring a second library of dates, and none reports the
//! line of a mistake.
//!
//! Laws: a calendar must never lack a holiday silently, so a file with a mistake is refused whole;
//! and a property that moves events and is not understood is such a mistake.

mod read;
mod repeat;
#[cfg(test)]
mod tests;
mod text;
mod value;
mod when;
mod zone;

use std::ops::Range;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::config::layers::calendar::repeat::{Repeats, Search};
use crate::config::layers::calendar::when::{Length, When, date_of};
pub use crate::config::layers::calendar::when::{Side, instant};
use crate::config::layers::spans::joined;

const SECONDS_A_DAY: u64 = 86_400;
/// Any yearly event occurs in so many seconds, leap days included that are due.
const TWO_YEARS: u64 = 800 * SECONDS_A_DAY;

/// Events of one calendar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    events: Vec<Event>,
}

/// One event, with its repeats and exceptions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    start: When,
    length: Length,
    repeats: Option<Repeats>,
    /// Occurrences that do not take place: `EXDATE`, and those that a `RECURRENCE-ID` replaces.
    except: Vec<When>,
}

impl Calendar {
    /// Whether an event meets a condition, given its windows in the two years from its start.
    pub fn any_event(
        &self,
        zone: &TimeZone,
        mut meets: impl FnMut(&[Range<u64>], &Range<u64>) -> bool,
    ) -> bool {
        self.events.iter().any(|event| {
            let start = event.start.instant(zone);
            let span = start.saturating_sub(SECONDS_A_DAY)..start.saturating_add(TWO_YEARS);
            let windows = joined(event.windows(zone, &span));
            let (Some(first), Some(last)) = (windows.first(), windows.last()) else { return false };
            meets(&windows, &(first.start..last.end))
        })
    }

    /// Whether no event is to come, in two years after `civil`.
    pub fn is_past(&self, zone: &TimeZone, civil: u64) -> bool {
        let span = civil..civil.saturating_add(TWO_YEARS);
        // A leap day may be eight years away.
        let is_past = |event: &Event| !event.is_leap_day() && event.windows(zone, &span).is_empty();
        self.events.iter().all(is_past)
    }

    /// The windows of all events inside `span`, in seconds since 1970.
    pub fn windows(&self, zone: &TimeZone, span: &Range<u64>) -> Vec<Range<u64>> {
        let all = self.events.iter().flat_map(|event| event.windows(zone, span)).collect();
        joined(all)
    }
}

impl Event {
    /// The windows of the event inside `span`.
    fn windows(&self, zone: &TimeZone, span: &Range<u64>) -> Vec<Range<u64>> {
        let zone = self.start.zone.as_ref().unwrap_or(zone);
        let except = Exceptions::new(self, zone);
        let mut found = Vec::new();
        for at in self.starts(zone, span) {
            let start = instant(zone, at, Side::Start);
            let end = match self.length {
                Length { days: 0, seconds } => start.saturating_add(seconds),
                Length { days, seconds } => at
                    .checked_add(days.days())
                    .map_or(u64::MAX, |end| instant(zone, end, Side::End))
                    .saturating_add(seconds),
            };
            if start < span.end && end > span.start && !except.contain(at, start) {
                found.push(start.max(span.start)..end.min(span.end));
            }
        }
        found
    }

    /// Its starts that can reach into `span`; two days at each end are more than any zone's offset.
    fn starts(&self, zone: &TimeZone, span: &Range<u64>) -> Vec<DateTime> {
        let Some(repeats) = &self.repeats else { return vec![self.start.at] };
        let seconds = i32::try_from(self.length.seconds / SECONDS_A_DAY).unwrap_or(i32::MAX);
        let length = self.length.days.saturating_add(seconds).saturating_add(2);
        let search = Search {
            from: date_of(zone, span.start).saturating_sub(length.days()),
            to: date_of(zone, span.end).saturating_add(2.days()),
        };
        repeats.starts(&self.start, zone, search)
    }

    /// Whether it is on each February 29, and still repeats.
    fn is_leap_day(&self) -> bool {
        let day = self.start.at.date();
        (day.month(), day.day()) == (2, 29)
            && self.repeats.as_ref().is_some_and(Repeats::is_yearly_for_ever)
    }
}

/// The exceptions of one event in its zone, to be searched.
struct Exceptions {
    days: Vec<Date>,
    instants: Vec<u64>,
}

impl Exceptions {
    /// Sorts the exceptions of `event`. A date excludes what begins on it (so do programs that
    /// write dates for events with times), and a time excludes what begins at that instant,
    /// whichever zone either is written in.
    fn new(event: &Event, zone: &TimeZone) -> Self {
        let (mut days, mut instants) = (Vec::new(), Vec::new());
        for when in &event.except {
            if when.is_day {
                days.push(when.at.date());
            } else if event.start.is_day {
                days.push(date_of(zone, when.instant(zone)));
            } else {
                instants.push(when.instant(zone));
            }
        }
        days.sort_unstable();
        instants.sort_unstable();
        Self { days, instants }
    }

    fn contain(&self, at: DateTime, start: u64) -> bool {
        self.days.binary_search(&at.date()).is_ok() || self.instants.binary_search(&start).is_ok()
    }
}
