//! An upstream server's address: `udp://192.0.2.1`, `tls://192.0.2.1#dns.example`, `https://…`.
//!
//! A server is always reached by address. A host name would have to be resolved first,
//! and the resolver that resolves names here is the one being configured.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use rustls::pki_types::ServerName;

use crate::dns::name::Name;
use crate::lang::{Message, messages};

/// The path of an HTTPS resource where none is written.
const DOH_PATH: &str = "/dns-query";

/// Transport to an upstream server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerTransport {
    /// UDP, with TCP when the answer is truncated.
    Udp,
    /// TCP only.
    Tcp,
    /// DNS over TLS (RFC 7858).
    Tls,
    /// DNS over HTTPS (RFC 8484), HTTP/2.
    Https,
}

impl ServerTransport {
    /// All of them, as they may be written.
    pub const ALL: [Self; 4] = [Self::Udp, Self::Tcp, Self::Tls, Self::Https];

    /// What stands before `://`.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Https => "https",
        }
    }

    /// The port where none is written.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 53,
            Self::Tls => 853,
            Self::Https => 443,
        }
    }

    /// Whether there is a certificate to check.
    pub(crate) fn has_certificate(self) -> bool {
        matches!(self, Self::Tls | Self::Https)
    }
}

/// One upstream server. It is reached by address; a name is only for the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Server {
    /// Text of the config, and the `upstream` label of the metrics.
    pub label: String,
    /// Transport.
    pub transport: ServerTransport,
    /// Address and port.
    pub address: SocketAddr,
    /// Name in its certificate (TLS and HTTPS); the address itself by default.
    pub tls_name: Option<String>,
    /// Path of the HTTPS resource; `/dns-query` by default.
    pub path: String,
    /// Whether names are sent to it in letters of random case (0x20), over UDP.
    pub mixes_case: bool,
}

impl Server {
    /// The name that the server's certificate must be for.
    ///
    /// Config and upstream ask the same question here: a server that the config accepts can be
    /// set up.
    ///
    /// # Errors
    ///
    /// The name or address, where it cannot stand in a certificate or in the URL of a request.
    pub fn certificate(&self) -> Result<ServerName<'static>, String> {
        let name = self.tls_name.clone().unwrap_or_else(|| self.address.ip().to_string());
        match ServerName::try_from(name.clone()) {
            // hickory writes it into the URL as it is, and there IPv6 needs brackets.
            Ok(found) if self.transport == ServerTransport::Https && name.contains(':') => {
                drop(found);
                Err(name)
            }
            Ok(found) => Ok(found),
            Err(_) => Err(name),
        }
    }

    /// Whether a question to this server would come back to a socket bound to `own`.
    ///
    /// `is_of_this_host` decides for a socket bound to all addresses.
    pub fn is_at(&self, own: SocketAddr, is_of_this_host: impl Fn(&IpAddr) -> bool) -> bool {
        // IPv4 written as IPv6 is sent as IPv4.
        let ip = self.address.ip().to_canonical();
        own.port() == self.address.port()
            && own.is_ipv4() == ip.is_ipv4()
            && (own.ip() == ip || own.ip().is_unspecified() && is_of_this_host(&ip))
    }
}

/// Why some text is not an upstream server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// Nothing is written.
    #[error("the server is empty; write an address, such as `udp://192.0.2.1`")]
    Empty,
    /// An unknown word before `://`.
    #[error("`{0}://` is not known; `udp://`, `tcp://`, `tls://` and `https://` are")]
    Scheme(String),
    /// A host name where the address belongs.
    #[error(
        "`{0}` is a host name; write the server's IP address \
         (its certificate's name goes after `#`, as in `tls://192.0.2.1#dns.example`)"
    )]
    HostName(String),
    /// Neither address nor host name.
    #[error("`{0}` is not an IP address; write one, such as `192.0.2.1` or `[2001:db8::1]`")]
    Address(String),
    /// An IPv6 address without brackets, where a port may follow.
    #[error("`{0}` is an IPv6 address without brackets; write `[{0}]`")]
    Brackets(String),
    /// An address that no server has.
    #[error("`{0}` is no server's address; write the address it answers on")]
    Unspecified(IpAddr),
    /// A port that is not a number from 1 to 65535.
    #[error("`{0}` is not a port; write a number from 1 to 65535, or leave it out")]
    Port(String),
    /// A path where there is no HTTP.
    #[error("`{0}` follows the address, and `{1}://` has no path; leave it out, or use `https://`")]
    Path(String, &'static str),
    /// Octets that an HTTP path does not have.
    #[error(
        "`{0}` is not an HTTP path; write printable ASCII without spaces, such as `/dns-query`"
    )]
    PathCharacter(String),
    /// A name where there is no certificate.
    #[error("`#{0}` names a certificate, and `{1}://` has none; leave it out, or use `tls://`")]
    NameNotUsed(String, &'static str),
    /// Something that no certificate is for.
    #[error(
        "`#{0}` is not a host name; write the name in the server's certificate, or leave it out"
    )]
    Name(String),
}

impl ServerError {
    /// The reason as a message.
    pub(crate) fn message(&self) -> Message {
        match self {
            Self::Empty => messages::server_empty(),
            Self::Scheme(scheme) => messages::server_scheme(scheme),
            Self::HostName(host) => messages::server_host_name(host),
            Self::Address(text) => messages::server_address(text),
            Self::Brackets(address) => messages::server_brackets(address),
            Self::Unspecified(address) => messages::server_unspecified(address),
            Self::Port(port) => messages::server_port(port),
            Self::Path(path, scheme) => messages::server_path(path, scheme),
            Self::PathCharacter(path) => messages::server_path_character(path),
            Self::NameNotUsed(name, scheme) => messages::server_name_unused(name, scheme),
            Self::Name(name) => messages::server_name(name),
        }
    }
}

impl FromStr for Server {
    type Err = ServerError;

    /// Parses `udp://IP[:53]`, `tcp://IP[:53]`, `tls://IP[:853][#NAME]`,
    /// `https://IP[:443][/PATH][#NAME]`; without a scheme it is UDP.
    ///
    /// IPv6 addresses stand in brackets, unless there is nothing else.
    fn from_str(text: &str) -> Result<Self, ServerError> {
        let text = text.trim();
        let (transport, rest) = match text.split_once("://") {
            None => (ServerTransport::Udp, text),
            Some((scheme, rest)) => {
                let known = ServerTransport::ALL.into_iter().find(|t| t.scheme() == scheme);
                (known.ok_or_else(|| ServerError::Scheme(scheme.to_owned()))?, rest)
            }
        };
        let (rest, name) = match rest.split_once('#') {
            Some((rest, name)) => (rest, Some(name)),
            None => (rest, None),
        };
        let (place, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        Ok(Self {
            label: text.to_owned(),
            transport,
            address: address(place, transport, place == text)?,
            tls_name: name.map(|name| certificate_name(name, transport)).transpose()?,
            path: doh_path(path, transport)?,
            mixes_case: true,
        })
    }
}

impl fmt::Display for Server {
    /// Writes what [`FromStr`] reads, without defaults (port, path).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.transport.scheme())?;
        match self.address.ip() {
            IpAddr::V4(ip) => write!(f, "{ip}")?,
            IpAddr::V6(ip) => write!(f, "[{ip}]")?,
        }
        if self.address.port() != self.transport.default_port() {
            write!(f, ":{}", self.address.port())?;
        }
        if self.transport == ServerTransport::Https && self.path != DOH_PATH {
            f.write_str(&self.path)?;
        }
        if let Some(name) = &self.tls_name {
            write!(f, "#{name}")?;
        }
        Ok(())
    }
}

/// Reads `IP[:port]`; a bare IPv6 address only where `alone`.
fn address(
    place: &str,
    transport: ServerTransport,
    alone: bool,
) -> Result<SocketAddr, ServerError> {
    if place.is_empty() {
        return Err(ServerError::Empty);
    }
    let (host, port) = match place.strip_prefix('[') {
        Some(bracketed) => {
            let wrong = || ServerError::Address(place.to_owned());
            let (host, after) = bracketed.split_once(']').ok_or_else(wrong)?;
            let port = match after.strip_prefix(':') {
                None if after.is_empty() => None,
                None => return Err(wrong()),
                port => port,
            };
            (host, port)
        }
        None if place.matches(':').count() > 1 => {
            let Ok(ip @ IpAddr::V6(_)) = place.parse() else {
                return Err(ServerError::Address(place.to_owned()));
            };
            if !alone {
                return Err(ServerError::Brackets(place.to_owned()));
            }
            return reachable(ip, transport.default_port());
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let ip = host.parse().map_err(|_| not_an_address(host))?;
    let port = match port {
        None => transport.default_port(),
        Some(text) => match text.parse() {
            Ok(port @ 1..) => port,
            _ => return Err(ServerError::Port(text.to_owned())),
        },
    };
    reachable(ip, port)
}

/// The address of a server; unspecified and multicast addresses are refused.
fn reachable(ip: IpAddr, port: u16) -> Result<SocketAddr, ServerError> {
    if ip.is_unspecified() || ip.is_multicast() {
        return Err(ServerError::Unspecified(ip));
    }
    Ok((ip, port).into())
}

/// `192.0.2.300` is a mistyped address; `dns.example` is a name.
fn not_an_address(host: &str) -> ServerError {
    let letters = host.chars().any(char::is_alphabetic);
    if letters && Name::from_text(host).is_ok() {
        ServerError::HostName(host.to_owned())
    } else {
        ServerError::Address(host.to_owned())
    }
}

/// The name in the certificate: a host name or an address.
fn certificate_name(name: &str, transport: ServerTransport) -> Result<String, ServerError> {
    if !transport.has_certificate() {
        return Err(ServerError::NameNotUsed(name.to_owned(), transport.scheme()));
    }
    let valid = name.parse::<IpAddr>().is_ok()
        || (name.is_ascii() && !name.ends_with('.') && Name::from_text(name).is_ok());
    if valid { Ok(name.to_owned()) } else { Err(ServerError::Name(name.to_owned())) }
}

/// The path of the HTTPS resource.
fn doh_path(path: &str, transport: ServerTransport) -> Result<String, ServerError> {
    if transport != ServerTransport::Https && !path.is_empty() {
        return Err(ServerError::Path(path.to_owned(), transport.scheme()));
    }
    if !path.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(ServerError::PathCharacter(path.to_owned()));
    }
    Ok(if path.is_empty() { DOH_PATH.to_owned() } else { path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> (ServerTransport, String, Option<String>, String) {
        let server: Server = text.parse().unwrap();
        assert_eq!(server.label, text);
        (server.transport, server.address.to_string(), server.tls_name, server.path)
    }

    fn refusal(text: &str) -> String {
        text.parse::<Server>().unwrap_err().to_string()
    }

    #[test]
    fn every_form_is_read_and_the_rest_goes_without_saying() {
        let path = || DOH_PATH.to_owned();
        let name = || Some("dns.example".to_owned());
        let v4 = |port| format!("192.0.2.1:{port}");
        assert_eq!(parts("192.0.2.1"), (ServerTransport::Udp, v4(53), None, path()));
        assert_eq!(parts("192.0.2.1:5301"), (ServerTransport::Udp, v4(5301), None, path()));
        assert_eq!(parts("udp://192.0.2.1"), (ServerTransport::Udp, v4(53), None, path()));
        assert_eq!(parts("tcp://192.0.2.1"), (ServerTransport::Tcp, v4(53), None, path()));
        assert_eq!(parts("tls://192.0.2.1"), (ServerTransport::Tls, v4(853), None, path()));
        assert_eq!(
            parts("tls://192.0.2.1#dns.example"),
            (ServerTransport::Tls, v4(853), name(), path())
        );
        assert_eq!(
            parts("https://192.0.2.1:8443/q?a=b#dns.example"),
            (ServerTransport::Https, v4(8443), name(), "/q?a=b".into())
        );
        assert_eq!(
            parts("udp://[::1]:5301"),
            (ServerTransport::Udp, "[::1]:5301".into(), None, path())
        );
        assert_eq!(parts("2001:db8::1").1, "[2001:db8::1]:53");
        assert_eq!(parts("[2001:db8::1]").1, "[2001:db8::1]:53");
    }

    #[test]
    fn a_socket_bound_to_all_addresses_answers_at_those_of_the_host() {
        let is_at = |server: &str, own: &str| {
            let here: IpAddr = "192.0.2.7".parse().unwrap();
            let server: Server = server.parse().unwrap();
            server.is_at(own.parse().unwrap(), |ip| ip.is_loopback() || *ip == here)
        };
        assert!(is_at("192.0.2.1", "192.0.2.1:53"));
        assert!(is_at("127.0.0.53", "0.0.0.0:53"));
        assert!(is_at("192.0.2.7", "0.0.0.0:53"));
        assert!(is_at("[::1]", "[::]:53"));
        assert!(!is_at("192.0.2.1", "0.0.0.0:53"));
        assert!(!is_at("192.0.2.7", "127.0.0.1:53"));
        assert!(!is_at("192.0.2.7:5353", "0.0.0.0:53"));
        assert!(!is_at("127.0.0.1", "[::]:53"));
    }

    #[test]
    fn mistakes_say_what_is_wrong_and_what_to_write() {
        assert_eq!(
            refusal("tls://dns.example"),
            "`dns.example` is a host name; write the server's IP address \
             (its certificate's name goes after `#`, as in `tls://192.0.2.1#dns.example`)"
        );
        assert_eq!(
            refusal("quic://192.0.2.1"),
            "`quic://` is not known; `udp://`, `tcp://`, `tls://` and `https://` are"
        );
        assert_eq!(
            refusal("udp://2001:db8::1"),
            "`2001:db8::1` is an IPv6 address without brackets; write `[2001:db8::1]`"
        );
        assert_eq!(
            refusal("udp://192.0.2.1#dns.example"),
            "`#dns.example` names a certificate, and `udp://` has none; leave it out, or use `tls://`"
        );
        assert_eq!(
            refusal("192.0.2.1:0"),
            "`0` is not a port; write a number from 1 to 65535, or leave it out"
        );
    }

    #[test]
    fn each_mistake_has_its_own_error() {
        let error = |text: &str| text.parse::<Server>().unwrap_err();
        assert_eq!(error(""), ServerError::Empty);
        assert_eq!(error("udp://"), ServerError::Empty);
        assert_eq!(error("192.0.2.300"), ServerError::Address("192.0.2.300".into()));
        assert_eq!(error("[::1"), ServerError::Address("[::1".into()));
        assert_eq!(error("[::1]x"), ServerError::Address("[::1]x".into()));
        assert_eq!(error("udp://[::1]:"), ServerError::Port(String::new()));
        assert_eq!(error("192.0.2.1:65536"), ServerError::Port("65536".into()));
        assert_eq!(error("0.0.0.0"), ServerError::Unspecified(IpAddr::from([0; 4])));
        assert_eq!(error("tls://192.0.2.1/dns"), ServerError::Path("/dns".into(), "tls"));
        assert_eq!(error("https://192.0.2.1/a b"), ServerError::PathCharacter("/a b".into()));
        assert_eq!(error("tls://192.0.2.1#"), ServerError::Name(String::new()));
        assert_eq!(error("tls://192.0.2.1#a b"), ServerError::Name("a b".into()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            transport in prop::sample::select(ServerTransport::ALL.as_slice()),
            ip in any::<IpAddr>().prop_filter("a server's", |ip| {
                !ip.is_unspecified() && !ip.is_multicast()
            }),
            port in prop_oneof![Just(53), Just(443), Just(853), 1_u16..],
            name in prop::option::of("[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z]{2,9}){0,3}"),
            path in "(/[!-\"$-.0-~]{0,9}){0,3}",
        ) {
            let https = transport == ServerTransport::Https;
            let mut server = Server {
                label: String::new(),
                transport,
                address: (ip, port).into(),
                tls_name: name.filter(|_| transport.has_certificate()),
                path: if https && !path.is_empty() { path } else { DOH_PATH.into() },
                mixes_case: true,
            };
            server.label = server.to_string();
            prop_assert_eq!(server.to_string().parse(), Ok(server));
        }

        #[test]
        fn no_text_panics(text in any::<String>(), place in "[\\[\\]0-9a-f.:/#]{0,30}") {
            let _ = text.parse::<Server>();
            let _ = place.parse::<Server>();
            let _ = format!("https://{place}").parse::<Server>();
        }
    }
}
