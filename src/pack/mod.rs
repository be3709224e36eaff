//! Pack: compiled lists as one immutable file that is used in place.
//!
//! ```text
//! rules ▶ compile ▶ octets ▶ file ▶ mmap ▶ verify ▶ Pack ▶ matcher::suffix
//! ```
//!
//! A pack has three parts for look-ups: a filter that stops most unlisted names, lines of
//! fingerprints that select the names to compare, and the names themselves, compressed to half
//! their length ([`symbols`]) and compared on every hit. docs/reference/pack-format.md has every
//! octet.
//!
//! [`verify`] is the only way to a [`Pack`]: it checks every offset and number once, and refuses
//! damage. **No look-up leaves a slice**: a file that changes under a running process can cause
//! wrong answers, never a memory error.
//!
//! Layers of the room, lowest first: [`hash`] and [`mod@format`], [`codec`], [`symbols`], [`filter`],
//! [`image`], [`read`] and [`verify`], [`build`].
//!
//! Absent on purpose: files and mappings, which belong to the shell; numbers of categories, which
//! belong to the taxonomy; and the meaning of rules, which belongs to the matcher.

pub mod build;
mod codec;
mod error;
mod filter;
mod format;
pub mod hash;
mod image;
mod notes;
mod read;
mod symbols;
mod verify;

pub use build::compile::Compiler;
pub use error::{BuildError, PackError};
pub use format::MAX_ZONES;
pub use hash::SEED;
pub use image::{Owner, Pack};
pub use notes::{AcceptedFinding, FileNote, ListedNet, SourceNote, TargetedRule};
#[doc(hidden)]
pub use verify::fit_hashes;

pub(crate) use symbols::SymbolText;

#[cfg(test)]
mod tests;
