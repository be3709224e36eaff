//! Rehearsal: what a new policy would block, or open, that the old one does not, before it acts.
//!
//! ```text
//! guard · essential · popular sample ──┐
//!                                      ├─▶ compare: old ∕ new, each group, each state of its timetable
//! asked for here lately  (recent) ─────┘          └─▶ counts by group, set, category; a verdict
//! ```
//!
//! It judges names of questions by [`Snapshot::decide`](crate::policy::Snapshot::decide). It does
//! not see what an answer leads to (aliases, addresses), nor names that are in no set: a report says
//! what share of this school's queries that is, and never that a release is good.
//!
//! Absent on purpose: files, the clock, and a name on a disk. What is kept of a school is one bit a
//! name of the popular sample ([`recent`]).

pub mod compare;
pub mod recent;
pub mod sample;
