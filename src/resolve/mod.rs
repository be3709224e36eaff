//! One query, from octets to octets: the straight line.
//!
//! ```text
//! begin   parse ▶ admission ▶ group ┬ decide ▶ cache ▶ review ▶ Done
//!                                   │           └ miss ▶ Forward
//!                                   └ the worker's reply cache ▶ Done
//! finish  upstream's answer ▶ take ▶ cache ┬ review ▶ Done
//!                                          └ leads elsewhere ▶ chain ▶ the next Forward
//!         none ▶ the expired answer ▶ review ▶ Done
//! ```
//!
//! [`begin()`] answers what can be answered at once and allocates nothing for a blocked or a
//! cached answer. For the rest it returns a [`Forward`], which owns the parsed query and the
//! snapshot it was begun with: a reload in between cannot judge the question by one policy and
//! the answer by another. [`Forward::finish`] is the only way from there to a reply: the review
//! of an answer cannot be skipped.
//!
//! Laws: a query is parsed, folded and hashed once ([`prepared`]); the edges of a timetable are
//! judged once for an answer; no ending has a case that cannot happen ([`Begin`], [`Done`]).
//!
//! Absent on purpose: sockets, clock, counters. The shell brings octets and `now`, and counts
//! the [`Outcome`].

mod begin;
mod chain;
mod context;
mod forward;
pub(crate) mod labels;
mod lifetime;
mod local;
mod origin;
mod outcome;
pub mod prepared;
mod records;
pub mod reply_cache;
mod review;
mod rewrite;

pub use crate::policy::group::time::{Now, Trust};
pub use begin::{Begin, Stores, begin, begin_with, slip};
pub use forward::{Answered, AskedFor, Finish, Forward, UpstreamFailure};
pub use origin::{Origin, Transport};
pub use outcome::{AnswerSource, BlockedBy, Done, DropReason, Outcome};
