//! The tables of a decision: each knows matchers and no snapshot.

pub mod addresses;
pub mod categories;
pub mod claims;
pub mod client;
pub mod designated;
pub mod local_zones;
pub mod names;
pub mod rewrite;
pub mod sources;
pub mod special;
pub mod urgent;
