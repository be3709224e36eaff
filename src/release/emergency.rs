//! Emergency: urgent blocks that no release has yet.
//!
//! Laws, whoever signed:
//!
//! - At most [`MAX_ENTRIES`] entries, each for [`MAX_DAYS`] days at most, in [`CATEGORIES`] only.
//! - A block or a warning of a protected name (essential or guarded) or of one above it is refused,
//!   so a stolen stick can close no help line and no search engine.
//! - A warning is for orders of an authority alone; an allow undoes a block of a release, never one
//!   of a sealed list.
//! - One entry beyond these refuses the document whole: half an order is no order.

use serde::{Deserialize, Serialize};

use crate::dns::name::Name;

/// The format of documents that is written, and the only one that is read.
pub const FORMAT: u32 = 1;
/// The most octets of a document.
pub const MAX_OCTETS: usize = 64 << 10;
/// The most entries.
pub const MAX_ENTRIES: usize = 1000;
/// The longest validity of an entry, in days.
pub const MAX_DAYS: u64 = 30;
/// The categories that an entry may have.
pub const CATEGORIES: [&str; 3] = ["legal_request", "fraud", "malware"];
/// The category whose entries may warn.
const WARNS: &str = "legal_request";
/// Seconds of a day.
const DAY: u64 = 86_400;

/// A document of urgent entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// [`FORMAT`].
    pub format: u32,
    /// The entries; an entry that is taken out ends.
    pub entries: Vec<UrgentEntry>,
}

/// One urgent entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrgentEntry {
    /// A domain name, with all below it.
    pub name: String,
    /// Its effect.
    pub action: UrgentAction,
    /// The id of its category.
    pub category: String,
    /// The number of the order.
    pub document: String,
    /// The authority that gave it.
    pub authority: String,
    /// The reason, for people.
    pub reason: String,
    /// Seconds since 1970 of its beginning.
    pub from: u64,
    /// Seconds since 1970 of its end.
    pub until: u64,
}

/// The effect of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UrgentAction {
    /// The name is blocked.
    Block,
    /// The name is answered, and counted.
    Warn,
    /// A block of a release is undone.
    Allow,
}

/// A document that is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmergencyError {
    /// More than [`MAX_OCTETS`].
    #[error("the emergency list has {0} octets; at most {MAX_OCTETS} are read")]
    TooLarge(usize),
    /// Its text is no document.
    #[error("the emergency list is malformed: {0}")]
    Malformed(String),
    /// Another format.
    #[error(
        "the emergency list has format {0}; this program reads format {FORMAT}: update the program"
    )]
    Format(u32),
    /// More than [`MAX_ENTRIES`].
    #[error("the emergency list has {0} entries; at most {MAX_ENTRIES} are taken")]
    TooMany(usize),
    /// An entry that may not be.
    #[error("entry {number}, `{name}`: {why}")]
    UrgentEntry {
        /// Its place, from 1.
        number: usize,
        /// Its name.
        name: String,
        /// What is wrong, and what is allowed.
        why: String,
    },
}

impl Emergency {
    /// Reads a document; `protects` tells whether a block of a name with all below it would block
    /// an essential or guarded name.
    ///
    /// # Errors
    ///
    /// [`EmergencyError`] for the first fault.
    pub fn parse(
        octets: &[u8],
        protects: impl Fn(&Name) -> bool,
    ) -> Result<Vec<(Name, UrgentEntry)>, EmergencyError> {
        if octets.len() > MAX_OCTETS {
            return Err(EmergencyError::TooLarge(octets.len()));
        }
        let malformed = |error: serde_json::Error| EmergencyError::Malformed(error.to_string());
        let head: Head = serde_json::from_slice(octets).map_err(malformed)?;
        if head.format != FORMAT {
            return Err(EmergencyError::Format(head.format));
        }
        let document: Self = serde_json::from_slice(octets).map_err(malformed)?;
        if document.entries.len() > MAX_ENTRIES {
            return Err(EmergencyError::TooMany(document.entries.len()));
        }
        let judged = document.entries.into_iter().enumerate().map(|(place, entry)| {
            let name = judge(&entry, &protects).map_err(|why| EmergencyError::UrgentEntry {
                number: place + 1,
                name: entry.name.clone(),
                why,
            })?;
            Ok((name, entry))
        });
        judged.collect()
    }
}

/// The name of an entry that may be.
fn judge(entry: &UrgentEntry, protects: &impl Fn(&Name) -> bool) -> Result<Name, String> {
    let name = Name::from_text(&entry.name).map_err(|error| format!("not a name: {error}"))?;
    if name.label_count() < 2 {
        return Err("a top-level domain cannot be closed by an emergency list".into());
    }
    if !CATEGORIES.contains(&entry.category.as_str()) {
        let allowed = CATEGORIES.join(", ");
        return Err(format!("category `{}`; allowed are {allowed}", entry.category));
    }
    if entry.action == UrgentAction::Warn && entry.category != WARNS {
        return Err(format!("`warn` is for category {WARNS} alone"));
    }
    if entry.until <= entry.from || entry.until - entry.from > MAX_DAYS * DAY {
        return Err(format!("it must be valid for more than 0 and at most {MAX_DAYS} days"));
    }
    let texts = [&entry.document, &entry.authority, &entry.reason];
    if texts.iter().any(|text| text.trim().is_empty()) {
        return Err("document, authority and reason must each have a text".into());
    }
    if entry.action != UrgentAction::Allow && protects(&name) {
        return Err("it would block an essential or guarded name, which no signature can".into());
    }
    Ok(name)
}

/// The part that every format has; it is read first, since another one may have other fields.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> UrgentEntry {
        UrgentEntry {
            name: "scam.example".into(),
            action: UrgentAction::Block,
            category: "fraud".into(),
            document: "12/2026".into(),
            authority: "A05".into(),
            reason: "fake bank".into(),
            from: 1000,
            until: 1000 + 30 * DAY,
        }
    }

    fn read(entries: Vec<UrgentEntry>) -> Result<Vec<(Name, UrgentEntry)>, EmergencyError> {
        let octets = serde_json::to_vec(&Emergency { format: FORMAT, entries }).unwrap();
        Emergency::parse(&octets, |name| *name == Name::from_text("google.com").unwrap())
    }

    #[test]
    fn what_is_beyond_a_limit_is_refused_whole() {
        assert_eq!(read(vec![entry()]).unwrap().len(), 1);
        let wrong = [
            UrgentEntry { category: "social".into(), ..entry() },
            UrgentEntry { category: "csam".into(), action: UrgentAction::Allow, ..entry() },
            UrgentEntry { until: 1001 + 30 * DAY, ..entry() },
            UrgentEntry { until: 1000, ..entry() },
            UrgentEntry { name: "com".into(), ..entry() },
            UrgentEntry { name: "google.com".into(), ..entry() },
            UrgentEntry { action: UrgentAction::Warn, ..entry() },
            UrgentEntry { authority: " ".into(), ..entry() },
        ];
        for one in wrong {
            let refused = read(vec![entry(), one.clone()]);
            assert!(
                matches!(refused, Err(EmergencyError::UrgentEntry { number: 2, .. })),
                "{one:?}"
            );
        }
        let short = UrgentEntry {
            reason: "r".into(),
            document: "1".into(),
            authority: "a".into(),
            ..entry()
        };
        let short = UrgentEntry { name: "a.vn".into(), from: 0, until: 1, ..short };
        // A document is full by its octets before it is by its entries, unless they are short.
        assert!(matches!(read(vec![short; 1001]), Err(EmergencyError::TooLarge(_))));
        let allow =
            UrgentEntry { name: "google.com".into(), action: UrgentAction::Allow, ..entry() };
        assert!(read(vec![allow]).is_ok());
    }
}
