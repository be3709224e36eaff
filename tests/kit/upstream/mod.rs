//! A scripted upstream: one DNS server on loopback with the habits of the servers that people have.
//!
//! ```text
//! let server = Habits::new().folds_case().tcp(Tcp::None).start();      127.0.0.1, a free port
//! server.change(|habits| habits.answer("a.example", Answer::a("192.0.2.9").ttl(0)));
//! config: server.url("udp")        seen: server.queries()        server.stop(); server.start()
//! let [one, two] = together([("127.0.0.61", habits), ("127.0.0.62", other)]);   one port
//! ```
//!
//! - `habits`: all habits, composed by a builder; `answer`: what is said to one question.
//! - `message`: a query taken apart and a reply put together, octet by octet.
//! - `sockets`: UDP and TCP at one port, and what they do to a reply on its way.
//!
//! Without a script any A is `192.0.2.1` and any AAAA `2001:db8::1` (TTL 300), TXT of
//! `big40.example` is 40 records of 100 octets, `nx.example` and all below is NXDOMAIN, `ipv4only.arpa`
//! is as RFC 7050 §8 says, and all else is NODATA; negative answers carry an SOA.
//!
//! A server has a runtime of its own, so tests with and without one can use it.

pub(crate) mod answer;
pub(crate) mod habits;
mod message;
mod sockets;

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use self::habits::Habits;
use self::sockets::Sockets;

/// How a query came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// A query that came. The place in the list of all is the order of arrival.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) transport: Transport,
    /// The number of its connection, from 1; 0 for UDP.
    pub(crate) connection: usize,
    pub(crate) id: u16,
    /// Address and port that it came from.
    pub(crate) from: SocketAddr,
    /// The name in the case it was sent in, without the final dot; the root is `.`.
    pub(crate) name: String,
    /// The type's number.
    pub(crate) qtype: u16,
    pub(crate) has_opt: bool,
    pub(crate) dnssec_ok: bool,
    pub(crate) checking_disabled: bool,
    /// When it came.
    pub(crate) at: Instant,
}

impl Query {
    /// The name in lower case.
    pub(crate) fn folded(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// Whether the name has a capital letter.
    pub(crate) fn is_mixed_case(&self) -> bool {
        self.name.bytes().any(|octet| octet.is_ascii_uppercase())
    }
}

/// What sockets and handle share.
#[derive(Debug, Default)]
struct Shared {
    habits: Mutex<Habits>,
    queries: Mutex<Vec<Query>>,
    connections: AtomicUsize,
    datagrams: AtomicUsize,
}

/// A running server. It ends when dropped.
#[derive(Debug)]
pub(crate) struct Scripted {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Scripted {
    fn new(habits: Habits, sockets: Sockets) -> Self {
        let shared = Arc::new(Shared { habits: Mutex::new(habits), ..Shared::default() });
        let mut server = Self { shared, address: sockets.address, runtime: None };
        server.serve(sockets);
        server
    }

    /// Its address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// As a server of a config: `udp://127.0.0.1:40001`.
    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// Every query that came, in order of arrival; also those that were dropped on purpose.
    pub(crate) fn queries(&self) -> Vec<Query> {
        self.shared.queries.lock().unwrap().clone()
    }

    /// The queries for a name, in any case.
    pub(crate) fn queries_for(&self, name: &str) -> Vec<Query> {
        let is_for = |query: &Query| query.name.eq_ignore_ascii_case(name.trim_end_matches('.'));
        self.queries().into_iter().filter(is_for).collect()
    }

    /// Forgets the queries that came.
    pub(crate) fn forget(&self) {
        self.shared.queries.lock().unwrap().clear();
    }

    /// Connections accepted so far, those closed at once included.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Changes habits and script. Open and missing ports change with the next [`Scripted::start`].
    pub(crate) fn change(&self, change: impl FnOnce(Habits) -> Habits) {
        let mut habits = self.shared.habits.lock().unwrap();
        *habits = change(std::mem::take(&mut habits));
    }

    /// Closes all its sockets; what waits for an answer gets none.
    pub(crate) fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // On a thread of its own: a runtime must not end inside another one.
            let end = std::thread::spawn(move || runtime.shutdown_timeout(Duration::from_secs(5)));
            end.join().unwrap();
        }
    }

    /// Serves again, at the same address and port.
    pub(crate) fn start(&mut self) {
        self.stop();
        let plan = self.shared.habits.lock().unwrap().ports();
        // A process that is being made may hold a copy of the old socket for a moment.
        let sockets = (0..500).find_map(|_| {
            let sockets = Sockets::open(self.address, plan);
            sockets.inspect_err(|_| std::thread::sleep(Duration::from_millis(10))).ok()
        });
        self.serve(sockets.unwrap_or_else(|| panic!("{} is not free again", self.address)));
    }

    fn serve(&mut self, sockets: Sockets) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        {
            let _inside = runtime.enter();
            sockets.serve(&self.shared);
        }
        self.runtime = Some(runtime);
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Habits {
    /// A server with these habits at 127.0.0.1.
    pub(crate) fn start(self) -> Scripted {
        let [server] = together([("127.0.0.1", self)]);
        server
    }

    /// A server with these habits at an address and port.
    pub(crate) fn start_at(self, address: SocketAddr) -> std::io::Result<Scripted> {
        let sockets = Sockets::open(address, self.ports())?;
        Ok(Scripted::new(self, sockets))
    }
}

/// Servers at addresses of their own that have one port.
pub(crate) fn together<const N: usize>(wanted: [(&str, Habits); N]) -> [Scripted; N] {
    let addresses = wanted.each_ref().map(|(address, _)| address.parse::<IpAddr>().unwrap());
    let ports = wanted.each_ref().map(|(_, habits)| habits.ports());
    for _ in 0..100 {
        let mut port = 0;
        let mut opened = Vec::new();
        for (ip, plan) in addresses.iter().zip(ports) {
            let Ok(sockets) = Sockets::open(SocketAddr::new(*ip, port), plan) else { break };
            port = sockets.address.port();
            opened.push(sockets);
        }
        // The number may be taken at one of the addresses: then another one is drawn.
        if opened.len() == N {
            let mut opened = opened.into_iter();
            return wanted.map(|(_, habits)| Scripted::new(habits, opened.next().unwrap()));
        }
    }
    panic!("no port is free at all of {addresses:?}");
}
