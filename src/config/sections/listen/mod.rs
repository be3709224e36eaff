//! `[listen]`: listeners for clients, and the networks that are answered.

mod encrypted;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use toml::Spanned;

use crate::config::file::report::Report;
use crate::config::file::shape::ListenFile;
use crate::dns::name::Name;
use crate::lang::messages;

/// Listeners for clients, and the networks that are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Addresses for UDP and TCP; never empty, no two alike.
    pub dns: Vec<SocketAddr>,
    /// Addresses for DNS over TLS (RFC 7858).
    pub dot: Vec<SocketAddr>,
    /// Addresses for DNS over HTTPS (RFC 8484).
    pub doh: Vec<SocketAddr>,
    /// The gateway's own names, to which clients of both are led.
    pub names: Vec<Name>,
    /// The certificates of both; never empty where one of them has an address.
    pub tls: Vec<CertificateFiles>,
    /// Networks whose clients are answered; all others get REFUSED.
    pub allow: Vec<IpNet>,
    /// UDP workers; 0 is one for each core.
    pub workers: usize,
    /// Most TCP connections at one time.
    pub tcp_connections: usize,
    /// Most TCP connections at one time of one client (an IPv4 address or an IPv6 /64).
    pub tcp_per_client: usize,
    /// Idle timeout of a TCP connection.
    pub tcp_idle: Duration,
    /// Most queries of one TCP connection in flight (pipelining, RFC 7766).
    pub tcp_in_flight: usize,
    /// Most octets that wait on stream connections, in all.
    pub stream_memory: u64,
    /// Most octets that wait on the stream connections of one client.
    pub stream_memory_client: u64,
    /// Most octets that wait on one stream connection.
    pub stream_memory_connection: u64,
}

/// The files of a certificate, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and those between it and its authority, in that order.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            dns: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 5300))],
            dot: Vec::new(),
            doh: Vec::new(),
            names: Vec::new(),
            tls: Vec::new(),
            allow: local_networks(),
            workers: 0,
            tcp_connections: 1024,
            tcp_per_client: 64,
            tcp_idle: Duration::from_secs(10),
            tcp_in_flight: 64,
            stream_memory: 32 << 20,
            stream_memory_client: 8 << 20,
            stream_memory_connection: 4 << 20,
        }
    }
}

impl Listen {
    /// Every address for queries: `dns`, `dot` and `doh`.
    pub fn all(&self) -> impl Iterator<Item = SocketAddr> {
        self.dns.iter().chain(&self.dot).chain(&self.doh).copied()
    }

    /// The key of the listener that has an address already; none if it is free.
    pub(in crate::config) fn taken(&self, address: SocketAddr) -> Option<&'static str> {
        let keys = ["[listen] dns", "[listen] dot", "[listen] doh"];
        let listeners = [&self.dns, &self.dot, &self.doh];
        let is_there = |own: &&Vec<SocketAddr>| own.iter().any(|own| collide(*own, address));
        let taken = listeners.iter().position(is_there).filter(|_| address.port() != 0);
        taken.and_then(|place| keys.get(place).copied())
    }
}

/// The networks that can only be local: private (RFC 1918), loopback, link-local,
/// shared address space of carriers (RFC 6598), unique local (RFC 4193).
fn local_networks() -> Vec<IpNet> {
    let v4 = |a, b, length| IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), length));
    let v6 = |first, last, length| {
        IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, last), length))
    };
    vec![
        v4(127, 0, 8),
        v4(10, 0, 8),
        v4(172, 16, 12),
        v4(192, 168, 16),
        v4(169, 254, 16),
        v4(100, 64, 10),
        v6(0, 1, 128),
        v6(0xfe80, 0, 10),
        v6(0xfc00, 0, 7),
    ]
}

impl Report<'_> {
    /// Checks `[listen]`.
    pub(in crate::config) fn listen(&mut self, file: &ListenFile) -> Listen {
        let mut listen = Listen::default();
        if let Some(dns) = &file.dns {
            listen.dns = self.addresses("dns", 53, dns);
        }
        self.encrypted(file, &mut listen);
        if let Some(allow) = &file.allow {
            if allow.get_ref().is_empty() {
                self.mistake(allow.span(), messages::nobody_answered("allow")).hint =
                    Some(messages::name_the_networks());
            }
            listen.allow = self.networks("allow", allow);
        }
        self.number("workers", &file.workers, 0..=256, &mut listen.workers);
        self.number(
            "tcp_connections",
            &file.tcp_connections,
            1..=65_535,
            &mut listen.tcp_connections,
        );
        self.number("tcp_per_client", &file.tcp_per_client, 1..=65_535, &mut listen.tcp_per_client);
        self.duration(
            "tcp_idle",
            file.tcp_idle.as_ref(),
            Duration::from_secs(1)..=Duration::from_secs(600),
            &mut listen.tcp_idle,
        );
        self.number("tcp_in_flight", &file.tcp_in_flight, 1..=1024, &mut listen.tcp_in_flight);
        self.stream_memory(file, &mut listen);
        listen
    }

    /// The octets that may wait on streams: of one connection, of one client, in all. Each has
    /// room for one message of any length at least.
    fn stream_memory(&mut self, file: &ListenFile, listen: &mut Listen) {
        let most = 2 << 30;
        let given = file.stream_memory.as_ref();
        // A client may have a quarter, and a message 64 KiB.
        self.size("stream_memory", given, 1 << 20..=most, &mut listen.stream_memory);
        for (key, given, to) in [
            ("stream_memory_client", &file.stream_memory_client, &mut listen.stream_memory_client),
            (
                "stream_memory_connection",
                &file.stream_memory_connection,
                &mut listen.stream_memory_connection,
            ),
        ] {
            self.size(key, given.as_ref(), 128 << 10..=most, to);
        }
        // A smaller bound of all bounds each client too, and that of a client each connection.
        listen.stream_memory_client = listen.stream_memory_client.min(listen.stream_memory);
        listen.stream_memory_connection =
            listen.stream_memory_connection.min(listen.stream_memory_client);
    }

    /// Listeners of a key, with its usual port in examples; no two alike.
    fn addresses(
        &mut self,
        key: &'static str,
        port: u16,
        given: &Spanned<Vec<Spanned<String>>>,
    ) -> Vec<SocketAddr> {
        if given.get_ref().is_empty() {
            self.mistake(given.span(), messages::no_listener(key)).hint =
                Some(messages::write_or_leave_out(format!("{key} = [\"127.0.0.1:{port}\"]")));
        }
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for text in given.get_ref() {
            let Some(address) = self.listen_address(text, port) else { continue };
            // Port 0 asks the system for a free port, another one each time.
            let other = addresses.iter().find(|other| collide(**other, address));
            if let Some(other) = other.filter(|_| address.port() != 0) {
                let (message, hint) = if *other == address {
                    (messages::stands_twice(address, key), messages::remove_one())
                } else {
                    (messages::cannot_both_listen(address, other), messages::one_is_all(key))
                };
                self.mistake(text.span(), message).hint = Some(hint);
            }
            addresses.push(address);
        }
        addresses
    }

    /// An address that a socket can be opened at.
    pub(in crate::config) fn listen_address(
        &mut self,
        text: &Spanned<String>,
        port: u16,
    ) -> Option<SocketAddr> {
        let address = self.address(text, port)?;
        let ip = address.ip();
        let mapped = match ip {
            IpAddr::V6(v6) => v6.to_ipv4_mapped(),
            IpAddr::V4(_) => None,
        };
        if ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) {
            self.mistake(text.span(), messages::many_machines(address)).hint =
                Some(messages::write_one_of(
                    format!("127.0.0.1:{port}"),
                    format!("0.0.0.0:{port}"),
                    format!("[::]:{port}"),
                ));
            return None;
        }
        if let Some(v4) = mapped {
            self.mistake(text.span(), messages::mapped_address(address)).hint =
                Some(messages::write(SocketAddr::new(v4.into(), address.port())));
            return None;
        }
        if let SocketAddr::V6(v6) = address
            && v6.ip().is_unicast_link_local()
            && v6.scope_id() == 0
        {
            self.mistake(text.span(), messages::link_local_without_zone(address)).hint =
                Some(messages::name_the_interface(format!("[{}%2]:{}", v6.ip(), v6.port())));
            return None;
        }
        Some(address)
    }
}

/// Whether two sockets cannot be bound at one time.
pub(in crate::config) fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port()
        && one.is_ipv4() == other.is_ipv4()
        && (one.ip() == other.ip() && scope(one) == scope(other)
            || one.ip().is_unspecified()
            || other.ip().is_unspecified())
}

/// The interface of a link-local address, by number; 0 for all others.
fn scope(address: SocketAddr) -> u32 {
    match address {
        SocketAddr::V6(v6) => v6.scope_id(),
        SocketAddr::V4(_) => 0,
    }
}
