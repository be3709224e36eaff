//! Calendars (iCalendar, RFC 5545): holidays and exams, as calendar programs save them.
//!
//! Read: each `VEVENT` with `DTSTART`, `DTEND` or `DURATION`, an `RRULE` of days, weeks or
//! years, `EXDATE`s and `STATUS`. A date without a time is the whole day. Other properties
//! are skipped.
//!
//! No crate is used: those available bring a second library of dates, and none reports the
//! line of a mistake.
//!
//! A file with a mistake is refused whole: a calendar must never lack a holiday silently.

mod read;

use std::ops::Range;

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan as _};

use crate::config::layers::spans::joined;

/// Most repeats of one event before the end of a span.
const MAX_REPEATS: i32 = 5_000;
const SECONDS_A_DAY: u64 = 86_400;

/// Events of one calendar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    events: Vec<Event>,
}

/// A local time (RFC 5545 DATE-TIME), and its zone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct When {
    at: DateTime,
    /// `None` is the school's zone.
    zone: Option<TimeZone>,
}

/// One event, with its repeats and exceptions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    start: When,
    length: Length,
    repeats: Option<Repeats>,
    except: Vec<DateTime>,
}

/// Length of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    /// Whole days of local time.
    Days(i32),
    Seconds(u64),
}

/// Period of repeats (`FREQ`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Every {
    Day,
    Week,
    Year,
}

/// Repeats of an event (`RRULE`).
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

    /// A span that covers its events, with 800 days of repeats: any yearly one occurs in it.
    pub fn span(&self, zone: &TimeZone) -> Range<u64> {
        let starts = || self.events.iter().map(|event| event.start.instant(zone));
        let first = starts().min().unwrap_or(0);
        let last = starts().max().unwrap_or(0);
        first.saturating_sub(SECONDS_A_DAY)..last + 800 * SECONDS_A_DAY
    }

    /// The windows of all events inside `span`, in seconds since 1970.
    pub fn windows(&self, zone: &TimeZone, span: &Range<u64>) -> Vec<Range<u64>> {
        let all = self.events.iter().flat_map(|event| event.windows(zone, span)).collect();
        joined(all)
    }
}

impl When {
    /// The instant, in `zone` where the file names no other.
    fn instant(&self, zone: &TimeZone) -> u64 {
        instant(self.zone.as_ref().unwrap_or(zone), self.at, Side::Start)
    }
}

/// Which end of a window a local time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Its beginning.
    Start,
    /// Its end.
    End,
}

/// The instant of a local time, in seconds since 1970.
///
/// A local time that occurs twice (the clock was set back) begins a window at its first
/// occurrence and ends it at its second: a window must never be shorter than the local times
/// that bound it. One that does not occur (the clock was set forward) is the instant of the
/// change.
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
    /// The windows of the event inside `span`.
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

    /// Its starts that can reach into `span`.
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
                // February 29 occurs in leap years only.
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
    /// The repeats in the week, or other period, of `base`.
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
