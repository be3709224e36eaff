//! Pipelined queries (RFC 7766 §6.2.1): each has its reply, whenever and however it is taken.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::{from, gateway_listening, long_answer};
use crate::support::ask::{framed, read_framed};
use crate::support::{Ask, Canned, PUPIL, Upstream};

/// Sends queries while nobody reads; returns a handle that is done when all are sent.
fn send_all(
    stream: &TcpStream,
    queries: &[Vec<u8>],
    half_closes: bool,
) -> std::thread::JoinHandle<()> {
    let octets: Vec<u8> = queries.iter().flat_map(|query| framed(query)).collect();
    let mut stream = stream.try_clone().unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    std::thread::spawn(move || {
        stream.write_all(&octets).unwrap();
        if half_closes {
            stream.shutdown(Shutdown::Write).unwrap();
        }
    })
}

/// How often each id is answered, and with which code.
fn replies(stream: &mut TcpStream, count: usize) -> (BTreeMap<u16, usize>, BTreeMap<u8, usize>) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let (mut ids, mut codes) = (BTreeMap::new(), BTreeMap::new());
    for _ in 0..count {
        let Some(reply) = read_framed(stream) else { break };
        *ids.entry(u16::from_be_bytes([reply[0], reply[1]])).or_default() += 1;
        *codes.entry(reply[3] & 15).or_default() += 1;
    }
    (ids, codes)
}

fn expect_each_once(queries: &[Vec<u8>], late: Duration, half_closes: bool, upstream: &Upstream) {
    let gateway = gateway_listening("", upstream);
    let mut stream = from(PUPIL, &gateway);
    let sending = send_all(&stream, queries, half_closes);
    std::thread::sleep(late);
    let (ids, codes) = replies(&mut stream, queries.len());
    sending.join().unwrap();
    let expected: BTreeMap<u16, usize> =
        queries.iter().map(|query| (u16::from_be_bytes([query[0], query[1]]), 1)).collect();
    assert_eq!(ids.len(), expected.len(), "{codes:?}\n{}", gateway.log());
    assert_eq!(ids, expected);
    // Where the machine is slow, upstream is too: SERVFAIL is a reply.
    assert!(codes.keys().all(|code| [0, 2].contains(code)), "{codes:?}");
    if half_closes {
        assert!(super::is_closed_within(&stream, Duration::from_secs(5)));
    }
}

/// 1,000 queries, half of them for names that nobody has asked for.
fn mixed() -> Vec<Vec<u8>> {
    let name = |number| match number % 2 {
        0 => "good.example".to_owned(),
        _ => format!("n{number}.example"),
    };
    (0..1000).map(|number| Ask::new(&name(number), "A").to_wire()).collect()
}

#[test]
fn a_thousand_queries_have_a_thousand_replies() {
    expect_each_once(&mixed(), Duration::ZERO, false, &Upstream::start());
}

#[test]
fn replies_come_after_the_client_has_closed_its_side() {
    let upstream = Upstream::start();
    let slow = Canned {
        answer: vec!["slow.example. 300 A 192.0.2.50".into()],
        delay: Duration::from_millis(800),
        ..Canned::default()
    };
    upstream.answer("slow.example", None, slow);
    let mut queries = mixed();
    queries.push(Ask::new("slow.example", "A").to_wire());
    expect_each_once(&queries, Duration::from_millis(300), true, &upstream);
}

#[test]
fn long_replies_to_misses_wait_for_a_client_that_reads_late() {
    let upstream = Upstream::start();
    let names: Vec<String> = (0..30).map(|number| format!("long{number}.example")).collect();
    for name in &names {
        upstream.answer(name, None, long_answer(name));
    }
    let asked = names.iter().cycle().take(150);
    let queries: Vec<_> = asked.map(|name| Ask::new(name, "TXT").to_wire()).collect();
    expect_each_once(&queries, Duration::from_secs(2), true, &upstream);
}

#[test]
fn queries_of_any_length_are_answered() {
    let upstream = Upstream::start();
    // Padding (RFC 7830) up to what a message may have.
    let padded = |name: &str| {
        let mut wire = Ask::new(name, "A").edns(1232).to_wire();
        let end = wire.len() - 2;
        let length = 65_535 - wire.len() - 4;
        let lengths = [length + 4, 12, length].map(|n| u16::try_from(n).unwrap().to_be_bytes());
        wire.truncate(end);
        wire.extend(lengths.concat());
        wire.resize(wire.len() + length, 0);
        wire
    };
    let queries: Vec<_> = (0..40).map(|n| padded(&format!("n{}.example", n / 2))).collect();
    expect_each_once(&queries, Duration::ZERO, true, &upstream);
}
