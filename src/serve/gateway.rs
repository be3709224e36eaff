//! What every listener shares: policy, cache, upstream, clock, counters.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::cache::AnswerCache;
use crate::config::Config;
use crate::dns::message::Question;
use crate::dns::message::answer::TtlLimits;
use crate::dns::name::Name;
use crate::dns::route::UpstreamId;
use crate::load::in_force::Current;
use crate::metrics::counters::{Counters, Event};
use crate::policy::Snapshot;
use crate::resolve::{Forward, Step, UpstreamFailure};
use crate::serve::budget::{ClientId, ClientLimits};
use crate::serve::inflight::{InFlight, Join, Permit, SendReply, Waiter};
use crate::serve::settings;
use crate::sys::clock::Clock;
use crate::upstream::zones::Zones;
use crate::upstream::{AskError, Upstreams};

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
    /// The servers of forward zones.
    pub zones: Zones,
    /// How long answers are kept.
    pub limits: TtlLimits,
    /// After how long a client gets an answer past its time instead of none (RFC 8767 §5).
    pub stale_after: Duration,
    /// What a client may take.
    pub clients: ArcSwap<ClientLimits>,
    /// The clock.
    pub clock: Clock,
    /// Counts what ends outside the workers.
    pub counters: Arc<Counters>,
    /// Queries waiting for upstream.
    pub flights: Arc<InFlight>,
    /// Where waiting queries run.
    pub runtime: Handle,
}

/// What upstream said, as the core takes it.
type Said<'a> = Result<&'a [u8], UpstreamFailure>;

thread_local! {
    /// Where replies are written that no worker writes: one for each thread of the runtime.
    static OUT: RefCell<Vec<u8>> = RefCell::new(vec![0; MAX_REPLY]);
}

impl Gateway {
    /// A gateway with this policy and these servers; nobody listens yet.
    pub fn new(
        settings: &Config,
        snapshot: Snapshot,
        upstreams: Upstreams,
        zones: Zones,
        clock: Clock,
        runtime: Handle,
    ) -> Self {
        Self {
            current: Current::new(snapshot),
            cache: AnswerCache::with_rules(settings.cache.octets, settings::cache(settings)),
            upstreams: ArcSwap::from_pointee(upstreams),
            zones,
            limits: settings::ttls(settings),
            stale_after: settings.cache.stale_after,
            clients: ArcSwap::from_pointee(settings::clients(settings)),
            clock,
            counters: Arc::new(Counters::shared()),
            flights: InFlight::new(settings.upstream.in_flight),
            runtime,
        }
    }

    /// Ends a query that must be asked upstream, in its own time: `send` gets the reply.
    ///
    /// It takes a place of [`InFlight::enter`]; without one the query ends at once, with
    /// [`UpstreamFailure::Busy`].
    pub fn forward(
        self: &Arc<Self>,
        place: Permit,
        forward: Box<Forward>,
        came: u64,
        send: impl FnOnce(&[u8]) + Send + 'static,
    ) {
        self.start(Waiter { forward, came, send: Some(Box::new(send)), place });
    }

    /// Has an answer fetched anew whose time is nearly over. While many wait, it is not.
    pub fn refresh(self: &Arc<Self>, forward: Box<Forward>, came: u64) {
        if let Some(place) = self.flights.enter_unhurried() {
            self.start(Waiter { forward, came, send: None, place });
        }
    }

    fn start(self: &Arc<Self>, waiter: Waiter) {
        let gateway = Arc::clone(self);
        self.runtime.spawn(async move { gateway.wait(waiter).await });
    }

    async fn wait(self: Arc<Self>, mut waiter: Waiter) {
        let client = waiter.forward.meta().client;
        if waiter.send.is_some() && !self.has_room(client, &mut waiter.place) {
            self.counters.event(Event::OverClient);
            return self.end(waiter, Err(UpstreamFailure::Busy));
        }
        let question = waiter.forward.question().clone();
        let is_refresh = waiter.send.is_none();
        match self.flights.join(waiter) {
            Join::Leads => {
                if is_refresh {
                    self.counters.event(Event::CacheRefresh);
                }
                self.lead(question).await;
            }
            Join::Follows => self.counters.event(Event::Coalesced),
            Join::Late(waiter) => {
                self.counters.event(Event::Coalesced);
                self.answer_stale(waiter);
            }
            Join::Full(waiter) => {
                self.counters.event(Event::OverQuestion);
                self.end(waiter, Err(UpstreamFailure::Busy));
            }
            Join::NotNeeded => {}
        }
    }

    /// Whether a client may have one more query waiting.
    fn has_room(&self, client: IpAddr, place: &mut Permit) -> bool {
        let limits = self.clients.load();
        limits.is_exempt(client)
            || self.flights.count(place, ClientId::of(client), limits.in_flight)
    }

    /// Asks, and answers all who wait.
    async fn lead(&self, question: Question) {
        let flight = self.flights.started(question.clone());
        let Some(upstreams) = self.servers(question.upstream) else {
            for waiter in flight.end() {
                self.end(waiter, Err(UpstreamFailure::Unreachable));
            }
            return;
        };
        if upstreams.are_down() {
            // Nothing is to be expected; the question goes out all the same.
            self.answer_late(&question);
        }
        let asking = upstreams.ask(&question);
        tokio::pin!(asking);
        let answer = if let Ok(answer) = timeout(self.stale_after, &mut asking).await {
            answer
        } else {
            self.answer_late(&question);
            asking.await
        };
        let answer = answer.map(|answer| answer.octets);
        let said = answer.as_ref().map(Vec::as_slice).map_err(|error| match error {
            AskError::Busy => {
                self.counters.event(Event::OverUpstream);
                UpstreamFailure::Busy
            }
            _ => UpstreamFailure::Unreachable,
        });
        for waiter in flight.end() {
            self.end(waiter, said);
        }
    }

    /// The servers that are asked for a name by the policy in force.
    pub fn servers_for(&self, name: &Name) -> Option<Arc<Upstreams>> {
        self.servers(self.current.snapshot().upstream_for(name))
    }

    /// The servers that are asked; none if a zone is no longer known.
    fn servers(&self, id: UpstreamId) -> Option<Arc<Upstreams>> {
        if id == UpstreamId::MAIN {
            Some(self.upstreams.load_full())
        } else {
            self.zones.servers(id)
        }
    }

    /// Gives those their stale answer who have one.
    fn answer_late(&self, question: &Question) {
        for (mut waiter, stays) in self.flights.late(question) {
            if let Some(send) = waiter.send.take() {
                self.send_stale(&waiter.forward, waiter.came, send);
            }
            if stays {
                self.flights.keep(waiter);
            }
        }
    }

    fn answer_stale(&self, mut waiter: Waiter) {
        if let Some(send) = waiter.send.take() {
            self.send_stale(&waiter.forward, waiter.came, send);
        }
    }

    fn send_stale(&self, forward: &Forward, came: u64, send: SendReply) {
        let now = self.clock.now();
        OUT.with_borrow_mut(|out| {
            if let Some(step) = forward.stale(now, out) {
                self.conclude(&step, came, send, out);
            }
        });
    }

    /// Ends a query with what upstream said.
    fn end(&self, waiter: Waiter, said: Said<'_>) {
        let Waiter { forward, came, send, place } = waiter;
        let now = self.clock.now();
        match send {
            None => forward.refresh(said, &self.cache, &self.limits, now),
            Some(send) => OUT.with_borrow_mut(|out| {
                let step = forward.finish(said, &self.cache, &self.limits, now, out);
                self.conclude(&step, came, send, out);
            }),
        }
        drop(place);
    }

    fn conclude(&self, step: &Step, came: u64, send: SendReply, out: &[u8]) {
        match step {
            Step::Reply(length, outcome) => {
                send(out.get(..*length).unwrap_or(&[]));
                self.counters.outcome(outcome, self.clock.micros().saturating_sub(came));
            }
            Step::Silence(outcome) => {
                self.counters.outcome(outcome, self.clock.micros().saturating_sub(came));
            }
            Step::Drop(reason) => self.counters.dropped(*reason),
            // A query that was asked once is never asked again.
            Step::Forward(_) | Step::Refresh(..) => {}
        }
    }
}
