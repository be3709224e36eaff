//! DNS over TLS (RFC 7858): a handshake, then a stream like TCP's.
//!
//! Bounded as TCP is; a connection that has not ended its handshake makes room like an idle one, and
//! has [`HANDSHAKE`] for it.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::debug;

use crate::clients::table::Seat;
use crate::metrics::counters::Event;
use crate::resolve::Transport;
use crate::serve::gateway::Gateway;
use crate::serve::listener::stream::{self, Ended};
use crate::serve::listener::{origin, tcp};

/// The application protocol (RFC 7858 §3.2). A client that offers others only is told so; one that
/// offers none is served.
pub const PROTOCOLS: &[&[u8]] = &[b"dot"];

/// The time for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Octets of replies that TLS may hold before the socket takes them.
const UNSENT: usize = 16 << 10;

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
    let Some(mut stream) = handshake(stream, tls, &gateway, &seat).await else { return };
    let (socket, session) = stream.get_ref();
    let local = socket.local_addr();
    let origin =
        origin::of_connection(Transport::Dot, client, local, &gateway, session.server_name());
    if stream::serve(&mut stream, origin, &gateway, seat).await == Ended::Stalled {
        tcp::drop_unsent(stream.get_ref().0);
    }
}

/// Makes a handshake; none if it failed, took too long or the connection had to make room.
pub(super) async fn handshake(
    stream: TcpStream,
    tls: Arc<ServerConfig>,
    gateway: &Gateway,
    seat: &Seat,
) -> Option<TlsStream<TcpStream>> {
    let bound = |session: &mut ServerConnection| session.set_buffer_limit(Some(UNSENT));
    let mut accepting = pin!(TlsAcceptor::from(tls).accept_with(stream, bound));
    let mut timer = pin!(sleep(HANDSHAKE));
    let ended = poll_fn(|cx| {
        seat.set_waker(cx.waker());
        if let Poll::Ready(accepted) = accepting.as_mut().poll(cx) {
            return Poll::Ready(Some(accepted));
        }
        if seat.is_evicted() {
            return Poll::Ready(None);
        }
        timer.as_mut().poll(cx).map(|()| Some(Err(io::ErrorKind::TimedOut.into())))
    });
    match ended.await? {
        Ok(stream) => Some(stream),
        Err(error) => {
            let is_late = error.kind() == io::ErrorKind::TimedOut;
            let event = if is_late { Event::HandshakeTimeout } else { Event::HandshakeFailed };
            gateway.counters.event(event);
            debug!(%error, "a TLS handshake failed");
            None
        }
    }
}
