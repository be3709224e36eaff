//! A file of reviews that a school forwards to its department.
//!
//! It is read where it was not written, so each field is held to a bound and to its letters: what does
//! not fit refuses the file, with the place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::category::Level;
use crate::reviews::book::MAX_ROWS;
use crate::reviews::day::CivilDay;
use crate::reviews::request::{AskedSite, ReviewReason};
use crate::reviews::stored::{ReviewState, StoredReview};

/// The format that is written, and the only one that is read.
pub const FORMAT: u32 = 1;
/// The most octets of a file.
pub const MAX_OCTETS: u64 = 1 << 20;
/// The most requests about one name that are believed.
const MAX_COUNT: u32 = 1_000_000;
/// The most characters of the name of a category, a list or a layer.
const MAX_WORD: usize = 200;

/// A file for the department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardedFile {
    /// [`FORMAT`].
    pub format: u32,
    /// The id of the school.
    pub school: String,
    /// The day of its writing; none where the clock was untrusted.
    pub day: Option<CivilDay>,
    /// The release of the department in use; none without one.
    pub release: Option<u64>,
    /// Its reviews.
    pub reviews: Vec<ForwardedReview>,
}

/// One name, with why it is blocked at the school. It has no client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardedReview {
    /// The name, without the final dot.
    pub name: String,
    /// Requests about it.
    pub count: u32,
    /// The same by reason.
    pub reasons: BTreeMap<ReviewReason, u32>,
    /// The same by level.
    pub levels: BTreeMap<String, u32>,
    /// The day of the first request.
    pub first: Option<CivilDay>,
    /// The day of the newest one.
    pub last: Option<CivilDay>,
    /// What the school said of it.
    pub state: ReviewState,
    /// What blocks it now; none where it passes.
    pub blocked: Option<BlockedWhy>,
}

/// The step of policy that blocks a name, with its category and the list that has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockedWhy {
    /// The id of the step.
    pub layer: String,
    /// The id of the category.
    pub category: Option<String>,
    /// The name of the list in the config.
    pub list: Option<String>,
}

impl ForwardedReview {
    /// A row as it leaves the school: without codes, without the person that answered.
    pub fn of(row: &StoredReview, blocked: Option<BlockedWhy>) -> Self {
        Self {
            name: row.name.clone(),
            count: row.count,
            reasons: row.reasons.clone(),
            levels: row.levels.clone(),
            first: row.first,
            last: row.last,
            state: row.state,
            blocked,
        }
    }
}

/// A file that is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedError {
    /// Its text is no such file.
    #[error("it is no file of reviews: {0}")]
    Malformed(String),
    /// Another format.
    #[error("it has format {0}, and this program reads format {FORMAT}: update the program")]
    Format(u32),
    /// The id of the school is none.
    #[error("its `school` is no id of a school")]
    School,
    /// More reviews than a school keeps.
    #[error("it has {0} reviews, and a school keeps {MAX_ROWS} at most")]
    TooMany(usize),
    /// A review that no school writes.
    #[error("its review {place} has a wrong `{field}`")]
    Review {
        /// Its place, from 1.
        place: usize,
        /// The field.
        field: &'static str,
    },
}

/// The part that every format has.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

impl ForwardedFile {
    /// Reads a file, whoever wrote it.
    ///
    /// # Errors
    ///
    /// [`ForwardedError`]; it shows nothing of the text that it is about.
    pub fn parse(octets: &[u8]) -> Result<Self, ForwardedError> {
        let malformed = |error: serde_json::Error| {
            // The text of an error may quote the file: only its kind and place are shown.
            let kind = match error.classify() {
                serde_json::error::Category::Eof => "it ends too soon",
                serde_json::error::Category::Data => "a field is wrong, missing or unknown",
                _ => "it is no JSON",
            };
            let (line, column) = (error.line(), error.column());
            ForwardedError::Malformed(format!("{kind}, line {line} column {column}"))
        };
        let head: Head = serde_json::from_slice(octets).map_err(malformed)?;
        if head.format != FORMAT {
            return Err(ForwardedError::Format(head.format));
        }
        let file: Self = serde_json::from_slice(octets).map_err(malformed)?;
        if !is_school(&file.school) {
            return Err(ForwardedError::School);
        }
        if file.reviews.len() > MAX_ROWS {
            return Err(ForwardedError::TooMany(file.reviews.len()));
        }
        for (place, review) in file.reviews.iter().enumerate() {
            let wrong = |field| ForwardedError::Review { place: place + 1, field };
            review.check().map_err(wrong)?;
        }
        Ok(file)
    }
}

impl ForwardedReview {
    /// Whether each field is one that a school writes.
    fn check(&self) -> Result<(), &'static str> {
        let is_site = AskedSite::read(&self.name).is_ok_and(|site| site.text() == self.name);
        let is_level = |id: &String| Level::ALL.into_iter().any(|level| level.id() == id);
        let is_sum = |counts: Vec<u32>| {
            counts.into_iter().try_fold(0_u32, u32::checked_add) == Some(self.count)
        };
        let is_word = |text: &String| {
            (1..=MAX_WORD).contains(&text.chars().count()) && !text.chars().any(char::is_control)
        };
        let blocked = self.blocked.as_ref();
        let words = blocked.into_iter().flat_map(|why| {
            [Some(&why.layer), why.category.as_ref(), why.list.as_ref()].into_iter().flatten()
        });
        match () {
            () if !is_site => Err("name"),
            () if self.count == 0 || self.count > MAX_COUNT => Err("count"),
            () if !is_sum(self.reasons.values().copied().collect()) => Err("reasons"),
            () if !self.levels.keys().all(is_level) => Err("levels"),
            () if !is_sum(self.levels.values().copied().collect()) => Err("levels"),
            () if !words.into_iter().all(is_word) => Err("blocked"),
            () if self.first > self.last => Err("first"),
            () => Ok(()),
        }
    }
}

/// The shape of `[school] id`.
fn is_school(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
