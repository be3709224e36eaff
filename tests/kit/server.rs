//! Small servers on loopback that answer with exactly the octets they are told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

/// What a query is answered with: any number of messages, in this order.
pub(crate) type Script = Arc<dyn Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync>;

/// A server that runs until its runtime ends.
#[derive(Clone)]
pub(crate) struct Mock {
    pub(crate) address: SocketAddr,
    queries: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

impl Mock {
    fn new(address: SocketAddr) -> Self {
        Self { address, queries: Arc::default(), connections: Arc::default() }
    }

    /// Queries seen so far.
    pub(crate) fn queries(&self) -> usize {
        self.queries.load(Ordering::SeqCst)
    }

    /// Connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Wraps a closure as a [`Script`].
pub(crate) fn script(answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Script {
    Arc::new(answer)
}

/// A script that answers with one message.
pub(crate) fn says(answer: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Script {
    script(move |query| vec![answer(query)])
}

/// A script that never answers.
pub(crate) fn silent() -> Script {
    script(|_| vec![])
}

/// A UDP server.
pub(crate) async fn udp(script: Script) -> Mock {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    udp_on(socket, script)
}

/// A UDP server and a TCP server on one port.
pub(crate) async fn udp_and_tcp(over_udp: Script, over_tcp: Script) -> (Mock, Mock) {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // The same number may be taken for UDP: then another one is drawn.
        if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()).await {
            return (udp_on(socket, over_udp), tcp_on(listener, over_tcp, None));
        }
    }
}

/// A TCP server.
pub(crate) async fn tcp(script: Script) -> Mock {
    tcp_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), script, None)
}

/// A server of DNS over TLS; closes each connection after `per_connection` queries.
pub(crate) async fn tls(script: Script, certificate: &Certificate, per_connection: usize) -> Mock {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    tcp_on(listener, script, Some((certificate.acceptor(&[]), per_connection)))
}

/// A server of DNS over HTTPS (HTTP/2).
pub(crate) async fn https(script: Script, certificate: &Certificate) -> Mock {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mock = Mock::new(listener.local_addr().unwrap());
    let (acceptor, seen) = (certificate.acceptor(&[b"h2"]), mock.clone());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            seen.connections.fetch_add(1, Ordering::SeqCst);
            let (acceptor, script, seen) = (acceptor.clone(), script.clone(), seen.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, respond))) = connection.accept().await {
                    seen.queries.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(serve_request(request, respond, script.clone()));
                }
            });
        }
    });
    mock
}

async fn serve_request(
    request: http::Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<bytes::Bytes>,
    script: Script,
) {
    assert_eq!(request.uri().path(), "/dns-query");
    let mut body = request.into_body();
    let mut query = Vec::new();
    while let Some(Ok(part)) = body.data().await {
        query.extend_from_slice(&part);
    }
    let answers = script(&query);
    if answers.is_empty() {
        // A stream that is dropped would be reset, which is not silence.
        std::future::pending::<()>().await;
    }
    for answer in answers {
        let head = http::Response::builder().header("content-type", "application/dns-message");
        let mut stream = respond.send_response(head.body(()).unwrap(), false).unwrap();
        stream.send_data(answer.into(), true).unwrap();
    }
}

/// A UDP server on a socket that is bound already.
pub(crate) fn udp_on(socket: UdpSocket, script: Script) -> Mock {
    let mock = Mock::new(socket.local_addr().unwrap());
    let seen = mock.clone();
    tokio::spawn(async move {
        let mut query = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut query).await {
            seen.queries.fetch_add(1, Ordering::SeqCst);
            for answer in script(&query[..length]) {
                socket.send_to(&answer, from).await.unwrap();
            }
        }
    });
    mock
}

fn tcp_on(listener: TcpListener, script: Script, tls: Option<(TlsAcceptor, usize)>) -> Mock {
    let mock = Mock::new(listener.local_addr().unwrap());
    let seen = mock.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            seen.connections.fetch_add(1, Ordering::SeqCst);
            let (script, seen, tls) = (script.clone(), seen.clone(), tls.clone());
            tokio::spawn(async move {
                match tls {
                    None => serve_stream(stream, script, seen, usize::MAX).await,
                    Some((acceptor, most)) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            serve_stream(stream, script, seen, most).await;
                        }
                    }
                }
            });
        }
    });
    mock
}

async fn serve_stream(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    script: Script,
    seen: Mock,
    most: usize,
) {
    for _ in 0..most {
        let Ok(length) = stream.read_u16().await else { return };
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await.unwrap();
        seen.queries.fetch_add(1, Ordering::SeqCst);
        for answer in script(&query) {
            let framed = [&(answer.len() as u16).to_be_bytes(), answer.as_slice()].concat();
            stream.write_all(&framed).await.unwrap();
            stream.flush().await.unwrap();
        }
    }
    let _ = stream.shutdown().await;
}

/// Who signs certificates.
pub(crate) struct Authority {
    /// Its own certificate, in PEM.
    pub(crate) pem: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    /// A fresh one; all have the same name and each another key.
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut own = rcgen::CertificateParams::new([]).unwrap();
        own.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = own.self_signed(&key).unwrap().pem();
        Self { pem, issuer: rcgen::Issuer::new(own, key) }
    }

    /// A certificate for `name`, from one year until another.
    pub(crate) fn signs(&self, name: &str, years: [i32; 2]) -> Certificate {
        self.signs_all(&[name], years)
    }

    /// The same for several names.
    pub(crate) fn signs_all(&self, names: &[&str], years: [i32; 2]) -> Certificate {
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut leaf = rcgen::CertificateParams::new(names).unwrap();
        [leaf.not_before, leaf.not_after] = years.map(|year| rcgen::date_time_ymd(year, 1, 1));
        let chain = leaf.signed_by(&key, &self.issuer).unwrap();
        Certificate { authority: self.pem.clone(), chain, key: key.serialize_der() }
    }
}

/// A certificate for one name, and the authority that signed it.
pub(crate) struct Certificate {
    /// The authority, in PEM.
    pub(crate) authority: String,
    chain: rcgen::Certificate,
    key: Vec<u8>,
}

impl Certificate {
    /// A certificate for `name` by a fresh authority.
    pub(crate) fn for_name(name: &str) -> Self {
        Authority::new().signs(name, [1975, 4096])
    }

    /// Certificate and key in PEM.
    pub(crate) fn pem(&self) -> (String, String) {
        let key = rcgen::KeyPair::try_from(self.key.as_slice()).unwrap();
        (self.chain.pem(), key.serialize_pem())
    }

    /// What a server needs to show it.
    pub(crate) fn config(&self, alpn: &[&[u8]]) -> Arc<rustls::ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.chain.der().clone()], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Arc::new(config)
    }

    fn acceptor(&self, alpn: &[&[u8]]) -> TlsAcceptor {
        TlsAcceptor::from(self.config(alpn))
    }
}
