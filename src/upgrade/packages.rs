//! Packages on the disk: the way here, and the way back.
//!
//! ```text
//! STATE-upgrade/packages/lachan_VERSION_ARCHITECTURE.deb     the installed one, and the one before
//! ```
//!
//! Law: a file has a place here only once its octets are those that officers signed.

use std::fs;
use std::path::PathBuf;

use tokio::runtime::Runtime;

use super::host;
use super::signed::SignedPrograms;
use crate::lang::{Message, messages};
use crate::release::program::own_architecture;
use crate::sys::read;
use crate::sys::state_dir::StateDir;
use crate::update::enrolment::fingerprint_of;
use crate::update::status::{ChosenProgram, InstalledProgram};
use crate::update::take::MAX_PACKAGE;

/// Their directory, in that of upgrades.
const PACKAGES: &str = "packages";
/// Where apt puts what it downloads.
const BY_APT: &str = "apt";

/// The packages of one gateway.
pub(super) struct Packages {
    dir: StateDir,
    by_apt: bool,
}

impl Packages {
    /// Those in the directory of upgrades; new ones come by apt, or from the repository.
    pub(super) fn new(dir: StateDir, by_apt: bool) -> Self {
        Self { dir, by_apt }
    }

    /// The place of a version.
    pub(super) fn place(&self, version: &str) -> PathBuf {
        self.dir.join(PACKAGES).join(file_name(version))
    }

    /// Whether the package of what is installed is kept, as officers signed it.
    pub(super) fn has(&self, installed: &InstalledProgram) -> bool {
        let octets = read::octets(&self.place(&installed.version), MAX_PACKAGE).ok();
        octets.is_some_and(|octets| Some(fingerprint_of(&octets)) == installed.sha256)
    }

    /// Gets the octets of a package, compares them with what people signed, and stores them.
    ///
    /// # Errors
    ///
    /// The message of what stops it; nothing is stored then.
    pub(super) fn fetch(
        &self,
        program: &ChosenProgram,
        signed: &SignedPrograms,
        runtime: &Runtime,
    ) -> Result<PathBuf, Message> {
        let version = &program.version;
        let (octets, from) = if self.by_apt {
            (self.download(version), "apt")
        } else {
            let octets = runtime.block_on(signed.package(program));
            (octets.map_err(|error| error.to_string()), "the repository")
        };
        let octets = octets.map_err(|why| messages::upgrade_fault_download(version, why))?;
        if octets.len() as u64 != program.octets || fingerprint_of(&octets) != program.sha256 {
            return Err(messages::upgrade_fault_digest(version, from));
        }
        let packages = self.dir.subdirectory(PACKAGES).map_err(messages::upgrade_fault_state)?;
        let written = packages.replace(&file_name(version), &octets);
        written.map_err(messages::upgrade_fault_state)?;
        Ok(self.place(version))
    }

    fn download(&self, version: &str) -> Result<Vec<u8>, String> {
        let to = self.dir.join(BY_APT);
        let _ = fs::remove_dir_all(&to);
        let failed = |error: std::io::Error| format!("{}: {error}", to.display());
        fs::create_dir(&to).map_err(failed)?;
        let octets = host::by_apt(version, &to)
            .and_then(|path| read::octets(&path, MAX_PACKAGE).map_err(failed));
        let _ = fs::remove_dir_all(&to);
        octets
    }

    /// Removes packages of other versions than these.
    pub(super) fn sweep(&self, versions: &[&str]) {
        let kept: Vec<PathBuf> = versions.iter().map(|version| self.place(version)).collect();
        let found = read::directory(&self.dir.join(PACKAGES)).unwrap_or_default();
        for (path, _) in found.into_iter().filter(|(path, _)| !kept.contains(path)) {
            let _ = fs::remove_file(path);
        }
    }
}

fn file_name(version: &str) -> String {
    format!("{}_{version}_{}.deb", host::PACKAGE, own_architecture())
}
