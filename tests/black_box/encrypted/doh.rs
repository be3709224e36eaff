//! DNS over HTTPS (RFC 8484) as clients see it, by HTTP/2 and HTTP/1.1.

use std::io::{Read, Write};

use data_encoding::BASE64URL_NOPAD;

use super::{NAME, School, Tls, connect};
use crate::support::{Answer, Ask, PUPIL, STAFF};

/// The media type of messages.
const MESSAGE: &str = "application/dns-message";

/// A response.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// The value of a header, in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl School {
    /// A connection to DNS over HTTPS, HTTP/1.1.
    pub(super) fn http1(&self, from: &str) -> Tls {
        connect(self.doh, from, &self.trusting(&[b"http/1.1"], rustls::ALL_VERSIONS), NAME).unwrap()
    }

    /// Sends one request by HTTP/1.1, on a connection of its own.
    fn request(&self, from: &str, head: &str, body: &[u8]) -> Reply {
        let mut stream = self.http1(from);
        exchange(&mut stream, head, body)
    }

    /// Sends one request by HTTP/2, on a connection of its own.
    fn request2(
        &self,
        from: &str,
        method: &str,
        target: &str,
        media: Option<&str>,
        body: &[u8],
    ) -> Reply {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let config = self.trusting(&[b"h2"], rustls::ALL_VERSIONS);
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind((from.parse::<std::net::Ipv4Addr>().unwrap(), 0).into()).unwrap();
            let stream = socket.connect(self.doh).await.unwrap();
            let name = NAME.try_into().unwrap();
            let stream =
                tokio_rustls::TlsConnector::from(config).connect(name, stream).await.unwrap();
            let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
            let driver = tokio::spawn(connection);
            let mut request =
                http::Request::builder().method(method).uri(format!("https://{NAME}{target}"));
            if let Some(media) = media {
                request = request.header("content-type", media);
            }
            let (response, mut sender) =
                client.send_request(request.body(()).unwrap(), body.is_empty()).unwrap();
            if !body.is_empty() {
                sender.send_data(bytes::Bytes::copy_from_slice(body), true).unwrap();
            }
            let response = response.await.unwrap();
            let status = response.status().as_u16();
            let lines = response.headers().iter();
            let lines = lines.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
            let head = lines.collect::<Vec<_>>().join("\n");
            let mut incoming = response.into_body();
            let mut body = Vec::new();
            while let Some(part) = incoming.data().await {
                let part = part.unwrap();
                incoming.flow_control().release_capacity(part.len()).unwrap();
                body.extend_from_slice(&part);
            }
            driver.abort();
            Reply { status, head, body }
        })
    }
}

/// One request and its response, by HTTP/1.1.
pub(super) fn exchange(stream: &mut Tls, head: &str, body: &[u8]) -> Reply {
    stream.write_all(head.replace('\n', "\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream.flush().unwrap();
    let mut got = Vec::new();
    let end = loop {
        if let Some(at) = got.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        let mut some = [0; 512];
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "no head: {}", String::from_utf8_lossy(&got));
        got.extend(&some[..count]);
    };
    let head = String::from_utf8(got[..end].to_vec()).unwrap().replace("\r\n", "\n").to_lowercase();
    let mut body = got.split_off(end + 4);
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut reply = Reply { status, head, body: Vec::new() };
    let length: usize = reply.header("content-length").unwrap().parse().unwrap();
    while body.len() < length {
        let mut some = [0; 512];
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "a torn body");
        body.extend(&some[..count]);
    }
    reply.body = body;
    reply
}

/// The target of a GET for a name.
fn target(name: &str) -> String {
    format!("/dns-query?dns={}", BASE64URL_NOPAD.encode(&Ask::new(name, "A").to_wire()))
}

#[test]
fn get_and_post_are_answered_by_both_versions_for_the_group_of_the_address() {
    let school = School::start("");
    let query = Ask::new("www.bad.example", "A").to_wire();
    for (from, code) in [(PUPIL, "NXDOMAIN"), (STAFF, "NOERROR")] {
        let target = target("www.bad.example");
        let get = format!("GET {target} HTTP/1.1\nHost: {NAME}\n\n");
        let length = query.len();
        let post = format!(
            "POST /dns-query HTTP/1.1\nHost: {NAME}\nContent-Type: {MESSAGE}\nContent-Length: {length}\n\n"
        );
        let replies = [
            school.request(from, &get, &[]),
            school.request(from, &post, &query),
            school.request2(from, "GET", &target, None, &[]),
            school.request2(from, "POST", "/dns-query", Some(MESSAGE), &query),
        ];
        for reply in replies {
            assert_eq!((reply.status, reply.header("content-type")), (200, Some(MESSAGE)));
            let answer = Answer::decode(reply.body.clone());
            assert_eq!(answer.rcode(), code, "{from}");
            let least = answer.ttls().into_iter().min().unwrap();
            let said = format!("private, max-age={least}");
            assert_eq!(reply.header("cache-control"), Some(said.as_str()), "{from}");
        }
    }
    school.gateway.expect_metric(
        "lachan_queries_total",
        &[("proto", "doh"), ("family", "ipv4")],
        8.0,
    );
}

#[test]
fn a_connection_takes_request_after_request_and_waits_for_upstream() {
    let school = School::start("");
    let mut stream = school.http1(PUPIL);
    for name in ["one.example", "bad.example", "two.example"] {
        let reply =
            exchange(&mut stream, &format!("GET {} HTTP/1.1\nHost: {NAME}\n\n", target(name)), &[]);
        assert_eq!(reply.status, 200, "{name}");
        Answer::decode(reply.body);
    }
}

/// Method, target, media type and body of a request; the status and the reason of its refusal.
type Row<'a> = (&'a str, String, Option<&'a str>, Vec<u8>, u16, &'a str);

#[test]
fn what_is_no_request_for_dns_is_refused_with_its_reason() {
    let school = School::start("");
    let fine = target("good.example");
    let rows: [Row<'_>; 16] = [
        ("GET", "/".into(), None, vec![], 404, "path"),
        ("GET", fine.replace("/dns-query", "/dns-query/../dns-query"), None, vec![], 404, "path"),
        ("GET", fine.replace("/dns-query", "/dns-query/"), None, vec![], 404, "path"),
        ("GET", fine.replace("/dns-query", "//dns-query"), None, vec![], 404, "path"),
        ("GET", fine.replace("/dns-query", "/dns-query/guessed"), None, vec![], 404, "token"),
        (
            "GET",
            fine.replace("/dns-query", "/dns-query/AAAAAAAAAAAAAAAAAAAAAA"),
            None,
            vec![],
            404,
            "token",
        ),
        ("GET", "/dns-query".into(), None, vec![], 400, "malformed"),
        ("GET", "/dns-query?dns=".into(), None, vec![], 400, "malformed"),
        ("GET", "/dns-query?dns=AA+/".into(), None, vec![], 400, "malformed"),
        ("GET", "/dns-query?dns=A".into(), None, vec![], 400, "malformed"),
        ("PUT", "/dns-query".into(), Some(MESSAGE), vec![0; 12], 405, "method"),
        ("HEAD", fine.clone(), None, vec![], 405, "method"),
        ("POST", "/dns-query".into(), None, vec![0; 12], 415, "media_type"),
        ("POST", "/dns-query".into(), Some("application/json"), vec![0; 12], 415, "media_type"),
        ("POST", "/dns-query".into(), Some(MESSAGE), vec![], 400, "malformed"),
        ("POST", "/dns-query".into(), Some(MESSAGE), vec![0; 65_536], 413, "too_long"),
    ];
    let mut counts = std::collections::BTreeMap::new();
    for (method, target, media, body, status, reason) in &rows {
        let reply = school.request2(PUPIL, method, target, *media, body);
        assert_eq!(reply.status, *status, "{method} {target}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{method} {target}");
        *counts.entry(*reason).or_insert(0.0) += 1.0;
    }
    for (reason, count) in counts {
        school.gateway.expect_metric("lachan_doh_refused_total", &[("reason", reason)], count);
    }
    school.gateway.expect_metric(
        "lachan_queries_total",
        &[("proto", "doh"), ("family", "ipv4")],
        0.0,
    );
}

#[test]
fn clients_outside_the_networks_are_refused_as_by_plain_dns() {
    let school = School::start("allow = [\"127.0.20.0/24\"]");
    let reply = school.request2(PUPIL, "GET", &target("good.example"), None, &[]);
    let answer = Answer::decode(reply.body);
    assert_eq!((answer.rcode(), reply.status), ("REFUSED".to_owned(), 200));
    assert!(reply.head.contains("max-age=0"));
}
