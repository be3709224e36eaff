//! Trust memory beside the state directory, for one attempt: a full disk must not hold up an order.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::update::error::UpdateError;
use crate::update::store::{ReleaseStore, failed};

/// The variable in which systemd gives a directory in memory (systemd.exec(5), `RuntimeDirectory=`).
const FROM_SERVICE_MANAGER: &str = "RUNTIME_DIRECTORY";
/// The memory file system of Linux.
const SHARED_MEMORY: &str = "/dev/shm";

/// Memories that this process has made, for their names.
static MADE: AtomicU64 = AtomicU64::new(0);

/// A directory for its owner alone, with a copy of the trust memory; it goes with the value.
#[derive(Debug)]
pub(super) struct PassingMemory(PathBuf);

impl PassingMemory {
    /// A copy of a store's memory, in the first place that takes it.
    pub(super) fn of(store: &ReleaseStore) -> Result<Self, UpdateError> {
        let given = env::var(FROM_SERVICE_MANAGER).ok();
        let given = given.as_deref().and_then(|list| list.split(':').next());
        let own = given.filter(|one| !one.is_empty()).map(PathBuf::from);
        let places = own.into_iter().chain([PathBuf::from(SHARED_MEMORY), env::temp_dir()]);
        let mut last = failed(store.path(), io::Error::other("no place takes its memory"));
        for place in places {
            match Self::at(&place, store) {
                Ok(made) => return Ok(made),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn at(place: &Path, store: &ReleaseStore) -> Result<Self, UpdateError> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = place.join(format!("lachan-trust-{}-{number}", std::process::id()));
        // A directory that is there already is somebody else's: it is not used.
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| failed(&path, error))?;
        let made = Self(path);
        store.copy_memory(&made.0)?;
        Ok(made)
    }

    /// Its directory.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PassingMemory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
