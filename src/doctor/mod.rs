//! The examination of a machine: what a gateway cannot see of itself, or not while it is down.
//!
//! ```text
//! /proc, leases, disk, clock ─ look ─┐
//! servers, listeners ────────── ask ─┼▶ MachineFacts ▸ judge ▸ findings ┐
//! policy of the config ─────────doh ─┘                                  ├▶ Checkup ▸ text, JSON
//! the running gateway's own Status ─────────────────────────────────────┘
//! ```
//!
//! `kernel`, `handed` and `judge` are pure: text and facts in, facts and findings out. Law: what
//! could not be looked at is told as such, and never passes for a thing that is well.

pub mod ask;
pub mod doh;
pub mod facts;
mod handed;
mod judge;
mod kernel;
pub mod look;
pub mod report;

pub use judge::ports::ports_held;
