//! Questions through TLS to the encrypted listeners, as devices ask them.
//!
//! ```text
//! each listener                   each name that devices know it by ▸ handshake ▸ `localhost`
//! the first of a family and       each group, by its own name       ▸ handshake ▸ a name that is blocked,
//!  a transport that is there                                                      one that is open
//! ```
//!
//! HTTPS is asked as HTTP/1.1, which the listener answers by the same way as HTTP/2.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Error, StreamOwned};
use socket2::{Protocol, Type};
use tracing::debug;

use crate::config::Config;
use crate::dns::designated::{DOH_MEDIA_TYPE, DOH_PATH};
use crate::dns::message::MAX_MESSAGE;
use crate::dns::message::outline::AnswerOutline;
use crate::dns::name::Name;
use crate::load::in_force::InForce;
use crate::policy::GroupId;
use crate::policy::group::time::Now;
use crate::resolve::Transport;
use crate::selftest::ask::{LOCAL, WAIT, exchanged, found, outline, query, row, socket};
use crate::selftest::own_asks::{AskGuard, OwnAsks};
use crate::selftest::plan::{self, Planned};
use crate::selftest::run::{Expected, RowFinding, RowKind, SelfTestRow};
use crate::selftest::verifier::{self, OwnVerifier};
use crate::sys::certificates::Certificates;
use crate::sys::presence::{absent, reachable};

/// The most octets of the head of an HTTP response.
const MAX_HEAD: usize = 4096;

/// The listeners that a test asks.
pub struct AskedListeners {
    /// Addresses for UDP and TCP.
    pub plain: Vec<SocketAddr>,
    /// Addresses for DNS over TLS and over HTTPS.
    pub encrypted: Vec<(SocketAddr, Transport)>,
    /// What the encrypted ones show.
    pub certificates: Arc<Certificates>,
}

/// Asks all questions to the encrypted listeners.
pub(super) fn rows(
    in_force: &InForce,
    listeners: &AskedListeners,
    own: &OwnAsks,
    now: Now,
) -> Vec<SelfTestRow> {
    let Ok(local) = Name::from_text(LOCAL) else { return Vec::new() };
    let addresses: Vec<SocketAddr> = listeners.encrypted.iter().map(|one| one.0).collect();
    let missing = absent(&addresses);
    let asker = Asker { listeners, own, now };
    let config = in_force.config();
    let (mut rows, mut asked) = (Vec::new(), Vec::new());
    for &way in &listeners.encrypted {
        let (listener, transport) = way;
        let is_absent = missing.contains(&listener);
        for server in servers(config) {
            let about = server.clone().unwrap_or_else(|| listener.ip().to_string());
            let one = Planned::new(RowKind::Listener, about, local.clone(), Expected::Local);
            let to = (way, server.as_deref());
            if is_absent {
                let planned = (one.kind, one.about);
                rows.push(of(
                    row(way, "", planned, (&one.name, one.expected), RowFinding::Absent),
                    to.1,
                ));
            } else {
                rows.extend(asker.rows(to, (GroupId(0), ""), vec![one]));
            }
        }
        let kind = (transport, listener.is_ipv6());
        if is_absent || asked.contains(&kind) {
            continue;
        }
        asked.push(kind);
        for (number, group) in (0..=u8::MAX).zip(&config.groups) {
            let server = group.claims.server_names.first().cloned().or_else(|| own_name(config));
            let planned = chosen(plan::of_group(in_force, GroupId(number), now));
            let group = (GroupId(number), group.name.as_str());
            rows.extend(asker.rows((way, server.as_deref()), group, planned));
        }
    }
    rows
}

/// The names that devices know the gateway by, each once; none where the config has none, and devices come
/// by an address.
fn servers(config: &Config) -> Vec<Option<String>> {
    let groups = config.groups.iter().flat_map(|group| group.claims.server_names.iter().cloned());
    let mut names: Vec<Option<String>> = Vec::new();
    for name in config.listen.names.iter().map(shown).chain(groups).map(Some) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { vec![None] } else { names }
}

fn own_name(config: &Config) -> Option<String> {
    config.listen.names.first().map(shown)
}

/// A name as certificates have it.
fn shown(name: &Name) -> String {
    name.to_string().trim_end_matches('.').to_owned()
}

/// A question that must be blocked, and one that must not, where the group has them.
fn chosen(planned: Vec<Planned>) -> Vec<Planned> {
    let (mut blocked, mut open) = (None, None);
    for one in planned.into_iter().filter(|one| one.untested.is_none()) {
        match one.expected {
            Expected::Blocked if blocked.is_none() => blocked = Some(one),
            // Essential names, which come last, resolve in every mode.
            Expected::Open => {
                open = open.filter(|open: &Planned| open.kind == RowKind::Essential).or(Some(one));
            }
            _ => {}
        }
    }
    blocked.into_iter().chain(open).collect()
}

/// A row with the name that the certificate was checked for.
fn of(row: SelfTestRow, server: Option<&str>) -> SelfTestRow {
    SelfTestRow { server_name: server.map(str::to_owned), ..row }
}

/// A listener and its transport, and the name that it is called by.
type To<'a> = ((SocketAddr, Transport), Option<&'a str>);

/// What every question needs.
struct Asker<'a> {
    listeners: &'a AskedListeners,
    own: &'a OwnAsks,
    now: Now,
}

impl<'a> Asker<'a> {
    /// Asks as a group over one connection; a row for each question.
    fn rows(
        &self,
        to @ (way, server): To<'_>,
        (id, group): (GroupId, &str),
        planned: Vec<Planned>,
    ) -> Vec<SelfTestRow> {
        if planned.is_empty() {
            return Vec::new();
        }
        let mut connection = self.connect(to, id);
        let as_row = |one: Planned| {
            let answer = match &mut connection {
                Ok(connection) => connection.ask(&one.name),
                Err(finding) => Err(*finding),
            };
            let finding = match answer {
                Ok(outline) => found(Some(&outline), one.expected, None),
                Err(finding) => finding,
            };
            let of_row = row(way, group, (one.kind, one.about), (&one.name, one.expected), finding);
            of(of_row, server)
        };
        planned.into_iter().map(as_row).collect()
    }

    /// Connects and makes the handshake.
    fn connect(
        &self,
        ((listener, transport), server): To<'_>,
        group: GroupId,
    ) -> Result<Connection<'a>, RowFinding> {
        let chains = self.listeners.certificates.chains();
        if chains.is_empty() {
            return Err(RowFinding::NoCertificate);
        }
        let listener = reachable(listener);
        let config =
            settings(OwnVerifier::new(chains, self.now, &Arc::new(default_provider())), transport);
        let name = match server {
            Some(name) => ServerName::try_from(name.to_owned()).ok(),
            None => Some(listener.ip().into()),
        };
        let name = name.ok_or(RowFinding::CertificateName)?;
        let host = name.to_str().into_owned();
        let connected = || {
            let (socket, address) = socket(listener, Type::STREAM, Protocol::TCP)?;
            let guard = self.own.open(transport, address, group);
            socket.connect_timeout(&listener.into(), WAIT)?;
            let mut stream = TcpStream::from(socket);
            let config = config.map_err(io::Error::other)?;
            let mut session =
                ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
            while session.is_handshaking() {
                session.complete_io(&mut stream)?;
            }
            let stream = StreamOwned::new(session, stream);
            Ok(Connection { stream, transport, host, _guard: guard })
        };
        connected().map_err(|error: io::Error| cause(&error, (listener, transport)))
    }
}

/// Settings of a client that takes what a verifier takes.
fn settings(verifier: OwnVerifier, transport: Transport) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let mut config = builder
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let protocol: &[u8] = if transport == Transport::Doh { b"http/1.1" } else { b"dot" };
    config.alpn_protocols = vec![protocol.to_vec()];
    // A resumed session shows no certificate.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// What a row finds of an error.
fn cause(error: &io::Error, (listener, transport): (SocketAddr, Transport)) -> RowFinding {
    debug!(%listener, transport = transport.id(), %error, "the self-test cannot ask");
    let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match of_tls.and_then(verifier::finding) {
        Some(finding) => finding,
        None if error.kind() == io::ErrorKind::InvalidData && of_tls.is_none() => {
            RowFinding::NoMessage
        }
        None => RowFinding::Silent,
    }
}

/// A connection through TLS that asks for a group.
struct Connection<'a> {
    stream: StreamOwned<ClientConnection, TcpStream>,
    transport: Transport,
    /// The server's name, or its address.
    host: String,
    _guard: AskGuard<'a>,
}

impl Connection<'_> {
    /// Asks for the addresses of a name.
    fn ask(&mut self, name: &Name) -> Result<AnswerOutline, RowFinding> {
        let query = query(rand::random(), name);
        let octets = match self.transport {
            Transport::Doh => self.posted(&query),
            _ => exchanged(&mut self.stream, &query),
        };
        let peer = self.stream.sock.peer_addr();
        let octets = octets.map_err(|error| match peer {
            Ok(listener) => cause(&error, (listener, self.transport)),
            Err(_) => RowFinding::Silent,
        })?;
        outline(&query, &octets).ok_or(RowFinding::NoMessage)
    }

    /// The message that comes for one that is posted (RFC 8484 §4.1).
    fn posted(&mut self, query: &[u8]) -> io::Result<Vec<u8>> {
        let host = &self.host;
        let head = format!(
            "POST {DOH_PATH} HTTP/1.1\r\nhost: {host}\r\naccept: {DOH_MEDIA_TYPE}\r\n\
             content-type: {DOH_MEDIA_TYPE}\r\ncontent-length: {}\r\n\r\n",
            query.len()
        );
        self.stream.write_all(&[head.as_bytes(), query].concat())?;
        self.stream.flush()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
            let mut octet = [0];
            self.stream.read_exact(&mut octet)?;
            head.extend(octet);
        }
        let length = length_of(&head).ok_or(io::ErrorKind::InvalidData)?;
        let mut message = vec![0; length];
        self.stream.read_exact(&mut message)?;
        Ok(message)
    }
}

/// The octets of the message behind the head of a response; none for one that has no message.
fn length_of(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?.to_ascii_lowercase();
    let mut lines = head.split("\r\n");
    if !lines.next()?.starts_with("http/1.1 200") {
        return None;
    }
    let fields: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let field = |name: &str| fields.iter().find(|one| one.0 == name).map(|one| one.1.trim());
    let length = field("content-length")?.parse().ok().filter(|&length| length <= MAX_MESSAGE);
    length.filter(|_| field("content-type") == Some(DOH_MEDIA_TYPE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_has_a_message_or_none() {
        let of = |text: &str| length_of(text.as_bytes());
        let fields = "content-type: application/dns-message\r\n\r\n";
        assert_eq!(of(&format!("HTTP/1.1 200 OK\r\nContent-Length: 33\r\n{fields}")), Some(33));
        for (status, length) in
            [("404 Not Found", "33"), ("200 OK", "65536"), ("200 OK", "-1"), ("200 OK", "")]
        {
            let text = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{fields}");
            assert_eq!(of(&text), None, "{text}");
        }
        assert_eq!(of("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n"), None);
        assert_eq!(of(""), None);
    }
}
