//! Overrides over HTTP: begin, end and list, as the admin address answers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Gateway, PATIENCE};

/// The overrides of one gateway, by its admin address and token.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    admin: SocketAddr,
    token: String,
    limit: Duration,
}

/// Status and JSON body of a reply.
pub(crate) type Reply = (u16, Value);

impl Api {
    /// The overrides of a gateway whose state directory is `state`.
    pub(crate) fn of(gateway: &Gateway) -> Self {
        let token = std::fs::read_to_string(gateway.dir().join("state/admin-token")).unwrap();
        let (admin, token) = (gateway.admin_address(), token.trim().to_owned());
        Self { admin, token, limit: PATIENCE }
    }

    /// The same, where a reply that takes longer than `limit` is none.
    pub(crate) fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Begins an exam that leaves `only` to a group.
    pub(crate) fn exam(&self, group: &str, only: &str) -> Option<Reply> {
        self.begin("exam", group, only)
    }

    /// Begins a lesson that opens `name` for a group.
    pub(crate) fn lesson(&self, group: &str, name: &str) -> Option<Reply> {
        self.begin("lesson", group, name)
    }

    fn begin(&self, kind: &str, group: &str, name: &str) -> Option<Reply> {
        let wish = json!({
            "kind": kind, "group": group, "what": [name], "seconds": 3600, "by": "Lan",
        });
        self.send("POST", "/api/overrides", &wish.to_string())
    }

    /// Ends an override.
    pub(crate) fn end(&self, id: u64) -> Option<Reply> {
        self.send("DELETE", &format!("/api/overrides/{id}?by=Lan"), "")
    }

    /// The overrides that are listed.
    pub(crate) fn list(&self) -> Vec<Value> {
        let (status, body) = self.send("GET", "/api/overrides", "").unwrap();
        assert_eq!(status, 200, "{body}");
        body["overrides"].as_array().unwrap().clone()
    }

    /// The state of the gateway.
    pub(crate) fn status(&self) -> Value {
        let (status, body) = self.send("GET", "/api/status", "").unwrap();
        assert_eq!(status, 200, "{body}");
        body
    }

    /// The id of the override that is listed for a group.
    pub(crate) fn id_for(&self, group: &str) -> Option<u64> {
        let listed = self.list();
        let found = listed.iter().find(|one| one["group"] == group)?;
        found["id"].as_u64()
    }

    /// One request; `None` if no reply comes in time.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> Option<Reply> {
        let mut stream = TcpStream::connect_timeout(&self.admin, self.limit).unwrap();
        stream.set_read_timeout(Some(self.limit)).unwrap();
        let (admin, token, length) = (self.admin, &self.token, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {admin}\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).ok()?;
        let reply = String::from_utf8(reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
        Some((status, serde_json::from_str(body).unwrap_or(Value::Null)))
    }
}
