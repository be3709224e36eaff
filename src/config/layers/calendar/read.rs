//! iCalendar text → [`Calendar`], line by line.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::repeat::{ByDate, Repeats, repeats};
use super::text::{Property, parameter, unfolded};
use super::value::{Wrong, duration, when};
use super::when::{Length, When};
use super::zone::FileZones;
use super::{Calendar, Event};
use crate::diagnostic::Diagnostic;
use crate::lang::messages;

/// Most events of one calendar.
const MAX_EVENTS: usize = 5_000;
/// Most days of an event that repeats: windows of a longer one cover each other by the hundred.
const MAX_REPEATED_DAYS: i32 = 366;
const SECONDS_A_DAY: u64 = 86_400;
/// Properties of which an event has one at most (RFC 5545 §3.6.1).
const ONCE: [&str; 8] =
    ["DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID", "UID", "SEQUENCE", "STATUS"];

impl Calendar {
    /// Reads a calendar.
    ///
    /// # Errors
    ///
    /// Every line that cannot be understood.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let lines = unfolded(text);
        if !lines.first().is_some_and(|line| line.is("BEGIN:VCALENDAR")) {
            return Err(vec![
                Diagnostic::new(
                    0..text.find('\n').unwrap_or(text.len()),
                    messages::no_calendar("BEGIN:VCALENDAR"),
                )
                .hint(messages::save_as_calendar()),
            ]);
        }
        let mut reader = Reader { zones: FileZones::read(&lines), ..Reader::default() };
        for line in &lines {
            match line.property() {
                Some(property) => reader.line(line.span.clone(), &property),
                None => reader.no_property(line.span.clone()),
            }
        }
        if let Some(open) = reader.open.take() {
            reader.mistakes.push(
                Diagnostic::new(open.span, messages::event_cut_off()).hint(messages::save_again()),
            );
        } else if let Some(last) = lines.last().filter(|last| !last.is("END:VCALENDAR")) {
            let mistake = Diagnostic::new(last.span.clone(), messages::calendar_cut_off());
            reader.mistakes.push(mistake.hint(messages::save_again()));
        }
        if reader.read.len() > MAX_EVENTS {
            let message = messages::too_many_events(reader.read.len(), MAX_EVENTS);
            reader.mistakes.push(Diagnostic::new(0..0, message));
        }
        reader.mistakes.sort_by_key(|mistake| mistake.span.start);
        if reader.mistakes.is_empty() {
            Ok(Self { events: in_force(reader.read) })
        } else {
            Err(reader.mistakes)
        }
    }
}

/// An event between its `BEGIN` and its `END`.
#[derive(Debug, Default)]
struct Open {
    span: Range<usize>,
    start: Option<(Range<usize>, When)>,
    end: Option<(Range<usize>, When)>,
    duration: Option<Length>,
    repeats: Option<(Range<usize>, Repeats, ByDate)>,
    except: Vec<When>,
    /// The occurrence of the event of the same `UID` that it replaces.
    instead_of: Option<(Range<usize>, When)>,
    uid: String,
    sequence: u32,
    is_cancelled: bool,
    /// The properties of [`ONCE`] that were there.
    seen: HashSet<&'static str>,
}

/// An event as it was read, before those of one `UID` are put together.
#[derive(Debug)]
struct ReadEvent {
    uid: String,
    sequence: u32,
    instead_of: Option<When>,
    /// `None` where it is cancelled.
    event: Option<Event>,
}

/// Reader of the lines of a calendar.
#[derive(Debug, Default)]
struct Reader {
    zones: FileZones,
    open: Option<Open>,
    /// Depth of components inside an event (alarms), which are skipped.
    inside: usize,
    read: Vec<ReadEvent>,
    mistakes: Vec<Diagnostic>,
}

impl Reader {
    /// Reads one logical line.
    fn line(&mut self, span: Range<usize>, property: &Property<'_>) {
        match (property.name.as_str(), property.value.to_ascii_uppercase().as_str()) {
            ("BEGIN", "VEVENT") => self.begin(span),
            ("END", "VEVENT") => self.end(span),
            ("BEGIN", _) if self.open.is_some() => self.inside += 1,
            ("END", _) if self.open.is_some() => self.inside = self.inside.saturating_sub(1),
            ("METHOD", "CANCEL") if self.open.is_none() => {
                // RFC 5546 §3.2.5: its events are those that do not take place.
                let mistake = Diagnostic::new(span, messages::calendar_of_cancelled());
                self.mistakes.push(mistake.hint(messages::save_as_calendar()));
            }
            _ if self.inside == 0 => self.property(span, property),
            _ => {}
        }
    }

    /// Reports a line that is no property, inside an event.
    fn no_property(&mut self, span: Range<usize>) {
        if self.open.is_some() {
            self.mistakes.push(
                Diagnostic::new(span, messages::no_calendar_line())
                    .hint(messages::save_calendar_again()),
            );
        }
    }

    /// Reads `BEGIN:VEVENT`.
    fn begin(&mut self, span: Range<usize>) {
        if self.open.is_some() {
            self.mistakes.push(Diagnostic::new(span.clone(), messages::event_inside_another()));
        }
        self.inside = 0;
        self.open = Some(Open { span, ..Open::default() });
    }

    /// Reads `END:VEVENT`, and checks the event.
    fn end(&mut self, span: Range<usize>) {
        let Some(open) = self.open.take() else {
            self.mistakes.push(Diagnostic::new(span, messages::event_not_begun()));
            return;
        };
        match open.checked() {
            Ok(read) => self.read.extend(read),
            Err(mistake) => self.mistakes.push(mistake),
        }
    }

    /// Reads a property of the open event.
    fn property(&mut self, span: Range<usize>, property: &Property<'_>) {
        let Some(open) = &mut self.open else { return };
        let Property { name, parameters, value } = property;
        if let Some(once) = ONCE.into_iter().find(|once| once == name)
            && !open.seen.insert(once)
        {
            let mistake = Diagnostic::new(span, messages::event_property_twice(once));
            self.mistakes.push(mistake.hint(messages::save_calendar_again()));
            return;
        }
        let read = match name.as_str() {
            "DTSTART" => when(parameters, value, &self.zones).map(|when| {
                open.start = Some((span.clone(), when));
            }),
            "DTEND" => when(parameters, value, &self.zones).map(|when| {
                open.end = Some((span.clone(), when));
            }),
            "DURATION" => duration(value).map(|length| open.duration = Some(length)),
            "RRULE" => repeats(value, &self.zones).map(|(repeats, by_date)| {
                open.repeats = Some((span.clone(), repeats, by_date));
            }),
            "EXDATE" => value.split(',').try_for_each(|one| {
                open.except.push(when(parameters, one, &self.zones)?);
                Ok(())
            }),
            "RECURRENCE-ID" => {
                open.instead_of(span.clone(), parameters, when(parameters, value, &self.zones))
            }
            "RDATE" => Err((messages::not_read("RDATE"), messages::event_of_each_date())),
            "EXRULE" => Err((messages::not_read("EXRULE"), messages::event_of_each_date())),
            "UID" => {
                (*value).clone_into(&mut open.uid);
                Ok(())
            }
            "SEQUENCE" => {
                open.sequence = value.parse().unwrap_or(0);
                Ok(())
            }
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

impl Open {
    /// Takes the occurrence that this event replaces.
    fn instead_of(
        &mut self,
        span: Range<usize>,
        parameters: &str,
        read: Result<When, Wrong>,
    ) -> Result<(), Wrong> {
        if let Some(range) = parameter(parameters, "RANGE") {
            let message = messages::not_read(format!("RANGE={range}"));
            return Err((message, messages::event_of_each_date()));
        }
        self.instead_of = Some((span, read?));
        Ok(())
    }

    /// The event; `None` where a mistake in it is reported already.
    fn checked(self) -> Result<Option<ReadEvent>, Diagnostic> {
        let Some((start_span, start)) = self.start else {
            if self.seen.contains("DTSTART") {
                return Ok(None);
            }
            let mistake = Diagnostic::new(self.span, messages::event_without_start("DTSTART"));
            return Err(mistake.hint(messages::give_it_a_date()));
        };
        let instead_of = match self.instead_of {
            Some((span, _)) if self.uid.is_empty() => {
                let mistake = Diagnostic::new(span, messages::occurrence_of_no_event("UID"));
                return Err(mistake.hint(messages::save_calendar_again()));
            }
            other => other.map(|(_, when)| when),
        };
        let length = match (self.end, self.duration) {
            (Some((span, _)), Some(_)) => {
                let message = messages::event_property_twice("DTEND, DURATION");
                return Err(Diagnostic::new(span, message).hint(messages::save_calendar_again()));
            }
            (Some((span, end)), None) => between(&start, &end).ok_or_else(|| {
                Diagnostic::new(span, messages::event_backwards())
                    .hint(messages::whole_day_ends_after())
            })?,
            (None, Some(length)) => length,
            // RFC 5545 §3.6.1: a date alone is that day.
            (None, None) if start.is_day => Length { days: 1, seconds: 0 },
            // The mistake of an end that is no date is reported already.
            (None, None) if self.seen.contains("DTEND") || self.seen.contains("DURATION") => {
                return Ok(None);
            }
            // A cancelled one need not last.
            (None, None) if self.is_cancelled => Length::default(),
            (None, None) => {
                let mistake = Diagnostic::new(start_span, messages::event_without_length());
                return Err(mistake.hint(messages::give_it_an_end()));
            }
        };
        if let Some((span, _, by_date)) = &self.repeats {
            let days = length.days + i32::try_from(length.seconds / SECONDS_A_DAY).unwrap_or(0);
            let wrong = if !by_date.is_of(start.at.date()) {
                Some(messages::repeat_on_another_date())
            } else if days > MAX_REPEATED_DAYS {
                Some(messages::repeat_too_long(MAX_REPEATED_DAYS))
            } else {
                instead_of.is_some().then(|| messages::not_read("RECURRENCE-ID, RRULE"))
            };
            if let Some(message) = wrong {
                let mistake = Diagnostic::new(span.clone(), message);
                return Err(mistake.hint(messages::event_of_each_date()));
            }
        }
        let repeats = self.repeats.map(|(_, repeats, _)| repeats);
        let event = Event { start, length, repeats, except: self.except };
        let event = (!self.is_cancelled).then_some(event);
        Ok(Some(ReadEvent { uid: self.uid, sequence: self.sequence, instead_of, event }))
    }
}

/// The length of an event between two times; `None` where it ends before it begins.
fn between(start: &When, end: &When) -> Option<Length> {
    if start.is_day && end.is_day {
        let days = start.at.date().until(end.at.date()).ok()?.get_days();
        return (days > 0).then_some(Length { days, seconds: 0 });
    }
    // Both in UTC where they name no zone. RFC 5545 §3.8.5.3: a repeat lasts as many seconds.
    let second = |when: &When| {
        let zone = when.zone.clone().unwrap_or(TimeZone::UTC);
        zone.to_ambiguous_timestamp(when.at).compatible().ok().map(Timestamp::as_second)
    };
    let seconds = u64::try_from(second(end)? - second(start)?).ok()?;
    (seconds > 0).then_some(Length { days: 0, seconds })
}

/// The events that take place. Of two versions of one (RFC 5545 §3.8.7.4) the later `SEQUENCE`
/// holds; an occurrence with a `RECURRENCE-ID` takes the place of that of its series.
fn in_force(read: Vec<ReadEvent>) -> Vec<Event> {
    let mut newest: HashMap<(String, Option<String>), u32> = HashMap::new();
    let key = |one: &ReadEvent| {
        (one.uid.clone(), one.instead_of.as_ref().map(|when| format!("{when:?}")))
    };
    for one in read.iter().filter(|one| !one.uid.is_empty()) {
        let newest = newest.entry(key(one)).or_default();
        *newest = one.sequence.max(*newest);
    }
    let is_newest =
        |one: &ReadEvent| newest.get(&key(one)).is_none_or(|newest| one.sequence == *newest);
    let read: Vec<ReadEvent> = read.into_iter().filter(is_newest).collect();
    let mut replaced: HashMap<String, Vec<When>> = HashMap::new();
    for one in &read {
        if let Some(when) = &one.instead_of {
            replaced.entry(one.uid.clone()).or_default().push(when.clone());
        }
    }
    let event = |one: ReadEvent| {
        let mut event = one.event?;
        if one.instead_of.is_none()
            && let Some(replaced) = replaced.get(&one.uid)
        {
            event.except.extend(replaced.iter().cloned());
        }
        Some(event)
    };
    read.into_iter().filter_map(event).collect()
}
