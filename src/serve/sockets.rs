//! The sockets of the process.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use tracing::info;

use crate::config::{Config, Listen};
use crate::serve::error::ServeError;
use crate::serve::listener::{tcp, udp};

/// UDP workers per address: as configured, or one per core.
pub(super) fn workers(listen: &Listen) -> usize {
    match listen.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    }
}

/// The sockets of the process, all open or none.
pub(super) struct Sockets {
    /// One a worker and address.
    pub(super) udp: Vec<UdpSocket>,
    /// One an address.
    pub(super) tcp: Vec<TcpListener>,
    pub(super) admin: TcpListener,
    /// The addresses of `tcp`: the system has chosen a port where the config has 0.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) admin_address: SocketAddr,
}

impl Sockets {
    /// Logs the addresses.
    pub(super) fn report(&self) {
        for address in &self.addresses {
            info!(%address, "listening for queries");
        }
        info!(address = %self.admin_address, "listening for scrapes");
    }

    pub(super) fn open(settings: &Config) -> Result<Self, ServeError> {
        let (mut udp, mut tcp, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        for &asked in &settings.listen.dns {
            let failed = |proto| move |error| ServeError::Listen { address: asked, proto, error };
            let (first, stream) = open_pair(asked)?;
            let address = first.local_addr().map_err(failed("udp"))?;
            tcp.push(stream);
            udp.push(first);
            for _ in 1..workers(&settings.listen) {
                udp.push(udp::open(address).map_err(failed("udp"))?);
            }
            addresses.push(address);
        }
        let address = settings.admin.listen;
        let failed = |error| ServeError::Listen { address, proto: "admin", error };
        let admin = tcp::open(address).map_err(failed)?;
        let admin_address = admin.local_addr().map_err(failed)?;
        Ok(Self { udp, tcp, admin, addresses, admin_address })
    }
}

/// The first UDP socket of an address and the TCP socket of the same port.
///
/// The first socket fixes the port; TCP, opened before any other UDP socket joins, detects another
/// resolver there. Where the system chooses the port, it may choose one that TCP cannot bind: then
/// both are opened again.
fn open_pair(asked: SocketAddr) -> Result<(UdpSocket, TcpListener), ServeError> {
    let failed = |proto| move |error| ServeError::Listen { address: asked, proto, error };
    let mut tries = if asked.port() == 0 { 20 } else { 1 };
    loop {
        tries -= 1;
        let udp = udp::open(asked).map_err(failed("udp"))?;
        let address = udp.local_addr().map_err(failed("udp"))?;
        match tcp::open(address) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if tries > 0 && error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(failed("tcp")(error)),
        }
    }
}
