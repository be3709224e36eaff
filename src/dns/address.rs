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
    address.is_unique_local()
        || address.is_unicast_link_local()
        // Site-local (RFC 3879): deprecated, and in use.
        || address.segments()[0] & 0xffc0 == 0xfec0
        || carried(address).into_iter().flatten().any(is_internal_v4)
}

/// Whether an address is no host at all: what filters answer with for a name that they block.
pub fn is_unspecified(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_unspecified(),
        IpAddr::V6(address) => {
            carried(address).into_iter().flatten().any(|inner| inner.is_unspecified())
        }
    }
}

/// The IPv4 addresses that an IPv6 address carries: packets to it can end at them.
pub fn carried(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let octets = address.octets();
    let [a, b, c, d] = [12, 13, 14, 15].map(|at| octets[at]);
    let last = Ipv4Addr::new(a, b, c, d);
    match address.segments() {
        // IPv4-compatible, IPv4-mapped (RFC 4291), IPv4-translated (RFC 2765), NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0 | 0xffff, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..] => [Some(last), None],
        [0x64, 0xff9b, 1, ..] => [Some(translated(octets)), None],
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => [Some(v4(high, low)), None],
        // Teredo (RFC 4380): its server, and the client with every bit flipped.
        [0x2001, 0, high, low, _, _, mapped_high, mapped_low] => {
            [Some(v4(high, low)), Some(v4(!mapped_high, !mapped_low))]
        }
        // ISATAP (RFC 5214), behind any prefix.
        [_, _, _, _, eui, oui, ..] => {
            [(matches!(eui, 0 | 0x200) && oui == 0x5efe).then_some(last), None]
        }
    }
}

/// The IPv4 address in one of the local NAT64 prefixes (RFC 8215), of whatever length: what stands
/// behind the address is 0 (RFC 6052 §2.2).
fn translated(octets: [u8; 16]) -> Ipv4Addr {
    let at = |places: [usize; 4]| {
        let [a, b, c, d] = places.map(|place| octets[place]);
        Ipv4Addr::new(a, b, c, d)
    };
    let is_zero = |from: usize| octets.iter().skip(from).all(|&octet| octet == 0);
    if is_zero(11) {
        at([6, 7, 9, 10])
    } else if is_zero(12) {
        at([7, 9, 10, 11])
    } else if is_zero(13) && octets.get(9..12).is_some_and(|front| front != [0, 0, 0]) {
        at([9, 10, 11, 12])
    } else {
        at([12, 13, 14, 15])
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
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
            "64:ff9b:1::10.0.0.1",
            "64:ff9b:1:abcd::192.168.1.1",
            // 10.0.0.1 behind prefixes of 48, 56 and 64 bits.
            "64:ff9b:1:0a00:0:0100::",
            "64:ff9b:1:aa0a:0:1::",
            "64:ff9b:1:aaaa:a:0:100:0",
            "2002:c0a8:0101::1",
            "2002:7f00:1::",
            "fec0::1",
            "feff::1",
            "::ffff:0:10.0.0.1",
            "2001:0:0a00:1::1",
            // Teredo with the client 192.168.1.1.
            "2001:0:c000:201::3f57:fefe",
            "2001:db8::5efe:10.0.0.1",
            "2001:db8::200:5efe:172.16.0.1",
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
            "64:ff9b::192.0.0.170",
            "64:ff9b:1::8.8.8.8",
            "64:ff9b:1:fffe::8.8.8.8",
            "64:ff9b:1:808:0:808::",
            "64:ff9b:1:aaaa:8:808:800:0",
            "2002:0808:0808::1",
            "2001:0:c000:201::f7f7:f7f7",
            "2001:db8::5efe:8.8.8.8",
            "ff02::fb",
        ] {
            assert!(!is_internal(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_filters_address_is_no_host() {
        for address in ["0.0.0.0", "::", "::ffff:0.0.0.0", "64:ff9b::", "64:ff9b:1::"] {
            assert!(is_unspecified(address.parse().unwrap()), "{address}");
        }
        for address in ["0.0.0.1", "127.0.0.1", "::1", "2001:db8::", "64:ff9b::8.8.8.8"] {
            assert!(!is_unspecified(address.parse().unwrap()), "{address}");
        }
    }
}
