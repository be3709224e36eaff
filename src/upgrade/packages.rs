//! Packages on the disk: the way here, and the way back.
//!
//! ```text
//! STATE-upgrade/packages/lachan_VERSION_ARCHITECTURE.deb     the installed one, and the one before
//! ```
//!
//! Laws: a file is written here only once its octets are those that officers signed; and it is given to dpkg only
//! where they are so still, compared just before.

use std::fs;
use std::path::PathBuf;

use tokio::runtime::Runtime;

use super::directory::{PACKAGES, UpgradeDirectory};
use super::host;
use super::signed::{SignedPrograms, message_of};
use crate::lang::{Lang, Message, messages};
use crate::release::program::ProgramPackage;
use crate::sys::read;
use crate::update::enrolment::fingerprint_of;
use crate::update::status::{ChosenProgram, InstalledProgram};
use crate::update::take::MAX_PACKAGE;

/// Where apt puts what it downloads.
const BY_APT: &str = "apt";

/// The packages of one gateway.
pub(super) struct Packages {
    dir: UpgradeDirectory,
    by_apt: bool,
}

/// Why dpkg did not install a package.
#[derive(Debug)]
pub(super) enum InstallFault {
    /// Its octets are other ones: dpkg was not given it.
    Changed(Message),
    /// dpkg could not work.
    Machine(String),
    /// dpkg failed at it.
    Package(String),
}

impl InstallFault {
    /// The fault for people.
    pub(super) fn in_lang(&self, lang: Lang) -> String {
        match self {
            Self::Changed(message) => message.in_lang(lang),
            Self::Machine(why) | Self::Package(why) => why.clone(),
        }
    }
}

impl Packages {
    /// Those in the directory of upgrades; new ones come by apt, or from the repository.
    pub(super) fn new(dir: UpgradeDirectory, by_apt: bool) -> Self {
        Self { dir, by_apt }
    }

    /// The place of a version.
    pub(super) fn place(&self, version: &str) -> PathBuf {
        self.dir.join(PACKAGES).join(ProgramPackage::of_own(version).file_name())
    }

    /// Whether the package of what is installed is kept, as officers signed it.
    pub(super) fn has(&self, installed: &InstalledProgram) -> bool {
        let octets = read::octets(&self.place(&installed.version), MAX_PACKAGE).ok();
        octets.is_some_and(|octets| Some(fingerprint_of(&octets)) == installed.sha256)
    }

    /// Gives a package to dpkg, where its octets have this digest now.
    ///
    /// # Errors
    ///
    /// [`InstallFault`].
    pub(super) fn install(&self, program: &InstalledProgram) -> Result<(), InstallFault> {
        let place = self.place(&program.version);
        if !self.has(program) {
            let message = messages::upgrade_fault_changed(place.display(), &program.version);
            return Err(InstallFault::Changed(message));
        }
        host::install(&place).map_err(|fault| {
            let kind = if host::is_of_machine(&fault) {
                InstallFault::Machine
            } else {
                InstallFault::Package
            };
            kind(fault.to_string())
        })
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
            (octets.map_err(message_of), "the repository")
        };
        let octets = octets.map_err(|why| messages::upgrade_fault_download(version, why))?;
        if octets.len() as u64 != program.octets || fingerprint_of(&octets) != program.sha256 {
            return Err(messages::upgrade_fault_digest(version, from));
        }
        let (packages, place) = (self.dir.subdirectory(PACKAGES)?, self.place(version));
        let written = packages.replace(&ProgramPackage::of_own(version).file_name(), &octets);
        let failed = |error| messages::upgrade_fault_state(format!("{}: {error}", place.display()));
        written.map_err(failed)?;
        Ok(place)
    }

    fn download(&self, version: &str) -> Result<Vec<u8>, Message> {
        let to = self.dir.join(BY_APT);
        let _ = fs::remove_dir_all(&to);
        let failed = |error: std::io::Error| format!("{}: {error}", to.display());
        fs::create_dir(&to).map_err(failed).map_err(Message::english)?;
        let octets = host::by_apt(version, &to)
            .and_then(|path| read::octets(&path, MAX_PACKAGE).map_err(failed));
        let _ = fs::remove_dir_all(&to);
        octets.map_err(Message::english)
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
