//! The compiled pack: all that lists say, as one immutable file that is used in place.
//!
//! ```text
//! rules ▶ compile ▶ octets ▶ file ▶ mmap ▶ verify ▶ Pack ▶ matcher::suffix
//! ```
//!
//! A pack holds millions of names in a form that is looked up where it lies: a filter
//! at which names that are not listed stop, lines of fingerprints that say where a name
//! would stand, and the names themselves ([`symbols`], half their length), which are
//! compared on every hit. docs/reference/pack-format.md has every octet.
//!
//! The only way to a [`Pack`] is through [`verify`]: every place and number in it is
//! looked at once. What is damaged is refused; and since nothing here leaves a slice, a
//! file that changes under a running process can cost wrong answers but never memory.
//!
//! Absent on purpose: files and mappings, which the shell has; categories as numbers,
//! which are the taxonomy's; and any opinion on what a listed name means.

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
pub use image::{Owner, Pack, hex};
pub use notes::{FileNote, ListedNet, SourceNote};
#[doc(hidden)]
pub use verify::fit_hashes;

pub(crate) use symbols::SymbolText;

#[cfg(test)]
mod tests;
