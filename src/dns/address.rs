//! Addresses that no public name should resolve to.
//!
//! A page that makes its own name point into the school's network can talk to
//! what is there (DNS rebinding). Ranges: RFC 6890 and its registries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address belongs to this host, to a private network or to a link.
pub fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_internal_v4(address),
        IpAddr::V6(address) => is_internal_v6(address),
    }
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || a == 0
        // Shared by carriers (RFC 6598).
        || a == 100 && (64..128).contains(&b)
}

fn is_internal_v6(address: Ipv6Addr) -> bool {
    let carried = match address.segments() {
        // IPv4-mapped, IPv4-compatible, and NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(u32::from(high) << 16 | u32::from(low))
        }
        _ => None,
    };
    address.is_unique_local()
        || address.is_unicast_link_local()
        || carried.is_some_and(|octets| is_internal_v4(Ipv4Addr::from(octets)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_internal_range_is_known() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "169.254.1.1",
            "172.31.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "fc00::1",
            "::ffff:10.0.0.1",
            "::192.168.0.1",
            "64:ff9b::127.0.0.1",
        ] {
            assert!(is_internal(address.parse().unwrap()), "{address}");
        }
        for address in [
            "192.0.2.1",
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "2001:db8::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(!is_internal(address.parse().unwrap()), "{address}");
        }
    }
}
