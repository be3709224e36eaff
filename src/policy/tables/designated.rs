//! Designated resolvers: the encrypted listeners that clients are led to (RFC 9462), and their names.
//!
//! ```text
//! question                  answer
//! _dns.resolver.arpa SVCB   DoT and DoH by the first name of the certificate that covers the address
//!                           the query was sent to (§4); without one, none
//! _dns.NAME SVCB            DoT and DoH by NAME (§5)
//! NAME A, AAAA              the addresses of the encrypted listeners
//! ```
//!
//! Laws: a target must never be a name that no certificate covers, nor a hint an address without a
//! listener. A query that was sent to an address outside the certificate gets no record: a client that
//! verifies (§4.2) would refuse it, and opportunistic discovery (§4.3) shows nobody's identity.
//!
//! Absent on purpose: certificates. The shell reads them, and gives the table anew when they change.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::dns::name::Name;
use crate::dns::rtype;
use crate::matcher::HashedName;
use crate::matcher::names::NameTable;
use crate::policy::tables::special::Special;
use crate::rule::Scope;

/// The name at which clients ask an address for its encrypted resolvers (RFC 9462 §4).
const DISCOVERY: &[u8] = b"\x04_dns\x08resolver\x04arpa\x00";
/// The label before a resolver's name at which clients ask for its listeners (RFC 9461 §3).
const LABEL: &[u8] = b"\x04_dns";
/// The path of DoH, with the variable of GET (RFC 8484 §4.1, RFC 9461 §5).
const DOH_PATH: &[u8] = b"/dns-query{?dns}";
/// The most hints of a family in one record.
const MOST_HINTS: usize = 4;
/// Room for one record: priority, the longest name, ALPN, port, hints of both families, path.
const MAX_RDATA: usize = 2 + 255 + 8 + 6 + (4 + 4 * MOST_HINTS) + (4 + 16 * MOST_HINTS) + 20;

/// Keys of parameters (RFC 9460 §14.3.2, RFC 9461 §5); a record has them in this order.
const ALPN: u16 = 1;
const PORT: u16 = 3;
const IPV4_HINT: u16 = 4;
const IPV6_HINT: u16 = 6;
const PATH: u16 = 7;

/// What one certificate covers of the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Covered {
    /// The gateway's own names in it, without wildcards. Clients that know an address alone are led
    /// to the first. Each is answered here: it must never be the name of something else.
    pub names: Vec<Name>,
    /// Names of groups in it: each is answered as one of the gateway's own, and no client is led to
    /// one, which would choose its group.
    pub group_names: Vec<Name>,
    /// The addresses in it.
    pub addresses: Vec<IpAddr>,
}

/// The encrypted listeners and what their certificates cover; by default there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Designated {
    /// The certificates that are valid now, the default first.
    pub certificates: Vec<Covered>,
    /// Addresses of DoT.
    pub dot: Vec<SocketAddr>,
    /// Addresses of DoH.
    pub doh: Vec<SocketAddr>,
}

impl Designated {
    /// Whether nobody is led anywhere.
    pub fn is_none(&self) -> bool {
        self.dot.is_empty() && self.doh.is_empty()
            || self
                .certificates
                .iter()
                .all(|one| one.names.is_empty() && one.group_names.is_empty())
    }
}

/// The same, with its names in a table.
#[derive(Debug)]
pub struct DesignatedTable {
    of: Designated,
    names: NameTable<Special>,
}

impl DesignatedTable {
    /// None where nobody is led anywhere.
    pub(crate) fn new(of: Designated, seed: u64) -> Option<Self> {
        if of.is_none() {
            return None;
        }
        let mut names = Vec::new();
        let mut add = |wire: &[u8], special| {
            names.extend(Name::from_wire(wire).ok().map(|(name, _)| (name, Scope::Exact, special)));
        };
        add(DISCOVERY, Special::Designated);
        for name in own_names(&of) {
            add(name.as_wire(), Special::Gateway);
            // A name of full length has no room for the label, and nobody can ask for it.
            add(&[LABEL, name.as_wire()].concat(), Special::DesignatedOf);
        }
        let names = NameTable::new(names, seed);
        Some(Self { of, names })
    }

    /// The gateway's own names.
    pub(crate) fn own(&self) -> Vec<&Name> {
        own_names(&self.of)
    }

    /// The answer to a name of ours; `None` for every other name. One probe.
    #[inline]
    pub(crate) fn special(&self, hashed: &HashedName<'_>) -> Option<Special> {
        self.names.exact(hashed.name, &hashed.hashes).copied()
    }

    /// Hands the RDATA of the answer to `write`, for a query of a name, in wire form, and a type that
    /// was sent to the address `local`; none without a record of that type.
    #[inline(never)]
    pub fn with_records<T>(
        &self,
        special: Special,
        (name, qtype): (&[u8], u16),
        local: IpAddr,
        write: impl FnOnce(&[&[u8]]) -> T,
    ) -> T {
        let local = local.to_canonical();
        match (special, qtype) {
            (Special::Designated, rtype::SVCB) => {
                self.with_services(self.target_for(local).map(Name::as_wire), local, write)
            }
            (Special::DesignatedOf, rtype::SVCB) => {
                self.with_services(name.get(LABEL.len()..), local, write)
            }
            (Special::Gateway, rtype::A | rtype::AAAA) => {
                let listeners = self.of.dot.iter().chain(&self.of.doh).copied();
                Addresses::of(&listeners, qtype == rtype::AAAA, local).with_rdata(write)
            }
            _ => write(&[]),
        }
    }

    /// The first name of the certificate that covers an address of ours.
    fn target_for(&self, local: IpAddr) -> Option<&Name> {
        let covers = |one: &&Covered| one.addresses.iter().any(|own| own.to_canonical() == local);
        self.of.certificates.iter().filter(covers).find_map(|one| one.names.first())
    }

    fn with_services<T>(
        &self,
        target: Option<&[u8]>,
        local: IpAddr,
        write: impl FnOnce(&[&[u8]]) -> T,
    ) -> T {
        // DoT first: of the two it costs gateway and client less.
        let dot = target.and_then(|to| service(1, to, b"\x03dot", &[], &self.of.dot, local));
        let doh = target.and_then(|to| service(2, to, b"\x02h2", DOH_PATH, &self.of.doh, local));
        match (dot.as_ref().map(Rdata::octets), doh.as_ref().map(Rdata::octets)) {
            (Some(dot), Some(doh)) => write(&[dot, doh]),
            (Some(one), None) | (None, Some(one)) => write(&[one]),
            (None, None) => write(&[]),
        }
    }
}

/// The names in all certificates: a list, for iterators of iterators of them are compiled for minutes.
fn own_names(of: &Designated) -> Vec<&Name> {
    let mut names = Vec::new();
    for one in &of.certificates {
        names.extend(&one.names);
        names.extend(&one.group_names);
    }
    names
}

/// The RDATA of one record (RFC 9460 §2.2), of listeners that clients of `local` reach; none
/// without any.
fn service(
    priority: u16,
    target: &[u8],
    alpn: &[u8],
    path: &[u8],
    listeners: &[SocketAddr],
    local: IpAddr,
) -> Option<Rdata> {
    let reached = || listeners.iter().filter_map(|one| Some((reached(*one, local)?, one.port())));
    let (_, port) = reached().find(|(ip, _)| *ip == local).or_else(|| reached().next())?;
    let at_port = || listeners.iter().copied().filter(|one| one.port() == port);
    let mut rdata = Rdata { octets: [0; MAX_RDATA], length: 0 };
    rdata.put(&priority.to_be_bytes())?;
    rdata.put(target)?;
    rdata.parameter(ALPN, &[alpn])?;
    rdata.parameter(PORT, &[&port.to_be_bytes()])?;
    for (key, is_v6) in [(IPV4_HINT, false), (IPV6_HINT, true)] {
        Addresses::of(&at_port(), is_v6, local).with_rdata(|each| rdata.parameter(key, each))?;
    }
    rdata.parameter(PATH, &[path])?;
    Some(rdata)
}

/// The address at which clients of `local` reach a listener; none where they do not.
fn reached(listener: SocketAddr, local: IpAddr) -> Option<IpAddr> {
    let ip = listener.ip().to_canonical();
    if ip.is_unspecified() {
        // A listener of one family has no address of the other. A link-local one needs a zone, which
        // no record has.
        let is_link_local = matches!(local, IpAddr::V6(local) if local.is_unicast_link_local());
        let is_its = ip.is_ipv6() == local.is_ipv6() && !is_link_local && !local.is_unspecified();
        return is_its.then_some(local);
    }
    (!ip.is_loopback() || local.is_loopback()).then_some(ip)
}

/// A few addresses of one family.
struct Addresses {
    each: [IpAddr; MOST_HINTS],
    length: usize,
}

impl Addresses {
    /// The addresses of a family at which clients of `local` reach listeners: `local` first.
    fn of(
        listeners: &(impl Iterator<Item = SocketAddr> + Clone),
        is_v6: bool,
        local: IpAddr,
    ) -> Self {
        let mut found = Self { each: [Ipv4Addr::UNSPECIFIED.into(); MOST_HINTS], length: 0 };
        let reached = || listeners.clone().filter_map(|one| reached(one, local));
        let own = reached().filter(|ip| *ip == local);
        for ip in own.chain(reached()).filter(|ip| ip.is_ipv6() == is_v6) {
            let is_there = found.each.get(..found.length).is_some_and(|each| each.contains(&ip));
            if let Some(place) = found.each.get_mut(found.length).filter(|_| !is_there) {
                *place = ip;
                found.length += 1;
            }
        }
        found
    }

    /// Hands the octets of each to `write`.
    fn with_rdata<T>(&self, write: impl FnOnce(&[&[u8]]) -> T) -> T {
        let octets = self.each.map(|ip| match ip {
            IpAddr::V4(ip) => (ip.to_ipv6_mapped().octets(), 12),
            IpAddr::V6(ip) => (ip.octets(), 0),
        });
        let mut room: [&[u8]; MOST_HINTS] = [&[]; MOST_HINTS];
        for (place, (octets, from)) in room.iter_mut().zip(&octets) {
            *place = octets.get(*from..).unwrap_or_default();
        }
        write(room.get(..self.length).unwrap_or_default())
    }
}

/// RDATA under construction.
struct Rdata {
    octets: [u8; MAX_RDATA],
    length: usize,
}

impl Rdata {
    fn octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    fn put(&mut self, octets: &[u8]) -> Option<()> {
        let end = self.length + octets.len();
        self.octets.get_mut(self.length..end)?.copy_from_slice(octets);
        self.length = end;
        Some(())
    }

    /// A parameter with its value in parts; none without a value.
    fn parameter(&mut self, key: u16, value: &[&[u8]]) -> Option<()> {
        let length: usize = value.iter().map(|part| part.len()).sum();
        if length == 0 {
            return Some(());
        }
        self.put(&key.to_be_bytes())?;
        self.put(&(length as u16).to_be_bytes())?;
        value.iter().try_for_each(|part| self.put(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::from_text(text).unwrap()
    }

    fn table(dot: &[&str], doh: &[&str]) -> DesignatedTable {
        let sockets = |each: &[&str]| each.iter().map(|text| text.parse().unwrap()).collect();
        let covered = |names: &[&str], addresses: &[&str]| Covered {
            names: names.iter().map(|text| name(text)).collect(),
            group_names: Vec::new(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        };
        let certificates = vec![
            covered(&["other.example"], &[]),
            covered(&["dns.school.example", "pupils.dns.school.example"], &["10.0.0.1", "fd00::1"]),
        ];
        let of = Designated { certificates, dot: sockets(dot), doh: sockets(doh) };
        DesignatedTable::new(of, 1).unwrap()
    }

    fn addresses(table: &DesignatedTable, qtype: u16, local: &str) -> Vec<IpAddr> {
        let (asked, local) = (name("dns.school.example"), local.parse().unwrap());
        table.with_records(Special::Gateway, (asked.as_wire(), qtype), local, |each| {
            let read = |rdata: &&[u8]| match rdata.len() {
                4 => IpAddr::from(<[u8; 4]>::try_from(*rdata).unwrap()),
                _ => IpAddr::from(<[u8; 16]>::try_from(*rdata).unwrap()),
            };
            each.iter().map(read).collect()
        })
    }

    #[test]
    fn hints_are_addresses_of_listeners() {
        let table = table(&["0.0.0.0:853", "10.0.0.1:8853", "127.0.0.1:853", "[fd00::7]:853"], &[]);
        assert_eq!(
            addresses(&table, rtype::A, "10.0.0.5"),
            ["10.0.0.5".parse::<IpAddr>().unwrap(), "10.0.0.1".parse().unwrap()]
        );
        assert_eq!(
            addresses(&table, rtype::AAAA, "10.0.0.5"),
            ["fd00::7".parse::<IpAddr>().unwrap()]
        );
        // No record has room for the zone of a link-local address.
        let table = self::table(&["[::]:853"], &[]);
        assert_eq!(addresses(&table, rtype::AAAA, "fe80::1"), [] as [IpAddr; 0]);
        assert!(addresses(&table, rtype::TXT, "fd00::1").is_empty());
    }

    #[test]
    fn the_longest_record_has_room() {
        let label = "a".repeat(63);
        let long = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        let v4 = ["10.0.0.1:853", "10.0.0.2:853", "10.0.0.3:853", "10.0.0.4:853", "10.0.0.5:853"];
        let v6 = ["[fd00::1]:853", "[fd00::2]:853", "[fd00::3]:853", "[fd00::4]:853"];
        let each = v4.iter().chain(&v6).map(|text| text.parse().unwrap());
        let each: Vec<SocketAddr> = each.collect();
        let local = "10.0.0.1".parse().unwrap();
        let rdata = service(1, name(&long).as_wire(), b"\x03dot", DOH_PATH, &each, local);
        assert_eq!(rdata.unwrap().length, MAX_RDATA);
    }

    #[test]
    fn nothing_is_designated_without_a_listener_or_a_name() {
        let dot: Vec<SocketAddr> = vec!["10.0.0.1:853".parse().unwrap()];
        let named = Covered { names: vec![name("dns.example")], ..Covered::default() };
        for of in [
            Designated::default(),
            Designated { certificates: vec![named], ..Designated::default() },
            Designated { certificates: vec![Covered::default()], dot, doh: vec![] },
        ] {
            assert!(DesignatedTable::new(of, 1).is_none());
        }
    }
}
