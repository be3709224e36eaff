//! Sealed lists and their keys: files → open tables.
//!
//! Laws: a key file that anybody but its owner can read is refused; before a key is read the
//! process switches off its core dumps; the log may have a sealed list's file, id and size, and
//! must never have any of its content. While the files stay the same, so do the tables.

use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::config::{Config, Sealed};
use crate::matcher::sealed::{
    MAX_OCTETS, SealedKey, SealedKeyError, SealedTable, SealedTableError,
};
use crate::policy::SealedList;
use crate::sys::os::leave_no_image;
use crate::sys::read;

/// The most octets that are read of a key file.
const KEY_OCTETS: u64 = 4096;
/// The mode bits of everybody but the owner: a key file has none of them.
const OTHERS: u32 = 0o077;

/// Why a sealed list cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealedError {
    /// The list or the key cannot be read.
    #[error("{path}: the {what} cannot be read: {error}; check the paths in [[lists.source]]")]
    Read {
        /// The file.
        path: PathBuf,
        /// `key` or `sealed list`.
        what: &'static str,
        /// The error of the system.
        error: io::Error,
    },
    /// Others than the owner may read the key, or write to it.
    #[error(
        "{path}: the key of a sealed list must be for its owner alone, but its mode is {mode:04o}; \
         `chmod 600` it, and get a new list and key if somebody may have read it"
    )]
    Exposed {
        /// The key.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The content of the key file is no key.
    #[error("{path}: {error}; get the key again, or make one with `lachan lists seal`")]
    Key {
        /// The key.
        path: PathBuf,
        /// What is wrong.
        error: SealedKeyError,
    },
    /// The file is no sealed list, or it is sealed with another key.
    #[error("{path}: refused: {error}")]
    List {
        /// The list.
        path: PathBuf,
        /// What is wrong, and what to do.
        error: SealedTableError,
    },
}

impl SealedError {
    /// The file that it is about.
    pub fn path(&self) -> &Path {
        match self {
            Self::Read { path, .. }
            | Self::Exposed { path, .. }
            | Self::Key { path, .. }
            | Self::List { path, .. } => path,
        }
    }
}

/// Sealed lists, with the identity of their files and a number of their own.
#[derive(Debug, Clone)]
struct ReadSealed {
    made_of: Vec<Fingerprint>,
    lists: Arc<[SealedList]>,
    tag: u64,
}

/// Reads sealed lists, and caches those that were read last and those in force.
#[derive(Debug, Default)]
pub struct SealedStore {
    last: Option<ReadSealed>,
    in_force: Option<ReadSealed>,
    tag: u64,
}

/// The identity of a list and its key at their reading.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fingerprint {
    sealed: Sealed,
    states: [State; 2],
}

/// Device, inode, size, mode, and times of change in nanoseconds.
type State = (u64, u64, u64, u32, i128, i128);

impl SealedStore {
    /// The sealed lists that `config` names, and their number.
    ///
    /// # Errors
    ///
    /// [`SealedError`] for the first that cannot be used.
    pub fn load(&mut self, config: &Config) -> Result<(Arc<[SealedList]>, u64), SealedError> {
        let sealed = &config.lists.sealed;
        let made_of = sealed.iter().map(fingerprint).collect::<Result<Vec<_>, _>>()?;
        let at_hand = || self.last.iter().chain(&self.in_force);
        if made_of.is_empty() && at_hand().next().is_none() {
            return Ok((Arc::default(), self.tag));
        }
        if let Some(read) = at_hand().find(|read| read.made_of == made_of) {
            return Ok((Arc::clone(&read.lists), read.tag));
        }
        let lists: Arc<[SealedList]> = sealed.iter().map(open).collect::<Result<_, _>>()?;
        self.tag += 1;
        self.last = Some(ReadSealed { made_of, lists: Arc::clone(&lists), tag: self.tag });
        Ok((lists, self.tag))
    }

    /// Records which lists were adopted: they stay cached whatever is read meanwhile.
    pub(super) fn adopted(&mut self, lists: &Arc<[SealedList]>) {
        let is_it = |read: &ReadSealed| Arc::ptr_eq(&read.lists, lists);
        self.in_force = self.last.take_if(|read| is_it(read)).or(self.in_force.take());
    }
}

/// All faults of the sealed lists that `config` names.
pub fn problems(config: &Config) -> Vec<SealedError> {
    config.lists.sealed.iter().filter_map(|sealed| open(sealed).err()).collect()
}

/// Reads the key at `path`, which must be for its owner alone.
///
/// # Errors
///
/// [`SealedError`].
pub fn read_key(path: &Path) -> Result<SealedKey, SealedError> {
    let unread = |error| SealedError::Read { path: path.to_owned(), what: "key", error };
    let file = read::open(path).map_err(unread)?;
    // Of the open file: another file may have this name by now.
    let mode = file.metadata().map_err(unread)?.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(SealedError::Exposed { path: path.to_owned(), mode });
    }
    leave_no_image();
    let mut text = Zeroizing::new(String::with_capacity(KEY_OCTETS as usize));
    file.take(KEY_OCTETS).read_to_string(&mut text).map_err(unread)?;
    SealedKey::from_text(&text).map_err(|error| SealedError::Key { path: path.to_owned(), error })
}

fn open(sealed: &Sealed) -> Result<SealedList, SealedError> {
    let path = || sealed.path.clone();
    let unread = |error| SealedError::Read { path: path(), what: "sealed list", error };
    let key = read_key(&sealed.key)?;
    let file = read::open(&sealed.path).map_err(unread)?;
    let size = file.metadata().map_err(unread)?.len().min(MAX_OCTETS as u64);
    let mut octets = Vec::with_capacity(size as usize);
    file.take(MAX_OCTETS as u64 + 1).read_to_end(&mut octets).map_err(unread)?;
    if octets.len() > MAX_OCTETS {
        return Err(unread(io::Error::other("larger than any sealed list")));
    }
    let table = SealedTable::open(&octets, &key)
        .map_err(|error| SealedError::List { path: path(), error })?;
    Ok(SealedList { category: sealed.category, table })
}

fn fingerprint(sealed: &Sealed) -> Result<Fingerprint, SealedError> {
    let state = |path: &Path, what| {
        let unread = |error| SealedError::Read { path: path.to_owned(), what, error };
        let found = read::metadata(path).map_err(unread)?;
        let nanos = |secs: i64, nanos: i64| i128::from(secs) * 1_000_000_000 + i128::from(nanos);
        Ok((
            found.dev(),
            found.ino(),
            found.size(),
            found.mode(),
            nanos(found.mtime(), found.mtime_nsec()),
            nanos(found.ctime(), found.ctime_nsec()),
        ))
    };
    let states = [state(&sealed.path, "sealed list")?, state(&sealed.key, "key")?];
    Ok(Fingerprint { sealed: sealed.clone(), states })
}
