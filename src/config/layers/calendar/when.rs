//! Local times and dates of a calendar, and their instants.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A local time (RFC 5545 DATE-TIME) or a date (DATE), and its zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct When {
    pub(super) at: DateTime,
    /// `None` is the school's zone.
    pub(super) zone: Option<TimeZone>,
    /// True for a date without a time.
    pub(super) is_day: bool,
}

/// Length of an event: days of local time, and seconds beyond them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Length {
    pub(super) days: i32,
    pub(super) seconds: u64,
}

impl When {
    /// The instant, in `zone` where the file names no other.
    pub(super) fn instant(&self, zone: &TimeZone) -> u64 {
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

/// The local date of an instant.
pub(super) fn date_of(zone: &TimeZone, second: u64) -> Date {
    let second = i64::try_from(second).unwrap_or(i64::MAX);
    zone.to_datetime(Timestamp::from_second(second).unwrap_or(Timestamp::MAX)).date()
}
