//! TCP: framed messages (RFC 1035 §4.2.2), pipelined, answered out of order (RFC 7766 §6.2.1).
//!
//! Bounded on every side: connections in all and per client, queries in flight
//! per connection, time without a whole query, time to take a reply.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tracing::debug;

use crate::metrics::counters::Event;
use crate::resolve::{Origin, Step, Transport, UpstreamFailure, begin};
use crate::serve::gateway::{Gateway, MAX_REPLY};
use crate::serve::listener::udp::NOWHERE;

/// How long a client may take to accept a reply.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that the kernel keeps while we are busy.
const BACKLOG: i32 = 1024;

/// What a client may take.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one address.
    pub per_client: usize,
    /// Time without a whole query after which a connection is closed.
    pub idle: Duration,
    /// Queries of one connection that wait for upstream.
    pub in_flight: usize,
}

/// Opens the listening socket of `address`.
///
/// # Errors
///
/// What the system said: the address is taken, or not ours, or needs a privilege.
pub fn open(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// All connections of the process.
#[derive(Debug)]
pub struct Connections {
    limits: StreamLimits,
    all: Arc<Semaphore>,
    clients: Mutex<HashMap<IpAddr, usize>>,
}

impl Connections {
    /// No connection yet.
    pub fn new(limits: StreamLimits) -> Self {
        let all = Arc::new(Semaphore::new(limits.connections));
        Self { limits, all, clients: Mutex::new(HashMap::new()) }
    }

    /// A place for one more connection of `client`, if there is one.
    fn enter(self: &Arc<Self>, client: IpAddr) -> Option<Place> {
        let permit = Arc::clone(&self.all).try_acquire_owned().ok()?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let count = clients.entry(client).or_default();
        if *count >= self.limits.per_client {
            return None;
        }
        *count += 1;
        Some(Place { connections: Arc::clone(self), client, _permit: permit })
    }
}

/// One connection's place, given back when it ends.
struct Place {
    connections: Arc<Connections>,
    client: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut clients = self.connections.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = clients.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                clients.remove(&self.client);
            }
        }
    }
}

/// Accepts connections until the task is aborted.
pub async fn accept(listener: TcpListener, gateway: Arc<Gateway>, connections: Arc<Connections>) {
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                let client = client.ip().to_canonical();
                // Over a limit the connection is closed at once: the client asks again.
                if let Some(place) = connections.enter(client) {
                    let (gateway, limits) = (Arc::clone(&gateway), connections.limits);
                    tokio::spawn(async move {
                        let _place = place;
                        serve(stream, client, &gateway, limits).await;
                    });
                }
            }
            Err(error) => {
                debug!(%error, "accept failed");
                // Out of file descriptors, mostly: wait for connections to end.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, client: IpAddr, gateway: &Arc<Gateway>, limits: StreamLimits) {
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr().unwrap_or(NOWHERE);
    let meta = Origin::plain(client, local, Transport::Tcp);
    let (reader, writer) = stream.into_split();
    let (replies, waiting) = mpsc::channel(limits.in_flight.max(1));
    let sender = tokio::spawn(write_replies(writer, waiting));
    if let Err(error) = read_queries(reader, meta, gateway, limits, replies).await {
        debug!(%error, "connection ended");
    }
    // The last replies still go out: the channel closes when no query waits any more.
    let _ = sender.await;
}

async fn read_queries(
    mut reader: OwnedReadHalf,
    meta: Origin,
    gateway: &Arc<Gateway>,
    limits: StreamLimits,
    replies: mpsc::Sender<Vec<u8>>,
) -> io::Result<()> {
    let in_flight = Arc::new(Semaphore::new(limits.in_flight));
    let mut query = Vec::new();
    let mut out = vec![0; MAX_REPLY];
    loop {
        // A client that sends slowly is as idle as one that sends nothing.
        match timeout(limits.idle, read_message(&mut reader, &mut query)).await {
            Ok(result) => result?,
            Err(_) => return Ok(()),
        }
        let came = gateway.clock.micros();
        gateway.counters.query(Transport::Tcp, meta.client.is_ipv6());
        let snapshot = gateway.current.snapshot();
        let now = gateway.clock.now_at(came);
        let mut step = begin(&query, &meta, &snapshot, &gateway.cache, now, &mut out);
        if let Step::Refresh(length, outcome, forward) = step {
            gateway.refresh(forward, came);
            step = Step::Reply(length, outcome);
        }
        if let Step::Forward(forward) = step {
            let Ok(permit) = Arc::clone(&in_flight).acquire_owned().await else {
                return Ok(());
            };
            if let Some(place) = gateway.flights.enter() {
                let replies = replies.clone();
                gateway.forward(place, forward, came, move |reply| {
                    // There is room for as many replies as queries may be in flight;
                    // a client that reads none of them loses the rest.
                    let _ = replies.try_send(reply.to_vec());
                    drop(permit);
                });
                continue;
            }
            gateway.counters.event(Event::OverAll);
            let busy = Err(UpstreamFailure::Busy);
            let Gateway { cache, limits, .. } = gateway.as_ref();
            step = forward.finish(busy, cache, limits, now, &mut out);
        }
        match step {
            Step::Reply(length, outcome) => {
                let reply = out.get(..length).unwrap_or(&[]).to_vec();
                if replies.send(reply).await.is_err() {
                    return Ok(());
                }
                gateway.counters.outcome(&outcome, gateway.clock.micros().saturating_sub(came));
            }
            Step::Silence(outcome) => {
                gateway.counters.outcome(&outcome, gateway.clock.micros().saturating_sub(came));
            }
            Step::Drop(reason) => {
                // What is no query will not become one: this stream is not DNS.
                gateway.counters.dropped(reason);
                return Ok(());
            }
            // Dealt with above.
            Step::Forward(_) | Step::Refresh(..) => {}
        }
    }
}

/// Reads one message with its length in front.
async fn read_message(reader: &mut OwnedReadHalf, query: &mut Vec<u8>) -> io::Result<()> {
    let length = reader.read_u16().await?;
    query.resize(usize::from(length), 0);
    reader.read_exact(query).await?;
    Ok(())
}

async fn write_replies(mut writer: OwnedWriteHalf, mut waiting: mpsc::Receiver<Vec<u8>>) {
    while let Some(reply) = waiting.recv().await {
        let mut framed = Vec::with_capacity(2 + reply.len());
        framed.extend_from_slice(&(reply.len() as u16).to_be_bytes());
        framed.extend_from_slice(&reply);
        match timeout(WRITE_TIMEOUT, writer.write_all(&framed)).await {
            Ok(Ok(())) => {}
            // Ends the reader too: its next reply finds the channel closed.
            Ok(Err(_)) | Err(_) => return,
        }
    }
    let _ = writer.shutdown().await;
}
