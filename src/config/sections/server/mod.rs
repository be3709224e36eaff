//! An upstream server's address: `udp://192.0.2.1`, `tls://192.0.2.1#dns.example`, `https://…`.
//!
//! A server is always reached by address. A host name would have to be resolved first,
//! and the resolver that resolves names here is the one being configured.

mod error;

use std::fmt;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::str::FromStr;

use rustls::pki_types::ServerName;

use crate::dns::name::Name;

pub use error::ServerError;

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
    /// Address and port; of a link-local address also the interface, where that is a number.
    pub address: SocketAddr,
    /// The interface of a link-local address, by name (RFC 4007 §11.2). Its number is looked up at
    /// each use: an interface may come later, and come back with another number.
    pub interface: Option<String>,
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
    ///
    /// A link-local address is another machine's on each link, so the links are compared too.
    pub fn is_at(&self, own: SocketAddr, is_of_this_host: impl Fn(&SocketAddr) -> bool) -> bool {
        // IPv4 written as IPv6 is sent as IPv4.
        let ip = self.address.ip().to_canonical();
        let is_on_link = match (own, self.address) {
            (SocketAddr::V6(own), SocketAddr::V6(server)) => own.scope_id() == server.scope_id(),
            _ => true,
        };
        own.port() == self.address.port()
            && own.is_ipv4() == ip.is_ipv4()
            && (own.ip() == ip && is_on_link
                || own.ip().is_unspecified() && is_of_this_host(&self.canonical()))
    }

    /// Its address; IPv4 written as IPv6 is IPv4.
    fn canonical(&self) -> SocketAddr {
        match self.address.ip().to_canonical() {
            ip @ IpAddr::V4(_) => SocketAddr::new(ip, self.address.port()),
            IpAddr::V6(_) => self.address,
        }
    }
}

impl FromStr for Server {
    type Err = ServerError;

    /// Parses `udp://IP[:53]`, `tcp://IP[:53]`, `tls://IP[:853][#NAME]`,
    /// `https://IP[:443][/PATH][#NAME]`; without a scheme it is UDP.
    ///
    /// IPv6 addresses stand in brackets, unless there is nothing else. A link-local one has its
    /// interface behind `%`, by name or number.
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
        let (address, interface) = address(place, transport, place == text)?;
        Ok(Self {
            label: text.to_owned(),
            transport,
            address,
            interface,
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
            IpAddr::V6(ip) => {
                write!(f, "[{ip}")?;
                match (&self.interface, self.address) {
                    (Some(name), _) => write!(f, "%{name}")?,
                    (None, SocketAddr::V6(v6)) if v6.scope_id() != 0 => {
                        write!(f, "%{}", v6.scope_id())?;
                    }
                    _ => {}
                }
                f.write_str("]")?;
            }
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

/// An address, and the interface that is named behind it.
type Place = (SocketAddr, Option<String>);

/// Reads `IP[:port]`; a bare IPv6 address only where `alone`.
fn address(place: &str, transport: ServerTransport, alone: bool) -> Result<Place, ServerError> {
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
            let (address, interface) = split_interface(place);
            let Ok(ip @ IpAddr::V6(_)) = address.parse() else {
                return Err(ServerError::Address(place.to_owned()));
            };
            if !alone {
                return Err(ServerError::Brackets(place.to_owned()));
            }
            return reachable(ip, interface, transport.default_port());
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let (address, interface) = split_interface(host);
    let ip = address.parse().map_err(|_| not_an_address(host))?;
    let port = match port {
        None => transport.default_port(),
        Some(text) => match text.parse() {
            Ok(port @ 1..) => port,
            _ => return Err(ServerError::Port(text.to_owned())),
        },
    };
    reachable(ip, interface, port)
}

/// The parts before and behind `%`.
fn split_interface(host: &str) -> (&str, Option<&str>) {
    host.split_once('%').map_or((host, None), |(address, interface)| (address, Some(interface)))
}

/// The address of a server; unspecified and multicast addresses are refused.
fn reachable(ip: IpAddr, interface: Option<&str>, port: u16) -> Result<Place, ServerError> {
    if ip.is_unspecified() || ip.is_multicast() {
        return Err(ServerError::Unspecified(ip));
    }
    match (ip, interface) {
        (IpAddr::V6(v6), None) if v6.is_unicast_link_local() => Err(ServerError::LinkLocal(ip)),
        (_, None) => Ok(((ip, port).into(), None)),
        (IpAddr::V6(v6), Some(interface)) if v6.is_unicast_link_local() => {
            match interface.parse() {
                Ok(number @ 1_u32..) => Ok((SocketAddrV6::new(v6, port, 0, number).into(), None)),
                Err(_) if is_interface(interface) => {
                    Ok(((ip, port).into(), Some(interface.to_owned())))
                }
                _ => Err(ServerError::Interface(interface.to_owned())),
            }
        }
        (_, Some(interface)) => Err(ServerError::InterfaceNotUsed(ip, interface.to_owned())),
    }
}

/// Whether an interface can be called so: what the kernel allows, without what an address has.
fn is_interface(name: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "/:%[]#".contains(c);
    (1..16).contains(&name.len()) && name != "." && name != ".." && !name.contains(is_odd)
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
            server.is_at(own.parse().unwrap(), |at| at.ip().is_loopback() || at.ip() == here)
        };
        assert!(is_at("192.0.2.1", "192.0.2.1:53"));
        assert!(is_at("127.0.0.53", "0.0.0.0:53"));
        assert!(is_at("192.0.2.7", "0.0.0.0:53"));
        assert!(is_at("[::1]", "[::]:53"));
        assert!(!is_at("192.0.2.1", "0.0.0.0:53"));
        assert!(!is_at("192.0.2.7", "127.0.0.1:53"));
        assert!(!is_at("192.0.2.7:5353", "0.0.0.0:53"));
        assert!(!is_at("127.0.0.1", "[::]:53"));
        // The router of the uplink may be called as this machine is in its own network.
        assert!(is_at("[fe80::1%2]", "[fe80::1%2]:53"));
        assert!(!is_at("[fe80::1%3]", "[fe80::1%2]:53"));
    }

    #[test]
    fn a_link_local_server_has_an_interface() {
        let place = |text: &str| {
            let server: Server = text.parse().unwrap();
            assert_eq!(server.to_string().parse::<Server>().unwrap().address, server.address);
            (server.address.to_string(), server.interface)
        };
        let lan = || Some("lan0".to_owned());
        assert_eq!(place("udp://[fe80::1%lan0]"), ("[fe80::1]:53".into(), lan()));
        assert_eq!(place("udp://[fe80::1%lan0]:5301"), ("[fe80::1]:5301".into(), lan()));
        assert_eq!(place("fe80::1%lan0"), ("[fe80::1]:53".into(), lan()));
        assert_eq!(place("tcp://[fe80::1%7]"), ("[fe80::1%7]:53".into(), None));
        assert_eq!(place("tls://[fe80::1%lan0]#dns.example"), ("[fe80::1]:853".into(), lan()));
        assert_eq!(place("https://[fe80::1%lan0]/q#dns.example"), ("[fe80::1]:443".into(), lan()));
        assert_eq!(
            refusal("udp://[fe80::b]:53"),
            "`fe80::b` is a link-local address, which means another machine on each link; \
             write the interface behind it, as in `[fe80::b%eth0]`"
        );
        let error = |text: &str| text.parse::<Server>().unwrap_err();
        let ip = |text: &str| text.parse().unwrap();
        assert_eq!(error("febf::1"), ServerError::LinkLocal(ip("febf::1")));
        for odd in ["", "0", "sixteen-octets-0", "a b", "%25"] {
            assert_eq!(error(&format!("[fe80::1%{odd}]")), ServerError::Interface(odd.into()));
        }
        assert_eq!(
            error("udp://[2001:db8::1%lan0]"),
            ServerError::InterfaceNotUsed(ip("2001:db8::1"), "lan0".into())
        );
        assert_eq!(
            error("192.0.2.1%lan0"),
            ServerError::InterfaceNotUsed(ip("192.0.2.1"), "lan0".into())
        );
        assert_eq!(error("udp://fe80::1%lan0"), ServerError::Brackets("fe80::1%lan0".into()));
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
                let is_link_local = matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local());
                !ip.is_unspecified() && !ip.is_multicast() && !is_link_local
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
                interface: None,
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
