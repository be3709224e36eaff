//! Config: what holds together, checked.
pub mod server;
