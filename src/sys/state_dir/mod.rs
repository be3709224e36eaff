//! The state directory: files that must outlive the process.
//!
//! Law: a file in it is replaced whole or not at all. The new file is written under another name,
//! flushed to the disk and renamed, and the directory is flushed too, so that a power cut at any
//! moment leaves the old file or the new one. Only the owner can read it.
//!
//! What is in it belongs to the owner of the directory, whoever made it: the account of the service, which must
//! be able to read and to remove what root has written by a command.
//!
//! A gateway without a state directory runs, and starts without state each time.

pub mod whole;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown, lchown,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::config::StateSettings;
use crate::sys::os;

/// The variable in which systemd gives the state directory (systemd.exec(5), `StateDirectory=`).
const FROM_SERVICE_MANAGER: &str = "STATE_DIRECTORY";

/// The state directories that this process has opened.
static OPENED: Mutex<Vec<StateDir>> = Mutex::new(Vec::new());
/// Directories within each other in a state directory: more are none of ours.
const MOST_DEEP: usize = 8;

/// Octets that this process has written to files of the state directory.
static OCTETS: AtomicU64 = AtomicU64::new(0);

/// Seconds from a write that failed to its next try, without anybody's doing: a disk that was full may have room.
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

/// A directory that only this program writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The directory of the config, else of the service manager; `None` without either.
    ///
    /// It is created with mode 0700 if it does not exist.
    ///
    /// # Errors
    ///
    /// [`StateError`].
    pub fn open(config: &StateSettings) -> Result<Option<Self>, StateError> {
        let state = Self::place(config).map(Self::at).transpose()?;
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(new) = state.as_ref().filter(|one| !opened.contains(one)) {
            opened.push(new.clone());
        }
        drop(opened);
        Ok(state)
    }

    /// Gives what this process has made as root in state directories to the owners of these: the last act
    /// of a command. What cannot be given is logged.
    pub fn give_all_to_owners() {
        for state in OPENED.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if let Err(error) = state.give_to_owner() {
                tracing::warn!(%error, "{}: files in it stay another user's", state.0.display());
            }
        }
    }

    /// Gives what belongs to root in it to its owner. Law: nothing outside of it is given away, though the owner
    /// may put links in it at any moment: directories are opened without following one, names are looked up in
    /// what was opened, and a file that has a second name stays as it is.
    ///
    /// # Errors
    ///
    /// The error of the system, as for a user that is not root.
    pub fn give_to_owner(&self) -> io::Result<()> {
        let own = File::open(&self.0)?;
        let found = own.metadata()?;
        if found.uid() == 0 { Ok(()) } else { give(&own, (found.uid(), found.gid()), MOST_DEEP) }
    }

    /// As [`StateDir::open`]; one that cannot be used is logged, and the gateway runs without it.
    pub fn open_or_warn(config: &StateSettings) -> Option<Self> {
        Self::open(config).unwrap_or_else(|error| {
            tracing::warn!("{error}");
            None
        })
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
        match DirBuilder::new().recursive(true).mode(0o700).create(&path) {
            Ok(()) => match only_ours(&path) {
                Ok(()) => Ok(Self(path)),
                Err(error) => Err(StateError { path, error }),
            },
            Err(error) => Err(StateError { path, error }),
        }
    }

    /// The mode of a directory that others can write to.
    ///
    /// # Errors
    ///
    /// The error of the system, as where it is not there.
    pub fn open_to_others(path: &Path) -> io::Result<Option<u32>> {
        let mode = fs::metadata(path)?.permissions().mode() & 0o7777;
        Ok((mode & 0o022 != 0).then_some(mode))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file or directory in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    /// A directory in it.
    ///
    /// # Errors
    ///
    /// [`StateError`].
    pub fn subdirectory(&self, name: &str) -> Result<Self, StateError> {
        let path = self.0.join(name);
        if os::own_account() == 0
            && fs::symlink_metadata(&path).is_ok_and(|of| of.is_symlink() && of.uid() != 0)
        {
            let error = io::Error::other("it is a link that another account made; remove it");
            return Err(StateError { path, error });
        }
        let made = Self::at(path.clone())?;
        let give = || match (fs::metadata(&self.0)?, fs::symlink_metadata(&path)?) {
            (own, found) if own.uid() != found.uid() && found.uid() == 0 => {
                lchown(&path, Some(own.uid()), Some(own.gid()))
            }
            _ => Ok(()),
        };
        if let Err(error) = give() {
            tracing::warn!(%error, "{}: stays another user's", path.display());
        }
        Ok(made)
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
        // Somebody may have removed it, or its disk was away for a moment.
        if !self.0.is_dir() {
            Self::at(self.0.clone()).map_err(io::Error::other)?;
        }
        let own = fs::metadata(&self.0)?;
        let write = |file: &mut File| {
            // Before it has its name: the gateway may look for it at once.
            if own.uid() != file.metadata()?.uid() {
                fchown(&*file, Some(own.uid()), Some(own.gid()))?;
            }
            let result = write(file);
            // What failed half way has worn the disk too.
            wrote(file.metadata().map_or(0, |of| of.len()));
            result
        };
        whole::put((&self.0, name), 0o600, write, place)
    }

    /// Removes all files that a power cut, or a writer that was killed, has left unfinished.
    pub fn sweep_unfinished(&self) {
        whole::sweep(&self.0, None);
    }

    /// The same, here and in the directories here.
    pub fn sweep_all(&self) {
        self.sweep_unfinished();
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                Self(entry.path()).sweep_unfinished();
            }
        }
    }
}

/// Gives what belongs to root in an open directory to another user and group.
fn give(directory: &File, owner: (u32, u32), deep: usize) -> io::Result<()> {
    let opened = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
    for entry in fs::read_dir(&opened)? {
        let path = opened.join(entry?.file_name());
        match give_one(&path, owner, deep) {
            // The gateway may remove a file meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => done?,
        }
    }
    Ok(())
}

fn give_one(path: &Path, owner: (u32, u32), deep: usize) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_dir() && deep > 0 {
        let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
        give(&OpenOptions::new().read(true).custom_flags(flags).open(path)?, owner, deep - 1)?;
    }
    if found.uid() == 0 && (found.is_dir() || found.nlink() == 1) {
        lchown(path, Some(owner.0), Some(owner.1))?;
    }
    Ok(())
}

/// Refuses a directory that others can write to: they could end an exam, or be anybody.
fn only_ours(path: &Path) -> io::Result<()> {
    let Some(mode) = StateDir::open_to_others(path)? else { return Ok(()) };
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
