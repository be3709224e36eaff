//! `[school]`: whose gateway this is.

use jiff::tz::TimeZone;

use crate::category::Level;
use crate::config::file::report::Report;
use crate::config::file::shape::{SchoolFile, SpannedText};
use crate::diagnostic::nearest;
use crate::lang::Lang;

/// Whose gateway this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct School {
    /// The id in metrics and in the choice of a release ring.
    pub id: String,
    /// The name that people read.
    pub name: String,
    /// The level of groups that name none.
    pub level: Option<Level>,
    /// The IANA name of the time zone that timetables are in.
    pub timezone: String,
    /// The language that its people are spoken to in.
    pub lang: Lang,
}

impl Default for School {
    fn default() -> Self {
        Self {
            id: "school".into(),
            name: String::new(),
            level: None,
            timezone: "UTC".into(),
            lang: Lang::En,
        }
    }
}

impl School {
    /// The time zone that timetables are in.
    pub fn zone(&self) -> TimeZone {
        // That there is one of this name has been checked.
        TimeZone::get(&self.timezone).unwrap_or(TimeZone::UTC)
    }
}

impl Report<'_> {
    pub(in crate::config) fn school(&mut self, file: &SchoolFile) -> School {
        let mut school = School::default();
        let is_id = |text: &str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let is_name =
            |text: &str| text.chars().count() <= 200 && !text.chars().any(char::is_control);
        self.text(
            &file.id,
            is_id,
            "is not a school id; it must be 1 to 64 of letters, digits, `.`, `_` and `-`",
            &mut school.id,
        );
        self.text(
            &file.name,
            is_name,
            "is not a name; it must be at most 200 characters on one line",
            &mut school.name,
        );
        self.text(
            &file.timezone,
            is_zone,
            "is not an IANA time zone; it must be a name such as `Asia/Ho_Chi_Minh` or `UTC`",
            &mut school.timezone,
        );
        self.known_zone(&file.timezone);
        school.level = self.level(&file.level);
        if let Some(lang) = &file.lang {
            school.lang = self.choice("lang", lang, &Lang::ALL, Lang::id).unwrap_or_default();
        }
        school
    }

    /// Reports a time zone that looks like one and does not exist.
    fn known_zone(&mut self, given: &SpannedText) {
        let Some(given) = given.as_ref().filter(|given| is_zone(given.get_ref())) else { return };
        if TimeZone::get(given.get_ref()).is_err() {
            let known: Vec<String> = jiff::tz::db().available().map(|z| z.to_string()).collect();
            // A city that begins otherwise is another city, however near its letters.
            let begins = |zone: &&str| {
                let city = |zone: &str| zone.rsplit('/').next().map(str::to_lowercase);
                let (own, other) = (city(given.get_ref()), city(zone));
                own.zip(other).is_some_and(|(own, other)| own.get(..3) == other.get(..3))
            };
            let alike = known.iter().map(String::as_str).filter(begins);
            let meant = nearest(given.get_ref(), alike);
            let message = format!("there is no time zone `{}`", given.get_ref());
            self.mistake(given.span(), message).hint = Some(meant.map_or_else(
                || "write an IANA name such as `Asia/Ho_Chi_Minh`".into(),
                |meant| format!("did you mean `{meant}`?"),
            ));
        }
    }
}

/// Whether a text has the shape of an IANA time zone.
fn is_zone(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b))
        && text.starts_with(|c: char| c.is_ascii_uppercase())
}
