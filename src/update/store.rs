//! Generations of releases below the state directory, and the mark beside them.
//!
//! ```text
//! incoming-…/ ▶ every file and directory flushed ▶ rename to N/ ▶ mark.json ▶ current
//! ```
//!
//! Laws:
//!
//! - What is in use is a directory that was whole before it had its name, and is never written again;
//!   a power cut at any moment leaves the old pointer or the new one.
//! - Going back makes a new generation of old files with the newest trust memory: metadata versions
//!   never fall.
//! - The mark is written before the pointer, and by rename. Its versions are lowered only by a command that names
//!   the root to trust from then on.
//! - Memory that cannot be read is *lost*, and said to be; what is left of it holds.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use tracing::warn;

use super::error::UpdateError;
use super::trust::HighWater;
use crate::load::release::{
    self, CURRENT, DESCRIPTION, Generation, MARK, Pointer, RELEASES, TRUST,
};
use crate::sys::os;
use crate::sys::read;
use crate::sys::state_dir::acting::Acting;
use crate::sys::state_dir::{self, StateDir};

/// The lock that one update at a time holds.
pub(crate) const LOCK: &str = "lock";
/// The beginning of the names of generations in the making.
pub(super) const INCOMING: &str = "incoming-";
/// The files of the trust memory whose loss would let a rollback pass.
const MEMORY: [&str; 2] = ["timestamp.json", "snapshot.json"];

/// Generations in the making by this process, for their names.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// What was seen of a repository, whatever becomes of a generation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// BLAKE3 of the root that the gateway was enrolled with.
    pub root: String,
    /// The highest versions of metadata.
    pub versions: HighWater,
    /// The highest release that was in use.
    pub release: u64,
    /// A release that was refused after its download, and is not tried again.
    pub rejected: Option<RejectedRelease>,
}

/// A release that is not tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectedRelease {
    /// The release.
    pub serial: u64,
    /// The reason, of the closed set.
    pub reason: String,
    /// The fault, for people.
    pub why: String,
    /// Seconds since 1970.
    pub at: u64,
}

/// The store of one gateway.
#[derive(Debug, Clone)]
pub struct ReleaseStore {
    pub(super) state: PathBuf,
    dir: StateDir,
}

/// The right to change a store, as its owner; it ends with the value, and with the process.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
    _acting: Acting,
}

/// A generation in the making: a directory that is removed unless it is completed.
#[derive(Debug)]
pub struct Incoming {
    path: PathBuf,
    is_complete: bool,
}

impl Incoming {
    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.is_complete {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

impl ReleaseStore {
    /// The store below a state directory.
    ///
    /// # Errors
    ///
    /// [`UpdateError::File`].
    pub fn open(state: &StateDir) -> Result<Self, UpdateError> {
        let path = state.join(RELEASES);
        let dir = state.subdirectory(RELEASES);
        let dir = dir.map_err(|error| failed(&path, io::Error::other(error)))?;
        Ok(Self { state: state.path().to_owned(), dir })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The directory of the store, whose files are replaced whole.
    pub(super) fn dir(&self) -> &StateDir {
        &self.dir
    }

    /// Takes the right to change it, and removes what an update that was cut off has left.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Busy`] while another update has it; [`UpdateError::File`].
    pub fn lock(&self) -> Result<StoreLock, UpdateError> {
        let path = self.dir.join(LOCK);
        let acting = self.dir.act_as_owner().map_err(|error| failed(&path, error))?;
        let mut options = OpenOptions::new();
        // A FIFO would wait for ever, and a link could be to anything.
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        let file = options.create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|error| failed(&path, error))?;
        match os::try_lock(&file) {
            Ok(true) => {}
            Ok(false) => return Err(UpdateError::Busy),
            Err(error) => return Err(failed(&path, error)),
        }
        let lock = StoreLock { _file: file, _acting: acting };
        self.sweep(&lock);
        Ok(lock)
    }

    /// The directory of a generation.
    pub fn directory(&self, generation: &Generation) -> PathBuf {
        self.dir.join(generation.number.to_string())
    }

    /// All generations, by their numbers.
    pub fn generations(&self) -> Vec<Generation> {
        release::generations(&self.state)
    }

    /// The generation in use.
    pub fn current(&self) -> Option<Generation> {
        release::in_use(&self.state).and_then(|directory| release::description(&directory))
    }

    /// What was seen, as far as it is still known.
    ///
    /// A mark that cannot be read is made anew of what the generations say of themselves.
    ///
    /// # Errors
    ///
    /// [`UpdateError::MemoryLost`] where nothing is left: an old repository would be taken for a new
    /// one.
    pub fn mark(&self) -> Result<Mark, UpdateError> {
        let path = self.dir.join(MARK);
        let read = read::octets(&path, read::MAX_TEXT);
        let is_new = matches!(&read, Err(error) if error.kind() == io::ErrorKind::NotFound)
            && release::pointer(&self.state) == Pointer::None;
        if is_new {
            return Ok(Mark::default());
        }
        let parsed = read.ok().and_then(|octets| serde_json::from_slice::<Mark>(&octets).ok());
        if let Some(mark) = parsed {
            return Ok(mark);
        }
        let all = self.generations();
        if all.is_empty() {
            return Err(UpdateError::MemoryLost { path: self.path().to_owned() });
        }
        let versions = all.iter().fold(HighWater::default(), |known, generation| {
            known.raised_by(&HighWater(generation.versions.clone()))
        });
        let release = all.iter().map(|one| one.serial).max().unwrap_or(0);
        Ok(Mark { versions, release, ..Mark::default() })
    }

    /// Begins a new memory where nothing is left of the one before; whether it does.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Busy`], [`UpdateError::File`].
    pub fn forget_lost(&self) -> Result<bool, UpdateError> {
        let _lock = self.lock()?;
        if !matches!(self.mark(), Err(UpdateError::MemoryLost { .. })) {
            return Ok(false);
        }
        for path in [CURRENT, MARK].map(|file| self.dir.join(file)) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&path, error));
                }
                _ => {}
            }
        }
        Ok(true)
    }

    /// Whether a part of the memory against rollback cannot be read.
    pub fn is_memory_lost(&self) -> bool {
        let is_whole = |path: &Path| {
            read::octets(path, read::MAX_TEXT).is_ok_and(|octets| {
                serde_json::from_slice::<serde::de::IgnoredAny>(&octets).is_ok()
            })
        };
        if release::pointer(&self.state) == Pointer::None && !self.dir.join(MARK).exists() {
            return false;
        }
        let trust = self.current().map(|generation| self.directory(&generation).join(TRUST));
        let is_torn =
            trust.is_some_and(|trust| MEMORY.iter().any(|one| !is_whole(&trust.join(one))));
        is_torn || !is_whole(&self.dir.join(MARK))
    }

    /// Writes what was seen. Versions and release only rise.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]; the old mark holds then.
    pub fn raise(&self, _lock: &StoreLock, seen: &Mark) -> Result<(), UpdateError> {
        let old = self.mark()?;
        let mark = Mark {
            root: seen.root.clone(),
            versions: old.versions.clone().raised_by(&seen.versions),
            release: old.release.max(seen.release),
            rejected: seen.rejected.clone(),
        };
        let path = self.dir.join(MARK);
        if mark == old && path.exists() {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(&mark).unwrap_or_default();
        self.dir.replace(MARK, &text).map_err(|error| failed(&path, error))
    }

    /// Writes a mark in the place of whatever there is: a person trusts its root from now on.
    ///
    /// # Errors
    ///
    /// [`UpdateError::File`]; the old mark holds then.
    pub fn begin_anew(&self, _lock: &StoreLock, mark: &Mark) -> Result<(), UpdateError> {
        let text = serde_json::to_vec_pretty(mark).unwrap_or_default();
        self.dir.replace(MARK, &text).map_err(|error| failed(&self.dir.join(MARK), error))
    }

    /// Begins a generation, with a copy of the newest trust memory.
    ///
    /// # Errors
    ///
    /// [`UpdateError::File`].
    pub fn begin(&self, _lock: &StoreLock) -> Result<Incoming, UpdateError> {
        let number = BEGUN.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("{INCOMING}{}-{number}", std::process::id()));
        let incoming = Incoming { path, is_complete: false };
        let trust = incoming.path.join(TRUST);
        fs::create_dir_all(&trust).map_err(|error| failed(&trust, error))?;
        self.copy_memory(&trust)?;
        Ok(incoming)
    }

    /// Copies the newest trust memory to a directory.
    pub(super) fn copy_memory(&self, to: &Path) -> Result<(), UpdateError> {
        let Some(current) = self.current() else { return Ok(()) };
        let from = self.directory(&current).join(TRUST);
        copy_files(&from, to).map_err(|error| failed(&from, error))
    }

    /// Gives a generation its number and its name, once every octet of it is on the disk.
    ///
    /// # Errors
    ///
    /// [`UpdateError::File`]; it is removed then.
    pub fn complete(
        &self,
        _lock: &StoreLock,
        mut incoming: Incoming,
        description: Generation,
    ) -> Result<Generation, UpdateError> {
        let numbers = release::numbers(&self.state).map_err(|error| failed(self.path(), error))?;
        let last = numbers.into_iter().max().unwrap_or(0);
        let generation = Generation { number: last + 1, ..description };
        let text = serde_json::to_vec_pretty(&generation).unwrap_or_default();
        let name = incoming.path.join(DESCRIPTION);
        fs::write(&name, text).map_err(|error| failed(&name, error))?;
        flush(&incoming.path).map_err(|error| failed(&incoming.path, error))?;
        let directory = self.directory(&generation);
        let renamed = fs::rename(&incoming.path, &directory)
            .and_then(|()| File::open(self.path())?.sync_all());
        renamed.map_err(|error| failed(&directory, error))?;
        incoming.is_complete = true;
        Ok(generation)
    }

    /// Puts a generation in use: first the mark, then the pointer.
    ///
    /// # Errors
    ///
    /// [`UpdateError::File`]; the generation before is in use then.
    pub fn adopt(
        &self,
        lock: &StoreLock,
        generation: &Generation,
        seen: &Mark,
    ) -> Result<(), UpdateError> {
        let versions = seen.versions.clone().raised_by(&HighWater(generation.versions.clone()));
        let release = seen.release.max(generation.serial);
        self.raise(lock, &Mark { versions, release, ..seen.clone() })?;
        if let Err(error) = self.point(generation.number) {
            if release::pointer(&self.state) != Pointer::To(generation.number) {
                return Err(error);
            }
            // A power cut may bring the old pointer back, and that is as good.
            warn!("the release in use may not outlive a power cut: {error}");
        }
        self.sweep(lock);
        Ok(())
    }

    /// Removes a generation that is not in use.
    pub fn discard(&self, _lock: &StoreLock, generation: &Generation) {
        // A pointer that cannot be read may be to it.
        let is_in_use = match release::pointer(&self.state) {
            Pointer::None => false,
            Pointer::To(number) => number == generation.number,
            Pointer::Lost => true,
        };
        if !is_in_use {
            self.remove(generation.number);
        }
    }

    /// A new generation with the release of an older one, and the newest trust memory.
    ///
    /// # Errors
    ///
    /// [`UpdateError::NotKept`] where no generation has the release; [`UpdateError::Lower`] where the
    /// release in use forbids it; [`UpdateError::File`].
    pub fn again(
        &self,
        lock: &StoreLock,
        serial: Option<u64>,
    ) -> Result<(Generation, PathBuf), UpdateError> {
        let all = self.generations();
        let current = self.current();
        let least = current.as_ref().map_or(0, |one| one.min_release);
        // A higher release may be one that the department took back.
        let is_lower = |one: &Generation| current.as_ref().is_none_or(|c| one.serial < c.serial);
        let is_it = |one: &&Generation| serial.map_or_else(|| is_lower(one), |s| one.serial == s);
        let before = all.iter().rev().find(is_it);
        let Some(before) = before else {
            let kept = all.iter().map(|one| one.serial.to_string()).collect::<Vec<_>>();
            return Err(UpdateError::NotKept { kept: kept.join(", ") });
        };
        if before.serial < least {
            return Err(UpdateError::Lower { release: before.serial, least });
        }
        self.copy(lock, before)
    }
}

impl ReleaseStore {
    /// Leaves a release: the newest lower one that is kept is in use, else the newest other one, or
    /// none.
    ///
    /// # Errors
    ///
    /// [`UpdateError::File`].
    pub fn leave(&self, lock: &StoreLock, serial: u64, seen: &Mark) -> Result<(), UpdateError> {
        self.raise(lock, seen)?;
        // What cannot be listed is not none: the release in use stays.
        release::numbers(&self.state).map_err(|error| failed(self.path(), error))?;
        let all = self.generations();
        let lower = all.iter().rev().find(|one| one.serial < serial);
        if let Some(other) = lower.or_else(|| all.iter().rev().find(|one| one.serial != serial)) {
            let (generation, _) = self.copy(lock, other)?;
            return self.adopt(lock, &generation, seen);
        }
        // A pointer that is gone would be taken for one that is lost.
        self.point(0)
    }

    /// Replaces the pointer; 0 stands for no release.
    fn point(&self, number: u64) -> Result<(), UpdateError> {
        let written = self.dir.replace(CURRENT, format!("{number}\n").as_bytes());
        written.map_err(|error| failed(&self.dir.join(CURRENT), error))
    }

    /// A new generation with the files of another one, and the newest trust memory.
    fn copy(
        &self,
        lock: &StoreLock,
        of: &Generation,
    ) -> Result<(Generation, PathBuf), UpdateError> {
        let incoming = self.begin(lock)?;
        let from = self.directory(of);
        link_all(&from, incoming.path()).map_err(|error| failed(&from, error))?;
        let versions = self.current().map_or_else(BTreeMap::new, |one| one.versions);
        let description = Generation { versions, ..of.clone() };
        let generation = self.complete(lock, incoming, description)?;
        let directory = self.directory(&generation);
        Ok((generation, directory))
    }
}

/// The error of a file of the store.
pub(super) fn failed(path: &Path, error: io::Error) -> UpdateError {
    UpdateError::File { path: path.to_owned(), error }
}

/// Copies the files of a directory.
fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    for (path, metadata) in read::directory(from)? {
        if let Some(name) = path.file_name().filter(|_| metadata.is_file()) {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// Links all files of a generation but its description and its trust memory: none is ever written
/// again.
fn link_all(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if name == TRUST || name == DESCRIPTION {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::create_dir(to.join(&name))?;
            link_all(&path, &to.join(&name))?;
        } else {
            fs::hard_link(&path, to.join(&name))?;
        }
    }
    Ok(())
}

/// Flushes every file and directory below a path, and the path itself.
fn flush(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            flush(&entry.path())?;
        } else {
            let file = File::open(entry.path())?;
            file.sync_all()?;
            // A file with another name was written before.
            let of = file.metadata()?;
            state_dir::wrote(if of.nlink() == 1 { of.len() } else { 0 });
        }
    }
    File::open(path)?.sync_all()
}
