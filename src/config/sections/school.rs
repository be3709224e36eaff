//! `[school]`: the school that runs the gateway.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::category::Level;
use crate::config::file::report::Report;
use crate::config::file::shape::{SchoolFile, SpannedText};
use crate::diagnostic::nearest;
use crate::lang::{Lang, messages};

/// The most roles.
const MAX_ROLES: usize = 16;

/// The school that runs the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct School {
    /// Id, in metrics and for the choice of a release ring.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Default level of groups.
    pub level: Option<Level>,
    /// IANA time zone of schedules.
    pub timezone: String,
    /// Language of messages.
    pub lang: Lang,
    /// Persons by their role in filtering, for what is handed in.
    pub roles: BTreeMap<String, String>,
    /// The day on which report years begin, as `11-16`.
    pub report_from: String,
}

impl Default for School {
    fn default() -> Self {
        Self {
            id: "school".into(),
            name: String::new(),
            level: None,
            timezone: "UTC".into(),
            lang: Lang::En,
            roles: BTreeMap::new(),
            report_from: "11-16".into(),
        }
    }
}

impl School {
    /// Time zone of schedules.
    pub fn zone(&self) -> TimeZone {
        // The check has found a zone of this name.
        TimeZone::get(&self.timezone).unwrap_or(TimeZone::UTC)
    }
}

impl Report<'_> {
    /// Checks `[school]`.
    pub(in crate::config) fn school(&mut self, file: &SchoolFile) -> School {
        let mut school = School::default();
        let is_id = |text: &str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let is_name =
            |text: &str| text.chars().count() <= 200 && !text.chars().any(char::is_control);
        self.text(&file.id, is_id, messages::no_school_id, &mut school.id);
        self.text(&file.name, is_name, messages::no_school_name, &mut school.name);
        self.text(&file.timezone, is_zone, messages::no_zone_id, &mut school.timezone);
        self.known_zone(&file.timezone);
        self.text(
            &file.report_from,
            is_day_of_years,
            messages::report_no_year_start,
            &mut school.report_from,
        );
        school.level = self.level(&file.level);
        if let Some(lang) = &file.lang {
            school.lang =
                self.choice(messages::lang(), lang, &Lang::ALL, Lang::id).unwrap_or_default();
        }
        school.roles = self.roles(file);
        school
    }

    /// Persons by their role.
    fn roles(&mut self, file: &SchoolFile) -> BTreeMap<String, String> {
        let is_role = |text: &str| {
            (1..=40).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let is_person = |text: &str| {
            (1..=100).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control)
        };
        let mut roles = BTreeMap::new();
        for (role, person) in &file.roles {
            let is_right = is_role(role.get_ref()) && is_person(person.get_ref());
            if !is_right || roles.len() == MAX_ROLES {
                self.mistake(person.span(), messages::role_not_plain(role.get_ref()));
                continue;
            }
            roles.insert(role.get_ref().clone(), person.get_ref().trim().to_owned());
        }
        roles
    }

    /// Reports a text in the shape of a time zone that names none.
    fn known_zone(&mut self, given: &SpannedText) {
        let Some(given) = given.as_ref().filter(|given| is_zone(given.get_ref())) else { return };
        if TimeZone::get(given.get_ref()).is_err() {
            let known: Vec<String> = jiff::tz::db().available().map(|z| z.to_string()).collect();
            // A suggestion must begin as the given city does: near letters alone make another city. Of `UTC+7` it would
            // lose the hours.
            let is_offset = given.get_ref().contains(['+', '-']);
            let begins = |zone: &&str| {
                let city = |zone: &str| zone.rsplit('/').next().map(str::to_lowercase);
                let (own, other) = (city(given.get_ref()), city(zone));
                !is_offset
                    && own.zip(other).is_some_and(|(own, other)| own.get(..3) == other.get(..3))
            };
            let alike = known.iter().map(String::as_str).filter(begins);
            let meant = nearest(given.get_ref(), alike);
            let message = messages::no_time_zone(given.get_ref());
            self.mistake(given.span(), message).hint = Some(meant.map_or_else(
                || messages::write_zone_name("Asia/Ho_Chi_Minh"),
                messages::did_you_mean,
            ));
        }
    }
}

/// Whether a text is a month and a day that every year has.
fn is_day_of_years(text: &str) -> bool {
    // 2025 has no 29 February.
    text.len() == 5 && format!("2025-{text}").parse::<jiff::civil::Date>().is_ok()
}

/// Whether a text has the shape of an IANA time zone.
fn is_zone(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b))
        && text.starts_with(|c: char| c.is_ascii_uppercase())
}
