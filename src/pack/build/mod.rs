//! Compilation of a pack. **The same rules give the same octets, in whatever order they come.**

pub mod compile;
pub(crate) mod layout;
pub(crate) mod merge;
pub(crate) mod partition;
pub(crate) mod reduce;
pub(crate) mod writer;
