//! Canonical list: every rule of a pack as text, and the difference of two texts.
//!
//! ```text
//! pack ▶ write ▶ text ▶ packed ▶ full          text of N-1, text of N ▶ delta::diff ▶ packed ▶ delta
//! full ▶ packed ▶ read::compile ▶ pack         text of N-1, delta ▶ delta::apply ▶ text of N
//! ```
//!
//! The text has one line for a name, its labels reversed, below the rules that the name has. It
//! names sources instead of numbering them, so that a source more or less changes few lines.
//! docs/reference/release-format.md has every line.
//!
//! Laws: equal rules give equal text, and the text of a pack compiles to a pack with the same
//! digest. Whatever the octets, reading ends without a panic, in memory bounded by the limits here
//! and by what the names need in a compiler.

pub mod delta;
mod lines;
pub mod packed;
pub mod read;
mod text;
pub mod write;

#[cfg(test)]
mod tests;

/// The most octets of a canonical list, unpacked.
pub const MAX_OCTETS: u64 = 1 << 30;
