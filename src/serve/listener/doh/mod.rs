//! DNS over HTTPS (RFC 8484): HTTP/2 and HTTP/1.1 through TLS, a query for each request.
//!
//! ```text
//! request ▶ path, method, media type ▶ a place and room ▶ message ▶ begin ▶ reply, fresh for its least TTL
//! ```
//!
//! Bounded as streams are: connections in all and per client, queries of one connection that wait (a
//! request that is taken back leaves its place when upstream has answered it, not before), and
//! [`Room`] for each message before it is read. HTTP/2 itself is bounded by [`http2_of`].

mod ongoing;
pub mod request;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{sleep, timeout};
use tracing::debug;

use crate::clients::place::{BUSY, Room};
use crate::clients::table::Seat;
use crate::dns::designated::DOH_MEDIA_TYPE;
use crate::dns::message::{MAX_MESSAGE, freshness};
use crate::metrics::counters::Event;
use crate::resolve::{Origin, Transport, begin};
use crate::serve::gateway::Gateway;
use crate::serve::listener::conclude::{Arrival, Elapsed, Uncounted, conclude, settle};
use crate::serve::listener::doh::ongoing::{Ongoing, Requests};
use crate::serve::listener::doh::request::{
    DohRefusal, check_head, message_of, passed_over, token_of,
};
use crate::serve::listener::stream::{ASK_AGAIN, with_memory};
use crate::serve::listener::{origin, tcp, tls};

/// The application protocols, the best first.
pub const PROTOCOLS: &[&[u8]] = &[b"h2", b"http/1.1"];

/// The time for a request to come whole, with a place and room for it.
const REQUEST: Duration = Duration::from_secs(5);
/// The time for the header of an HTTP/1.1 request.
const HEADER: Duration = Duration::from_secs(5);
/// Octets of a request's header, all lines together.
const HEADERS: u32 = 16 << 10;
/// Octets that a client may send before they are read: of one request, and of a connection.
const WINDOWS: [u32; 2] = [16 << 10, 64 << 10];
/// Requests of a connection that were taken back and not forgotten yet (CVE-2023-44487).
const TAKEN_BACK: usize = 20;
/// The time between the end of a connection's work and its end.
const GOODBYE: Duration = Duration::from_secs(1);

/// Accepts connections until the task is aborted.
pub async fn accept(listener: TcpListener, gateway: Arc<Gateway>, tls: Arc<ServerConfig>) {
    tcp::accept_with(listener, gateway, |stream, client, gateway, seat| {
        serve(stream, client, gateway, seat, Arc::clone(&tls))
    })
    .await;
}

async fn serve(
    stream: TcpStream,
    client: SocketAddr,
    gateway: Arc<Gateway>,
    seat: Seat,
    tls: Arc<ServerConfig>,
) {
    let Some(stream) = tls::handshake(stream, tls, &gateway, &seat).await else { return };
    let (socket, session) = stream.get_ref();
    let local = socket.local_addr();
    let origin =
        origin::of_connection(Transport::Doh, client, local, &gateway, session.server_name());
    let is_http2 = session.alpn_protocol() == Some(b"h2");
    let in_flight = gateway.connections.limits().in_flight;
    let active = AtomicU64::new(gateway.clock.micros());
    let places = Arc::new(Semaphore::new(in_flight));
    let own = Own { gateway, seat, origin, places, active, busy: AtomicUsize::new(0) };
    let own = Arc::new(own);
    let asked = Arc::clone(&own);
    let service = service_fn(move |request| {
        let own = Arc::clone(&asked);
        async move { Ok::<_, Infallible>(own.respond(request).await) }
    });
    let stream = TokioIo::new(stream);
    let requests = Requests::default();
    if is_http2 {
        let connection = http2_of(in_flight, &requests).serve_connection(stream, service);
        drive(connection, http2::Connection::graceful_shutdown, &own, &requests).await;
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER)
            .max_buf_size(HEADERS as usize)
            .serve_connection(stream, service);
        drive(connection, http1::Connection::graceful_shutdown, &own, &requests).await;
    }
}

/// HTTP/2 with bounds on everything that a client can make it keep.
fn http2_of(in_flight: usize, requests: &Requests) -> http2::Builder<Requests> {
    let mut http2 = http2::Builder::new(requests.clone());
    let [of_request, of_connection] = WINDOWS;
    http2
        .timer(TokioTimer::new())
        .max_concurrent_streams(in_flight as u32)
        .max_header_list_size(HEADERS)
        .max_pending_accept_reset_streams(TAKEN_BACK)
        .max_local_error_reset_streams(TAKEN_BACK)
        .initial_stream_window_size(of_request)
        .initial_connection_window_size(of_connection)
        .max_send_buf_size(MAX_MESSAGE);
    http2
}

/// What requests of one connection share.
struct Own {
    gateway: Arc<Gateway>,
    seat: Seat,
    origin: Origin,
    /// Queries that may wait for upstream at one time.
    places: Arc<Semaphore>,
    /// The time of the last request or reply, in microseconds.
    active: AtomicU64,
    /// Requests whose message is here and whose reply is not.
    busy: AtomicUsize,
}

/// Serves a connection until it ends: its client leaves, it is idle or has to make room.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    say_goodbye: impl Fn(Pin<&mut C>),
    own: &Own,
    requests: &Requests,
) {
    let Own { gateway, seat, .. } = own;
    let idle = gateway.connections.limits().idle;
    let mut connection = pin!(connection);
    let mut timer = pin!(sleep(idle));
    let mut is_leaving = false;
    let mut ongoing = Ongoing::default();
    poll_fn(|cx| {
        seat.set_waker(cx.waker());
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                if let Err(error) = ended {
                    debug!(%error, "a connection of DNS over HTTPS ended");
                }
                return Poll::Ready(());
            }
            if ongoing.advance(requests, cx) {
                continue;
            }
            let active = own.active.load(Ordering::Relaxed);
            let is_busy = own.busy.load(Ordering::Relaxed) > 0;
            seat.set_idle_since(if is_busy { BUSY } else { active });
            let now = gateway.clock.micros();
            let silent = Duration::from_micros(now.saturating_sub(active));
            let is_idle = !is_busy && silent >= idle;
            if !is_leaving && (is_idle || !is_busy && seat.is_evicted()) {
                if is_idle {
                    gateway.counters.event(Event::ConnectionIdle);
                }
                is_leaving = true;
                say_goodbye(connection.as_mut());
                timer.set(sleep(GOODBYE));
                continue;
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if is_leaving {
                return Poll::Ready(());
            }
            timer.set(sleep(if is_busy { idle } else { idle.saturating_sub(silent) }));
        }
    })
    .await;
}

impl Own {
    /// Answers a request; HEAD gets no body.
    async fn respond(&self, request: Request<Incoming>) -> Response<ReplyBody> {
        let is_head = request.method() == Method::HEAD;
        let mut response = self.answer_to(request).await;
        if is_head {
            response.body_mut().octets = None;
        }
        response
    }

    async fn answer_to(&self, request: Request<Incoming>) -> Response<ReplyBody> {
        self.active.store(self.gateway.clock.micros(), Ordering::Relaxed);
        let origin = match self.origin_of(&request) {
            Ok(origin) => origin,
            Err(refusal) => {
                // What a client still sends is taken, or it would not read why.
                let _ = timeout(REQUEST, passed_over(request.into_body())).await;
                return self.refused(refusal);
            }
        };
        let taken = timeout(REQUEST, async {
            let place = Arc::clone(&self.places).acquire_owned().await;
            let room = self.room().await;
            let query = message_of(request).await;
            (place, room, query)
        });
        let (place, room, query) = match taken.await {
            Ok((Ok(place), room, Ok(query))) => (place, room, query),
            Ok((_, _, Err(refusal))) => return self.refused(refusal),
            Ok((Err(_), ..)) | Err(_) => return self.refused(DohRefusal::Timeout),
        };
        self.busy.fetch_add(1, Ordering::Relaxed);
        let _busy = Busy(self);
        match self.answer(&query, &origin, Held { _place: place, room }).await {
            Some((reply, room)) => reply_of(reply, room),
            // Octets that are no query, or a list that wants silence.
            None => self.refused(DohRefusal::Malformed),
        }
    }

    /// The origin of a request, with the claim in its path; or why it is none for DNS.
    fn origin_of(&self, request: &Request<Incoming>) -> Result<Origin, DohRefusal> {
        let hosts = request.headers().get_all(HOST).iter().count();
        if request.version() == Version::HTTP_11 && hosts != 1 {
            return Err(DohRefusal::Malformed);
        }
        let token = token_of(request.uri().path()).ok_or(DohRefusal::Path)?;
        let mut origin = self.origin.clone();
        if let Some(token) = token {
            origin.claims.token =
                Some(self.gateway.tokens.group_of(token).ok_or(DohRefusal::Token)?);
        }
        check_head(request)?;
        Ok(origin)
    }

    /// Room for one message of any length.
    async fn room(&self) -> Room {
        loop {
            if !self.seat.is_full()
                && let Some(room) = self.seat.try_room()
            {
                return room;
            }
            sleep(ASK_AGAIN).await;
        }
    }

    /// Asks the core; none for what gets no reply.
    async fn answer(&self, query: &[u8], origin: &Origin, held: Held) -> Option<(Bytes, Room)> {
        let waiting = match self.begin(query, origin, held) {
            Begun::Ended(ended) => return ended,
            Begun::Waiting(waiting) => waiting,
        };
        waiting.await.ok()
    }

    /// The part of an answer that is there at once, or the way in which it will come.
    fn begin(&self, query: &[u8], origin: &Origin, held: Held) -> Begun {
        let gateway = &self.gateway;
        let counters = &gateway.counters;
        let came = gateway.clock.micros();
        let arrival = Arrival { now: gateway.clock.now_at(came), came };
        let snapshot = gateway.current.snapshot();
        let is_test = origin.is_test();
        if !is_test {
            counters.query(origin.transport, origin.client.is_ipv6());
        }
        with_memory(|out| {
            let begun = begin(query, origin, &snapshot, &gateway.cache, arrival.now, out);
            let (sender, receiver) = oneshot::channel();
            let mut held = Some(held);
            let late = || {
                let held = held.take();
                Box::new(move |reply: &[u8]| {
                    let Some(Held { room, .. }) = held else { return };
                    // A request that was taken back has nobody to hear of it.
                    let _ = sender.send((Bytes::copy_from_slice(reply), room));
                }) as _
            };
            let Some(done) = settle(gateway, counters, begun, arrival, out, late) else {
                return Begun::Waiting(receiver);
            };
            if let Some(blocked) = done.blocked().filter(|_| !is_test) {
                let of = (&*snapshot, query);
                gateway.blocks.note_octets(counters, of, origin.client, blocked, arrival.now);
            }
            let mut count = Elapsed { counters, clock: &gateway.clock, came };
            let sent = if is_test {
                conclude(done, out, &mut Uncounted, Bytes::copy_from_slice)
            } else {
                conclude(done, out, &mut count, Bytes::copy_from_slice)
            };
            Begun::Ended(sent.zip(held.map(|held| held.room)))
        })
    }

    fn refused(&self, refusal: DohRefusal) -> Response<ReplyBody> {
        let (event, status, text) = refusal.parts();
        if let Some(event) = event {
            self.gateway.counters.event(event);
        }
        let mut response = Response::new(ReplyBody::text(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if refusal == DohRefusal::Method {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
        }
        response
    }
}

/// Marks a connection busy while it lives.
struct Busy<'a>(&'a Own);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.active.store(self.0.gateway.clock.micros(), Ordering::Relaxed);
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
        // The connection's task judges anew whether it is idle.
        self.0.seat.wake();
    }
}

/// What a query holds until it is answered.
struct Held {
    _place: OwnedSemaphorePermit,
    room: Room,
}

/// A query after its first half.
enum Begun {
    /// Its reply, if it has one.
    Ended(Option<(Bytes, Room)>),
    /// It waits for upstream.
    Waiting(oneshot::Receiver<(Bytes, Room)>),
}

/// A reply, which caches may keep for its least TTL (RFC 8484 §5.1), the client's own alone: another
/// one may be in another group.
fn reply_of(reply: Bytes, mut room: Room) -> Response<ReplyBody> {
    room.shrink(reply.len());
    let seconds = freshness::seconds(&reply);
    let mut response = Response::new(ReplyBody { octets: Some(reply), _room: Some(room) });
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(DOH_MEDIA_TYPE));
    let kept = HeaderValue::from_str(&format!("private, max-age={seconds}"));
    headers.insert(CACHE_CONTROL, kept.unwrap_or_else(|_| HeaderValue::from_static("no-store")));
    response
}

/// The body of a response; its room is given back with it.
struct ReplyBody {
    octets: Option<Bytes>,
    _room: Option<Room>,
}

impl ReplyBody {
    fn text(text: &'static str) -> Self {
        Self { octets: Some(Bytes::from_static(text.as_bytes())), _room: None }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.octets.take().map(|octets| Ok(Frame::data(octets))))
    }

    fn is_end_stream(&self) -> bool {
        self.octets.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.octets.as_ref().map_or(0, |octets| octets.len() as u64))
    }
}
