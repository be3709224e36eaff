//! The tables that a decision asks.

pub mod client;
pub(crate) mod ede_text;
pub mod essential;
pub mod fail_mode;
pub mod local_zones;
pub mod rewrite;
pub mod sealed;
pub mod special;
