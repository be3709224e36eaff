//! The system's resolvers, and upstream servers that are this machine itself.
//!
//! resolv.conf(5) is written by many programs, and only its `nameserver` lines matter here: Law: no
//! other line, and no line that cannot be read, may stop a server that can be.

use std::io::{self, Read};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::warn;

use super::error::UpstreamError;
use super::place::Place;
use crate::config::sections::server::{Server, ServerTransport};
use crate::config::{Config, Listen};
use crate::sys::read;

/// The longest resolv.conf: real ones have some hundred octets.
const MAX_OCTETS: u64 = 64 << 10;
/// The most servers of one file; the C library reads three.
const MAX_SERVERS: usize = 8;
/// The pause after which a file that is the same is taken as whole.
const MOMENT: Duration = Duration::from_millis(50);
/// The most pauses for a file that changes all the time.
const MOST_MOMENTS: usize = 10;

/// The system's resolvers as the config's file names them now, over UDP, without this gateway.
///
/// # Errors
///
/// [`UpstreamError::NoServer`]; [`UpstreamError::OwnServer`] where this gateway is the only one.
pub fn system_servers(config: &Config) -> Result<Vec<Server>, UpstreamError> {
    let path = &config.upstream.resolv_conf;
    let text = content(path)
        .map_err(|error| UpstreamError::NoServer(format!("{}: {error}", path.display())))?;
    servers_in(&text, path, &config.listen)
        .map(|servers| in_case(servers, config.upstream.mixes_case))
}

/// The servers, with the config's `case_randomisation`.
fn in_case(servers: Vec<Server>, mixes_case: bool) -> Vec<Server> {
    servers.into_iter().map(|server| Server { mixes_case, ..server }).collect()
}

/// The system's resolvers, looked at again and again.
#[derive(Debug)]
pub struct SystemServers {
    path: PathBuf,
    listen: Listen,
    mixes_case: bool,
    /// What was judged last: the octets, or why there are none.
    judged: Option<Result<Vec<u8>, io::ErrorKind>>,
}

impl SystemServers {
    /// Of a config without servers of its own; none of another.
    pub fn of(config: &Config) -> Option<Self> {
        let upstream = &config.upstream;
        upstream.servers.is_empty().then(|| Self {
            path: upstream.resolv_conf.clone(),
            listen: config.listen.clone(),
            mixes_case: upstream.mixes_case,
            judged: None,
        })
    }

    /// The servers, if the file has changed since the last look, or anyway where that is asked for.
    /// A file without a server that can be used gives none, and a line in the log.
    pub fn look(&mut self, is_asked: bool) -> Option<Vec<Server>> {
        let mut found = content(&self.path);
        let is_judged = |found: &io::Result<Vec<u8>>| match (&self.judged, found) {
            (Some(Ok(judged)), Ok(octets)) => judged == octets,
            (Some(Err(judged)), Err(error)) => *judged == error.kind(),
            _ => false,
        };
        if is_judged(&found) && !is_asked {
            return None;
        }
        // A program that writes into the file may be at it: what stays for a moment is whole.
        for _ in 0..MOST_MOMENTS {
            std::thread::sleep(MOMENT);
            let again = content(&self.path);
            let is_quiet = matches!((&found, &again), (Ok(one), Ok(other)) if one == other)
                || found.is_err() && again.is_err();
            found = again;
            if is_quiet {
                break;
            }
        }
        self.judged = Some(match &found {
            Ok(octets) => Ok(octets.clone()),
            Err(error) => Err(error.kind()),
        });
        let path = self.path.display();
        let servers = found
            .map_err(|error| UpstreamError::NoServer(format!("{path}: {error}")))
            .and_then(|octets| servers_in(&octets, &self.path, &self.listen))
            .map(|servers| in_case(servers, self.mixes_case));
        servers.inspect_err(|error| warn!("the upstream servers stay as they are: {error}")).ok()
    }
}

/// The octets of a resolv.conf, as far as they are read.
///
/// # Errors
///
/// The system's error.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    read::open(path)?.take(MAX_OCTETS).read_to_end(&mut octets)?;
    Ok(octets)
}

/// The servers of a text, without this gateway.
///
/// # Errors
///
/// As [`system_servers`].
fn servers_in(text: &[u8], path: &Path, listen: &Listen) -> Result<Vec<Server>, UpstreamError> {
    let (own, servers): (Vec<_>, Vec<_>) =
        parse(text).into_iter().partition(|server| own_listener(server, listen).is_some());
    let Some(first) = own.first().filter(|_| servers.is_empty()) else {
        for server in own {
            warn!("{}: `{}` is this gateway itself: left out", path.display(), server.label);
        }
        if servers.is_empty() {
            let none = format!("{}: no name server", path.display());
            return Err(UpstreamError::NoServer(none));
        }
        return Ok(servers);
    };
    refuse_own(std::slice::from_ref(first), listen)?;
    Ok(servers)
}

/// The servers of `nameserver` lines, in order, each once.
fn parse(text: &[u8]) -> Vec<Server> {
    let mut servers: Vec<Server> = Vec::new();
    let text = String::from_utf8_lossy(text);
    for line in text.trim_start_matches('\u{feff}').lines() {
        let mut words = line.split(|c: char| c.is_whitespace() || matches!(c, '#' | ';'));
        if words.next() != Some("nameserver") {
            continue;
        }
        let Some(word) = words.find(|word| !word.is_empty()) else { continue };
        match server(word) {
            Ok(server) if servers.iter().any(|other| other.label == server.label) => {}
            Ok(server) => servers.push(server),
            Err(error) => warn!("`nameserver {word}` is left out: {error}"),
        }
    }
    servers.truncate(MAX_SERVERS);
    servers
}

/// One server: an address, with its interface where it is link-local, and by exception a port.
fn server(word: &str) -> Result<Server, String> {
    if word.contains("://") {
        return Err("it is no address".into());
    }
    let server: Server = word.parse().map_err(|error| format!("{error}"))?;
    debug_assert_eq!(server.transport, ServerTransport::Udp, "there is no scheme");
    Ok(Server { label: server.to_string(), ..server })
}

/// Refuses a server that is a listener of the config, at any address of this machine.
///
/// # Errors
///
/// [`UpstreamError::OwnServer`].
pub(super) fn refuse_own(servers: &[Server], listen: &Listen) -> Result<(), UpstreamError> {
    let own_server = servers
        .iter()
        .find_map(|server| own_listener(server, listen).map(|own| (server.label.clone(), own)));
    own_server.map_or(Ok(()), |(server, own)| Err(UpstreamError::OwnServer { server, own }))
}

/// The listener that questions to this server would come back to.
fn own_listener(server: &Server, listen: &Listen) -> Option<SocketAddr> {
    // A server on an interface that is not there is no listener now.
    let here = Server { address: Place::of(server).now()?, ..server.clone() };
    listen.all().find(|&own| here.is_at(own, is_own_address))
}

/// Refuses a config with this gateway among its own servers, those of forward zones included: a
/// query to it would loop. At a start the system's are judged too, where the config names none;
/// later they are judged when they change, and no list has to wait for that.
///
/// # Errors
///
/// [`UpstreamError::OwnServer`].
pub fn refuse_own_servers(config: &Config, is_start: bool) -> Result<(), UpstreamError> {
    config.forwards.iter().try_for_each(|zone| refuse_own(&zone.servers, &config.listen))?;
    match config.upstream.servers.as_slice() {
        [] if is_start => match system_servers(config) {
            Err(UpstreamError::NoServer(_)) => Ok(()),
            servers => servers.map(|_| ()),
        },
        servers => refuse_own(servers, &config.listen),
    }
}

/// True for an address of this machine: a packet to it would leave from it.
fn is_own_address(address: &SocketAddr) -> bool {
    let source = || {
        let any: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any)?;
        // Nothing is sent: connecting a UDP socket only chooses a route.
        socket.connect(address)?;
        socket.local_addr()
    };
    address.ip().is_loopback() || source().is_ok_and(|source| source.ip() == address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<String> {
        parse(text.as_bytes()).into_iter().map(|server| server.label).collect()
    }

    #[test]
    fn only_lines_with_a_name_server_matter() {
        let text = "\u{feff}nameserver 192.0.2.1\r\n\
                    # nameserver 192.0.2.99\n\
                    ;nameserver 192.0.2.98\n\
                    domain truong..local\n\
                    search thpt\\032nguyen.local -x.local .\n\
                    options rotate ndots:99999999999 trust-ad edns0 whatever:\n\
                    sortlist 1.2.3\n\
                    nameserver\t2001:db8::1   # the second\n\
                    nameserver 192.0.2.1\n\
                    nameserver fe80::1%lan0;\n\
                    nameserver fe80::1%2\n\
                    nameserver [2001:db8::2]:5353\n\
                    nameservers 192.0.2.97\n\
                    name server\n";
        assert_eq!(
            labels(text),
            [
                "udp://192.0.2.1",
                "udp://[2001:db8::1]",
                "udp://[fe80::1%lan0]",
                "udp://[fe80::1%2]",
                "udp://[2001:db8::2]:5353",
            ]
        );
    }

    #[test]
    fn what_is_no_server_is_left_out_alone() {
        for odd in [
            "",
            "nameserver",
            "nameserver 0.0.0.0",
            "nameserver 192.0.2.300",
            "nameserver dns.example",
            "nameserver fe80::1",
            "nameserver tls://192.0.2.1",
            "nameserver 192.0.2.1%lan0",
            "nameserver \u{0}",
        ] {
            assert_eq!(labels(odd), [""; 0], "{odd:?}");
            assert_eq!(labels(&format!("{odd}\nnameserver 192.0.2.7")), ["udp://192.0.2.7"]);
        }
        assert_eq!(parse(&[0xff, b'\n', 0xc3, 0x28]), []);
        let many: Vec<_> = (1..200).map(|last| format!("nameserver 192.0.2.{last}")).collect();
        assert_eq!(labels(&many.join("\n")).len(), MAX_SERVERS);
    }

    proptest::proptest! {
        #[test]
        fn no_octets_panic_or_name_more_than_is_asked(
            octets in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
            words in "(nameserver|search|[;# \\t\\[\\]%:.0-9a-f]){0,30}",
        ) {
            let text = [octets.as_slice(), b"\nnameserver ", words.as_bytes()].concat();
            let servers = parse(&text);
            proptest::prop_assert!(servers.len() <= MAX_SERVERS);
            for server in servers {
                proptest::prop_assert_eq!(server.label.parse::<Server>().map(|s| s.address), Ok(server.address));
            }
        }
    }

    #[test]
    fn this_gateway_is_left_out_and_refused_alone() {
        let listen = Listen { dns: vec!["127.0.0.1:53".parse().unwrap()], ..Listen::default() };
        let path = Path::new("resolv.conf");
        let servers = |text: &str| servers_in(text.as_bytes(), path, &listen);
        let both = servers("nameserver 127.0.0.1\nnameserver 192.0.2.1\n").unwrap();
        assert_eq!(both.len(), 1);
        assert!(matches!(servers("nameserver 127.0.0.1"), Err(UpstreamError::OwnServer { .. })));
        assert!(matches!(servers("search example"), Err(UpstreamError::NoServer(_))));
        assert!(servers("nameserver 127.0.0.53").is_ok());
    }
}
