//! The state directory: what must outlive the process.
//!
//! A file in it is replaced whole or not at all: written beside, flushed to the
//! disk, renamed, and the directory flushed too, so that a power cut at any moment
//! leaves the old file or the new one. Nobody but the owner may read.
//!
//! A gateway without a state directory works, and begins anew at each start.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::config::State;

/// Where systemd says that a service's state is (systemd.exec(5), `StateDirectory=`).
const FROM_SERVICE_MANAGER: &str = "STATE_DIRECTORY";

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
    /// It is made, for its owner alone, if it is not there.
    ///
    /// # Errors
    ///
    /// [`StateError`]; a caller that can do without goes on without.
    pub fn open(config: &State) -> Result<Option<Self>, StateError> {
        Self::place(config).map(Self::at).transpose()
    }

    /// Where it is or would be; nothing is made.
    pub fn place(config: &State) -> Option<PathBuf> {
        config.dir.clone().or_else(from_service_manager)
    }

    /// The directory at `path`, made if it is not there.
    ///
    /// # Errors
    ///
    /// [`StateError`].
    pub fn at(path: PathBuf) -> Result<Self, StateError> {
        match DirBuilder::new().recursive(true).mode(0o700).create(&path) {
            Ok(()) => Ok(Self(path)),
            Err(error) => Err(StateError { path, error }),
        }
    }

    /// Where it is.
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
        Self::at(self.0.join(name))
    }

    /// Replaces the file `name` with one of these octets.
    ///
    /// # Errors
    ///
    /// What the system said; the old file is untouched then.
    pub fn replace(&self, name: &str, octets: &[u8]) -> io::Result<()> {
        self.replace_with(name, |file| file.write_all(octets))
    }

    /// Replaces the file `name` with what `write` writes.
    ///
    /// # Errors
    ///
    /// What the system or `write` said; the old file is untouched then.
    pub fn replace_with(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        // One writer at a time to a name; another process's leftovers are overwritten.
        let beside = self.0.join(format!(".{name}.new"));
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut file| {
                write(&mut file)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&beside, self.0.join(name)));
        if written.is_err() {
            // A full disk is not filled further by what could not be finished.
            let _ = fs::remove_file(&beside);
            return written;
        }
        File::open(&self.0)?.sync_all()
    }
}

/// The first directory that the service manager gives.
fn from_service_manager() -> Option<PathBuf> {
    let given = std::env::var_os(FROM_SERVICE_MANAGER)?;
    let first = std::env::split_paths(&given).next()?;
    first.is_absolute().then_some(first)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

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
