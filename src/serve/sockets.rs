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
use crate::sys::service::{ServiceManager, SocketStore, stored_name};

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

    /// Takes the sockets of a config that the service manager has stored, and opens the others.
    ///
    /// # Errors
    ///
    /// [`ServeError::Listen`].
    pub fn open(
        settings: &Config,
        manager: &ServiceManager,
        stored: &mut SocketStore,
    ) -> Result<Self, ServeError> {
        stored.leave(manager, &stored_names(settings));
        let (mut udp, mut tcp, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        let mut last = None;
        for &asked in &settings.listen.dns {
            let failed = |proto| move |error| ServeError::Listen { address: asked, proto, error };
            let (first, stream) = match open_pair(asked, stored) {
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
            for number in 1..workers(&settings.listen) {
                udp.push(udp_at(asked, address, number, stored).map_err(failed("udp"))?);
            }
            addresses.push(address);
        }
        if let Some(error) = last.filter(|_| udp.is_empty()) {
            return Err(error);
        }
        let address = settings.admin.listen;
        let failed = |error| ServeError::Listen { address, proto: "admin", error };
        let admin = tcp_at("admin", address, address, stored).map_err(failed)?;
        let admin_address = admin.local_addr().map_err(failed)?;
        let portal = settings.portal.iter().flat_map(|portal| &portal.listen);
        let portal = open_beside("portal", portal, stored)?;
        let dot = open_beside("dot", settings.listen.dot.iter(), stored)?;
        let doh = open_beside("doh", settings.listen.doh.iter(), stored)?;
        let at = |listeners: &[TcpListener], transport: Transport| -> Vec<_> {
            let own = listeners.iter().filter_map(|listener| listener.local_addr().ok());
            own.map(|address| (address, transport)).collect()
        };
        let encrypted = [at(&dot, Transport::Dot), at(&doh, Transport::Doh)].concat();
        Ok(Self { udp, tcp, dot, doh, admin, portal, encrypted, addresses, admin_address })
    }
}

/// The names under which the manager stores the sockets of a config: those that `open` asks for.
fn stored_names(settings: &Config) -> Vec<String> {
    let Config { listen, portal, admin, .. } = settings;
    let workers = workers(listen);
    let udp = listen
        .dns
        .iter()
        .flat_map(|&address| (0..workers).map(move |number| stored_name("udp", address, number)));
    let portal = portal.iter().flat_map(|portal| &portal.listen).map(|address| ("portal", address));
    let streams = (listen.dns.iter().map(|address| ("tcp", address)))
        .chain(listen.dot.iter().map(|address| ("dot", address)))
        .chain(listen.doh.iter().map(|address| ("doh", address)))
        .chain(portal)
        .chain([("admin", &admin.listen)]);
    udp.chain(streams.map(|(kind, &address)| stored_name(kind, address, 0))).flatten().collect()
}

/// The UDP socket of a worker: a stored one, or a new one at `address`.
fn udp_at(
    asked: SocketAddr,
    address: SocketAddr,
    number: usize,
    stored: &mut SocketStore,
) -> io::Result<UdpSocket> {
    let name = stored_name("udp", asked, number);
    let taken = name.as_deref().and_then(|name| stored.take(name));
    if let Some(socket) = taken.and_then(|taken| udp::reopen(taken, address)) {
        return Ok(socket);
    }
    let socket = udp::open(address)?;
    if let Some(name) = name {
        stored.note(name, &socket);
    }
    Ok(socket)
}

/// A listener: a stored one, or a new one at `address`.
fn tcp_at(
    kind: &str,
    asked: SocketAddr,
    address: SocketAddr,
    stored: &mut SocketStore,
) -> io::Result<TcpListener> {
    let name = stored_name(kind, asked, 0);
    let taken = name.as_deref().and_then(|name| stored.take(name));
    if let Some(listener) = taken.and_then(|taken| tcp::reopen(taken, address)) {
        return Ok(listener);
    }
    let listener = tcp::open(address)?;
    if let Some(name) = name {
        stored.note(name, &listener);
    }
    Ok(listener)
}

/// Sockets beside those of plain DNS; one that cannot be there takes nothing else down.
fn open_beside<'a>(
    proto: &'static str,
    asked: impl Iterator<Item = &'a SocketAddr>,
    stored: &mut SocketStore,
) -> Result<Vec<TcpListener>, ServeError> {
    let mut opened = Vec::new();
    for &address in asked {
        match tcp_at(proto, address, address, stored) {
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
fn open_pair(
    asked: SocketAddr,
    stored: &mut SocketStore,
) -> Result<(UdpSocket, TcpListener), ServeError> {
    let failed = |proto| move |error| ServeError::Listen { address: asked, proto, error };
    let mut tries = if asked.port() == 0 { 20 } else { 1 };
    loop {
        tries -= 1;
        let udp = udp_at(asked, asked, 0, stored).map_err(failed("udp"))?;
        let address = udp.local_addr().map_err(failed("udp"))?;
        match tcp_at("tcp", asked, address, stored) {
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
