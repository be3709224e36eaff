//! Time zones of a calendar: a `TZID` is an IANA name, a zone that the file defines (`VTIMEZONE`),
//! or a name of Windows.
//!
//! ```text
//! TZID ▸ IANA ▸ VTIMEZONE of the file ▸ CLDR's table of Windows' names ▸ refused by name
//! ```
//!
//! An IANA name comes first: its rules are known better than a file repeats them. A `VTIMEZONE` is
//! understood where all its observances have one offset, where two change by a yearly rule, or
//! where the last began on a date; for local times before that it is refused.

use std::collections::HashMap;
use std::fmt::Write as _;

use jiff::civil::{DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};

use super::text::{ContentLine, civil, weekday};
use crate::config::data::windows_zones::iana_zone;

/// Most observances of one `VTIMEZONE`: a century of changes.
const MAX_OBSERVANCES: usize = 500;

/// The zones that one file defines, by their `TZID`.
#[derive(Debug, Default)]
pub(super) struct FileZones(HashMap<String, Option<Defined>>);

/// A zone that the file defines.
#[derive(Debug, Clone)]
struct Defined {
    zone: TimeZone,
    /// The local time from which it is as the file says.
    from: DateTime,
}

/// `STANDARD` or `DAYLIGHT` of a `VTIMEZONE`: RFC 5545 §3.6.5.
#[derive(Debug, Default)]
struct Observance {
    start: Option<DateTime>,
    to: Option<i32>,
    /// Month, week (5 is the last) and day of the yearly change.
    rule: Option<(u8, u8, Weekday)>,
    /// Its rule has an end, so that it is history.
    is_ended: bool,
    /// True where something of it is not understood.
    is_odd: bool,
}

impl FileZones {
    /// Reads every `VTIMEZONE` of a file; events may stand before them.
    pub(super) fn read(lines: &[ContentLine]) -> Self {
        let mut zones = Self::default();
        let mut open: Option<(String, Vec<Observance>)> = None;
        for line in lines {
            let Some(property) = line.property() else { continue };
            match (property.name.as_str(), property.value.to_ascii_uppercase().as_str()) {
                ("BEGIN", "VTIMEZONE") => open = Some((String::new(), Vec::new())),
                ("END", "VTIMEZONE") => {
                    if let Some((name, observances)) = open.take() {
                        zones.0.insert(name, defined(&observances));
                    }
                }
                (name, _) => {
                    if let Some((id, observances)) = &mut open {
                        match name {
                            "TZID" if observances.is_empty() => property.value.clone_into(id),
                            "BEGIN" if observances.len() < MAX_OBSERVANCES => {
                                observances.push(Observance::default());
                            }
                            "BEGIN" => {
                                if let Some(last) = observances.last_mut() {
                                    last.is_odd = true;
                                }
                            }
                            name => {
                                if let Some(observance) = observances.last_mut() {
                                    observance.property(name, property.value);
                                }
                            }
                        }
                    }
                }
            }
        }
        zones
    }

    /// The zone of a `TZID`, for a local time in it; `None` where none is understood at that time.
    pub(super) fn find(&self, name: &str, at: DateTime) -> Option<TimeZone> {
        if let Ok(zone) = TimeZone::get(name) {
            return Some(zone);
        }
        let named = self.0.get(name).and_then(Option::as_ref);
        if let Some(defined) = named.filter(|defined| defined.from <= at) {
            return Some(defined.zone.clone());
        }
        // RFC 5545 §3.2.19: a leading `/` is a name of some registry; all end in the IANA name.
        let globally = || name.strip_prefix('/').into_iter().flat_map(tails);
        let mut known = iana_zone(name).into_iter().chain(globally());
        known.find_map(|name| TimeZone::get(name).ok())
    }
}

/// The ends of a path, the longest first: `a/b/c`, `b/c`, `c`.
fn tails(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let now = rest?;
        rest = now.split_once('/').map(|(_, tail)| tail);
        Some(now)
    })
}

impl Observance {
    fn property(&mut self, name: &str, value: &str) {
        match name {
            "DTSTART" => {
                self.start = civil(value).map(|start| start.at);
            }
            "TZOFFSETTO" => self.to = offset(value),
            "RRULE" => {
                let rule = yearly(value);
                self.is_odd |= self.rule.is_some() || rule.is_none();
                self.is_ended = value.to_ascii_uppercase().contains("UNTIL=");
                self.rule = rule;
            }
            "RDATE" => self.is_odd = true,
            _ => {}
        }
    }
}

/// The zone of some observances; `None` where they are not understood.
fn defined(observances: &[Observance]) -> Option<Defined> {
    let first = observances.first()?.to?;
    if observances.iter().all(|one| one.to == Some(first)) {
        let zone = TimeZone::fixed(Offset::from_seconds(first).ok()?);
        return Some(Defined { zone, from: DateTime::MIN });
    }
    if observances.iter().any(|one| one.is_odd || one.to.is_none() || one.start.is_none()) {
        return None;
    }
    let last = observances.iter().max_by_key(|one| one.start)?;
    let open: Vec<&Observance> =
        observances.iter().filter(|one| one.rule.is_some() && !one.is_ended).collect();
    let (zone, from) = match open.as_slice() {
        [] if last.rule.is_none() => {
            (TimeZone::fixed(Offset::from_seconds(last.to?).ok()?), last.start?)
        }
        [one, other] => {
            let (standard, summer) = if one.to < other.to { (one, other) } else { (other, one) };
            (changing(standard, summer)?, one.start.max(other.start)?)
        }
        _ => return None,
    };
    // History ends where what is open begins.
    let is_last = observances.iter().all(|one| one.start <= Some(from));
    is_last.then_some(Defined { zone, from })
}

/// A zone with summer time, by a POSIX description (`std offset dst,rule,rule`).
fn changing(standard: &Observance, summer: &Observance) -> Option<TimeZone> {
    let mut text = String::new();
    for (name, one) in [("<std>", standard), ("<dst>", summer)] {
        let to = one.to?;
        // POSIX counts westwards.
        let sign = if to > 0 { '-' } else { '+' };
        let to = to.unsigned_abs();
        let _ = write!(text, "{name}{sign}{}:{:02}:{:02}", to / 3600, to / 60 % 60, to % 60);
    }
    for one in [summer, standard] {
        let ((month, week, day), at) = (one.rule?, one.start?.time());
        let day = day.to_sunday_zero_offset();
        let _ = write!(text, ",M{month}.{week}.{day}/{}:{:02}", at.hour(), at.minute());
    }
    TimeZone::posix(&text).ok()
}

/// `+0700`, in seconds.
fn offset(value: &str) -> Option<i32> {
    let (sign, digits) = match value.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if !matches!(digits.len(), 4 | 6) || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize| digits.get(from..from + 2).and_then(|part| part.parse::<i32>().ok());
    Some(sign * (part(0)? * 3600 + part(2)? * 60 + part(4).unwrap_or(0)))
}

/// Month, week and day of a yearly change: `FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU`.
fn yearly(value: &str) -> Option<(u8, u8, Weekday)> {
    let (mut month, mut day, mut is_yearly) = (None, None, false);
    for part in value.split(';') {
        let (key, word) = part.split_once('=')?;
        match key.to_ascii_uppercase().as_str() {
            "FREQ" => is_yearly = word.eq_ignore_ascii_case("YEARLY"),
            "BYMONTH" => month = word.parse().ok().filter(|month| (1..=12).contains(month)),
            "BYDAY" => {
                let (week, name) = word.split_at_checked(word.len().checked_sub(2)?)?;
                let week = match week.trim_start_matches('+') {
                    "-1" => 5,
                    week => week.parse().ok().filter(|week| (1..=4).contains(week))?,
                };
                day = Some((week, weekday(name)?));
            }
            "UNTIL" | "WKST" => {}
            "INTERVAL" if word == "1" => {}
            _ => return None,
        }
    }
    let (week, day) = day?;
    is_yearly.then_some((month?, week, day))
}
