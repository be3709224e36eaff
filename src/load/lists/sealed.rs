//! Sealed lists and their keys: files → open tables.
//!
//! Laws: a key file that anybody but its owner can read is refused; before a key is read the
//! process switches off its core dumps; the log may have a sealed list's file, id and size, and
//! must never have any of its content. While the files stay the same, so do the tables.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::config::{Config, Sealed};
use crate::lang::{Lang, messages, os_error};
use crate::load::kept::held::{Held, absolute};
use crate::load::kept::left_out::LeftOut;
use crate::load::kept::{Kept, KeptSealed, Objects};
use crate::load::lists::packs::Stat;
use crate::matcher::sealed::{
    MAX_OCTETS, SealedKey, SealedKeyError, SealedTable, SealedTableError,
};
use crate::metrics::labels::HeldFile;
use crate::policy::SealedList;
use crate::sys::os::leave_no_image;
use crate::sys::read;

/// The most octets that are read of a key file.
const KEY_OCTETS: u64 = 4096;
/// The most faults that are remembered.
const MAX_REFUSED: usize = 64;
/// The mode bits of everybody but the owner: a key file has none of them.
const OTHERS: u32 = 0o077;

/// One of the two files of a sealed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The list.
    List,
    /// Its key.
    Key,
}

/// Why a sealed list cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum SealedError {
    /// The list or the key cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Which of them.
        what: What,
        /// The error of the system.
        error: io::Error,
    },
    /// Others than the owner may read the key, or write to it.
    Exposed {
        /// The key.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The content of the key file is no key.
    Key {
        /// The key.
        path: PathBuf,
        /// What is wrong.
        error: SealedKeyError,
    },
    /// The file is no sealed list, or it is sealed with another key.
    List {
        /// The list.
        path: PathBuf,
        /// What is wrong, and what to do.
        error: SealedTableError,
    },
}

impl SealedError {
    /// The path, what is wrong, and what to do, in a language.
    pub fn in_lang(&self, lang: Lang) -> String {
        let message = match self {
            Self::Read { path, what: What::List, error } => {
                messages::sealed_unread(path.display(), os_error(error))
            }
            Self::Read { path, what: What::Key, error } => {
                messages::sealed_key_unread(path.display(), os_error(error))
            }
            Self::Exposed { path, mode } => {
                messages::sealed_key_exposed(path.display(), format!("{mode:04o}"))
            }
            Self::Key { path, .. } => messages::sealed_no_key(path.display()),
            Self::List { path, error } => messages::list_refused(path.display(), error.message()),
        };
        message.in_lang(lang)
    }

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

impl fmt::Display for SealedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_lang(Lang::En))
    }
}

impl std::error::Error for SealedError {}

/// The sealed lists of a config.
#[derive(Debug, Clone, Default)]
pub struct LoadedSealed {
    /// The lists.
    pub lists: Arc<[SealedList]>,
    /// The identity of these lists: other lists have another number.
    pub(in crate::load) tag: u64,
    /// Lists that a kept copy stands in for.
    pub(in crate::load) held: Vec<Held>,
    /// Lists that cannot be used and have no kept copy.
    pub(in crate::load) left_out: Vec<LeftOut>,
    /// The lists as they are to be kept.
    pub(in crate::load) to_keep: Vec<KeptSealed>,
}

/// The identity of a list and its key at their reading, and its settings.
type SealedFrom = (Sealed, String);
/// The digests of a sealed list's octets and of its key file's.
type SealedDigests = (String, String);

/// Open sealed lists, with the identity of their files and a number of their own.
#[derive(Debug, Clone)]
struct ReadSealed {
    made_of: Vec<SealedFrom>,
    lists: Arc<[SealedList]>,
    digests: Vec<SealedDigests>,
    tag: u64,
}

/// An open list with its origin.
type Opened = (SealedFrom, SealedList, SealedDigests);

/// Reads sealed lists, and caches those that were read last and those in force.
#[derive(Debug, Default)]
pub struct SealedStore {
    last: Option<ReadSealed>,
    in_force: Option<ReadSealed>,
    /// Files that were read and cannot be used, by their identity, with the fault.
    refused: BTreeMap<String, String>,
    tag: u64,
}

impl SealedStore {
    /// The sealed lists that `config` names. The kept copy of one that cannot be used stands in;
    /// one without a copy is left out.
    ///
    /// # Errors
    ///
    /// [`SealedError::Exposed`] for a key that others can read, without a kept copy: no accident.
    pub fn load(&mut self, config: &Config, kept: &Kept) -> Result<LoadedSealed, SealedError> {
        let mut loaded = LoadedSealed { tag: self.tag, ..LoadedSealed::default() };
        let (mut made_of, mut lists, mut all_digests) = (Vec::new(), Vec::new(), Vec::new());
        let lang = config.school.lang;
        for sealed in &config.lists.sealed {
            let (from, list, digests) = match self.open_own(sealed, kept.objects(), lang) {
                Ok(own) => own,
                Err(fault) => match (self.open_kept(sealed, kept), fault) {
                    (Some(copy), fault) => {
                        loaded.held.push(Held::new(
                            HeldFile::Sealed,
                            &*sealed.label,
                            fault.why(lang),
                        ));
                        copy
                    }
                    (None, Fault::Found(error @ SealedError::Exposed { .. })) => return Err(error),
                    (None, fault) => {
                        let why = match kept.unread_of(&sealed.path) {
                            Some(unread) => {
                                format!("{}; {}", fault.why(lang), unread.in_lang(lang))
                            }
                            None => fault.why(lang),
                        };
                        loaded.left_out.push(LeftOut::sealed(sealed, why));
                        continue;
                    }
                },
            };
            loaded.to_keep.push(KeptSealed {
                path: absolute(&sealed.path),
                key: absolute(&sealed.key),
                files: from.1.clone(),
                list: digests.0.clone(),
                key_digest: digests.1.clone(),
            });
            made_of.push(from);
            lists.push(list);
            all_digests.push(digests);
        }
        let is_first = self.last.is_none() && self.in_force.is_none();
        if made_of.is_empty() && is_first {
            return Ok(loaded);
        }
        let mut at_hand = self.last.iter().chain(&self.in_force);
        if let Some(read) = at_hand.find(|read| read.made_of == made_of) {
            (loaded.lists, loaded.tag) = (Arc::clone(&read.lists), read.tag);
            return Ok(loaded);
        }
        self.tag += 1;
        (loaded.lists, loaded.tag) = (lists.into(), self.tag);
        let lists = Arc::clone(&loaded.lists);
        self.last = Some(ReadSealed { made_of, lists, digests: all_digests, tag: self.tag });
        Ok(loaded)
    }

    /// The list in its own files.
    fn open_own(
        &mut self,
        sealed: &Sealed,
        objects: &Objects,
        lang: Lang,
    ) -> Result<Opened, Fault> {
        let files = identity(&sealed.path, &sealed.key).map_err(Fault::Found)?;
        if let Some(why) = self.refused.get(&files) {
            return Err(Fault::Known(why.clone()));
        }
        let from = (sealed.clone(), files);
        let is_whole = |(_, digests): &(SealedList, SealedDigests)| {
            objects.has(&digests.0) && objects.has(&digests.1)
        };
        if let Some((list, digests)) = self.at_hand(&from).filter(is_whole) {
            return Ok((from, list, digests));
        }
        match open(sealed) {
            // What is adopted is what was read, whatever becomes of the files.
            Ok((list, octets, key)) => {
                Ok((from, list, (objects.hold(&octets), objects.hold(key.as_bytes()))))
            }
            Err(error) => {
                if self.refused.len() >= MAX_REFUSED {
                    self.refused.clear();
                }
                // What cannot be read now is no content: it is read again.
                let is_unread =
                    matches!(&error, SealedError::Read { error, .. } if read::is_unread(error));
                if !is_unread && !matches!(error, SealedError::Exposed { .. }) {
                    self.refused.insert(from.1, error.in_lang(lang));
                }
                Err(Fault::Found(error))
            }
        }
    }

    /// The kept copy of the list.
    fn open_kept(&self, sealed: &Sealed, kept: &Kept) -> Option<Opened> {
        let known = kept.sealed_of(&sealed.path, &sealed.key)?;
        let from = (sealed.clone(), known.files.clone());
        let digests = (known.list.clone(), known.key_digest.clone());
        if let Some((list, digests)) = self.at_hand(&from) {
            return Some((from, list, digests));
        }
        let (octets, key) = kept.sealed(&sealed.path, &sealed.key)?;
        leave_no_image();
        let key = SealedKey::from_text(std::str::from_utf8(&key).ok()?).ok()?;
        let table = SealedTable::open(&octets, &key).ok()?;
        Some((from, SealedList { category: sealed.category, table: Arc::new(table) }, digests))
    }

    fn at_hand(&self, from: &SealedFrom) -> Option<(SealedList, SealedDigests)> {
        let mut all = self.last.iter().chain(&self.in_force);
        all.find_map(|read| {
            let place = read.made_of.iter().position(|known| known == from)?;
            Some((read.lists.get(place)?.clone(), read.digests.get(place)?.clone()))
        })
    }

    /// Records which lists were adopted: they stay cached whatever is read meanwhile.
    pub(in crate::load) fn adopted(&mut self, lists: &Arc<[SealedList]>) {
        let is_it = |read: &ReadSealed| Arc::ptr_eq(&read.lists, lists);
        self.in_force = self.last.take_if(|read| is_it(read)).or(self.in_force.take());
    }
}

/// Why a sealed list cannot be used: found now, or known of the same files.
enum Fault {
    Found(SealedError),
    Known(String),
}

impl Fault {
    fn why(&self, lang: Lang) -> String {
        match self {
            Self::Found(error) => error.in_lang(lang),
            Self::Known(why) => why.clone(),
        }
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
    read_key_text(path).map(|(key, _)| key)
}

/// The same, with the text of the file.
fn read_key_text(path: &Path) -> Result<(SealedKey, Zeroizing<String>), SealedError> {
    let unread = |error| SealedError::Read { path: path.to_owned(), what: What::Key, error };
    let file = read::open(path).map_err(unread)?;
    // Of the open file: another file may have this name by now.
    let mode = file.metadata().map_err(unread)?.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(SealedError::Exposed { path: path.to_owned(), mode });
    }
    leave_no_image();
    let mut text = Zeroizing::new(String::with_capacity(KEY_OCTETS as usize));
    file.take(KEY_OCTETS).read_to_string(&mut text).map_err(unread)?;
    let key = SealedKey::from_text(&text)
        .map_err(|error| SealedError::Key { path: path.to_owned(), error })?;
    Ok((key, text))
}

/// An open list, with its octets and the text of its key.
fn open(sealed: &Sealed) -> Result<(SealedList, Vec<u8>, Zeroizing<String>), SealedError> {
    let path = || sealed.path.clone();
    let unread = |error| SealedError::Read { path: path(), what: What::List, error };
    let (key, key_text) = read_key_text(&sealed.key)?;
    let file = read::bounded(&sealed.path).map_err(unread)?;
    let size = file.size().map_err(unread)?.min(MAX_OCTETS as u64);
    let mut octets = Vec::with_capacity(size as usize);
    file.take(MAX_OCTETS as u64 + 1).read_to_end(&mut octets).map_err(unread)?;
    if octets.len() > MAX_OCTETS {
        return Err(unread(io::Error::other("larger than any sealed list")));
    }
    let table = SealedTable::open(&octets, &key)
        .map_err(|error| SealedError::List { path: path(), error })?;
    let list = SealedList { category: sealed.category, table: Arc::new(table) };
    Ok((list, octets, key_text))
}

/// The identity of a list and its key: device, inode, size, mode, and times of change.
fn identity(path: &Path, key: &Path) -> Result<String, SealedError> {
    let mut hasher = blake3::Hasher::new();
    for (path, what) in [(path, What::List), (key, What::Key)] {
        let unread = |error| SealedError::Read { path: path.to_owned(), what, error };
        let found = read::metadata(path).map_err(unread)?;
        hasher.update(format!("{:?} {}\n", Stat::of(&found), found.mode()).as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}
