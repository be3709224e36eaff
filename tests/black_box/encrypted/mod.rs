//! DNS over TLS and over HTTPS: devices that ask encrypted, and strangers that try.

mod attacks;
mod certificates;
mod doh;
mod dot;
mod edges;
mod selftest;

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use crate::kit::server::{Authority, Certificate};
use crate::support::ask::try_connect;
use crate::support::gateway::Plan;
use crate::support::ports::free_port;
use crate::support::{Gateway, TWO_GROUPS, TWO_PROFILES, Upstream};

/// The name of the gateway in its certificate.
const NAME: &str = "dns.school.example";

/// A gateway with encrypted listeners, and what its clients trust.
struct School {
    gateway: Gateway,
    authority: Authority,
    dot: SocketAddr,
    doh: SocketAddr,
    upstream: Upstream,
}

/// Writes a certificate and its key into a directory, as `NAME.crt` and `NAME.key`.
fn keep(plan: Plan, name: &str, certificate: &Certificate) -> Plan {
    let (chain, key) = certificate.pem();
    plan.file(&format!("{name}.crt"), &chain).file(&format!("{name}.key"), &key)
}

impl School {
    /// A school; `keys` are more keys of `[listen]`, `more` more tables.
    fn plan(keys: &str, more: &str) -> (Plan, Authority, Upstream, [SocketAddr; 2]) {
        let upstream = Upstream::start();
        let authority = Authority::new();
        let ports = [free_port(), free_port()].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let [dot, doh] = ports;
        let listen = format!("[listen]\ndot = [\"{dot}\"]\ndoh = [\"{doh}\"]\n{keys}\n");
        let config = TWO_GROUPS.replace("[listen]\n", &listen);
        let config = format!(
            "{config}{TWO_PROFILES}\n[[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\n\
             format = \"domains\"\n\n[[listen.tls]]\ncertificate = \"own.crt\"\nkey = \"own.key\"\n{more}"
        );
        let plan = Gateway::plan(&config).upstream(&upstream).file("adult.txt", "bad.example\n");
        (plan, authority, upstream, ports)
    }

    /// A school that has a certificate.
    fn start(keys: &str) -> Self {
        let (plan, authority, upstream, [dot, doh]) = Self::plan(keys, "");
        let gateway = keep(plan, "own", &authority.signs(NAME, [1975, 4096])).start();
        Self { gateway, authority, dot, doh, upstream }
    }

    /// A connection of a client to DNS over TLS.
    fn dot(&self, from: &str) -> Tls {
        connect(self.dot, from, &self.trusting(&[b"dot"], rustls::ALL_VERSIONS), NAME).unwrap()
    }

    /// Settings of a client that trusts the school's authority.
    fn trusting(
        &self,
        protocols: &[&[u8]],
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ClientConfig> {
        trusting(&self.authority, protocols, versions)
    }
}

/// A connection through TLS.
type Tls = StreamOwned<ClientConnection, TcpStream>;

fn trusting(
    authority: &Authority,
    protocols: &[&[u8]],
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|one| one.to_vec()).collect();
    Arc::new(config)
}

/// Connects from an address of loopback and makes the handshake.
fn connect(
    to: SocketAddr,
    from: &str,
    config: &Arc<ClientConfig>,
    name: &str,
) -> std::io::Result<Tls> {
    let from: IpAddr = from.parse().unwrap();
    let mut socket = try_connect(from, to)?;
    let name = name.to_owned().try_into().unwrap();
    let mut session = ClientConnection::new(Arc::clone(config), name).unwrap();
    while session.is_handshaking() {
        session.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(session, socket))
}

/// Sends a message of DNS over TLS.
fn send(stream: &mut Tls, message: &[u8]) {
    stream.write_all(&crate::support::ask::framed(message)).unwrap();
    stream.flush().unwrap();
}

/// The next message of DNS over TLS; none at its end, or when nothing comes.
fn receive(stream: &mut Tls) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}
