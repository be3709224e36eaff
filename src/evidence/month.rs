//! A month of the civil calendar, by the clock on the wall of a school.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::config::layers::calendar::{Side, instant};

/// A month, written as `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalMonth(Date);

/// The day of a moment; that of 1970 for a moment beyond all calendars.
pub(super) fn day_of(civil: u64, zone: &TimeZone) -> Date {
    let at = i64::try_from(civil).ok().and_then(|at| Timestamp::from_second(at).ok());
    zone.to_datetime(at.unwrap_or(Timestamp::UNIX_EPOCH)).date()
}

impl LocalMonth {
    /// The month of a moment in a zone.
    pub fn of(civil: u64, zone: &TimeZone) -> Self {
        Self(day_of(civil, zone).first_of_month())
    }

    /// The month that is so many months earlier.
    #[must_use]
    pub fn before(self, months: usize) -> Self {
        let months = i64::try_from(months).unwrap_or(i64::MAX).min(12_000);
        Self(self.0.checked_sub(months.months()).unwrap_or(Date::ZERO))
    }

    /// The second after its last.
    pub fn end(self, zone: &TimeZone) -> u64 {
        let next = self.0.checked_add(1.month()).unwrap_or(Date::MAX);
        instant(zone, next.at(0, 0, 0, 0), Side::End)
    }

    /// Its civil seconds in a zone.
    pub fn span(self, zone: &TimeZone) -> Range<u64> {
        self.before(1).end(zone)..self.end(zone)
    }

    /// The month of a day.
    pub fn of_day(day: Date) -> Self {
        Self(day.first_of_month())
    }

    /// The year.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The month of the year, 1 to 12.
    pub fn number(self) -> i8 {
        self.0.month()
    }

    /// The first day.
    pub fn first_day(self) -> Date {
        self.0
    }

    /// The last day.
    pub fn last_day(self) -> Date {
        self.0.last_of_month()
    }

    /// The month that follows; none at the end of all calendars.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1.month()).ok().map(Self)
    }

    /// A span in parts, each with its month.
    pub(super) fn parts(
        span: Range<u64>,
        zone: &TimeZone,
    ) -> impl Iterator<Item = (Self, Range<u64>)> {
        let mut from = span.start;
        std::iter::from_fn(move || {
            if from >= span.end {
                return None;
            }
            let month = Self::of(from, zone);
            // It always goes on, whatever the calendar says.
            let to = month.end(zone).max(from + 1).min(span.end);
            let part = from..to;
            from = to;
            Some((month, part))
        })
    }
}

impl fmt::Display for LocalMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

/// A text is no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no month; write one as 2026-11")]
pub struct NoMonth;

impl FromStr for LocalMonth {
    type Err = NoMonth;

    fn from_str(text: &str) -> Result<Self, NoMonth> {
        let (year, month) = text.split_once('-').ok_or(NoMonth)?;
        let is_number =
            |part: &str, len| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(year, 4) || !is_number(month, 2) {
            return Err(NoMonth);
        }
        let (year, month) = (year.parse().map_err(|_| NoMonth)?, month.parse());
        Date::new(year, month.map_err(|_| NoMonth)?, 1).map(Self).map_err(|_| NoMonth)
    }
}

impl TryFrom<String> for LocalMonth {
    type Error = NoMonth;

    fn try_from(text: String) -> Result<Self, NoMonth> {
        text.parse()
    }
}

impl From<LocalMonth> for String {
    fn from(month: LocalMonth) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_of_the_zone_and_a_span_is_split_at_its_end() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        // 2026-11-30 17:00 UTC is midnight of December in Hanoi.
        let midnight = 1_796_058_000;
        let month = |at| LocalMonth::of(at, &zone).to_string();
        assert_eq!((month(midnight - 1), month(midnight)), ("2026-11".into(), "2026-12".into()));
        let november: LocalMonth = "2026-11".parse().unwrap();
        assert_eq!(november.end(&zone), midnight);
        assert_eq!(november.before(11).to_string(), "2025-12");
        let parts: Vec<_> = LocalMonth::parts(midnight - 10..midnight + 5, &zone).collect();
        assert_eq!(parts[0], (november, midnight - 10..midnight));
        assert_eq!(parts[1].1, midnight..midnight + 5);
        assert_eq!(parts.len(), 2);
        for odd in ["", "2026", "2026-13", "2026-1", "2026-00", "+026-11", "2026-11-01", "2026-é"]
        {
            assert_eq!(odd.parse::<LocalMonth>(), Err(NoMonth), "{odd}");
        }
    }
}
