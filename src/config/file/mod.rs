//! The shape of the config file: keys with their spans, syntax, values.

pub mod quantity;
pub(crate) mod shape;
pub(crate) mod syntax;
pub(crate) mod value;
