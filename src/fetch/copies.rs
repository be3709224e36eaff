//! The last good copies, each with a note of its origin.
//!
//! A copy is a file like any list; its note is a file beside it, written after it. A lost note, or
//! one that is older than its copy, costs one download.

use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown, fchown};
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::error::FetchError;
use crate::sys::clock::system_time;
use crate::sys::state_dir::{StateDir, StateError};

/// The directory of the copies, in the state directory.
pub(super) const DIRECTORY: &str = "fetched";
/// The most octets of a note that are read.
const MAX_NOTE: u64 = 64 << 10;

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
pub struct Copies(StateDir);

impl Copies {
    /// The copies in a state directory.
    ///
    /// # Errors
    ///
    /// [`StateError`].
    pub fn open(state: &StateDir) -> Result<Self, StateError> {
        let copies = state.subdirectory(DIRECTORY)?;
        // A directory that root creates belongs to the owner of the state directory.
        if let (Ok(own), Ok(of_state)) = (copies.path().metadata(), state.path().metadata())
            && own.uid() != of_state.uid()
        {
            let owner = (Some(of_state.uid()), Some(of_state.gid()));
            if let Err(error) = chown(copies.path(), owner.0, owner.1) {
                tracing::warn!(%error, "{}: stays another user's", copies.path().display());
            }
        }
        Ok(Self(copies))
    }

    /// The note of the copy at `path`; `None` without one, and without the copy.
    pub fn note(&self, path: &Path) -> Option<Note> {
        use std::io::Read as _;
        let name = file_name(path)?;
        if !self.0.join(name).is_file() {
            return None;
        }
        let mut text = String::new();
        let file = std::fs::File::open(self.0.join(note_name(name))).ok()?;
        file.take(MAX_NOTE).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Stores `octets` as the copy at `path`, and `note` beside them.
    pub(super) fn keep(&self, path: &Path, octets: &[u8], note: &Note) -> Result<(), FetchError> {
        let name = self.name(path)?;
        self.replace(name, octets)?;
        self.write(path, note)
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
        let written = self.0.replace_with(name, |file| {
            // A copy that root downloads belongs to that owner too.
            let owner = std::fs::metadata(self.0.path())?;
            let is_own = owner.uid() == file.metadata()?.uid();
            if !is_own {
                fchown(&*file, Some(owner.uid()), Some(owner.gid()))?;
            }
            file.write_all(octets)
        });
        written.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> FetchError {
        FetchError::Keep { path: self.0.path().to_owned(), error }
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn sha256(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    digest(&SHA256, octets).as_ref().iter().fold(String::new(), |mut text, octet| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn note_name(name: &str) -> String {
    format!("{name}.json")
}
