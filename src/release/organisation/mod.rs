//! The organisation of a department: its places, its schools, and the numbers that people call.
//!
//! ```text
//! org.toml ▸ SchoolRegistry ▸ school ▸ unit ▸ unit at a date (successor, successor, …) ▸ its parent
//!                                    └ old unit: where the school stood before a reform
//! ```
//!
//! Laws: an id stands for one school or unit for ever, whatever they are called and wherever they are;
//! what was abolished stays, with its last day and its successor, so that a figure can be given in the
//! geography of any day. A registry with a mistake is none.
//!
//! Absent on purpose: the keys of boxes. `[[box]]` is written by `lachan publish enrol` and read there.

mod read;

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::category::Level;

/// The most schools of a registry.
pub const MAX_SCHOOLS: usize = 10_000;
/// The most units of a registry.
pub const MAX_UNITS: usize = 10_000;
/// The most successors, or parents, behind each other.
const MAX_CHAIN: usize = 16;

/// The organisation, as far as people and reports need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchoolRegistry {
    /// The publisher, as reports name it; empty where none is given.
    pub name: String,
    /// How the publisher is reached.
    pub contact: OrganisationContact,
    /// Authorities that a report names, with what each is for.
    pub departments: Vec<Authority>,
    /// Numbers that people call.
    pub hotlines: Vec<Hotline>,
    units: BTreeMap<String, AdminUnit>,
    schools: BTreeMap<String, RegisteredSchool>,
}

/// How a publisher is reached; empty texts where nothing is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrganisationContact {
    /// A number.
    pub phone: String,
    /// An address for letters by wire.
    pub email: String,
    /// An address for letters on paper.
    pub address: String,
    /// A page.
    pub website: String,
}

/// An authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Its name.
    pub name: String,
    /// What it is for, in words.
    pub role: String,
    /// Its days.
    pub days: ValidDays,
}

/// A number that people call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hotline {
    /// Its name.
    pub label: String,
    /// The number.
    pub digits: String,
    /// The people it is for, in words.
    pub audience: String,
    /// Its days.
    pub days: ValidDays,
}

/// An administrative unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminUnit {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is: `commune`, `district`, `province`, or another word of the department's.
    pub kind: String,
    /// The unit that it is a part of.
    pub parent: Option<String>,
    /// Its days.
    pub days: ValidDays,
    /// The unit that it became a part of on the day after its last.
    pub successor: Option<String>,
}

/// A school.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredSchool {
    /// Its id: `[school] id` of its gateways, and the label `school` of their metrics.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its level.
    pub level: Level,
    /// Its kind (loại hình), in words; empty where none is given.
    pub kind: String,
    /// The commune that it stands in.
    pub unit: String,
    /// The district that it stood in before a reform.
    pub old_unit: Option<String>,
    /// Its days, from the opening to the closing.
    pub days: ValidDays,
}

/// Days from a first to a last one, both of them in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ValidDays {
    /// The first day; none where it was always so.
    pub first: Option<Date>,
    /// The last day; none where no end is known.
    pub last: Option<Date>,
}

impl ValidDays {
    /// Whether a day is in it.
    pub fn has(self, day: Date) -> bool {
        self.first.is_none_or(|first| first <= day) && !self.is_over(day)
    }

    /// Whether its last day is before a day.
    fn is_over(self, day: Date) -> bool {
        self.last.is_some_and(|last| last < day)
    }

    /// Whether it has a day of a period; both ends are in it.
    pub fn meets(self, first: Date, last: Date) -> bool {
        self.first.is_none_or(|opens| opens <= last) && !self.is_over(first)
    }
}

impl SchoolRegistry {
    /// A school by its id.
    pub fn school(&self, id: &str) -> Option<&RegisteredSchool> {
        self.schools.get(id)
    }

    /// Every school, by id.
    pub fn schools(&self) -> impl ExactSizeIterator<Item = &RegisteredSchool> {
        self.schools.values()
    }

    /// The schools that were open on a day of a period, by id.
    pub fn schools_open(&self, first: Date, last: Date) -> impl Iterator<Item = &RegisteredSchool> {
        self.schools().filter(move |school| school.days.meets(first, last))
    }

    /// A unit by its id.
    pub fn unit(&self, id: &str) -> Option<&AdminUnit> {
        self.units.get(id)
    }

    /// The unit that stands where `id` stood, on a day; none where the registry knows of none.
    pub fn unit_at(&self, id: &str, day: Date) -> Option<&AdminUnit> {
        let mut unit = self.unit(id)?;
        for _ in 0..MAX_CHAIN {
            if !unit.days.is_over(day) {
                return unit.days.has(day).then_some(unit);
            }
            unit = self.unit(unit.successor.as_deref()?)?;
        }
        None
    }

    /// The commune of a school on a day.
    pub fn commune(&self, school: &RegisteredSchool, day: Date) -> Option<&AdminUnit> {
        self.unit_at(&school.unit, day)
    }

    /// The district of a school before a reform: as the registry says, else the nearest unit above the
    /// school's that was abolished.
    pub fn old_unit(&self, school: &RegisteredSchool) -> Option<&AdminUnit> {
        if let Some(old) = &school.old_unit {
            return self.unit(old);
        }
        let mut unit = self.unit(&school.unit)?;
        for _ in 0..MAX_CHAIN {
            unit = self.unit(unit.parent.as_deref()?)?;
            if unit.days.last.is_some() {
                return Some(unit);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
