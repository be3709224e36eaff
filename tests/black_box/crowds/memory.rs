//! Memory: octets that wait for clients that take none are bounded.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use socket2::SockRef;

use super::{from, gateway_listening, is_answered, long_answer, resident};
use crate::support::ask::framed;
use crate::support::{Ask, STAFF, Upstream};

/// The default of `stream_memory`, in KiB.
const BUDGET: u64 = 32 << 10;

/// Connections of five clients, each with `queries` and no wish to read.
fn crowd(gateway: &crate::support::Gateway, queries: &[u8]) -> Vec<TcpStream> {
    (0..300)
        .map(|number| {
            let mut stream = from(&format!("127.0.10.{}", 1 + number % 5), gateway);
            let _ = SockRef::from(&stream).set_recv_buffer_size(4096);
            stream.set_nonblocking(true).unwrap();
            let _ = stream.write(queries);
            stream
        })
        .collect()
}

#[test]
fn replies_that_nobody_takes_are_bounded_in_octets() {
    let upstream = Upstream::start();
    upstream.answer("long.example", None, long_answer("long.example"));
    let gateway = gateway_listening("", &upstream);
    let long = Ask::new("long.example", "TXT");
    assert_eq!(long.clone().tcp().expect(gateway.dns).answers().len(), 230);
    let before = resident(&gateway);
    let queries: Vec<u8> = (0..80).flat_map(|_| framed(&long.to_wire())).collect();
    let held = crowd(&gateway, &queries);
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(200));
        let grown = resident(&gateway).saturating_sub(before);
        assert!(grown < 3 * BUDGET, "{grown} KiB more");
    }
    let reserved = gateway.metrics().value("lachan_connection_reserved_bytes", &[]);
    assert!(reserved > 0.0 && reserved <= (BUDGET << 10) as f64, "{reserved}");
    // Others are answered meanwhile.
    assert!(is_answered(&mut from(STAFF, &gateway)));
    drop(held);
    gateway.expect_metric("lachan_connection_reserved_bytes", &[], 0.0);
}

#[test]
fn misses_and_long_queries_that_nobody_ends_are_bounded_in_octets() {
    let upstream = Upstream::start();
    for number in 0..400 {
        let name = format!("long{number}.example");
        upstream.answer(&name, None, long_answer(&name));
    }
    let gateway = gateway_listening("", &upstream);
    let before = resident(&gateway);
    let misses: Vec<u8> = (0..64)
        .flat_map(|n| framed(&Ask::new(&format!("long{n}.example"), "TXT").to_wire()))
        .collect();
    let mut held = crowd(&gateway, &misses);
    // Half a query of 65,535 octets.
    held.extend(crowd(&gateway, &[vec![0xff, 0xff], vec![7; 30_000]].concat()));
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(200));
        // The answers are in the cache besides.
        let grown = resident(&gateway).saturating_sub(before);
        assert!(grown < 4 * BUDGET, "{grown} KiB more");
    }
    assert!(is_answered(&mut from(STAFF, &gateway)));
    drop(held);
    gateway.expect_metric("lachan_connection_reserved_bytes", &[], 0.0);
}
