//! Errors of building and of opening a pack.

use std::fmt;
use std::io;

use super::format::{MAX_ZONES, VERSION};
use crate::lang::{Lang, messages};

/// Refusal to build a pack.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// More than 4 GiB of names.
    #[error("the lists hold more than 4 GiB of names; leave some out")]
    TooManyNames,
    /// More sets of rules than 15 bits can number.
    #[error("the lists combine in more than 32,767 ways; use fewer sources")]
    TooManySets,
    /// More kinds of rule than 16 bits can number: local data, mostly.
    #[error("the lists have more than 65,535 kinds of rule; leave out local data")]
    TooManyRules,
    /// More response policy zones than [`MAX_ZONES`].
    #[error("there are more than {MAX_ZONES} response policy zones; join some")]
    TooManyZones,
    /// A category without an id.
    #[error("category number {0} has no id")]
    UnknownCategory(usize),
    /// The file cannot be written.
    #[error("the pack cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// Refusal to open a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackError {
    /// Without the magic of a pack.
    NotAPack,
    /// Of another format version.
    Version {
        /// The version in its header.
        found: u16,
    },
    /// Truncated, or with trailing octets.
    Length {
        /// Octets by its header.
        expected: u64,
        /// Octets of the file.
        found: usize,
    },
    /// Octets that do not match their hash.
    Damaged(&'static str),
    /// Octets that no compiler writes.
    Nonsense {
        /// The section.
        section: &'static str,
        /// The fault.
        what: &'static str,
    },
}

impl PackError {
    /// What is wrong, and what to do, in a language.
    pub fn in_lang(&self, lang: Lang) -> String {
        let message = match self {
            Self::NotAPack => messages::pack_none(),
            Self::Version { found } => messages::pack_format(found, VERSION),
            Self::Length { expected, found } => messages::pack_length(found, expected),
            Self::Damaged(section) => messages::pack_damaged(section),
            Self::Nonsense { section, what } => messages::pack_nonsense(section, what),
        };
        message.in_lang(lang)
    }
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_lang(Lang::En))
    }
}

impl std::error::Error for PackError {}
