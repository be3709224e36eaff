//! The portal over real sockets: its name, its pages, and what it does not give.

mod attacks;
mod pages;

use std::io::{Read, Write};
use std::net::SocketAddr;

use crate::support::ask::try_connect;
use crate::support::ports::free_port;
use crate::support::{Gateway, PATIENCE, PUPIL, Upstream};

/// Pupils, small children and staff, each with a list of names that the portal speaks of.
const CONFIG: &str = r#"
default_group = "pupils"

[listen]
dns = ["127.0.0.1:{dns}"]
allow = ["127.0.0.1", "127.0.10.0/24", "127.0.20.0/24", "127.0.30.0/24"]

[admin]
listen = "127.0.0.1:{admin}"

[portal]
listen = ["127.0.0.1:{portal}"]
addresses = ["127.0.0.1", "fd00::1"]
contact = "cô Lan & thầy <Nam>"
staff_networks = ["127.0.20.0/24"]

[[portal.help]]
label = "Tổng đài trẻ em"
label_en = "Child helpline"
number = "111"

[upstream]
servers = ["udp://127.0.0.1:{upstream}"]
case_randomisation = false

[lists]
starter = false

[[lists.source]]
category = "games"
path = "lists/games.txt"
format = "domains"
scope = "subtree"

[[lists.source]]
category = "self_harm"
path = "lists/self-harm.txt"
format = "domains"

[[lists.source]]
category = "csam"
path = "lists/csam.txt"
format = "domains"

[[group]]
name = "pupils"
clients = ["127.0.10.0/24"]
profile = "pupils"

[[group]]
name = "small"
clients = ["127.0.30.0/24"]
level = "primary"

[[group]]
name = "staff"
clients = ["127.0.20.0/24"]
profile = "staff"

[profile.pupils]
level = "lower-secondary"
block = ["games", "self_harm"]
deny = ["denied.example"]
answer = "portal"

[profile.staff]
level = "staff"
block = []
"#;

/// A client in the group of small children.
const CHILD: &str = "127.0.30.5";

/// A gateway with a portal.
struct School {
    gateway: Gateway,
    portal: SocketAddr,
    _upstream: Upstream,
}

impl School {
    fn start() -> Self {
        let (port, upstream) = (free_port(), Upstream::start());
        let gateway = Gateway::plan(CONFIG)
            .upstream(&upstream)
            .fill("portal", &port.to_string())
            .file("lists/games.txt", "games.example\ntròchơi.example\n")
            .file("lists/self-harm.txt", "harm.example\n")
            .file("lists/csam.txt", "illegal.example\n")
            .start();
        Self { gateway, portal: SocketAddr::from(([127, 0, 0, 1], port)), _upstream: upstream }
    }

    /// The reply to octets from a client.
    fn raw(&self, from: &str, octets: &[u8]) -> Reply {
        let mut stream = try_connect(from.parse().unwrap(), self.portal).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // A server that refuses a body may close before it has come.
        let _ = stream.write_all(octets);
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        Reply(String::from_utf8(reply).unwrap())
    }

    /// The reply to a GET under a Host.
    fn get_at(&self, from: &str, host: &str, path: &str) -> Reply {
        self.raw(
            from,
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes(),
        )
    }

    /// A page of the portal for a pupil.
    fn get(&self, path: &str) -> Reply {
        self.get_at(PUPIL, &self.host(), path)
    }

    /// The reply to a form that a page of the portal sent.
    fn post(&self, from: &str, path: &str, body: &str) -> Reply {
        let host = self.host();
        self.post_with(from, path, &format!("Origin: http://{host}\r\n"), body)
    }

    /// The reply to a form with these lines in its head.
    fn post_with(&self, from: &str, path: &str, head: &str, body: &str) -> Reply {
        let host = self.host();
        self.raw(
            from,
            format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\n{head}Connection: close\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .as_bytes(),
        )
    }

    /// The Host of the portal.
    fn host(&self) -> String {
        format!("lachan.internal:{}", self.portal.port())
    }
}

/// A reply as it came.
#[derive(Debug)]
struct Reply(String);

impl Reply {
    fn status(&self) -> u16 {
        let status = self.0.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
        status.and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    fn has(&self, text: &str) -> bool {
        self.0.contains(text)
    }

    /// What stands in the page, without its frame.
    fn body(&self) -> &str {
        self.0.split_once("<main").map_or("", |(_, body)| body)
    }

    #[track_caller]
    fn expect(self, status: u16, texts: &[&str]) -> Self {
        assert_eq!(self.status(), status, "{self:?}");
        for text in texts {
            assert!(self.has(text), "`{text}` is not in {}", self.0);
        }
        self
    }

    #[track_caller]
    fn without(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(!self.has(text), "`{text}` is in {}", self.0);
        }
        self
    }
}
