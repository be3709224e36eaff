//! Content-addressed objects: octets by their digest, compressed.
//!
//! Laws: an object is written once, and is what its digest says or it is none. What cannot be read
//! now is not absent, and not bad: it is left alone and read again; an object is removed only where
//! its octets were read whole and are others. Where the state directory cannot take one, it is in
//! memory: a full disk costs persistence and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tracing::{info, warn};

use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The most octets of an object, packed and unpacked: as long as a list can be.
const MAX_OCTETS: u64 = 1 << 30;
/// Octets that are unpacked at once.
const PIECE: usize = 64 << 10;
/// The most objects that the log names: one bad sector is told, a dead disk is told by the first ones.
const MOST_TOLD: usize = 8;

/// Objects of a directory, and those that it could not take.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    directory: Option<StateDir>,
    memory: Arc<Mutex<BTreeMap<String, Arc<[u8]>>>>,
    known: Arc<Mutex<Known>>,
}

/// What this process knows of objects on the disk.
#[derive(Debug, Default)]
struct Known {
    /// Those that it has read, or written, and that are what their digests say.
    good: BTreeSet<String>,
    /// Those that it cannot read now, each with its path and the fault.
    unread: BTreeMap<String, String>,
}

impl Objects {
    /// Objects in a directory; those in memory stay.
    pub(super) fn at(&mut self, directory: Option<StateDir>) {
        self.directory = directory;
        self.known = Arc::default();
    }

    /// The same, with what is in the memory of others.
    pub(super) fn with_memory_of(self, others: &Self) -> Self {
        Self { memory: Arc::clone(&others.memory), ..self }
    }

    /// The digest of octets.
    pub fn digest(octets: &[u8]) -> String {
        blake3::hash(octets).to_hex().to_string()
    }

    /// True where there is an object of this digest, or may be: its octets are judged when they are
    /// used.
    pub fn has(&self, digest: &str) -> bool {
        if self.memory().contains_key(digest) {
            return true;
        }
        let Some(path) = self.place(digest) else { return false };
        !read::metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// True where the octets of this digest are in memory, or were read and are good. An object on the
    /// disk is read for this once in the life of a process: it may have rotted in its place.
    pub fn is_sound(&self, digest: &str) -> bool {
        if self.memory().contains_key(digest) {
            return true;
        }
        let is_known = self.known().good.contains(digest);
        if is_known && self.is_on_disk(digest) {
            return true;
        }
        self.unpack_from_disk(digest, &mut io::sink()).unwrap_or(false)
    }

    /// True but for an object that could not be read, and still cannot be.
    pub(super) fn can_be_read(&self, digest: &str) -> bool {
        self.unread(digest).is_none() || self.unpack_from_disk(digest, &mut io::sink()).is_ok()
    }

    /// Why an object could not be read when it was last tried, with its path.
    pub(super) fn unread(&self, digest: &str) -> Option<String> {
        self.known().unread.get(digest).cloned()
    }

    /// True where an object could not be read when it was last tried.
    pub(super) fn has_unread(&self) -> bool {
        !self.known().unread.is_empty()
    }

    /// The octets of a digest, if they can be read.
    pub fn get(&self, digest: &str) -> Option<Vec<u8>> {
        self.read(digest).ok().flatten()
    }

    /// The octets of a digest; none where there is no good object.
    ///
    /// # Errors
    ///
    /// That there is one, or may be, which cannot be read now.
    pub fn read(&self, digest: &str) -> io::Result<Option<Vec<u8>>> {
        let in_memory = self.memory().get(digest).cloned();
        let mut octets = Vec::new();
        let is_good = match in_memory {
            Some(packed) => unpack(&packed, digest, &mut octets),
            None => self.unpack_from_disk(digest, &mut octets)?,
        };
        Ok(is_good.then_some(octets))
    }

    /// Unpacks an object on the disk; false where there is none, or none that is good.
    fn unpack_from_disk(&self, digest: &str, to: &mut impl io::Write) -> io::Result<bool> {
        let Some(path) = self.place(digest) else { return Ok(false) };
        let is_good = match read::octets(&path, MAX_OCTETS) {
            Ok(packed) => unpack(&packed, digest, to),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.note(digest, false);
                return Ok(false);
            }
            Err(error) => return Err(self.note_unread(digest, &path, &error)),
        };
        if self.note(digest, is_good) {
            info!("{}: what is kept can be read again", path.display());
        }
        if let Some(directory) = self.directory.as_ref().filter(|_| !is_good) {
            warn!("{}: what is kept there is damaged, and dropped", path.display());
            // It makes room for the next good copy.
            let _ = directory.remove(digest);
        }
        Ok(is_good)
    }

    /// Notes that an object is good, or gone; true where it could not be read before.
    fn note(&self, digest: &str, is_good: bool) -> bool {
        let mut known = self.known();
        if is_good {
            known.good.insert(digest.to_owned());
        } else {
            known.good.remove(digest);
        }
        known.unread.remove(digest).is_some()
    }

    /// Notes that an object cannot be read, and says so once.
    fn note_unread(&self, digest: &str, path: &Path, error: &io::Error) -> io::Error {
        let fault = format!("{}: {error}", path.display());
        let mut known = self.known();
        // Whatever it was before: it is read again when it is next asked for.
        known.good.remove(digest);
        let before = known.unread.insert(digest.to_owned(), fault.clone());
        let is_told = before.as_ref() == Some(&fault) || known.unread.len() > MOST_TOLD;
        drop(known);
        if !is_told {
            warn!("what is kept cannot be read; it is left as it is, and looked at again: {fault}");
        }
        io::Error::new(error.kind(), format!("its kept copy cannot be read: {fault}"))
    }

    /// Takes octets into memory, until a generation that names them is written or they are
    /// dropped; returns their digest. A good object on the disk is not written again.
    pub fn hold(&self, octets: &[u8]) -> String {
        let digest = Self::digest(octets);
        if !self.is_sound(&digest) {
            let packed = pack(octets);
            self.memory().insert(digest.clone(), packed.into());
        }
        digest
    }

    /// Moves an object from memory to the disk; false where it cannot be written.
    pub(super) fn flush(&self, digest: &str) -> bool {
        let packed = self.memory().get(digest).cloned();
        let Some(packed) = packed else { return self.is_named(digest) };
        let is_good = self.known().good.contains(digest);
        if !is_good || !self.is_on_disk(digest) {
            // In the place of one that has rotted, too, or that cannot be read.
            let Some(directory) = &self.directory else { return false };
            if directory.replace(digest, &packed).is_err() {
                return false;
            }
            self.note(digest, true);
        }
        self.memory().remove(digest);
        true
    }

    /// True where all of these are on the disk, as far as that is known, and none waits to be written.
    pub(super) fn have_all(&self, used: &BTreeSet<&str>) -> bool {
        let waits = |digest: &str| self.memory().contains_key(digest);
        used.iter().all(|digest| self.is_named(digest) && !waits(digest))
    }

    /// Drops all objects in memory but these, and what is known of others.
    pub(super) fn retain_in_memory(&self, used: &BTreeSet<&str>) {
        self.memory().retain(|digest, _| used.contains(digest.as_str()));
        let mut known = self.known();
        known.good.retain(|digest| used.contains(digest.as_str()));
        known.unread.retain(|digest, _| used.contains(digest.as_str()));
    }

    /// Drops those that a power cut has left unfinished: no other write of the same name may come
    /// that sweeps them away.
    pub(super) fn sweep(&self) {
        if let Some(directory) = &self.directory {
            directory.sweep_unfinished();
        }
    }

    /// Drops all objects but these.
    pub(super) fn retain(&self, used: &BTreeSet<&str>) {
        self.retain_in_memory(used);
        let Some(directory) = &self.directory else { return };
        for path in read::names(directory.path()).into_iter().flatten() {
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(name) = name.filter(|name| is_digest(name) && !used.contains(name)) {
                let _ = directory.remove(name);
            }
        }
    }

    /// Where an object is on the disk, if any can be there.
    fn place(&self, digest: &str) -> Option<PathBuf> {
        let directory = self.directory.as_ref().filter(|_| is_digest(digest))?;
        Some(directory.join(digest))
    }

    fn is_on_disk(&self, digest: &str) -> bool {
        self.place(digest).is_some_and(|path| read::is_file(&path))
    }

    /// True where a manifest may name an object that is not in memory: it is there, or cannot be read
    /// now, which is no absence.
    fn is_named(&self, digest: &str) -> bool {
        self.is_on_disk(digest) || self.unread(digest).is_some()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn memory(&self) -> MutexGuard<'_, BTreeMap<String, Arc<[u8]>>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True for 64 hexadecimal digits: a manifest leads to no other file.
fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|octet| octet.is_ascii_hexdigit())
}

fn pack(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(octets);
    encoder.finish().unwrap_or_default()
}

/// Unpacks octets; false where they are not what the digest says.
fn unpack(packed: &[u8], digest: &str, to: &mut impl io::Write) -> bool {
    let mut unpacked = GzDecoder::new(packed).take(MAX_OCTETS);
    let (mut hasher, mut piece) = (blake3::Hasher::new(), vec![0; PIECE]);
    loop {
        let length = match unpacked.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(_) => return false,
        };
        let octets = piece.get(..length).unwrap_or_default();
        hasher.update(octets);
        if to.write_all(octets).is_err() {
            return false;
        }
    }
    hasher.finalize().to_hex().as_str() == digest
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_object_is_what_its_digest_says_or_it_is_none() {
        let scratch = tempfile::tempdir().unwrap();
        let mut objects = Objects::default();
        let digest = objects.hold(b"bad.example\n");
        assert!(!objects.flush(&digest) && objects.get(&digest).unwrap() == b"bad.example\n");
        objects.at(Some(StateDir::at(scratch.path().join("objects")).unwrap()));
        assert!(objects.flush(&digest) && objects.memory().is_empty());
        assert_eq!(objects.get(&digest).unwrap(), b"bad.example\n");
        let path = scratch.path().join("objects").join(&digest);
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        assert!(objects.flush(&objects.hold(b"bad.example\n")));
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written, "written once");
        for damage in [&b""[..], b"torn", &pack(b"other.example\n")] {
            fs::write(&path, damage).unwrap();
            assert_eq!(objects.get(&digest), None);
            assert!(!objects.has(&digest) && objects.flush(&objects.hold(b"bad.example\n")));
        }
        // Zeros in its place: noticed once in a life, and written anew from the text.
        let length = fs::metadata(&path).unwrap().len();
        fs::write(&path, vec![0; length as usize]).unwrap();
        objects.at(objects.directory.clone());
        assert!(objects.flush(&objects.hold(b"bad.example\n")));
        assert_eq!(objects.get(&digest).unwrap(), b"bad.example\n");
        let unfinished = path.with_file_name(format!(".{digest}.{}-1.new", u32::MAX));
        fs::write(&unfinished, "half").unwrap();
        objects.sweep();
        assert!(path.exists() && !unfinished.exists());
        objects.retain(&BTreeSet::new());
        assert!(!path.exists() && objects.get("../../etc/passwd").is_none());
    }

    #[test]
    fn an_object_that_cannot_be_read_is_left_alone_and_read_again() {
        let scratch = tempfile::tempdir().unwrap();
        let mut objects = Objects::default();
        objects.at(Some(StateDir::at(scratch.path().join("objects")).unwrap()));
        let digest = objects.hold(b"bad.example\n");
        assert!(objects.flush(&digest));
        let path = scratch.path().join("objects").join(&digest);
        let aside = scratch.path().join("aside");
        fs::rename(&path, &aside).unwrap();
        // A directory in its place is a fault of the read, as a worn sector is.
        fs::create_dir(&path).unwrap();
        let fault = objects.read(&digest).unwrap_err();
        assert!(fault.to_string().contains(path.to_str().unwrap()), "{fault}");
        assert!(path.exists() && objects.has(&digest) && objects.has_unread());
        assert!(!objects.is_sound(&digest) && !objects.can_be_read(&digest));
        // Its text in force is held meanwhile.
        objects.hold(b"bad.example\n");
        assert_eq!(objects.get(&digest).unwrap(), b"bad.example\n");
        assert!(!objects.flush(&digest) && objects.has_unread());
        objects.retain_in_memory(&BTreeSet::from([digest.as_str()]));
        assert_eq!(objects.memory().len(), 1);
        fs::remove_dir(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
        assert!(objects.can_be_read(&digest) && !objects.has_unread());
        assert!(objects.flush(&digest) && objects.memory().is_empty());
        assert_eq!(objects.get(&digest).unwrap(), b"bad.example\n");
        // One that was good in this life is read again, too.
        fs::rename(&path, &aside).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(objects.read(&digest).is_err() && objects.has_unread());
        fs::remove_dir(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
        assert!(objects.is_sound(&digest) && !objects.has_unread());
    }
}
