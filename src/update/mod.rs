//! The gateway's side of releases.
//!
//! ```text
//! carrier (directory, web) ▶ trust (TUF) ▶ release ▶ rehearse ▶ adopt
//! ```
//!
//! Law: what is in force stays in force until a release has been verified whole; each failure has
//! a reason of a closed set, and leaves nothing behind.

pub mod backup;
pub mod carrier;
pub mod client;
mod content;
pub mod emergency;
pub mod enrolment;
pub mod error;
pub mod poll;
pub mod selftest;
pub mod status;
pub mod store;
mod sweep;
pub mod take;
mod targets;
pub mod tried;
pub mod trust;

#[cfg(test)]
mod taking_tests;
#[cfg(test)]
mod tests;
