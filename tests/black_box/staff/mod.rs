//! Staff at the portal, over real sockets: who is let in, what they may do, and what attacks change.

mod attacks;
mod pages;
mod reviews;

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;

use crate::support::ask::connect;
use crate::support::gateway::{LACHAN, run};
use crate::support::ports::free_port;
use crate::support::{Ask, Gateway, PATIENCE, PUPIL, TWO_GROUPS, Upstream};

/// Two groups, a list, a state directory and a portal with the staff's network.
const MORE: &str = r#"
[profile.pupils]
level = "lower-secondary"
block = ["games", "gambling"]

[profile.staff]
level = "staff"
block = []

[state]
dir = "state"

[portal]
listen = ["127.0.0.1:{portal}"]
staff_networks = ["127.0.20.0/24"]

[[lists.source]]
category = "games"
path = "games.txt"
format = "domains"
scope = "subtree"
"#;

/// What no page may ever show again.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'; drop table--",
    "\u{202e}elpmaxe.semag",
    "a\0b.example",
    "javascript:alert(1)//",
];

/// A school with a portal.
struct School {
    gateway: Gateway,
    portal: SocketAddr,
    _upstream: Upstream,
}

/// The reply to a request.
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    /// The cookie that a browser would send from now on.
    fn cookie(&self) -> String {
        let line = self.head.lines().find(|line| line.starts_with("set-cookie: "));
        let line = line.unwrap_or_else(|| panic!("no cookie: {}\n{}", self.head, self.body));
        line["set-cookie: ".len()..].split(';').next().unwrap().to_owned()
    }

    #[track_caller]
    fn expect(self, status: u16, text: &str) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.body);
        assert!(self.body.contains(text), "no `{text}` in:\n{}", self.body);
        self
    }
}

impl School {
    fn start() -> Self {
        let (port, upstream) = (free_port(), Upstream::start());
        let gateway = Gateway::plan(&format!("{TWO_GROUPS}{MORE}"))
            .upstream(&upstream)
            .fill("portal", &port.to_string())
            .file("games.txt", "games.example\nother.example\n")
            .start();
        Self { gateway, portal: SocketAddr::from(([127, 0, 0, 1], port)), _upstream: upstream }
    }

    /// What a command says.
    fn lachan(&self, arguments: &str) -> String {
        let mut command = Command::new("sh");
        let line = arguments.replace("lachan", LACHAN);
        command.current_dir(self.gateway.dir()).args(["-c", &line]);
        let (status, said) = run(command);
        assert!(status.success(), "{arguments}: {said}");
        said
    }

    /// A code for the pupils' room.
    fn code(&self, more: &str) -> String {
        let said = self.lachan(&format!(
            "lachan code issue --room pupils {more} --config gateway.toml --json"
        ));
        let said: Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        said["codes"][0]["code"].as_str().unwrap().to_owned()
    }

    /// The codes that have not ended.
    fn codes(&self) -> Vec<Value> {
        let said = self.lachan("lachan code list --config gateway.toml --json");
        let said: Value = serde_json::from_str(&said).unwrap();
        said["codes"].as_array().unwrap().clone()
    }

    /// A token of the state directory.
    fn token(&self, role: &str) -> String {
        let path = self.gateway.dir().join(format!("state/{role}-token"));
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }

    /// One request with these lines in its head.
    fn request(&self, from: &str, line: &str, head: &str, body: &str) -> Reply {
        let mut stream = connect(from.parse().unwrap(), self.portal);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\n{head}Connection: close\r\n\
             Content-Length: {length}\r\n\r\n{body}",
            self.portal
        );
        // A server that refuses a body may close before it has come.
        let _ = stream.write_all(request.as_bytes());
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        let reply = String::from_utf8(reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or((&reply, ""));
        let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok());
        let (head, body) = (head.to_lowercase(), body.to_owned());
        Reply { status: status.unwrap_or(0), head, body }
    }

    fn get(&self, from: &str, path: &str, cookie: &str) -> Reply {
        self.request(from, &format!("GET {path}"), &format!("Cookie: {cookie}\r\n"), "")
    }

    /// A form that a page of the portal sends.
    fn post(&self, from: &str, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Reply {
        let origin = format!("Origin: http://{}\r\n", self.portal);
        self.post_with(from, path, &format!("{origin}Cookie: {cookie}\r\n"), fields)
    }

    fn post_with(&self, from: &str, path: &str, head: &str, fields: &[(&str, &str)]) -> Reply {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        let head = format!("{head}Content-Type: application/x-www-form-urlencoded\r\n");
        self.request(from, &format!("POST {path}"), &head, &body)
    }

    fn log_in(&self, from: &str, fields: &[(&str, &str)]) -> Reply {
        self.post(from, "/staff/login", "", fields)
    }

    /// The cookie of a technician who has logged in.
    fn technician(&self) -> String {
        let token = self.token("technician");
        let fields = [("way", "technician"), ("token", token.as_str()), ("name", "Nam")];
        self.log_in(crate::support::STAFF, &fields).expect(303, "").cookie()
    }

    fn rcode(&self, name: &str) -> String {
        Ask::new(name, "A").from(PUPIL).expect(self.gateway.dns).rcode()
    }

    /// What is on, by the command line.
    fn running(&self) -> Vec<Value> {
        crate::support::api::Api::of(&self.gateway).list()
    }
}
