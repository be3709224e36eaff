//! Periods of reports: whole months, because that is what a record has.
//!
//! Law: a month belongs to the period in which its last day lies. So of periods that follow each other
//! each month belongs to exactly one, and a year from 16/11 to 15/11 has the months from November to
//! October, all of which are over when it ends.

use std::fmt;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::evidence::month::LocalMonth;

/// The most months of a report.
pub const MAX_MONTHS: usize = 36;

/// The day on which a report year begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearStart {
    month: i8,
    day: i8,
}

impl Default for YearStart {
    /// 16 November: so a school's file can leave before 30 November.
    fn default() -> Self {
        Self { month: 11, day: 16 }
    }
}

impl YearStart {
    /// Reads `11-16`; a day that every year has.
    pub fn parse(text: &str) -> Option<Self> {
        let is_written_so = text.len() == 5 && text.is_ascii();
        // 2025 has no 29 February.
        let date = is_written_so.then(|| format!("2025-{text}").parse::<Date>().ok())??;
        Some(Self { month: date.month(), day: date.day() })
    }

    /// The days of the year that ends in `year`.
    fn days(self, year: i16) -> Option<(Date, Date)> {
        let begins_a_year = (self.month, self.day) == (1, 1);
        let next = Date::new(if begins_a_year { year + 1 } else { year }, self.month, self.day);
        let next = next.ok()?;
        Some((next.checked_sub(1.year()).ok()?, next.yesterday().ok()?))
    }
}

/// The months of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportPeriod {
    /// The first month.
    pub from: LocalMonth,
    /// The last month.
    pub to: LocalMonth,
}

/// A text that is no period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodError {
    /// It is written in no form that is known.
    Form,
    /// It ends before it begins, no month ends in it, or more than [`MAX_MONTHS`] do.
    Months,
}

impl ReportPeriod {
    /// Reads `2026` (the report year that ends in it), `2026-11`, or two days or months with `..`.
    ///
    /// # Errors
    ///
    /// [`PeriodError`].
    pub fn parse(text: &str, year: YearStart) -> Result<Self, PeriodError> {
        if let Ok(month) = text.parse::<LocalMonth>() {
            return Ok(Self { from: month, to: month });
        }
        let days = match text.split_once("..") {
            None => {
                let is_year = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
                is_year.then(|| year.days(text.parse().ok()?)).flatten()
            }
            Some((from, to)) => {
                let day = |text: &str| {
                    let date = text.parse::<Date>().ok()?;
                    (date.to_string() == text).then_some(date)
                };
                let month = |text: &str| text.parse::<LocalMonth>().ok();
                let first = day(from).or_else(|| month(from).map(LocalMonth::first_day));
                let last = day(to).or_else(|| month(to).map(LocalMonth::last_day));
                first.zip(last)
            }
        };
        let (first, last) = days.ok_or(PeriodError::Form)?;
        Self::of_days(first, last).ok_or(PeriodError::Months)
    }

    /// The report year that ended last before `today`.
    pub fn newest(year: YearStart, today: Date) -> Option<Self> {
        let ended = [today.year(), today.year() - 1]
            .into_iter()
            .filter_map(|number| year.days(number))
            .find(|(_, last)| *last < today)?;
        Self::of_days(ended.0, ended.1)
    }

    /// The months with their last day among these.
    fn of_days(first: Date, last: Date) -> Option<Self> {
        let (from, ends) = (LocalMonth::of_day(first), LocalMonth::of_day(last));
        let to = if ends.last_day() == last { ends } else { ends.before(1) };
        Some(Self { from, to }).filter(|period| period.is_right())
    }

    /// Whether it has a month, and at most [`MAX_MONTHS`].
    pub fn is_right(self) -> bool {
        (1..=MAX_MONTHS).contains(&self.months().take(MAX_MONTHS + 1).count())
    }

    /// Its months.
    pub fn months(self) -> impl Iterator<Item = LocalMonth> {
        std::iter::successors(Some(self.from), |month| month.next())
            .take_while(move |month| *month <= self.to)
    }

    /// The report year: that in which it ends.
    pub fn year(self) -> i16 {
        self.to.year()
    }
}

impl fmt::Display for ReportPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.to)
    }
}

/// A day as Vietnamese forms have it: `16/11/2026`.
pub fn printed_day(day: Date) -> String {
    day.strftime("%d/%m/%Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, from: &str) -> Result<String, PeriodError> {
        ReportPeriod::parse(text, YearStart::parse(from).unwrap()).map(|period| period.to_string())
    }

    #[test]
    fn a_month_belongs_to_the_period_that_has_its_last_day() {
        assert_eq!(shown("2026", "11-16").unwrap(), "2025-11..2026-10");
        assert_eq!(shown("2025-11-16..2026-11-15", "01-01").unwrap(), "2025-11..2026-10");
        assert_eq!(shown("2026", "01-01").unwrap(), "2026-01..2026-12");
        assert_eq!(shown("2026-11", "11-16").unwrap(), "2026-11..2026-11");
        assert_eq!(shown("2026-01..2026-02", "11-16").unwrap(), "2026-01..2026-02");
        assert_eq!(shown("2026-02-28..2026-03-30", "11-16").unwrap(), "2026-02..2026-02");
    }

    #[test]
    fn years_that_follow_each_other_have_each_month_once() {
        for day in ["11-16", "01-01", "12-31", "02-28", "03-01", "11-30", "09-05"] {
            let years: Vec<ReportPeriod> = (2020..2030)
                .map(|year| {
                    let year = year.to_string();
                    ReportPeriod::parse(&year, YearStart::parse(day).unwrap()).unwrap()
                })
                .collect();
            for pair in years.windows(2) {
                assert_eq!(pair[0].to.next(), Some(pair[1].from), "{day}");
                assert_eq!(pair[0].months().count(), 12, "{day}");
            }
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in ["", "26", "2026-13", "2026-1", "2026-11-01", "a..b", "2026..2027", "99999"] {
            assert_eq!(shown(text, "11-16"), Err(PeriodError::Form), "{text}");
        }
        for text in ["2026-03-01..2026-03-30", "2026-05..2026-04", "2020-01..2026-01"] {
            assert_eq!(shown(text, "11-16"), Err(PeriodError::Months), "{text}");
        }
        assert_eq!(YearStart::parse("02-29"), None);
        assert_eq!(YearStart::parse("2-9"), None);
    }

    #[test]
    fn the_newest_year_has_ended() {
        let newest = |day: &str| {
            ReportPeriod::newest(YearStart::default(), day.parse().unwrap()).unwrap().to_string()
        };
        assert_eq!(newest("2026-11-15"), "2024-11..2025-10");
        assert_eq!(newest("2026-11-16"), "2025-11..2026-10");
        assert_eq!(newest("2027-02-01"), "2025-11..2026-10");
    }
}
