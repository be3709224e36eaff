//! The wire format (RFC 1035): names, types, messages. It imports nothing above it.

pub mod address;
pub mod designated;
pub mod message;
pub mod name;
pub mod public_suffix;
pub mod route;
pub mod rtype;
