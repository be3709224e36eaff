//! A web server that does as it is told, right or wrong; every request is kept.
//!
//! Told nothing of a path, it serves the directory that is mounted, as static servers do: entity tags,
//! 304, and the rest of a file by `Range` with `If-Range`.

use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

use super::ports::free_port;

/// What a path answers with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// 200 unless told otherwise.
    pub(crate) status: Option<u16>,
    /// Lines of the head, without Content-Length.
    pub(crate) head: Vec<String>,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// Sends an octet of the body each so often.
    pub(crate) drip: Option<Duration>,
    /// Promises this many octets more than there are, and ends.
    pub(crate) missing: usize,
    /// Takes the request and says nothing until the client goes away.
    pub(crate) is_silent: bool,
    /// Answers 304 to a request with this `ETag`, or with this date.
    pub(crate) unchanged_for: Option<String>,
    /// Answers 304 to every conditional request, with this `ETag`.
    pub(crate) says_unchanged: Option<String>,
    /// Says neither how long the body is nor that it is in chunks.
    pub(crate) until_close: bool,
}

impl Page {
    /// A page of text.
    pub(crate) fn text(body: &str) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// A redirect.
    pub(crate) fn to(location: &str) -> Self {
        let head = vec![format!("Location: {location}")];
        Self { status: Some(302), head, ..Self::default() }
    }

    /// A failure.
    pub(crate) fn status(status: u16) -> Self {
        Self { status: Some(status), body: b"no\n".to_vec(), ..Self::default() }
    }
}

/// A running web server.
#[derive(Debug)]
pub(crate) struct Web {
    shared: Arc<Mutex<Shared>>,
    address: SocketAddr,
    scheme: &'static str,
}

#[derive(Debug, Default)]
struct Shared {
    pages: HashMap<String, Page>,
    requests: Vec<String>,
    /// What is served of paths without a page.
    root: Option<PathBuf>,
    /// Octets of a path's body that are sent before the connection is cut.
    cuts: HashMap<String, usize>,
    octets: Arc<AtomicUsize>,
    /// TLS connections that went on with an earlier session.
    resumed: usize,
}

/// A connection whose octets are counted, both ways.
struct Counted(TcpStream, Arc<AtomicUsize>);

impl Read for Counted {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let octets = self.0.read(to)?;
        self.1.fetch_add(octets, Ordering::Relaxed);
        Ok(octets)
    }
}

impl Write for Counted {
    fn write(&mut self, from: &[u8]) -> std::io::Result<usize> {
        let octets = self.0.write(from)?;
        self.1.fetch_add(octets, Ordering::Relaxed);
        Ok(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Web {
    /// A server on a free port of 127.0.0.1.
    pub(crate) fn start() -> Self {
        Self::serve(None)
    }

    /// A server with TLS, for `name`; the certificate of its authority is written to `root`.
    pub(crate) fn start_tls(name: &str, root: &Path) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new([]).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(root, ca.self_signed(&ca_key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new([name.to_owned()]).unwrap();
        let leaf: CertificateDer<'static> = leaf.signed_by(&key, &issuer).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf], key)
            .unwrap();
        Self::serve(Some(Arc::new(config)))
    }

    /// A server, with TLS or without.
    pub(crate) fn serve(tls: Option<Arc<ServerConfig>>) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let listener = TcpListener::bind(address).unwrap();
        let shared = Arc::<Mutex<Shared>>::default();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let known = Arc::clone(&shared);
        // It lives as long as the test process: threads of tests are few.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (known, tls) = (Arc::clone(&known), tls.clone());
                thread::spawn(move || {
                    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                    let octets = Arc::clone(&known.lock().unwrap().octets);
                    let stream = Counted(stream, octets);
                    let Some(config) = tls else { return answer(stream, &known) };
                    let Ok(connection) = ServerConnection::new(config) else { return };
                    let mut stream = StreamOwned::new(connection, stream);
                    answer(&mut stream, &known);
                    if stream.conn.handshake_kind() == Some(HandshakeKind::Resumed) {
                        known.lock().unwrap().resumed += 1;
                    }
                });
            }
        });
        Self { shared, address, scheme }
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The URL of a path, with its address for a host.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// Sets what a path answers with.
    pub(crate) fn put(&self, path: &str, page: Page) {
        self.shared.lock().unwrap().pages.insert(path.to_owned(), page);
    }

    /// Serves a directory.
    pub(crate) fn mount(&self, root: &Path) {
        self.shared.lock().unwrap().root = Some(root.to_owned());
    }

    /// Cuts the connection after so many octets of a path's body, each time.
    pub(crate) fn cut(&self, path: &str, after: usize) {
        self.shared.lock().unwrap().cuts.insert(path.to_owned(), after);
    }

    /// The octets of all connections so far, both ways, as the kernel has them.
    pub(crate) fn octets(&self) -> usize {
        self.shared.lock().unwrap().octets.load(Ordering::Relaxed)
    }

    /// TLS connections so far that went on with an earlier session.
    pub(crate) fn resumed(&self) -> usize {
        self.shared.lock().unwrap().resumed
    }

    /// The paths of all requests so far.
    pub(crate) fn paths(&self) -> Vec<String> {
        let path = |head: &String| head.split(' ').nth(1).unwrap_or_default().to_owned();
        self.requests().iter().map(path).collect()
    }

    /// The heads of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.lock().unwrap().requests.clone()
    }
}

/// One request, one answer, and the end.
fn answer(stream: impl Read + Write, shared: &Mutex<Shared>) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if !matches!(stream.read_line(&mut head), Ok(1..)) {
            return;
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let page = {
        let mut shared = shared.lock().unwrap();
        shared.requests.push(head.clone());
        let root = shared.root.as_deref();
        let told = shared.pages.get(&path).cloned();
        let mut page = told.or_else(|| mounted(root?, &path, &head));
        if let (Some(page), Some(&after)) = (&mut page, shared.cuts.get(&path)) {
            page.missing = page.body.len().saturating_sub(after);
            page.body.truncate(after);
        }
        page.unwrap_or_else(|| Page::status(404))
    };
    // Clients may go away at any moment.
    let _ = send(&page, &head, &mut stream);
}

/// A file of a directory.
fn mounted(root: &Path, path: &str, head: &str) -> Option<Page> {
    let body = fs::read(root.join(path.trim_start_matches('/'))).ok()?;
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let mut page = Page { head: vec![format!("ETag: {tag}")], ..Page::default() };
    let range = field("range").filter(|_| field("if-range").as_ref() == Some(&tag));
    let from = range
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    if field("if-none-match").as_ref() == Some(&tag) {
        page.status = Some(304);
    } else if let Some(from) = from.filter(|from| *from < body.len()) {
        let last = body.len() - 1;
        page.status = Some(206);
        page.head.push(format!("Content-Range: bytes {from}-{last}/{}", body.len()));
        page.body = body.get(from..)?.to_vec();
    } else {
        page.body = body;
    }
    Some(page)
}

fn send(page: &Page, head: &str, stream: &mut BufReader<impl Read + Write>) -> std::io::Result<()> {
    if page.is_silent {
        return stream.read_to_end(&mut Vec::new()).map(|_| ());
    }
    let is_unchanged = page.unchanged_for.as_ref().is_some_and(|what| {
        let lower = head.to_lowercase();
        ["if-none-match", "if-modified-since"]
            .iter()
            .any(|field| lower.contains(&format!("{field}: {}\r\n", what.to_lowercase())))
    });
    let to = stream.get_mut();
    if is_unchanged {
        return to.write_all(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n");
    }
    let is_conditional = head.to_lowercase().contains("\r\nif-");
    if let Some(tag) = page.says_unchanged.as_ref().filter(|_| is_conditional) {
        return write!(to, "HTTP/1.1 304 X\r\nETag: {tag}\r\nConnection: close\r\n\r\n");
    }
    let length = page.body.len() + page.missing;
    let length =
        if page.until_close { String::new() } else { format!("Content-Length: {length}\r\n") };
    let lines = page.head.iter().flat_map(|line| [line, "\r\n"]).collect::<String>();
    let status = page.status.unwrap_or(200);
    write!(to, "HTTP/1.1 {status} X\r\nConnection: close\r\n{length}{lines}\r\n")?;
    match page.drip {
        None => to.write_all(&page.body)?,
        Some(pause) => {
            for octet in &page.body {
                to.write_all(&[*octet])?;
                to.flush()?;
                thread::sleep(pause);
            }
        }
    }
    to.flush()
}

impl Drop for Web {
    fn drop(&mut self) {
        // Its thread goes on; what it would serve is gone.
        let mut shared = self.shared.lock().unwrap();
        shared.pages.clear();
        shared.root = None;
        drop(shared);
        let _ = TcpStream::connect(self.address);
    }
}
