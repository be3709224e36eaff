//! Reading `org.toml`: its shape, then its meaning; every mistake with its place.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::{
    AdminUnit, Authority, Hotline, MAX_CHAIN, MAX_SCHOOLS, MAX_UNITS, OrganisationContact,
    RegisteredSchool, SchoolRegistry, ValidDays,
};
use crate::category::Level;
use crate::diagnostic::{Diagnostic, nearest};
use crate::lang::{Message, messages};
use crate::release::enrolment::is_id;

/// The most characters of a text.
const MAX_TEXT: usize = 200;
/// The most mistakes that are told.
const MAX_MISTAKES: usize = 50;
/// The most authorities, and the most hotlines.
const MAX_OTHERS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganisationFile {
    #[serde(default)]
    name: String,
    #[serde(default)]
    contact: OrganisationContact,
    #[serde(default)]
    department: Vec<AuthorityFile>,
    #[serde(default)]
    hotline: Vec<HotlineFile>,
    #[serde(default)]
    unit: Vec<UnitFile>,
    #[serde(default)]
    school: Vec<SchoolFile>,
    /// Boxes are enrolment's.
    #[serde(default, rename = "box")]
    _boxes: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorityFile {
    name: Spanned<String>,
    #[serde(default)]
    role: String,
    valid_from: Option<Spanned<String>>,
    valid_to: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HotlineFile {
    label: Spanned<String>,
    digits: Spanned<String>,
    #[serde(default)]
    audience: String,
    valid_from: Option<Spanned<String>>,
    valid_to: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitFile {
    id: Spanned<String>,
    name: Spanned<String>,
    kind: Spanned<String>,
    parent: Option<Spanned<String>>,
    valid_from: Option<Spanned<String>>,
    valid_to: Option<Spanned<String>>,
    successor: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchoolFile {
    id: Spanned<String>,
    name: Spanned<String>,
    level: Spanned<String>,
    #[serde(default)]
    kind: String,
    unit: Spanned<String>,
    old_unit: Option<Spanned<String>>,
    opened: Option<Spanned<String>>,
    closed: Option<Spanned<String>>,
}

impl SchoolRegistry {
    /// Reads the text of `org.toml`.
    ///
    /// # Errors
    ///
    /// Every mistake, in the order of the text.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let file: OrganisationFile = toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            vec![Diagnostic::new(span, messages::org_malformed(error.message()))]
        })?;
        let mut reader = Reader::default();
        let registry = reader.registry(&file);
        if reader.mistakes.is_empty() {
            return Ok(registry);
        }
        reader.mistakes.sort_by_key(|one| one.span.start);
        reader.mistakes.truncate(MAX_MISTAKES);
        Err(reader.mistakes)
    }
}

/// Mistakes, collected while a file is read.
#[derive(Default)]
struct Reader {
    mistakes: Vec<Diagnostic>,
}

impl Reader {
    fn tell(&mut self, span: Range<usize>, message: Message) {
        self.mistakes.push(Diagnostic::new(span, message));
    }

    fn registry(&mut self, file: &OrganisationFile) -> SchoolRegistry {
        let counts = [
            ("unit", file.unit.len(), MAX_UNITS),
            ("school", file.school.len(), MAX_SCHOOLS),
            ("department", file.department.len(), MAX_OTHERS),
            ("hotline", file.hotline.len(), MAX_OTHERS),
        ];
        for (table, count, most) in counts {
            if count > most {
                self.tell(0..0, messages::org_too_many(format!("[[{table}]]"), count, most));
                return SchoolRegistry::default();
            }
        }
        let units = self.units(&file.unit);
        self.links(&file.unit, &units);
        SchoolRegistry {
            name: file.name.clone(),
            contact: file.contact.clone(),
            departments: file.department.iter().map(|one| self.department(one)).collect(),
            hotlines: file.hotline.iter().map(|one| self.hotline(one)).collect(),
            schools: self.schools(&file.school, &units),
            units,
        }
    }

    fn department(&mut self, file: &AuthorityFile) -> Authority {
        let days = self
            .days(("valid_from", file.valid_from.as_ref()), ("valid_to", file.valid_to.as_ref()));
        Authority { name: self.text("name", &file.name), role: file.role.clone(), days }
    }

    fn hotline(&mut self, file: &HotlineFile) -> Hotline {
        Hotline {
            label: self.text("label", &file.label),
            digits: self.text("digits", &file.digits),
            audience: file.audience.clone(),
            days: self.days(
                ("valid_from", file.valid_from.as_ref()),
                ("valid_to", file.valid_to.as_ref()),
            ),
        }
    }

    fn units(&mut self, files: &[UnitFile]) -> BTreeMap<String, AdminUnit> {
        let mut units = BTreeMap::new();
        for file in files {
            let plain =
                |given: &Option<Spanned<String>>| given.as_ref().map(|id| id.get_ref().clone());
            let unit = AdminUnit {
                id: self.id("id", &file.id),
                name: self.text("name", &file.name),
                kind: self.id("kind", &file.kind),
                parent: plain(&file.parent),
                days: self.days(
                    ("valid_from", file.valid_from.as_ref()),
                    ("valid_to", file.valid_to.as_ref()),
                ),
                successor: plain(&file.successor),
            };
            if let (Some(successor), None) = (&file.successor, &file.valid_to) {
                self.tell(successor.span(), messages::org_successor_without_end());
            }
            if units.insert(unit.id.clone(), unit).is_some() {
                self.tell(file.id.span(), messages::org_id_twice("[[unit]]", file.id.get_ref()));
            }
        }
        units
    }

    /// Judges what units name of each other.
    fn links(&mut self, files: &[UnitFile], units: &BTreeMap<String, AdminUnit>) {
        type Link = fn(&AdminUnit) -> Option<&String>;
        for file in files {
            let links: [(_, _, Link); 2] = [
                ("parent", &file.parent, |unit| unit.parent.as_ref()),
                ("successor", &file.successor, |unit| unit.successor.as_ref()),
            ];
            for (key, given, next) in links {
                let Some(given) = given else { continue };
                self.named(key, given, units);
                let mut chain = std::iter::successors(units.get(file.id.get_ref()), |unit| {
                    units.get(next(unit)?)
                });
                if chain.nth(MAX_CHAIN).is_some() {
                    self.tell(given.span(), messages::org_chain(key, MAX_CHAIN));
                }
            }
        }
    }

    fn schools(
        &mut self,
        files: &[SchoolFile],
        units: &BTreeMap<String, AdminUnit>,
    ) -> BTreeMap<String, RegisteredSchool> {
        let mut schools = BTreeMap::new();
        for file in files {
            let days =
                self.days(("opened", file.opened.as_ref()), ("closed", file.closed.as_ref()));
            if let Some(old) = &file.old_unit {
                self.named("old_unit", old, units);
            }
            self.named("unit", &file.unit, units);
            let school = RegisteredSchool {
                id: self.id("id", &file.id),
                name: self.text("name", &file.name),
                level: self.level(&file.level),
                kind: file.kind.clone(),
                unit: file.unit.get_ref().clone(),
                old_unit: file.old_unit.as_ref().map(|old| old.get_ref().clone()),
                days,
            };
            if schools.insert(school.id.clone(), school).is_some() {
                self.tell(file.id.span(), messages::org_id_twice("[[school]]", file.id.get_ref()));
            }
        }
        schools
    }

    /// A unit that must be there.
    fn named(&mut self, key: &str, given: &Spanned<String>, units: &BTreeMap<String, AdminUnit>) {
        let id = given.get_ref();
        if units.contains_key(id) {
            return;
        }
        let mut mistake = Diagnostic::new(given.span(), messages::org_no_unit(key, shown(id)));
        mistake.hint = nearest(id, units.keys().map(String::as_str)).map(messages::did_you_mean);
        self.mistakes.push(mistake);
    }

    fn id(&mut self, key: &str, given: &Spanned<String>) -> String {
        if !is_id(given.get_ref()) {
            self.tell(given.span(), messages::org_no_id(key, shown(given.get_ref())));
        }
        given.get_ref().clone()
    }

    fn text(&mut self, key: &str, given: &Spanned<String>) -> String {
        let text = given.get_ref();
        let is_long = text.chars().nth(MAX_TEXT).is_some();
        if text.trim().is_empty() || is_long || text.chars().any(char::is_control) {
            self.tell(given.span(), messages::org_no_text(key, MAX_TEXT));
        }
        text.clone()
    }

    fn level(&mut self, given: &Spanned<String>) -> Level {
        let known = || Level::ALL.into_iter().filter(|level| *level != Level::Staff);
        if let Some(level) = known().find(|level| level.id() == given.get_ref()) {
            return level;
        }
        let ids: Vec<&str> = known().map(Level::id).collect();
        let message = messages::org_no_level(shown(given.get_ref()), ids.join(", "));
        let mut mistake = Diagnostic::new(given.span(), message);
        mistake.hint = nearest(given.get_ref(), ids).map(messages::did_you_mean);
        self.mistakes.push(mistake);
        Level::Preschool
    }

    fn days(
        &mut self,
        (from, first): (&str, Option<&Spanned<String>>),
        (to, last): (&str, Option<&Spanned<String>>),
    ) -> ValidDays {
        let days = ValidDays { first: self.date(from, first), last: self.date(to, last) };
        if let (ValidDays { first: Some(first), last: Some(end) }, Some(last_given)) = (days, last)
            && end < first
        {
            self.tell(last_given.span(), messages::org_days_backwards(to, from));
        }
        days
    }

    fn date(&mut self, key: &str, given: Option<&Spanned<String>>) -> Option<Date> {
        let given = given?;
        // One spelling: jiff reads more than ISO 8601's extended form.
        let date = given
            .get_ref()
            .parse::<Date>()
            .ok()
            .filter(|date| date.to_string() == *given.get_ref());
        if date.is_none() {
            self.tell(given.span(), messages::org_no_date(key, shown(given.get_ref())));
        }
        date
    }
}

/// A value for a message: short, and without control characters.
fn shown(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '?' } else { c }).collect()
}
