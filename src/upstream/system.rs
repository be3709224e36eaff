//! The system's resolvers, and upstream servers that are this machine itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::error::UpstreamError;
use crate::config::sections::server::{Server, ServerTransport};
use crate::config::{Config, Listen};

/// The system's resolvers, over UDP.
///
/// # Errors
///
/// [`UpstreamError::NoServer`].
pub fn system_servers() -> Result<Vec<Server>, UpstreamError> {
    let (config, _) = hickory_resolver::system_conf::read_system_conf()
        .map_err(|error| UpstreamError::NoServer(error.to_string()))?;
    let servers = config.name_servers().iter().map(|server| Server {
        label: format!("udp://{}", server.ip),
        transport: ServerTransport::Udp,
        address: (server.ip, 53).into(),
        tls_name: None,
        path: String::new(),
        mixes_case: true,
    });
    let servers: Vec<_> = servers.collect();
    if servers.is_empty() {
        return Err(UpstreamError::NoServer("it has no name server".into()));
    }
    Ok(servers)
}

/// Refuses a server that is a listener of the config, at any address of this machine.
///
/// # Errors
///
/// [`UpstreamError::OwnServer`].
pub(super) fn refuse_own(servers: &[Server], listen: &Listen) -> Result<(), UpstreamError> {
    let own_server = servers.iter().find_map(|server| {
        let is_at = |own: &&SocketAddr| server.is_at(**own, is_own_address);
        listen.dns.iter().find(is_at).map(|&own| (server.label.clone(), own))
    });
    own_server.map_or(Ok(()), |(server, own)| Err(UpstreamError::OwnServer { server, own }))
}

/// Refuses a config with this gateway among its own servers, those of forward zones included: a
/// query to it would loop. Without servers in the config, the system's must be there, and are judged.
///
/// # Errors
///
/// [`UpstreamError::OwnServer`], [`UpstreamError::NoServer`].
pub fn refuse_own_servers(config: &Config) -> Result<(), UpstreamError> {
    // Zones first: that the system has no resolvers says nothing of them.
    config.forwards.iter().try_for_each(|zone| refuse_own(&zone.servers, &config.listen))?;
    match config.upstream.servers.as_slice() {
        [] => refuse_own(&system_servers()?, &config.listen),
        servers => refuse_own(servers, &config.listen),
    }
}

/// True for an address of this machine: a packet to it would leave from it.
fn is_own_address(address: &IpAddr) -> bool {
    let source = || {
        let any: IpAddr = match address {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0))?;
        // Nothing is sent: connecting a UDP socket only chooses a route.
        socket.connect((*address, 53))?;
        socket.local_addr()
    };
    address.is_loopback() || source().is_ok_and(|source| source.ip() == *address)
}
