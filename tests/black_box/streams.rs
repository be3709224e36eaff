//! TCP: pipelined and out of order (RFC 7766 §6.2.1.1), in pieces, and with limits.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::time::Duration;

use crate::support::ask::{connect, framed, read_framed, write_framed};
use crate::support::{
    Answer, Ask, Canned, Gateway, PUPIL, STAFF, TWO_GROUPS, TWO_PROFILES, Upstream,
    gateway_blocking, now,
};

fn pupil() -> IpAddr {
    PUPIL.parse().unwrap()
}

/// Two groups with more keys in `[listen]`.
fn gateway_listening(keys: &str, upstream: &Upstream) -> Gateway {
    let config = TWO_GROUPS.replace("[listen]\n", &format!("[listen]\n{keys}\n"));
    Gateway::plan(&(config + TWO_PROFILES)).upstream(upstream).start()
}

/// Whether the other side has closed the connection within `limit`.
fn is_closed_within(stream: &mut TcpStream, limit: Duration) -> bool {
    stream.set_read_timeout(Some(limit)).unwrap();
    match stream.read(&mut [0]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// Whether a query on this connection is answered.
fn is_answered(stream: &mut TcpStream) -> bool {
    if stream.write_all(&framed(&Ask::new("good.example", "A").to_wire())).is_err() {
        return false;
    }
    read_framed(stream).is_some()
}

#[test]
fn pipelined_queries_are_answered_out_of_order() {
    let upstream = Upstream::start();
    let slow = Canned {
        answer: vec!["slow.example. 300 A 192.0.2.50".into()],
        delay: Duration::from_millis(700),
        ..Canned::default()
    };
    upstream.answer("slow.example", None, slow);
    let gateway = gateway_blocking(&["badname.example"], &upstream);
    let queries = ["slow.example", "badname.example", "good.example"]
        .map(|name| Ask::new(name, "A").to_wire());

    let mut stream = connect(pupil(), gateway.dns);
    stream.write_all(&queries.each_ref().map(|query| framed(query)).concat()).unwrap();
    let answers: Vec<Answer> =
        (0..3).map(|_| Answer::decode(read_framed(&mut stream).expect("an answer"))).collect();

    let id = |wire: &[u8]| u16::from_be_bytes([wire[0], wire[1]]);
    assert_eq!(answers[2].id(), id(&queries[0]), "the slow answer comes last");
    assert_eq!(answers[2].answers(), ["A 192.0.2.50"]);
    for answer in &answers[..2] {
        let expected = if answer.id() == id(&queries[1]) { "NXDOMAIN" } else { "NOERROR" };
        assert_eq!(answer.rcode(), expected);
    }
}

#[test]
fn many_pipelined_queries_are_all_answered() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["badname.example"], &upstream);
    let mut stream = connect(pupil(), gateway.dns);
    let queries: Vec<Vec<u8>> = (0..200)
        .map(|n| Ask::new(&format!("n{n}.badname.example"), "A").edns(1232).to_wire())
        .collect();
    stream.write_all(&queries.iter().flat_map(|query| framed(query)).collect::<Vec<_>>()).unwrap();
    let mut ids: Vec<u16> = (0..queries.len())
        .map(|_| Answer::decode(read_framed(&mut stream).expect("an answer")).id())
        .collect();
    let mut expected: Vec<u16> =
        queries.iter().map(|query| u16::from_be_bytes([query[0], query[1]])).collect();
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected);
}

#[test]
fn a_query_may_come_octet_by_octet() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["badname.example"], &upstream);
    let mut stream = connect(pupil(), gateway.dns);
    for octet in framed(&Ask::new("badname.example", "A").to_wire()) {
        stream.write_all(&[octet]).unwrap();
        stream.flush().unwrap();
    }
    let answer = Answer::decode(read_framed(&mut stream).expect("an answer"));
    assert_eq!(answer.rcode(), "NXDOMAIN");
}

#[test]
fn a_client_that_closes_its_side_still_gets_its_answers() {
    let upstream = Upstream::start();
    let slow = Canned {
        answer: vec!["slow.example. 300 A 192.0.2.50".into()],
        delay: Duration::from_millis(300),
        ..Canned::default()
    };
    upstream.answer("slow.example", None, slow);
    let gateway = gateway_blocking(&["badname.example"], &upstream);
    let mut stream = connect(pupil(), gateway.dns);
    write_framed(&mut stream, &Ask::new("slow.example", "A").to_wire());
    stream.shutdown(Shutdown::Write).unwrap();
    let answer = Answer::decode(read_framed(&mut stream).expect("an answer"));
    assert_eq!(answer.answers(), ["A 192.0.2.50"]);
    assert!(is_closed_within(&mut stream, Duration::from_secs(5)));
}

#[test]
fn an_idle_connection_is_closed() {
    let upstream = Upstream::start();
    let gateway = gateway_listening("tcp_idle = \"1s\"", &upstream);
    let mut silent = connect(pupil(), gateway.dns);
    let mut used = connect(pupil(), gateway.dns);
    assert!(is_answered(&mut used));
    // One that sends half a message is idle too: it must not hold its place for ever.
    let mut half = connect(pupil(), gateway.dns);
    half.write_all(&[0, 40, 1, 2, 3]).unwrap();
    for stream in [&mut silent, &mut used, &mut half] {
        assert!(is_closed_within(stream, Duration::from_secs(6)));
    }
}

#[test]
fn lengths_that_lie_harm_nobody() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["badname.example"], &upstream);
    let query = Ask::new("good.example", "A").to_wire();
    let length = u16::try_from(query.len()).unwrap();
    let prefixed = |length: u16| [&length.to_be_bytes(), query.as_slice()].concat();
    // Too long: the rest never comes. Too short: the query is cut, the rest is no length.
    for octets in [prefixed(length + 100), prefixed(length - 5), prefixed(65_535), prefixed(11)] {
        let mut stream = connect(pupil(), gateway.dns);
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        stream.write_all(&octets).unwrap();
        let _ = stream.shutdown(Shutdown::Write);
        if let Some(raw) = read_framed(&mut stream) {
            let answer = Answer::decode(raw);
            assert_eq!(answer.rcode(), "FORMERR");
        }
    }
    assert!(is_answered(&mut connect(pupil(), gateway.dns)));
}

#[test]
fn a_message_of_no_octets_is_no_reason_to_spin() {
    let upstream = Upstream::start();
    let mut gateway = gateway_blocking(&["badname.example"], &upstream);
    let mut stream = connect(pupil(), gateway.dns);
    // Closed at once or read past: both are right. A flood of them must not starve others.
    let _ = stream.write_all(&vec![0; 20_000]);
    let started = now();
    assert!(is_answered(&mut connect(STAFF.parse().unwrap(), gateway.dns)));
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(gateway.is_running());
}
