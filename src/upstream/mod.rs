//! Upstream servers: whom to ask, when to ask somebody else, and the whole answer back.
//!
//! - [`Upstreams`] has the servers, and [`Upstreams::ask`] is all a resolver needs.
//! - [`ServerState`] is one server's counters and health, for the metrics.
//! - One file per way of speaking: `udp`, `stream` (TCP and TLS), `https`.
//!
//! The answer is the octets that the server sent: NXDOMAIN with its SOA, EDE, AD
//! and all. hickory's name server and pool would turn it into an error without
//! them, so this sits below both (`docs/decisions/0001-…`).
//!
//! Each try runs to its end even when another one has won: a server that is slow
//! or silent is learnt about, and costs the client nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::config::sections::server::{Server, ServerTransport};
use crate::dns::message::Question;
use crate::sys::clock::Dates;
use crate::sys::tls::{Tls, TlsError};

mod addresses;
mod connection;
mod health;
mod https;
mod query;
mod race;
mod stream;
mod udp;
pub mod zones;

pub use addresses::addresses;
pub use health::{ExchangeDurations, Failure, ServerState};

/// One question in this many also goes to a server that is not asked first, to learn its speed.
const LOOK_AROUND: u64 = 64;

/// How long, how often and how many.
#[derive(Debug, Clone)]
pub struct Options {
    /// For one try at one server.
    pub timeout: Duration,
    /// For one question, all tries together; a client gives up after two seconds or so.
    pub deadline: Duration,
    /// How often a question goes out over UDP when nobody answers and there are
    /// fewer servers than this.
    pub attempts: usize,
    /// Questions waiting at once; one more is [`AskError::Busy`].
    pub in_flight: usize,
    /// Tries under way at one server; one more goes to the next.
    pub server_in_flight: usize,
    /// Certificates, in PEM, that are trusted besides the public ones.
    pub tls_roots: Option<Vec<u8>>,
    /// Whether the dates of certificates can be judged.
    pub dates: Dates,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(1500),
            deadline: Duration::from_millis(1900),
            attempts: 3,
            in_flight: 4096,
            server_in_flight: 2048,
            tls_roots: None,
            dates: Dates::default(),
        }
    }
}

/// Why the servers cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// No server is configured, and the system names none either.
    #[error(
        "no upstream server: the config names none and the system's could not be read ({0}); \
         set `servers` in [upstream]"
    )]
    NoServer(String),
    /// Nothing that a certificate could be for.
    #[error("`{0}`: `{1}` cannot stand in a certificate; put the server's host name after `#`")]
    CertificateName(String, String),
    /// The extra certificates cannot be used, or TLS not at all.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// No server answered in time.
    #[error("no upstream server answered in time")]
    Timeout,
    /// No server could be reached.
    #[error("no upstream server could be reached")]
    Network,
    /// What came back could not be read.
    #[error("no upstream server sent a readable answer")]
    Malformed,
    /// The answer did not fit UDP, and TCP failed.
    #[error("the answer is too long for UDP, and no upstream server gave it over TCP")]
    Truncated,
    /// Too many questions are waiting already.
    #[error("too many questions are waiting for upstream")]
    Busy,
}

/// What upstream said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamAnswer {
    /// The whole message as it was sent, but for the question's letters, which are
    /// put back into lower case. The id means nothing to the client.
    pub octets: Vec<u8>,
    /// Who said it: an index into [`Upstreams::servers`].
    pub server: usize,
}

/// The servers, their connections and their health. Shared by `Arc`.
#[derive(Debug)]
pub struct Upstreams(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    states: Vec<ServerState>,
    endpoints: Vec<Endpoint>,
    options: Options,
    slots: Arc<Semaphore>,
    asked: AtomicU64,
}

#[derive(Debug)]
enum Endpoint {
    Udp(udp::UdpClient),
    Stream(stream::StreamClient),
    Https(https::HttpsClient),
}

/// A try that gave no usable answer, and the message in which the server said so.
struct Refusal {
    failure: Failure,
    message: Option<Vec<u8>>,
}

impl Upstreams {
    /// Sets the servers up; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`UpstreamError`]; without a server too.
    pub fn new(servers: &[Server], options: Options) -> Result<Self, UpstreamError> {
        if servers.is_empty() {
            return Err(UpstreamError::NoServer("none is given".into()));
        }
        let tls = Tls::new(options.tls_roots.as_deref(), options.dates.clone())?;
        let endpoints = servers.iter().map(|server| Endpoint::new(server, &tls));
        Ok(Self(Arc::new(Inner {
            endpoints: endpoints.collect::<Result<_, _>>()?,
            states: servers.iter().map(|server| ServerState::new(server.label.clone())).collect(),
            slots: Arc::new(Semaphore::new(options.in_flight)),
            options,
            asked: AtomicU64::default(),
        })))
    }

    /// The answer of the first server that gave a usable one.
    ///
    /// SERVFAIL, REFUSED, FORMERR and NOTIMP are not usable while somebody else can
    /// be asked. When all servers said such a thing the last message is the answer.
    pub async fn ask(&self, question: &Question) -> Result<UpstreamAnswer, AskError> {
        let permit = Arc::clone(&self.0.slots).try_acquire_owned().map_err(|_| AskError::Busy)?;
        let permit = Arc::new(permit);
        let order = self.0.order();
        self.0.look_around(&order, question, &permit);
        race::Race::new(&self.0, question, permit, order).run().await
    }

    /// Whether every server is put back for failing again and again.
    pub fn are_down(&self) -> bool {
        !self.0.states.iter().any(ServerState::is_up)
    }

    /// The servers, in the order of the config.
    pub fn servers(&self) -> &[ServerState] {
        &self.0.states
    }
}

impl Inner {
    /// Whom to ask: healthy servers first, then those put back; nobody is left out.
    ///
    /// Among the healthy the config's order holds, unless the first is more than
    /// twice as slow as the fastest.
    fn order(&self) -> VecDeque<usize> {
        let (mut order, put_back): (VecDeque<_>, VecDeque<_>) =
            (0..self.states.len()).partition(|&index| self.is_up(index));
        let smoothed = |index: &usize| self.states.get(*index).and_then(ServerState::smoothed);
        if let Some(fastest) = order.iter().filter_map(smoothed).min() {
            let bearable = fastest * 2 + Duration::from_millis(10);
            let first =
                order.iter().position(|index| smoothed(index).is_none_or(|t| t <= bearable));
            if let Some(index) = first.and_then(|place| order.remove(place)) {
                order.push_front(index);
            }
        }
        order.extend(put_back);
        order
    }

    fn is_up(&self, index: usize) -> bool {
        self.states.get(index).is_some_and(ServerState::is_up)
    }

    /// Sends the question to servers that are put back or rarely asked as well, in the
    /// background: the client does not wait for what is learnt.
    fn look_around(
        self: &Arc<Self>,
        order: &VecDeque<usize>,
        question: &Question,
        permit: &Arc<OwnedSemaphorePermit>,
    ) {
        let now = Instant::now();
        let turn = self.asked.fetch_add(1, Ordering::Relaxed) % LOOK_AROUND == LOOK_AROUND - 1;
        for &index in order.iter().skip(1) {
            let Some(state) = self.states.get(index) else { continue };
            if state.claim_recheck(now) || (turn && state.is_up()) {
                let (inner, question) = (Arc::clone(self), question.clone());
                let permit = Arc::clone(permit);
                tokio::spawn(async move {
                    let _ = inner.attempt(index, &question).await;
                    drop(permit);
                });
            }
        }
    }

    /// One try at one server, with everything that is booked about it.
    async fn attempt(&self, index: usize, question: &Question) -> Result<Vec<u8>, Refusal> {
        let (Some(state), Some(endpoint)) = (self.states.get(index), self.endpoints.get(index))
        else {
            return Err(Refusal { failure: Failure::Network, message: None });
        };
        let Some(_place) = state.start(self.options.server_in_flight) else {
            return Err(Refusal { failure: Failure::Busy, message: None });
        };
        let started = Instant::now();
        let exchange = tokio::time::timeout(self.options.timeout, endpoint.exchange(question));
        let outcome = match exchange.await {
            Err(_) => Err(Refusal { failure: Failure::Timeout, message: None }),
            Ok(Err(failure)) => Err(Refusal { failure, message: None }),
            Ok(Ok(message)) => usable(message),
        };
        match &outcome {
            Ok(_) => state.book_answer(started.elapsed()),
            Err(refusal) => state.book_failure(refusal.failure, Instant::now()),
        }
        outcome
    }
}

/// Sorts what arrived into answers and rejections.
fn usable(message: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    let failure = match query::Rejection::of(&message) {
        // Over TCP and HTTPS everything fits: TC there is an error of the server.
        None if query::is_truncated(&message) => {
            return Err(Refusal { failure: Failure::Truncated, message: None });
        }
        None => return Ok(message),
        Some(query::Rejection::ServFail) => Failure::ServFail,
        Some(query::Rejection::Refused) => Failure::Refused,
        Some(query::Rejection::NotUnderstood) => Failure::NotUnderstood,
    };
    let message = query::has_question(&message).then_some(message);
    Err(Refusal { failure, message })
}

impl Endpoint {
    fn new(server: &Server, tls: &Tls) -> Result<Self, UpstreamError> {
        let name = server.tls_name.clone().unwrap_or_else(|| server.address.ip().to_string());
        let refused = || UpstreamError::CertificateName(server.label.clone(), name.clone());
        let certified = ServerName::try_from(name.clone()).map_err(|_| refused());
        Ok(match server.transport {
            ServerTransport::Udp => Self::Udp(udp::UdpClient::new(server.address)),
            ServerTransport::Tcp => Self::Stream(stream::tcp(server.address)),
            ServerTransport::Tls => {
                Self::Stream(stream::tls(server.address, certified?, tls.clone()))
            }
            ServerTransport::Https => {
                // hickory makes the URL's authority of it, without brackets.
                if certified?.to_str().contains(':') {
                    return Err(refused());
                }
                Self::Https(https::client(server.address, &name, &server.path, tls.clone()))
            }
        })
    }

    async fn exchange(&self, question: &Question) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Udp(client) => client.exchange(question).await,
            Self::Stream(client) => client.exchange(question).await,
            Self::Https(client) => client.exchange(question).await,
        }
    }

    /// Whether sending the question once more can help while an answer may be on its way.
    fn loses_packets(&self) -> bool {
        matches!(self, Self::Udp(_))
    }
}

/// The system's resolvers, over UDP.
///
/// # Errors
///
/// [`UpstreamError::NoServer`].
pub fn system_servers() -> Result<Vec<Server>, UpstreamError> {
    let (config, _) = hickory_resolver::system_conf::read_system_conf()
        .map_err(|error| UpstreamError::NoServer(error.to_string()))?;
    let servers = config.name_servers().iter().map(|server| Server {
        label: format!("udp://{}", server.ip),
        transport: ServerTransport::Udp,
        address: (server.ip, 53).into(),
        tls_name: None,
        path: String::new(),
    });
    let servers: Vec<_> = servers.collect();
    if servers.is_empty() {
        return Err(UpstreamError::NoServer("it has no name server".into()));
    }
    Ok(servers)
}
