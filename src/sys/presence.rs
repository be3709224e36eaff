//! Presence: addresses and interfaces of a config that this machine has now.
//!
//! A VLAN, a VPN and an IPv6 address under test (DAD, RFC 4862 §5.4) come after the start, and may
//! go and come back. Law: an address that is not there must not keep a socket from being opened at
//! it, and so must not keep the others down: it is served from the moment it is there.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// Allows a socket to be bound to an address that is not there yet (ip(7), `IP_FREEBIND`).
///
/// Where the system does not have it, binding fails as [`is_absence`] says.
pub fn bind_early(socket: &Socket, address: SocketAddr) {
    #[cfg(target_os = "linux")]
    let _ =
        if address.is_ipv6() { socket.set_freebind_v6(true) } else { socket.set_freebind_v4(true) };
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, address);
}

/// Whether a socket could not be opened because its address, its interface or its whole family is
/// not there; not because it is taken or needs a privilege.
pub fn is_absence(error: &io::Error) -> bool {
    let absent = [libc::EADDRNOTAVAIL, libc::ENODEV, libc::ENXIO, libc::EAFNOSUPPORT];
    error.raw_os_error().is_some_and(|code| absent.contains(&code))
}

/// Those of some addresses that this machine does not have now; their ports do not matter.
pub fn absent(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    addresses.iter().copied().filter(|address| !is_here(*address)).collect()
}

/// The address by which this machine reaches a listener of its own: loopback for one at every address.
pub fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        _ => return listener,
    };
    SocketAddr::new(ip, listener.port())
}

/// Whether the machine has an address. A socket that may not be bound early tells.
fn is_here(mut address: SocketAddr) -> bool {
    if address.ip().is_unspecified() {
        return true;
    }
    address.set_port(0);
    let bound = Socket::new(Domain::for_address(address), Type::DGRAM, None)
        .and_then(|socket| socket.bind(&address.into()));
    // Without a descriptor to spare nothing is known.
    !bound.is_err_and(|error| is_absence(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_listener_at_every_address_is_reached_by_loopback() {
        for (listener, expected) in [
            ("0.0.0.0:53", "127.0.0.1:53"),
            ("[::]:853", "[::1]:853"),
            ("192.168.1.2:53", "192.168.1.2:53"),
            // A scope stays: without it a link-local address leads nowhere.
            ("[fe80::1%3]:53", "[fe80::1%3]:53"),
        ] {
            assert_eq!(reachable(address(listener)), address(expected));
        }
    }

    #[test]
    fn what_is_not_here_is_told_and_can_be_bound() {
        let (here, gone) = (address("127.0.0.1:53"), address("203.0.113.7:53"));
        assert_eq!(absent(&[here, gone, address("0.0.0.0:53"), address("[::]:53")]), [gone]);
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        bind_early(&socket, gone);
        socket.bind(&address("203.0.113.7:0").into()).unwrap();
    }

    #[test]
    fn an_address_that_is_taken_is_not_absent() {
        let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let error = std::net::UdpSocket::bind(taken.local_addr().unwrap()).unwrap_err();
        assert!(!is_absence(&error));
    }
}
