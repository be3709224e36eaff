//! The state directory: files that must outlive the process.
//!
//! Law: a file in it is replaced whole or not at all. The new file is written under another name,
//! flushed to the disk and renamed, and the directory is flushed too, so that a power cut at any
//! moment leaves the old file or the new one. Only the owner can read it.
//!
//! What is in it belongs to the owner of the directory, whoever made it: the account of the service, which must
//! be able to read and to remove what root has written by a command. So root acts as that account here
//! ([`acting`]).
//!
//! A gateway without a state directory runs, and starts without state each time.

pub mod acting;
pub mod kept_file;
pub mod whole;

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::config::StateSettings;
use crate::sys::read;
use crate::sys::state_dir::acting::{Acting, FileOwner, owner};

/// The variable in which systemd gives the state directory (systemd.exec(5), `StateDirectory=`).
const FROM_SERVICE_MANAGER: &str = "STATE_DIRECTORY";

/// The mode bits with which others than the owner can write to a directory.
const OTHERS: u32 = 0o022;

/// Octets that this process has written to files of the state directory.
static OCTETS: AtomicU64 = AtomicU64::new(0);

/// Seconds from a write or a read that failed to its next try, without anybody's doing: a disk that was full may have
/// room, one that did not answer may answer.
pub const AGAIN: u64 = 30;

/// Counts octets that were written to a file of the state directory.
pub fn wrote(octets: u64) {
    OCTETS.fetch_add(octets, Ordering::Relaxed);
}

/// Octets that this process has written to files of the state directory.
pub fn written_octets() -> u64 {
    OCTETS.load(Ordering::Relaxed)
}

/// The state directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path}: the state directory cannot be used: {error}; \
     give this user a directory to write to with `dir` in [state]"
)]
pub struct StateError {
    path: PathBuf,
    error: io::Error,
}

impl StateError {
    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether others can write to it: a refusal of this program's, where one of the system has a number.
    pub fn is_of_mode(&self) -> bool {
        self.error.kind() == io::ErrorKind::PermissionDenied && self.error.raw_os_error().is_none()
    }

    /// The error of the system.
    pub fn cause(self) -> io::Error {
        self.error
    }
}

/// A directory that only this program writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir {
    path: PathBuf,
    owner: KnownOwner,
}

/// The owner of the outermost directory, where root opened that of another account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KnownOwner {
    Asked(Option<FileOwner>),
    /// The disk did not say: each use asks anew.
    Unasked,
}

impl StateDir {
    /// The directory of the config, else of the service manager; `None` without either.
    ///
    /// It is created with mode 0700 if it does not exist.
    ///
    /// # Errors
    ///
    /// [`StateError`].
    pub fn open(config: &StateSettings) -> Result<Option<Self>, StateError> {
        Self::place(config).map(Self::at).transpose()
    }

    /// Acts as its owner, for all that follows in this thread: for readers of its files, and for what writes them
    /// by other ways than its own.
    ///
    /// # Errors
    ///
    /// As [`Acting::as_owner_of`], or the disk hangs: nothing is begun there that may never end.
    pub fn act_as_owner(&self) -> io::Result<Acting> {
        Self::answers(&self.path)?;
        Acting::of(self.owner()?, &self.path)
    }

    fn owner(&self) -> io::Result<Option<FileOwner>> {
        match self.owner {
            KnownOwner::Asked(owner) => Ok(owner),
            KnownOwner::Unasked => read::within(&self.path, made),
        }
    }

    /// A directory that the disk does not give now. Each use asks anew: until it is there, its files cannot be read and
    /// nothing is written.
    pub fn unasked(path: PathBuf) -> Self {
        Self { path, owner: KnownOwner::Unasked }
    }

    /// The path of [`StateDir::open`]; nothing is created.
    pub fn place(config: &StateSettings) -> Option<PathBuf> {
        config.dir.clone().or_else(from_service_manager)
    }

    /// The directory at `path`, created if it does not exist.
    ///
    /// # Errors
    ///
    /// [`StateError`].
    pub fn at(path: PathBuf) -> Result<Self, StateError> {
        match read::within(&path, made) {
            Ok(owner) => Ok(Self { path, owner: KnownOwner::Asked(owner) }),
            Err(error) => Err(StateError { path, error }),
        }
    }

    /// Asks whether the disk of a state directory answers at all: whatever looks there first, or writes there,
    /// does.
    ///
    /// # Errors
    ///
    /// It hangs.
    pub fn answers(path: &Path) -> io::Result<()> {
        match read::within(path, |path| fs::read_dir(path).map(drop)) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(error),
            _ => Ok(()),
        }
    }

    /// The mode of a directory that others can write to.
    ///
    /// # Errors
    ///
    /// The error of the system, as where it is not there.
    pub fn open_to_others(path: &Path) -> io::Result<Option<u32>> {
        let mode = read::metadata(path)?.permissions().mode() & 0o7777;
        Ok((mode & OTHERS != 0).then_some(mode))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file or directory in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// A directory in it.
    ///
    /// # Errors
    ///
    /// [`StateError`].
    pub fn subdirectory(&self, name: &str) -> Result<Self, StateError> {
        let path = self.path.join(name);
        let failed = |error| StateError { path: path.clone(), error };
        let owner = self.owner().map_err(failed)?;
        let _acting = Acting::of(owner, &self.path).map_err(failed)?;
        // Whatever its own owner is: a link may be there.
        Ok(Self { owner: KnownOwner::Asked(owner), ..Self::at(path)? })
    }

    /// Replaces the file `name` with one of these octets.
    ///
    /// # Errors
    ///
    /// The error of the system; the old file is untouched then.
    pub fn replace(&self, name: &str, octets: &[u8]) -> io::Result<()> {
        self.replace_with(name, |file| file.write_all(octets))
    }

    /// Makes a file `name` of these octets, whole or not at all. Law: it never replaces one.
    ///
    /// # Errors
    ///
    /// The error of the system, as where something has this name already.
    pub fn create(&self, name: &str, octets: &[u8]) -> io::Result<()> {
        self.put(
            name,
            |file| file.write_all(octets),
            |beside, place| {
                // A link never replaces a file. Where the other name stays, it is swept away later.
                fs::hard_link(beside, place)?;
                let _ = fs::remove_file(beside);
                Ok(())
            },
        )
    }

    /// Replaces the file `name` with what `write` writes.
    ///
    /// # Errors
    ///
    /// The error of the system or of `write`; the old file is untouched then.
    pub fn replace_with(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        self.put(name, write, |beside, place| fs::rename(beside, place))
    }

    /// Writes a file beside `name`, and gives it that name by `place`.
    fn put(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> io::Result<()>,
        place: impl FnOnce(&Path, &Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let _acting = self.act_as_owner()?;
        // Somebody may have removed it, or its disk was away for a moment.
        if !read::is_directory(&self.path) {
            Self::at(self.path.clone()).map_err(io::Error::other)?;
        }
        let write = |file: &mut File| {
            let result = write(file);
            // What failed half way has worn the disk too.
            wrote(file.metadata().map_or(0, |of| of.len()));
            result
        };
        whole::put((&self.path, name), 0o600, write, place)
    }

    /// Removes the file `name`.
    ///
    /// # Errors
    ///
    /// The error of the system, as where there is none.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        let _acting = self.act_as_owner()?;
        fs::remove_file(self.path.join(name))
    }

    /// Removes all files that a power cut, or a writer that was killed, has left unfinished.
    pub fn sweep_unfinished(&self) {
        if let Ok(_acting) = self.act_as_owner() {
            whole::sweep(&self.path, None);
        }
    }

    /// The same, here and in the directories here.
    pub fn sweep_all(&self) {
        self.sweep_unfinished();
        for path in read::names(&self.path).into_iter().flatten() {
            let is_directory =
                read::within(&path, |path| fs::symlink_metadata(path).map(|of| of.is_dir()));
            if is_directory.is_ok_and(|is_directory| is_directory) {
                Self { path, owner: self.owner }.sweep_unfinished();
            }
        }
    }
}

/// Makes a directory that is not there, and tells its owner.
fn made(path: &Path) -> io::Result<Option<FileOwner>> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    only_ours(path)?;
    owner(path)
}

/// Refuses a directory that others can write to: they could end an exam, or be anybody.
fn only_ours(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o7777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let why = format!("others can write to it (mode {mode:04o}); chmod go-w it");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

/// The first directory that the service manager gives.
fn from_service_manager() -> Option<PathBuf> {
    let given = std::env::var_os(FROM_SERVICE_MANAGER)?;
    let first = std::env::split_paths(&given).next()?;
    first.is_absolute().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_others_can_write_to_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("state");
        StateDir::at(path.clone()).unwrap();
        for (mode, is_taken) in [(0o777, false), (0o770, false), (0o755, true), (0o700, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(StateDir::at(path.clone()).is_ok(), is_taken, "{mode:o}");
        }
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().join("deep/state")).unwrap();
        assert_eq!(fs::metadata(state.path()).unwrap().permissions().mode() & 0o777, 0o700);
        state.replace("ledger", b"old").unwrap();
        let failed = state.replace_with("ledger", |file| {
            file.write_all(b"half of the n")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(state.join("ledger")).unwrap(), b"old");
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 1);
        state.replace("ledger", b"new").unwrap();
        assert_eq!(fs::read(state.join("ledger")).unwrap(), b"new");
        let mode = fs::metadata(state.join("ledger")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // Removed under a gateway, it is made again.
        fs::remove_dir_all(scratch.path().join("deep")).unwrap();
        state.replace("ledger", b"again").unwrap();
        assert_eq!(fs::read(state.join("ledger")).unwrap(), b"again");
    }

    #[test]
    fn a_link_in_the_place_of_an_unfinished_file_leads_nowhere() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().join("state")).unwrap();
        let victim = scratch.path().join("victim");
        fs::write(&victim, "mine").unwrap();
        for number in 0..100 {
            let name = format!(".ledger.{}-{number}.new", std::process::id());
            std::os::unix::fs::symlink(&victim, state.join(name)).unwrap();
        }
        state.replace("ledger", b"new").unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
        assert_eq!(fs::read(state.join("ledger")).unwrap(), b"new");
        assert!(fs::symlink_metadata(state.join("ledger")).unwrap().is_file());
    }

    #[test]
    fn what_is_there_is_never_created_again() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().to_owned()).unwrap();
        state.create("sealed", b"first").unwrap();
        let again = state.create("sealed", b"second");
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(state.join("sealed")).unwrap(), b"first");
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 1);
    }

    #[test]
    fn two_writers_of_one_file_do_not_meet_and_the_dead_are_swept_away() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().to_owned()).unwrap();
        let written = state.replace_with("list", |file| {
            file.write_all(b"slow and ")?;
            // Another writer starts and ends while this one writes.
            state.replace("list", b"quick").unwrap();
            file.write_all(b"whole")
        });
        written.unwrap();
        assert_eq!(fs::read(state.join("list")).unwrap(), b"slow and whole");
        let (own, other) = (std::process::id(), std::os::unix::process::parent_id());
        let dead = state.join(".list.1-1.new");
        let alive = state.join(format!(".list.{other}-1.new"));
        // The writer of one has ended; another one is of an earlier process with the number of this.
        let gone = state.join(format!(".list.{}-1.new", u32::MAX));
        let before = state.join(format!(".list.{own}-{}.new", u64::MAX));
        for path in [&dead, &alive, &gone, &before, &state.join(".list.json.1-1.new")] {
            fs::write(path, "half").unwrap();
        }
        let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        File::options().write(true).open(&dead).unwrap().set_modified(long_ago).unwrap();
        state.replace("list", b"new").unwrap();
        assert!(!dead.exists() && alive.exists() && !gone.exists() && !before.exists());
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 3);
        fs::write(state.join(format!(".other.{}-7.new", u32::MAX)), "half").unwrap();
        state.sweep_unfinished();
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 3, "whatever its name");
        let below = state.subdirectory("below").unwrap();
        fs::write(below.join(format!(".other.{}-7.new", u32::MAX)), "half").unwrap();
        state.sweep_all();
        assert_eq!(fs::read_dir(below.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_cannot_be_made_says_what_to_do() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("file");
        fs::write(&file, "").unwrap();
        let error = StateDir::at(file.join("state")).unwrap_err().to_string();
        assert!(error.contains("`dir` in [state]"), "{error}");
    }
}
