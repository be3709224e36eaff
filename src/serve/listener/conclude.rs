//! The end of a query, for every listener: one place that sends and counts.
//!
//! ```text
//! begin ─▶ settle ┬─ done ──────────────────▶ conclude: send, count
//!                 ├─ refresh: done, and upstream is asked in the background
//!                 ├─ forward: the life of a miss, whose end is conclude too
//!                 └─ no permit: Busy, done
//! ```
//!
//! A listener brings the octets, the origin and the way back; a new transport is one file
//! beside this one.

use std::sync::Arc;

use crate::clients::inflight::SendReply;
use crate::metrics::counters::{Counters, Event};
use crate::resolve::{Begin, Done, DropReason, Now, Outcome, UpstreamFailure};
use crate::serve::gateway::Gateway;
use crate::sys::clock::Clock;

/// The counting of endings.
pub trait CountEnding {
    /// Counts an outcome.
    fn outcome(&mut self, outcome: Outcome);
    /// Counts a query without an outcome.
    fn dropped(&mut self, reason: DropReason);
}

/// Counts each ending at once, with the time since the query's arrival.
pub struct Elapsed<'a> {
    /// The counters.
    pub counters: &'a Counters,
    /// The clock of `came`.
    pub clock: &'a Clock,
    /// The query's arrival, in microseconds.
    pub came: u64,
}

impl CountEnding for Elapsed<'_> {
    fn outcome(&mut self, outcome: Outcome) {
        self.counters.outcome(&outcome, self.clock.micros().saturating_sub(self.came));
    }

    fn dropped(&mut self, reason: DropReason) {
        self.counters.dropped(reason);
    }
}

/// Counts nothing: the ending of a query of the gateway's own test.
pub struct Uncounted;

impl CountEnding for Uncounted {
    fn outcome(&mut self, _: Outcome) {}

    fn dropped(&mut self, _: DropReason) {}
}

/// Collects the outcomes of a batch, to be counted when its replies have left.
pub struct Deferred<'a> {
    /// The worker's counters.
    pub counters: &'a Counters,
    /// The outcomes of the batch.
    pub outcomes: &'a mut Vec<Outcome>,
}

impl CountEnding for Deferred<'_> {
    #[inline]
    fn outcome(&mut self, outcome: Outcome) {
        self.outcomes.push(outcome);
    }

    #[inline]
    fn dropped(&mut self, reason: DropReason) {
        self.counters.dropped(reason);
    }
}

/// The arrival of a query: when it is answered, and from when it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The time by which policy judges it.
    pub now: Now,
    /// The same in microseconds of the gateway's clock.
    pub came: u64,
}

/// The part of a begun query that is done at once: `None` for one that waits for upstream.
///
/// `late` makes the way back of a reply that comes later. Without a permit to wait the query
/// ends as [`UpstreamFailure::Busy`].
#[inline]
pub fn settle(
    gateway: &Arc<Gateway>,
    counters: &Counters,
    begun: Begin,
    arrival: Arrival,
    out: &mut [u8],
    late: impl FnOnce() -> SendReply,
) -> Option<Done> {
    let forward = match begun {
        Begin::Done(done) => return Some(done),
        Begin::Refresh(done, forward) => {
            gateway.refresh(forward, arrival.came);
            return Some(done);
        }
        Begin::Forward(forward) => forward,
    };
    if let Some(permit) = gateway.flights.enter() {
        gateway.forward(permit, forward, arrival.came, late());
        return None;
    }
    counters.event(Event::OverAll);
    Some(forward.give_up(UpstreamFailure::Busy, arrival.now, out))
}

/// Sends the reply of an ending, if it has one, and counts it.
#[inline]
#[expect(clippy::needless_pass_by_value, reason = "an ending is concluded once")]
pub fn conclude<R>(
    done: Done,
    out: &[u8],
    count: &mut impl CountEnding,
    send: impl FnOnce(&[u8]) -> R,
) -> Option<R> {
    match done {
        Done::Reply(length, outcome) => {
            let sent = send(out.get(..length).unwrap_or(&[]));
            count.outcome(outcome);
            Some(sent)
        }
        Done::Silence(outcome) => {
            count.outcome(outcome);
            None
        }
        Done::Drop(reason) => {
            count.dropped(reason);
            None
        }
    }
}
