//! Framed streams (RFC 1035 §4.2.2): pipelined queries, answered out of order
//! (RFC 7766 §6.2.1), over any stream of octets.
//!
//! ```text
//! late replies ▶ output ▶ write ─▶ answer (room? begin) ─▶ read ─┐
//!      ▲            ▲                                            │ until nothing moves
//!      └────────────┴────────────────────────────────────────────┘
//! ```
//!
//! One task serves a connection, and has no buffer while nothing waits. Laws: no query is read
//! before the one in front of it is answered or asked upstream; none of these happens without
//! [`Room`] for the reply, but for a short one; so no reply is ever dropped for want of memory.
//! A transport brings the stream, the origin and a [`Seat`]: TCP and TLS.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tracing::debug;

use crate::clients::late::{Late, Mailbox, Waiting};
use crate::clients::place::{BUSY, MOST, Room};
use crate::clients::table::Seat;
use crate::metrics::counters::Event;
use crate::resolve::{Begin, Done, Origin, begin};
use crate::serve::gateway::Gateway;
use crate::serve::listener::conclude::{Arrival, Elapsed, Uncounted, conclude, settle};

/// The longest time for a client to accept a reply, in microseconds.
const WRITE_TIMEOUT: u64 = 10_000_000;
/// The time for which a half-received query keeps its connection from making room, in
/// microseconds.
const HALF_QUERY: u64 = 2_000_000;
/// Octets of unwritten replies from which on no further query is answered.
const ENOUGH: usize = 64 << 10;
/// The time after which room that was refused is asked for again. No turn is kept: a place in a
/// queue would let those with much ask for what is left to those with nothing.
pub(super) const ASK_AGAIN: Duration = Duration::from_millis(20);
/// Octets of one reading.
const READ: usize = 4096;
/// Octets that a connection may hold in each direction without room.
const FREE: usize = 4096;

thread_local! {
    /// Memory for replies and their lengths: one for each thread of the runtime.
    static OUT: RefCell<Vec<u8>> = RefCell::new(vec![0; MOST]);
}

/// Lends the memory for a reply and its length.
pub(super) fn with_memory<R>(use_it: impl FnOnce(&mut [u8]) -> R) -> R {
    OUT.with_borrow_mut(|out| use_it(out))
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its client has closed it, it has made room, or it failed.
    Done,
    /// No whole query came in time.
    Idle,
    /// A reply was not accepted in time.
    Stalled,
}

/// Answers the queries of one connection until it ends.
pub async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    origin: Origin,
    gateway: &Arc<Gateway>,
    seat: Seat,
) -> Ended {
    let idle = gateway.connections.limits().idle;
    let now = gateway.clock.micros();
    let mut connection = Connection {
        stream,
        origin,
        gateway,
        seat,
        mailbox: Arc::default(),
        input: Vec::new(),
        half_since: None,
        is_at_end: false,
        together: Vec::new(),
        output: VecDeque::new(),
        written: 0,
        unwritten: 0,
        writing_since: now,
        without_room: 0,
        room: None,
        asking: None,
        active: now,
        timer: Box::pin(sleep(idle)),
        timer_at: now + idle.as_micros() as u64,
    };
    let ended = poll_fn(|cx| connection.poll(cx)).await;
    match ended {
        Ended::Done => {}
        Ended::Idle => gateway.counters.event(Event::ConnectionIdle),
        Ended::Stalled => gateway.counters.event(Event::ConnectionStalled),
    }
    ended
}

/// One connection.
struct Connection<'a, S> {
    stream: S,
    origin: Origin,
    gateway: &'a Arc<Gateway>,
    seat: Seat,
    mailbox: Arc<Mailbox>,
    /// Octets received and not yet answered.
    input: Vec<u8>,
    /// Since when the input is less than a query.
    half_since: Option<u64>,
    /// No query comes any more.
    is_at_end: bool,
    /// Replies to queries that came together, at most [`FREE`] octets: one system call, and one record of TLS,
    /// for all of them. Empty while `output` is not, and between polls.
    together: Vec<u8>,
    output: VecDeque<Waiting>,
    /// Octets of the first of `output` that were written.
    written: usize,
    /// Octets of `output`, the written ones of its first included.
    unwritten: usize,
    /// Since when the first is that.
    writing_since: u64,
    /// Octets of `output` without room.
    without_room: usize,
    /// For a query that cannot go on yet.
    room: Option<Room>,
    /// The time to ask for room again.
    asking: Option<Pin<Box<Sleep>>>,
    /// The time of the last whole query or reply.
    active: u64,
    timer: Pin<Box<Sleep>>,
    timer_at: u64,
}

impl<S> Drop for Connection<'_, S> {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        self.seat.set_waker(cx.waker());
        if let Err(error) = self.advance(cx) {
            debug!(%error, "connection ended");
            return Poll::Ready(Ended::Done);
        }
        let now = self.gateway.clock.micros();
        let is_waiting = !self.output.is_empty() || self.mailbox.pending() > 0;
        let has_query = self.query_length().is_some();
        if is_waiting || has_query {
            self.seat.set_idle_since(BUSY);
        } else {
            if self.is_at_end || self.seat.is_evicted() {
                // TLS says goodbye, which a client may not take: the timer goes on.
                if Pin::new(&mut self.stream).poll_shutdown(cx).is_ready() {
                    return Poll::Ready(Ended::Done);
                }
            }
            if self.input.is_empty() {
                self.half_since = None;
            }
            let half = self.half_since.map(|since| since + HALF_QUERY);
            self.seat.set_idle_since(half.unwrap_or(self.active));
        }
        self.poll_timer(cx, now, is_waiting || has_query)
    }

    /// Moves octets until nothing moves.
    fn advance(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        loop {
            if self.output.is_empty() {
                self.writing_since = self.gateway.clock.micros();
            }
            self.unwritten += self.mailbox.empty_into(&mut self.output);
            self.write(cx)?;
            let has_answered = self.answer(cx)?;
            if !has_answered && !self.read(cx)? {
                return Ok(());
            }
        }
    }

    /// Writes what waits, as far as the client takes it.
    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Some(front) = self.output.front() {
            let rest = front.octets.get(self.written..).unwrap_or(&[]);
            match Pin::new(&mut self.stream).poll_write(cx, rest) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(count) => self.written += count?,
            }
            if self.written >= front.octets.len() {
                self.unwritten -= front.octets.len();
                if front.room.is_none() {
                    self.without_room -= front.octets.len();
                }
                self.output.pop_front();
                self.written = 0;
                self.active = self.gateway.clock.micros();
                self.writing_since = self.active;
            }
        }
        if self.output.capacity() > 0 {
            self.output = VecDeque::new();
        }
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        }
    }

    /// The length of the first query of the input, if it is whole.
    fn query_length(&self) -> Option<usize> {
        let length = usize::from(u16::from_be_bytes(*self.input.first_chunk()?));
        (self.input.len() >= 2 + length).then_some(length)
    }

    /// Answers the queries that have come; returns whether there were any.
    fn answer(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut answered = 0;
        while self.unwritten < ENOUGH
            && let Some(length) = self.query_length()
            && self.answer_one(cx, length)?
        {
            answered += 1;
            self.active = self.gateway.clock.micros();
            self.half_since = (!self.input.is_empty()).then_some(self.active);
        }
        self.write_together(cx)?;
        Ok(answered > 0)
    }

    /// Answers the first query of the input or asks upstream; false if it must wait.
    fn answer_one(&mut self, cx: &mut Context<'_>, length: usize) -> io::Result<bool> {
        let mut room = self.room_for_one(cx);
        with_memory(|out| {
            let Some((prefix, message)) = out.split_first_chunk_mut::<2>() else {
                return Ok(false);
            };
            let gateway = self.gateway;
            let came = gateway.clock.micros();
            let arrival = Arrival { now: gateway.clock.now_at(came), came };
            let snapshot = gateway.current.snapshot();
            let query = self.input.get(2..2 + length).unwrap_or(&[]);
            let begun = begin(query, &self.origin, &snapshot, &gateway.cache, arrival.now, message);
            if self.must_wait(&begun, room.is_some()) {
                // A long query has its room for as long as it is here.
                self.room = room.filter(|_| self.input.len() > FREE);
                return Ok(false);
            }
            self.asking = None;
            let is_test = self.origin.is_test();
            if !is_test {
                gateway.counters.query(self.origin.transport, self.origin.client.is_ipv6());
            }
            let late = || {
                let late = Late::new(&self.seat, &self.mailbox, room.take());
                Box::new(move |reply: &[u8]| late.send(reply)) as _
            };
            let counters = &gateway.counters;
            let done = settle(gateway, counters, begun, arrival, message, late);
            if let Some(blocked) = done.as_ref().and_then(Done::blocked).filter(|_| !is_test) {
                let (of, client) = ((&*snapshot, query), self.origin.client);
                gateway.blocks.note_octets(counters, of, client, blocked, arrival.now);
            }
            self.forget(2 + length);
            let Some(done) = done else { return Ok(true) };
            // Octets that are no query: this stream is not DNS.
            if matches!(done, Done::Drop(_)) {
                self.is_at_end = true;
                self.input = Vec::new();
            }
            let mut count = Elapsed { counters, clock: &gateway.clock, came };
            let sent = if is_test {
                conclude(done, message, &mut Uncounted, <[u8]>::len)
            } else {
                conclude(done, message, &mut count, <[u8]>::len)
            };
            if let Some(length) = sent {
                *prefix = (length as u16).to_be_bytes();
                self.send(cx, out.get(..2 + length).unwrap_or(&[]), room)?;
            }
            Ok(true)
        })
    }

    /// Whether a begun query cannot go on: one for upstream without room or without a place of
    /// its connection, or a long reply without room.
    fn must_wait(&self, begun: &Begin, has_room: bool) -> bool {
        match begun {
            Begin::Forward(_) => {
                !has_room || self.mailbox.pending() >= self.gateway.connections.limits().in_flight
            }
            Begin::Done(Done::Reply(length, _)) | Begin::Refresh(Done::Reply(length, _), _) => {
                !has_room && self.without_room + self.together.len() + 2 + length > FREE
            }
            Begin::Done(_) | Begin::Refresh(..) => false,
        }
    }

    /// Removes the first octets of the input.
    fn forget(&mut self, count: usize) {
        if count >= self.input.len() {
            self.input = Vec::new();
        } else {
            self.input.drain(..count);
        }
    }

    /// Room for one message: of the connection, of its client, in all.
    fn room_for_one(&mut self, cx: &mut Context<'_>) -> Option<Room> {
        if let Some(room) = self.room.take() {
            return Some(room);
        }
        if self.seat.is_full() {
            return None;
        }
        loop {
            if let Some(asking) = &mut self.asking {
                if asking.as_mut().poll(cx).is_pending() {
                    return None;
                }
                self.asking = None;
            }
            if let Some(room) = self.seat.try_room() {
                return Some(room);
            }
            self.asking = Some(Box::pin(sleep(ASK_AGAIN)));
        }
    }

    /// Takes a framed reply, to be written with its neighbours.
    fn send(&mut self, cx: &mut Context<'_>, framed: &[u8], room: Option<Room>) -> io::Result<()> {
        if self.together.len() + framed.len() > FREE {
            self.write_together(cx)?;
        }
        if self.output.is_empty() && framed.len() <= FREE {
            self.together.extend_from_slice(framed);
            return Ok(());
        }
        self.write_or_keep(cx, framed, room)
    }

    fn write_together(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.together.is_empty() {
            return Ok(());
        }
        let together = std::mem::take(&mut self.together);
        self.write_or_keep(cx, &together, None)
    }

    /// Writes framed replies; what the client does not take waits.
    fn write_or_keep(
        &mut self,
        cx: &mut Context<'_>,
        framed: &[u8],
        room: Option<Room>,
    ) -> io::Result<()> {
        let mut count = 0;
        if self.output.is_empty() {
            if let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(cx, framed) {
                count = written?;
            }
            self.written = 0;
            self.writing_since = self.gateway.clock.micros();
        }
        let rest = framed.get(count..).unwrap_or(&[]);
        if !rest.is_empty() {
            let waiting = Waiting::new(rest.into(), room);
            if waiting.room.is_none() {
                self.without_room += rest.len();
            }
            self.unwritten += rest.len();
            self.output.push_back(waiting);
        }
        Ok(())
    }

    /// Reads once, where a part of a query is wanted; returns whether anything came.
    fn read(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.is_at_end || self.query_length().is_some() {
            return Ok(false);
        }
        if self.input.len() >= FREE && self.room.is_none() {
            let Some(room) = self.room_for_one(cx) else { return Ok(false) };
            self.room = Some(room);
            self.input.reserve_exact(MOST + READ - self.input.len());
        }
        let mut memory = [0; READ];
        let mut buffer = ReadBuf::new(&mut memory);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => return Ok(false),
            Poll::Ready(result) => result?,
        }
        if buffer.filled().is_empty() {
            self.is_at_end = true;
        } else if self.input.is_empty() {
            self.half_since = Some(self.gateway.clock.micros());
        }
        self.input.extend_from_slice(buffer.filled());
        Ok(true)
    }

    /// Ends the connection at its deadline: for a reply to be taken, or a whole query to come.
    fn poll_timer(&mut self, cx: &mut Context<'_>, now: u64, is_busy: bool) -> Poll<Ended> {
        let idle = self.gateway.connections.limits().idle.as_micros() as u64;
        let (deadline, end) = if !self.output.is_empty() {
            (self.writing_since + WRITE_TIMEOUT, Ended::Stalled)
        } else if is_busy {
            (now + idle, Ended::Idle)
        } else {
            (self.active + idle, Ended::Idle)
        };
        if deadline <= now {
            return Poll::Ready(end);
        }
        // A later deadline is looked at when the timer has fired.
        let mut is_set = deadline >= self.timer_at;
        loop {
            if !is_set {
                self.timer.set(sleep(Duration::from_micros(deadline - now)));
                self.timer_at = deadline;
            }
            ready!(self.timer.as_mut().poll(cx));
            is_set = false;
        }
    }
}
