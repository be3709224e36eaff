//! An upstream server's address: `udp://192.0.2.1`, `tls://192.0.2.1#dns.example`, `https://…`.

use std::net::SocketAddr;

/// How an upstream server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP, with TCP when the answer is truncated.
    Udp,
    /// TCP only.
    Tcp,
    /// DNS over TLS (RFC 7858).
    Tls,
    /// DNS over HTTPS (RFC 8484), HTTP/2.
    Https,
}

/// One upstream server. It is reached by address; a name is only for the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Server {
    /// As written in the config, and the `upstream` label of the metrics.
    pub label: String,
    /// How it is spoken to.
    pub transport: Transport,
    /// Where it is.
    pub address: SocketAddr,
    /// The name in its certificate (TLS and HTTPS); the address itself where absent.
    pub tls_name: Option<String>,
    /// The path of the DoH resource; `/dns-query` by default.
    pub path: String,
}
