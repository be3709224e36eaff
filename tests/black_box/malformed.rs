//! Bad input: no octets may crash the gateway, hang it, or make it say what is not so.
//!
//! The rule for every broken query: no answer, or an error; never NOERROR with records.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::support::ask::{ask_raw, connect, framed, name_to_wire, read_framed};
use crate::support::{Answer, Ask, Gateway, PUPIL, Upstream, gateway_blocking};

/// Long enough for an answer over loopback, short enough to wait for silence often.
const SHORT: Duration = Duration::from_millis(300);

const QUERY: u16 = 0x0100;
const RESPONSE: u16 = 0x8180;

/// A header and what follows it.
fn message(flags: u16, counts: [u16; 4], rest: &[u8]) -> Vec<u8> {
    let fields = [0x4242, flags, counts[0], counts[1], counts[2], counts[3]];
    let header: Vec<u8> = fields.iter().flat_map(|field| field.to_be_bytes()).collect();
    [&header, rest].concat()
}

/// A question of type A, class IN, for these octets as the name.
fn question(name: &[u8]) -> Vec<u8> {
    [name, &[0, 1, 0, 1]].concat()
}

/// An OPT with these octets as its data and `length` as their length.
fn opt(length: u16, data: &[u8]) -> Vec<u8> {
    [&[0, 0, 41, 4, 208, 0, 0, 0, 0], length.to_be_bytes().as_slice(), data].concat()
}

/// Every kind of broken question, with a name for the report.
fn broken_queries() -> Vec<(&'static str, Vec<u8>)> {
    let good = question(&name_to_wire("good.example"));
    let with = |rest: &[&[u8]]| [&[good.as_slice()], rest].concat().concat();
    let labels = |length: u8, count: usize| {
        let label = [&[length], vec![b'a'; usize::from(length)].as_slice()].concat();
        [label.repeat(count), vec![0]].concat()
    };
    let one = [1, 0, 0, 0];
    vec![
        ("pointer to itself", message(QUERY, one, &question(&[0xc0, 12]))),
        ("two pointers in a ring", message(QUERY, one, &question(&[0xc0, 14, 0xc0, 12]))),
        ("label, then back to it", message(QUERY, one, &question(&[1, b'a', 0xc0, 12]))),
        ("pointer forward", message(QUERY, one, &question(&[0xc0, 40]))),
        ("pointer into the header", message(QUERY, one, &question(&[0xc0, 0]))),
        ("label of 64 octets", message(QUERY, one, &question(&labels(64, 1)))),
        ("label type 01", message(QUERY, one, &question(&[0x41, b'a', 0]))),
        ("label type 10", message(QUERY, one, &question(&[0x80, b'a', 0]))),
        ("name of 257 octets", message(QUERY, one, &question(&labels(63, 4)))),
        ("name of 128 labels", message(QUERY, one, &question(&labels(1, 128)))),
        ("name without an end", message(QUERY, one, &[3, b'a', b'b', b'c'])),
        ("label past the end", message(QUERY, one, &[60, b'a', b'b'])),
        ("no type", message(QUERY, one, &name_to_wire("good.example"))),
        ("no class", message(QUERY, one, &good[..good.len() - 2])),
        ("half a class", message(QUERY, one, &good[..good.len() - 1])),
        ("QDCOUNT 0", message(QUERY, [0, 0, 0, 0], &[])),
        ("QDCOUNT 0 with a question", message(QUERY, [0, 0, 0, 0], &good)),
        ("QDCOUNT 2", message(QUERY, [2, 0, 0, 0], &with(&[&good]))),
        ("QDCOUNT 2 with one question", message(QUERY, [2, 0, 0, 0], &good)),
        ("QDCOUNT 65535", message(QUERY, [0xffff, 0, 0, 0], &good)),
        ("ARCOUNT 1 without a record", message(QUERY, [1, 0, 0, 1], &good)),
        ("ARCOUNT 65535", message(QUERY, [1, 0, 0, 0xffff], &with(&[&opt(0, &[])]))),
        ("two OPT", message(QUERY, [1, 0, 0, 2], &with(&[&opt(0, &[]), &opt(0, &[])]))),
        ("OPT longer than the message", message(QUERY, [1, 0, 0, 1], &with(&[&opt(40, &[])]))),
        (
            "option longer than its OPT",
            message(QUERY, [1, 0, 0, 1], &with(&[&opt(4, &[0, 3, 0, 9])])),
        ),
        ("half an option", message(QUERY, [1, 0, 0, 1], &with(&[&opt(3, &[0, 3, 0])]))),
        ("OPT cut short", message(QUERY, [1, 0, 0, 1], &with(&[&opt(0, &[])[..7]]))),
        (
            "OPT whose owner is not the root",
            message(QUERY, [1, 0, 0, 1], &with(&[&[1, b'a'], &opt(0, &[])])),
        ),
    ]
}

/// A broken query's answer may only be an error about it.
fn assert_honest(what: &str, query: &[u8], raw: &[u8]) {
    assert!(raw.len() >= 12, "{what}: an answer of {} octets", raw.len());
    assert_eq!(raw[..2], query[..2], "{what}: another id");
    assert!(raw[2] & 0x80 != 0, "{what}: answered with QR=0");
    let answer = Answer::decode(raw.to_vec());
    assert_eq!(answer.rcode(), "FORMERR", "{what}");
    assert!(answer.answers().is_empty(), "{what}: {:?}", answer.answers());
}

/// The gateway still answers a blocked and a good name as it should.
fn assert_in_order(gateway: &Gateway) {
    let blocked = Ask::new("www.badname.example", "A").from(PUPIL).edns(1232).expect(gateway.dns);
    assert_eq!(blocked.rcode(), "NXDOMAIN");
    let good = Ask::new("good.example", "A").from(PUPIL).expect(gateway.dns);
    assert_eq!(good.answers(), ["A 192.0.2.1"]);
    let by_tcp = Ask::new("good.example", "A").from(PUPIL).tcp().expect(gateway.dns);
    assert_eq!(by_tcp.answers(), ["A 192.0.2.1"]);
}

#[test]
fn broken_questions_get_formerr_or_silence() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["badname.example"], &upstream);
    for (what, query) in broken_queries() {
        if let Some(raw) = ask_raw(gateway.dns, &query, SHORT) {
            assert_honest(what, &query, &raw);
        }
        let mut stream = connect([127, 0, 0, 1].into(), gateway.dns);
        stream.set_read_timeout(Some(SHORT)).unwrap();
        std::io::Write::write_all(&mut stream, &framed(&query)).unwrap();
        if let Some(raw) = read_framed(&mut stream) {
            assert_honest(what, &query, &raw);
        }
    }
    assert!(upstream.asked().is_empty(), "a broken question went upstream: {:?}", upstream.asked());
    assert_in_order(&gateway);
}

#[test]
fn junk_after_the_question_never_changes_whose_answer_it_is() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["badname.example"], &upstream);
    // Octets after a whole message are an error or ignored; the verdict stands.
    for junk in [&[0][..], &[0xff; 3], &[0xc0, 0x0c], &[0; 400]] {
        let query = [&Ask::new("www.badname.example", "A").to_wire(), junk].concat();
        let Some(raw) = ask_raw(gateway.dns, &query, SHORT) else { continue };
        let answer = Answer::decode(raw);
        assert!(matches!(answer.rcode().as_str(), "FORMERR" | "NXDOMAIN"), "{}", answer.rcode());
        assert!(answer.answers().is_empty());
    }
    assert_in_order(&gateway);
}

#[test]
fn too_short_for_a_header_gets_no_answer() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["badname.example"], &upstream);
    for length in 0..12 {
        let octets = &message(QUERY, [1, 0, 0, 0], &[])[..length];
        assert_eq!(ask_raw(gateway.dns, octets, SHORT), None, "{length} octets");
    }
    assert_in_order(&gateway);
}

#[test]
fn responses_get_no_answer() {
    // Two resolvers that answer each other's answers never stop.
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["badname.example"], &upstream);
    let good = question(&name_to_wire("good.example"));
    let blocked = question(&name_to_wire("badname.example"));
    for octets in [
        message(RESPONSE, [1, 0, 0, 0], &good),
        message(RESPONSE, [1, 0, 0, 0], &blocked),
        message(0x8100 | 1, [0, 0, 0, 0], &[]),
        message(RESPONSE, [1, 0, 0, 0], &[0xc0, 12, 0, 1, 0, 1]),
    ] {
        assert_eq!(ask_raw(gateway.dns, &octets, SHORT), None, "{octets:02x?}");
    }
    assert!(upstream.asked().is_empty());
    assert_in_order(&gateway);
}

#[test]
fn hostile_names_that_are_allowed_are_answered() {
    // 127 labels, 63-octet labels, 255 octets, octets that are no letters: legal names.
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["badname.example"], &upstream);
    let deep = format!("{}badname.example", "a.".repeat(119));
    let wide = ["x".repeat(63), "y".repeat(63), "z".repeat(63), "w".repeat(44)].join(".");
    for name in [deep, format!("{wide}.badname.example")] {
        let answer = Ask::new(&name, "A").from(PUPIL).expect(gateway.dns);
        assert_eq!(answer.rcode(), "NXDOMAIN", "{name}");
    }
    let octets = [&[4, 0, 255, b'.', b'"'], name_to_wire("badname.example").as_slice()].concat();
    let query = message(QUERY, [1, 0, 0, 0], &question(&octets));
    let raw = ask_raw(gateway.dns, &query, Duration::from_secs(5)).expect("an answer");
    assert_eq!(Answer::decode(raw.clone()).rcode(), "NXDOMAIN");
    assert_eq!(raw[12..12 + octets.len()], octets);
    assert_in_order(&gateway);
}

#[test]
fn twenty_thousand_mutants_leave_it_in_order() {
    const MUTANTS: u16 = 20_000;
    const BATCH: usize = 50;
    let upstream = Upstream::start();
    let mut gateway = gateway_blocking(&["badname.example"], &upstream);
    let socket = UdpSocket::bind((PUPIL, 0)).unwrap();
    socket.connect(gateway.dns).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();

    let mut random = Random(0x1acc_4a11);
    let mut batch: Vec<Vec<u8>> = Vec::new();
    for number in 0..MUTANTS {
        let mut mutant = random.mutant();
        mutant[..2].copy_from_slice(&number.to_be_bytes());
        socket.send(&mutant).unwrap();
        batch.push(mutant);
        if batch.len() == BATCH {
            read_until_sentinel(&socket, gateway.dns, &batch);
            batch.clear();
        }
    }
    assert!(gateway.is_running());
    assert_in_order(&gateway);
}

/// Asks something sure, and looks at every answer that comes before it.
fn read_until_sentinel(socket: &UdpSocket, gateway: SocketAddr, batch: &[Vec<u8>]) {
    const SENTINEL: u16 = 0xfffe;
    let mut sentinel = Ask::new("sentinel.badname.example", "A").to_wire();
    sentinel[..2].copy_from_slice(&SENTINEL.to_be_bytes());
    socket.send(&sentinel).unwrap();
    let mut buffer = vec![0; 65_535];
    loop {
        let length = socket
            .recv(&mut buffer)
            .unwrap_or_else(|error| panic!("{gateway} is silent ({error}) after {batch:02x?}"));
        let raw = &buffer[..length];
        assert!(length >= 12 && raw[2] & 0x80 != 0, "not a response: {raw:02x?}");
        if raw[..2] == SENTINEL.to_be_bytes() {
            assert_eq!(Answer::decode(raw.to_vec()).rcode(), "NXDOMAIN");
            return;
        }
        // Late answers of an earlier batch have no mutant here.
        if let Some(mutant) = batch.iter().find(|mutant| mutant[..2] == raw[..2]) {
            assert_answers_only_what_was_asked(mutant, raw);
        }
    }
}

/// Records may only come back for a mutant that happens to ask a whole question.
fn assert_answers_only_what_was_asked(mutant: &[u8], raw: &[u8]) {
    let is_query = mutant.len() >= 12 && mutant[2] & 0x80 == 0;
    assert!(is_query, "answered: {mutant:02x?} → {raw:02x?}");
    let answer = Answer::decode(raw.to_vec());
    if answer.rcode() != "NOERROR" || answer.message.answers.is_empty() {
        return;
    }
    let question = whole_question(mutant);
    assert!(question.is_some(), "answered: {mutant:02x?} → {raw:02x?}");
    assert_eq!(whole_question(raw), question, "{mutant:02x?} → {raw:02x?}");
}

/// The question of a message: QUERY, one question, class IN, a name without pointers.
///
/// A reader of its own, so that the gateway's is not judged by itself.
fn whole_question(message: &[u8]) -> Option<&[u8]> {
    let is_query_opcode = message.get(2)? & 0x78 == 0;
    if !is_query_opcode || message.get(4..6)? != [0, 1] {
        return None;
    }
    let mut at = 12;
    loop {
        match usize::from(*message.get(at)?) {
            0 => break,
            length @ 1..=63 => at += 1 + length,
            _ => return None,
        }
    }
    let is_name = at - 12 < 255;
    let question = message.get(12..at + 5)?;
    (is_name && question.ends_with(&[0, 1])).then_some(question)
}

/// Numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit
    }

    fn octet(&mut self) -> u8 {
        // Octets with a meaning come often: lengths, pointers, the OPT type.
        const TELLING: [u8; 10] = [0, 1, 12, 16, 41, 63, 64, 0x80, 0xc0, 0xff];
        match self.below(3) {
            0 => TELLING[self.below(TELLING.len())],
            _ => u8::try_from(self.below(256)).unwrap(),
        }
    }

    /// A query with one to four wounds behind its id.
    fn mutant(&mut self) -> Vec<u8> {
        let ask = match self.below(4) {
            0 => Ask::new("www.badname.example", "HTTPS").edns(1232),
            1 => Ask::new("a.b.c.good.example", "AAAA").dnssec_ok(),
            2 => Ask::new("badname.example", "ANY"),
            _ => Ask::new("good.example", "A").edns(4096),
        };
        let mut wire = ask.to_wire();
        for _ in 0..=self.below(4) {
            let at = 2 + self.below(wire.len() - 2);
            match self.below(5) {
                0 => wire.truncate(at.max(3)),
                1 => wire.insert(at, self.octet()),
                2 => wire.extend_from_within(at..),
                _ => wire[at] = self.octet(),
            }
            wire.truncate(1400);
        }
        wire
    }
}
