//! Dates, times and durations of a calendar: RFC 5545 §3.3.4 to §3.3.6.

use jiff::tz::TimeZone;

use super::text::{Civil, civil, parameter};
use super::when::{Length, When};
use super::zone::FileZones;
use crate::lang::{Message, messages};

/// The message and the hint about a wrong value.
pub(super) type Wrong = (Message, Message);

/// Most days of one event: an event past the end of time would never be on.
const MAX_DAYS: i32 = 36_600;

/// A date or a time, with its zone.
pub(super) fn when(parameters: &str, value: &str, zones: &FileZones) -> Result<When, Wrong> {
    let Some(Civil { at, is_day, is_utc }) = civil(value) else {
        let shown: String = value.chars().take(40).collect();
        return Err((messages::no_date(shown), messages::date_form()));
    };
    let zone = match parameter(parameters, "TZID") {
        _ if is_day => None,
        _ if is_utc => Some(TimeZone::UTC),
        Some(name) => Some(zones.find(name, at).ok_or_else(|| {
            let shown: String = name.chars().take(80).collect();
            (messages::no_time_zone(shown), messages::save_with_zone("Asia/Ho_Chi_Minh"))
        })?),
        None => None,
    };
    Ok(When { at, zone, is_day })
}

/// `P1D`, `PT1H30M`: RFC 5545 §3.3.6.
pub(super) fn duration(value: &str) -> Result<Length, Wrong> {
    let shown: String = value.chars().take(40).collect();
    let wrong =
        || (messages::no_event_duration(&shown), messages::write_event_duration("P1D", "PT1H30M"));
    let rest = value.strip_prefix('+').unwrap_or(value).strip_prefix('P').ok_or_else(wrong)?;
    let (mut length, mut number, mut is_time) = (Length::default(), String::new(), false);
    for letter in rest.chars() {
        if letter.is_ascii_digit() && number.len() < 6 {
            number.push(letter);
            continue;
        }
        if letter == 'T' && number.is_empty() && !is_time {
            is_time = true;
            continue;
        }
        let amount: u32 = number.parse().map_err(|_| wrong())?;
        number.clear();
        let whole = i32::try_from(amount).map_err(|_| wrong())?;
        let seconds = u64::from(amount);
        match (letter, is_time) {
            ('W', false) => length.days = length.days.saturating_add(whole.saturating_mul(7)),
            ('D', false) => length.days = length.days.saturating_add(whole),
            ('H', true) => length.seconds += seconds * 3600,
            ('M', true) => length.seconds += seconds * 60,
            ('S', true) => length.seconds += seconds,
            _ => return Err(wrong()),
        }
    }
    let is_long =
        length.days > MAX_DAYS || length.seconds > MAX_DAYS.unsigned_abs() as u64 * 86_400;
    if length == Length::default() || is_long || !number.is_empty() {
        return Err(wrong());
    }
    Ok(length)
}
