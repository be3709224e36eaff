//! Patterns of host names: what a rule matches that names no host.
//!
//! Two spellings, both of the Adblock syntax for DNS:
//!
//! | spelling | matches host names |
//! |---|---|
//! | `/re/` | in which the regular expression finds something |
//! | `ad*.x`, `\|ads.`, `\|\|ad*^`, `x\|` | with these pieces: [`glob`] |
//!
//! The host name is in lower case, with dots between its labels and none at its end, and is searched
//! as a whole. An expression ignores case, and knows ASCII only: other characters are A-labels.
//!
//! **Time is linear in the name, memory is bounded.** An expression with look-around or a
//! back-reference has no automaton and is refused; so is one with an automaton larger than
//! [`MAX_OCTETS`]. Each pattern has its *literals*: every host name that it matches contains one of
//! them. A table of many patterns looks for the literals of all in one pass, and runs a pattern only
//! for a name with one of its literals.

mod expression;
mod glob;
mod host_text;
mod literal;

pub(crate) use expression::lazy_automaton;
pub use expression::{HostPattern, PatternCache};
pub use host_text::HostText;

/// The longest text of a pattern, in octets.
pub const MAX_LENGTH: usize = 1024;
/// The largest automaton of one pattern, in octets.
pub const MAX_OCTETS: usize = 64 << 10;

/// The largest automaton of all patterns of a pack that have no literal, in octets.
pub const MAX_SET_OCTETS: usize = 8 << 20;

/// Refusal of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Not a regular expression, or one that speaks of Unicode.
    #[error("not a regular expression")]
    Syntax,
    /// With look-around or a back-reference.
    #[error("look-around or a back-reference, which no bounded search has")]
    Unbounded,
    /// Longer than [`MAX_LENGTH`], or larger than [`MAX_OCTETS`].
    #[error("too large")]
    TooLarge,
    /// Of characters that no host name has.
    #[error("can match no host name")]
    NoHost,
}

#[cfg(test)]
mod tests;
