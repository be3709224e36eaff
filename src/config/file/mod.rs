//! The config file: its shape (keys with their spans), its kinds of values, and the report
//! of its mistakes.

mod network;
pub mod quantity;
pub(crate) mod report;
pub(crate) mod server_entry;
pub(crate) mod shape;
pub(crate) mod syntax;
pub(crate) mod value;
pub(crate) mod wire_error;
