//! Repeats of an event (`RRULE`): RFC 5545 §3.3.10, by day, by week and by year.

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

use super::text::weekday;
use super::value::{Wrong, when};
use super::when::{Side, When, instant};
use super::zone::FileZones;
use crate::lang::messages;

/// Most repeats of a rule that counts them: each is counted from the first on.
const MAX_COUNT: u32 = 5_000;
/// Most periods between two repeats.
const MAX_INTERVAL: i32 = 1_000;

/// Period of repeats (`FREQ`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Every {
    Day,
    Week,
    Year,
}

/// Repeats of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repeats {
    every: Every,
    interval: i32,
    count: Option<u32>,
    /// The last moment, inclusive.
    until: Option<When>,
    /// The days of `BYDAY`, Monday first; `None` without one.
    days: Option<[bool; 7]>,
    /// `WKST`: with which day a week begins, which matters to every second week.
    week_start: Weekday,
}

/// The dates among which starts are searched for, both included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    pub(super) from: Date,
    pub(super) to: Date,
}

impl Repeats {
    /// Whether it repeats by the year without an end.
    pub(super) fn is_yearly_for_ever(&self) -> bool {
        self.every == Every::Year && self.count.is_none() && self.until.is_none()
    }

    /// The starts in `search` of an event that starts first at `first`, in local time of `zone`.
    pub(super) fn starts(&self, first: &When, zone: &TimeZone, search: Search) -> Vec<DateTime> {
        let start = first.at.date();
        let (mut found, mut counted) = (Vec::new(), 0);
        let mut take = |day: Date| -> bool {
            let at = day.to_datetime(first.at.time());
            counted += 1;
            let is_over = day > search.to
                || self.count.is_some_and(|most| counted > most)
                || self.until.as_ref().is_some_and(|until| is_after(at, zone, until));
            if !is_over && day >= search.from {
                found.push(at);
            }
            !is_over
        };
        // §3.8.5.3: DTSTART counts as the first, whether or not the rule has it.
        if !take(start) {
            return found;
        }
        'periods: for number in self.first_period(start, search).. {
            let Some(days) = self.period(start, number) else { break };
            for day in days.into_iter().flatten().filter(|day| *day > start) {
                if !take(day) {
                    break 'periods;
                }
            }
        }
        found
    }

    /// The number of the first period that is looked at: all where repeats are counted.
    fn first_period(&self, start: Date, search: Search) -> i32 {
        let length = match self.every {
            Every::Day => 1,
            Every::Week => 7,
            Every::Year => 366,
        };
        let days = start.until(search.from).map_or(0, |span| span.get_days());
        let passed = if self.count.is_some() { 0 } else { days / (length * self.interval) - 2 };
        passed.max(0)
    }

    /// The days of the period `number`, in order; `None` past the end of the calendar.
    fn period(&self, start: Date, number: i32) -> Option<[Option<Date>; 7]> {
        let steps = self.interval.checked_mul(number)?;
        let mut days = [None; 7];
        match self.every {
            Every::Day => {
                let day = start.checked_add(steps.days()).ok()?;
                let is_on = self.days.is_none_or(|on| on[monday_offset(day.weekday())]);
                days[0] = is_on.then_some(day);
            }
            Every::Week => {
                let into = i32::from(start.weekday().since(self.week_start));
                let week = start
                    .checked_add((-into).days())
                    .and_then(|first| {
                        first.checked_add((steps.checked_mul(7).unwrap_or(i32::MAX)).days())
                    })
                    .ok()?;
                for (offset, slot) in days.iter_mut().enumerate() {
                    let day = week.checked_add(i64::try_from(offset).unwrap_or(0).days()).ok()?;
                    let is_on = self.days.map_or(day.weekday() == start.weekday(), |on| {
                        on[monday_offset(day.weekday())]
                    });
                    *slot = is_on.then_some(day);
                }
            }
            Every::Year => {
                let year = i16::try_from(i32::from(start.year()).checked_add(steps)?).ok()?;
                if year > 9999 {
                    return None;
                }
                // February 29 occurs in leap years only.
                days[0] = Date::new(year, start.month(), start.day()).ok();
            }
        }
        Some(days)
    }
}

/// Whether a start is after the last moment. A moment in UTC is compared as an instant, a date
/// covers its day, and a local time is one of the event's zone.
fn is_after(at: DateTime, zone: &TimeZone, until: &When) -> bool {
    match &until.zone {
        _ if until.is_day => at.date() > until.at.date(),
        Some(other) => instant(zone, at, Side::Start) > instant(other, until.at, Side::Start),
        None => at > until.at,
    }
}

/// Reads an `RRULE` of an event that starts at `start`.
///
/// # Errors
///
/// The part that is not read. A part must never be skipped: it would move the event.
pub(super) fn repeats(value: &str, zones: &FileZones) -> Result<(Repeats, ByDate), Wrong> {
    let odd =
        |part: &str| (messages::repeat_not_read(shortened(part)), messages::event_of_each_date());
    let mut by_date = ByDate::default();
    let mut repeats = Repeats {
        every: Every::Day,
        interval: 1,
        count: None,
        until: None,
        days: None,
        week_start: Weekday::Monday,
    };
    let (mut every, mut seen) = (None, Vec::new());
    for part in value.split(';').filter(|part| !part.is_empty()) {
        let (key, word) = part.split_once('=').ok_or_else(|| odd(part))?;
        let key = key.to_ascii_uppercase();
        if seen.contains(&key) {
            // §3.3.10: a part must not occur twice.
            return Err(odd(part));
        }
        match key.as_str() {
            "FREQ" => {
                every = Some(match word.to_ascii_uppercase().as_str() {
                    "DAILY" => Every::Day,
                    "WEEKLY" => Every::Week,
                    "YEARLY" => Every::Year,
                    _ => return Err(odd(part)),
                });
            }
            "INTERVAL" => {
                let known = word.parse().ok().filter(|n| (1..=MAX_INTERVAL).contains(n));
                repeats.interval = known.ok_or_else(|| odd(part))?;
            }
            "COUNT" => {
                let known = word.parse().ok().filter(|n| (1..=MAX_COUNT).contains(n));
                repeats.count = Some(known.ok_or_else(|| odd(part))?);
            }
            "UNTIL" => repeats.until = Some(when("", word, zones)?),
            "BYDAY" => {
                let mut days = [false; 7];
                for word in word.split(',') {
                    days[monday_offset(weekday(word).ok_or_else(|| odd(part))?)] = true;
                }
                repeats.days = Some(days);
            }
            "WKST" => repeats.week_start = weekday(word).ok_or_else(|| odd(part))?,
            "BYMONTH" => by_date.month = Some(word.parse().map_err(|_| odd(part))?),
            "BYMONTHDAY" => by_date.day = Some(word.parse().map_err(|_| odd(part))?),
            _ => return Err(odd(part)),
        }
        seen.push(key);
    }
    repeats.every = every.ok_or_else(|| odd(value))?;
    let is_yearly = repeats.every == Every::Year;
    if repeats.days.is_some() && is_yearly {
        return Err(odd("BYDAY"));
    }
    if by_date != ByDate::default() && !is_yearly {
        return Err(odd(if by_date.month.is_some() { "BYMONTH" } else { "BYMONTHDAY" }));
    }
    if repeats.count.is_some() && repeats.until.is_some() {
        // §3.3.10: both must not occur in one rule.
        return Err(odd("COUNT;UNTIL"));
    }
    Ok((repeats, by_date))
}

/// The date of a yearly rule: Google Calendar repeats that of `DTSTART` in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ByDate {
    month: Option<i8>,
    day: Option<i8>,
}

impl ByDate {
    /// Whether it is the date on which the event starts.
    pub(super) fn is_of(self, start: Date) -> bool {
        self.month.is_none_or(|month| month == start.month())
            && self.day.is_none_or(|day| day == start.day())
    }
}

/// The beginning of a part, for a message: a part may be as long as the file.
fn shortened(part: &str) -> String {
    let mut shown: String = part.chars().take(40).collect();
    if shown.len() < part.len() {
        shown.push('…');
    }
    shown
}

/// The place of a day in a week that begins on Monday.
fn monday_offset(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}
