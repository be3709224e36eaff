//! A persistent connection, shared by concurrent queries and reopened when it is lost.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::dns::message::Question;
use crate::upstream::habits::Habits;
use crate::upstream::health::Failure;
use crate::upstream::message::Reply;
use crate::upstream::message::query::QueryForm;
use crate::upstream::message::reading::Reading;

/// A handshake may take longer than one try: on a satellite link three round trips do.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Silence after a query from which a connection takes no further query.
const SILENCE: Duration = Duration::from_secs(1);
/// Pauses before the connections that replace a lost one: a server starts anew within them.
const AGAIN: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(300)];
/// How long a server that answers once a connection is asked so.
const SINGLES: Duration = Duration::from_secs(600);
/// The most connections of one question each at one time.
const HANDSHAKES: usize = 64;
/// How long a server without a connection is not asked for a second opinion.
const PAUSE: Duration = Duration::from_secs(60);

/// Handle of a connection that many queries share at once.
pub(in crate::upstream) trait Link: Clone + Send + 'static {
    /// Its address, and all that is needed to connect.
    type Target: Clone;

    /// Opens a connection.
    fn connect(
        target: Self::Target,
    ) -> impl Future<Output = Result<Self, Failure>> + Send + 'static;

    /// Whether a query can still be sent over it.
    fn is_open(&self) -> bool;

    /// Its liveness.
    fn pulse(&self) -> &Arc<Pulse>;

    /// Sends one question, and waits for its reply.
    fn ask(
        &self,
        question: &Question,
        form: QueryForm,
    ) -> impl Future<Output = Result<Reply, Failure>> + Send;
}

/// Client of a server, over one persistent connection.
#[derive(Debug)]
pub(in crate::upstream) struct SharedConnection<L: Link> {
    target: L::Target,
    kept: Kept<L>,
    /// Until when each question has a connection of its own.
    singles: Mutex<Option<Instant>>,
    /// Bounds the handshakes of those.
    handshakes: Semaphore,
}

impl<L: Link> SharedConnection<L> {
    /// A client; it connects at the first question.
    pub(in crate::upstream) fn new(target: L::Target) -> Self {
        Self {
            target,
            kept: Kept::new(),
            singles: Mutex::default(),
            handshakes: Semaphore::new(HANDSHAKES),
        }
    }

    /// Sends a question; where its OPT is not understood, once more without (RFC 6891 §7).
    pub(in crate::upstream) async fn exchange(
        &self,
        question: &Question,
        habits: &Habits,
    ) -> Result<Reply, Failure> {
        let form = QueryForm { edns: habits.has_edns(Instant::now()), ..QueryForm::PLAIN };
        let reply = self.ask(question, form).await?;
        if reply.reading != Reading::NotUnderstood {
            return Ok(reply);
        }
        let again = self.ask(question, QueryForm { edns: false, ..form }).await;
        Ok(match again {
            Ok(again) => {
                if !matches!(again.reading, Reading::Rejected(_)) {
                    habits.note_without_opt(Instant::now());
                }
                again
            }
            Err(_) => reply,
        })
    }

    /// False for a while after a handshake that failed.
    pub(in crate::upstream) fn is_worth_trying(&self) -> bool {
        self.kept.has_not_failed_since(PAUSE)
    }

    /// Sends a question over the open connection, or over a new one.
    ///
    /// A server may close a connection just when it is used (RFC 7766 §6.2.4), and an expired NAT
    /// entry swallows what is sent: then a new one is made.
    async fn ask(&self, question: &Question, form: QueryForm) -> Result<Reply, Failure> {
        let since = Instant::now();
        if self.singles().is_some_and(|until| since < until) {
            return self.ask_alone(question, form).await;
        }
        let (connection, reused) = self.kept.get(|| L::connect(self.target.clone())).await?;
        let mut first = pin!(connection.ask(question, form));
        let patience = if reused { SILENCE } else { CONNECT_TIMEOUT };
        match timeout(patience, &mut first).await {
            Ok(Err(Failure::Network)) => self.ask_again(question, form).await,
            Ok(result) => result,
            Err(_) if !connection.pulse().is_silent_since(since) => first.await,
            Err(_) => {
                connection.pulse().lose();
                let mut second = pin!(self.ask_again(question, form));
                tokio::select! {
                    Ok(reply) = &mut first => Ok(reply),
                    reply = &mut second => reply,
                }
            }
        }
    }

    /// Sends a question again whose connection was lost. The server may be starting anew.
    async fn ask_again(&self, question: &Question, form: QueryForm) -> Result<Reply, Failure> {
        for pause in AGAIN {
            tokio::time::sleep(pause).await;
            let connecting = self.kept.get(|| L::connect(self.target.clone())).await;
            let Ok((connection, _)) = connecting else { continue };
            match connection.ask(question, form).await {
                Err(Failure::Network) => {}
                result => return result,
            }
            // Closed twice: a server that answers once a connection.
            let reply = self.ask_alone(question, form).await?;
            *self.singles() = Some(Instant::now() + SINGLES);
            return Ok(reply);
        }
        Err(Failure::Network)
    }

    /// Sends a question over a connection of its own.
    async fn ask_alone(&self, question: &Question, form: QueryForm) -> Result<Reply, Failure> {
        let _handshake = self.handshakes.acquire().await.map_err(|_| Failure::Network)?;
        let connecting = timeout(CONNECT_TIMEOUT, L::connect(self.target.clone())).await;
        connecting.map_err(|_| Failure::Timeout)??.ask(question, form).await
    }

    fn singles(&self) -> MutexGuard<'_, Option<Instant>> {
        self.singles.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// True while a handshake is under way, too.
    fn has_not_failed_since(&self, pause: Duration) -> bool {
        let Ok(slot) = self.0.try_lock() else { return true };
        slot.failed.is_none_or(|at| at.elapsed() > pause)
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
            let made = timeout(CONNECT_TIMEOUT, connecting).await;
            let made = made.unwrap_or(Err(Failure::Timeout));
            match &made {
                Ok(link) => (slot.link, slot.failed) = (Some(link.clone()), None),
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
pub(in crate::upstream) struct Pulse {
    heard: Mutex<Instant>,
    lost: AtomicBool,
}

impl Pulse {
    pub(in crate::upstream) fn new() -> Arc<Self> {
        Arc::new(Self { heard: Mutex::new(Instant::now()), lost: AtomicBool::new(false) })
    }

    /// Records that octets arrived.
    pub(in crate::upstream) fn beat(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Marks the connection as lost: it takes no further query.
    pub(in crate::upstream) fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    pub(in crate::upstream) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether nothing has arrived since then.
    pub(in crate::upstream) fn is_silent_since(&self, since: Instant) -> bool {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) < since
    }

    /// The guard of a waiting query. Dropped when nothing has arrived for [`SILENCE`], it marks the
    /// connection as lost.
    pub(in crate::upstream) fn listen(self: &Arc<Self>) -> Listening {
        Listening { pulse: Arc::clone(self), since: Instant::now() }
    }
}

/// See [`Pulse::listen`].
#[derive(Debug)]
pub(in crate::upstream) struct Listening {
    pulse: Arc<Pulse>,
    since: Instant,
}

impl Drop for Listening {
    fn drop(&mut self) {
        if self.pulse.is_silent_since(self.since) && self.since.elapsed() >= SILENCE {
            self.pulse.lose();
        }
    }
}
