//! DNS over TLS (RFC 7858) as clients see it.

use std::time::Duration;

use hickory_proto::rr::rdata::opt::EdnsOption;

use super::{NAME, School, connect, receive, send};
use crate::support::{Answer, Ask, Canned, PUPIL, STAFF};

/// A query with an option of these octets in OPT.
fn with_option(ask: &Ask, option: &[u8]) -> Vec<u8> {
    let mut query = ask.clone().edns(1232).to_wire();
    query.extend(option);
    let at = query.len() - option.len() - 1;
    query[at] = option.len() as u8;
    query
}

/// The octets of an option of a reply.
fn option(answer: &Answer, code: u16) -> Option<Vec<u8>> {
    match answer.message.edns.as_ref()?.option(code.into())? {
        EdnsOption::Unknown(_, octets) => Some(octets.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_answers_as_tcp_does_for_the_group_of_the_address() {
    let school = School::start("");
    for version in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        let config = school.trusting(&[b"dot"], version);
        for (from, code) in [(PUPIL, "NXDOMAIN"), (STAFF, "NOERROR")] {
            let mut stream = connect(school.dot, from, &config, NAME).unwrap();
            assert_eq!(stream.conn.alpn_protocol(), Some(&b"dot"[..]));
            for _ in 0..2 {
                send(&mut stream, &Ask::new("www.bad.example", "A").to_wire());
                assert_eq!(Answer::decode(receive(&mut stream).unwrap()).rcode(), code, "{from}");
            }
        }
    }
    let of = |proto| [("proto", proto), ("family", "ipv4")];
    school.gateway.expect_metric("lachan_queries_total", &of("dot"), 8.0);
    school.gateway.expect_metric("lachan_queries_total", &of("tcp"), 0.0);
}

#[test]
fn answers_overtake_those_that_wait_for_upstream() {
    let school = School::start("");
    let slow = Canned { delay: Duration::from_millis(400), ..Canned::default() };
    school.upstream.answer("slow.example", None, slow);
    let mut stream = school.dot(PUPIL);
    let asks = ["slow.example", "www.bad.example", "bad.example"]
        .map(|name| Ask::new(name, "A").to_wire());
    send(&mut stream, &asks[0]);
    send(&mut stream, &asks[1]);
    send(&mut stream, &asks[2]);
    let ids = [1, 2, 0].map(|turn| {
        let answer = receive(&mut stream).unwrap_or_else(|| panic!("no answer to {turn}"));
        assert_eq!(answer[..2], asks[turn][..2]);
        answer
    });
    assert_eq!(ids.len(), 3);
}

#[test]
fn replies_are_padded_and_speak_of_idle_connections_where_the_query_did() {
    let school = School::start("tcp_idle = \"7s\"");
    let mut stream = school.dot(PUPIL);
    for name in ["www.bad.example", "good.example"] {
        let ask = Ask::new(name, "A");
        send(&mut stream, &ask.clone().edns(1232).to_wire());
        let plain = Answer::decode(receive(&mut stream).unwrap());
        assert!(option(&plain, 12).is_none() && option(&plain, 11).is_none(), "{name}");
        send(&mut stream, &with_option(&ask, &[0, 12, 0, 1, 0]));
        let padded = Answer::decode(receive(&mut stream).unwrap());
        assert_eq!(padded.raw.len() % 468, 0, "{name}: {}", padded.raw.len());
        assert_eq!(padded.rcode(), plain.rcode());
        send(&mut stream, &with_option(&ask, &[0, 11, 0, 0]));
        let kept = Answer::decode(receive(&mut stream).unwrap());
        assert_eq!(option(&kept, 11), Some(vec![0, 70]), "{name}");
    }
    // Over UDP neither is said.
    let query = with_option(&Ask::new("www.bad.example", "A"), &[0, 12, 0, 0, 0, 11, 0, 0]);
    let from = PUPIL.parse().unwrap();
    let limit = Duration::from_secs(5);
    let reply = crate::support::ask::ask_raw_from(from, school.gateway.dns, &query, limit).unwrap();
    let answer = Answer::decode(reply);
    assert!(option(&answer, 12).is_none() && option(&answer, 11).is_none());
}

#[test]
fn another_protocol_is_refused_and_none_is_taken() {
    let school = School::start("");
    let other = school.trusting(&[b"h2"], rustls::ALL_VERSIONS);
    connect(school.dot, PUPIL, &other, NAME).map(drop).unwrap_err();
    school.gateway.expect_metric(
        "lachan_connections_ended_total",
        &[("cause", "handshake_failed")],
        1.0,
    );
    let silent = school.trusting(&[], rustls::ALL_VERSIONS);
    let mut stream = connect(school.dot, PUPIL, &silent, NAME).unwrap();
    send(&mut stream, &Ask::new("bad.example", "A").to_wire());
    assert_eq!(Answer::decode(receive(&mut stream).unwrap()).rcode(), "NXDOMAIN");
}
