//! The tables that a decision asks.

pub mod categories;
pub mod client;
pub mod local_zones;
pub mod names;
pub mod rewrite;
pub mod special;
