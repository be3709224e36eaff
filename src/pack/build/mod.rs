//! Building a pack: rules in any order → the same octets.

pub mod compile;
pub(crate) mod layout;
pub(crate) mod merge;
pub(crate) mod partition;
pub(crate) mod reduce;
pub(crate) mod writer;
