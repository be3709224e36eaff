//! A repository on a web server.
//!
//! ```text
//! ask ▶ conditional GET of the timestamp ─ 304 ▶ all files are those in memory
//!                                        └ 200 ▶ tough ▶ immutable files: from memory, else by GET
//! settle ▶ trusted whole: the tag stays for the next poll, the files for those of all servers
//!        └ else: they are forgotten
//! ```
//!
//! Law: a file that was not part of a repository that was trusted whole is never used again.
//!
//! The immutable files of a trusted repository are one memory for all its servers: a mirror serves
//! the same ones. What differs under one number of the timestamp is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::StatusCode;
use tough::schema::{Signed, Timestamp};
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

/// What all servers of a repository share: the files that were trusted whole.
#[derive(Debug, Clone, Default)]
pub struct TrustedFiles(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    /// Immutable files by place.
    files: BTreeMap<String, Vec<u8>>,
    /// The newest timestamp, and its version.
    timestamp: Option<(u64, Vec<u8>)>,
}

impl TrustedFiles {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses a timestamp that is older than the newest trusted one, or another one of its version.
    ///
    /// Nothing is verified here yet: what passes is verified after, and what does not is refused in
    /// any case.
    fn compare(&self, octets: &[u8]) -> Result<(), UpdateError> {
        let Some(found) = version(octets) else { return Ok(()) };
        match &self.shared().timestamp {
            Some((seen, _)) if found < *seen => {
                let role = "timestamp".to_owned();
                Err(UpdateError::Rollback { role, found, seen: *seen })
            }
            Some((seen, known)) if found == *seen && known != octets => {
                Err(UpdateError::Disagreeing { version: found })
            }
            _ => Ok(()),
        }
    }
}

/// The version that a timestamp says of itself.
fn version(octets: &[u8]) -> Option<u64> {
    let timestamp: Signed<Timestamp> = serde_json::from_slice(octets).ok()?;
    Some(timestamp.signed.version.get())
}

/// How a poll of a server is settled: the trust in its repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It was verified whole: its files stay.
    Trusted,
    /// It was refused: what was used of it is forgotten.
    Refused,
    /// It was not verified to its end: what came with this poll is forgotten.
    Unknown,
}

/// A repository on one web server.
#[derive(Clone)]
pub struct Web(Arc<Server>);

struct Server {
    client: Arc<HttpClient>,
    base: Url,
    /// Time limit of its silence.
    silence: Duration,
    memory: Mutex<Memory>,
    trusted: TrustedFiles,
}

/// What is known of the server's repository.
#[derive(Debug, Default)]
struct Memory {
    agent: String,
    etag: Option<String>,
    /// The timestamp of this poll, or of the last one that was trusted.
    timestamp: Option<Vec<u8>>,
    /// The timestamp that came last; it is compared, and not used.
    last: Option<Vec<u8>>,
    /// Files of this poll by place.
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
    /// The repository below a URL, whose server may say nothing for so long; `trusted` is that of all
    /// its servers.
    pub fn new(
        client: Arc<HttpClient>,
        mut base: Url,
        trusted: TrustedFiles,
        silence: Duration,
    ) -> Self {
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        Self(Arc::new(Server { client, base, silence, memory: Mutex::default(), trusted }))
    }

    /// The URL.
    pub fn url(&self) -> &str {
        self.0.base.as_str()
    }

    /// Begins a poll with one conditional request; true where the timestamp is another one than the
    /// last.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]: no timestamp came, or one that cannot be the newest.
    pub async fn ask(&self, agent: &str) -> Result<bool, UpdateError> {
        let etag = {
            let mut memory = self.memory();
            agent.clone_into(&mut memory.agent);
            memory.files.clear();
            memory.used.clear();
            memory.etag.clone().filter(|_| memory.timestamp.is_some())
        };
        let reply = self.get(layout::TIMESTAMP, etag.as_deref(), MAX_TIMESTAMP, SOON).await?;
        let mut memory = self.memory();
        let is_new = match reply {
            FileReply::Unchanged => false,
            FileReply::File(octets, etag) => {
                let is_new = memory.last.as_ref() != Some(&octets);
                if is_new {
                    memory.absent = None;
                }
                memory.etag = etag;
                memory.last = Some(octets.clone());
                memory.timestamp = Some(octets);
                is_new
            }
        };
        let compared = self.0.trusted.compare(memory.timestamp.as_deref().unwrap_or_default());
        drop(memory);
        compared.inspect_err(|_| self.settle(Settled::Refused)).map(|()| is_new)
    }

    /// Ends a poll.
    pub fn settle(&self, end: Settled) {
        let mut memory = self.memory();
        let mut shared = self.0.trusted.shared();
        let mut files = std::mem::take(&mut memory.files);
        let used = std::mem::take(&mut memory.used);
        match end {
            Settled::Trusted => {
                shared.files.append(&mut files);
                shared.files.retain(|place, _| used.contains(place));
                let timestamp = memory.timestamp.clone();
                let found = timestamp.and_then(|octets| Some((version(&octets)?, octets)));
                shared.timestamp = found.or(shared.timestamp.take());
                return;
            }
            Settled::Refused => shared.files.retain(|place, _| !used.contains(place)),
            Settled::Unknown => {}
        }
        *memory = Memory { last: memory.last.take(), ..Memory::default() };
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
        let silence = self.0.silence;
        let url = url.as_str();
        let request = FileRequest { url, agent: &agent, etag, max_octets, limit, silence };
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
            if place == layout::TIMESTAMP {
                return Ok(memory.timestamp.clone());
            }
            memory.used.insert(place.to_owned());
            let shared = self.0.trusted.shared();
            if let Some(octets) = memory.files.get(place).or_else(|| shared.files.get(place)) {
                return Ok(Some(octets.clone()));
            }
            if memory.absent.as_deref() == Some(place) {
                return Ok(None);
            }
        }
        let is_root = place.ends_with(".root.json");
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
            Ok(FileReply::Unchanged) => Ok(None),
            Err(UpdateError::Web(FetchError::Status(status))) if is_absent(status, is_root) => {
                if is_root {
                    self.memory().absent = Some(place.to_owned());
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether a status says that a file is not there. An object store without a right to list says 403
/// of those; each poll asks for the next root, which is not there as a rule.
fn is_absent(status: StatusCode, is_root: bool) -> bool {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => true,
        other => is_root && other == StatusCode::FORBIDDEN,
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

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;
    use crate::fetch::Names;
    use crate::sys::clock::Dates;

    const FILE: &str = "2.snapshot.json";

    fn timestamp(version: u64, snapshot: u64) -> Vec<u8> {
        let meta = serde_json::json!({
            "version": snapshot, "length": 1, "hashes": {"sha256": "00"},
        });
        let signed = serde_json::json!({
            "_type": "timestamp", "spec_version": "1.0.0", "version": version,
            "expires": "2040-01-01T00:00:00Z", "meta": {"snapshot.json": meta},
        });
        serde_json::json!({"signed": signed, "signatures": []}).to_string().into()
    }

    /// A server whose poll brought a timestamp and a file.
    fn polled(trusted: &TrustedFiles, octets: Vec<u8>) -> Web {
        let names = Names::new(|_| unreachable!("nobody is asked"), Handle::current());
        let client = Arc::new(HttpClient::new(None, names, Dates::default()).unwrap());
        let base = Url::parse("https://releases.example/a").unwrap();
        let web = Web::new(client, base, trusted.clone(), SOON);
        {
            let mut memory = web.memory();
            memory.etag = Some("\"1\"".into());
            memory.timestamp = Some(octets);
            memory.files.insert(FILE.into(), vec![1]);
            memory.used.insert(FILE.into());
        }
        web
    }

    #[tokio::test]
    async fn only_what_was_trusted_whole_is_used_again() {
        let trusted = TrustedFiles::default();
        for end in [Settled::Unknown, Settled::Refused] {
            let web = polled(&trusted, timestamp(9, 9));
            web.settle(end);
            assert!(trusted.shared().files.is_empty() && trusted.shared().timestamp.is_none());
            let memory = web.memory();
            assert!(memory.etag.is_none() && memory.timestamp.is_none() && memory.files.is_empty());
        }
        let web = polled(&trusted, timestamp(2, 2));
        web.settle(Settled::Trusted);
        assert!(web.memory().etag.is_some() && trusted.shared().files.contains_key(FILE));
        // A fault of this gateway says nothing of them, and a refusal that used them all.
        polled(&trusted, timestamp(3, 3)).settle(Settled::Unknown);
        assert!(trusted.shared().files.contains_key(FILE));
        polled(&trusted, timestamp(3, 3)).settle(Settled::Refused);
        assert!(trusted.shared().files.is_empty());
    }

    #[tokio::test]
    async fn a_timestamp_is_compared_with_the_newest_that_was_trusted() {
        let trusted = TrustedFiles::default();
        assert!(trusted.compare(&timestamp(1, 1)).is_ok());
        polled(&trusted, timestamp(2, 2)).settle(Settled::Trusted);
        let reason = |octets: &[u8]| trusted.compare(octets).map_err(|fault| fault.reason());
        assert_eq!(reason(&timestamp(1, 1)), Err("rollback"));
        assert_eq!(reason(&timestamp(2, 3)), Err("disagreeing"));
        assert_eq!(reason(&timestamp(2, 2)), Ok(()));
        assert_eq!(reason(&timestamp(3, 2)), Ok(()));
        // What cannot be read is refused with its own reason later.
        assert_eq!(reason(b"{"), Ok(()));
    }

    #[test]
    fn an_object_store_hides_the_next_root_and_nothing_else() {
        assert!(is_absent(StatusCode::NOT_FOUND, false) && is_absent(StatusCode::GONE, false));
        assert!(is_absent(StatusCode::FORBIDDEN, true) && !is_absent(StatusCode::FORBIDDEN, false));
        assert!(!is_absent(StatusCode::SERVICE_UNAVAILABLE, true));
    }
}
