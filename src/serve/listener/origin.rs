//! Origins: filled here for each transport, so that the core sees one value.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::resolve::{Origin, Transport};
use crate::selftest::OwnAsks;
use crate::serve::listener::udp_batch::Path;

/// Stands for a local address that the system does not tell.
pub const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// The origin of a datagram to a socket that is bound to `socket`.
#[inline]
pub(super) fn of_datagram(path: &Path, socket: SocketAddr, own: &OwnAsks) -> Origin {
    let local = SocketAddr::new(path.local().unwrap_or(socket.ip()), socket.port());
    let tested_as = own.group_of(Transport::Udp, path.client());
    Origin { tested_as, ..Origin::plain(path.client().ip(), local, Transport::Udp) }
}

/// The origin of the queries of a TCP connection.
pub(super) fn of_connection(
    client: SocketAddr,
    local: io::Result<SocketAddr>,
    own: &OwnAsks,
) -> Origin {
    let tested_as = own.group_of(Transport::Tcp, client);
    let plain = Origin::plain(client.ip(), local.unwrap_or(NOWHERE), Transport::Tcp);
    Origin { tested_as, ..plain }
}
