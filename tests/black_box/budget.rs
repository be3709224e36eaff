//! What one client may ask: over it comes TC, and then nothing; by TCP it goes on.

use std::net::UdpSocket;
use std::time::Duration;

use crate::support::{Answer, Ask, Gateway, TWO_GROUPS, TWO_PROFILES, Upstream};

const GREEDY: &str = "127.0.10.66";

fn gateway(limits: &str, upstream: &Upstream) -> Gateway {
    // One worker, so that one budget is all there is.
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n[limits]\n{limits}\n")
        .replace("[listen]\n", "[listen]\nworkers = 1\n");
    Gateway::plan(&config).upstream(upstream).start()
}

/// Sends `count` queries at once; answers that came whole, and those that say "by TCP".
fn flood(gateway: &Gateway, from: &str, count: usize) -> (usize, usize) {
    let socket = UdpSocket::bind((from, 0)).unwrap();
    socket.connect(gateway.dns).unwrap();
    let query = Ask::new("localhost", "A").to_wire();
    for _ in 0..count {
        socket.send(&query).unwrap();
    }
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut buffer = [0; 512];
    let (mut whole, mut cut) = (0, 0);
    while let Ok(length) = socket.recv(&mut buffer) {
        let answer = Answer::decode(buffer[..length].to_vec());
        assert_eq!(answer.raw[..2], query[..2]);
        if answer.is_truncated() {
            assert_eq!((answer.rcode().as_str(), answer.answers().len()), ("NOERROR", 0));
            assert!(length <= query.len(), "no longer than what was asked");
            cut += 1;
        } else {
            whole += 1;
        }
    }
    (whole, cut)
}

#[test]
fn over_the_budget_comes_tc_then_nothing_and_tcp_works() {
    let upstream = Upstream::start();
    let gateway = gateway("client_rate = 10\nclient_burst = 100\nexempt = []", &upstream);
    let (whole, cut) = flood(&gateway, GREEDY, 200);
    // A few come back while the flood lasts.
    assert!((100..130).contains(&whole) && cut >= 10, "{whole} whole, {cut} cut");
    assert!(whole + cut < 200, "{whole} whole, {cut} cut");
    assert_eq!(
        Ask::new("www.example", "A").from(GREEDY).tcp().expect(gateway.dns).rcode(),
        "NOERROR"
    );
    // Nobody else notices.
    assert_eq!(flood(&gateway, "127.0.10.67", 50), (50, 0));
    let limited = [("rcode", "NOERROR"), ("source", "ratelimited")];
    gateway.expect_metric("lachan_responses_total", &limited, cut as f64);
    let dropped = [("reason", "over_budget")];
    gateway.expect_metric("lachan_dropped_total", &dropped, (200 - whole - cut) as f64);
}

#[test]
fn exempt_networks_have_no_budget_and_a_reload_changes_them() {
    let upstream = Upstream::start();
    let limits = "client_rate = 10\nclient_burst = 20\nexempt = [\"127.0.10.64/30\"]";
    let gateway = gateway(limits, &upstream);
    assert_eq!(flood(&gateway, GREEDY, 200), (200, 0));
    assert!(flood(&gateway, "127.0.10.3", 200).0 < 100);
    let path = gateway.dir().join("gateway.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.replace("127.0.10.64/30", "127.0.10.0/30")).unwrap();
    gateway.reload();
    gateway.expect_metric("lachan_reloads_total", &[("result", "ok")], 1.0);
    assert!(flood(&gateway, GREEDY, 200).0 < 100);
    assert_eq!(flood(&gateway, "127.0.10.3", 200), (200, 0));
}

#[test]
fn a_classroom_behind_one_address_is_within_the_default() {
    let upstream = Upstream::start();
    let gateway = gateway("exempt = []", &upstream);
    // Forty devices that open a page of fifty names at one time.
    let (whole, cut) = (0..10)
        .map(|_| flood(&gateway, GREEDY, 200))
        .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    assert_eq!((whole, cut), (2000, 0));
}
