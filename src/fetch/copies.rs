//! The last good copies, each with a note of its origin.
//!
//! A copy is a file like any list; its note is a file beside it. Law: a copy is what its note says,
//! octet for octet, or it is asked for anew without conditions, and it is no list. The note is
//! written first and has the digest of the copy before as well: a stop between the two files leaves
//! a copy that is whole and old, which costs one download.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::error::FetchError;
use crate::digest::hex;
use crate::sys::clock::system_time;
use crate::sys::read;
use crate::sys::state_dir::{StateDir, StateError};

/// The directory of the copies, in the state directory.
pub(super) const DIRECTORY: &str = "fetched";
/// The most octets of a note that are read.
const MAX_NOTE: u64 = 64 << 10;
/// The most octets of a copy that is looked through: as long as a list can be.
const MOST: u64 = 1 << 30;
/// The octets of a copy that are read at once.
const PIECE: usize = 256 << 10;

/// The origin and identity of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its URL.
    pub url: String,
    /// Its entity tag.
    pub etag: Option<String>,
    /// Its `Last-Modified` field, verbatim.
    pub last_modified: Option<String>,
    /// SHA-256 of the copy, in hexadecimal.
    pub sha256: String,
    /// SHA-256 of the copy before, which is in its place until this one is.
    #[serde(default)]
    pub before: Option<String>,
    /// The program and the settings that judged it: under others its rules are other rules.
    #[serde(default)]
    pub judged: String,
    /// Rules in it.
    pub rules: u64,
    /// Octets of it.
    pub octets: u64,
    /// The moment of its download, in seconds since 1970.
    pub fetched: u64,
    /// The moment at which the server last confirmed it as the newest, in seconds since 1970.
    pub checked: u64,
}

impl Note {
    /// Time since the server last confirmed it as the newest; zero for a moment in the future.
    pub fn age(&self) -> Duration {
        Duration::from_secs(system_time().saturating_sub(self.checked))
    }
}

/// The copies.
#[derive(Debug, Clone)]
pub struct Copies {
    dir: StateDir,
    /// The digests of files, as long as these stay the same.
    digests: Arc<Mutex<HashMap<PathBuf, (Identity, String)>>>,
}

/// The identity of a file: inode, size, and times of change.
type Identity = (u64, u64, (i64, i64), (i64, i64));

impl Copies {
    /// The copies in a state directory.
    ///
    /// # Errors
    ///
    /// [`StateError`].
    pub fn open(state: &StateDir) -> Result<Self, StateError> {
        let copies = state.subdirectory(DIRECTORY)?;
        Ok(Self { dir: copies, digests: Arc::default() })
    }

    /// The note of the copy at `path`, whatever the copy is; `None` without a note.
    pub fn note(&self, path: &Path) -> Option<Note> {
        read_note(&self.dir.join(note_name(file_name(path)?)))
    }

    /// The note of the copy at `path`, if the copy is what it says.
    pub fn whole(&self, path: &Path) -> Option<Note> {
        let note = self.note(path)?;
        let copy = self.dir.join(file_name(path)?);
        let identity = identity(&read::metadata(&copy).ok()?);
        if identity.1 != note.octets {
            return None;
        }
        let digests = || self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let known = digests().get(&copy).filter(|(known, _)| *known == identity).cloned();
        let digest = match known {
            Some((_, digest)) => digest,
            None => digest_of(&copy).ok()?,
        };
        let is_it = digest == note.sha256;
        digests().insert(copy, (identity, digest));
        is_it.then_some(note)
    }

    /// Stores `octets` as the copy at `path`, and `note` beside them.
    pub(super) fn keep(&self, path: &Path, octets: &[u8], note: &Note) -> Result<(), FetchError> {
        self.write(path, note)?;
        self.replace(self.name(path)?, octets)
    }

    /// Writes the note alone: the copy is up to date.
    pub(super) fn write(&self, path: &Path, note: &Note) -> Result<(), FetchError> {
        let text = serde_json::to_string_pretty(note).unwrap_or_default();
        self.replace(&note_name(self.name(path)?), text.as_bytes())
    }

    fn name<'a>(&self, path: &'a Path) -> Result<&'a str, FetchError> {
        file_name(path).ok_or_else(|| self.failed(io::ErrorKind::InvalidFilename.into()))
    }

    fn replace(&self, name: &str, octets: &[u8]) -> Result<(), FetchError> {
        self.dir.replace(name, octets).map_err(|error| self.failed(error))
    }

    /// The error of a copy that is not what was just written.
    pub(super) fn not_kept(&self) -> FetchError {
        self.failed(io::Error::other("it is not what was written to it"))
    }

    fn failed(&self, error: io::Error) -> FetchError {
        FetchError::Keep { path: self.dir.path().to_owned(), error }
    }
}

/// Proves that the copy at `path` is what the note beside it says. One without a note proves
/// nothing, and is taken.
///
/// # Errors
///
/// It cannot be read, or it is another file than the download.
pub fn prove(path: &Path) -> io::Result<()> {
    let Some(name) = file_name(path) else { return Ok(()) };
    let Some(note) = read_note(&path.with_file_name(note_name(name))) else { return Ok(()) };
    let (octets, size) = (note.octets, read::metadata(path)?.len());
    // No download is as large: what lies there is not read through.
    let digest = if size > MOST { String::new() } else { digest_of(path)? };
    if note.sha256 == digest || note.before.is_some_and(|before| before == digest) {
        return Ok(());
    }
    let why = if octets == size { String::new() } else { format!(", {size} octets of {octets}") };
    Err(io::Error::other(format!(
        "the copy is damaged: it is not what was downloaded{why}; it is downloaded again"
    )))
}

fn read_note(path: &Path) -> Option<Note> {
    serde_json::from_slice(&read::octets(path, MAX_NOTE).ok()?).ok()
}

fn identity(found: &Metadata) -> Identity {
    let (modified, changed) = ((found.mtime(), found.mtime_nsec()), found.ctime());
    (found.ino(), found.size(), modified, (changed, found.ctime_nsec()))
}

/// SHA-256 of a file, in hexadecimal.
fn digest_of(path: &Path) -> io::Result<String> {
    let mut file = read::bounded(path)?;
    let (mut context, mut piece) = (Context::new(&SHA256), vec![0; PIECE]);
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            return Ok(hex(context.finish().as_ref()));
        }
        context.update(piece.get(..count).unwrap_or_default());
    }
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn note_name(name: &str) -> String {
    format!("{name}.json")
}
