//! Why a token is not made, changed or revoked, in the language of whom it is said to.

use crate::lang::{Message, messages};

/// Why a token is not made, changed or revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRefusal {
    /// No group of this name.
    NoGroup {
        /// The word of the request.
        given: String,
        /// The groups there are.
        known: Vec<String>,
    },
    /// A name that no token can have.
    Name {
        /// The word of the request.
        given: String,
    },
    /// There is a token of this name.
    Taken {
        /// The name.
        name: String,
    },
    /// No token of this name.
    NoToken {
        /// The word of the request.
        given: String,
        /// The tokens there are.
        known: Vec<String>,
    },
    /// Too many tokens.
    TooMany {
        /// The most.
        most: usize,
    },
    /// The old secret would be good for too long.
    TooLong {
        /// The most days.
        days: u64,
    },
    /// The file of an earlier life is damaged, and must not be written over.
    Damaged,
    /// It cannot be read now.
    Unread,
    /// It cannot be recorded.
    Disk,
    /// It failed; the log has more.
    Failed,
}

impl TokenRefusal {
    /// The refusal as a message.
    pub fn message(&self) -> Message {
        match self {
            Self::NoGroup { given, known } => messages::override_no_group(given, known.join(", ")),
            Self::Name { given } => messages::token_name(given),
            Self::Taken { name } => messages::token_taken(name),
            Self::NoToken { given, known } if known.is_empty() => messages::no_token_at_all(given),
            Self::NoToken { given, known } => messages::no_token(given, known.join(", ")),
            Self::TooMany { most } => messages::too_many_tokens(most),
            Self::TooLong { days } => messages::token_old_too_long(days),
            Self::Damaged => messages::tokens_damaged(),
            Self::Unread => messages::state_unread("tokens.json"),
            Self::Disk => messages::token_disk(),
            Self::Failed => messages::token_failed(),
        }
    }
}
