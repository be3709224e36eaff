//! Why a pack cannot be built or used.

use std::io;

use super::format::{MAX_ZONES, VERSION};

/// A pack could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// More than 4 GiB of names.
    #[error("the lists hold more than 4 GiB of names; leave some out")]
    TooManyNames,
    /// More combinations of categories than the table can number.
    #[error("the lists combine in more than 32,767 ways; use fewer sources")]
    TooManySets,
    /// More kinds of rule than can be numbered: local data, mostly.
    #[error("the lists have more than 65,535 kinds of rule; leave out local data")]
    TooManyRules,
    /// More response policy zones than can be told apart.
    #[error("there are more than {MAX_ZONES} response policy zones; join some")]
    TooManyZones,
    /// A category without an id.
    #[error("category number {0} has no id")]
    UnknownCategory(usize),
    /// The file cannot be written.
    #[error("the pack cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// Why some octets are not a pack that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// Something else.
    #[error("this is not a pack")]
    NotAPack,
    /// Of another version of the format.
    #[error("the pack is of format {found}; this program reads format {VERSION}; build it again")]
    Version {
        /// The version it says it has.
        found: u16,
    },
    /// Cut short, or with something behind its end.
    #[error("the pack has {found} octets instead of {expected}; copy it again")]
    Length {
        /// Octets it says it has.
        expected: u64,
        /// Octets there are.
        found: usize,
    },
    /// Octets that are not those that were written.
    #[error("the pack is damaged in its {0}; copy it again")]
    Damaged(&'static str),
    /// Octets that no compiler would write.
    #[error("the {section} of the pack do not hold together: {what}")]
    Nonsense {
        /// Where.
        section: &'static str,
        /// What.
        what: &'static str,
    },
}
