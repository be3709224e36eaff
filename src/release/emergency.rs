//! Emergency: urgent blocks that no release has yet.
//!
//! Laws, whoever signed:
//!
//! - At most [`MAX_ENTRIES`] entries, each for [`MAX_DAYS`] days at most, in [`CATEGORIES`] only.
//! - A block or a warning of a protected name (essential or guarded) or of one above it is refused,
//!   so a stolen stick can close no help line and no search engine.
//! - A warning is for orders of an authority alone; an allow undoes a block of a release, never one
//!   of a sealed list.
//! - An entry beyond these is refused alone, and told: one mistake, or one entry by a thief, must not
//!   take the protection of the other entries away. A document that is malformed, too large or of
//!   another format is refused whole, and the one before stays in force.
//! - A name is written in one way, lower case, and once: of two entries for a name the first counts.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::dns::name::Name;
use crate::lang::{Lang, Message, messages};

/// The format of documents that is written, and the only one that is read.
pub const FORMAT: u32 = 1;
/// The most octets of a document.
pub const MAX_OCTETS: usize = 256 << 10;
/// The most entries.
pub const MAX_ENTRIES: usize = 1000;
/// The longest validity of an entry, in days.
pub const MAX_DAYS: u64 = 30;
/// The categories that an entry may have.
pub const CATEGORIES: [&str; 3] = ["legal_request", "fraud", "malware"];
/// The category whose entries may warn.
const WARNS: &str = "legal_request";
/// The most octets of a document number, an authority or a reason.
const MAX_TEXT: usize = 512;
/// Seconds of a day.
const DAY: u64 = 86_400;

/// A document of urgent entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// [`FORMAT`].
    pub format: u32,
    /// Seconds since 1970 of its signing.
    pub signed_at: u64,
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

impl UrgentAction {
    /// Every effect.
    pub const ALL: [Self; 3] = [Self::Block, Self::Warn, Self::Allow];

    /// The id used in documents, on the command line and in metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Warn => "warn",
            Self::Allow => "allow",
        }
    }
}

/// A document that is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}", self.message().in_lang(Lang::En))]
#[non_exhaustive]
pub enum EmergencyError {
    /// More than [`MAX_OCTETS`].
    TooLarge(usize),
    /// Its text is no document.
    Malformed(String),
    /// Another format.
    Format(u32),
    /// More than [`MAX_ENTRIES`].
    TooMany(usize),
}

impl EmergencyError {
    /// The fault, for people.
    pub fn message(&self) -> Message {
        match self {
            Self::TooLarge(octets) => messages::urgent_too_large(octets, MAX_OCTETS),
            Self::Malformed(why) => messages::urgent_malformed(why),
            Self::Format(found) => messages::urgent_format(found, FORMAT),
            Self::TooMany(entries) => messages::urgent_too_many(entries, MAX_ENTRIES),
        }
    }
}

/// A document that was read.
#[derive(Debug, Default)]
pub struct UrgentEntries {
    /// Seconds since 1970 of its signing.
    pub signed_at: u64,
    /// The entries that may be, each with its name.
    pub taken: Vec<(Name, UrgentEntry)>,
    /// The others.
    pub refused: Vec<RefusedEntry>,
}

/// An entry that may not be.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("entry {number}: {fault}")]
pub struct RefusedEntry {
    /// Its place, from 1.
    pub number: usize,
    /// What is wrong, and what is allowed.
    pub fault: EntryFault,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{}", self.message().in_lang(Lang::En))]
#[non_exhaustive]
pub enum EntryFault {
    /// Its name is none, or written in another way than names are.
    Name,
    /// A top-level domain.
    TopLevel,
    /// An entry before it has its name.
    Twice,
    /// A category beyond [`CATEGORIES`].
    Category,
    /// A warning of a category that may not warn.
    Warn,
    /// Beyond [`MAX_DAYS`], or over before it begins.
    Validity,
    /// A text is empty, too long, or has control characters.
    Text,
    /// It would block what no signature can.
    Protected,
}

impl EntryFault {
    /// What is wrong and what is allowed, for people.
    pub fn message(&self) -> Message {
        match self {
            Self::Name => messages::urgent_name(),
            Self::TopLevel => messages::urgent_top_level(),
            Self::Twice => messages::urgent_twice(),
            Self::Category => messages::urgent_category(CATEGORIES.join(", ")),
            Self::Warn => messages::urgent_warn(WARNS),
            Self::Validity => messages::urgent_validity(MAX_DAYS),
            Self::Text => messages::urgent_text(MAX_TEXT),
            Self::Protected => messages::urgent_protected(),
        }
    }
}

impl Emergency {
    /// Reads a document; `protects` tells whether a block of a name with all below it would block
    /// an essential or guarded name.
    ///
    /// # Errors
    ///
    /// [`EmergencyError`], where no entry of it can be taken.
    pub fn parse(
        octets: &[u8],
        protects: impl Fn(&Name) -> bool,
    ) -> Result<UrgentEntries, EmergencyError> {
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
        let mut read = UrgentEntries { signed_at: document.signed_at, ..UrgentEntries::default() };
        let mut seen = HashSet::new();
        for (place, entry) in document.entries.into_iter().enumerate() {
            let name = judge(&entry, &protects).and_then(|name| {
                if seen.insert(name.clone()) { Ok(name) } else { Err(EntryFault::Twice) }
            });
            match name {
                Ok(name) => read.taken.push((name, entry)),
                Err(fault) => read.refused.push(RefusedEntry { number: place + 1, fault }),
            }
        }
        Ok(read)
    }
}

/// The name of an entry that may be.
fn judge(entry: &UrgentEntry, protects: &impl Fn(&Name) -> bool) -> Result<Name, EntryFault> {
    let name = Name::from_text(&entry.name).map_err(|_| EntryFault::Name)?;
    let written = name.to_string().to_ascii_lowercase();
    if written.trim_end_matches('.') != entry.name {
        return Err(EntryFault::Name);
    }
    if name.label_count() < 2 {
        return Err(EntryFault::TopLevel);
    }
    if !CATEGORIES.contains(&entry.category.as_str()) {
        return Err(EntryFault::Category);
    }
    if entry.action == UrgentAction::Warn && entry.category != WARNS {
        return Err(EntryFault::Warn);
    }
    if entry.until <= entry.from || entry.until - entry.from > MAX_DAYS * DAY {
        return Err(EntryFault::Validity);
    }
    let is_text = |text: &String| {
        !text.trim().is_empty() && text.len() <= MAX_TEXT && !text.chars().any(char::is_control)
    };
    if ![&entry.document, &entry.authority, &entry.reason].into_iter().all(is_text) {
        return Err(EntryFault::Text);
    }
    if entry.action != UrgentAction::Allow && protects(&name) {
        return Err(EntryFault::Protected);
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
    use proptest::prelude::*;

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

    fn read(entries: Vec<UrgentEntry>) -> Result<UrgentEntries, EmergencyError> {
        let octets =
            serde_json::to_vec(&Emergency { format: FORMAT, signed_at: 1000, entries }).unwrap();
        Emergency::parse(&octets, |name| *name == Name::from_text("google.com").unwrap())
    }

    #[test]
    fn an_entry_beyond_a_limit_is_refused_and_the_others_act() {
        let allow = UrgentAction::Allow;
        let wrong = [
            (UrgentEntry { category: "social".into(), ..entry() }, EntryFault::Category),
            (
                UrgentEntry { category: "csam".into(), action: allow, ..entry() },
                EntryFault::Category,
            ),
            (UrgentEntry { until: 1001 + 30 * DAY, ..entry() }, EntryFault::Validity),
            (UrgentEntry { until: 1000, ..entry() }, EntryFault::Validity),
            (UrgentEntry { name: "com".into(), ..entry() }, EntryFault::TopLevel),
            (UrgentEntry { name: "google.com".into(), ..entry() }, EntryFault::Protected),
            (UrgentEntry { action: UrgentAction::Warn, ..entry() }, EntryFault::Warn),
            (UrgentEntry { authority: " ".into(), ..entry() }, EntryFault::Text),
            (UrgentEntry { reason: "a\nb".into(), ..entry() }, EntryFault::Text),
            (UrgentEntry { document: "1".repeat(513), ..entry() }, EntryFault::Text),
            (UrgentEntry { name: "Other.example".into(), ..entry() }, EntryFault::Name),
            (UrgentEntry { name: "other.example.".into(), ..entry() }, EntryFault::Name),
            (UrgentEntry { name: "a b..example".into(), ..entry() }, EntryFault::Name),
            (entry(), EntryFault::Twice),
        ];
        for (one, fault) in wrong {
            let last = UrgentEntry { name: "last.example".into(), ..entry() };
            let read = read(vec![entry(), one, last]).unwrap();
            assert_eq!(read.refused, [RefusedEntry { number: 2, fault }]);
            assert_eq!(read.taken.len(), 2);
        }
        let allow = UrgentEntry { name: "google.com".into(), action: allow, ..entry() };
        assert!(read(vec![allow]).unwrap().refused.is_empty());
    }

    #[test]
    fn a_document_that_is_none_is_refused_whole() {
        assert_eq!(read(vec![entry(); 1001]).unwrap_err(), EmergencyError::TooMany(1001));
        let long = UrgentEntry { reason: "x".repeat(300), ..entry() };
        assert!(matches!(read(vec![long; 1000]), Err(EmergencyError::TooLarge(_))));
        let parse = |text: &str| Emergency::parse(text.as_bytes(), |_| false).unwrap_err();
        assert_eq!(parse(r#"{"format":2,"more":1}"#), EmergencyError::Format(2));
        assert!(matches!(parse(r#"{"format":1}"#), EmergencyError::Malformed(_)));
        let more = r#"{"format":1,"signed_at":1,"entries":[],"more":1}"#;
        assert!(matches!(parse(more), EmergencyError::Malformed(_)));
    }

    proptest! {
        #[test]
        fn no_entry_that_is_taken_is_beyond_a_limit(
            name in "[a-cA-C.\\-]{0,12}",
            category in "legal_request|fraud|malware|csam|adult",
            from in 0_u64..3,
            days in 0_u64..40,
            action in 0_usize..3,
        ) {
            let action =
                [UrgentAction::Block, UrgentAction::Warn, UrgentAction::Allow][action];
            let until = from + days * DAY;
            let read = read(vec![UrgentEntry { name, action, category, from, until, ..entry() }]);
            for (name, one) in read.unwrap().taken {
                prop_assert!(name.label_count() >= 2);
                prop_assert!(CATEGORIES.contains(&one.category.as_str()));
                prop_assert!(one.until > one.from && one.until - one.from <= MAX_DAYS * DAY);
                prop_assert!(one.action != UrgentAction::Warn || one.category == WARNS);
                let wire = Name::from_text(&one.name.to_ascii_lowercase()).unwrap();
                prop_assert_eq!(wire, name);
            }
        }
    }
}
