//! The shape of the config file: keys with their spans, syntax, values, and the report of mistakes.

mod network;
pub mod quantity;
pub(crate) mod report;
pub(crate) mod shape;
pub(crate) mod syntax;
pub(crate) mod value;
