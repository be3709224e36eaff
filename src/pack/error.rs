//! Errors of building and of opening a pack.

use std::io;

use super::format::{MAX_ZONES, VERSION};

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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// Without the magic of a pack.
    #[error("this is not a pack")]
    NotAPack,
    /// Of another format version.
    #[error("the pack is of format {found}; this program reads format {VERSION}; build it again")]
    Version {
        /// The version in its header.
        found: u16,
    },
    /// Truncated, or with trailing octets.
    #[error("the pack has {found} octets instead of {expected}; copy it again")]
    Length {
        /// Octets by its header.
        expected: u64,
        /// Octets of the file.
        found: usize,
    },
    /// Octets that do not match their hash.
    #[error("the pack is damaged in its {0}; copy it again")]
    Damaged(&'static str),
    /// Octets that no compiler writes.
    #[error("the {section} of the pack do not hold together: {what}")]
    Nonsense {
        /// The section.
        section: &'static str,
        /// The fault.
        what: &'static str,
    },
}
