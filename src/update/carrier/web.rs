//! A repository on a web server.
//!
//! ```text
//! ask ▶ conditional GET of the timestamp ─ 304 ▶ all files are those in memory
//!                                        └ 200 ▶ tough ▶ immutable files: from memory, else by GET
//! settle ▶ trusted: tag and files stay for the next poll · refused: all is forgotten
//! ```
//!
//! Law: a file that was not part of a repository that was trusted whole is never used again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::StatusCode;
use tough::{TransportError, TransportErrorKind, TransportStream};
use url::Url;

use super::place;
use crate::fetch::{FetchError, FileReply, FileRequest, HttpClient};
use crate::release::layout;
use crate::update::error::UpdateError;

/// The most octets of a timestamp.
const MAX_TIMESTAMP: u64 = 64 << 10;
/// The most octets of a metadata file.
const MAX_METADATA: u64 = 10 << 20;
/// The most octets of a target.
const MAX_TARGET: u64 = 64 << 20;
/// The most octets of a file that stays in memory: all metadata, no list.
const MAX_KEPT: usize = 512 << 10;
/// The most files that stay in memory.
const MOST_KEPT: usize = 16;
/// Time limit of a metadata file.
const SOON: Duration = Duration::from_secs(60);
/// Time limit of a target.
const LATE: Duration = Duration::from_secs(3600);

/// A repository on one web server.
#[derive(Clone)]
pub struct Web(Arc<Server>);

struct Server {
    client: Arc<HttpClient>,
    base: Url,
    memory: Mutex<Memory>,
}

/// What is known of the server's repository.
#[derive(Debug, Default)]
struct Memory {
    agent: String,
    etag: Option<String>,
    /// Files by place, the timestamp among them.
    files: BTreeMap<String, Vec<u8>>,
    /// Places that were asked for since the poll began.
    used: BTreeSet<String>,
    /// The next root, which is not there under this timestamp.
    absent: Option<String>,
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Web").field(&self.0.base.as_str()).finish()
    }
}

impl Web {
    /// The repository below a URL.
    pub fn new(client: Arc<HttpClient>, mut base: Url) -> Self {
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        Self(Arc::new(Server { client, base, memory: Mutex::default() }))
    }

    /// Begins a poll with one conditional request; true where the timestamp is another one.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]: no timestamp came.
    pub async fn ask(&self, agent: &str) -> Result<bool, UpdateError> {
        let etag = {
            let mut memory = self.memory();
            agent.clone_into(&mut memory.agent);
            memory.used = BTreeSet::from([layout::TIMESTAMP.to_owned()]);
            memory.etag.clone().filter(|_| memory.files.contains_key(layout::TIMESTAMP))
        };
        let reply = self.get(layout::TIMESTAMP, etag.as_deref(), MAX_TIMESTAMP, SOON).await?;
        let FileReply::File(octets, etag) = reply else { return Ok(false) };
        let mut memory = self.memory();
        let is_new = memory.files.get(layout::TIMESTAMP) != Some(&octets);
        if is_new {
            memory.absent = None;
        }
        memory.etag = etag;
        memory.files.insert(layout::TIMESTAMP.to_owned(), octets);
        Ok(is_new)
    }

    /// Ends a poll: what was trusted stays in memory, and nothing else.
    pub fn settle(&self, is_trusted: bool) {
        let mut memory = self.memory();
        if is_trusted {
            let used = std::mem::take(&mut memory.used);
            memory.files.retain(|place, _| used.contains(place));
        } else {
            *memory = Memory::default();
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn get(
        &self,
        place: &str,
        etag: Option<&str>,
        max_octets: u64,
        limit: Duration,
    ) -> Result<FileReply, UpdateError> {
        let wrong = |_| UpdateError::Malformed(format!("`{place}` is no place below a URL"));
        let url = self.0.base.join(place).map_err(wrong)?;
        let agent = self.memory().agent.clone();
        let request = FileRequest { url: url.as_str(), agent: &agent, etag, max_octets, limit };
        let reply = self.0.client.file(&request).await?;
        match &reply {
            FileReply::File(octets, _) if is_html(octets) => Err(UpdateError::Portal),
            _ => Ok(reply),
        }
    }

    /// A file by its place, from memory or from the server; `None` where it is not there.
    async fn file(&self, place: &str) -> Result<Option<Vec<u8>>, UpdateError> {
        {
            let mut memory = self.memory();
            memory.used.insert(place.to_owned());
            if let Some(octets) = memory.files.get(place) {
                return Ok(Some(octets.clone()));
            }
            if memory.absent.as_deref() == Some(place) {
                return Ok(None);
            }
        }
        let is_target = place.contains('/');
        let (most, limit) = if is_target { (MAX_TARGET, LATE) } else { (MAX_METADATA, SOON) };
        match self.get(place, None, most, limit).await {
            Ok(FileReply::File(octets, _)) => {
                let mut memory = self.memory();
                if octets.len() <= MAX_KEPT && memory.files.len() < MOST_KEPT {
                    memory.files.insert(place.to_owned(), octets.clone());
                }
                Ok(Some(octets))
            }
            Ok(FileReply::Unchanged)
            | Err(UpdateError::Web(FetchError::Status(StatusCode::NOT_FOUND))) => {
                if place.ends_with(".root.json") {
                    self.memory().absent = Some(place.to_owned());
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether a body is a page for people: no file of a repository begins so.
fn is_html(octets: &[u8]) -> bool {
    octets.trim_ascii_start().starts_with(b"<")
}

#[tough::async_trait]
impl tough::Transport for Web {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        let not_found = || TransportError::new(TransportErrorKind::FileNotFound, url.as_str());
        let place = place(&url).ok_or_else(not_found)?;
        // An error on opening a root counts as "no newer root" for `tough`: it comes on reading.
        let item = match self.file(&place).await {
            Ok(None) => return Err(not_found()),
            Ok(Some(octets)) => Ok(octets.into()),
            Err(error) => {
                Err(TransportError::new_with_cause(TransportErrorKind::Other, url.as_str(), error))
            }
        };
        Ok(Box::pin(futures_util::stream::iter([item])))
    }
}
