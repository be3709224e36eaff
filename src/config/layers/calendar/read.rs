//! iCalendar text → [`Calendar`], line by line.

use std::ops::Range;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use super::{Calendar, Event, Every, Length, Repeats, SECONDS_A_DAY, When};
use crate::diagnostic::Diagnostic;
use crate::lang::{Message, messages};

/// Most events of one calendar.
const MAX_EVENTS: usize = 5_000;

impl Calendar {
    /// Reads a calendar.
    ///
    /// # Errors
    ///
    /// Every line that cannot be understood.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader::default();
        let lines = unfolded(text);
        let is_calendar =
            lines.first().is_some_and(|(_, line)| line.eq_ignore_ascii_case("BEGIN:VCALENDAR"));
        if !is_calendar {
            return Err(vec![
                Diagnostic::new(
                    0..text.find('\n').unwrap_or(text.len()),
                    messages::no_calendar("BEGIN:VCALENDAR"),
                )
                .hint(messages::save_as_calendar()),
            ]);
        }
        for (span, line) in lines {
            reader.line(span, &line);
        }
        if let Some(open) = reader.open.take() {
            reader.mistakes.push(
                Diagnostic::new(open.span, messages::event_cut_off()).hint(messages::save_again()),
            );
        }
        if reader.events.len() > MAX_EVENTS {
            let message = messages::too_many_events(reader.events.len(), MAX_EVENTS);
            reader.mistakes.push(Diagnostic::new(0..0, message));
        }
        reader.mistakes.sort_by_key(|mistake| mistake.span.start);
        if reader.mistakes.is_empty() {
            Ok(Self { events: reader.events })
        } else {
            Err(reader.mistakes)
        }
    }
}

/// An event between its `BEGIN` and its `END`.
#[derive(Debug)]
struct Open {
    span: Range<usize>,
    start: Option<(Range<usize>, When, bool)>,
    end: Option<(Range<usize>, When)>,
    duration: Option<Length>,
    repeats: Option<Repeats>,
    except: Vec<jiff::civil::DateTime>,
    is_cancelled: bool,
}

/// Reader of the lines of a calendar.
#[derive(Debug, Default)]
struct Reader {
    open: Option<Open>,
    /// Depth of components inside an event (alarms), which are skipped.
    inside: usize,
    events: Vec<Event>,
    mistakes: Vec<Diagnostic>,
}

impl Reader {
    /// Reads one logical line.
    fn line(&mut self, span: Range<usize>, line: &str) {
        let Some((head, value)) = split(line) else {
            if self.open.is_some() {
                self.mistakes.push(
                    Diagnostic::new(span, messages::no_calendar_line())
                        .hint(messages::save_calendar_again()),
                );
            }
            return;
        };
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        let name = name.to_ascii_uppercase();
        match (name.as_str(), value.to_ascii_uppercase().as_str()) {
            ("BEGIN", "VEVENT") => self.begin(span),
            ("END", "VEVENT") => self.end(span),
            ("BEGIN", _) if self.open.is_some() => self.inside += 1,
            ("END", _) if self.open.is_some() => self.inside = self.inside.saturating_sub(1),
            _ if self.inside == 0 => self.property(span, &name, parameters, value),
            _ => {}
        }
    }

    /// Reads `BEGIN:VEVENT`.
    fn begin(&mut self, span: Range<usize>) {
        if self.open.is_some() {
            self.mistakes.push(Diagnostic::new(span.clone(), messages::event_inside_another()));
        }
        self.inside = 0;
        self.open = Some(Open {
            span,
            start: None,
            end: None,
            duration: None,
            repeats: None,
            except: Vec::new(),
            is_cancelled: false,
        });
    }

    /// Reads `END:VEVENT`, and checks the event.
    fn end(&mut self, span: Range<usize>) {
        let Some(open) = self.open.take() else {
            self.mistakes.push(Diagnostic::new(span, messages::event_not_begun()));
            return;
        };
        let Some((start_span, start, is_day)) = open.start else {
            // DTSTART is reported already, or absent.
            if self.mistakes.iter().all(|mistake| mistake.span.start < open.span.start) {
                self.mistakes.push(
                    Diagnostic::new(open.span, messages::event_without_start("DTSTART"))
                        .hint(messages::give_it_a_date()),
                );
            }
            return;
        };
        let length = match (open.end, open.duration) {
            (Some((end_span, end)), _) => {
                let seconds = seconds_between(&start, &end);
                let days = start.at.date().until(end.at.date()).map_or(0, |span| span.get_days());
                if seconds <= 0 {
                    self.mistakes.push(
                        Diagnostic::new(end_span, messages::event_backwards())
                            .hint(messages::whole_day_ends_after()),
                    );
                }
                if is_day { Length::Days(days) } else { Length::Seconds(seconds.unsigned_abs()) }
            }
            (None, Some(length)) => length,
            // RFC 5545 §3.6.1: a date alone is that day.
            (None, None) if is_day => Length::Days(1),
            (None, None) => {
                self.mistakes.push(
                    Diagnostic::new(start_span, messages::event_without_length())
                        .hint(messages::give_it_an_end()),
                );
                return;
            }
        };
        if !open.is_cancelled {
            let (repeats, except) = (open.repeats, open.except);
            self.events.push(Event { start, length, repeats, except });
        }
    }

    /// Reads a property of the open event.
    fn property(&mut self, span: Range<usize>, name: &str, parameters: &str, value: &str) {
        let Some(open) = &mut self.open else { return };
        let read = match name {
            "DTSTART" => when(parameters, value).map(|(when, is_day)| {
                open.start = Some((span.clone(), when, is_day));
            }),
            "DTEND" => when(parameters, value).map(|(when, _)| {
                open.end = Some((span.clone(), when));
            }),
            "DURATION" => duration(value).map(|length| open.duration = Some(length)),
            "RRULE" => repeats(value).map(|repeats| open.repeats = Some(repeats)),
            "EXDATE" => value.split(',').try_for_each(|one| {
                open.except.push(when(parameters, one)?.0.at);
                Ok(())
            }),
            "RDATE" => Err((messages::not_read("RDATE"), messages::event_of_each_date())),
            "STATUS" => {
                open.is_cancelled = value.eq_ignore_ascii_case("CANCELLED");
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err((message, hint)) = read {
            self.mistakes.push(Diagnostic::new(span, message).hint(hint));
        }
    }
}

/// The message and the hint about a wrong value.
type Wrong = (Message, Message);

/// Logical lines with their places: a line that begins with a space continues the last.
fn unfolded(text: &str) -> Vec<(Range<usize>, String)> {
    let mut lines: Vec<(Range<usize>, String)> = Vec::new();
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let line = raw.trim_end_matches(['\n', '\r']);
        let line = if start == 0 { line.trim_start_matches('\u{feff}') } else { line };
        let end = start + line.len();
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some((span, last))) => {
                last.push_str(more);
                span.end = end;
            }
            _ if line.trim().is_empty() => {}
            _ => lines.push((start..end, line.to_owned())),
        }
        start += raw.len();
    }
    lines
}

/// Name with parameters, and value: the first `:` outside quotes is between them.
fn split(line: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let at = line.bytes().position(|octet| {
        is_quoted ^= octet == b'"';
        octet == b':' && !is_quoted
    })?;
    Some((line.get(..at)?, line.get(at + 1..)?.trim()))
}

/// A date or a time, and whether it is a date alone.
fn when(parameters: &str, value: &str) -> Result<(When, bool), Wrong> {
    let wrong = || (messages::no_date(value), messages::date_form());
    let (local, is_utc) = value.strip_suffix('Z').map_or((value, false), |local| (local, true));
    let (date, time) = local.split_once('T').map_or((local, None), |(d, t)| (d, Some(t)));
    let digits = |text: &str, from: usize, to: usize| -> Result<i16, Wrong> {
        let part = text.get(from..to).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
        part.and_then(|part| part.parse().ok()).ok_or_else(wrong)
    };
    if date.len() != 8 || time.is_some_and(|time| time.len() != 6) {
        return Err(wrong());
    }
    let small = |number: i16| i8::try_from(number).map_err(|_| wrong());
    let date =
        Date::new(digits(date, 0, 4)?, small(digits(date, 4, 6)?)?, small(digits(date, 6, 8)?)?)
            .map_err(|_| wrong())?;
    let Some(time) = time else {
        let at = date.to_datetime(Time::midnight());
        return Ok((When { at, zone: None }, true));
    };
    let part = |from| digits(time, from, from + 2).and_then(small);
    let time = Time::new(part(0)?, part(2)?, part(4)?.min(59), 0).map_err(|_| wrong())?;
    let named = parameters.split(';').find_map(|parameter| {
        let (name, zone) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("TZID").then(|| zone.trim_matches('"'))
    });
    let zone = match (is_utc, named) {
        (true, _) => Some(TimeZone::UTC),
        (false, Some(name)) => Some(TimeZone::get(name).map_err(|_| {
            (messages::no_time_zone(name), messages::save_with_zone("Asia/Ho_Chi_Minh"))
        })?),
        (false, None) => None,
    };
    Ok((When { at: date.to_datetime(time), zone }, false))
}

/// `P1D`, `PT1H30M`: RFC 5545 §3.3.6.
fn duration(value: &str) -> Result<Length, Wrong> {
    let wrong =
        || (messages::no_event_duration(value), messages::write_event_duration("P1D", "PT1H30M"));
    let rest = value.strip_prefix('+').unwrap_or(value).strip_prefix('P').ok_or_else(wrong)?;
    let (mut seconds, mut days, mut number, mut is_time) = (0_u64, 0_i32, String::new(), false);
    for letter in rest.chars() {
        if letter.is_ascii_digit() && number.len() < 6 {
            number.push(letter);
            continue;
        }
        if letter == 'T' {
            is_time = true;
            continue;
        }
        let amount: u32 = number.parse().map_err(|_| wrong())?;
        number.clear();
        let whole = i32::try_from(amount).map_err(|_| wrong())?;
        match (letter, is_time) {
            ('W', false) => days += whole * 7,
            ('D', false) => days += whole,
            ('H', true) => seconds += u64::from(amount) * 3600,
            ('M', true) => seconds += u64::from(amount) * 60,
            ('S', true) => seconds += u64::from(amount),
            _ => return Err(wrong()),
        }
    }
    match (days, seconds) {
        (0, 0) => Err(wrong()),
        (days, 0) => Ok(Length::Days(days)),
        (days, seconds) => {
            Ok(Length::Seconds(seconds + days.unsigned_abs() as u64 * SECONDS_A_DAY))
        }
    }
}

/// Daily, weekly and yearly repeats: RFC 5545 §3.3.10.
fn repeats(value: &str) -> Result<Repeats, Wrong> {
    let mut every = None;
    let mut repeats =
        Repeats { every: Every::Day, interval: 1, count: None, until: None, days: Vec::new() };
    let odd = |part: &str| (messages::repeat_not_read(part), messages::event_of_each_date());
    for part in value.split(';') {
        let (key, word) = part.split_once('=').ok_or_else(|| odd(part))?;
        match key.to_ascii_uppercase().as_str() {
            "FREQ" => {
                every = match word.to_ascii_uppercase().as_str() {
                    "DAILY" => Some(Every::Day),
                    "WEEKLY" => Some(Every::Week),
                    "YEARLY" => Some(Every::Year),
                    _ => return Err(odd(part)),
                };
            }
            "INTERVAL" => {
                repeats.interval = word
                    .parse()
                    .ok()
                    .filter(|n| (1..=1000).contains(n))
                    .ok_or_else(|| odd(part))?;
            }
            "COUNT" => repeats.count = Some(word.parse().map_err(|_| odd(part))?),
            "UNTIL" => {
                let (until, is_day) = when("", word)?;
                let last = Time::constant(23, 59, 59, 0);
                repeats.until =
                    Some(if is_day { until.at.date().to_datetime(last) } else { until.at });
            }
            "BYDAY" => {
                for word in word.split(',') {
                    repeats.days.push(weekday(word).ok_or_else(|| odd(part))?);
                }
            }
            "WKST" => {}
            // Google Calendar repeats the yearly date in them.
            "BYMONTH" | "BYMONTHDAY" if every == Some(Every::Year) => {}
            _ => return Err(odd(part)),
        }
    }
    repeats.every = every.ok_or_else(|| odd(value))?;
    if !repeats.days.is_empty() && repeats.every != Every::Week {
        return Err(odd("BYDAY"));
    }
    Ok(repeats)
}

/// A day of `BYDAY`.
fn weekday(word: &str) -> Option<Weekday> {
    Some(match word.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}

/// Seconds from start to end; both in UTC where they name no zone.
fn seconds_between(start: &When, end: &When) -> i64 {
    let second = |when: &When| {
        let zone = when.zone.clone().unwrap_or(TimeZone::UTC);
        zone.to_ambiguous_timestamp(when.at).compatible().map_or(0, jiff::Timestamp::as_second)
    };
    second(end) - second(start)
}
