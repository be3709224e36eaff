//! Places: at a limit the idlest connection of the client with the most makes room
//! (RFC 7766 §6.2.3).

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use super::{cpu, from, gateway_listening, is_answered, is_closed_within};
use crate::support::ask::{framed, read_framed};
use crate::support::{Ask, Canned, Gateway, PUPIL, STAFF, Upstream, eventually};

const MOMENT: Duration = Duration::from_millis(300);

fn evicted(gateway: &Gateway) -> f64 {
    gateway.metrics().value("lachan_connections_ended_total", &[("cause", "evicted")])
}

#[test]
fn at_the_limit_of_a_client_its_own_idlest_makes_room() {
    let upstream = Upstream::start();
    let gateway = gateway_listening("tcp_per_client = 2", &upstream);
    let mut other = from(STAFF, &gateway);
    let mut mine = [from(PUPIL, &gateway), from(PUPIL, &gateway)];
    assert!(is_answered(&mut other) && mine.iter_mut().all(is_answered));
    // The first is used again, so the second is idle longest, once the gateway has noted that it waits.
    std::thread::sleep(MOMENT);
    assert!(is_answered(&mut mine[0]));
    std::thread::sleep(MOMENT);
    assert!(is_answered(&mut from(PUPIL, &gateway)));
    assert!(is_closed_within(&mine[1], Duration::from_secs(5)));
    assert!(is_answered(&mut mine[0]) && is_answered(&mut other));
    assert!((evicted(&gateway) - 1.0).abs() < f64::EPSILON);
    let lines = gateway.log().lines().filter(|line| line.contains("at a limit")).count();
    assert_eq!(lines, 1);
    assert!(!gateway.log().contains(PUPIL), "an address in the log");
}

#[test]
fn at_the_limit_of_all_the_client_with_the_most_makes_room() {
    let upstream = Upstream::start();
    let gateway = gateway_listening("tcp_connections = 6", &upstream);
    // The one is idle longest, and has no more than the newcomers.
    let mut one = from(STAFF, &gateway);
    assert!(is_answered(&mut one));
    let mut many: Vec<TcpStream> = (0..5).map(|_| from(PUPIL, &gateway)).collect();
    assert!(many.iter_mut().all(is_answered));
    // A connection is idle once its task has noted so, behind its answer.
    std::thread::sleep(MOMENT);
    let mut new: Vec<TcpStream> =
        (1..=3).map(|n| from(&format!("127.0.10.{}", 100 + n), &gateway)).collect();
    assert!(new.iter_mut().all(is_answered));
    for closed in &many[..3] {
        assert!(is_closed_within(closed, Duration::from_secs(5)));
    }
    assert!(is_answered(&mut one) && many[3..].iter_mut().all(is_answered));
    // UDP does not care.
    assert_eq!(Ask::new("good.example", "A").from(PUPIL).expect(gateway.dns).rcode(), "NOERROR");
}

#[test]
fn a_connection_on_which_a_query_waits_never_makes_room() {
    let upstream = Upstream::start();
    let slow = Canned {
        answer: vec!["slow.example. 300 A 192.0.2.50".into()],
        delay: Duration::from_millis(1200),
        ..Canned::default()
    };
    upstream.answer("slow.example", None, slow);
    let gateway = gateway_listening("tcp_per_client = 3", &upstream);
    let mut waits = [from(PUPIL, &gateway), from(PUPIL, &gateway)];
    for stream in &mut waits {
        stream.write_all(&framed(&Ask::new("slow.example", "A").to_wire())).unwrap();
    }
    std::thread::sleep(MOMENT);
    let mut idle = from(PUPIL, &gateway);
    assert!(is_answered(&mut idle));
    let mut last = from(PUPIL, &gateway);
    assert!(is_answered(&mut last));
    assert!(is_closed_within(&idle, Duration::from_secs(5)));
    for stream in &mut waits {
        assert!(read_framed(stream).is_some(), "a reply is lost");
    }
}

#[test]
fn half_a_query_keeps_a_place_for_a_while_only() {
    let upstream = Upstream::start();
    let gateway = gateway_listening("tcp_per_client = 2\ntcp_idle = \"60s\"", &upstream);
    let mut halves = [from(PUPIL, &gateway), from(PUPIL, &gateway)];
    for half in &mut halves {
        half.write_all(&[0, 40, 1]).unwrap();
    }
    // More octets do not make it younger.
    eventually("a place", || {
        for half in &mut halves {
            let _ = half.write_all(&[0]);
        }
        std::thread::sleep(Duration::from_millis(300));
        is_answered(&mut from(PUPIL, &gateway)).then_some(())
    });
}

#[test]
fn without_descriptors_idle_connections_end_and_udp_goes_on() {
    let upstream = Upstream::start();
    let gateway = gateway_listening("tcp_per_client = 1024", &upstream);
    let mut held: Vec<TcpStream> = (0..60).map(|_| from(PUPIL, &gateway)).collect();
    assert!(held.iter_mut().all(is_answered));
    let open = std::fs::read_dir(format!("/proc/{}/fd", gateway.id())).unwrap().count();
    let limit = Command::new("prlimit")
        .args(["--pid", &gateway.id().to_string(), &format!("--nofile={open}:{open}")])
        .status();
    assert!(limit.is_ok_and(|status| status.success()), "prlimit of util-linux is needed");
    let before = cpu(&gateway);
    for _ in 0..5 {
        let mut new = from(STAFF, &gateway);
        assert!(is_answered(&mut new));
        held.push(new);
    }
    let ask = Ask::new("good.example", "A").from(PUPIL);
    assert_eq!(ask.expect(gateway.dns).rcode(), "NOERROR");
    std::thread::sleep(Duration::from_secs(1));
    assert!(cpu(&gateway) - before < 0.8, "a busy loop");
    assert!(held.iter().take(60).any(|one| is_closed_within(one, Duration::from_millis(10))));
}
