//! The admin address: exact Hosts, and bounds of its own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::{gateway_listening, is_closed_within};
use crate::support::{Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

/// The status of a reply to these octets; none where the connection is closed without one.
fn status(gateway: &Gateway, request: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(gateway.admin_address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head).ok()?.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

#[test]
fn the_host_is_one_address_and_nothing_else() {
    let upstream = Upstream::start();
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"{{dir}}/state\"\n");
    let gateway = Gateway::plan(&config).upstream(&upstream).start();
    let token = std::fs::read_to_string(gateway.dir().join("state/admin-token")).unwrap();
    let token = token.trim();
    let ask = |target: &str, head: &str| {
        let head = format!("{head}Authorization: Bearer {token}\r\nConnection: close\r\n");
        status(&gateway, &format!("GET {target} HTTP/1.1\r\n{head}\r\n"))
    };
    let list = |head: &str| ask("/api/overrides", head);
    for fine in ["127.0.0.1:9153", "127.0.0.1", "[::1]:9153", "localhost:80"] {
        assert_eq!(list(&format!("Host: {fine}\r\n")), Some(200), "{fine}");
    }
    for odd in [
        "evil.example",
        "[::1]evil.example",
        "[::1].evil.example:80",
        "127.0.0.1.evil.example",
        "127.0.0.1:80evil",
        "localhost.evil.example",
        "",
    ] {
        assert_eq!(list(&format!("Host: {odd}\r\n")), Some(403), "{odd}");
    }
    // RFC 9112 §3.2: no Host, and two of them, on every page.
    for target in ["/api/overrides", "/metrics", "/healthz"] {
        assert_eq!(ask(target, ""), Some(400), "{target}");
        for two in [["127.0.0.1", "evil.example"], ["evil.example", "127.0.0.1"]] {
            let head = format!("Host: {}\r\nHost: {}\r\n", two[0], two[1]);
            assert_eq!(ask(target, &head), Some(400), "{target} {two:?}");
        }
    }
    let head = "Host: 127.0.0.1\r\n";
    assert_eq!(ask("http://evil.example/api/overrides", head), Some(403));
    assert_eq!(list(&format!("{head}Origin: http://127.0.0.1\r\n")), Some(200));
    for odd in ["Origin: http://evil.example\r\n", "Origin: http://127.0.0.1\r\nOrigin: null\r\n"] {
        assert_eq!(list(&format!("{head}{odd}")), Some(403), "{odd}");
    }
}

#[test]
fn half_requests_take_neither_descriptors_nor_scrapes() {
    let upstream = Upstream::start();
    let gateway = gateway_listening("", &upstream);
    let open = || std::fs::read_dir(format!("/proc/{}/fd", gateway.id())).unwrap().count();
    let before = open();
    let held: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(gateway.admin_address()).unwrap();
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: 127").unwrap();
            stream
        })
        .collect();
    // One more than may be open at one time is accepted and closed.
    eventually("connections are few", || (open() < before + 50).then_some(()));
    assert_eq!(gateway.get("/healthz").0, 200);
    assert_eq!(Ask::new("new.example", "A").from(PUPIL).expect(gateway.dns).rcode(), "NOERROR");
    // The time for a header ends them all.
    for stream in &held {
        assert!(is_closed_within(stream, Duration::from_secs(15)));
    }
}

#[test]
fn a_slow_or_long_body_and_an_idle_connection_end() {
    let upstream = Upstream::start();
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"{{dir}}/state\"\n");
    let gateway = Gateway::plan(&config).upstream(&upstream).start();
    let token = std::fs::read_to_string(gateway.dir().join("state/admin-token")).unwrap();
    let post = |token: &str, length: usize, body: &str| {
        let head = format!(
            "POST /api/overrides HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        status(&gateway, &head)
    };
    // Without the token no body is waited for.
    assert_eq!(post("x", 1000, "{"), Some(401));
    assert_eq!(post(token.trim(), 1 << 20, "{"), Some(413));
    assert_eq!(post(token.trim(), 1000, "{"), Some(408));
    let mut idle = TcpStream::connect(gateway.admin_address()).unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    let mut reply = [0; 512];
    idle.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert!(idle.read(&mut reply).unwrap() > 0);
    assert!(is_closed_within(&idle, Duration::from_secs(15)), "an idle connection stays");
}
