//! The sockets of the process.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use tracing::{error, info, warn};

use crate::config::{Config, Listen};
use crate::resolve::Transport;
use crate::serve::error::ServeError;
use crate::serve::listener::{tcp, udp};
use crate::sys::presence::{absent, is_absence};

/// The interval at which listen addresses are looked for.
const LOOK: Duration = Duration::from_secs(2);

/// UDP workers per address: as configured, or one per core.
pub fn workers(listen: &Listen) -> usize {
    match listen.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    }
}

/// The sockets of the process. Law: an address that is not there must not keep the others down; all
/// other failures end the start.
pub struct Sockets {
    /// One a worker and address.
    pub udp: Vec<UdpSocket>,
    /// One an address.
    pub tcp: Vec<TcpListener>,
    /// One an address for DNS over TLS.
    pub dot: Vec<TcpListener>,
    /// One an address for DNS over HTTPS.
    pub doh: Vec<TcpListener>,
    /// The socket of the admin server.
    pub admin: TcpListener,
    /// One an address of the portal.
    pub portal: Vec<TcpListener>,
    /// The addresses of `dot` and `doh`, with their transports.
    pub encrypted: Vec<(SocketAddr, Transport)>,
    /// The addresses of `tcp`: the system has chosen a port where the config has 0.
    pub addresses: Vec<SocketAddr>,
    /// The address of `admin`.
    pub admin_address: SocketAddr,
}

impl Sockets {
    /// Logs the addresses.
    pub fn report(&self) {
        for address in &self.addresses {
            info!(%address, "listening for queries");
        }
        for (address, transport) in &self.encrypted {
            info!(%address, transport = transport.id(), "listening for encrypted queries");
        }
        info!(address = %self.admin_address, "listening for scrapes");
        for address in self.portal.iter().filter_map(|listener| listener.local_addr().ok()) {
            info!(%address, "listening for people");
        }
    }

    /// Opens the sockets of a config.
    ///
    /// # Errors
    ///
    /// [`ServeError::Listen`].
    pub fn open(settings: &Config) -> Result<Self, ServeError> {
        let (mut udp, mut tcp, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        let mut last = None;
        for &asked in &settings.listen.dns {
            let failed = |proto| move |error| ServeError::Listen { address: asked, proto, error };
            let (first, stream) = match open_pair(asked) {
                // Its interface or the whole family is missing: not even an early socket can be.
                Err(ServeError::Listen { error, .. }) if is_absence(&error) => {
                    error!(address = %asked, %error, "not listening; once it is there, restart");
                    last = Some(failed("udp")(error));
                    continue;
                }
                opened => opened?,
            };
            let address = first.local_addr().map_err(failed("udp"))?;
            tcp.push(stream);
            udp.push(first);
            for _ in 1..workers(&settings.listen) {
                udp.push(udp::open(address).map_err(failed("udp"))?);
            }
            addresses.push(address);
        }
        if let Some(error) = last.filter(|_| udp.is_empty()) {
            return Err(error);
        }
        let address = settings.admin.listen;
        let failed = |error| ServeError::Listen { address, proto: "admin", error };
        let admin = tcp::open(address).map_err(failed)?;
        let admin_address = admin.local_addr().map_err(failed)?;
        let portal = settings.portal.iter().flat_map(|portal| &portal.listen);
        let portal = open_beside("portal", portal)?;
        let dot = open_beside("dot", settings.listen.dot.iter())?;
        let doh = open_beside("doh", settings.listen.doh.iter())?;
        let at = |listeners: &[TcpListener], transport: Transport| -> Vec<_> {
            let own = listeners.iter().filter_map(|listener| listener.local_addr().ok());
            own.map(|address| (address, transport)).collect()
        };
        let encrypted = [at(&dot, Transport::Dot), at(&doh, Transport::Doh)].concat();
        Ok(Self { udp, tcp, dot, doh, admin, portal, encrypted, addresses, admin_address })
    }
}

/// Sockets beside those of plain DNS; one that cannot be there takes nothing else down.
fn open_beside<'a>(
    proto: &'static str,
    asked: impl Iterator<Item = &'a SocketAddr>,
) -> Result<Vec<TcpListener>, ServeError> {
    let mut opened = Vec::new();
    for &address in asked {
        match tcp::open(address) {
            Ok(listener) => opened.push(listener),
            Err(error) if is_absence(&error) => {
                error!(%address, proto, %error, "not listening; once it is there, restart");
            }
            Err(error) => return Err(ServeError::Listen { address, proto, error }),
        }
    }
    Ok(opened)
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

/// Logs which listen addresses this machine does not have, as they go and come, until aborted.
///
/// # Errors
///
/// None.
pub async fn follow(addresses: Vec<SocketAddr>) -> io::Result<()> {
    let mut before = Vec::new();
    loop {
        let now = absent(&addresses);
        for address in now.iter().filter(|address| !before.contains(*address)) {
            warn!(%address, "this machine does not have the address now; it is served once it has");
        }
        for address in before.iter().filter(|address| !now.contains(*address)) {
            info!(%address, "the address is there");
        }
        before = now;
        tokio::time::sleep(LOOK).await;
    }
}
