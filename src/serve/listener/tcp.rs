//! TCP: sockets, and the connections on them.
//!
//! Bounded: connections in all and per client. A connection over a bound is closed at once.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::debug;

use crate::serve::gateway::Gateway;
use crate::serve::listener::limits::StreamLimits;
use crate::serve::listener::{origin, stream};
use crate::sys::presence::bind_early;

/// Connections that the kernel queues until they are accepted.
const BACKLOG: i32 = 1024;

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
    /// The table without connections.
    pub fn new(limits: StreamLimits) -> Self {
        let all = Arc::new(Semaphore::new(limits.connections));
        Self { limits, all, clients: Mutex::new(HashMap::new()) }
    }

    /// A place for one more connection of `client`, if the bounds allow it.
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

/// The place of one connection, released when it is dropped.
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
                // Over a bound the connection is closed at once: the client tries again.
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
    let origin = origin::of_connection(client, stream.local_addr());
    let (reader, writer) = stream.into_split();
    stream::serve(reader, writer, origin, gateway, limits).await;
}
