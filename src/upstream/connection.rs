//! A persistent connection, shared by questions and made again when it is gone.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::health::Failure;
use crate::dns::message::Question;

/// A handshake may take longer than one try: on a satellite link three round trips do.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// A connection that is silent for this long after a question gets no other question.
const SILENCE: Duration = Duration::from_secs(1);

/// A handle to a connection over which many questions are asked at once.
pub(super) trait Link: Clone + Send + 'static {
    /// Where it leads, and all that is needed to make it.
    type Target: Clone;

    /// A new connection.
    fn connect(
        target: Self::Target,
    ) -> impl Future<Output = Result<Self, Failure>> + Send + 'static;

    /// Whether it is worth sending something.
    fn is_open(&self) -> bool;

    /// The reply to one question.
    fn ask(&self, question: &Question) -> impl Future<Output = Result<Vec<u8>, Failure>> + Send;
}

/// A server that is asked over one persistent connection.
#[derive(Debug)]
pub(super) struct SharedConnection<L: Link> {
    target: L::Target,
    kept: Kept<L>,
}

impl<L: Link> SharedConnection<L> {
    /// Nothing is connected before the first question.
    pub(super) fn new(target: L::Target) -> Self {
        Self { target, kept: Kept::new() }
    }

    /// Asks, over the open connection where there is one.
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

/// The place of one connection.
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

    /// The connection, and whether it was there before.
    ///
    /// All callers wait for one handshake. It continues when its caller gives up, so that the
    /// next question finds it done; a caller that waited while it failed shares the failure:
    /// callers do not try again one after another.
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

/// Whether the far end of a connection is still there.
///
/// TCP notices a cut cable, a restarted gateway or an expired NAT entry only
/// after minutes; questions notice at once.
#[derive(Debug)]
pub(super) struct Pulse {
    heard: Mutex<Instant>,
    lost: AtomicBool,
}

impl Pulse {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { heard: Mutex::new(Instant::now()), lost: AtomicBool::new(false) })
    }

    /// Something arrived.
    pub(super) fn beat(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// The connection is not to be used for further questions.
    pub(super) fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// A guard of a question that waits. Dropped after a long silence, it gives the connection
    /// up.
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
