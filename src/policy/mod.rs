//! Policy: who may look up what.
//!
//! A [`Snapshot`] is all policy at one moment, immutable. One function decides
//! a query, in one order, and says why:
//!
//! ```text
//! special-use names ▶ canaries                          answered here, always
//! csam, legal request                                   blocked for everyone
//! essential names                                       pass, whatever lists say
//! names the department denies, locked categories        blocked; nothing at the school loosens them
//! a closed category without its list                    blocked, but for good names
//! exam: only these ▶ lesson: these too                  for a room, for a time
//! school allow / school deny (the longest name wins)
//! department allow (its names, and the category of good names)
//! the group's categories                                block / observe / pass, by the time
//! allow-list mode                                       what nobody allowed is blocked
//! keyword rules                                         block, for groups that use them
//! safe search                                           what passed goes to the safe name
//! ```
//!
//! A name that the department lets through is free of locked categories, never of csam and
//! legal requests, and a school may still deny it.
//!
//! Review is the same order for the names an answer points to, without the
//! names we answer ourselves, exams and allow-list mode: a name that is let through may
//! be served from anywhere that nobody blocks. What the question's name was allowed by shields
//! its chain from school deny and plain categories, never from what is locked.
//!
//! Absent on purpose: sockets, clock, files, counters.

pub mod explain;
pub mod group;
pub mod judge;
pub mod lock;
pub mod snapshot;
pub mod tables;
pub mod verdict;

pub use group::rules::{
    Actions, ActiveRules, AnswerMode, During, Group, GroupCounters, GroupId, GroupRules,
    GroupState, Rules,
};
pub use lock::{LockCause, LockedAllow};
pub use snapshot::{ListedAddress, Parts, Snapshot};
pub use tables::categories::SealedList;
pub use tables::names::{CanaryKind, Own};
pub use verdict::{Block, Layer, Pass, Verdict};

pub use crate::matcher::HashedName;

#[cfg(test)]
mod tests;
