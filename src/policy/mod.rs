//! Policy: the decision about a name for a group of clients at one time.
//!
//! A [`Snapshot`] is all policy at one moment, immutable. One function decides
//! a query, in one order, and returns the step that decided
//! (docs/concepts/decision-order.md gives the reasons):
//!
//! ```text
//! special-use names ▶ canaries                          answered here, always
//! csam, legal request                                   blocked for everyone
//! essential names                                       pass, listed or not
//! names the department denies, locked categories        blocked; the school cannot loosen them
//! a closed category without its list                    blocked, but for good names
//! exam: only these ▶ lesson: these too                  for a room, for a time
//! school allow / school deny (the longest name wins)
//! department allow (its names, and the category of good names)
//! the group's categories                                block / observe / pass, by the time
//! allow-list mode                                       names that no layer allows are blocked
//! keyword rules                                         block, for groups that use them
//! safe search                                           a host gets the safe name's answer
//! ```
//!
//! A department allow opens locked categories, never csam and legal requests, and a school may
//! still deny the name.
//!
//! Review applies the same order to the names an answer points to (CNAME targets), without
//! local answers, exams and allow-list mode: an allowed name may be served from any host that is
//! not blocked. An allow of the question's name shields its chain from school deny and plain
//! categories. **No allow of a school and no shield ever opens a locked category.**
//!
//! Layers of the room, lowest first: [`claims`], [`tables`] (know matchers only), [`verdict`], [`group`],
//! [`snapshot`], [`placement`] (which group), [`judge`] (names), `address` and [`lock`], [`explain`].
//!
//! Absent on purpose: sockets, clock, files, counters.

mod address;
pub mod claims;
pub mod explain;
pub mod group;
pub mod judge;
pub mod lock;
pub mod placement;
pub mod snapshot;
pub mod tables;
pub mod verdict;

pub use claims::{Claims, GroupClaims, Mac};
pub use group::rules::{
    Actions, ActiveRules, AnswerMode, During, Group, GroupCounters, GroupId, GroupRules,
    GroupState, Rules,
};
pub use placement::{Identity, Placement};
pub use snapshot::{Parts, Snapshot};
pub use tables::addresses::ListedAddress;
pub use tables::categories::SealedList;
pub use tables::names::{CanaryKind, LockCause, LockedAllow, Own};
pub use verdict::{Block, Layer, Pass, Verdict};

pub use crate::matcher::HashedName;
pub use crate::matcher::spared::Spared;

#[cfg(test)]
mod tests;
