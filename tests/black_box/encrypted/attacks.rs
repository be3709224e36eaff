//! Strangers at the encrypted listeners: none of them costs the others their answers, or memory
//! without bound.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::{NAME, School, Tls, connect, receive, send};
use crate::support::ask::try_connect;
use crate::support::{Answer, Ask, PUPIL, STAFF, eventually};

/// The client preface of HTTP/2 (RFC 9113 §3.4) and empty SETTINGS.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The headers of a GET of `path` (RFC 7541: indexed fields, and literals without Huffman).
fn get(path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x87];
    for (index, text) in [(0x04, path), (0x01, NAME)] {
        block.extend([index, text.len() as u8]);
        block.extend(text.as_bytes());
    }
    block
}

impl School {
    fn http2(&self) -> Tls {
        let config = self.trusting(&[b"h2"], rustls::ALL_VERSIONS);
        let mut stream = connect(self.doh, PUPIL, &config, NAME).unwrap();
        stream.write_all(PREFACE).unwrap();
        stream
    }

    /// Somebody else gets answers by each transport.
    fn expect_others_are_served(&self) {
        assert_eq!(
            Ask::new("bad.example", "A").from(STAFF).expect(self.gateway.dns).rcode(),
            "NOERROR"
        );
        let mut stream = self.dot(STAFF);
        send(&mut stream, &Ask::new("bad.example", "A").to_wire());
        assert_eq!(Answer::decode(receive(&mut stream).unwrap()).rcode(), "NOERROR");
    }

    /// Octets of memory of the gateway.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.gateway.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }
}

/// Writes until the gateway takes no more or `most` writes are done; then reads until it has closed.
/// Returns the writes.
fn flood(stream: &mut Tls, most: usize, mut one: impl FnMut(usize) -> Vec<u8>) -> usize {
    stream.sock.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    let written = (0..most).take_while(|&turn| stream.write_all(&one(turn)).is_ok()).count();
    let _ = stream.flush();
    written
}

/// Whether the gateway ends the connection.
fn is_ended(stream: &mut Tls) -> bool {
    stream.sock.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut some = [0; 4096];
    loop {
        match stream.read(&mut some) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => {
                return !matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                );
            }
        }
    }
}

#[test]
fn octets_that_are_no_tls_and_handshakes_that_never_end_cost_nobody() {
    let school = School::start("tcp_per_client = 8");
    let open = |octets: &[u8]| -> TcpStream {
        let mut stream = try_connect(PUPIL.parse().unwrap(), school.dot).unwrap();
        stream.write_all(octets).unwrap();
        stream
    };
    for garbage in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 64], &[22, 3, 1, 0xff, 0xff], &[0xff; 4096]]
    {
        drop(open(garbage));
    }
    // As many as a client may have, and more: each makes room for the next.
    let mut half: Vec<TcpStream> = (0..40).map(|_| open(&[22, 3, 1, 2, 0, 1])).collect();
    school.expect_others_are_served();
    let mut own = school.dot(PUPIL);
    send(&mut own, &Ask::new("bad.example", "A").to_wire());
    assert!(receive(&mut own).is_some());
    // The rest is closed when its time is over, though an octet comes now and then.
    eventually("the end of all", || {
        half.retain_mut(|stream| stream.write_all(&[0]).is_ok());
        std::thread::sleep(Duration::from_millis(200));
        half.is_empty().then_some(())
    });
    school.expect_others_are_served();
}

#[test]
fn requests_taken_back_at_once_end_their_connection() {
    let school = School::start("");
    let before = school.memory();
    let mut stream = school.http2();
    let block = get("/dns-query?dns=AAABAAABAAAAAAAABHNsb3cHZXhhbXBsZQAAAQAB");
    flood(&mut stream, 20_000, |turn| {
        let id = turn as u32 * 2 + 1;
        let mut frames = frame(HEADERS, END_HEADERS | END_STREAM, id, &block);
        frames.extend(frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
        frames
    });
    assert!(is_ended(&mut stream), "rapid reset goes on");
    school.expect_others_are_served();
    assert!(school.memory() < before + (32 << 20), "{} from {before}", school.memory());
}

#[test]
fn headers_without_end_end_their_connection() {
    let school = School::start("");
    let before = school.memory();
    for flags in [0, END_STREAM] {
        let mut stream = school.http2();
        stream.write_all(&frame(HEADERS, flags, 1, &get("/dns-query"))).unwrap();
        let mut piece = vec![0x00, 10];
        piece.extend(b"x-lachan-a");
        piece.extend([100]);
        piece.extend([b'a'; 100]);
        let payload = piece.repeat(100);
        flood(&mut stream, 5_000, |_| frame(CONTINUATION, 0, 1, &payload));
        assert!(is_ended(&mut stream), "CONTINUATION goes on");
    }
    // A table entry that is referred to again and again: large when it is read, small on the wire.
    let mut stream = school.http2();
    let mut block = get("/dns-query");
    block.extend([0x40, 1, b'a', 0x7f, 0x81, 0x1e]);
    block.extend([b'a'; 4000]);
    block.extend([0xbe; 12_000]);
    let mut frames = frame(HEADERS, END_STREAM, 1, &block[..16_000]);
    frames.extend(frame(CONTINUATION, END_HEADERS, 1, &block[16_000..]));
    let _ = stream.write_all(&frames);
    let _ = stream.flush();
    school.expect_others_are_served();
    assert!(school.memory() < before + (32 << 20), "{} from {before}", school.memory());
}

#[test]
fn floods_of_settings_and_pings_that_nobody_reads_are_bounded() {
    let school = School::start("");
    let before = school.memory();
    for kind in [SETTINGS, PING] {
        let mut stream = school.http2();
        let payload: &[u8] = if kind == PING { &[1; 8] } else { &[] };
        let many = frame(kind, 0, 0, payload).repeat(500);
        flood(&mut stream, 2_000, |_| many.clone());
        school.expect_others_are_served();
        assert!(school.memory() < before + (32 << 20), "{} from {before}", school.memory());
    }
}

#[test]
fn requests_that_never_come_whole_are_ended() {
    let school = School::start("");
    let mut http2 = school.http2();
    let mut block = vec![0x83, 0x87];
    for (index, text) in [(0x04, "/dns-query"), (0x01, NAME), (0x0f, "")] {
        if index == 0x0f {
            // content-type is entry 31.
            block.extend([0x0f, 0x10, 23]);
            block.extend(b"application/dns-message");
        } else {
            block.extend([index, text.len() as u8]);
            block.extend(text.as_bytes());
        }
    }
    http2.write_all(&frame(HEADERS, END_HEADERS, 1, &block)).unwrap();
    http2.write_all(&frame(0, 0, 1, &[0; 10])).unwrap();
    http2.flush().unwrap();
    let mut http1 = school.http1(PUPIL);
    http1.write_all(b"POST /dns-query HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\nContent-Type: application/dns-message\r\n\r\n").unwrap();
    http1.flush().unwrap();
    let mut head = school.http1(PUPIL);
    head.write_all(b"GET /dns-query HTTP/1.1\r\nHo").unwrap();
    head.flush().unwrap();
    let mut got = [0; 64];
    let count = http1.read(&mut got).unwrap();
    assert!(got[..count].starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&got));
    eventually("the end of its time", || {
        let refused =
            school.gateway.metrics().value("lachan_doh_refused_total", &[("reason", "timeout")]);
        (refused > 0.5).then_some(())
    });
    assert!(is_ended(&mut head));
    school.expect_others_are_served();
}

#[test]
fn connections_that_say_nothing_make_room() {
    let school = School::start("tcp_per_client = 4");
    let config = school.trusting(&[b"h2"], rustls::ALL_VERSIONS);
    let mut kept: Vec<Tls> =
        (0..4).map(|_| connect(school.doh, PUPIL, &config, NAME).unwrap()).collect();
    let mut stream = school.dot(PUPIL);
    send(&mut stream, &Ask::new("bad.example", "A").to_wire());
    assert!(receive(&mut stream).is_some());
    school.gateway.expect_metric("lachan_connections_ended_total", &[("cause", "evicted")], 1.0);
    assert!(is_ended(&mut kept[0]));
}
