//! The tables of the config, one a file.

pub(crate) mod limits;
pub(crate) mod local;
pub mod server;
pub mod source;
