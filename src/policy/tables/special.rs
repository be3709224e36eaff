//! Special-use names (RFC 6761 and others): answered locally, never sent upstream.
//!
//! Sources: RFC 6761 (localhost, invalid, test, private reverse zones), 6762
//! (local), 6303 and 7793 (reverse zones that must not leak), 7050 and 8880
//! (ipv4only.arpa), 7686 (onion), 8375 (home.arpa), 9462 (resolver.arpa), 9476
//! (alt), 9665 (service.arpa), and ICANN's reservation of `internal`.

use std::net::{IpAddr, Ipv4Addr};

use crate::dns::name::Folded;
use crate::dns::rtype;

/// The answer to a special-use name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// The name does not exist.
    NxDomain,
    /// The name exists, the type does not.
    NoData,
    /// The portal's addresses of the queried type.
    Portal,
    /// The encrypted resolvers of the address that the query was sent to (RFC 9462 §4).
    Designated,
    /// Those of the name behind the first label (RFC 9462 §5).
    DesignatedOf,
    /// The addresses of the encrypted listeners, at a name of the gateway.
    Gateway,
    /// One record of the queried type for each of these addresses.
    Addresses(&'static [&'static [u8]]),
}

/// The answer to a special-use name; `None` for every other name.
#[inline]
pub fn special(name: &Folded, qtype: u16) -> Option<Special> {
    let last = name.label_count().checked_sub(1)?;
    match name.label(last) {
        b"localhost" => Some(match qtype {
            rtype::A => Special::Addresses(&[&[127, 0, 0, 1]]),
            rtype::AAAA => Special::Addresses(&[&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]]),
            _ => Special::NoData,
        }),
        b"invalid" | b"test" | b"onion" | b"local" | b"alt" | b"internal" => {
            Some(Special::NxDomain)
        }
        b"arpa" => arpa(name, last, qtype),
        _ => None,
    }
}

/// Whether no config may override the answer: the name has no local meaning in any network.
pub fn is_fixed(name: &Folded) -> bool {
    let Some(last) = name.label_count().checked_sub(1) else { return false };
    match name.label(last) {
        b"localhost" | b"invalid" | b"onion" | b"alt" => true,
        b"arpa" => last
            .checked_sub(1)
            .is_some_and(|below| matches!(name.label(below), b"resolver" | b"ipv4only")),
        _ => false,
    }
}

/// Whether an address is what a DNS block list of mail servers says of an address: 127/8 but for
/// 127.0.0.1, for a name with the octets or the nibbles of an address in front (RFC 5782 §2).
pub fn is_mail_list(name: &Folded, address: IpAddr) -> bool {
    let IpAddr::V4(address) = address else { return false };
    let is_octet = |at| {
        let label = name.label(at);
        let is_number = label.len() <= 3 && label.iter().all(u8::is_ascii_digit);
        is_number && std::str::from_utf8(label).is_ok_and(|text| text.parse::<u8>().is_ok())
    };
    let is_nibble = |at| matches!(name.label(at), [digit] if digit.is_ascii_hexdigit());
    let labels = name.label_count();
    address.is_loopback()
        && address != Ipv4Addr::LOCALHOST
        && (labels > 4 && (0..4).all(is_octet) || labels > 32 && (0..32).all(is_nibble))
}

fn arpa(name: &Folded, last: usize, qtype: u16) -> Option<Special> {
    let below = last.checked_sub(1)?;
    match name.label(below) {
        // Discovery of encrypted resolvers would lead around the filter, but for our own.
        b"resolver" => Some(Special::NoData),
        b"home" | b"service" => Some(if below == 0 { Special::NoData } else { Special::NxDomain }),
        b"ipv4only" if below == 0 => match qtype {
            rtype::A => Some(Special::Addresses(&[&[192, 0, 0, 170], &[192, 0, 0, 171]])),
            // Only the server that translates knows its prefix (RFC 8880 §7.1).
            rtype::AAAA => None,
            _ => Some(Special::NoData),
        },
        b"in-addr" if is_private_v4(name, below) => Some(Special::NxDomain),
        b"ip6" if is_private_v6(name, below) => Some(Special::NxDomain),
        _ => None,
    }
}

/// `name` is `….b.a.in-addr.arpa`; `zone` is the place of `in-addr`.
fn is_private_v4(name: &Folded, zone: usize) -> bool {
    let octet = |back: usize| -> Option<u8> {
        std::str::from_utf8(name.label(zone.checked_sub(back)?)).ok()?.parse().ok()
    };
    match (octet(1), octet(2), octet(3)) {
        (Some(0 | 10 | 127), _, _)
        | (Some(169), Some(254), _)
        | (Some(192), Some(168), _)
        | (Some(172), Some(16..=31), _)
        | (Some(100), Some(64..=127), _)
        | (Some(192), Some(0), Some(2))
        | (Some(198), Some(51), Some(100))
        | (Some(203), Some(0), Some(113)) => true,
        (Some(255), Some(255), Some(255)) => octet(4) == Some(255),
        _ => false,
    }
}

/// `name` is `….b.a.ip6.arpa`; `zone` is the place of `ip6`.
fn is_private_v6(name: &Folded, zone: usize) -> bool {
    let nibble = |back: usize| -> Option<u8> {
        let label = name.label(zone.checked_sub(back)?);
        if let [digit] = label { char::from(*digit).to_digit(16).map(|d| d as u8) } else { None }
    };
    match (nibble(1), nibble(2), nibble(3)) {
        // Unique local: RFC 6303 names d.f; fc00::/8 belongs to the same block.
        (Some(0xf), Some(0xc | 0xd), _) | (Some(0xf), Some(0xe), Some(0x8..=0xb)) => true,
        (Some(2), Some(0), Some(0)) => {
            let next = (4..=8).map(nibble);
            next.eq([1, 0, 0xd, 0xb, 8].map(Some))
        }
        // :: and ::1, whole.
        (Some(0), Some(0), Some(0)) => {
            zone == 32 && (1..32).all(|n| nibble(n) == Some(0)) && matches!(nibble(32), Some(0 | 1))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::name::Name;

    fn answer(name: &str, qtype: u16) -> Option<Special> {
        special(&Folded::from_name(&Name::from_text(name).unwrap()), qtype)
    }

    #[test]
    fn special_names_never_leave() {
        assert_eq!(answer("localhost", rtype::A), Some(Special::Addresses(&[&[127, 0, 0, 1]])));
        assert_eq!(answer("a.localhost", 15), Some(Special::NoData));
        for name in [
            "x.invalid",
            "test",
            "abc.onion",
            "printer.local",
            "a.alt",
            "dc.internal",
            "router.home.arpa",
            "1.0.168.192.in-addr.arpa",
            "31.172.in-addr.arpa",
            "64.100.in-addr.arpa",
            "255.255.255.255.in-addr.arpa",
            "8.e.f.ip6.arpa",
            "d.f.ip6.arpa",
            "1.8.b.d.0.1.0.0.2.ip6.arpa",
        ] {
            assert_eq!(answer(name, rtype::A), Some(Special::NxDomain), "{name}");
        }
        let loopback = format!("1.{}ip6.arpa", "0.".repeat(31));
        assert_eq!(answer(&loopback, 12), Some(Special::NxDomain));
        assert_eq!(answer("_dns.resolver.arpa", rtype::SVCB), Some(Special::NoData));
        assert_eq!(
            answer("ipv4only.arpa", rtype::A),
            Some(Special::Addresses(&[&[192, 0, 0, 170], &[192, 0, 0, 171]]))
        );
        assert_eq!(answer("ipv4only.arpa", rtype::TXT), Some(Special::NoData));
        // Asked of upstream, which may translate.
        assert_eq!(answer("ipv4only.arpa", rtype::AAAA), None);
    }

    #[test]
    fn answers_of_mail_lists_are_known() {
        let is_known = |name: &str, address: &str| {
            let name = Folded::from_name(&Name::from_text(name).unwrap());
            is_mail_list(&name, address.parse().unwrap())
        };
        let nibbles = format!("{}list.example", "1.f.".repeat(16));
        for (name, address) in [
            ("2.0.0.127.list.example", "127.0.0.2"),
            ("254.3.2.1.list", "127.255.255.254"),
            (nibbles.as_str(), "127.0.0.4"),
        ] {
            assert!(is_known(name, address), "{name} {address}");
        }
        for (name, address) in [
            ("2.0.0.127.list.example", "127.0.0.1"),
            ("2.0.0.127.list.example", "10.0.0.2"),
            ("2.0.0.127.list.example", "::ffff:127.0.0.2"),
            ("256.0.0.127.list.example", "127.0.0.2"),
            ("0.0.127.list.example", "127.0.0.2"),
            ("a.2.0.0.127.list.example", "127.0.0.2"),
            ("1.2.3.4", "127.0.0.2"),
            (&nibbles[2..], "127.0.0.4"),
        ] {
            assert!(!is_known(name, address), "{name} {address}");
        }
    }

    #[test]
    fn public_names_are_not_special() {
        for name in [
            "example.com",
            "localhost.example.com",
            "mytest",
            "8.8.8.8.in-addr.arpa",
            "32.172.in-addr.arpa",
            "arpa",
            "in-addr.arpa",
            "8.b.d.0.2.0.0.2.ip6.arpa",
            "1.0.0.2.ip6.arpa",
        ] {
            assert_eq!(answer(name, rtype::A), None, "{name}");
        }
    }
}
