//! Framed streams (RFC 1035 §4.2.2): pipelined queries, answered out of order
//! (RFC 7766 §6.2.1), over any pair of octet streams.
//!
//! Bounded on every side: queries in flight, time without a whole query, time to accept a
//! reply. A transport brings the two halves and the origin; TCP does, and TLS can.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tracing::debug;

use crate::dns::message::MAX_MESSAGE;
use crate::resolve::{Begin, Done, Origin, begin};
use crate::serve::gateway::Gateway;
use crate::serve::listener::conclude::{Arrival, Elapsed, conclude, settle};
use crate::serve::listener::limits::StreamLimits;

/// The longest time for a client to accept a reply.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers the queries of one connection until it ends.
pub async fn serve(
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin + Send + 'static,
    origin: Origin,
    gateway: &Arc<Gateway>,
    limits: StreamLimits,
) {
    let (replies, waiting) = mpsc::channel(limits.in_flight.max(1));
    let sender = tokio::spawn(write_replies(writer, waiting));
    if let Err(error) = read_queries(reader, &origin, gateway, limits, replies).await {
        debug!(%error, "connection ended");
    }
    // The last replies still leave: the channel closes when no query waits any more.
    let _ = sender.await;
}

async fn read_queries(
    mut reader: impl AsyncRead + Unpin,
    origin: &Origin,
    gateway: &Arc<Gateway>,
    limits: StreamLimits,
    replies: mpsc::Sender<Vec<u8>>,
) -> io::Result<()> {
    let in_flight = Arc::new(Semaphore::new(limits.in_flight));
    let mut query = Vec::new();
    let mut out = vec![0; MAX_MESSAGE];
    loop {
        // A client that sends slowly counts as idle.
        match timeout(limits.idle, read_message(&mut reader, &mut query)).await {
            Ok(result) => result?,
            Err(_) => return Ok(()),
        }
        let came = gateway.clock.micros();
        let arrival = Arrival { now: gateway.clock.now_at(came), came };
        gateway.counters.query(origin.transport, origin.client.is_ipv6());
        let snapshot = gateway.current.snapshot();
        let begun = begin(&query, origin, &snapshot, &gateway.cache, arrival.now, &mut out);
        // A query that must wait takes a place of its connection first.
        let place = match &begun {
            Begin::Forward(_) => Arc::clone(&in_flight).acquire_owned().await.ok(),
            Begin::Done(_) | Begin::Refresh(..) => None,
        };
        let late = || {
            let replies = replies.clone();
            let send = move |reply: &[u8]| {
                // There is room for as many replies as queries may be in flight;
                // a client that reads none of them loses the rest.
                let _ = replies.try_send(reply.to_vec());
                drop(place);
            };
            Box::new(send) as _
        };
        let counters = &gateway.counters;
        let Some(done) = settle(gateway, counters, begun, arrival, &mut out, late) else {
            continue;
        };
        // Octets that are no query: this stream is not DNS.
        let is_dns = !matches!(done, Done::Drop(_));
        let Ok(slot) = replies.reserve().await else { return Ok(()) };
        let mut count = Elapsed { counters, clock: &gateway.clock, came };
        conclude(done, &out, &mut count, |reply| slot.send(reply.to_vec()));
        if !is_dns {
            return Ok(());
        }
    }
}

/// Reads one message and the length in front of it.
async fn read_message(
    reader: &mut (impl AsyncRead + Unpin),
    query: &mut Vec<u8>,
) -> io::Result<()> {
    let length = reader.read_u16().await?;
    query.resize(usize::from(length), 0);
    reader.read_exact(query).await?;
    Ok(())
}

async fn write_replies(mut writer: impl AsyncWrite + Unpin, mut waiting: mpsc::Receiver<Vec<u8>>) {
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
