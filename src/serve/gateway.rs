//! The state that all listeners share: policy, cache, upstreams, clock, counters.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::Handle;

use crate::cache::AnswerCache;
use crate::clients::blocks::Blocks;
use crate::clients::budget::ClientLimits;
use crate::clients::client_id::ClientId;
use crate::clients::inflight::InFlight;
use crate::clients::limits::StreamLimits;
use crate::clients::table::Connections;
use crate::config::Config;
use crate::devices::follow::Devices;
use crate::devices::tokens::DeviceTokens;
use crate::dns::message::answer::TtlLimits;
use crate::dns::message::query::Query;
use crate::dns::name::{Folded, Name};
use crate::dns::route::UpstreamId;
use crate::load::in_force::Current;
use crate::load::rehearsal;
use crate::metrics::counters::Counters;
use crate::policy::Snapshot;
use crate::rehearse::recent::{ONE_IN, RecentNames};
use crate::resolve::{Done, Origin, Outcome};
use crate::selftest::OwnAsks;
use crate::sys::clock::Clock;
use crate::sys::os;
use crate::upstream::Upstreams;

/// Descriptors for all but connections of clients and questions that wait: listeners, lists,
/// admin, portal, connections to upstream servers.
const OTHER_FILES: usize = 768;

/// The shared state of all listeners.
#[derive(Debug)]
pub struct Gateway {
    /// The policy in force.
    pub current: Arc<Current>,
    /// Upstream answers.
    pub cache: AnswerCache,
    /// The default upstream servers.
    pub upstreams: ArcSwap<Upstreams>,
    /// Bounds on the TTLs of cached answers.
    pub limits: TtlLimits,
    /// The wait for upstream after which a client gets its expired answer (RFC 8767 §5).
    pub stale_after: Duration,
    /// The limits of a client.
    pub clients: ArcSwap<ClientLimits>,
    /// The clock.
    pub clock: Clock,
    /// The counters of queries that end outside the workers.
    pub counters: Arc<Counters>,
    /// Queries waiting for upstream.
    pub flights: Arc<InFlight>,
    /// Stream connections of clients.
    pub connections: Arc<Connections>,
    /// The runtime of waiting queries.
    pub runtime: Handle,
    /// Names that were allowed lately, for the next rehearsal.
    pub recent: RecentNames,
    /// The sockets by which the gateway's own test asks.
    pub own_asks: Arc<OwnAsks>,
    /// The tokens of DNS over HTTPS.
    pub tokens: Arc<DeviceTokens>,
    /// Where the devices are whose hardware addresses groups name.
    pub devices: Arc<Devices>,
    /// What becomes of blocks beside their replies.
    pub blocks: Blocks,
}

impl Gateway {
    /// A gateway with this policy and these servers, without listeners.
    pub fn new(
        settings: &Config,
        current: Arc<Current>,
        upstreams: Upstreams,
        clock: Clock,
        runtime: Handle,
    ) -> Self {
        let counters = Arc::new(Counters::shared());
        let others = settings.upstream.in_flight + OTHER_FILES;
        let streams = StreamLimits::of(&settings.listen).within(os::file_limit(), others);
        Self {
            current,
            cache: AnswerCache::with_rules(settings.cache.octets, settings.cache.retention()),
            upstreams: ArcSwap::from_pointee(upstreams),
            limits: settings.cache.ttls(),
            stale_after: settings.cache.stale_after,
            clients: ArcSwap::from_pointee(ClientLimits::of(&settings.limits)),
            clock,
            flights: InFlight::new(settings.upstream.in_flight),
            connections: Connections::new(streams, Arc::clone(&counters)),
            tokens: Arc::new(DeviceTokens::new(Arc::clone(&counters))),
            devices: Arc::default(),
            counters,
            runtime,
            recent: RecentNames::new(rehearsal::popular(&settings.data), rand::random()),
            own_asks: Arc::default(),
            blocks: Blocks::new(rand::random(), rand::random()),
        }
    }

    /// Notes an answer that was given at once; it stands for [`ONE_IN`] of them.
    #[cold]
    #[inline(never)]
    pub(super) fn note(&self, snapshot: &Snapshot, query: &[u8], origin: &Origin, done: &Done) {
        let (Done::Reply(_, outcome), Ok(query)) = (done, Query::parse(query)) else { return };
        if let Ok((name, _)) = Folded::from_wire(query.wire_name()) {
            self.note_answer(snapshot, (&name, query.qtype), origin, outcome, ONE_IN);
        }
    }

    /// Notes an answer that stands for `weight` of them.
    pub(super) fn note_answer(
        &self,
        snapshot: &Snapshot,
        question: (&Folded, u16),
        origin: &Origin,
        outcome: &Outcome,
        weight: u32,
    ) {
        let client = ClientId::of(origin.client).number();
        self.recent.note(snapshot, question, client, outcome, weight);
    }

    /// The upstream servers for a name, by the policy in force.
    pub fn servers_for(&self, name: &Name) -> Option<Arc<Upstreams>> {
        self.servers(self.current.snapshot().upstream_for(name))
    }

    /// The servers of an upstream; none if its zone is no longer configured.
    pub(super) fn servers(&self, id: UpstreamId) -> Option<Arc<Upstreams>> {
        if id == UpstreamId::MAIN {
            Some(self.upstreams.load_full())
        } else {
            self.current.zone_servers(id)
        }
    }
}
