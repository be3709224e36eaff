//! Designated resolvers: what clients are led to, as another program reads it (RFC 9461, 9462).

use std::net::SocketAddr;

use hickory_proto::op::Message;
use lachan::cache::AnswerCache;
use lachan::dns::name::Name;
use lachan::dns::rtype;
use lachan::load::in_force::Current;
use lachan::overrides::store::Overrides;
use lachan::policy::tables::designated::{Covered, Designated};
use lachan::resolve::{Begin, Done, Origin, Transport, begin};

use crate::kit::core::synced;
use crate::kit::folder::Folder;
use crate::kit::wire::query;

fn current() -> Current {
    let folder = Folder::new("[lists]\nstarter = false\n", &[]);
    let first = folder.assembler().candidate(None).unwrap();
    Current::start(first, Overrides::open(None))
}

fn designated(dot: &[&str], doh: &[&str]) -> Designated {
    let sockets = |each: &[&str]| each.iter().map(|text| text.parse().unwrap()).collect();
    let covered = |names: &[&str], addresses: &[&str]| Covered {
        group_names: Vec::new(),
        names: names.iter().map(|text| Name::from_text(text).unwrap()).collect(),
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
    };
    let certificates = vec![
        covered(&["other.example"], &[]),
        covered(&["dns.school.internal", "pupils.dns.school.internal"], &["127.0.0.1", "fd00::1"]),
    ];
    Designated { certificates, dot: sockets(dot), doh: sockets(doh) }
}

/// The records of the answer to a query that was sent to an address, without their owner.
fn asked(current: &Current, name: &str, qtype: u16, local: &str, by: Transport) -> Vec<String> {
    let local = SocketAddr::new(local.parse().unwrap(), 53);
    let origin = Origin::plain("127.0.0.1".parse().unwrap(), local, by);
    let octets = query(&Name::from_text(name).unwrap(), qtype);
    let (cache, mut out) = (AnswerCache::new(1 << 20), vec![0; 4096]);
    let now = synced(1_800_000_000);
    let step = begin(&octets, &origin, &current.snapshot(), &cache, now, &mut out);
    let Begin::Done(Done::Reply(length, _)) = step else { panic!("asked upstream: {step:?}") };
    let message = Message::from_vec(&out[..length]).unwrap();
    assert_eq!(u16::from(message.metadata.response_code), 0, "{name}");
    assert!(message.answers.iter().all(|record| record.ttl == 60));
    message.answers.iter().map(|record| record.data.to_string().replace(['\"', ','], "")).collect()
}

const DISCOVERY: &str = "_dns.resolver.arpa";

#[test]
fn clients_of_a_covered_address_are_led_to_its_listeners() {
    let current = current();
    let svcb = |name, local, by| asked(&current, name, rtype::SVCB, local, by);
    assert!(svcb(DISCOVERY, "127.0.0.1", Transport::Udp).is_empty(), "no listener, no record");
    current.designate(designated(&["127.0.0.1:853", "[fd00::1]:853"], &["127.0.0.1:8443"]));
    for by in [Transport::Udp, Transport::Tcp, Transport::Dot, Transport::Doh] {
        let found = svcb(DISCOVERY, "127.0.0.1", by);
        let [dot, doh] = found.as_slice() else { panic!("{found:?}") };
        for (record, parts) in [
            (
                dot,
                [
                    "1 dns.school.internal. ",
                    "alpn=dot",
                    "port=853",
                    "ipv4hint=127.0.0.1",
                    "ipv6hint=fd00::1",
                ],
            ),
            (
                doh,
                [
                    "2 dns.school.internal. ",
                    "alpn=h2",
                    "port=8443",
                    "ipv4hint=127.0.0.1",
                    "7=/dns-query{?dns}",
                ],
            ),
        ] {
            assert!(parts.iter().all(|part| record.contains(part)), "{record}");
        }
    }
    let named = svcb("_dns.pupils.dns.school.internal", "10.9.9.9", Transport::Udp);
    assert!(named[0].starts_with("1 pupils.dns.school.internal. "), "{named:?}");
    // A reload that knows nothing of certificates leaves it so; another certificate does not.
    current.designate(Designated::default());
    assert!(svcb(DISCOVERY, "127.0.0.1", Transport::Udp).is_empty());
}

#[test]
fn clients_of_other_addresses_are_led_nowhere() {
    let current = current();
    current.designate(designated(&["0.0.0.0:853"], &[]));
    let svcb = |name, local| asked(&current, name, rtype::SVCB, local, Transport::Udp);
    assert_eq!(svcb(DISCOVERY, "127.0.0.1").len(), 1);
    assert_eq!(svcb(DISCOVERY, "::ffff:127.0.0.1").len(), 1);
    // Without a listener of its family, the certificate covers what nobody serves.
    for local in ["10.0.0.2", "fd00::1", "0.0.0.0"] {
        assert!(svcb(DISCOVERY, local).is_empty(), "{local}");
    }
    for name in ["resolver.arpa", "x.resolver.arpa", "_dns.x.resolver.arpa"] {
        let step = svcb_negative(&current, name);
        assert!(step.is_empty(), "{name}");
    }
}

/// Records below `resolver.arpa` that are not ours: there are none.
fn svcb_negative(current: &Current, name: &str) -> Vec<String> {
    asked(current, name, rtype::SVCB, "127.0.0.1", Transport::Udp)
}

#[test]
fn the_gateways_names_lead_to_its_listeners() {
    let current = current();
    current.designate(designated(&["127.0.0.1:853", "[::]:853"], &["10.0.0.1:443"]));
    let found = |qtype| asked(&current, "dns.school.internal", qtype, "10.0.0.9", Transport::Udp);
    assert_eq!(found(rtype::A), ["10.0.0.1"], "loopback is no address of others");
    assert!(found(rtype::AAAA).is_empty() && found(rtype::TXT).is_empty());
}
