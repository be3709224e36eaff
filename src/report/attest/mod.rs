//! Attestation: what one box says of a month, signed with the key that was made at its enrolment.
//!
//! ```text
//! MonthRecord, ledger, config ▸ make ▸ SignedAttestation ▸ seal ▸ STATE/evidence/attested/2026-11.json
//!                                         │                          each has the digest of the one
//!                                         ├▸ page  one printed page                    before it
//!                                         └▸ verify ▸ `lachan attest verify`, `lachan report merge`
//! ```
//!
//! Laws: a document is one text alone, TUF's canonical JSON and a line's end, so that no octet of it
//! can be another; a key that was revoked counts never; a document has no count of a category, since a
//! small one could be a child. It proves which box said something, and not that it is true.

pub mod bundle;
pub mod document;
pub mod make;
pub mod page;
pub mod seal;
#[cfg(test)]
mod tests;
pub mod verify;

pub use bundle::AttestationBundle;
pub use document::{Attestation, SignedAttestation};
pub use verify::{AttestError, Verified, verify};
