//! Calendars (RFC 5545): the holidays and exams of a school, as any calendar program saves them.
//!
//! What is read of a file: each `VEVENT` with its `DTSTART`, its `DTEND` or `DURATION`, its
//! `RRULE` where that says every day, week or year, its `EXDATE`s and its `STATUS`. A date
//! without a time is the whole day. Everything else a calendar may hold is passed over.
//!
//! It is read here and not by a crate: those at hand bring a second library of dates, and
//! none tells the line of a mistake, which is what a teacher needs who made it.
//!
//! A mistake loses the whole file: a calendar with a holiday left out is another calendar.

mod read;

use std::ops::Range;

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan as _};

use crate::config::layers::spans::joined;

/// The most times one event is repeated in the time that is looked at.
const MAX_REPEATS: i32 = 5_000;
const SECONDS_A_DAY: u64 = 86_400;

/// A calendar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    events: Vec<Event>,
}

/// When something begins: a wall clock's time, and where that clock hangs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct When {
    at: DateTime,
    /// The school's own where the file names none.
    zone: Option<TimeZone>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    start: When,
    length: Length,
    repeats: Option<Repeats>,
    except: Vec<DateTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    /// Whole days, by the wall clock.
    Days(i32),
    Seconds(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Every {
    Day,
    Week,
    Year,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Repeats {
    every: Every,
    interval: i32,
    count: Option<usize>,
    until: Option<DateTime>,
    /// For weeks: on which days.
    days: Vec<Weekday>,
}

impl Calendar {
    /// Whether it has no event.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The seconds that all its events can be in, repeats of the next years included.
    pub fn span(&self, zone: &TimeZone) -> Range<u64> {
        let starts = || self.events.iter().map(|event| event.start.instant(zone));
        let first = starts().min().unwrap_or(0);
        let last = starts().max().unwrap_or(0);
        first.saturating_sub(SECONDS_A_DAY)..last + 800 * SECONDS_A_DAY
    }

    /// The seconds of `span` in which an event is on.
    pub fn windows(&self, zone: &TimeZone, span: &Range<u64>) -> Vec<Range<u64>> {
        let all = self.events.iter().flat_map(|event| event.windows(zone, span)).collect();
        joined(all)
    }
}

impl When {
    fn instant(&self, zone: &TimeZone) -> u64 {
        instant(self.zone.as_ref().unwrap_or(zone), self.at, Side::Start)
    }
}

/// Which end of a window a wall clock's time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Its beginning.
    Start,
    /// Its end.
    End,
}

/// The instant at which a wall clock shows a time, in seconds since 1970.
///
/// A time that the clock shows twice (it was put back) begins a window the first time and
/// ends it the second: the window is never shorter than the wall clock says. A time that it
/// never shows (it was put forward) is the moment when it was.
pub fn instant(zone: &TimeZone, at: DateTime, side: Side) -> u64 {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    let is_gap = matches!(ambiguous.offset(), jiff::tz::AmbiguousOffset::Gap { .. });
    let found = match side {
        Side::Start => ambiguous.earlier(),
        Side::End => ambiguous.later(),
    };
    let Ok(mut found) = found else { return 0 };
    if is_gap && let Ok(before) = ambiguous.earlier() {
        found = zone.following(before).next().map_or(found, |change| change.timestamp());
    }
    u64::try_from(found.as_second()).unwrap_or(0)
}

impl Event {
    fn windows(&self, zone: &TimeZone, span: &Range<u64>) -> Vec<Range<u64>> {
        let zone = self.start.zone.as_ref().unwrap_or(zone);
        let mut found = Vec::new();
        for at in self.starts(zone, span) {
            let start = instant(zone, at, Side::Start);
            let end = match self.length {
                Length::Seconds(seconds) => start.saturating_add(seconds),
                Length::Days(days) => {
                    at.checked_add(days.days()).map_or(start, |end| instant(zone, end, Side::End))
                }
            };
            if start < span.end && end > span.start && !self.except.contains(&at) {
                found.push(start.max(span.start)..end.min(span.end));
            }
        }
        found
    }

    /// When it begins, for all that can reach into `span`.
    fn starts(&self, zone: &TimeZone, span: &Range<u64>) -> Vec<DateTime> {
        let first = self.start.at;
        let Some(repeats) = &self.repeats else { return vec![first] };
        let step = |n: i32| -> Option<Span> {
            let n = repeats.interval.checked_mul(n)?;
            match repeats.every {
                Every::Day => Span::new().try_days(n).ok(),
                Every::Week => Span::new().try_weeks(n).ok(),
                Every::Year => Span::new().try_years(n).ok(),
            }
        };
        let (mut found, mut counted) = (Vec::new(), 0);
        for n in 0..MAX_REPEATS {
            let Some(base) = step(n).and_then(|span| first.checked_add(span).ok()) else { break };
            for at in repeats.days_of(base).into_iter().filter(|at| *at >= first) {
                // The 29th of February is in leap years only.
                if repeats.every == Every::Year && at.day() != first.day() {
                    continue;
                }
                counted += 1;
                let is_over = repeats.count.is_some_and(|most| counted > most)
                    || repeats.until.is_some_and(|until| at > until)
                    || instant(zone, at, Side::Start) >= span.end;
                if is_over {
                    return found;
                }
                found.push(at);
            }
        }
        found
    }
}

impl Repeats {
    /// The repeats in the period that `base` is in.
    fn days_of(&self, base: DateTime) -> Vec<DateTime> {
        if self.every != Every::Week || self.days.is_empty() {
            return vec![base];
        }
        let monday = i32::from(base.weekday().to_monday_zero_offset());
        let mut days: Vec<DateTime> = self
            .days
            .iter()
            .map(|day| i32::from(day.to_monday_zero_offset()) - monday)
            .filter_map(|offset| base.checked_add(offset.days()).ok())
            .collect();
        days.sort_unstable();
        days
    }
}
