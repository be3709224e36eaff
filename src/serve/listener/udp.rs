//! UDP: one thread and one socket per core.
//!
//! ```text
//! receive (up to 64) ▸ budget ▸ begin ▸ … ▸ send (all replies) ▸ count
//! ```
//!
//! A worker answers what the core can answer at once, in the same memory over and over: one
//! system call takes what has come, another sends the replies, one reading of the clock is
//! for all of them, and one policy. A miss leaves for the asynchronous side with its socket
//! and its [`Path`], and its answer goes out from there.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use arc_swap::Cache as Cached;
use socket2::{Domain, Protocol, Socket, Type};
use tracing::{debug, info, warn};

use crate::dns::message::query::Query;
use crate::load::in_force::PolicyReader;
use crate::matcher::prefetch::BatchPrefetch;
use crate::metrics::counters::{Counters, Event};
use crate::metrics::labels::AddressFamily;
use crate::metrics::{Sample, families};
use crate::policy::Snapshot;
use crate::resolve::reply_cache::{Lookup, Probe, ReplyCache};
use crate::resolve::{
    DropReason, Origin, Outcome, Step, Stores, Transport, UpstreamFailure, begin_with, slip,
};
use crate::serve::budget::{Budget, ClientId, ClientLimits, RateDecision};
use crate::serve::gateway::Gateway;
use crate::serve::listener::udp_batch::{self, BATCH, Batch, Kernel, Path};

/// Octets of kernel buffer that are asked for in each direction.
const KERNEL_BUFFER: i32 = 4 << 20;
/// How often a worker without queries looks whether it must stop.
const IDLE: Duration = Duration::from_millis(200);
/// Batches that are still answered at the end: what had come before.
const LAST_TURNS: usize = 64;

/// From so many queries on, memory is asked for ahead: a lone one would only wait for it twice.
const MANY: usize = 4;

/// Stands for a listener whose address the system does not tell.
pub const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Opens one of the sockets that share `address`.
///
/// # Errors
///
/// What the system said: the address is taken, or not ours, or needs a privilege.
pub fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_port(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_read_timeout(Some(IDLE))?;
    let socket = UdpSocket::from(socket);
    udp_batch::size_buffers(&socket, KERNEL_BUFFER);
    udp_batch::never_fragment(&socket, address.is_ipv6());
    if address.ip().is_unspecified() {
        udp_batch::ask_for_addresses(&socket, address.is_ipv6())?;
    }
    let socket = Socket::from(socket);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Answers the queries of one socket until `stop` is set, and then those that had come.
pub fn work(
    socket: Arc<UdpSocket>,
    gateway: &Arc<Gateway>,
    counters: &Counters,
    stop: &AtomicBool,
) {
    let mut worker = Worker::new(socket, gateway, counters);
    while !stop.load(Ordering::Relaxed) {
        if let Err(error) = worker.turn(true) {
            pause_after(&error);
        }
    }
    for _ in 0..LAST_TURNS {
        if worker.turn(false).is_err() {
            break;
        }
    }
}

/// One socket's worker, with all that it writes to: nobody else does.
pub struct Worker<'a> {
    socket: Arc<UdpSocket>,
    batch: Batch,
    policy: PolicyReader<'a>,
    desk: Desk<'a>,
}

/// What holds for a whole batch.
#[derive(Clone, Copy)]
struct Moment<'a> {
    generation: u64,
    snapshot: &'a Arc<Snapshot>,
    /// Microseconds, of the worker's clock.
    came: u64,
}

/// What a worker needs to answer a query.
struct Desk<'a> {
    gateway: &'a Arc<Gateway>,
    counters: &'a Counters,
    limits: Cached<&'a ArcSwap<ClientLimits>, Arc<ClientLimits>>,
    budget: Budget,
    /// Replies in use.
    near: ReplyCache,
    /// Where the questions of this batch are looked for among them.
    spots: Vec<Probe>,
    /// Those of them that lists will be asked about.
    ahead: BatchPrefetch,
    /// Where the socket is bound.
    local: SocketAddr,
    /// What became of the queries of this batch: counted when the replies have left.
    outcomes: Vec<Outcome>,
}

impl<'a> Worker<'a> {
    /// A worker for a socket of [`open`].
    pub fn new(socket: Arc<UdpSocket>, gateway: &'a Arc<Gateway>, counters: &'a Counters) -> Self {
        let local = socket.local_addr().unwrap_or(NOWHERE);
        let desk = Desk {
            gateway,
            counters,
            limits: Cached::new(&gateway.clients),
            budget: Budget::new(rand::random()),
            near: ReplyCache::new(rand::random()),
            spots: Vec::with_capacity(BATCH),
            ahead: BatchPrefetch::new(BATCH),
            local,
            outcomes: Vec::with_capacity(BATCH),
        };
        let policy = gateway.current.reader();
        Self { socket, batch: Batch::new(local.ip().is_unspecified()), policy, desk }
    }

    /// Answers what has come; waits for something to come if it `may_wait`.
    ///
    /// # Errors
    ///
    /// What the system said; nothing came, mostly.
    pub fn turn(&mut self, may_wait: bool) -> io::Result<()> {
        let Self { socket, batch, policy, desk } = self;
        let received = batch.receive(socket, may_wait);
        // Without queries too an old policy is let go.
        let (generation, snapshot) = policy.get();
        let count = received?;
        let came = desk.gateway.clock.micros();
        desk.counters.queries(Transport::Udp, desk.local.is_ipv6(), count as u64);
        desk.look_ahead(snapshot, batch.queries());
        let moment = Moment { generation, snapshot, came };
        batch.answer(|number, query, path, out| {
            desk.answer(socket, moment, number, query, path, out)
        });
        let failed = batch.send(socket);
        if failed > 0 {
            desk.counters.events(Event::NotSent, failed as u64);
        }
        let took = desk.gateway.clock.micros().saturating_sub(came);
        desk.counters.outcomes(&desk.outcomes, took);
        desk.outcomes.clear();
        Ok(())
    }
}

impl Desk<'_> {
    /// Asks for the memory that the queries of a batch will need.
    #[inline]
    fn look_ahead<'q>(
        &mut self,
        snapshot: &Snapshot,
        queries: impl Iterator<Item = &'q [u8]> + Clone,
    ) {
        self.spots.clear();
        for query in queries.clone() {
            let spot = self.near.spot(query);
            self.near.warm_set(spot);
            self.spots.push(spot);
        }
        if self.spots.len() < MANY {
            return;
        }
        for (query, &spot) in queries.zip(&self.spots) {
            if !self.near.warm(spot)
                && let Ok(query) = Query::parse(query)
            {
                snapshot.prefetch(&query.name, &mut self.ahead);
            }
        }
        self.ahead.look(snapshot.lists());
    }

    /// Answers a query in `out`, or sees to it that it will be answered; the octets to send.
    #[inline]
    fn answer(
        &mut self,
        socket: &Arc<UdpSocket>,
        moment: Moment<'_>,
        number: usize,
        query: &[u8],
        path: &Path,
        out: &mut [u8],
    ) -> Option<usize> {
        let Moment { generation, snapshot, came } = moment;
        let client = path.client().ip();
        let local = SocketAddr::new(path.local().unwrap_or(self.local.ip()), self.local.port());
        let meta = Origin::plain(client, local, Transport::Udp);
        let now = self.gateway.clock.now_at(came);
        let step = match self.admit(&meta, came) {
            RateDecision::Pass => {
                let spot = self.spots.get(number).copied().unwrap_or_default();
                let near = Some(Lookup { near: &mut self.near, spot, generation });
                let stores = Stores { cache: &self.gateway.cache, near };
                begin_with(query, &meta, snapshot, stores, now, out)
            }
            RateDecision::Slip => slip(query, &meta, snapshot, out),
            RateDecision::Drop => Step::Drop(DropReason::OverBudget),
        };
        let Step::Forward(forward) = step else { return self.conclude(step, came) };
        let Some(place) = self.gateway.flights.enter() else {
            self.counters.events(Event::OverAll, 1);
            let Gateway { cache, limits, .. } = self.gateway.as_ref();
            let busy = Err(UpstreamFailure::Busy);
            let step = forward.finish(busy, cache, limits, now, out);
            return self.conclude(step, came);
        };
        let (socket, path) = (Arc::clone(socket), *path);
        self.gateway.forward(place, forward, came, move |reply| {
            // A reply that the kernel does not take is lost as datagrams are.
            if let Err(error) = path.send(&socket, reply) {
                debug!(%error, "reply not sent");
            }
        });
        None
    }

    /// Charges the client for a query.
    #[inline]
    fn admit(&mut self, meta: &Origin, came: u64) -> RateDecision {
        let limits = self.limits.load();
        let Some(rate) = limits.rate else { return RateDecision::Pass };
        match self.budget.charge(ClientId::of(meta.client), came, rate) {
            RateDecision::Pass => RateDecision::Pass,
            _ if limits.is_exempt(meta.client) => RateDecision::Pass,
            over => over,
        }
    }

    #[inline]
    fn conclude(&mut self, step: Step, came: u64) -> Option<usize> {
        match step {
            Step::Reply(length, outcome) => {
                self.outcomes.push(outcome);
                Some(length)
            }
            Step::Refresh(length, outcome, forward) => {
                self.outcomes.push(outcome);
                self.gateway.refresh(forward, came);
                Some(length)
            }
            Step::Silence(outcome) => {
                self.outcomes.push(outcome);
                None
            }
            Step::Drop(reason) => {
                self.counters.dropped(reason);
                None
            }
            // Only `begin` forwards.
            Step::Forward(_) => None,
        }
    }
}

/// The kernel's receive queues: the smallest, the fullest, and the datagrams dropped for want of
/// room, by the family of their socket.
pub fn samples(sockets: &[Arc<UdpSocket>]) -> Vec<Sample> {
    let kernels = || sockets.iter().map(|socket| Kernel::of(socket));
    let least = kernels().map(|kernel| kernel.receive_buffer).min().unwrap_or(0);
    let used = kernels().map(|kernel| kernel.receive_used).max().unwrap_or(0);
    let drops = |family, is_ipv6: bool| {
        let is_of = |socket: &&Arc<UdpSocket>| {
            socket.local_addr().is_ok_and(|address| address.is_ipv6() == is_ipv6)
        };
        let of = sockets.iter().filter(is_of);
        let count = of.map(|socket| u64::from(Kernel::of(socket).dropped)).sum();
        families::UDP_RECEIVE_DROPS.sample((family,), count)
    };
    vec![
        families::UDP_RECEIVE_BUFFER.sample((), f64::from(least)),
        families::UDP_RECEIVE_QUEUE.sample((), f64::from(used)),
        drops(AddressFamily::Ipv4, false),
        drops(AddressFamily::Ipv6, true),
    ]
}

/// Says how much the kernel keeps for a worker that is behind, if it is less than asked.
pub fn report(sockets: &[Arc<UdpSocket>]) {
    let octets = sockets.iter().map(|socket| Kernel::of(socket).receive_buffer).min().unwrap_or(0);
    info!(octets, sockets = sockets.len(), "UDP receive buffers");
    // The kernel counts its own books too, and so doubles what was asked.
    if i64::from(octets) < i64::from(KERNEL_BUFFER) {
        warn!(
            octets,
            wanted = KERNEL_BUFFER,
            "the UDP receive buffers are small: queries are lost in a burst; raise the sysctl \
             net.core.rmem_max, or give the program CAP_NET_ADMIN"
        );
    }
}

/// An error that is not the idle timeout must not become a busy loop.
fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionRefused, Interrupted, TimedOut, WouldBlock};
    if !matches!(error.kind(), TimedOut | WouldBlock | Interrupted | ConnectionRefused) {
        debug!(%error, "receive failed");
        std::thread::sleep(Duration::from_millis(10));
    }
}
