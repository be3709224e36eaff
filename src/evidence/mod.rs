//! Evidence: what a gateway can show of a month, and nothing of any person.
//!
//! ```text
//! counters, protection, self-test, reviews ▸ EvidenceBook ▸ STATE/evidence/2026-11.json ▸ report,
//!                                            a record a month                             attestation
//! ```
//!
//! Laws: a record has sums of a month by group and category, times to the second only of the gateway
//! itself, and neither a name that was asked nor a client. Protected categories are one, `protected`.

pub mod record;
