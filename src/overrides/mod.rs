//! Overrides: a lesson or an exam that is set for a group and some minutes, or a name that is allowed
//! until a day.
//!
//! ```text
//! lachan override ▸ admin ▸ Current::begin ▸ request::judge ▸ store ▸ a derived policy ▸ ledger
//!                                            locks above       file     whose timelines end it
//! ```
//!
//! No event is needed to end one: its end is an edge in its group's timeline.

pub mod allow;
mod changes;
pub mod ledger;
mod ledger_files;
mod ledger_queue;
#[cfg(test)]
mod ledger_tests;
pub mod refusal;
pub mod request;
pub mod store;
pub mod stored;

pub use allow::AllowRequest;
pub use request::OverrideRequest;
pub use store::{Overrides, StoredOverride};
