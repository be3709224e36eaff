//! A device that opens only what was answered, as Windows does with Zero Trust DNS: all traffic to an
//! address that no answer had is refused on the device. A school works for it when every address that
//! a name needs is in an answer, and none that is of no use.
//!
//! The client is scripted, and asks by UDP and TCP: what is in an answer does not depend on its
//! transport. No Windows was seen.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hickory_proto::rr::rdata::svcb::SvcParamValue;
use hickory_proto::rr::{RData, Record};

use crate::support::ports::free_port;
use crate::support::{Ask, Canned, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream};

/// A device of a pupil: what it has opened.
struct Device<'a> {
    gateway: &'a Gateway,
    opened: BTreeSet<IpAddr>,
}

/// What a name resolved to.
#[derive(Debug, Default)]
struct Resolved {
    /// Addresses of A and AAAA, which are opened.
    addresses: BTreeSet<IpAddr>,
    /// Hints of HTTPS, which a browser may use first.
    hints: BTreeSet<IpAddr>,
    rcodes: BTreeSet<String>,
}

impl<'a> Device<'a> {
    fn new(gateway: &'a Gateway) -> Self {
        Self { gateway, opened: BTreeSet::new() }
    }

    /// Asks for all that a browser asks for; over TCP where an answer was cut.
    fn resolve(&mut self, name: &str) -> Resolved {
        let mut found = Resolved::default();
        for qtype in ["A", "AAAA", "HTTPS"] {
            let ask = Ask::new(name, qtype).from(PUPIL).edns(1232);
            let mut answer = ask.clone().expect(self.gateway.dns);
            if answer.is_truncated() {
                answer = ask.tcp().expect(self.gateway.dns);
            }
            found.rcodes.insert(answer.rcode());
            for record in &answer.message.answers {
                found.addresses.extend(address(record));
                found.hints.extend(hints(record));
            }
        }
        self.opened.extend(&found.addresses);
        found
    }

    /// Whether the device lets a connection out.
    fn connects(&self, to: IpAddr) -> bool {
        self.opened.contains(&to)
    }
}

fn address(record: &Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(v4) => Some(v4.0.into()),
        RData::AAAA(v6) => Some(v6.0.into()),
        _ => None,
    }
}

fn hints(record: &Record) -> Vec<IpAddr> {
    let RData::HTTPS(https) = &record.data else { return Vec::new() };
    let mut found = Vec::new();
    for (_, value) in &https.0.svc_params {
        match value {
            SvcParamValue::Ipv4Hint(hint) => found.extend(hint.0.iter().map(|a| IpAddr::V4(a.0))),
            SvcParamValue::Ipv6Hint(hint) => found.extend(hint.0.iter().map(|a| IpAddr::V6(a.0))),
            _ => {}
        }
    }
    found
}

fn addresses(texts: &[&str]) -> BTreeSet<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn canned(records: &[String]) -> Canned {
    Canned { answer: records.to_vec(), ..Canned::default() }
}

const A: Option<u16> = Some(1);
const AAAA: Option<u16> = Some(28);
const HTTPS: Option<u16> = Some(65);

/// A gateway that blocks a name and two networks, and has a portal.
fn school(upstream: &Upstream) -> Gateway {
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[portal]\nlisten = [\"127.0.0.1:{{portal}}\"]\n\
         [[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\n\
         [[lists.source]]\ncategory = \"adult\"\npath = \"nets.txt\"\nformat = \"addresses\"\n"
    );
    Gateway::plan(&config)
        .upstream(upstream)
        .fill("portal", &free_port().to_string())
        .file("adult.txt", "adult.example\n")
        .file("nets.txt", "203.0.113.0/24\n2001:db8:bad::/48\n")
        .start()
}

#[test]
fn every_address_behind_a_chain_of_aliases_is_opened() {
    let upstream = Upstream::start();
    // Eight names of a content network, and more addresses than a datagram of 1,232 octets takes.
    let mut chain = vec!["www.shop.example. 300 CNAME n0.cdn.example.".to_owned()];
    chain.extend((0..7).map(|at| format!("n{at}.cdn.example. 60 CNAME n{}.cdn.example.", at + 1)));
    let v4: Vec<String> = (1..=40).map(|last| format!("192.0.2.{last}")).collect();
    let v6: Vec<String> = (1..=40).map(|last| format!("2001:db8::{last:x}")).collect();
    for (qtype, word, all) in [(A, "A", &v4), (AAAA, "AAAA", &v6)] {
        let last = all.iter().map(|address| format!("n7.cdn.example. 20 {word} {address}"));
        let records: Vec<String> = chain.iter().cloned().chain(last).collect();
        upstream.answer("www.shop.example", qtype, canned(&records));
    }
    let gateway = school(&upstream);
    let needed: Vec<&str> = v4.iter().chain(&v6).map(String::as_str).collect();
    let needed = addresses(&needed);
    // Fresh, and from the cache.
    for _ in 0..2 {
        let mut device = Device::new(&gateway);
        assert_eq!(device.resolve("www.shop.example").addresses, needed);
        assert!(needed.iter().all(|address| device.connects(*address)));
        assert!(!device.connects("192.0.2.200".parse().unwrap()));
    }
    assert_eq!(
        upstream.count("www.shop.example", A),
        1,
        "the second device is answered from the cache"
    );
}

#[test]
fn hints_come_as_they_are_or_not_at_all() {
    let upstream = Upstream::start();
    let https =
        |name: &str, hints: &str| canned(&[format!("{name}. 300 HTTPS 1 . alpn=h2 {hints}")]);
    let good = ("good.example", "ipv4hint=192.0.2.1 ipv6hint=2001:db8::1");
    let listed = ("listed.example", "ipv4hint=192.0.2.1,203.0.113.9");
    let listed6 = ("listed6.example", "ipv6hint=2001:db8:bad::9");
    let inside = ("inside.example", "ipv4hint=10.0.0.7");
    for (name, hints) in [good, listed, listed6, inside] {
        upstream.answer(name, HTTPS, https(name, hints));
    }
    let gateway = school(&upstream);
    for _ in 0..2 {
        let mut device = Device::new(&gateway);
        let found = device.resolve("good.example");
        assert_eq!(found.hints, addresses(&["192.0.2.1", "2001:db8::1"]));
        assert!(found.hints.iter().all(|hint| device.connects(*hint)), "{found:?}");
        for (name, _) in [listed, listed6, inside] {
            let found = device.resolve(name);
            assert_eq!(found.hints, BTreeSet::new(), "{name}");
        }
    }
}

#[test]
fn a_blocked_name_opens_nothing() {
    let upstream = Upstream::start();
    upstream.answer(
        "alias.example",
        None,
        canned(&["alias.example. 300 CNAME www.adult.example.".into()]),
    );
    upstream.answer("listed.example", A, canned(&["listed.example. 300 A 203.0.113.7".into()]));
    upstream.answer(
        "listed.example",
        AAAA,
        canned(&["listed.example. 300 AAAA 2001:db8:bad::7".into()]),
    );
    let gateway = school(&upstream);
    let mut device = Device::new(&gateway);
    // Neither a zero address, which would open every listener of the device, nor the portal, which
    // would have no certificate for the name.
    for name in ["adult.example", "www.adult.example", "alias.example", "listed.example"] {
        let found = device.resolve(name);
        assert_eq!((found.addresses, found.hints), Default::default(), "{name}");
    }
    assert_eq!(device.opened, BTreeSet::new());
    // The portal is reached by its own name alone.
    let portal = device.resolve("lachan.internal").addresses;
    assert_eq!(portal, addresses(&["127.0.0.1"]));
}

#[test]
fn names_by_which_windows_sees_that_it_is_online_resolve() {
    let upstream = Upstream::start();
    let probe = ["131.107.255.255", "fd3e:4f5a:5b81::1"];
    upstream.answer(
        "dns.msftncsi.com",
        A,
        canned(&[format!("dns.msftncsi.com. 300 A {}", probe[0])]),
    );
    upstream.answer(
        "dns.msftncsi.com",
        AAAA,
        canned(&[format!("dns.msftncsi.com. 300 AAAA {}", probe[1])]),
    );
    for (qtype, data) in [(A, "A 192.0.2.41"), (AAAA, "AAAA 2001:db8::41")] {
        let alias = |name: &str| {
            canned(&[
                format!("{name}. 300 CNAME ncsi.cdn.example."),
                format!("ncsi.cdn.example. 20 {data}"),
            ])
        };
        for name in ["www.msftconnecttest.com", "ipv6.msftconnecttest.com"] {
            upstream.answer(name, qtype, alias(name));
        }
    }
    let gateway = school(&upstream);
    let mut device = Device::new(&gateway);
    // The second of them is private, and Windows compares it octet by octet.
    assert_eq!(device.resolve("dns.msftncsi.com").addresses, addresses(&probe));
    for name in ["www.msftconnecttest.com", "ipv6.msftconnecttest.com"] {
        let found = device.resolve(name);
        assert_eq!(found.addresses, addresses(&["192.0.2.41", "2001:db8::41"]), "{name}");
    }
}

#[test]
fn no_name_leads_a_device_to_another_resolver() {
    let upstream = Upstream::start();
    let gateway = school(&upstream);
    let mut device = Device::new(&gateway);
    for canary in ["use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com"] {
        let found = device.resolve(canary);
        assert_eq!(found.addresses, BTreeSet::new());
        assert_eq!(found.rcodes, BTreeSet::from(["NXDOMAIN".to_owned()]), "{canary}");
    }
    // Without a listener for encrypted DNS nothing is designated; nobody upstream is asked.
    let designated = Ask::new("_dns.resolver.arpa", "SVCB").from(PUPIL).expect(gateway.dns);
    assert_eq!((designated.rcode().as_str(), designated.answers()), ("NOERROR", Vec::new()));
    assert_eq!(device.resolve("resolver.arpa").addresses, BTreeSet::new());
    assert!(upstream.asked().is_empty(), "{:?}", upstream.asked());
}
