//! What every listener shares: policy, cache, upstream, clock, counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use tokio::runtime::Handle;

use crate::cache::AnswerCache;
use crate::message::answer::TtlLimits;
use crate::metrics::counters::Counters;
use crate::resolve::{Forward, Step, UpstreamFailure};
use crate::serve::clock::Clock;
use crate::serve::current::Current;
use crate::serve::upstream::{AskError, Upstreams};

/// Room for any reply.
pub const MAX_REPLY: usize = 65_535;

/// All that a query needs, shared by all listeners.
#[derive(Debug)]
pub struct Gateway {
    /// The policy in force.
    pub current: Current,
    /// Upstream answers.
    pub cache: AnswerCache,
    /// The servers that are asked.
    pub upstreams: ArcSwap<Upstreams>,
    /// How long answers are kept.
    pub limits: TtlLimits,
    /// The clock.
    pub clock: Clock,
    /// Counts what ends outside the workers.
    pub counters: Arc<Counters>,
    /// Questions waiting for upstream.
    pub in_flight: AtomicU64,
    /// Where waiting queries run.
    pub runtime: Handle,
}

impl Gateway {
    /// Ends a query that must be asked upstream, in its own time: `send` gets the reply.
    pub fn forward(
        self: &Arc<Self>,
        forward: Box<Forward>,
        came: u64,
        send: impl FnOnce(&[u8]) + Send + 'static,
    ) {
        let gateway = Arc::clone(self);
        self.runtime.spawn(async move {
            gateway.in_flight.fetch_add(1, Ordering::Relaxed);
            let upstreams = gateway.upstreams.load_full();
            let answer = upstreams.ask(forward.question()).await;
            gateway.in_flight.fetch_sub(1, Ordering::Relaxed);
            let answer = answer.map(|answer| answer.octets);
            gateway.finish(*forward, came, &answer, send);
        });
    }

    fn finish(
        &self,
        forward: Forward,
        came: u64,
        answer: &Result<Vec<u8>, AskError>,
        send: impl FnOnce(&[u8]),
    ) {
        let message = answer.as_ref().map(Vec::as_slice).map_err(|error| match error {
            AskError::Busy => UpstreamFailure::Busy,
            _ => UpstreamFailure::Unreachable,
        });
        let mut out = vec![0; MAX_REPLY];
        let now = self.clock.now();
        let step = forward.finish(message, &self.cache, &self.limits, now, &mut out);
        match step {
            Step::Reply(length, outcome) => {
                send(out.get(..length).unwrap_or(&[]));
                self.counters.outcome(&outcome, self.clock.micros().saturating_sub(came));
            }
            Step::Silence(outcome) => {
                self.counters.outcome(&outcome, self.clock.micros().saturating_sub(came));
            }
            Step::Drop(reason) => self.counters.dropped(reason),
            // A query that was asked once is never asked again.
            Step::Forward(_) => {}
        }
    }
}
