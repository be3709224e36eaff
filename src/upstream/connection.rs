//! A persistent connection, shared by concurrent queries and reopened when it is lost.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::health::Failure;
use crate::dns::message::Question;

/// A handshake may take longer than one try: on a satellite link three round trips do.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Silence after a query from which a connection takes no further query.
const SILENCE: Duration = Duration::from_secs(1);

/// Handle of a connection that many queries share at once.
pub(super) trait Link: Clone + Send + 'static {
    /// Its address, and all that is needed to connect.
    type Target: Clone;

    /// Opens a connection.
    fn connect(
        target: Self::Target,
    ) -> impl Future<Output = Result<Self, Failure>> + Send + 'static;

    /// Whether a query can still be sent over it.
    fn is_open(&self) -> bool;

    /// Sends one question, and waits for its reply.
    fn ask(&self, question: &Question) -> impl Future<Output = Result<Vec<u8>, Failure>> + Send;
}

/// Client of a server, over one persistent connection.
#[derive(Debug)]
pub(super) struct SharedConnection<L: Link> {
    target: L::Target,
    kept: Kept<L>,
}

impl<L: Link> SharedConnection<L> {
    /// A client; it connects at the first question.
    pub(super) fn new(target: L::Target) -> Self {
        Self { target, kept: Kept::new() }
    }

    /// Sends a question over the open connection, or over a new one.
    ///
    /// A server may close an idle connection just when it is used (RFC 7766 §6.2.4):
    /// then a new one is made, once.
    pub(super) async fn exchange(&self, question: &Question) -> Result<Vec<u8>, Failure> {
        let connect = || L::connect(self.target.clone());
        let (connection, reused) = self.kept.get(connect).await?;
        match connection.ask(question).await {
            Err(Failure::Network) if reused => {
                let (connection, _) = self.kept.get(connect).await?;
                connection.ask(question).await
            }
            result => result,
        }
    }
}

/// The slot of the shared connection.
#[derive(Debug)]
struct Kept<L>(Arc<tokio::sync::Mutex<Slot<L>>>);

#[derive(Debug)]
struct Slot<L> {
    link: Option<L>,
    failed: Option<Instant>,
}

impl<L: Link> Kept<L> {
    fn new() -> Self {
        Self(Arc::new(tokio::sync::Mutex::new(Slot { link: None, failed: None })))
    }

    /// The connection, and whether it was open before.
    ///
    /// All callers wait for one handshake. It continues when its caller gives up, so that the
    /// next question finds it done. A caller that waited while it failed gets that failure: callers
    /// must never try again one after another.
    async fn get<F>(&self, connect: impl FnOnce() -> F) -> Result<(L, bool), Failure>
    where
        F: Future<Output = Result<L, Failure>> + Send + 'static,
    {
        let asked = Instant::now();
        let mut slot = Arc::clone(&self.0).lock_owned().await;
        if let Some(link) = slot.link.as_ref().filter(|link| link.is_open()) {
            return Ok((link.clone(), true));
        }
        slot.link = None;
        if slot.failed.is_some_and(|at| at >= asked) {
            return Err(Failure::Network);
        }
        let connecting = connect();
        let handshake = tokio::spawn(async move {
            let made = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
            let made = made.unwrap_or(Err(Failure::Timeout));
            match &made {
                Ok(link) => slot.link = Some(link.clone()),
                Err(_) => slot.failed = Some(Instant::now()),
            }
            made
        });
        let link = handshake.await.map_err(|_| Failure::Network)??;
        Ok((link, false))
    }
}

/// Liveness of a connection, judged by its queries.
///
/// TCP detects a cut cable, a restarted gateway or an expired NAT entry only after minutes; a
/// query without a reply detects it after [`SILENCE`].
#[derive(Debug)]
pub(super) struct Pulse {
    heard: Mutex<Instant>,
    lost: AtomicBool,
}

impl Pulse {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { heard: Mutex::new(Instant::now()), lost: AtomicBool::new(false) })
    }

    /// Records that octets arrived.
    pub(super) fn beat(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Marks the connection as lost: it takes no further query.
    pub(super) fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// The guard of a waiting query. Dropped when nothing has arrived for [`SILENCE`], it marks the
    /// connection as lost.
    pub(super) fn listen(self: &Arc<Self>) -> Listening {
        Listening { pulse: Arc::clone(self), since: Instant::now() }
    }
}

/// See [`Pulse::listen`].
#[derive(Debug)]
pub(super) struct Listening {
    pulse: Arc<Pulse>,
    since: Instant,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let heard = *self.pulse.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard < self.since && self.since.elapsed() >= SILENCE {
            self.pulse.lose();
        }
    }
}
