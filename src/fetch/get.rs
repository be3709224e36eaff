//! One GET: connect, TLS, request, redirects, and a bounded body.
//!
//! hyper's HTTP/1.1 below its pools and connectors: a download is one request a day, and names,
//! addresses, redirects and bounds are decided here.
//!
//! - A redirect must never lead from https to http.
//! - A redirect of a server outside must never lead to an address inside. The operator's own URL
//!   may be anywhere.
//! - Every wait and every size has a bound: for a connection, for silence, for all; for the body.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderName};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::error::FetchError;
use super::names::Names;
use crate::dns::address::is_internal;
use crate::sys::clock::Dates;
use crate::sys::read;
use crate::sys::tls::Tls;

/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// The longest time limit of connecting to one address, and of its TLS handshake.
const CONNECT: Duration = Duration::from_secs(10);
/// Time limit of a server's silence, where none is configured.
pub const SILENCE: Duration = Duration::from_secs(30);
/// The least octets within [`DRIP`]: a server that drips is as good as silent.
const LEAST: usize = 8 << 10;
/// The time in which octets are counted against [`LEAST`].
const DRIP: Duration = Duration::from_secs(30);
/// The most octets allocated ahead for a body, whatever length the server announces.
const ROOM: u64 = 16 << 20;
/// The most addresses of one host that are tried.
const MAX_ADDRESSES: usize = 6;
/// The user agent; nothing of the school.
pub(super) const AGENT: &str = concat!("lachan/", env!("CARGO_PKG_VERSION"));

/// One conditional request.
pub(super) struct Ask<'a> {
    pub(super) url: &'a str,
    /// The user agent; [`AGENT`] for lists.
    pub(super) agent: &'a str,
    /// The entity tag of the copy.
    pub(super) etag: Option<&'a str>,
    /// The `Last-Modified` field of the copy, verbatim.
    pub(super) modified: Option<&'a str>,
    /// Whether the body may come compressed.
    pub(super) takes_gzip: bool,
    /// The part of the body that is at hand.
    pub(super) part: Option<BodyPart<'a>>,
    pub(super) max_octets: u64,
    pub(super) limit: Duration,
    pub(super) silence: Duration,
}

/// The beginning of a body, whose rest is asked for.
#[derive(Clone, Copy)]
pub(super) struct BodyPart<'a> {
    pub(super) octets: usize,
    /// The strong entity tag or the date of the file that it is a part of.
    pub(super) of: &'a str,
}

/// The reply to it.
pub(super) enum Got {
    /// The copy with this entity tag is up to date; not every server names it.
    Unchanged(Option<String>),
    /// The list.
    Page(Page),
}

/// A body, and the headers that matter.
#[derive(Default)]
pub(super) struct Page {
    pub(super) octets: Vec<u8>,
    pub(super) is_gzip: bool,
    pub(super) etag: Option<String>,
    pub(super) modified: Option<String>,
}

/// A web client for lists.
pub struct HttpClient {
    tls: Tls,
    names: Names,
    dial: Dial,
}

/// A connection: octets both ways.
pub trait ByteStream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> ByteStream for T {}

/// A connection in time.
pub type Dialling = Pin<Box<dyn Future<Output = io::Result<Box<dyn ByteStream>>> + Send>>;

/// Connects to an address: by TCP, but where a test has the network in memory.
pub type Dial = Arc<dyn Fn(SocketAddr) -> Dialling + Send + Sync>;

/// Connects by TCP.
fn by_tcp(address: SocketAddr) -> Dialling {
    Box::pin(async move {
        let stream = TcpStream::connect(address).await?;
        Ok(Box::new(stream) as Box<dyn ByteStream>)
    })
}

/// A response with the connection that it comes through.
struct Exchange {
    response: Response<Incoming>,
    peer: IpAddr,
    /// The connection's task; it is aborted with this value.
    _connection: JoinSet<()>,
}

impl HttpClient {
    /// A client that trusts the built-in authorities, and those in the file.
    ///
    /// # Errors
    ///
    /// [`FetchError::Roots`].
    pub fn new(tls_roots: Option<&Path>, names: Names, dates: Dates) -> Result<Self, FetchError> {
        Self::over(Arc::new(by_tcp), tls_roots, names, dates)
    }

    /// The same over a network.
    ///
    /// # Errors
    ///
    /// [`FetchError::Roots`].
    pub fn over(
        dial: Dial,
        tls_roots: Option<&Path>,
        names: Names,
        dates: Dates,
    ) -> Result<Self, FetchError> {
        let path = tls_roots.unwrap_or(Path::new("the built-in authorities"));
        let wrong = |why: String| FetchError::Roots { path: path.to_owned(), why };
        let pem = tls_roots
            .map(|path| read::octets(path, read::MAX_TEXT))
            .transpose()
            .map_err(|e| wrong(e.to_string()))?;
        let tls = Tls::new(pem.as_deref(), dates).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { tls: tls.for_protocol(b"http/1.1"), names, dial })
    }

    /// The resolver of host names.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Sends the request, and follows redirects.
    pub(super) async fn get(&self, ask: &Ask<'_>) -> Result<Got, FetchError> {
        let mut page = Page::default();
        let followed = timeout(ask.limit, self.follow(ask, &mut page)).await;
        match followed.map_err(|_| FetchError::TooSlow(ask.limit))?? {
            Some(unchanged) => Ok(unchanged),
            None => Ok(Got::Page(page)),
        }
    }

    /// The same without a time limit, into a page that keeps what came before a failure; `None` where
    /// the page is whole.
    pub(super) async fn follow(
        &self,
        ask: &Ask<'_>,
        page: &mut Page,
    ) -> Result<Option<Got>, FetchError> {
        let wrong = |to: &str, why| FetchError::Redirect { to: to.to_owned(), why };
        let mut url = Url::parse(ask.url).map_err(|_| wrong(ask.url, "that is no URL"))?;
        let mut was_outside = false;
        for _ in 0..=MAX_REDIRECTS {
            let mut exchange = self.exchange(&url, ask, was_outside).await?;
            was_outside |= !is_internal(exchange.peer);
            let response = &mut exchange.response;
            match response.status() {
                StatusCode::OK => {
                    *page = Page::default();
                    return fill(page, response, ask).await.map(|()| None);
                }
                StatusCode::PARTIAL_CONTENT if is_rest(response, ask) => {
                    return fill(page, response, ask).await.map(|()| None);
                }
                StatusCode::NOT_MODIFIED if ask.etag.or(ask.modified).is_some() => {
                    return Ok(Some(Got::Unchanged(text(response, &header::ETAG))));
                }
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    let location = text(response, &header::LOCATION).unwrap_or_default();
                    url = next(&url, &location).map_err(|why| wrong(&location, why))?;
                }
                other => return Err(FetchError::Status(other)),
            }
        }
        Err(wrong(url.as_str(), "that is one redirect too many"))
    }

    /// One request and its response's head.
    async fn exchange(
        &self,
        url: &Url,
        ask: &Ask<'_>,
        was_outside: bool,
    ) -> Result<Exchange, FetchError> {
        let connect = CONNECT.min(ask.silence);
        let (stream, peer) = self.connect(url, was_outside, connect).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // The waiter for the response gets the error.
            let _ = connection.await;
        });
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let host = match (url.host_str().unwrap_or_default(), url.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let encoding = if ask.takes_gzip { "gzip" } else { "identity" };
        let mut request = Request::get(target)
            .header(header::HOST, host)
            .header(header::USER_AGENT, ask.agent)
            .header(header::ACCEPT, "*/*")
            .header(header::ACCEPT_ENCODING, encoding);
        if let Some(etag) = ask.etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(modified) = ask.modified {
            request = request.header(header::IF_MODIFIED_SINCE, modified);
        }
        if let Some(part) = ask.part {
            let range = format!("bytes={}-", part.octets);
            request = request.header(header::RANGE, range).header(header::IF_RANGE, part.of);
        }
        let refused = |_| FetchError::Redirect { to: url.to_string(), why: "that cannot be asked" };
        let request = request.body(Empty::<Bytes>::new()).map_err(refused)?;
        let response = timeout(ask.silence, sender.send_request(request)).await;
        let response = response.map_err(|_| FetchError::Silent(ask.silence))??;
        Ok(Exchange { response, peer, _connection: tasks })
    }

    /// A connection to the host of `url`, with TLS for https.
    async fn connect(
        &self,
        url: &Url,
        was_outside: bool,
        limit: Duration,
    ) -> Result<(Box<dyn ByteStream>, IpAddr), FetchError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let addresses = match url.host() {
            Some(Host::Ipv4(address)) => vec![IpAddr::V4(address)],
            Some(Host::Ipv6(address)) => vec![IpAddr::V6(address)],
            Some(Host::Domain(name)) => self.names.addresses(name).await?,
            None => Vec::new(),
        };
        if was_outside && addresses.iter().any(|&address| is_internal(address)) {
            let why = "that is inside, and the server that says so is not";
            return Err(FetchError::Redirect { to: url.to_string(), why });
        }
        let port = url.port_or_known_default().unwrap_or(0);
        let mut failure = None;
        for &address in addresses.iter().take(MAX_ADDRESSES) {
            let address = SocketAddr::new(address, port);
            match timeout(limit, (self.dial)(address)).await {
                Ok(Ok(stream)) => {
                    let stream = self.secure(url, &host, stream, limit).await?;
                    return Ok((stream, address.ip()));
                }
                Ok(Err(error)) => failure = Some(FetchError::Connect { address, error }),
                Err(_) => {
                    let error = io::ErrorKind::TimedOut.into();
                    failure = Some(FetchError::Connect { address, error });
                }
            }
        }
        Err(failure.unwrap_or(FetchError::Name { host, why: "it has no address".into() }))
    }

    async fn secure(
        &self,
        url: &Url,
        host: &str,
        stream: Box<dyn ByteStream>,
        limit: Duration,
    ) -> Result<Box<dyn ByteStream>, FetchError> {
        if url.scheme() != "https" {
            return Ok(stream);
        }
        let failed = |error| FetchError::Tls { host: host.to_owned(), error };
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
        let name = name.map_err(|error| failed(io::Error::other(error)))?;
        let connector = TlsConnector::from(self.tls.config());
        match timeout(limit, connector.connect(name, stream)).await {
            Ok(secured) => Ok(Box::new(secured.map_err(failed)?)),
            Err(_) => Err(failed(io::ErrorKind::TimedOut.into())),
        }
    }
}

/// The target of a redirect from `url`, if it is followed.
fn next(url: &Url, location: &str) -> Result<Url, &'static str> {
    let next = url.join(location).map_err(|_| "that is no URL")?;
    match (url.scheme(), next.scheme()) {
        (_, "https") | ("http", "http") => Ok(next),
        (_, "http") => Err("https does not go on as http"),
        _ => Err("that is neither https nor http"),
    }
}

/// Whether a partial response goes on where the part at hand ends.
fn is_rest(response: &Response<Incoming>, ask: &Ask<'_>) -> bool {
    let range = text(response, &header::CONTENT_RANGE).unwrap_or_default();
    let from = range.strip_prefix("bytes ").and_then(|range| range.split_once('-'));
    let from = from.and_then(|(from, _)| from.parse::<usize>().ok());
    ask.part.is_some_and(|part| from == Some(part.octets))
}

/// Reads the body up to its bound, behind what the page has already.
async fn fill(
    page: &mut Page,
    response: &mut Response<Incoming>,
    ask: &Ask<'_>,
) -> Result<(), FetchError> {
    let too_large = FetchError::TooLarge(ask.max_octets);
    page.is_gzip = match text(response, &header::CONTENT_ENCODING).as_deref() {
        None | Some("" | "identity") => false,
        Some("gzip" | "x-gzip") => true,
        Some(other) => return Err(FetchError::Encoding(other.chars().take(40).collect())),
    };
    let octets = &mut page.octets;
    let told = text(response, &header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if told.is_some_and(|told| told.saturating_add(octets.len() as u64) > ask.max_octets) {
        return Err(too_large);
    }
    page.etag = text(response, &header::ETAG);
    page.modified = text(response, &header::LAST_MODIFIED);
    octets.reserve(told.unwrap_or(0).min(ROOM) as usize);
    let (mut since, mut had) = (Instant::now(), octets.len());
    loop {
        if since.elapsed() >= DRIP {
            if octets.len() - had < LEAST {
                return Err(FetchError::Dripping(octets.len() - had, DRIP));
            }
            (since, had) = (Instant::now(), octets.len());
        }
        let frame = timeout(ask.silence, response.body_mut().frame()).await;
        let Some(frame) = frame.map_err(|_| FetchError::Silent(ask.silence))? else {
            return Ok(());
        };
        let Ok(data) = frame?.into_data() else { continue };
        if octets.len() as u64 + data.len() as u64 > ask.max_octets {
            return Err(too_large);
        }
        octets.extend_from_slice(&data);
    }
}

/// A header's value as text, where it has at most 2,048 octets.
fn text(response: &Response<Incoming>, name: &HeaderName) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?.trim();
    (value.len() <= 2048).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;

    #[test]
    fn redirects_stay_on_the_web_and_never_lose_tls() {
        let https = Url::parse("https://a.example/x/list").unwrap();
        let http = Url::parse("http://a.example/x/list").unwrap();
        assert_eq!(next(&https, "../y").unwrap().as_str(), "https://a.example/y");
        assert_eq!(next(&https, "//b.example/").unwrap().as_str(), "https://b.example/");
        assert_eq!(next(&http, "https://b.example/").unwrap().scheme(), "https");
        assert!(next(&http, "http://b.example/").is_ok());
        assert!(next(&https, "http://a.example/x/list").is_err());
        for nowhere in ["file:///etc/passwd", "ftp://a.example/", "data:,x", "http://["] {
            assert!(next(&https, nowhere).is_err(), "{nowhere}");
        }
    }

    #[tokio::test]
    async fn a_server_outside_cannot_send_us_inside() {
        let names = Names::new(|_| unreachable!("addresses need no lookup"), Handle::current());
        let client = HttpClient::new(None, names, Dates::default()).unwrap();
        for inside in ["http://127.0.0.1:1/", "http://[::1]:1/", "https://10.1.2.3/"] {
            let url = Url::parse(inside).unwrap();
            let refused = client.connect(&url, true, CONNECT).await.err().unwrap();
            assert!(refused.to_string().contains("that is inside"), "{refused}");
        }
        // The operator may name what is inside, and nobody listens on port 1.
        let url = Url::parse("http://127.0.0.1:1/").unwrap();
        let failed = client.connect(&url, false, CONNECT).await.err().unwrap();
        assert!(matches!(failed, FetchError::Connect { .. }), "{failed}");
    }
}
