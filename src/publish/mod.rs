//! The department's side: a directory of signed files that any static web server carries.
//!
//! ```text
//! keys ▶ init ▶ root, targets, rollout, emergency ─┐
//! pack, data ▶ release ▶ manifest, lists ▶ targets ┼▶ Repository ▶ snapshot ▶ timestamp
//! rings ▶ rollout     orders ▶ emergency ──────────┘      (the online key, every day: refresh)
//! ```
//!
//! The trust layer is TUF; `tough` has its types, its canonical form and its signatures, and reads
//! back what was written here before it is published. Who signs what, and why nobody signs two
//! things: docs/decisions/0012-tuf-by-tough.md.
//!
//! Laws: a file is written whole or not at all, and the timestamp last, so that a publication that
//! stops halfway changes nothing; a version number is never used twice; nothing that the online key
//! can sign says what a release contains.

pub mod apt;
pub mod doctor;
pub mod emergency;
pub mod enrol;
pub mod error;
pub mod export;
pub mod last;
pub mod ledger;
pub mod lint;
pub mod page;
pub mod program;
pub mod release;
pub mod reviews;
pub mod rollout;
pub mod series;
pub mod status;
pub mod tables;
pub mod trust;
pub mod watch;

#[cfg(test)]
mod tests;
