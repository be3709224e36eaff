//! The directory of upgrades, and the record in it.
//!
//! ```text
//! STATE-upgrade/upgrade.json                 the record, which everybody may read
//! STATE-upgrade/releases/mark.json           what was seen of the repository
//! STATE-upgrade/packages/lachan_….deb        the installed package, and the one before
//! STATE-upgrade/{apt,rehearsal}/             of one run
//! ```
//!
//! Laws: no account but root could have made or could replace anything of it, up to the root of the file system:
//! what is in it is given to dpkg. A record that cannot be read stops the run, and is never overwritten: what
//! failed here is in it. A look makes and writes nothing.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::signed::{SignedMemory, message_of, message_of_root};
use crate::lang::{Message, messages};
use crate::load::release::{MARK, RELEASES};
use crate::sys::exposed::exposed;
use crate::sys::os;
use crate::sys::read;
use crate::sys::state_dir::StateDir;
use crate::update::error::UpdateError;
use crate::update::status::UpgradeRecord;
use crate::update::store::LOCK;

/// The directory of packages.
pub(super) const PACKAGES: &str = "packages";

/// The directory of upgrades of one gateway.
#[derive(Debug, Clone)]
pub(super) struct UpgradeDirectory {
    path: PathBuf,
    is_look: bool,
}

impl UpgradeDirectory {
    /// The directory beside a state directory, made where it is not there and this is no look.
    ///
    /// # Errors
    ///
    /// The message of what stops it: another account could change it.
    pub(super) fn open(state: &Path, is_look: bool) -> Result<Self, Message> {
        let opened = Self { path: UpgradeRecord::directory(state), is_look };
        opened.refuse_exposed(&opened.path)?;
        if !is_look {
            StateDir::at(opened.path.clone()).map_err(messages::upgrade_fault_state)?;
            // The gateway reads the record under its own account.
            let readable = fs::set_permissions(&opened.path, Permissions::from_mode(0o755));
            readable.map_err(|error| of_file(&opened.path, &error))?;
        }
        // What another account left in a directory that was given to root since.
        let packages = opened.path.join(PACKAGES);
        let within = [opened.path.clone(), packages.clone(), opened.path.join(RELEASES).join(MARK)];
        let records = [opened.path.join(UpgradeRecord::FILE)];
        let kept = read::directory(&packages).unwrap_or_default();
        for place in within.iter().chain(&records).chain(kept.iter().map(|(path, _)| path)) {
            opened.refuse_exposed(place)?;
        }
        Ok(opened)
    }

    /// A path in it.
    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A directory in it, made where it is not there.
    pub(super) fn subdirectory(&self, name: &str) -> Result<StateDir, Message> {
        StateDir::at(self.path.join(name)).map_err(messages::upgrade_fault_state)
    }

    /// The memory of what was signed; of a look, a copy.
    pub(super) fn memory(&self) -> Result<SignedMemory, UpdateError> {
        if self.is_look {
            return SignedMemory::copied(&self.path);
        }
        let made = StateDir::at(self.path.clone());
        let made = made.map_err(|error| UpdateError::File {
            path: self.path.clone(),
            error: io::Error::other(error),
        })?;
        SignedMemory::open(&made)
    }

    /// The record; an empty one where none was written yet.
    ///
    /// # Errors
    ///
    /// The message of what stops it: it cannot be read.
    pub(super) fn record(state: &Path) -> Result<UpgradeRecord, Message> {
        let path = UpgradeRecord::directory(state).join(UpgradeRecord::FILE);
        let read = UpgradeRecord::read(state).map(Option::unwrap_or_default);
        read.map_err(|error| messages::upgrade_fault_record(path.display(), error))
    }

    /// Replaces the record, unless this is a look.
    ///
    /// # Errors
    ///
    /// The message of what stops it; the record before holds then.
    pub(super) fn write(&self, record: &UpgradeRecord) -> Result<(), Message> {
        if self.is_look {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(record).unwrap_or_default();
        let made = StateDir::at(self.path.clone()).map_err(messages::upgrade_fault_state)?;
        let written = made.replace_with(UpgradeRecord::FILE, |file| {
            file.write_all(&text)?;
            file.set_permissions(Permissions::from_mode(0o644))
        });
        written.map_err(|error| of_file(&self.join(UpgradeRecord::FILE), &error))
    }

    fn refuse_exposed(&self, place: &Path) -> Result<(), Message> {
        match exposed(place) {
            Ok(None) => Ok(()),
            Ok(Some(open)) => {
                let (own, open) = (self.path.display(), open.display());
                Err(messages::upgrade_fault_exposed(own, open))
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !is_root() => {
                Err(messages::upgrade_fault_look(place.display()))
            }
            Err(error) => Err(of_file(place, &error)),
        }
    }
}

/// Lets upgrades trust the root that a person enrols this box with, in the place of another one where the person
/// named it; nothing unless this is root. No file that the service can change afterwards chooses the root document that
/// upgrades trust.
///
/// # Errors
///
/// The message of what stops it; [`crate::upgrade`] then trusts as before.
pub fn trust_enrolled(state: &Path, root: &[u8], is_named: bool) -> Result<(), Message> {
    let begun = || {
        let memory = UpgradeDirectory::open(state, false)?.memory().map_err(message_of)?;
        memory.begin_with(root, is_named).map_err(|error| message_of_root(error, root))
    };
    if is_root() { begun().map_err(messages::enrol_untrusted) } else { Ok(()) }
}

/// The files that [`trust_enrolled`] makes, in a directory of their own.
pub fn files_trusted(state: &Path) -> [PathBuf; 2] {
    let directory = UpgradeRecord::directory(state).join(RELEASES);
    [LOCK, MARK].map(|name| directory.join(name))
}

/// Whether this process may install.
pub(super) fn is_root() -> bool {
    os::own_account() == 0
}

fn of_file(path: &Path, error: &io::Error) -> Message {
    messages::upgrade_fault_state(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    fn scratch() -> (tempfile::TempDir, PathBuf) {
        let scratch = tempfile::tempdir().unwrap();
        let state = scratch.path().join("state");
        (scratch, state)
    }

    #[test]
    fn a_look_makes_nothing_and_a_run_makes_its_directory() {
        let (scratch, state) = scratch();
        let look = UpgradeDirectory::open(&state, true).unwrap();
        assert_eq!(UpgradeDirectory::record(&state).unwrap(), UpgradeRecord::default());
        look.write(&UpgradeRecord::default()).unwrap();
        drop(look.memory().unwrap());
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
        let run = UpgradeDirectory::open(&state, false).unwrap();
        let record = UpgradeRecord { fault: Some("a".into()), ..UpgradeRecord::default() };
        run.write(&record).unwrap();
        assert_eq!(UpgradeDirectory::record(&state).unwrap(), record);
    }

    #[test]
    fn a_damaged_record_stops_a_run_and_is_a_failed_upgrade_for_others() {
        let (_scratch, state) = scratch();
        UpgradeDirectory::open(&state, false).unwrap();
        let path = UpgradeRecord::directory(&state).join(UpgradeRecord::FILE);
        for damaged in ["", "{\"rejected\": [", "[1]"] {
            fs::write(&path, damaged).unwrap();
            let fault = UpgradeDirectory::record(&state).unwrap_err().in_lang(Lang::En);
            assert!(fault.contains("upgrade.json: "), "{fault}");
            let beside = UpgradeRecord::beside(&state).unwrap().fault.unwrap();
            assert!(beside.contains("upgrade.json: "), "{beside}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(UpgradeRecord::beside(&state), None);
    }

    #[test]
    fn what_another_account_could_replace_is_not_used() {
        let (scratch, state) = scratch();
        let run = UpgradeDirectory::open(&state, false).unwrap();
        let packages = run.subdirectory(PACKAGES).unwrap();
        packages.replace("lachan_1_amd64.deb", b"a").unwrap();
        let refused = |is_look| UpgradeDirectory::open(&state, is_look).err();
        assert_eq!(refused(false), None);
        let open_to = |path: &Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        // A directory above, that of packages, a package, the record.
        run.write(&UpgradeRecord::default()).unwrap();
        let package = packages.join("lachan_1_amd64.deb");
        for place in [scratch.path(), packages.path(), &package, &run.join(UpgradeRecord::FILE)] {
            open_to(place, 0o777);
            for is_look in [true, false] {
                let message = refused(is_look).unwrap().in_lang(Lang::En);
                assert!(message.contains(&format!(": {} ", place.display())), "{message}");
            }
            open_to(place, 0o700);
        }
        assert_eq!(refused(false), None);
    }
}
