//! Evidence: what a gateway can show of a month, and nothing of any person.
//!
//! ```text
//! counters, protection, self-test, reviews ▸ EvidenceBook ▸ STATE/evidence/2026-11.json ▸ report,
//!                                            a record a month                             attestation
//! inside: each second  account::hold    what held, by the monotonic clock
//!         each minute  account::settle  ▸ changes of months ▸ apply ▸ records in memory
//!         each flush   files::replace   ▸ the records on the disk
//! ```
//!
//! Laws: a record has sums of a month by group and category, times to the second only of the gateway
//! itself, and neither a name that was asked nor a client. Protected categories are one, `protected`.

pub mod account;
mod apply;
pub mod book;
pub mod cause;
mod files;
pub mod input;
pub mod month;
pub mod record;
pub mod row_kind;
pub mod tally;
#[cfg(test)]
mod tests;

pub use self::book::EvidenceBook;
pub use self::files::{DIRECTORY, all_names, is_name, readable_record, record, records};
pub use self::input::EvidenceInput;
