//! A civil day: the finest time that a review has.

use std::fmt;
use std::str::FromStr as _;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A day, written as `2026-11-29`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CivilDay(Date);

impl CivilDay {
    /// The day of a moment in a zone; `None` for a moment beyond all calendars.
    pub fn of(civil: u64, zone: &TimeZone) -> Option<Self> {
        let at = jiff::Timestamp::from_second(i64::try_from(civil).ok()?).ok()?;
        Some(Self(zone.to_datetime(at).date()))
    }

    /// Days from `earlier` to this day; 0 where it is not earlier.
    pub fn days_since(self, earlier: Self) -> u32 {
        let span = self.0.since((jiff::Unit::Day, earlier.0));
        span.map_or(0, |span| u32::try_from(span.get_days()).unwrap_or(0))
    }
}

impl TryFrom<String> for CivilDay {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        // Only the form that is written: jiff reads others too.
        let day = Date::from_str(&text).map(Self).map_err(|_| "no day")?;
        if day.to_string() == text { Ok(day) } else { Err("no day") }
    }
}

impl From<CivilDay> for String {
    fn from(day: CivilDay) -> Self {
        day.to_string()
    }
}

impl fmt::Display for CivilDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%d"))
    }
}

impl fmt::Debug for CivilDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_of_the_zone_and_counts_days() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        // 2026-11-28 18:00 UTC is the next day in Hanoi.
        let day = CivilDay::of(1_795_888_800, &zone).unwrap();
        assert_eq!(day.to_string(), "2026-11-29");
        let later = CivilDay::of(1_795_888_800 + 30 * 86_400, &zone).unwrap();
        assert_eq!((later.days_since(day), day.days_since(later)), (30, 0));
        assert_eq!(CivilDay::of(u64::MAX, &zone), None);
        let read = |text: &str| CivilDay::try_from(text.to_owned());
        assert_eq!(read("2026-11-29"), Ok(day));
        for odd in
            ["", "2026-11-29T00:00", "2026-13-01", "20261129", "2026-11-29 ", "-002026-11-29"]
        {
            assert!(read(odd).is_err(), "{odd}");
        }
    }
}
