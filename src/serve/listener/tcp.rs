//! TCP: sockets, and the connections on them.
//!
//! Bounded: connections in all and per client ([`Connections`](crate::clients::table::Connections)),
//! what waits on them ([`stream`]), and the kernel's buffers of each.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tracing::debug;

use crate::clients::table::Seat;
use crate::resolve::Transport;
use crate::serve::gateway::Gateway;
use crate::serve::listener::origin;
use crate::serve::listener::stream::{self, Ended};
use crate::sys::presence::bind_early;

/// Connections that the kernel queues until they are accepted.
const BACKLOG: i32 = 1024;
/// Octets of kernel buffer of a connection in each direction; the kernel takes twice as many. Its
/// own choice would be megabytes of replies for a client that reads none.
const KERNEL_BUFFER: usize = 64 << 10;
/// The time for which the kernel keeps octets that a client does not take, also of a connection
/// that has ended.
const KERNEL_PATIENCE: Duration = Duration::from_secs(30);
/// The wait after a failure to accept.
const PAUSE: Duration = Duration::from_millis(20);

/// Opens the listening socket of `address`.
///
/// # Errors
///
/// The system's error: the address is taken, is not this machine's, or needs a privilege.
pub fn open(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    bind_early(&socket, address);
    // Accepted sockets inherit them.
    socket.set_send_buffer_size(KERNEL_BUFFER)?;
    socket.set_recv_buffer_size(KERNEL_BUFFER)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(KERNEL_PATIENCE))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// A listener that [`open`] opened at `address` in another life; none if it is another's.
pub fn reopen(stored: OwnedFd, address: SocketAddr) -> Option<std::net::TcpListener> {
    let listener = std::net::TcpListener::from(stored);
    let is_ours = listener.local_addr().is_ok_and(|local| local == address);
    is_ours.then_some(listener).filter(|listener| listener.set_nonblocking(true).is_ok())
}

/// Accepts connections of plain DNS until the task is aborted.
pub async fn accept(listener: TcpListener, gateway: Arc<Gateway>) {
    accept_with(listener, gateway, serve).await;
}

/// Accepts connections, each served by `serve`, until the task is aborted.
pub(super) async fn accept_with<F>(
    listener: TcpListener,
    gateway: Arc<Gateway>,
    serve: impl Fn(TcpStream, SocketAddr, Arc<Gateway>, Seat) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                let client = SocketAddr::new(client.ip().to_canonical(), client.port());
                // Without a place the connection is closed at once: the client tries again.
                if let Some(seat) = gateway.connections.enter(client.ip(), gateway.clock.micros()) {
                    let _ = stream.set_nodelay(true);
                    tokio::spawn(serve(stream, client, Arc::clone(&gateway), seat));
                }
            }
            Err(error) => {
                debug!(%error, "accept failed");
                // Out of file descriptors, mostly: an idle connection gives its own.
                if error.kind() != io::ErrorKind::ConnectionAborted {
                    gateway.connections.make_room(gateway.clock.micros());
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

async fn serve(mut stream: TcpStream, client: SocketAddr, gateway: Arc<Gateway>, seat: Seat) {
    let local = stream.local_addr();
    let origin = origin::of_connection(Transport::Tcp, client, local, &gateway, None);
    if stream::serve(&mut stream, origin, &gateway, seat).await == Ended::Stalled {
        drop_unsent(&stream);
    }
}

/// The kernel drops what it holds for a client that takes nothing.
pub(super) fn drop_unsent(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
