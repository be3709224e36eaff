//! Discovery of network-designated resolvers (RFC 9463): the options by which DHCP and router
//! advertisements announce an encrypted resolver.
//!
//! ```text
//! DHCPv4 162   length(2) priority(2) n(1) name n(1) IPv4…  SvcParams     one instance after another
//! DHCPv6 144             priority(2) n(2) name n(2) IPv6…  SvcParams     one option an instance
//! RA     144   type(1) length(1) priority(2) lifetime(4) n(2) name n(2) IPv6… n(2) SvcParams  zeros
//! ```
//!
//! Numbers are in network order, names uncompressed (RFC 8415 §10). The header of a DHCP option is
//! its server's; an RA option is whole, as its padding depends on its header.
//!
//! Absent on purpose: instances without addresses, and `ipv4hint`, `ipv6hint`, which RFC 9463 §3.1.5
//! forbids beside addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::dns::name::Name;

/// The port of DNS over TLS (RFC 7858 §3.1).
pub const DOT_PORT: u16 = 853;
/// The port of DNS over HTTPS (RFC 8484 §4).
pub const DOH_PORT: u16 = 443;
/// The path of DNS over HTTPS here (RFC 8484 §4.1 leaves it to the server); a token may follow behind a
/// slash.
pub const DOH_PATH: &str = "/dns-query";
/// The media type of messages in DNS over HTTPS (RFC 8484 §6).
pub const DOH_MEDIA_TYPE: &str = "application/dns-message";
/// The most octets of one option of DHCP for IPv4.
pub const MAX_DHCP4: usize = 255;

/// Type of the option in router advertisements (RFC 9463 §6.1).
const RA_TYPE: u8 = 144;

/// Keys of service parameters (RFC 9460 §14.3.2, RFC 9461 §5).
const KEY_ALPN: u16 = 1;
const KEY_PORT: u16 = 3;
const KEY_DOH_PATH: u16 = 7;

/// Protocols of a resolver that one instance announces, and their port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptedService {
    /// Preference among instances; the lowest comes first, and 0 is no service (RFC 9460 §2.4.1).
    pub priority: u16,
    /// ALPN ids: `dot` (RFC 7858), `h2` (RFC 8484).
    pub alpn: Vec<&'static str>,
    /// The port; none where each protocol has its own default (RFC 9461 §4.2).
    pub port: Option<u16>,
    /// The URI template of DNS over HTTPS, relative to the name.
    pub doh_path: Option<String>,
}

impl EncryptedService {
    /// The instances for these ports, the preferred one first: one where both are the defaults, so
    /// that a DHCP option stays short, else one a protocol.
    pub fn of(dot: Option<u16>, doh: Option<u16>, template: &str) -> Vec<Self> {
        let path = Some(template.to_owned());
        if dot == Some(DOT_PORT) && doh == Some(DOH_PORT) {
            let alpn = vec!["h2", "dot"];
            return vec![Self { priority: 1, alpn, port: None, doh_path: path }];
        }
        let doh = doh.map(|port| (vec!["h2"], port, DOH_PORT, path));
        let dot = dot.map(|port| (vec!["dot"], port, DOT_PORT, None));
        [doh, dot]
            .into_iter()
            .flatten()
            .zip(1..)
            .map(|((alpn, port, usual, doh_path), priority)| {
                let port = (port != usual).then_some(port);
                Self { priority, alpn, port, doh_path }
            })
            .collect()
    }

    /// `SvcParams` on the wire: keys rise, each with its length (RFC 9460 §2.2).
    pub fn params(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut put = |key: u16, value: &[u8]| {
            out.extend(key.to_be_bytes());
            out.extend((value.len() as u16).to_be_bytes());
            out.extend(value);
        };
        let ids = self.alpn.iter().flat_map(|id| [&[id.len() as u8], id.as_bytes()].concat());
        put(KEY_ALPN, &ids.collect::<Vec<u8>>());
        if let Some(port) = self.port {
            put(KEY_PORT, &port.to_be_bytes());
        }
        if let Some(path) = &self.doh_path {
            put(KEY_DOH_PATH, path.as_bytes());
        }
        out
    }
}

/// The data of option 162 of DHCP for IPv4 (RFC 9463 §5.1): all instances, one after another.
///
/// `None` where it is longer than [`MAX_DHCP4`] octets: few servers split an option (RFC 3396).
pub fn dhcp4(
    services: &[EncryptedService],
    name: &Name,
    addresses: &[Ipv4Addr],
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for service in services {
        let mut instance = service.priority.to_be_bytes().to_vec();
        instance.push(u8::try_from(name.as_wire().len()).ok()?);
        instance.extend(name.as_wire());
        instance.push(u8::try_from(addresses.len() * 4).ok()?);
        instance.extend(addresses.iter().flat_map(Ipv4Addr::octets));
        instance.extend(service.params());
        out.extend(u16::try_from(instance.len()).ok()?.to_be_bytes());
        out.extend(instance);
    }
    (out.len() <= MAX_DHCP4).then_some(out)
}

/// The data of one option 144 of DHCP for IPv6 (RFC 9463 §4.1).
///
/// `None` where a length does not fit its field.
pub fn dhcp6(service: &EncryptedService, name: &Name, addresses: &[Ipv6Addr]) -> Option<Vec<u8>> {
    let mut out = service.priority.to_be_bytes().to_vec();
    named_and_placed(&mut out, name, addresses)?;
    out.extend(service.params());
    u16::try_from(out.len()).is_ok().then_some(out)
}

/// One RA option 144 (RFC 9463 §6.1), from its type to its padding; `lifetime` is in seconds.
///
/// `None` where it is longer than 255 units of 8 octets.
pub fn advertised(
    service: &EncryptedService,
    name: &Name,
    addresses: &[Ipv6Addr],
    lifetime: u32,
) -> Option<Vec<u8>> {
    let mut out = vec![RA_TYPE, 0];
    out.extend(service.priority.to_be_bytes());
    out.extend(lifetime.to_be_bytes());
    named_and_placed(&mut out, name, addresses)?;
    let params = service.params();
    out.extend(u16::try_from(params.len()).ok()?.to_be_bytes());
    out.extend(params);
    out.resize(out.len().next_multiple_of(8), 0);
    *out.get_mut(1)? = u8::try_from(out.len() / 8).ok()?;
    Some(out)
}

/// Name and addresses, each behind its length of two octets.
fn named_and_placed(out: &mut Vec<u8>, name: &Name, addresses: &[Ipv6Addr]) -> Option<()> {
    out.extend(u16::try_from(name.as_wire().len()).ok()?.to_be_bytes());
    out.extend(name.as_wire());
    out.extend(u16::try_from(addresses.len() * 16).ok()?.to_be_bytes());
    out.extend(addresses.iter().flat_map(Ipv6Addr::octets));
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEMPLATE: &str = "/dns-query{?dns}";

    fn name() -> Name {
        Name::from_text("dns.school.example").unwrap()
    }

    /// Octets of hexadecimal text with spaces.
    fn octets(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pair = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
        digits.chunks(2).map(pair).collect()
    }

    /// `dns.school.example.` and its parameters, written by hand from the figures.
    const ADN: &str = "03 646e73 06 7363686f6f6c 07 6578616d706c65 00";
    const H2_DOT: &str = "0001 0007 02 6832 03 646f74";
    const DOH_PATH: &str = "0007 0010 2f646e732d71756572797b3f646e737d";

    #[test]
    fn dhcpv4_is_the_figure_of_the_standard() {
        let services = EncryptedService::of(Some(853), Some(443), TEMPLATE);
        let data = dhcp4(&services, &name(), &[[10, 20, 0, 1].into(), [10, 20, 0, 2].into()]);
        let after_length =
            octets(&format!("0001 14 {ADN} 08 0a140001 0a140002 {H2_DOT} {DOH_PATH}"));
        let mut expected = (after_length.len() as u16).to_be_bytes().to_vec();
        expected.extend(after_length);
        assert_eq!(data, Some(expected));
    }

    #[test]
    fn dhcpv6_is_the_figure_of_the_standard() {
        let [service] = &EncryptedService::of(Some(853), None, TEMPLATE)[..] else { panic!() };
        let data = dhcp6(service, &name(), &["fd20::1".parse().unwrap()]);
        let address = "fd20 0000 0000 0000 0000 0000 0000 0001";
        let expected = octets(&format!("0001 0014 {ADN} 0010 {address} 0001 0004 03 646f74"));
        assert_eq!(data, Some(expected));
    }

    #[test]
    fn router_advertisements_are_the_figure_of_the_standard() {
        let [service] = &EncryptedService::of(None, Some(8443), TEMPLATE)[..] else { panic!() };
        let data = advertised(service, &name(), &["fd20::1".parse().unwrap()], 1800).unwrap();
        let address = "fd20 0000 0000 0000 0000 0000 0000 0001";
        let params = format!("0001 0003 02 6832 0003 0002 20fb {DOH_PATH}");
        // 83 octets, and 5 of padding: 11 units of 8.
        let expected = octets(&format!(
            "90 0b 0001 00000708 0014 {ADN} 0010 {address} 0021 {params} 0000000000"
        ));
        assert_eq!(data, expected);
        assert_eq!(data.len(), 88);
    }

    #[test]
    fn a_port_of_its_own_makes_an_instance_of_its_own() {
        let services = EncryptedService::of(Some(8853), Some(443), TEMPLATE);
        let shown: Vec<_> = services.iter().map(|one| (one.priority, one.port)).collect();
        assert_eq!(shown, [(1, None), (2, Some(8853))]);
        assert_eq!(services[1].doh_path, None);
        assert!(EncryptedService::of(None, None, TEMPLATE).is_empty());
    }

    #[test]
    fn what_is_too_long_for_an_option_is_none() {
        let services = EncryptedService::of(Some(853), None, TEMPLATE);
        let many = vec![Ipv4Addr::LOCALHOST; 64];
        assert_eq!(dhcp4(&services, &name(), &many), None);
        assert_eq!(dhcp4(&services, &name(), &many[..60]), None);
        assert!(dhcp4(&services, &name(), &many[..40]).is_some());
        let many = vec![Ipv6Addr::LOCALHOST; 5_000];
        assert_eq!(dhcp6(&services[0], &name(), &many), None);
        assert_eq!(advertised(&services[0], &name(), &many[..127], 1), None);
    }

    proptest! {
        /// Lengths inside an option lead exactly to its end, whatever it announces.
        #[test]
        fn lengths_lead_to_the_end(dot in proptest::option::of(1u16..), doh in proptest::option::of(1u16..),
                                   count in 1usize..4) {
            let services = EncryptedService::of(dot, doh, TEMPLATE);
            let data = dhcp4(&services, &name(), &vec![Ipv4Addr::LOCALHOST; count]).unwrap();
            let mut rest = &data[..];
            let mut found = 0;
            while let [high, low, after @ ..] = rest {
                let (instance, more) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
                prop_assert_eq!(instance[2], 20);
                prop_assert_eq!(usize::from(instance[23]), count * 4);
                let mut params = &instance[24 + count * 4..];
                let mut last = 0;
                while let [a, b, c, d, value @ ..] = params {
                    let key = u16::from_be_bytes([*a, *b]);
                    prop_assert!(key > last);
                    last = key;
                    params = &value[usize::from(u16::from_be_bytes([*c, *d]))..];
                }
                prop_assert!(params.is_empty());
                (rest, found) = (more, found + 1);
            }
            prop_assert!(rest.is_empty());
            prop_assert_eq!(found, services.len());
            for service in &services {
                let option = advertised(service, &name(), &vec![Ipv6Addr::LOCALHOST; count], 9).unwrap();
                prop_assert_eq!(usize::from(option[1]) * 8, option.len());
            }
        }
    }
}
