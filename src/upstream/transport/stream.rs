//! DNS over TCP and TLS: questions pipelined on one persistent connection, answered in any order
//! (RFC 7766).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsConnector;

use super::connection::{Link, Pulse, SharedConnection};
use crate::dns::message::Question;
use crate::sys::tls::Tls;
use crate::upstream::health::Failure;
use crate::upstream::message::Reply;
use crate::upstream::message::query::{Match, QueryForm, UpstreamQuery};
use crate::upstream::place::Place;

/// The most queries that wait on one connection: with 1 of 16 ids in use, a random one is soon
/// free, and hard to guess.
const MAX_WAITING: usize = 4096;
/// Queries on their way to the socket; more wait for room.
const QUEUE: usize = 64;

/// Client of a server over a stream.
pub(in crate::upstream) type StreamClient = SharedConnection<StreamConnection>;

/// DNS over TCP.
pub(in crate::upstream) fn tcp(place: Place) -> StreamClient {
    SharedConnection::new(StreamTarget { place, tls: None })
}

/// DNS over TLS: the certificate must be for `name`.
pub(in crate::upstream) fn tls(place: Place, name: ServerName<'static>, tls: Tls) -> StreamClient {
    SharedConnection::new(StreamTarget { place, tls: Some((tls, name)) })
}

/// The target of a stream.
#[derive(Debug, Clone)]
pub(in crate::upstream) struct StreamTarget {
    place: Place,
    tls: Option<(Tls, ServerName<'static>)>,
}

/// An open connection; its task ends when the last handle is dropped or the server closes.
#[derive(Debug, Clone)]
pub(in crate::upstream) struct StreamConnection {
    outgoing: mpsc::Sender<Vec<u8>>,
    waiting: Arc<Waiting>,
    pulse: Arc<Pulse>,
}

impl Link for StreamConnection {
    type Target = StreamTarget;

    async fn connect(StreamTarget { place, tls }: StreamTarget) -> Result<Self, Failure> {
        let address = place.now().ok_or(Failure::Network)?;
        let stream = TcpStream::connect(address).await.map_err(|_| Failure::Network)?;
        stream.set_nodelay(true).map_err(|_| Failure::Network)?;
        let Some((tls, name)) = tls else { return Ok(Self::over(stream)) };
        match TlsConnector::from(tls.config()).connect(name, stream).await {
            Ok(stream) => Ok(Self::over(stream)),
            Err(error) => {
                tracing::warn!(%address, %error, "upstream TLS handshake failed");
                Err(Failure::Network)
            }
        }
    }

    fn is_open(&self) -> bool {
        !self.outgoing.is_closed() && !self.pulse.is_lost()
    }

    fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    async fn ask(&self, question: &Question, form: QueryForm) -> Result<Reply, Failure> {
        let _listening = self.pulse.listen();
        let (entry, octets, reply) = self.waiting.enter(question, form).ok_or(Failure::Network)?;
        self.outgoing.send(octets).await.map_err(|_| Failure::Network)?;
        let reply = reply.await;
        drop(entry);
        reply.map_err(|_| Failure::Network)
    }
}

impl StreamConnection {
    fn over(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (outgoing, queue) = mpsc::channel(QUEUE);
        let (waiting, pulse) = (Arc::<Waiting>::default(), Pulse::new());
        let (incoming, sink) = tokio::io::split(stream);
        let (entrants, beats) = (Arc::clone(&waiting), Arc::clone(&pulse));
        tokio::spawn(async move {
            tokio::select! {
                () = read_replies(incoming, &entrants, &beats) => {}
                () = write_queries(sink, queue) => {}
            }
            // In this order: first no query can enter, then those inside end.
            beats.lose();
            entrants.close();
        });
        Self { outgoing, waiting, pulse }
    }
}

/// The questions that were sent and not answered, by id.
#[derive(Debug, Default)]
struct Waiting(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<u16, Waiter>,
    /// Questions entered so far: ids come round again, this does not.
    entered: u64,
    closed: bool,
}

#[derive(Debug)]
struct Waiter {
    serial: u64,
    query: UpstreamQuery,
    form: QueryForm,
    reply: oneshot::Sender<Reply>,
}

impl Waiting {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws an id for `question` and enters it; `None` when closed or full.
    fn enter(
        self: &Arc<Self>,
        question: &Question,
        form: QueryForm,
    ) -> Option<(Entered, Vec<u8>, oneshot::Receiver<Reply>)> {
        let mut table = self.table();
        if table.closed || table.by_id.len() >= MAX_WAITING {
            return None;
        }
        table.entered += 1;
        let serial = table.entered;
        loop {
            let id = rand::random();
            let Entry::Vacant(place) = table.by_id.entry(id) else { continue };
            let query = UpstreamQuery::new(question, id, form, || false);
            let length = query.octets().len() as u16;
            let octets = [&length.to_be_bytes(), query.octets()].concat();
            let (reply, receiver) = oneshot::channel();
            place.insert(Waiter { serial, query, form, reply });
            return Some((Entered { waiting: Arc::clone(self), id, serial }, octets, receiver));
        }
    }

    /// Delivers `reply` to its query. Case (0x20) is not checked: a stream is not spoofed.
    fn deliver(&self, mut reply: Vec<u8>) {
        let Some(id) = reply.first_chunk().map(|id| u16::from_be_bytes(*id)) else { return };
        let mut table = self.table();
        let Entry::Occupied(entry) = table.by_id.entry(id) else { return };
        // A bare header is believed here, where nobody else can write.
        if entry.get().query.judge(&reply) != Match::Other {
            let Waiter { query, form, reply: receiver, .. } = entry.remove();
            // A reply that came too late has no receiver.
            let _ = receiver.send(Reply::of(&mut reply, &query, form));
        }
    }

    fn close(&self) {
        let mut table = self.table();
        table.closed = true;
        table.by_id.clear();
    }
}

/// Guard of a query in the table: removes it however the wait ends.
struct Entered {
    waiting: Arc<Waiting>,
    id: u16,
    serial: u64,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut table = self.waiting.table();
        if table.by_id.get(&self.id).is_some_and(|waiter| waiter.serial == self.serial) {
            table.by_id.remove(&self.id);
        }
    }
}

async fn read_replies(stream: impl AsyncRead + Unpin, waiting: &Waiting, pulse: &Pulse) {
    let mut stream = BufReader::new(stream);
    while let Ok(length) = stream.read_u16().await {
        let mut reply = vec![0; usize::from(length)];
        if stream.read_exact(&mut reply).await.is_err() {
            return;
        }
        pulse.beat();
        waiting.deliver(reply);
    }
}

async fn write_queries(stream: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<Vec<u8>>) {
    let mut stream = BufWriter::new(stream);
    while let Some(query) = queue.recv().await {
        if stream.write_all(&query).await.is_err() {
            return;
        }
        // All messages in the queue leave in one segment.
        if queue.is_empty() && stream.flush().await.is_err() {
            return;
        }
    }
    let _ = stream.shutdown().await;
}
