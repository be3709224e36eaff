//! Schedules: windows of time, by days, times and calendars.
//!
//! ```text
//! (days × times)  ∩ events of `calendar`  − events of `except`
//! ```
//!
//! by the wall clock of the school's time zone. A window that ends before it begins ends
//! on the next day, and belongs to the day on which it begins.

use std::fmt::Write as _;
use std::ops::Range;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use toml::Spanned;

use crate::config::external::{ReadCalendars, UnusableCalendar};
use crate::config::file::report::Report;
use crate::config::file::shape::{ScheduleFile, Table};
use crate::config::file::value::{each, place_of};
use crate::config::layers::calendar::{Calendar, Side, instant};
use crate::config::layers::spans::{common, joined, without};
use crate::lang::{Lang, messages};

/// Most schedules.
const MAX_SCHEDULES: usize = 32;
/// The words for days, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MINUTES_A_DAY: u32 = 24 * 60;

/// A schedule: the windows of time in which it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Name in the config and in traces.
    pub name: String,
    /// Days on which a window begins, Monday first.
    days: [bool; 7],
    /// Windows in minutes of the day; an end before its start is on the next day.
    times: Vec<(u32, u32)>,
    /// Runs only during events of this calendar.
    only: Option<NamedCalendar>,
    /// Does not run during events of these calendars.
    except: Vec<NamedCalendar>,
    /// True where a calendar of it cannot be used, so that nobody knows when it runs. A group's
    /// rules are then those of its stricter meaning.
    pub is_unknown: bool,
}

/// A calendar and the place of the config that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NamedCalendar {
    calendar: Calendar,
    path: String,
    span: Range<usize>,
}

impl Schedule {
    /// One that runs on some days, Monday first, from one minute of the day to another.
    pub(in crate::config) fn weekly_times(name: &str, days: [bool; 7], times: (u32, u32)) -> Self {
        Self {
            name: name.to_owned(),
            days,
            times: vec![times],
            only: None,
            except: Vec::new(),
            is_unknown: false,
        }
    }

    /// Its calendars without an event after `civil`: the path of each, and its place in the config.
    pub(in crate::config) fn past(
        &self,
        zone: &TimeZone,
        civil: u64,
    ) -> impl Iterator<Item = (&str, &Range<usize>)> {
        let all = self.only.iter().chain(&self.except);
        let past = all.filter(move |one| one.calendar.is_past(zone, civil));
        past.map(|one| (one.path.as_str(), &one.span))
    }

    /// Days, times and calendars, for people.
    pub fn words(&self) -> String {
        let days = DAYS.iter().zip(self.days).filter(|(_, is_on)| *is_on).map(|(day, _)| *day);
        let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let times = self.times.iter().map(|&(start, end)| time(start) + "-" + &time(end));
        let mut words = days.collect::<Vec<_>>().join(" ");
        words += " ";
        words += &times.collect::<Vec<_>>().join(" ");
        for (what, calendars) in
            [("only", self.only.as_slice()), ("except", self.except.as_slice())]
        {
            for one in calendars {
                let _ = write!(words, " {what} {}", one.path);
            }
        }
        words
    }

    /// The windows inside `span`, in seconds since 1970.
    pub fn windows(&self, zone: &TimeZone, span: &Range<u64>) -> Vec<Range<u64>> {
        let mut found = self.weekly(zone, span);
        if let Some(only) = &self.only {
            found = common(&found, &only.calendar.windows(zone, span));
        }
        for except in &self.except {
            found = without(&found, &except.calendar.windows(zone, span));
        }
        found
    }

    /// The windows of days and times, without calendars.
    fn weekly(&self, zone: &TimeZone, span: &Range<u64>) -> Vec<Range<u64>> {
        let day_of = |second: u64| {
            let second = i64::try_from(second).unwrap_or(i64::MAX);
            let at = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
            zone.to_datetime(at).date()
        };
        // A window of the day before may reach into the first one.
        let Ok(mut day) = day_of(span.start).yesterday() else { return Vec::new() };
        let last = day_of(span.end);
        let mut found = Vec::new();
        while day <= last {
            let number = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
            if self.days.get(number) == Some(&true) {
                for &(start, end) in &self.times {
                    let end_day = if end <= start { day.tomorrow().unwrap_or(day) } else { day };
                    let start = instant(zone, at_minute(day, start), Side::Start);
                    let end = instant(zone, at_minute(end_day, end), Side::End);
                    found.push(start.max(span.start)..end.min(span.end));
                }
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        joined(found)
    }

    /// Whether it has a window at all, in the past or the future.
    fn can_run(&self, zone: &TimeZone) -> bool {
        self.only.as_ref().is_none_or(|only| {
            only.calendar.any_event(zone, |windows, span| {
                let mut found = common(&self.weekly(zone, span), windows);
                for except in &self.except {
                    found = without(&found, &except.calendar.windows(zone, span));
                }
                !found.is_empty()
            })
        })
    }
}

/// A minute of a day; minute 1440 is midnight of the next.
fn at_minute(day: Date, minute: u32) -> jiff::civil::DateTime {
    let (day, minute) = if minute >= MINUTES_A_DAY {
        (day.checked_add(1.day()).unwrap_or(day), minute - MINUTES_A_DAY)
    } else {
        (day, minute)
    };
    let (hour, minute) = ((minute / 60) as i8, (minute % 60) as i8);
    day.to_datetime(Time::new(hour, minute, 0, 0).unwrap_or(Time::midnight()))
}

impl Report<'_> {
    /// The schedules of a file, in its order.
    pub(crate) fn schedules(
        &mut self,
        given: &[Spanned<Table<ScheduleFile>>],
        calendars: &mut ReadCalendars,
        zone: &TimeZone,
    ) -> Vec<Schedule> {
        let mut schedules: Vec<Schedule> = Vec::new();
        for table in given.iter().take(2 * MAX_SCHEDULES) {
            let mut schedule = self.schedule(table, calendars);
            if schedules.iter().any(|other| other.name == schedule.name) {
                let span = place_of(table.get_ref().name.as_ref(), table);
                let message = messages::schedule_already(&schedule.name);
                self.mistake(span, message).hint = Some(messages::several_times());
            }
            if let Some(calendar) = &table.get_ref().calendar
                && !schedule.is_unknown
                && !schedule.can_run(zone)
            {
                let label = calendar.get_ref();
                let message = messages::never_with_calendar(&schedule.name, label);
                if calendars.missable.contains(label) {
                    schedule.is_unknown = true;
                    let why = message.in_lang(Lang::En);
                    let path = self.base_dir.join(label);
                    let unusable = UnusableCalendar { label: label.clone(), path, why };
                    calendars.unusable.insert(label.clone(), unusable);
                } else {
                    self.mistake(calendar.span(), message).hint =
                        Some(messages::look_at_the_dates());
                }
            }
            schedules.push(schedule);
        }
        if let Some(table) = given.get(MAX_SCHEDULES) {
            let message = messages::too_many_schedules(given.len(), MAX_SCHEDULES);
            self.mistake(table.span(), message);
        }
        schedules
    }

    /// Reads one `[[schedule]]`.
    fn schedule(
        &mut self,
        table: &Spanned<Table<ScheduleFile>>,
        calendars: &ReadCalendars,
    ) -> Schedule {
        let file = table.get_ref();
        let name = match &file.name {
            Some(name) => {
                self.label(messages::schedule(), name);
                name.get_ref().clone()
            }
            None => self.missing(table.span(), "[[schedule]]", "name").unwrap_or_default(),
        };
        let mut schedule = Schedule {
            name,
            days: [true; 7],
            times: vec![(0, MINUTES_A_DAY)],
            only: file
                .calendar
                .as_ref()
                .and_then(|path| self.calendar("calendar", path, calendars)),
            except: each(&file.except)
                .filter_map(|path| self.calendar("except", path, calendars))
                .collect(),
            is_unknown: file
                .calendar
                .iter()
                .chain(each(&file.except))
                .any(|path| calendars.unusable.contains_key(path.get_ref())),
        };
        if let Some(days) = &file.days {
            schedule.days = [false; 7];
            for day in days.get_ref() {
                self.day(day, &mut schedule.days);
            }
            if days.get_ref().is_empty() {
                self.never(days.span(), &schedule.name, "days", "[\"mon-fri\"]");
            }
        }
        if let Some(times) = &file.times {
            schedule.times = times.get_ref().iter().filter_map(|time| self.window(time)).collect();
            if times.get_ref().is_empty() {
                self.never(times.span(), &schedule.name, "times", "[\"07:00-11:30\"]");
            }
        }
        if file.days.is_none() && file.times.is_none() && file.calendar.is_none() {
            let message = messages::without_times(&schedule.name);
            self.mistake(table.span(), message).hint = Some(messages::add_times());
        }
        schedule
    }

    /// A calendar that the config names; `None` where its file was not read.
    fn calendar(
        &mut self,
        key: &str,
        given: &Spanned<String>,
        calendars: &ReadCalendars,
    ) -> Option<NamedCalendar> {
        self.path(key, given)?;
        let (path, span) = (given.get_ref().clone(), given.span());
        let calendar = calendars.calendars.get(&path)?.clone();
        Some(NamedCalendar { calendar, path, span })
    }

    /// Reports an empty list, with which the schedule never runs.
    fn never(&mut self, span: Range<usize>, name: &str, key: &str, example: &str) {
        let message = messages::never_by(key, name);
        self.mistake(span, message).hint =
            Some(messages::write_or_leave_out(format!("{key} = {example}")));
    }

    /// `mon`, or `mon-fri`.
    fn day(&mut self, given: &Spanned<String>, days: &mut [bool; 7]) {
        let text = given.get_ref();
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let place = |word: &str| DAYS.iter().position(|day| *day == word.trim());
        match (place(first), place(last)) {
            (Some(first), Some(last)) => {
                let mut day = first;
                loop {
                    if let Some(slot) = days.get_mut(day) {
                        *slot = true;
                    }
                    if day == last {
                        break;
                    }
                    day = (day + 1) % 7;
                }
            }
            _ => self.unknown(messages::day(), given, DAYS),
        }
    }

    /// `07:00-11:30`.
    fn window(&mut self, given: &Spanned<String>) -> Option<(u32, u32)> {
        let text = given.get_ref();
        let minute = |text: &str| -> Option<u32> {
            let (hour, minute) = text.trim().split_once(':')?;
            let is_number = |part: &str| {
                (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
            };
            let (hour, minute) = (
                is_number(hour).then(|| hour.parse::<u32>().ok())??,
                is_number(minute).then(|| minute.parse::<u32>().ok())??,
            );
            (minute < 60 && hour * 60 + minute <= MINUTES_A_DAY).then_some(hour * 60 + minute)
        };
        let read =
            text.split_once('-').and_then(|(start, end)| Some((minute(start)?, minute(end)?)));
        match read {
            Some((start, end)) if start == end || start == MINUTES_A_DAY => {
                self.mistake(given.span(), messages::no_length(text)).hint =
                    Some(messages::write_whole_day("00:00-24:00"));
                None
            }
            Some(window) => Some(window),
            None => {
                self.mistake(given.span(), messages::no_window(text)).hint =
                    Some(messages::write_window("07:00-11:30", "22:00-05:00"));
                None
            }
        }
    }
}
