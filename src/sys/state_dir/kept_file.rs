//! A file of the state directory that holds what people did, or what was counted.
//!
//! ```text
//! read ▸ Absent              there is none: NotFound alone
//!      ▸ Good(content)
//!      ▸ Bad(why)            its octets were read, and say nothing: set aside before anything is written
//!      ▸ Unread(file)        the disk or the mount gave no octets: read again
//! ```
//!
//! Law: what cannot be read now is neither absent nor bad. Nothing is written over it, it is read again
//! ([`super::AGAIN`]), and the gateway says so ([`unread`]). What is bad is set aside, over nothing that was set aside
//! before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use tracing::{error, info};

use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The most files of one name that are set aside: a disk that breaks each of them must not be filled.
const MOST_ASIDE: u32 = 20;

/// The files that this process could not read, with the number of each.
static UNREAD: Mutex<Vec<(u64, UnreadFile)>> = Mutex::new(Vec::new());

/// A file that cannot be read now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnreadFile {
    /// Its path.
    pub path: PathBuf,
    /// The error of the system.
    pub why: String,
}

/// The files that this process could not read and reads again, by path.
pub fn unread() -> Vec<UnreadFile> {
    let mut files: Vec<_> = list().iter().map(|(_, file)| file.clone()).collect();
    files.sort_unstable();
    files.dedup_by(|a, b| a.path == b.path);
    files
}

fn list() -> MutexGuard<'static, Vec<(u64, UnreadFile)>> {
    UNREAD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a file says.
#[derive(Debug)]
pub enum KeptFile<T> {
    /// There is none.
    Absent,
    /// Its content.
    Good(T),
    /// What is wrong with its octets.
    Bad(String),
    /// It could not be read.
    Unread(Unread),
}

impl KeptFile<Vec<u8>> {
    /// The octets of a file, `most` at most; a longer one is bad. One that cannot be read is logged.
    pub fn octets(path: &Path, most: u64) -> Self {
        match octets(path, most) {
            Ok(kept) => kept,
            Err(error) => Self::Unread(Unread::of(path, most, &error)),
        }
    }
}

impl<T: DeserializeOwned> KeptFile<T> {
    /// The content of a file of JSON, as [`KeptFile::octets`].
    pub fn json(path: &Path, most: u64) -> Self {
        KeptFile::octets(path, most).parsed()
    }
}

impl KeptFile<Vec<u8>> {
    /// The content of JSON.
    fn parsed<T: DeserializeOwned>(self) -> KeptFile<T> {
        match self {
            Self::Absent => KeptFile::Absent,
            Self::Good(octets) => serde_json::from_slice(&octets)
                .map_or_else(|fault| KeptFile::Bad(fault.to_string()), KeptFile::Good),
            Self::Bad(why) => KeptFile::Bad(why),
            Self::Unread(unread) => KeptFile::Unread(unread),
        }
    }
}

fn octets(path: &Path, most: u64) -> io::Result<KeptFile<Vec<u8>>> {
    match read::octets(path, most) {
        Ok(octets) => Ok(KeptFile::Good(octets)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(KeptFile::Absent),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Ok(KeptFile::Bad(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

/// Whether the names of a directory can be read.
fn names(path: &Path) -> io::Result<KeptFile<Vec<u8>>> {
    match read::directory(path) {
        Ok(_) => Ok(KeptFile::Good(Vec::new())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(KeptFile::Absent),
        Err(error) => Err(error),
    }
}

/// While it lives, a file that could not be read is one of [`unread`].
#[derive(Debug)]
pub struct Unread {
    number: u64,
    path: PathBuf,
    what: What,
}

/// What could not be read.
#[derive(Debug, Clone, Copy)]
enum What {
    /// A file, and the most octets of it.
    File(u64),
    /// The names of a directory.
    Directory,
    /// A directory that is not read.
    Refused,
}

impl Unread {
    /// A file that gave an error, which is logged.
    pub fn of(path: &Path, most: u64, error: &io::Error) -> Self {
        Self::told(path, What::File(most), error)
    }

    /// A directory that cannot be listed: of what is in it nothing is known. Logged.
    pub fn of_directory(path: &Path, error: &io::Error) -> Self {
        Self::told(path, What::Directory, error)
    }

    /// A directory that must not be used, whatever can be read: for as long as the process lives. Logged.
    pub fn refused(path: &Path, error: &io::Error) -> Self {
        let why = format!("{error}, and restart the gateway");
        error!("{}: the state directory is not used: {why}", path.display());
        Self::listed(path, What::Refused, why)
    }

    fn told(path: &Path, what: What, error: &io::Error) -> Self {
        error!(
            "{}: it cannot be read now: {error}; nothing is written over it, and it is read again each half \
             minute: look at the disk, and at its owner and mode",
            path.display()
        );
        Self::listed(path, what, error.to_string())
    }

    fn listed(path: &Path, what: What, why: String) -> Self {
        let (number, path) = (rand::random(), path.to_owned());
        list().push((number, UnreadFile { path: path.clone(), why }));
        Self { number, path, what }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it again; where that fails it stays unread, with the error of now.
    pub fn again<T: DeserializeOwned>(self) -> KeptFile<T> {
        self.octets_again().parsed()
    }

    /// Reads it again; itself where that fails, none where it can be read, or is gone.
    pub fn still(self) -> Option<Self> {
        match self.octets_again() {
            KeptFile::Unread(file) => Some(file),
            KeptFile::Absent | KeptFile::Good(_) | KeptFile::Bad(_) => None,
        }
    }

    /// As [`Unread::again`], of its octets; a directory has none.
    fn octets_again(self) -> KeptFile<Vec<u8>> {
        let read = match self.what {
            What::File(most) => octets(&self.path, most),
            What::Directory => names(&self.path),
            What::Refused => return KeptFile::Unread(self),
        };
        match read {
            Ok(kept) => {
                info!("{}: it is read now", self.path.display());
                kept
            }
            Err(error) => {
                let mut files = list();
                let own = files.iter_mut().filter(|(number, _)| *number == self.number);
                own.for_each(|(_, file)| file.why = error.to_string());
                drop(files);
                KeptFile::Unread(self)
            }
        }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        list().retain(|(number, _)| *number != self.number);
    }
}

impl StateDir {
    /// Gives a file with bad content a name that says so, where it is still there. Law: it never replaces one that has that name.
    ///
    /// # Errors
    ///
    /// The error of the system, or that there are too many of them.
    pub fn set_aside(&self, name: &str) -> io::Result<()> {
        let _acting = self.act_as_owner()?;
        for number in 1..=MOST_ASIDE {
            let aside = match number {
                1 => format!("{name}.broken"),
                _ => format!("{name}.broken.{number}"),
            };
            match fs::symlink_metadata(self.join(&aside)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    match fs::rename(self.join(name), self.join(&aside)) {
                        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                        renamed => renamed?,
                    }
                    error!("{}: it is set aside as {aside}", self.join(name).display());
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!(
                "{MOST_ASIDE} files of this name are set aside already: look at the disk, and remove them"
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_told(path: &Path) -> bool {
        unread().iter().any(|file| file.path == path)
    }

    #[test]
    fn what_cannot_be_read_is_neither_absent_nor_bad_and_is_told_until_it_is_read() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file.json");
        let read = || KeptFile::<Vec<u8>>::json(&path, 9);
        assert!(matches!(read(), KeptFile::Absent));
        fs::write(&path, "[1, 2").unwrap();
        assert!(matches!(read(), KeptFile::Bad(_)));
        fs::write(&path, "[1, 2, 3, 4]").unwrap();
        assert!(matches!(read(), KeptFile::Bad(_)), "too long");
        fs::remove_file(&path).unwrap();
        assert!(!is_told(&path));
        fs::create_dir(&path).unwrap();
        let KeptFile::Unread(unread) = read() else { panic!("a directory was read") };
        assert!(is_told(&path));
        let KeptFile::Unread(unread) = unread.again::<Vec<u8>>() else { panic!("it was read") };
        assert!(is_told(&path));
        fs::remove_dir(&path).unwrap();
        fs::write(&path, "[1]").unwrap();
        let KeptFile::Good(content) = unread.again::<Vec<u8>>() else { panic!("it was not read") };
        assert_eq!(content, [1]);
        assert!(!is_told(&path));
    }

    #[test]
    fn what_is_set_aside_replaces_nothing_that_was() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().join("state")).unwrap();
        for content in ["one", "two"] {
            fs::write(state.join("file"), content).unwrap();
            state.set_aside("file").unwrap();
        }
        assert_eq!(fs::read_to_string(state.join("file.broken")).unwrap(), "one");
        assert_eq!(fs::read_to_string(state.join("file.broken.2")).unwrap(), "two");
        for number in 3..=MOST_ASIDE {
            fs::write(state.join(format!("file.broken.{number}")), "").unwrap();
        }
        fs::write(state.join("file"), "last").unwrap();
        assert!(state.set_aside("file").is_err());
        assert!(state.set_aside("another").is_ok(), "nothing is there to set aside");
        assert_eq!(fs::read_to_string(state.join("file")).unwrap(), "last");
    }
}
