//! UDP sockets of upstream queries: each query has a port of its own, which nothing else uses.
//!
//! Making a socket, adding it to epoll and closing it costs more than sending a query. A socket
//! that has done its work is therefore dissolved and connected anew: the kernel releases its port
//! and draws another at random, from the whole range, as for a new socket (RFC 5452 §9.2). Law:
//! between two queries a socket has no port, and its queue is empty.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::sys::os::dissolve;

/// The most sockets without a query that are retained: each is a file descriptor.
const RETAINED: usize = 256;

/// Sockets for the queries to one server.
#[derive(Debug, Default)]
pub(super) struct QuerySockets(Mutex<Vec<UdpSocket>>);

/// A connected socket for one query; it is retained when it is dropped.
#[derive(Debug)]
pub(super) struct Connected<'a> {
    sockets: &'a QuerySockets,
    /// None once it is dropped.
    socket: Option<UdpSocket>,
}

impl QuerySockets {
    /// A socket that is connected to `server`, at a port that the kernel draws.
    pub(super) fn connect(&self, server: SocketAddr) -> io::Result<Connected<'_>> {
        let retained = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let socket = match retained {
            Some(socket) => socket,
            None => open(server)?,
        };
        SockRef::from(&socket).connect(&server.into())?;
        Ok(Connected { sockets: self, socket: Some(socket) })
    }
}

fn open(server: SocketAddr) -> io::Result<UdpSocket> {
    let socket =
        Socket::new(Domain::for_address(server), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    UdpSocket::from_std(socket.into())
}

impl std::ops::Deref for Connected<'_> {
    type Target = UdpSocket;

    fn deref(&self) -> &UdpSocket {
        // Taken only by the drop.
        #[expect(clippy::expect_used, reason = "it is there until the drop")]
        self.socket.as_ref().expect("a socket until it is dropped")
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        let Some(socket) = self.socket.take() else { return };
        if dissolve(&socket).is_ok() && is_drained(&socket) {
            let mut sockets = self.sockets.0.lock().unwrap_or_else(PoisonError::into_inner);
            if sockets.len() < RETAINED {
                sockets.push(socket);
            }
        }
    }
}

/// Empties the queue of a socket without a port; false if that does not end.
fn is_drained(socket: &UdpSocket) -> bool {
    // Errors come out of the queue too: those of ICMP.
    let take = || SockRef::from(socket).recv(&mut []);
    let is_empty = |taken: io::Result<usize>| {
        taken.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    };
    let mut was_asked = false;
    (0..RETAINED).any(|_| {
        // Through the runtime, which then knows that nothing is there to be read; without it where
        // it thinks so already, and something may have come since.
        let through = socket.try_io(Interest::READABLE.add(Interest::ERROR), || {
            was_asked = true;
            take()
        });
        is_empty(through) && (was_asked || is_empty(take()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_retained_socket_has_another_port_and_an_empty_queue() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let sockets = QuerySockets::default();
        let mut ports = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let socket = sockets.connect(address).unwrap();
            let own = socket.local_addr().unwrap();
            server.send_to(b"late", own).await.unwrap();
            drop(socket);
            // Nobody listens at the port of the query before.
            server.send_to(b"later", own).await.unwrap();
            let socket = sockets.connect(address).unwrap();
            assert_eq!(
                SockRef::from(&*socket).recv(&mut []).unwrap_err().kind(),
                io::ErrorKind::WouldBlock
            );
            ports.insert(socket.local_addr().unwrap().port());
        }
        assert_eq!(sockets.0.lock().unwrap().len(), 1);
        // Drawn from some 28,000: two alike among 200 are likely, ten alike are not.
        assert!(ports.len() > 190, "{} ports", ports.len());
    }
}
