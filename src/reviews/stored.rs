//! One row of the review book: a name, and what was said of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::category::Level;
use crate::reviews::day::CivilDay;
use crate::reviews::request::ReviewReason;

/// The codes of a row that are kept, the newest last.
pub const MAX_CODES: usize = 4;

/// How far a review is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// Nobody answered yet.
    #[default]
    Open,
    /// It was written into a file for the department.
    Forwarded,
    /// The school allows the name.
    Allowed,
    /// The school does not open it.
    Denied,
}

impl ReviewState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::Forwarded, Self::Allowed, Self::Denied];

    /// The id in files, in replies and in metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Forwarded => "forwarded",
            Self::Allowed => "allowed",
            Self::Denied => "denied",
        }
    }
}

/// What a person said of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewWord {
    /// The name of the person.
    pub by: String,
    /// The reason.
    pub reason: String,
}

/// One row. Law: it must never have a client, nor a time finer than a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredReview {
    /// The name, without the final dot.
    pub name: String,
    /// Requests about it.
    pub count: u32,
    /// The same by reason.
    pub reasons: BTreeMap<ReviewReason, u32>,
    /// The same by the level of the group that asked.
    pub levels: BTreeMap<String, u32>,
    /// The day of the first one; none while the clock is untrusted.
    pub first: Option<CivilDay>,
    /// The day of the newest one.
    pub last: Option<CivilDay>,
    /// How far it is.
    pub state: ReviewState,
    /// The word that closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<ReviewWord>,
    /// The codes of its newest requests, by which somebody may ask after one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
}

impl StoredReview {
    /// Counts a request.
    pub(super) fn count(
        &mut self,
        (reason, level, code): (ReviewReason, Level, Option<&str>),
        today: Option<CivilDay>,
    ) {
        self.count = self.count.saturating_add(1);
        let reasons = self.reasons.entry(reason).or_default();
        *reasons = reasons.saturating_add(1);
        let levels = self.levels.entry(level.id().to_owned()).or_default();
        *levels = levels.saturating_add(1);
        self.first = self.first.or(today);
        self.last = today.or(self.last);
        self.codes.extend(code.map(str::to_owned));
        if self.codes.len() > MAX_CODES {
            self.codes.remove(0);
        }
    }

    /// Whether anybody still has to answer it.
    pub fn is_open(&self) -> bool {
        self.state == ReviewState::Open
    }
}
