//! Many threads at once: whatever they do to each other, each asker has its own answer, once.
//!
//! ```text
//! names      n0…, every fourth an alias of a name of its own; what upstream says of a question
//!            is made of the question, so that a mix-up is seen in the octets
//! lists      other ones after each swap, by a rule that tells from their number what they list
//! groups     one that the lists bind, one that they do not
//! ```
//!
//! `cache.rs` is the core with the answer cache and the workers' own tables, under a clock that
//! the test moves; `gateway.rs` is the whole way of a miss, with a server upstream that says when
//! it is asked twice at one time. Nothing is timed: they end when enough has happened, and
//! say when too little of something did.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::net::IpAddr;

use lachan::dns::rtype;
use lachan::load::assemble::Assembler;
use lachan::load::candidate::Candidate;
use lachan::load::in_force::{Current, InForce};
use lachan::overrides::Overrides;
use lachan::resolve::Origin;

use crate::alone;
use crate::kit::core::{LIMITS, origin};
use crate::kit::folder::Folder;
use crate::kit::wire::{QNAME, question_end, record, response, wire};

mod cache;
mod gateway;
mod stream;

/// Clients below are of a group that the lists are for, others of one that may look up all.
const STAFF: u8 = 128;

/// What a client may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Asked {
    name: usize,
    qtype: u16,
    dnssec_ok: bool,
    checking_disabled: bool,
}

impl Asked {
    /// One of `names` names in one of eight ways, for a random number.
    fn of(number: u64, names: usize) -> Self {
        Self {
            name: number as usize % names,
            qtype: if number >> 32 & 1 == 0 { rtype::A } else { rtype::AAAA },
            dnssec_ok: number >> 33 & 1 == 0,
            checking_disabled: number >> 34 & 1 == 0,
        }
    }

    fn text(&self) -> String {
        format!("n{}.asked.example", self.name)
    }

    /// The name that it is an alias of, if it is one.
    fn target(&self) -> Option<String> {
        self.name.is_multiple_of(4).then(|| format!("t{}.target.example", self.name))
    }

    /// The octets of the question, in one or the other case of letters.
    fn to_query(self, id: u16, in_capitals: bool) -> Vec<u8> {
        let mut wire = wire(&self.text());
        if in_capitals {
            wire.make_ascii_uppercase();
        }
        let flags = [1, u8::from(self.checking_disabled) << 4];
        let [high, low] = self.qtype.to_be_bytes();
        let opt = [0, 0, 41, 4, 208, 0, 0, u8::from(self.dnssec_ok) << 7, 0, 0, 0];
        [
            id.to_be_bytes().as_slice(),
            &flags,
            &[0, 1, 0, 0, 0, 0, 0, 1],
            &wire,
            &[high, low, 0, 1],
            &opt,
        ]
        .concat()
    }

    /// The address that upstream has for it: its own for each name, type and bit. That of type
    /// AAAA says when it was given, too.
    fn address(&self, second: u64) -> Vec<u8> {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        let hash = hasher.finish().to_be_bytes();
        match self.qtype {
            rtype::A => [&[20], &hash[..3]].concat(),
            _ => [&[0x2a, 0], &hash[..6], &second.to_be_bytes()].concat(),
        }
    }

    /// What upstream says in `second`, to a query of its own for this question.
    fn said(&self, query: &[u8], ttl: u32, second: u64) -> Vec<u8> {
        let (mut owner, mut records) = (QNAME.to_vec(), Vec::new());
        if let Some(target) = self.target() {
            let target = wire(&target);
            records.push(record(&owner, rtype::CNAME, ttl, &target));
            owner = target;
        }
        records.push(record(&owner, self.qtype, ttl, &self.address(second)));
        response(query, 0, &records, &[])
    }

    /// Whether the lists with this number block it for a client.
    fn is_blocked(&self, client: u8, lists: u64) -> bool {
        let is_listed = || lists_name(self.name, lists);
        let is_alias = || self.target().is_some() && lists_target(self.name, lists);
        client < STAFF && (is_listed() || is_alias())
    }
}

fn lists_name(name: usize, lists: u64) -> bool {
    (name as u64 + lists).is_multiple_of(3)
}

fn lists_target(name: usize, lists: u64) -> bool {
    (name as u64 / 4 + lists).is_multiple_of(2)
}

/// TTL and RDATA of the last record of an answer.
fn last_record(message: &[u8]) -> Option<(u32, &[u8])> {
    let count = u16::from_be_bytes([message[6], message[7]]);
    let (mut at, mut last) = (question_end(message), None);
    for _ in 0..count {
        while message[at] != 0 && message[at] < 0xc0 {
            at += 1 + usize::from(message[at]);
        }
        at += if message[at] == 0 { 1 } else { 2 };
        let ttl = u32::from_be_bytes(*message[at + 4..].first_chunk().unwrap());
        let length = usize::from(u16::from_be_bytes([message[at + 8], message[at + 9]]));
        last = Some((ttl, &message[at + 10..at + 10 + length]));
        at += 10 + length;
    }
    last
}

fn meta(client: u8) -> Origin {
    origin(IpAddr::from([127, 0, 10, client]))
}

/// Makes policies of ever other lists.
struct Lists {
    folder: Folder,
    assembler: Assembler,
    names: usize,
    number: u64,
}

impl Lists {
    fn new(names: usize) -> Self {
        let config = r#"
            default_group = "pupils"
            [lists]
            starter = false
            use_keywords = false
            [[lists.source]]
            category = "adult"
            path = "list.txt"
            [[group]]
            name = "pupils"
            profile = "pupils"
            [[group]]
            name = "staff"
            clients = ["127.0.10.128/25"]
            profile = "staff"
            [profile.pupils]
            level = "lower-secondary"
            block = ["adult"]
            [profile.staff]
            level = "staff"
            block = []
        "#;
        let folder = Folder::new(config, &[]);
        let assembler = folder.assembler();
        Self { folder, assembler, names, number: 0 }
    }

    /// A candidate with the next lists; their number is their tag.
    fn next(&mut self, base: Option<&InForce>) -> Candidate {
        self.number += 1;
        let names = (0..self.names).filter(|&name| lists_name(name, self.number));
        let targets = (0..self.names).filter(|&name| lists_target(name, self.number));
        let lines: Vec<String> = names
            .map(|name| format!("n{name}.asked.example\n"))
            .chain(targets.map(|name| format!("t{name}.target.example\n")))
            .collect();
        // No two of the same size: a file is known by that, too.
        let text = lines.concat() + "#".repeat(self.number as usize).as_str() + "\n";
        self.folder.write("list.txt", text);
        let candidate = self.assembler.candidate(base).unwrap();
        let tag = candidate.look(&[], 0).facts_tag();
        assert_eq!(tag, self.number, "the lists were read");
        candidate
    }

    /// Puts the first lists in force.
    fn start(&mut self) -> Current {
        Current::start(self.next(None), Overrides::open(None))
    }

    /// Puts the next lists in force.
    fn adopt_next(&mut self, current: &Current) {
        let candidate = self.next(Some(&current.in_force()));
        current.adopt(candidate).unwrap();
    }
}

/// Numbers without order, always the same for a seed (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Once in `times`.
    fn once_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times)
    }
}
