//! UDP: one thread and one socket per core.
//!
//! ```text
//! receive (up to 64) ▸ prefetch ▸ budget ▸ begin ▸ … ▸ send (all replies) ▸ count
//! ```
//!
//! A worker answers the queries that the core can answer at once, in the same memory for every
//! batch. One system call receives a batch, another sends its replies; one reading of the clock and
//! one policy serve all of it. A miss moves to the runtime with its socket and its [`Path`], and
//! its reply is sent from there.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use arc_swap::Cache as Cached;
use socket2::{Domain, Protocol, Socket, Type};
use tracing::{debug, info, warn};

use crate::clients::blocks::BlockTurn;
use crate::clients::budget::{Budget, ClientLimits, RateDecision};
use crate::clients::client_id::ClientId;
use crate::clients::inflight::SendReply;
use crate::devices::table::DeviceTable;
use crate::load::in_force::PolicyReader;
use crate::metrics::counters::{Counters, Event};
use crate::metrics::labels::AddressFamily;
use crate::metrics::{Sample, families};
use crate::overblock::blocked::BlockedQuery;
use crate::policy::Snapshot;
use crate::rehearse::recent::ONE_IN;
use crate::resolve::prepared::PreparedBatch;
use crate::resolve::reply_cache::{Lookup, Probe, ReplyCache};
use crate::resolve::{
    Begin, Done, DropReason, Origin, Outcome, Stores, Transport, begin_with, slip,
};
use crate::serve::gateway::Gateway;
use crate::serve::listener::conclude::{Arrival, Deferred, Uncounted, conclude, settle};
use crate::serve::listener::origin::{self, NOWHERE};
use crate::serve::listener::udp_batch::{self, BATCH, Batch, Kernel, Path};
use crate::sys::presence::bind_early;

/// Octets of kernel buffer to request in each direction.
const KERNEL_BUFFER: i32 = 4 << 20;
/// The interval at which a worker without queries checks whether it must stop.
const IDLE: Duration = Duration::from_millis(200);
/// The most batches still answered at the end: queries that arrived before it.
const LAST_BATCHES: usize = 64;

/// The smallest batch that is prefetched: a lone query would only wait for memory twice.
const MANY: usize = 4;

/// Opens one of the sockets that share `address`.
///
/// # Errors
///
/// The system's error: the address is taken, is not this machine's, or needs a privilege.
pub fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_port(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    let socket = UdpSocket::from(socket);
    prepare(&socket, address)?;
    let socket = Socket::from(socket);
    bind_early(&socket, address);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Sets what a worker expects of its socket.
fn prepare(socket: &UdpSocket, address: SocketAddr) -> io::Result<()> {
    socket.set_read_timeout(Some(IDLE))?;
    udp_batch::size_buffers(socket, KERNEL_BUFFER);
    udp_batch::never_fragment(socket, address.is_ipv6());
    if address.ip().is_unspecified() {
        udp_batch::ask_for_addresses(socket, address.is_ipv6())?;
    }
    Ok(())
}

/// A socket that [`open`] opened at `address` in another life, perhaps of another version; none if it is
/// another's.
pub fn reopen(stored: OwnedFd, address: SocketAddr) -> Option<UdpSocket> {
    let socket = UdpSocket::from(stored);
    let is_ours = socket.local_addr().is_ok_and(|local| local == address);
    is_ours.then_some(socket).filter(|socket| prepare(socket, address).is_ok())
}

/// What a worker and the thread that started it tell each other.
#[derive(Debug, Default)]
pub struct Shift {
    is_over: AtomicBool,
    /// Batches so far, those without a query included: one in [`IDLE`] at least.
    turns: AtomicU64,
}

impl Shift {
    /// Has the worker answer what has arrived, and end.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// The turns that the worker has made.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Notes a turn. The worker is the only writer.
    fn turn(&self) {
        self.turns.store(self.turns().wrapping_add(1), Ordering::Relaxed);
    }
}

/// Answers the queries of one socket until its shift is over, and then those that arrived before.
pub fn work(socket: Arc<UdpSocket>, gateway: &Arc<Gateway>, counters: &Counters, shift: &Shift) {
    let mut worker = Worker::new(socket, gateway, counters);
    while !shift.is_over.load(Ordering::Relaxed) {
        shift.turn();
        if let Err(error) = worker.serve_batch(true) {
            pause_after(&error);
        }
    }
    for _ in 0..LAST_BATCHES {
        if worker.serve_batch(false).is_err() {
            break;
        }
    }
}

/// One socket's worker: the single writer of all that it owns.
pub struct Worker<'a> {
    socket: Arc<UdpSocket>,
    batch: Batch,
    policy: PolicyReader<'a>,
    desk: Desk<'a>,
}

/// The shared context of a batch.
#[derive(Clone, Copy)]
struct BatchContext<'a> {
    generation: u64,
    snapshot: &'a Arc<Snapshot>,
    arrival: Arrival,
    /// Whether somebody looks at what is blocked.
    is_diagnosed: bool,
}

/// A worker's memory and counters, apart from the batch itself.
struct Desk<'a> {
    gateway: &'a Arc<Gateway>,
    counters: &'a Counters,
    limits: Cached<&'a ArcSwap<ClientLimits>, Arc<ClientLimits>>,
    devices: Cached<&'a ArcSwap<DeviceTable>, Arc<DeviceTable>>,
    budget: Budget,
    near: ReplyCache,
    /// The reply cache's probe for each query of the batch.
    probes: Vec<Probe>,
    prepared: PreparedBatch,
    /// The address that the socket is bound to.
    local: SocketAddr,
    /// The outcomes of the batch: counted when its replies have left.
    outcomes: Vec<Outcome>,
    /// Answers since one was noted.
    unnoted: u32,
    /// Queries of the batch that the gateway's own test asks.
    tests: u64,
    /// Which block is noted next.
    blocks: BlockTurn,
}

impl<'a> Worker<'a> {
    /// A worker for a socket of [`open`].
    pub fn new(socket: Arc<UdpSocket>, gateway: &'a Arc<Gateway>, counters: &'a Counters) -> Self {
        let local = socket.local_addr().unwrap_or(NOWHERE);
        let desk = Desk {
            gateway,
            counters,
            limits: Cached::new(&gateway.clients),
            devices: Cached::new(gateway.devices.table()),
            budget: Budget::new(rand::random()),
            near: ReplyCache::new(rand::random()),
            probes: Vec::with_capacity(BATCH),
            prepared: PreparedBatch::new(BATCH),
            local,
            outcomes: Vec::with_capacity(BATCH),
            unnoted: 0,
            tests: 0,
            blocks: BlockTurn::default(),
        };
        let policy = gateway.current.reader();
        Self { socket, batch: Batch::new(local.ip().is_unspecified()), policy, desk }
    }

    /// Answers the datagrams that have arrived; waits for one if it `may_wait`.
    ///
    /// # Errors
    ///
    /// The system's error; mostly that nothing arrived.
    pub fn serve_batch(&mut self, may_wait: bool) -> io::Result<()> {
        let Self { socket, batch, policy, desk } = self;
        let received = batch.receive(socket, may_wait);
        // Without queries too: a worker must never hold an old policy in memory.
        let (generation, snapshot) = policy.get();
        let count = received?;
        let came = desk.gateway.clock.micros();
        desk.tests = 0;
        desk.prefetch(snapshot, batch.queries());
        let arrival = Arrival { now: desk.gateway.clock.now_at(came), came };
        let is_diagnosed = desk.gateway.blocks.overblock.diagnosis.is_on();
        let context = BatchContext { generation, snapshot, arrival, is_diagnosed };
        batch.answer(|number, query, path, out| {
            desk.answer(socket, context, number, query, path, out)
        });
        let asked = (count as u64).saturating_sub(desk.tests);
        desk.counters.queries(Transport::Udp, desk.local.is_ipv6(), asked);
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
    /// Prefetches the memory that the queries of a batch will read, and prepares those that the
    /// reply cache does not have.
    #[inline]
    fn prefetch<'q>(
        &mut self,
        snapshot: &Snapshot,
        queries: impl Iterator<Item = &'q [u8]> + Clone,
    ) {
        self.probes.clear();
        for query in queries.clone() {
            let probe = self.near.probe(query);
            self.near.prefetch_set(probe);
            self.probes.push(probe);
        }
        self.prepared.clear();
        if self.probes.len() < MANY {
            return;
        }
        for (number, (query, &probe)) in queries.zip(&self.probes).enumerate() {
            if !self.near.prefetch(probe) {
                self.prepared.add(number, query, snapshot);
            }
        }
        self.prepared.prefetch(snapshot);
    }

    /// Answers a query in `out`, or starts the life of a miss; returns the octets to send.
    #[inline]
    fn answer(
        &mut self,
        socket: &Arc<UdpSocket>,
        context: BatchContext<'_>,
        number: usize,
        query: &[u8],
        path: &Path,
        out: &mut [u8],
    ) -> Option<usize> {
        let BatchContext { generation, snapshot, arrival, .. } = context;
        let origin =
            origin::of_datagram(path, self.local, &self.gateway.own_asks, self.devices.load());
        self.tests += u64::from(origin.is_test());
        let begun = match self.admit(&origin, arrival.came) {
            RateDecision::Pass => {
                let probe = self.probes.get(number).copied().unwrap_or_default();
                let near = Some(Lookup { near: &mut self.near, probe, generation });
                let stores = Stores { cache: &self.gateway.cache, near };
                let prepared = self.prepared.slot(number);
                begin_with(query, prepared, &origin, snapshot, stores, arrival.now, out)
            }
            RateDecision::Slip => Begin::Done(slip(query, &origin, snapshot, out)),
            RateDecision::Drop => Begin::Done(Done::Drop(DropReason::OverBudget)),
        };
        let late = || late_reply(socket, path);
        let done = settle(self.gateway, self.counters, begun, arrival, out, late)?;
        if origin.is_test() {
            return conclude(done, out, &mut Uncounted, <[u8]>::len);
        }
        if let Some(outcome) = done.blocked() {
            let (blocks, client, now) = (&self.gateway.blocks, origin.client, arrival.now);
            let of = self.prepared.answered(number, query, snapshot);
            if let Some((name, hashes, qtype)) = of {
                let noted = self.blocks.next(context.is_diagnosed);
                let blocked = BlockedQuery { snapshot, name, hashes, qtype, outcome };
                blocks.note(self.counters, blocked, client, now, noted);
            } else {
                blocks.note_octets(self.counters, (snapshot, query), client, outcome, now);
            }
        }
        self.unnoted += 1;
        if self.unnoted >= ONE_IN {
            self.unnoted = 0;
            self.gateway.note(snapshot, query, &origin, &done);
        }
        let mut count = Deferred { counters: self.counters, outcomes: &mut self.outcomes };
        conclude(done, out, &mut count, <[u8]>::len)
    }

    /// Charges the client for a query.
    #[inline]
    fn admit(&mut self, origin: &Origin, came: u64) -> RateDecision {
        let limits = self.limits.load();
        let Some(rate) = limits.rate.filter(|_| !origin.is_test()) else {
            return RateDecision::Pass;
        };
        match self.budget.charge(ClientId::of(origin.client), came, rate) {
            RateDecision::Pass => RateDecision::Pass,
            _ if limits.is_exempt(origin.client) => RateDecision::Pass,
            over => over,
        }
    }
}

/// The way back of a reply that leaves after its batch.
fn late_reply(socket: &Arc<UdpSocket>, path: &Path) -> SendReply {
    let (socket, path) = (Arc::clone(socket), *path);
    Box::new(move |reply| {
        // A reply that the kernel refuses is lost, as any datagram may be: the client retries.
        if let Err(error) = path.send(&socket, reply) {
            debug!(%error, "reply not sent");
        }
    })
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

/// Logs the receive buffers' size, and warns if it is less than requested.
pub fn report(sockets: &[Arc<UdpSocket>]) {
    let octets = sockets.iter().map(|socket| Kernel::of(socket).receive_buffer).min().unwrap_or(0);
    info!(octets, sockets = sockets.len(), "UDP receive buffers");
    // The kernel doubles the requested size, for its own bookkeeping.
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
