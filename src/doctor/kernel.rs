//! Tables of the Linux kernel as text: bound sockets, and the addresses of this machine (proc(5)).
//!
//! Law: a line that cannot be parsed is left out; it never hides another.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The protocol of a table of sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketKind {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

impl SocketKind {
    /// The tables of this protocol below `/proc/net`.
    pub(super) fn tables(self) -> [&'static str; 2] {
        match self {
            Self::Udp => ["udp", "udp6"],
            Self::Tcp => ["tcp", "tcp6"],
        }
    }

    /// Its name for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }

    /// The state of a socket that waits for any peer: `TCP_LISTEN`, or `TCP_CLOSE` for a UDP socket
    /// that is not connected.
    fn waiting(self) -> &'static str {
        match self {
            Self::Udp => "07",
            Self::Tcp => "0A",
        }
    }
}

/// A socket that waits for datagrams or connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundSocket {
    /// Its protocol.
    pub kind: SocketKind,
    /// The address it is bound to.
    pub address: SocketAddr,
    /// The user it belongs to.
    pub user: u32,
    /// Its inode, by which the process is found.
    pub inode: u64,
}

/// The waiting sockets of a table such as `/proc/net/udp6`.
pub(super) fn sockets(kind: SocketKind, table: &str) -> Vec<BoundSocket> {
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_waiting = *fields.get(3)? == kind.waiting();
        let address = address(fields.get(1)?)?;
        let (user, inode) = (fields.get(7)?.parse().ok()?, fields.get(9)?.parse().ok()?);
        is_waiting.then_some(BoundSocket { kind, address, user, inode })
    };
    table.lines().filter_map(socket).collect()
}

/// An address of a table: words of 32 bits in the machine's order, and the port in the usual one.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let word = u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    let ip = match ip.len() {
        8 => IpAddr::from(word(0)?),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let octets: [u8; 16] = words.as_flattened().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// The IPv4 addresses of this machine, from `/proc/net/fib_trie`: a leaf with `/32 host LOCAL`.
pub(super) fn own_v4(trie: &str) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    let mut leaf = None;
    for line in trie.lines().map(str::trim_start) {
        if let Some(text) = line.strip_prefix("|-- ") {
            leaf = text.trim().parse::<Ipv4Addr>().ok();
        } else if line.starts_with("/32 host LOCAL") {
            found.extend(leaf.filter(|ip| !found.contains(ip)));
        }
    }
    found
}

/// The IPv6 addresses of this machine, from `/proc/net/if_inet6`.
pub(super) fn own_v6(table: &str) -> Vec<Ipv6Addr> {
    let parse = |line: &str| {
        let octets = u128::from_str_radix(line.split_ascii_whitespace().next()?, 16).ok()?;
        Some(Ipv6Addr::from(octets))
    };
    table.lines().filter_map(parse).collect()
}

/// The inode of a link such as `socket:[23456]` below `/proc/PID/fd`.
pub(super) fn inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Captured on a Debian 12 with systemd-resolved and dnsmasq; a client's connected socket is in it.
    const UDP: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   \
uid  timeout inode ref pointer drops\n\
  388: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 20871 2 \
0000000000000000 0\n\
  388: 0101A8C0:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   110        0 31337 2 \
0000000000000000 0\n\
 7000: 0101A8C0:C001 35FFFF0A:0035 01 00000000:00000000 00:00000000 00000000     0        0 40000 2 \
0000000000000000 0\n\
 torn line\n";

    const TCP6: &str = "  sl  local_address                         remote_address                        \
st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
   0: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 0A 00000000:00000000 \
00:00000000 00000000   110        0 31339 1 0000000000000000 100 0 0 10 0\n\
   1: 000000FD000000000000000002000000:0035 00000000000000000000000000000000:0000 0A 00000000:00000000 \
00:00000000 00000000   110        0 31340 1 0000000000000000 100 0 0 10 0\n\
   2: 000000FD000000000000000002000000:0035 000000FD000000000000000003000000:C350 01 00000000:00000000 \
00:00000000 00000000   110        0 31341 1 0000000000000000 100 0 0 10 0\n";

    #[test]
    #[cfg(target_endian = "little")]
    fn only_sockets_that_wait_are_bound() {
        let found = sockets(SocketKind::Udp, UDP);
        let shown: Vec<_> =
            found.iter().map(|one| (one.address.to_string(), one.user, one.inode)).collect();
        let expected =
            [("127.0.0.53:53".to_owned(), 101, 20871), ("192.168.1.1:53".to_owned(), 110, 31337)];
        assert_eq!(shown, expected);
        let found: Vec<_> =
            sockets(SocketKind::Tcp, TCP6).iter().map(|one| one.address.to_string()).collect();
        assert_eq!(found, ["[::]:53", "[fd00::2]:53"]);
        assert_eq!(sockets(SocketKind::Tcp, UDP), []);
    }

    #[test]
    fn addresses_of_the_machine_are_those_that_are_local() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     \
                    +-- 127.0.0.0/8 2 0 2\n           |-- 127.0.0.0\n              /8 host LOCAL\n           \
                    |-- 127.0.0.1\n              /32 host LOCAL\n           |-- 192.0.2.0\n              \
                    /24 link UNICAST\n           |-- 192.0.2.2\n              /32 host LOCAL\n        \
                    |-- 192.0.2.255\n           /32 link BROADCAST\nLocal:\n           |-- 192.0.2.2\n              \
                    /32 host LOCAL\n";
        assert_eq!(own_v4(trie), [Ipv4Addr::LOCALHOST, Ipv4Addr::new(192, 0, 2, 2)]);
        let table = "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n\
                     00000000000000000000000000000001 01 80 10 80       lo\nodd\n";
        let expected: [Ipv6Addr; 2] = ["fe80::fc:ff:fe00:1".parse().unwrap(), Ipv6Addr::LOCALHOST];
        assert_eq!(own_v6(table), expected);
    }

    #[test]
    fn an_inode_is_that_of_a_socket() {
        assert_eq!(inode("socket:[31337]"), Some(31337));
        assert_eq!(inode("pipe:[31337]"), None);
        assert_eq!(inode("/dev/null"), None);
    }
}
