//! Packs → the suffix table: their numbers become those of the taxonomy.
//!
//! A pack speaks of categories by their ids and of sources and local data by its own
//! numbers. Here all packs of a snapshot get one numbering. A category that the
//! taxonomy does not know cannot be blocked by any group: its rules are left out, and
//! told.

mod builder;
mod join;

pub use builder::Builder;
pub use join::{JoinedPacks, join};

pub use crate::pack::BuildError;
pub use crate::rule::Rule;

#[cfg(test)]
mod tests;
