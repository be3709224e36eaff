//! The life of a miss: permit, client bound, single-flight, upstream, replies.
//!
//! ```text
//! permit ─▶ client bound ─▶ join ┬ leader: asks upstream, ends all that wait
//!               │                ├ follower: waits
//!               ▼                ├ stale answer, at once
//!              Busy ◀────────────┴ queue full
//! ```
//!
//! Law: a miss must end once, with a reply by [`conclude`] or, for a cache refresh, with an entry
//! in the cache. Meanwhile a client that waits longer than `stale_after`, or whose upstream is
//! down, gets its expired answer; one that waits longer than `deadline` a failure. The question
//! outlives both, and its answer goes to the cache.

use std::cell::RefCell;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::clients::client_id::ClientId;
use crate::clients::inflight::{Join, Permit, SendReply, Started, Waiter};
use crate::dns::message::{MAX_MESSAGE, Question};
use crate::metrics::counters::Event;
use crate::resolve::{Answered, AskedFor, Done, Finish, Forward, UpstreamFailure};
use crate::serve::gateway::Gateway;
use crate::serve::listener::conclude::{Elapsed, Uncounted, conclude};
use crate::upstream::AskError;

thread_local! {
    /// Memory for late replies: one for each thread of the runtime.
    static OUT: RefCell<Vec<u8>> = RefCell::new(vec![0; MAX_MESSAGE]);
}

impl Gateway {
    /// Starts the life of a miss; `send` gets its reply.
    pub fn forward(
        self: &Arc<Self>,
        permit: Permit,
        forward: Box<Forward>,
        came: u64,
        send: SendReply,
    ) {
        self.start(Waiter { forward, came, send: Some(send), permit });
    }

    /// Refreshes a cache entry near the end of its TTL; not while many queries wait.
    pub fn refresh(self: &Arc<Self>, forward: Box<Forward>, came: u64) {
        if let Some(permit) = self.flights.enter_unhurried() {
            self.start(Waiter { forward, came, send: None, permit });
        }
    }

    fn start(self: &Arc<Self>, waiter: Waiter) {
        let gateway = Arc::clone(self);
        self.runtime.spawn(async move {
            let came = waiter.came;
            if let Some(flight) = gateway.admit(waiter) {
                gateway.lead(flight, came).await;
            }
        });
    }

    /// Lets a query wait, or ends it; the question to ask, if it is the first.
    fn admit(&self, mut waiter: Waiter) -> Option<Started> {
        let (client, is_test) = (waiter.forward.origin().client, waiter.forward.origin().is_test());
        if waiter.send.is_some() && !is_test && !self.has_room(client, &mut waiter.permit) {
            self.counters.event(Event::OverClient);
            self.give_up(waiter, UpstreamFailure::Busy);
            return None;
        }
        // It has something to say at once, and evicts nobody.
        if waiter.forward.has_stale() && self.flights.is_full() {
            self.counters.event(Event::OverAll);
            self.give_up(waiter, UpstreamFailure::Busy);
            return None;
        }
        let upstream = waiter.forward.question().upstream;
        let is_refresh = waiter.send.is_none();
        let joined = self.flights.join(waiter);
        for evicted in self.flights.evict(upstream) {
            self.counters.event(Event::OverAll);
            self.give_up(evicted, UpstreamFailure::Busy);
        }
        match joined {
            Join::Leader(flight) => {
                if is_refresh {
                    self.counters.event(Event::CacheRefresh);
                }
                return Some(flight);
            }
            Join::Follower => self.counters.event(Event::Coalesced),
            Join::AnswerStale(mut waiter) => {
                self.counters.event(Event::Coalesced);
                self.send_stale(&mut waiter);
            }
            Join::QueueFull(waiter) => {
                self.counters.event(Event::OverQuestion);
                self.give_up(waiter, UpstreamFailure::Busy);
            }
            Join::Redundant => {}
        }
        None
    }

    /// Whether a client may have one more query waiting; counts it then.
    fn has_room(&self, client: IpAddr, permit: &mut Permit) -> bool {
        let limits = self.clients.load();
        let most = if limits.is_exempt(client) { usize::MAX } else { limits.in_flight };
        self.flights.count(permit, ClientId::of(client), most)
    }

    /// Asks upstream, and ends all queries that wait for the answer.
    ///
    /// Those that wait longest get what there is: their expired answer, later a failure. The
    /// question goes on, for the cache and for those that come meanwhile.
    async fn lead(self: &Arc<Self>, flight: Started, came: u64) {
        let Some(upstreams) = self.servers(flight.question().upstream) else {
            for waiter in flight.end() {
                self.give_up(waiter, UpstreamFailure::Unreachable);
            }
            return;
        };
        if upstreams.are_down() {
            // No answer is expected; the question is sent all the same.
            self.answer_stale(flight.question());
        }
        let question = Arc::clone(flight.question());
        let asked = self.clock.micros();
        // A later link of a chain has what is left of its client's time.
        let began = Instant::now() - Duration::from_micros(asked.saturating_sub(came));
        let deadline = began + upstreams.deadline();
        let mut stale_at = Some(began + self.stale_after).filter(|&at| at < deadline);
        let mut timer = pin!(sleep_until(stale_at.unwrap_or(deadline)));
        // Two allocations of less than a kilobyte each, which the allocator has at hand.
        let mut asking = Box::pin(upstreams.ask(&question));
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut asking => break answer,
                () = &mut timer => {
                    if stale_at.take().is_some() {
                        self.answer_stale(&question);
                        timer.as_mut().reset(deadline);
                    } else {
                        self.answer_late(&question, upstreams.deadline());
                        timer.as_mut().reset(Instant::now() + upstreams.deadline());
                    }
                }
                () = flight.evicted() => return,
            }
        };
        let answer = answer.map(|answer| answer.octets);
        let message = answer.as_ref().map(Vec::as_slice).map_err(|error| match error {
            AskError::Busy => {
                self.counters.event(Event::OverUpstream);
                UpstreamFailure::Busy
            }
            // Nothing is learnt of the name: it may be asked for once there is a server.
            AskError::NoServer => UpstreamFailure::Busy,
            _ => UpstreamFailure::Unreachable,
        });
        for waiter in flight.end() {
            self.end(waiter, Answered { message, asked });
        }
    }

    /// Ends the waiters of a question whose answer does not come in time.
    fn answer_late(&self, question: &Question, deadline: Duration) {
        // Those that came a moment later end with them.
        let waited = (deadline / 16 * 15).as_micros() as u64;
        let until = self.clock.micros().saturating_sub(waited);
        for (waiter, stays) in self.flights.take_unanswered(question, until) {
            let Waiter { forward, came, send, permit } = waiter;
            let staying = stays.then(|| forward.clone());
            let Some(send) = send else { continue };
            let now = self.clock.now();
            OUT.with_borrow_mut(|out| {
                let of = forward.asked_for();
                let done = forward.give_up(UpstreamFailure::Unreachable, now, out);
                self.reply(done, &of, came, send, out);
            });
            if let Some(forward) = staying {
                self.flights.put_back(Waiter { forward, came, send: None, permit });
            }
        }
    }

    /// Sends the waiters of a question their expired answers, where they have one.
    fn answer_stale(&self, question: &Question) {
        for (mut waiter, stays) in self.flights.take_stale(question) {
            self.send_stale(&mut waiter);
            if stays {
                self.flights.put_back(waiter);
            }
        }
    }

    fn send_stale(&self, waiter: &mut Waiter) {
        let Some(send) = waiter.send.take() else { return };
        let now = self.clock.now();
        OUT.with_borrow_mut(|out| {
            if let Some(done) = waiter.forward.stale(now, out) {
                self.reply(done, &waiter.forward.asked_for(), waiter.came, send, out);
            }
        });
    }

    /// Ends a miss with the upstream answer.
    fn end(self: &Arc<Self>, waiter: Waiter, answered: Answered<'_>) {
        let Waiter { forward, came, send, permit } = waiter;
        let now = self.clock.now();
        match send {
            None => forward.refresh(answered, &self.cache, &self.limits, now),
            Some(send) => OUT.with_borrow_mut(|out| {
                let of = forward.asked_for();
                match forward.finish(answered, &self.cache, &self.limits, now, out) {
                    Finish::Done(done) => {
                        if let (Done::Reply(_, outcome), false) = (&done, of.origin.is_test()) {
                            let question = (&of.name, of.qtype);
                            self.note_answer(&of.snapshot, question, &of.origin, outcome, 1);
                        }
                        self.reply(done, &of, came, send, out);
                    }
                    // The same miss, with the next question of its chain.
                    Finish::Next(forward) => {
                        self.start(Waiter { forward, came, send: Some(send), permit });
                    }
                }
            }),
        }
    }

    /// Ends a miss whose question is not sent.
    fn give_up(&self, waiter: Waiter, failure: UpstreamFailure) {
        let Waiter { forward, came, send, permit } = waiter;
        if let Some(send) = send {
            OUT.with_borrow_mut(|out| {
                let of = forward.asked_for();
                let done = forward.give_up(failure, self.clock.now(), out);
                self.reply(done, &of, came, send, out);
            });
        }
        drop(permit);
    }

    /// Sends the reply of an ending, and counts it unless the gateway's own test asked.
    fn reply(&self, done: Done, of: &AskedFor, came: u64, send: SendReply, out: &[u8]) {
        if of.origin.is_test() {
            conclude(done, out, &mut Uncounted, send);
            return;
        }
        if let Some(blocked) = done.blocked() {
            self.blocks.note_late(&self.counters, of, blocked, self.clock.now());
        }
        let mut count = Elapsed { counters: &self.counters, clock: &self.clock, came };
        conclude(done, out, &mut count, send);
    }
}
