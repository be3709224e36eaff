//! What people signed of programs, verified on this machine by root.
//!
//! Law: the memory is root's own (`STATE-upgrade/releases/mark.json`): the digest of the enrolled root, and the
//! highest versions of metadata. A root of another digest is refused until a person names its fingerprint.

use std::io;
use std::path::{Path, PathBuf};

use tough::Transport;

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
        Ok(Self { store, lock })
    }

    /// Begins anew with the enrolled root, where it has this fingerprint.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]; the old memory holds then.
    pub fn trust(&self, root: &Path, fingerprint: &str) -> Result<(), UpdateError> {
        let found = fingerprint_of(&enrolled(root)?);
        if found != fingerprint {
            return Err(UpdateError::OtherRoot { wanted: fingerprint.to_owned(), found });
        }
        let mark = self.store.path().join(crate::load::release::MARK);
        match std::fs::remove_file(&mark) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(UpdateError::File { path: mark, error })
            }
            _ => Ok(()),
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
