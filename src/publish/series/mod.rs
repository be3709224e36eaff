//! Asking Prometheus, or what answers as it does: one instant query, one answer of labelled values.
//!
//! Laws: what is asked is a text of this program, sent whole; an answer is read whole or not at all;
//! what a server says is never more than a text of bounded length.

pub mod answer;

use std::net::ToSocketAddrs as _;
use std::path::Path;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use url::Url;

use self::answer::SeriesValue;
use crate::dns::name::Name;
use crate::fetch::{FileReply, FileRequest, HttpClient, Names, SILENCE};
use crate::sys::clock::{Dates, system_time};

/// The time limit of one question.
const LIMIT: Duration = Duration::from_secs(20);
/// The most octets of one answer: more than a hundred thousand gateways.
const MAX_OCTETS: u64 = 16 << 20;
/// The user agent.
const AGENT: &str = concat!("lachan/", env!("CARGO_PKG_VERSION"));

/// A server with the HTTP API of Prometheus.
pub struct SeriesServer {
    url: Url,
    client: HttpClient,
    runtime: Runtime,
}

impl SeriesServer {
    /// A server at this address; `tls_roots` are authorities that are trusted besides the public ones.
    ///
    /// # Errors
    ///
    /// What the certificates lack, or the system; the first is true of the former.
    pub fn new(url: Url, tls_roots: Option<&Path>) -> Result<Self, (bool, String)> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| (false, error.to_string()))?;
        let names = system_names(runtime.handle().clone());
        let client = HttpClient::new(tls_roots, names, Dates::default());
        let client = client.map_err(|error| (true, error.to_string()))?;
        Ok(Self { url, client, runtime })
    }

    /// The values of an expression now.
    ///
    /// # Errors
    ///
    /// Why there is no answer, in words.
    pub fn ask(&self, text: &str) -> Result<Vec<SeriesValue>, String> {
        self.runtime.block_on(self.asked(text))
    }

    /// Waits for work on the runtime of this server.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    async fn asked(&self, text: &str) -> Result<Vec<SeriesValue>, String> {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v1", "query"]);
        }
        url.query_pairs_mut().append_pair("query", text);
        let request = FileRequest {
            url: url.as_str(),
            agent: AGENT,
            etag: None,
            max_octets: MAX_OCTETS,
            limit: LIMIT,
            silence: SILENCE,
        };
        match self.client.file(&request).await.map_err(|error| error.to_string())? {
            FileReply::File(octets, _) => {
                answer::read(&octets, system_time()).map_err(|error| error.to_string())
            }
            FileReply::Unchanged => Err("304, which was not asked for".into()),
        }
    }
}

/// The address of a server; `/api/v1/query` is put behind it.
///
/// # Errors
///
/// What is wrong with it, in words.
pub fn parse_base(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("it begins with http:// or https:// and a host".into());
    }
    if !is_plain || url.query().is_some() || url.fragment().is_some() {
        return Err("a user, a query or a fragment is not sent".into());
    }
    Ok(url)
}

/// Names by the system: a host of the department has no config of a gateway.
fn system_names(runtime: Handle) -> Names {
    Names::new(|_| None, runtime).with_own(|name: &Name| {
        let host = name.to_string();
        let found = (host.trim_end_matches('.'), 0).to_socket_addrs();
        let mut found: Vec<_> = found.into_iter().flatten().map(|one| one.ip()).collect();
        found.sort_unstable();
        found.dedup();
        (name.clone(), found)
    })
}
