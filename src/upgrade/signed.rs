//! What people signed of programs, verified on this machine by root.
//!
//! Laws: the memory is root's own (`STATE-upgrade/releases/mark.json`): the digest of the enrolled root, and the
//! highest versions of metadata. Root fixes that digest when it enrols the box. Where the account of the service
//! did that, the first repository that verifies does: until then the root that is enrolled is believed as it is
//! found. From then on a root of another digest is refused until a person names its fingerprint, here or to an
//! enrolment by root. A look writes nothing of it.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tough::Transport;

use crate::lang::{Message, messages};
use crate::load::release::{MARK, RELEASES};
use crate::sys::read;
use crate::sys::state_dir::StateDir;
use crate::update::enrolment::fingerprint_of;
use crate::update::error::UpdateError;
use crate::update::status::ChosenProgram;
use crate::update::store::{ReleaseStore, StoreLock};
use crate::update::take::{self, TrustedRepository, UpdateRequest};

/// The most octets of an enrolled root.
const MAX_ROOT: u64 = 1 << 20;

/// The memory of what was signed, and the right to work.
pub struct SignedMemory {
    store: ReleaseStore,
    lock: StoreLock,
    /// The copy at which is looked.
    _copy: Option<MemoryCopy>,
}

/// A directory with a copy of the memory, removed with the value.
struct MemoryCopy(PathBuf);

impl MemoryCopy {
    fn make() -> Result<Self, UpdateError> {
        let name = format!("lachan-upgrade-{:016x}", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        // Never one that is there: it is somebody else's.
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Self(path)),
            Err(error) => Err(UpdateError::File { path, error }),
        }
    }
}

impl Drop for MemoryCopy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl SignedMemory {
    /// The memory in the directory of upgrades; no other upgrade is at work while it lives.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Busy`], [`UpdateError::File`].
    pub fn open(directory: &StateDir) -> Result<Self, UpdateError> {
        let store = ReleaseStore::open(directory)?;
        let lock = store.lock()?;
        Ok(Self { store, lock, _copy: None })
    }

    /// A copy of the memory in the directory of upgrades, for a look: nothing is made or written there.
    ///
    /// # Errors
    ///
    /// [`UpdateError::File`].
    pub fn copied(directory: &Path) -> Result<Self, UpdateError> {
        let path = directory.join(RELEASES).join(MARK);
        let mark = match read::octets(&path, read::MAX_TEXT) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            read => Some(read.map_err(|error| UpdateError::File { path, error })?),
        };
        let copy = MemoryCopy::make()?;
        let of_copy = |error| UpdateError::File { path: copy.0.clone(), error };
        let state = StateDir::at(copy.0.clone()).map_err(io::Error::other).map_err(of_copy)?;
        let store = ReleaseStore::open(&state)?;
        if let Some(mark) = mark {
            fs::write(store.path().join(MARK), mark).map_err(of_copy)?;
        }
        let lock = store.lock()?;
        Ok(Self { store, lock, _copy: Some(copy) })
    }

    /// Begins anew with the root of these octets, where it has this fingerprint: no other is trusted from then on.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]; the old memory holds then.
    pub fn trust(&self, root: &[u8], fingerprint: &str) -> Result<(), UpdateError> {
        let found = fingerprint_of(root);
        if found != fingerprint {
            return Err(UpdateError::OtherRoot { wanted: fingerprint.to_owned(), found });
        }
        self.store.begin_anew(&self.lock, &take::mark_anew(root))
    }

    /// Begins with the root of these octets; in the place of another one where a person named it.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]; the old memory holds then.
    pub(super) fn begin_with(&self, root: &[u8], is_named: bool) -> Result<(), UpdateError> {
        let anew = take::mark_anew(root);
        match self.store.mark() {
            Ok(mark) if mark.root == anew.root => Ok(()),
            Ok(mark) if !mark.root.is_empty() && !is_named => {
                Err(UpdateError::OtherRoot { wanted: mark.root, found: anew.root })
            }
            Err(error) if !is_named => Err(error),
            _ => self.store.begin_anew(&self.lock, &anew),
        }
    }

    /// Verifies a repository, and remembers what was seen unless this is only a look.
    ///
    /// # Errors
    ///
    /// [`UpdateError`].
    pub async fn verified(
        &self,
        carrier: impl Transport + 'static,
        request: &UpdateRequest<'_>,
        is_look: bool,
    ) -> Result<SignedPrograms, UpdateError> {
        let opened = take::open(carrier, &self.store, &self.lock, request).await?;
        if !is_look {
            self.store.raise(&self.lock, &opened.seen)?;
        }
        let chosen = take::program(&opened, &self.store, request).await?;
        Ok(SignedPrograms { opened, chosen })
    }
}

/// The enrolled root.
///
/// # Errors
///
/// [`UpdateError::Enrolled`].
pub fn enrolled(root: &Path) -> Result<Vec<u8>, UpdateError> {
    let path = PathBuf::from(root);
    read::octets(root, MAX_ROOT).map_err(|error| UpdateError::Enrolled { path, error })
}

/// An error of the repository for people: the reason and what to do in their language, then the fault itself.
pub fn message_of(error: UpdateError) -> Message {
    match error {
        UpdateError::MemoryLost { path } => messages::upgrade_fault_memory(path.display()),
        UpdateError::Busy => messages::upgrade_fault_busy(),
        error => messages::upgrade_fault_repository(error.message(), error),
    }
}

/// The same of an error about this root: with its fingerprint where it is another one than the one that is trusted.
pub fn message_of_root(error: UpdateError, root: &[u8]) -> Message {
    match error {
        UpdateError::OtherRoot { .. } => messages::upgrade_fault_root_changed(fingerprint_of(root)),
        error => message_of(error),
    }
}

/// The programs of a verified repository.
#[derive(Debug)]
pub struct SignedPrograms {
    opened: TrustedRepository,
    /// The one that the rollout chooses for this gateway.
    pub chosen: Option<ChosenProgram>,
}

impl SignedPrograms {
    /// The package of a version, if officers sign it.
    pub fn of(&self, version: &str) -> Option<ChosenProgram> {
        take::signed_program(&self.opened, version)
    }

    /// The octets of a package from the repository.
    ///
    /// # Errors
    ///
    /// [`UpdateError`].
    pub async fn package(&self, program: &ChosenProgram) -> Result<Vec<u8>, UpdateError> {
        take::package(&self.opened, program).await
    }
}
