//! Origins: filled here for each transport, so that the core sees one value.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::devices::table::DeviceTable;
use crate::dns::message::query::ReplyOptions;
use crate::policy::Claims;
use crate::resolve::{Origin, Transport};
use crate::selftest::OwnAsks;
use crate::serve::gateway::Gateway;
use crate::serve::listener::udp_batch::Path;

/// Stands for a local address that the system does not tell.
pub const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// The origin of a datagram to a socket that is bound to `socket`.
#[inline]
pub(super) fn of_datagram(
    path: &Path,
    socket: SocketAddr,
    own: &OwnAsks,
    devices: &DeviceTable,
) -> Origin {
    let local = SocketAddr::new(path.local().unwrap_or(socket.ip()), socket.port());
    let tested_as = own.group_of(Transport::Udp, path.client());
    let client = path.client().ip();
    let claims = Claims { mac: devices.mac_of(client), ..Claims::NONE };
    Origin { claims, tested_as, ..Origin::plain(client, local, Transport::Udp) }
}

/// The origin of the queries of a connection, on which the client gave a name for the server if it
/// encrypts.
pub(super) fn of_connection(
    transport: Transport,
    client: SocketAddr,
    local: io::Result<SocketAddr>,
    gateway: &Gateway,
    server_name: Option<&str>,
) -> Origin {
    let idle = gateway.connections.limits().idle.as_millis() / 100;
    let options = ReplyOptions {
        pads: transport.is_encrypted(),
        // HTTP has its own words for it (RFC 8484 §5).
        keepalive: (transport != Transport::Doh).then(|| idle.try_into().unwrap_or(u16::MAX)),
    };
    let server_name = server_name.map(|name| name.to_ascii_lowercase().into());
    let mac = gateway.devices.mac_of(client.ip());
    let claims = Claims { server_name, mac, token: None };
    let tested_as = gateway.own_asks.group_of(transport, client);
    let plain = Origin::plain(client.ip(), local.unwrap_or(NOWHERE), transport);
    Origin { claims, options, tested_as, ..plain }
}
