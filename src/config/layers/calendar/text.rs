//! Lines of a calendar: unfolding, name, parameters and value (RFC 5545 §3.1), and single words.

use std::ops::Range;

use jiff::civil::{Date, DateTime, Time, Weekday};

/// One logical line with its place.
#[derive(Debug)]
pub(super) struct ContentLine {
    pub(super) span: Range<usize>,
    text: String,
}

/// A line as a property.
#[derive(Debug)]
pub(super) struct Property<'a> {
    /// In upper case.
    pub(super) name: String,
    pub(super) parameters: &'a str,
    pub(super) value: &'a str,
}

/// A date or a time as it is written.
#[derive(Debug)]
pub(super) struct Civil {
    pub(super) at: DateTime,
    pub(super) is_day: bool,
    pub(super) is_utc: bool,
}

/// Logical lines: a line that begins with a space continues the last.
pub(super) fn unfolded(text: &str) -> Vec<ContentLine> {
    let mut lines: Vec<ContentLine> = Vec::new();
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let line = raw.trim_end_matches(['\n', '\r']);
        let line = if start == 0 { line.trim_start_matches('\u{feff}') } else { line };
        let end = start + line.len();
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some(last)) => {
                last.text.push_str(more);
                last.span.end = end;
            }
            _ if line.trim().is_empty() => {}
            _ => lines.push(ContentLine { span: start..end, text: line.to_owned() }),
        }
        start += raw.len();
    }
    lines
}

impl ContentLine {
    /// Whether it is this text, in any case.
    pub(super) fn is(&self, text: &str) -> bool {
        self.text.trim().eq_ignore_ascii_case(text)
    }

    /// Its property: the first `:` outside quotes is before the value.
    pub(super) fn property(&self) -> Option<Property<'_>> {
        let mut is_quoted = false;
        let at = self.text.bytes().position(|octet| {
            is_quoted ^= octet == b'"';
            octet == b':' && !is_quoted
        })?;
        let (head, value) = (self.text.get(..at)?, self.text.get(at + 1..)?.trim());
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        Some(Property { name: name.to_ascii_uppercase(), parameters, value })
    }
}

/// The value of a parameter of a property, without quotes.
pub(super) fn parameter<'a>(parameters: &'a str, wanted: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case(wanted).then(|| value.trim_matches('"'))
    })
}

/// `20270101`, `20270101T073000`, `20270101T003000Z`: RFC 5545 §3.3.4 and §3.3.5.
pub(super) fn civil(value: &str) -> Option<Civil> {
    let (local, is_utc) = value.strip_suffix('Z').map_or((value, false), |local| (local, true));
    let (date, time) = local.split_once('T').map_or((local, None), |(d, t)| (d, Some(t)));
    let number = |text: &str, from: usize, to: usize| -> Option<i16> {
        let part = text.get(from..to).filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse().ok()
    };
    let small = |text: &str, from: usize| i8::try_from(number(text, from, from + 2)?).ok();
    if date.len() != 8 || time.is_some_and(|time| time.len() != 6) || (is_utc && time.is_none()) {
        return None;
    }
    let date = Date::new(number(date, 0, 4)?, small(date, 4)?, small(date, 6)?).ok()?;
    let Some(time) = time else {
        return Some(Civil { at: date.to_datetime(Time::midnight()), is_day: true, is_utc });
    };
    let second = small(time, 4)?;
    // §3.3.12: 60 is a leap second.
    let second = if second == 60 { 59 } else { second };
    let time = Time::new(small(time, 0)?, small(time, 2)?, second, 0).ok()?;
    Some(Civil { at: date.to_datetime(time), is_day: false, is_utc })
}

/// A day of `BYDAY` or `WKST`.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    Some(match word.trim().to_ascii_uppercase().as_str() {
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
