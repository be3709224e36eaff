//! Pack files → [`Pack`]s: verified, mapped, stored.
//!
//! With a state directory a pack is served from a copy in it, which no other program writes:
//! neither a `cp` over the delivered file nor an interrupted transfer can change the octets in use.
//! A copy is verified in full once; a small file beside it has the identity of its octets (inode,
//! size, times), which the next start compares. Without a state directory packs are in memory.
//!
//! A mapping exists until its last reader drops it; a file that is removed meanwhile stays readable
//! till then.

use std::cmp::Reverse;
use std::fs::{self, File, Metadata};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::digest::hex;
use crate::lang::{Lang, Message, messages, os_error};
use crate::load::lists::compile_lists::ReadFailure;
use crate::load::lists::list_error::ListError;
use crate::load::lists::open_error::OpenError;
use crate::pack::{BuildError, Owner, Pack};
use crate::sys::mapped;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The extension of pack files.
const EXTENSION: &str = "pack";
/// The identities of verified copies.
const STAMPS: &str = "verified.json";
/// The file that is being copied or compiled.
const INCOMING: &str = "incoming";
/// Copies of delivered packs that stay: enough to go back to the day before yesterday.
const KEPT: usize = 3;
/// The most octets of a pack that is held in memory.
const MAX_PACK: u64 = 2 << 30;
/// Changes of files that follow each other so closely, in nanoseconds, are one act.
const MOMENT: i128 = 100_000_000;

/// The identity of a file: the same numbers, the same octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stat {
    /// The identity of a file with this metadata.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A copy that was verified, and its origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    /// The origin of the copy: a delivered file, or texts.
    of: String,
    file: String,
    stat: Stat,
    check: String,
}

/// Opens packs, and verifies each copy once.
#[derive(Debug, Default)]
pub struct PackStore {
    state: Option<StateDir>,
    /// True where this process writes to the state directory; else it only reads it.
    writes: bool,
    stamps: Vec<Stamp>,
    /// Packs in use, by their origin.
    open: Vec<(String, Arc<Pack>)>,
    /// Packs that could not be read since this was last taken.
    pub(super) unread: Vec<PathBuf>,
}

impl PackStore {
    /// A store that writes to the state directory; others only read it.
    pub fn writing() -> Self {
        Self { writes: true, ..Self::default() }
    }

    /// True where it writes to the state directory.
    pub fn writes(&self) -> bool {
        self.writes
    }

    /// Sets the directory of packs; `None` puts them in memory.
    pub fn at(&mut self, state: Option<StateDir>) {
        if self.state != state {
            self.stamps = state.as_ref().map(stamps).unwrap_or_default();
            self.state = state;
        }
    }

    /// The newest pack in `directory` that verifies, and in which `fault` finds nothing; with the
    /// faults of newer ones, in a language.
    ///
    /// # Errors
    ///
    /// The fault of the directory, or of each pack in it.
    pub fn newest(
        &mut self,
        directory: &Path,
        lang: Lang,
        fault: impl Fn(&Pack) -> Option<Message>,
    ) -> Result<(Arc<Pack>, Vec<String>), String> {
        let unreadable =
            |error| messages::packs_unread(directory.display(), os_error(&error)).in_lang(lang);
        let candidates = candidates(directory).map_err(unreadable)?;
        let mut complaints = Vec::new();
        for (path, stat) in &candidates {
            let is_later = |(_, other): &&(PathBuf, Stat)| other.modified > stat.modified;
            let behind = candidates.iter().skip_while(|(other, _)| other != path);
            let later: Vec<_> = behind.filter(is_later).map(|(path, _)| path.display()).collect();
            match self.delivered(path, *stat) {
                Ok((pack, whole)) => {
                    let (names, digest, path) = (pack.len(), hex(&pack.digest()), path.display());
                    if let Some(fault) = fault(&pack) {
                        complaints.push(format!("{path}: {}", fault.in_lang(lang)));
                        continue;
                    }
                    match whole {
                        Whole::Yes => info!(names, digest, "{path}: the pack in use"),
                        Whole::No => {
                            complaints
                                .push(format!("{path}: {}", OpenError::Fragment.in_lang(lang)));
                        }
                    }
                    for later in &later {
                        info!("{later}: was modified later, but put there earlier; not in use");
                    }
                    return Ok((pack, complaints));
                }
                Err(error) => {
                    if matches!(&error, OpenError::Read(error) if read::is_unread(error)) {
                        self.unread.push(path.clone());
                    }
                    complaints.push(format!("{}: {}", path.display(), error.in_lang(lang)));
                }
            }
        }
        let none = || messages::packs_none(directory.display()).in_lang(lang);
        Err(if complaints.is_empty() { none() } else { complaints.join("; ") })
    }

    /// A pack that was delivered. One that was whole when it was verified, and is not any more, is
    /// served from the copy of it.
    fn delivered(&mut self, path: &Path, stat: Stat) -> Result<(Arc<Pack>, Whole), OpenError> {
        let place = format!("{} ", path.display());
        let of = format!("{place}{stat:?}");
        if let Some(pack) = self.known(&of) {
            return Ok((pack, Whole::Yes));
        }
        let mut file = read::open(path)?;
        let Some(state) = self.state.clone().filter(|_| self.writes) else {
            let mut octets = Vec::new();
            file.take(MAX_PACK).read_to_end(&mut octets)?;
            return Ok((self.keep(of, Pack::verify(Arc::new(octets))?), Whole::Yes));
        };
        // The front has a checksum of all octets: a pack that is delivered again is not copied
        // again, but looked at octet for octet.
        let mut front = Vec::new();
        file.by_ref().take(Pack::FRONT as u64).read_to_end(&mut front)?;
        let check = Pack::check_of(&front)?;
        let text = hex(&check);
        let mut again = self.stamps.iter().rev().filter(|stamp| stamp.check == text);
        let here = again.clone().find(|stamp| stamp.of.starts_with(&place));
        if let Some(stamp) = here.or(again.next()).cloned() {
            let is_its_own = stamp.of.starts_with(&place) && self.may_stay(&stamp);
            if let Some(pack) = self.known(&stamp.of) {
                if is_equal(path, &state.join(&stamp.file))? {
                    self.stamps.push(Stamp { of: of.clone(), ..stamp });
                    self.open.push((of, Arc::clone(&pack)));
                    return Ok((pack, Whole::Yes));
                }
                let stays = is_its_own.then_some((pack, Whole::No));
                return stays.ok_or(OpenError::Fragment);
            }
        }
        let copied =
            state.replace_with(INCOMING, |copy| copy_by_pieces(&mut read::open(path)?, copy));
        let name = format!("{}.{EXTENSION}", &text[..16]);
        let verified = copied
            .map_err(OpenError::from)
            .and_then(|()| self.verify_copy(of.clone(), &state, name));
        match verified {
            Err(OpenError::Read(error)) => {
                // A full disk costs the copy, not the pack.
                let octets = read::octets(path, MAX_PACK)?;
                let pack = self.keep(of, Pack::verify(Arc::new(octets))?);
                let state = state.path().display();
                warn!("{state}: no pack can be kept: {error}; the pack is held in memory");
                Ok((pack, Whole::Yes))
            }
            other => Ok((other?, Whole::Yes)),
        }
    }

    /// The copy of a pack with this check, whatever it was a copy of.
    pub fn copy(&mut self, check: &str) -> Option<Arc<Pack>> {
        if let Some((_, pack)) = self.open.iter().find(|(_, pack)| hex(&pack.check()) == check) {
            return Some(Arc::clone(pack));
        }
        let of = self.stamps.iter().find(|stamp| stamp.check == check).map(|one| one.of.clone());
        if let Some(pack) = of.as_ref().and_then(|of| self.known(of)) {
            return Some(pack);
        }
        // Without a stamp, as after a backup was put back, it is verified in full.
        let path = self.state.as_ref()?.join(format!("{}.{EXTENSION}", check.get(..16)?));
        let opened = read::open(&path).and_then(|file| mapped::map(&file));
        if opened.as_ref().is_err_and(read::is_unread) {
            self.unread.push(path);
        }
        let owner: Owner = Arc::new(opened.ok()?);
        let pack = Pack::verify(owner).ok().filter(|pack| hex(&pack.check()) == check)?;
        Some(self.keep(of.unwrap_or_else(|| check.to_owned()), pack))
    }

    /// Whether a copy may be served for a file that is not whole: it is in use, or it is a start.
    fn may_stay(&self, stamp: &Stamp) -> bool {
        let is_open = |stamp: &Stamp| self.open.iter().any(|(of, _)| *of == stamp.of);
        let is_delivered = |stamp: &&Stamp| !stamp.file.starts_with("texts-");
        is_open(stamp) || !self.stamps.iter().filter(is_delivered).any(is_open)
    }

    /// The pack of this origin, if it is open or has a stamp.
    pub fn known(&mut self, of: &str) -> Option<Arc<Pack>> {
        if let Some((_, pack)) = self.open.iter().find(|(known, _)| known == of) {
            return Some(Arc::clone(pack));
        }
        let state = self.state.as_ref()?;
        let stamp = self.stamps.iter().find(|stamp| stamp.of == of)?;
        let path = state.join(&stamp.file);
        let file = read::open(&path).ok()?;
        if Stat::of(&file.metadata().ok()?) != stamp.stat {
            return None;
        }
        let check = blake3::Hash::from_hex(&stamp.check).ok()?;
        let known = mapped::map(&file).map_err(OpenError::from);
        match known.and_then(|octets| Ok(Pack::verify_known(Arc::new(octets), check.as_bytes())?)) {
            Ok(pack) => Some(self.keep(of.to_owned(), pack)),
            Err(error) => {
                warn!("{}: {error}; it is made anew", path.display());
                None
            }
        }
    }

    /// Compiles a pack with `write` into the state directory, or into memory.
    ///
    /// # Errors
    ///
    /// The error of `write`; one of the file system is logged, and the pack is in memory.
    pub fn compiled(
        &mut self,
        of: String,
        mut write: impl FnMut(Destination<'_>) -> Result<(), ReadFailure>,
    ) -> Result<Arc<Pack>, ReadFailure> {
        if let Some(state) = self.state.clone().filter(|_| self.writes) {
            let name =
                format!("texts-{}.{EXTENSION}", &hex(blake3::hash(of.as_bytes()).as_bytes())[..16]);
            let mut failed = None;
            let written = state.replace_with(INCOMING, |file| {
                write(Destination::File(file)).map_err(|error| {
                    failed = Some(error);
                    io::Error::other("not built")
                })
            });
            let opened = match (written, failed) {
                // A full disk costs the copy, not the lists.
                (Err(_), Some(ReadFailure::Whole(ListError::Build(BuildError::Write(error))))) => {
                    Err(OpenError::Read(error))
                }
                (Err(_), Some(error)) => return Err(error),
                (Err(error), None) => Err(OpenError::Read(error)),
                (Ok(()), _) => self.verify_copy(of.clone(), &state, name),
            };
            match opened {
                Ok(pack) => return Ok(pack),
                Err(error) => warn!(
                    "{}: no pack can be kept: {error}; the lists are held in memory",
                    state.path().display()
                ),
            }
        }
        let mut octets = Vec::new();
        write(Destination::Memory(&mut octets))?;
        let pack = Pack::verify(Arc::new(octets))
            .map_err(|error| BuildError::Write(io::Error::other(error)))?;
        Ok(self.keep(of, pack))
    }

    /// Verifies the incoming file, gives it its name and a stamp.
    fn verify_copy(
        &mut self,
        of: String,
        state: &StateDir,
        name: String,
    ) -> Result<Arc<Pack>, OpenError> {
        let incoming = state.join(INCOMING);
        let file = File::open(&incoming)?;
        let owner: Owner = Arc::new(mapped::map(&file)?);
        let pack = match Pack::verify(owner) {
            Ok(pack) => pack,
            Err(error) => {
                // A damaged copy must not take room.
                let _ = fs::remove_file(incoming);
                return Err(error.into());
            }
        };
        fs::rename(incoming, state.join(&name))?;
        let stat = Stat::of(&file.metadata()?);
        let check = hex(&pack.check());
        self.stamps.retain(|stamp| stamp.of != of && stamp.file != name);
        self.stamps.push(Stamp { of: of.clone(), file: name, stat, check });
        Ok(self.keep(of, pack))
    }

    fn keep(&mut self, of: String, pack: Pack) -> Arc<Pack> {
        let pack = Arc::new(pack);
        self.open.retain(|(known, _)| *known != of);
        self.open.push((of, Arc::clone(&pack)));
        pack
    }

    /// Drops all packs but those in use, and removes copies that nothing needs.
    pub fn settle(&mut self, in_use: &[Arc<Pack>]) {
        self.open.retain(|(_, pack)| in_use.iter().any(|used| Arc::ptr_eq(used, pack)));
        let Some(state) = self.state.as_ref().filter(|_| self.writes) else { return };
        let is_open = |stamp: &Stamp| self.open.iter().any(|(of, _)| *of == stamp.of);
        // Of texts the last is enough; of delivered packs some older ones stay, to go back to.
        let mut kept = 0;
        let mut stamps: Vec<Stamp> = Vec::new();
        for stamp in self.stamps.iter().rev() {
            let is_delivered = !stamp.file.starts_with("texts-");
            kept += usize::from(is_delivered);
            if is_open(stamp) || is_delivered && kept <= KEPT {
                stamps.push(stamp.clone());
            }
        }
        stamps.reverse();
        self.stamps = stamps;
        if let Err(error) = write_stamps(state, &self.stamps) {
            warn!("{}: {error}; the next start verifies all again", state.path().display());
        }
        for path in read::names(state.path()).into_iter().flatten() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_pack = Path::new(&name).extension().is_some_and(|e| e == EXTENSION);
            if is_pack && !self.stamps.iter().any(|stamp| stamp.file == name) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Whether a delivered file is all of the pack that is served for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// The place of a compiled pack.
pub enum Destination<'a> {
    /// A file of the state directory.
    File(&'a mut File),
    /// Memory.
    Memory(&'a mut Vec<u8>),
}

/// Copies a file so that queries need not wait for the whole of it.
fn copy_by_pieces(from: &mut File, to: &mut File) -> io::Result<()> {
    while io::copy(&mut from.take(mapped::PIECE as u64), to)? > 0 {}
    Ok(())
}

/// Whether two files have the same octets.
fn is_equal(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (read::open(one)?, read::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let buffered = |file| BufReader::with_capacity(mapped::PIECE, file);
    let (mut one, mut other) = (buffered(one), buffered(other));
    loop {
        let (here, there) = (one.fill_buf()?, other.fill_buf()?);
        let count = here.len().min(there.len());
        if here.get(..count) != there.get(..count) {
            return Ok(false);
        }
        if count == 0 {
            return Ok(here.len() == there.len());
        }
        one.consume(count);
        other.consume(count);
    }
}

fn stamps(state: &StateDir) -> Vec<Stamp> {
    let text = read::octets(&state.join(STAMPS), read::MAX_TEXT).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn write_stamps(state: &StateDir, stamps: &[Stamp]) -> io::Result<()> {
    let text = serde_json::to_vec(stamps)?;
    if read::octets(&state.join(STAMPS), read::MAX_TEXT).is_ok_and(|old| old == text) {
        return Ok(());
    }
    state.replace(STAMPS, &text)
}

/// The files of a directory that end in `.pack`, the one that was put there last first; of a path
/// that is a file, itself.
///
/// The time of the change of the inode tells when a file was put there, also by `cp -p` and `mv`,
/// which keep an old time of modification: that is how an operator goes back to an older pack. A
/// `chown -R` changes all of them within a moment; then the time of modification decides.
pub fn candidates(directory: &Path) -> io::Result<Vec<(PathBuf, Stat)>> {
    let own = read::metadata(directory)?;
    if own.is_file() {
        return Ok(vec![(directory.to_owned(), Stat::of(&own))]);
    }
    let mut found = Vec::new();
    for (path, metadata) in read::directory(directory)? {
        let is_hidden = path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        if is_hidden || path.extension().is_none_or(|extension| extension != EXTENSION) {
            continue;
        }
        if metadata.is_file() {
            found.push((path, Stat::of(&metadata)));
        }
    }
    Ok(by_placement(found))
}

/// The files in the order of [`candidates`].
fn by_placement(mut found: Vec<(PathBuf, Stat)>) -> Vec<(PathBuf, Stat)> {
    let nanos = |(secs, nanos): (i64, i64)| i128::from(secs) * 1_000_000_000 + i128::from(nanos);
    found.sort_by_key(|(_, stat)| Reverse(stat.changed));
    let is_together = |(_, one): &(PathBuf, Stat), (_, next): &(PathBuf, Stat)| {
        nanos(one.changed) - nanos(next.changed) <= MOMENT
    };
    for moment in found.chunk_by_mut(is_together) {
        moment.sort_by(|(path, stat), (other, others)| {
            (others.modified, other).cmp(&(stat.modified, path))
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_there_last_comes_first_and_within_a_moment_what_is_newer() {
        let stat = |changed, modified| Stat {
            device: 1,
            inode: 1,
            size: 1,
            modified: (modified, 0),
            changed,
        };
        let order = |stats: &[(&str, Stat)]| -> Vec<String> {
            let files = stats.iter().map(|(name, stat)| (PathBuf::from(name), *stat)).collect();
            by_placement(files).iter().map(|(path, _)| path.display().to_string()).collect()
        };
        let rollback = [("new", stat((1000, 0), 900)), ("old", stat((1000, 500_000_000), 100))];
        assert_eq!(order(&rollback), ["old", "new"]);
        let chown = [
            ("new", stat((1000, 0), 900)),
            ("old", stat((1000, 5_000_000), 100)),
            ("other", stat((1000, 2_000_000), 500)),
            ("first", stat((10, 0), 5000)),
        ];
        assert_eq!(order(&chown), ["new", "other", "old", "first"]);
    }
}
