//! What a scripted server says to one question.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use lachan::dns::rtype;

use super::message::Parsed;
use crate::kit::wire::{QNAME, record, wire};

const AA: u16 = 0x0400;
const RA: u16 = 0x0080;
const AD: u16 = 0x0020;

/// The SOA that makes a negative answer keepable: owner, TTL and MINIMUM.
#[derive(Debug, Clone)]
struct Soa {
    owner: String,
    ttl: u32,
}

/// A record: an owner, or the name of the question.
#[derive(Debug, Clone)]
struct Line {
    owner: Option<String>,
    ttl: u32,
    rtype: u16,
    rdata: Vec<u8>,
}

/// What is said to one question; without more, NOERROR and nothing else, as from a resolver (RA).
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Twelve bits; the upper eight need an OPT in the query.
    pub(super) rcode: u16,
    /// AA, AD and RA, as in the second word of a header.
    pub(super) flags: u16,
    pub(super) delay: Duration,
    pub(super) is_silent: bool,
    records: Vec<Line>,
    authority: Vec<Line>,
    soa: Option<Soa>,
}

impl Answer {
    /// NOERROR without answer and SOA: a portal, or a home router that strips the SOA.
    pub(crate) fn empty() -> Self {
        Self {
            rcode: 0,
            flags: RA,
            delay: Duration::ZERO,
            is_silent: false,
            records: Vec::new(),
            authority: Vec::new(),
            soa: None,
        }
    }

    /// A code and nothing else; from 16 on it needs an OPT (RFC 6891 §6.1.3).
    pub(crate) fn rcode(rcode: u16) -> Self {
        Self { rcode, ..Self::empty() }
    }

    /// NXDOMAIN with the SOA of this zone.
    pub(crate) fn nxdomain(zone: &str) -> Self {
        Self::rcode(3).soa(zone, 60)
    }

    /// NODATA with the SOA of this zone.
    pub(crate) fn nodata(zone: &str) -> Self {
        Self::empty().soa(zone, 60)
    }

    /// An IPv4 address, to questions for A and ANY.
    pub(crate) fn a(address: &str) -> Self {
        Self::empty().and("A", address)
    }

    /// An IPv6 address, to questions for AAAA and ANY.
    pub(crate) fn aaaa(address: &str) -> Self {
        Self::empty().and("AAAA", address)
    }

    /// An alias of the question's name, to questions of any type.
    pub(crate) fn cname(target: &str) -> Self {
        Self::empty().and("CNAME", target)
    }

    /// A lame server's word: no RA, no AA, and the root's name servers.
    pub(crate) fn referral() -> Self {
        let root = |server| line(Some("."), 3600, "NS", server);
        let authority = ["a.root-servers.net", "b.root-servers.net"].map(root).to_vec();
        Self { authority, ..Self::lame() }
    }

    /// A lame server's word without records: no RA, no AA, NOERROR.
    pub(crate) fn lame() -> Self {
        Self { flags: 0, ..Self::empty() }
    }

    /// Nothing is said.
    pub(crate) fn silence() -> Self {
        Self { is_silent: true, ..Self::empty() }
    }

    /// And a record of the question's name. TYPE and RDATA as in [`rdata`], TTL 300.
    pub(crate) fn and(mut self, rtype: &str, rdata: &str) -> Self {
        self.records.push(line(None, 300, rtype, rdata));
        self
    }

    /// And a record of another name, such as an alias' target.
    pub(crate) fn and_of(mut self, owner: &str, rtype: &str, rdata: &str) -> Self {
        self.records.push(line(Some(owner), 300, rtype, rdata));
        self
    }

    /// And the SOA of a zone, with this TTL and MINIMUM.
    pub(crate) fn soa(self, zone: &str, ttl: u32) -> Self {
        Self { soa: Some(Soa { owner: zone.to_owned(), ttl }), ..self }
    }

    /// With this TTL for all records so far.
    pub(crate) fn ttl(mut self, ttl: u32) -> Self {
        let lines = self.records.iter_mut().chain(&mut self.authority);
        lines.for_each(|line| line.ttl = ttl);
        if let Some(soa) = &mut self.soa {
            soa.ttl = ttl;
        }
        self
    }

    /// With another code.
    pub(crate) fn with_rcode(self, rcode: u16) -> Self {
        Self { rcode, ..self }
    }

    /// After this time.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// With AD set.
    pub(crate) fn authentic(self) -> Self {
        Self { flags: self.flags | AD, ..self }
    }

    /// With AA set and RA clear: an authoritative server's word.
    pub(crate) fn authoritative(self) -> Self {
        Self { flags: AA, ..self }
    }

    /// The records of the answer section that a question of this type gets.
    pub(super) fn answer_records(&self, qtype: u16) -> Vec<Vec<u8>> {
        let fits = |line: &&Line| line.rtype == qtype || line.is_alias() || qtype == rtype::ANY;
        self.records.iter().filter(fits).map(Line::to_wire).collect()
    }

    /// The records of the authority section. Where the name has records and none of the question's
    /// type, that is said with an SOA.
    pub(super) fn authority_records(&self, query: &Parsed) -> Vec<Vec<u8>> {
        let has_no_data = !self.records.is_empty() && self.answer_records(query.qtype).is_empty();
        let implied = || has_no_data.then(|| Soa { owner: query.parent(), ttl: 60 });
        let soa = self.soa.clone().or_else(implied).map(|soa| {
            let rdata = format!("ns.invalid root.invalid 1 3600 600 86400 {}", soa.ttl);
            line(Some(&soa.owner), soa.ttl, "SOA", &rdata).to_wire()
        });
        self.authority.iter().map(Line::to_wire).chain(soa).collect()
    }

    /// The addresses of an answer for A.
    fn ipv4(&self) -> impl Iterator<Item = Ipv4Addr> {
        let addresses = self.records.iter().filter(|line| line.rtype == rtype::A);
        addresses.map(|line| <[u8; 4]>::try_from(line.rdata.as_slice()).unwrap().into())
    }

    /// What a DNS64 says of AAAA where this is said of A: `64:ff9b::/96` (RFC 6147 §5.1.7).
    pub(super) fn synthesised(&self) -> Self {
        self.ipv4().fold(Self::empty(), |all, address| {
            let high = u128::from(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0));
            let mapped = Ipv6Addr::from(high | u128::from(u32::from(address)));
            all.and("AAAA", &mapped.to_string())
        })
    }

    /// What is said of a question that no script knows.
    pub(super) fn usual(query: &Parsed) -> Self {
        let name = query.folded();
        let first = name.split('.').next().unwrap_or_default();
        let big = first.strip_prefix("big").and_then(|count| count.parse::<usize>().ok());
        match query.qtype {
            _ if name == "nx.example" || name.ends_with(".nx.example") => Self::nxdomain("example"),
            rtype::A if name == "ipv4only.arpa" => {
                Self::a("192.0.0.170").and("A", "192.0.0.171").ttl(3600)
            }
            _ if name == "ipv4only.arpa" => Self::nodata(&name),
            rtype::A => Self::a("192.0.2.1"),
            rtype::AAAA => Self::aaaa("2001:db8::1"),
            rtype::TXT => (0..big.unwrap_or(1)).fold(Self::empty(), |all, number| {
                let text = if big.is_some() { "x".repeat(95) } else { String::new() };
                all.and("TXT", &format!("{number:04}{text}"))
            }),
            _ => Self::nodata(&query.parent()),
        }
    }
}

impl Line {
    fn is_alias(&self) -> bool {
        matches!(self.rtype, rtype::CNAME | rtype::DNAME)
    }

    fn to_wire(&self) -> Vec<u8> {
        let owner = match self.owner.as_deref() {
            None => QNAME.to_vec(),
            // The root.
            Some(".") => vec![0],
            Some(name) => wire(name),
        };
        record(&owner, self.rtype, self.ttl, &self.rdata)
    }
}

fn line(owner: Option<&str>, ttl: u32, rtype: &str, text: &str) -> Line {
    let (rtype, rdata) = rdata(rtype, text);
    Line { owner: owner.map(str::to_owned), ttl, rtype, rdata }
}

/// Type and RDATA of a record in text: addresses, names, `10 mx.example`, an SOA's seven words, one
/// character string of TXT; or `TYPE65` and hexadecimal digits (RFC 3597 §5, without `\#`).
fn rdata(rtype: &str, text: &str) -> (u16, Vec<u8>) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |word: &str| word.parse::<u32>().unwrap().to_be_bytes();
    match rtype {
        "A" => (rtype::A, text.parse::<Ipv4Addr>().unwrap().octets().to_vec()),
        "AAAA" => (rtype::AAAA, text.parse::<Ipv6Addr>().unwrap().octets().to_vec()),
        "CNAME" => (rtype::CNAME, wire(text)),
        "NS" => (rtype::NS, wire(text)),
        "PTR" => (rtype::PTR, wire(text)),
        "DNAME" => (rtype::DNAME, wire(text)),
        "MX" => (rtype::MX, [number(words[0])[2..].to_vec(), wire(words[1])].concat()),
        "TXT" => (rtype::TXT, [&[text.len() as u8], text.as_bytes()].concat()),
        "SOA" => {
            let numbers = words[2..].iter().flat_map(|word| number(word));
            let names = [wire(words[0]), wire(words[1])].concat();
            (rtype::SOA, names.into_iter().chain(numbers).collect())
        }
        other => {
            let number = other.strip_prefix("TYPE").and_then(|number| number.parse().ok());
            let octet =
                |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
            let octets = text.as_bytes().chunks(2).map(octet).collect();
            (number.unwrap_or_else(|| panic!("no type {other}")), octets)
        }
    }
}
