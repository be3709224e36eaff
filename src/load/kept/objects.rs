//! Content-addressed objects: octets by their digest, compressed.
//!
//! Law: an object is written once, and is what its digest says or it is none. Where the state
//! directory cannot take one, it is in memory: a full disk costs persistence and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The most octets of an object, packed and unpacked: as long as a list can be.
const MAX_OCTETS: u64 = 1 << 30;

/// Objects of a directory, and those that it could not take.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    directory: Option<StateDir>,
    memory: Arc<Mutex<BTreeMap<String, Arc<[u8]>>>>,
}

impl Objects {
    /// Objects in a directory; those in memory stay.
    pub(super) fn at(&mut self, directory: Option<StateDir>) {
        self.directory = directory;
    }

    /// The digest of octets.
    pub fn digest(octets: &[u8]) -> String {
        blake3::hash(octets).to_hex().to_string()
    }

    /// True where there is an object of this digest; its octets are judged when they are used.
    pub fn has(&self, digest: &str) -> bool {
        self.memory().contains_key(digest) || self.is_on_disk(digest)
    }

    /// The octets of a digest.
    pub fn get(&self, digest: &str) -> Option<Vec<u8>> {
        let in_memory = self.memory().get(digest).cloned();
        if let Some(packed) = in_memory {
            return unpack(&packed, digest);
        }
        let directory = self.directory.as_ref().filter(|_| is_digest(digest))?;
        let octets = read::octets(&directory.join(digest), MAX_OCTETS).ok();
        let octets = octets.and_then(|one| unpack(&one, digest));
        if octets.is_none() {
            // A damaged object makes room for the next good copy.
            let _ = directory.remove(digest);
        }
        octets
    }

    /// Takes octets into memory, until a generation that names them is written or they are
    /// dropped; returns their digest.
    pub fn hold(&self, octets: &[u8]) -> String {
        let digest = Self::digest(octets);
        if !self.has(&digest) {
            let packed = pack(octets);
            self.memory().insert(digest.clone(), packed.into());
        }
        digest
    }

    /// Moves an object from memory to the disk; false where it cannot be written.
    pub(super) fn flush(&self, digest: &str) -> bool {
        if self.is_on_disk(digest) {
            self.memory().remove(digest);
            return true;
        }
        let packed = self.memory().get(digest).cloned();
        let (Some(packed), Some(directory)) = (packed, &self.directory) else { return false };
        let is_written = directory.replace(digest, &packed).is_ok();
        if is_written {
            self.memory().remove(digest);
        }
        is_written
    }

    /// True where all of these are on the disk.
    pub(super) fn have_all(&self, used: &BTreeSet<&str>) -> bool {
        used.iter().all(|digest| self.is_on_disk(digest))
    }

    /// Drops all objects in memory but these.
    pub(super) fn retain_in_memory(&self, used: &BTreeSet<&str>) {
        self.memory().retain(|digest, _| used.contains(digest.as_str()));
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
        for file in fs::read_dir(directory.path()).into_iter().flatten().flatten() {
            let name = file.file_name();
            if let Some(name) = name.to_str().filter(|name| is_digest(name) && !used.contains(name))
            {
                let _ = directory.remove(name);
            }
        }
    }

    fn is_on_disk(&self, digest: &str) -> bool {
        let directory = self.directory.as_ref().filter(|_| is_digest(digest));
        directory.is_some_and(|directory| directory.join(digest).is_file())
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

fn unpack(packed: &[u8], digest: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let read: io::Result<usize> = GzDecoder::new(packed).take(MAX_OCTETS).read_to_end(&mut octets);
    read.ok().filter(|_| Objects::digest(&octets) == digest)?;
    Some(octets)
}

#[cfg(test)]
mod tests {
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
        let unfinished = path.with_file_name(format!(".{digest}.{}-1.new", u32::MAX));
        fs::write(&unfinished, "half").unwrap();
        objects.sweep();
        assert!(path.exists() && !unfinished.exists());
        objects.retain(&BTreeSet::new());
        assert!(!path.exists() && objects.get("../../etc/passwd").is_none());
    }
}
