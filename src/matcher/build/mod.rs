//! Packs → the suffix table, under one numbering.
//!
//! A pack has categories by id, and sources and local data by numbers of its own. [`join()`] maps
//! them to the numbers of the taxonomy and of the snapshot. A category that the taxonomy lacks
//! cannot be blocked by any group: its rules are dropped, and its id is reported.

mod builder;
mod join;
mod void;

pub use builder::Builder;
pub use join::{JoinedPacks, join};
pub use void::WideRule;

pub use crate::pack::BuildError;
pub use crate::rule::Rule;

#[cfg(test)]
mod tests;
