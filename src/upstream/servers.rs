//! Selection order of the servers, and one exchange with one of them.
//!
//! Each try runs to its end even when another one has won: its result updates the server's health,
//! and the client does not wait for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::error::UpstreamError;
use super::health::{Failure, ServerState};
use super::options::Options;
use super::{https, query, stream, udp};
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

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) states: Vec<ServerState>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) options: Options,
    pub(super) slots: Arc<Semaphore>,
    asked: AtomicU64,
}

#[derive(Debug)]
pub(super) enum Endpoint {
    Udp(udp::UdpClient),
    Stream(stream::StreamClient),
    Https(https::HttpsClient),
}

/// A try without a usable answer, and the message of the server, if it sent one.
pub(super) struct Refusal {
    pub(super) failure: Failure,
    pub(super) message: Option<Vec<u8>>,
}

impl Inner {
    /// Sets servers up; nothing is sent.
    pub(super) fn new(servers: &[Server], options: Options) -> Result<Self, UpstreamError> {
        if servers.is_empty() {
            return Err(UpstreamError::NoServer("none is given".into()));
        }
        let tls = Tls::new(options.tls_roots.as_deref(), options.dates.clone())?;
        let endpoints = servers.iter().map(|server| Endpoint::new(server, &tls));
        Ok(Self {
            endpoints: endpoints.collect::<Result<_, _>>()?,
            states: servers.iter().map(|server| ServerState::new(server.label.clone())).collect(),
            slots: Arc::new(Semaphore::new(options.in_flight)),
            options,
            asked: AtomicU64::default(),
        })
    }

    /// The order to ask in: healthy servers first, then those put back; none is left out.
    ///
    /// Among the healthy the config's order applies, but the first must not be over 10 ms slower
    /// than twice the time of the fastest.
    pub(super) fn order(&self) -> VecDeque<usize> {
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

    pub(super) fn is_up(&self, index: usize) -> bool {
        self.states.get(index).is_some_and(ServerState::is_up)
    }

    /// Sends the question also to servers that are put back or rarely asked, in the background: the
    /// client never waits for the measurement.
    pub(super) fn look_around(
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

    /// One try at one server, recorded in its counters and health.
    pub(super) async fn attempt(
        &self,
        index: usize,
        question: &Question,
    ) -> Result<Vec<u8>, Refusal> {
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

/// Sorts received messages into answers and rejections.
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
        let certificate = || {
            server
                .certificate()
                .map_err(|name| UpstreamError::CertificateName(server.label.clone(), name))
        };
        Ok(match server.transport {
            ServerTransport::Udp => Self::Udp(udp::UdpClient::new(server.address)),
            ServerTransport::Tcp => Self::Stream(stream::tcp(server.address)),
            ServerTransport::Tls => {
                Self::Stream(stream::tls(server.address, certificate()?, tls.clone()))
            }
            ServerTransport::Https => {
                let name = certificate()?;
                let name = name.to_str();
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
    pub(super) fn loses_packets(&self) -> bool {
        matches!(self, Self::Udp(_))
    }
}
