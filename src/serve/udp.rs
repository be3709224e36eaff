//! UDP: one thread and one socket per core.
//!
//! A worker answers what the core can answer at once, in the same buffers over
//! and over. A miss leaves for the asynchronous side with its socket and its
//! client's address, and its answer goes out from there.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tracing::debug;

use crate::metrics::counters::Counters;
use crate::resolve::{Meta, Step, Transport, begin};
use crate::serve::gateway::{Gateway, MAX_REPLY};

/// The longest query that is read; a question and its options take a few hundred octets.
const MAX_QUERY: usize = 4096;
/// Octets of kernel buffer that are asked for in each direction.
const KERNEL_BUFFER: usize = 4 << 20;
/// How often a worker without queries looks whether it must stop.
const IDLE: Duration = Duration::from_millis(200);

/// Stands for a listener whose address the system does not tell.
pub const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Opens one of the sockets that share `address`.
///
/// # Errors
///
/// What the system said: the address is taken, or not ours, or needs a privilege.
pub fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_port(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // More is better; what the system allows is enough to run.
    let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
    let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
    socket.bind(&address.into())?;
    socket.set_read_timeout(Some(IDLE))?;
    Ok(socket.into())
}

/// Answers the queries of one socket until `stop` is set.
pub fn work(
    socket: &Arc<UdpSocket>,
    gateway: &Arc<Gateway>,
    counters: &Counters,
    stop: &AtomicBool,
) {
    let mut query = vec![0; MAX_QUERY];
    let mut out = vec![0; MAX_REPLY];
    let mut policy = gateway.current.reader();
    let local = socket.local_addr().unwrap_or(NOWHERE);
    while !stop.load(Ordering::Relaxed) {
        let (length, client) = match socket.recv_from(&mut query) {
            Ok(received) => received,
            Err(error) => {
                // Without queries too an old policy is let go.
                policy.get();
                pause_after(&error);
                continue;
            }
        };
        let came = gateway.clock.micros();
        counters.query(Transport::Udp, !client.ip().to_canonical().is_ipv4());
        let octets = query.get(..length).unwrap_or(&[]);
        let meta = Meta { client: client.ip(), local, transport: Transport::Udp };
        match begin(
            octets,
            &meta,
            policy.get(),
            &gateway.cache,
            gateway.clock.now_at(came),
            &mut out,
        ) {
            Step::Reply(length, outcome) => {
                send(socket, out.get(..length).unwrap_or(&[]), client);
                counters.outcome(&outcome, gateway.clock.micros().saturating_sub(came));
            }
            Step::Silence(outcome) => {
                counters.outcome(&outcome, gateway.clock.micros().saturating_sub(came));
            }
            Step::Drop(reason) => counters.dropped(reason),
            Step::Forward(forward) => {
                let socket = Arc::clone(socket);
                gateway.forward(forward, came, move |reply| send(&socket, reply, client));
            }
        }
    }
}

fn send(socket: &UdpSocket, reply: &[u8], client: SocketAddr) {
    // A reply that the kernel does not take is lost as datagrams are; the client asks again.
    if let Err(error) = socket.send_to(reply, client) {
        debug!(%error, "reply not sent");
    }
}

/// An error that is not the idle timeout must not become a busy loop.
fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionRefused, Interrupted, TimedOut, WouldBlock};
    if !matches!(error.kind(), TimedOut | WouldBlock | Interrupted | ConnectionRefused) {
        debug!(%error, "receive failed");
        std::thread::sleep(Duration::from_millis(10));
    }
}
