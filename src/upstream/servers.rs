//! Selection order of the servers, and one exchange with one of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use super::error::UpstreamError;
use super::habits::Habits;
use super::health::{Failure, ServerState};
use super::message::Reply;
use super::options::Options;
use super::place::Place;
use super::transport::{Hint, https, stream, udp};
use crate::config::sections::server::{Server, ServerTransport};
use crate::dns::message::Question;
use crate::sys::tls::Tls;

/// One question in this many also goes to a server that is not asked first, to learn its speed.
const LOOK_AROUND: u64 = 64;

/// The answer of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamAnswer {
    /// The whole message as it was sent, but for the question's letters, which are
    /// put back into lower case. The id means nothing to the client.
    pub octets: Vec<u8>,
    /// The server that sent it, as a place in the config's order.
    pub server: usize,
}

/// A question under way, shared by its tries.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) question: Question,
    pub(super) hint: Hint,
}

/// The way of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The transport of the config.
    Usual,
    /// TCP in the place of UDP; without a connection, lower case over UDP.
    Other,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) servers: Vec<Server>,
    pub(super) states: Vec<Arc<ServerState>>,
    endpoints: Vec<Arc<Endpoint>>,
    pub(super) options: Options,
    asked: AtomicU64,
    /// Whether no server was up when a try ended last.
    is_down: AtomicBool,
}

#[derive(Debug)]
enum Endpoint {
    Udp(udp::UdpClient),
    Stream(stream::StreamClient, Habits),
    Https(https::HttpsClient, Habits),
}

impl Inner {
    /// Sets servers up; nothing is sent.
    pub(super) fn new(servers: &[Server], options: Options) -> Result<Self, UpstreamError> {
        let tls = Tls::new(options.tls_roots.as_deref(), options.dates.clone())?;
        let endpoints = servers.iter().map(|server| Endpoint::new(server, &tls).map(Arc::new));
        let state = |server: &Server| Arc::new(ServerState::new(server.label.clone()));
        Ok(Self {
            endpoints: endpoints.collect::<Result<_, _>>()?,
            states: servers.iter().map(state).collect(),
            servers: servers.to_vec(),
            options,
            asked: AtomicU64::default(),
            is_down: AtomicBool::default(),
        })
    }

    /// Other servers under the same options. Those that stay have their connections,
    /// counters and health; what is under way ends where it began.
    pub(super) fn followed_by(&self, servers: &[Server]) -> Result<Self, UpstreamError> {
        let mut next = Self::new(servers, self.options.clone())?;
        next.is_down = AtomicBool::new(self.is_down.load(Ordering::Relaxed));
        for (at, server) in servers.iter().enumerate() {
            let Some(old) = self.servers.iter().position(|old| old == server) else { continue };
            if let (Some(state), Some(kept)) = (next.states.get_mut(at), self.states.get(old)) {
                *state = Arc::clone(kept);
            }
            if let (Some(end), Some(kept)) = (next.endpoints.get_mut(at), self.endpoints.get(old)) {
                *end = Arc::clone(kept);
            }
        }
        Ok(next)
    }

    /// The order to ask in: healthy servers first, then those put back; none is left out.
    ///
    /// Among the healthy, those that are overdue come last. For the others the config's order applies, but the first must not be over 10 ms slower
    /// than twice the time of the fastest.
    pub(super) fn order(&self) -> VecDeque<usize> {
        if self.states.len() == 1 {
            return VecDeque::from([0]);
        }
        let (mut order, put_back): (VecDeque<_>, VecDeque<_>) =
            (0..self.states.len()).partition(|&index| self.is_up(index));
        let smoothed = |index: &usize| self.states.get(*index).and_then(|state| state.smoothed());
        if let Some(fastest) = order.iter().filter_map(smoothed).min() {
            let bearable = fastest * 2 + Duration::from_millis(10);
            let first =
                order.iter().position(|index| smoothed(index).is_none_or(|t| t <= bearable));
            if let Some(index) = first.and_then(|place| order.remove(place)) {
                order.push_front(index);
            }
        }
        let overdue =
            |index: &usize| self.states.get(*index).is_some_and(|state| state.is_overdue());
        let (late, mut order): (VecDeque<_>, VecDeque<_>) = order.into_iter().partition(overdue);
        order.extend(late);
        order.extend(put_back);
        order
    }

    fn endpoint(&self, index: usize) -> Option<&Endpoint> {
        self.endpoints.get(index).map(|endpoint| &**endpoint)
    }

    pub(super) fn is_up(&self, index: usize) -> bool {
        self.states.get(index).is_some_and(|state| state.is_up())
    }

    /// Sends the question also to servers that are put back or rarely asked, in the background: the
    /// client never waits for the measurement.
    pub(super) fn look_around(self: &Arc<Self>, order: &VecDeque<usize>, asked: &Arc<Asked>) {
        if order.len() < 2 {
            return;
        }
        let now = Instant::now();
        let turn = self.asked.fetch_add(1, Ordering::Relaxed) % LOOK_AROUND == LOOK_AROUND - 1;
        for &index in order.iter().skip(1) {
            let Some(state) = self.states.get(index) else { continue };
            if state.waiting() < self.options.server_in_flight
                && (state.claim_recheck(now) || (turn && state.is_up()))
            {
                let (inner, asked) = (Arc::clone(self), Arc::clone(asked));
                tokio::spawn(async move {
                    let started = Instant::now();
                    let exchange = inner.exchange(index, Way::Usual, &asked);
                    let outcome = timeout(inner.options.timeout, exchange).await;
                    inner.book(
                        index,
                        &asked.question,
                        started,
                        &outcome.unwrap_or(Err(Failure::Timeout)),
                    );
                });
            }
        }
    }

    /// One exchange with one server.
    pub(super) async fn exchange(
        &self,
        index: usize,
        way: Way,
        asked: &Asked,
    ) -> Result<Reply, Failure> {
        let (Some(state), Some(endpoint)) = (self.states.get(index), self.endpoints.get(index))
        else {
            return Err(Failure::Network);
        };
        let _place = state.start();
        endpoint.exchange(way, asked).await
    }

    /// Records the end of a try in the counters and the health of its server.
    pub(super) fn book(
        &self,
        index: usize,
        question: &Question,
        started: Instant,
        outcome: &Result<Reply, Failure>,
    ) {
        let Some(state) = self.states.get(index) else { return };
        let now = Instant::now();
        match outcome {
            Ok(reply) => match reply.reading.failure() {
                None => state.book_answer(now - started, now),
                Some(failure) => state.book_rejection(failure, now),
            },
            Err(failure) => state.book_failure(*failure, question.qtype, started, now),
        }
        self.note_outage(state.is_up());
    }

    /// Logs once that no server is up any more, and once that one is again. `is_up` is of the server
    /// whose try has ended.
    fn note_outage(&self, is_up: bool) {
        let is_down = !is_up && self.states.iter().all(|state| !state.is_up());
        if self.is_down.load(Ordering::Relaxed) == is_down
            || self.is_down.swap(is_down, Ordering::Relaxed) == is_down
        {
            return;
        }
        let labels: Vec<&str> = self.states.iter().map(|state| state.label()).collect();
        let servers = labels.join(" ");
        if is_down {
            warn!(%servers, "no upstream server answers: what is not in the cache fails");
        } else {
            info!(%servers, "an upstream server answers again");
        }
    }

    /// Whether a server over UDP is to be asked over TCP first.
    pub(super) fn first_way(&self, index: usize, now: Instant) -> Way {
        match self.endpoint(index) {
            Some(Endpoint::Udp(client)) if client.habits().prefers_tcp(now) => Way::Other,
            _ => Way::Usual,
        }
    }

    /// Whether a server is reached over UDP: a packet may be lost, and TCP is another way.
    pub(super) fn loses_packets(&self, index: usize) -> bool {
        matches!(self.endpoint(index), Some(Endpoint::Udp(_)))
    }

    /// A try over UDP was silent where the other way answered, or it answered itself.
    pub(super) fn note_silence(&self, index: usize, is_silent: bool) {
        if let Some(Endpoint::Udp(client)) = self.endpoint(index) {
            client.habits().note_silence(is_silent, Instant::now());
        }
    }
}

impl Endpoint {
    fn new(server: &Server, tls: &Tls) -> Result<Self, UpstreamError> {
        let certificate = || {
            server
                .certificate()
                .map_err(|name| UpstreamError::CertificateName(server.label.clone(), name))
        };
        let (place, habits) = (Place::of(server), || Habits::new(false));
        Ok(match server.transport {
            ServerTransport::Udp => Self::Udp(udp::UdpClient::new(place, server.mixes_case)),
            ServerTransport::Tcp => Self::Stream(stream::tcp(place), habits()),
            ServerTransport::Tls => {
                Self::Stream(stream::tls(place, certificate()?, tls.clone()), habits())
            }
            ServerTransport::Https => {
                let name = certificate()?;
                let name = name.to_str();
                let client = https::client(place, &name, &server.path, tls.clone());
                Self::Https(client, habits())
            }
        })
    }

    async fn exchange(&self, way: Way, asked: &Asked) -> Result<Reply, Failure> {
        let Asked { question, hint } = asked;
        match self {
            Self::Udp(client) if way == Way::Usual => client.exchange(question, hint).await,
            // Boxed, so that an exchange over UDP is small.
            Self::Udp(client) => Box::pin(client.other_way(question)).await,
            Self::Stream(client, habits) => Box::pin(client.exchange(question, habits)).await,
            Self::Https(client, habits) => Box::pin(client.exchange(question, habits)).await,
        }
    }
}
