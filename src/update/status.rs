//! The state of the update client, as it is told; and the record of the program's upgrades beside it.
//!
//! ```text
//! STATE-upgrade/upgrade.json   written by root (`lachan upgrade`), read by everybody: `UpgradeRecord`
//! ```

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::metrics::labels::UpdateRefusal;
use crate::metrics::{Sample, families};
use crate::sys::read;

/// How a server of the repository did when it was polled last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// The URL.
    pub url: String,
    /// The reason of a failure, of the closed set; none where the repository was trusted.
    pub reason: Option<String>,
    /// The same for people.
    pub why: Option<String>,
}

/// The program that the department's rollout chooses for this gateway: a package that officers signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenProgram {
    /// Its version.
    pub version: String,
    /// SHA-256 of the package, as it is signed.
    pub sha256: String,
    /// The length of the package.
    pub octets: u64,
}

/// The state of the update client, for `lachan status`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateStatus {
    /// The release in use; 0 where there is none yet.
    pub release: u64,
    /// The school's ring.
    pub ring: String,
    /// Seconds since 1970 of the last attempt, and of the last one that ended well; 0 without one.
    pub last_attempt: u64,
    /// The last attempt that ended well.
    pub last_success: u64,
    /// `ok`, `held` where a release waits for a person, or `rejected`.
    pub state: String,
    /// The reason of the last refusal, of a closed set.
    pub reason: Option<String>,
    /// The same for people.
    pub why: Option<String>,
    /// Releases that are kept, the oldest first.
    pub kept: Vec<u64>,
    /// The version of the emergency list in use; 0 without one.
    pub emergency: u64,
    /// The program that is chosen for this gateway, as the last attempt found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ChosenProgram>,
    /// How upgrades of the program ended; none where none was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<UpgradeRecord>,
    /// The servers that were polled since the start.
    pub servers: Vec<ServerStatus>,
}

/// The package of the program that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledProgram {
    /// Its version.
    pub version: String,
    /// SHA-256 as officers signed it; none where this gateway never saw it signed.
    pub sha256: Option<String>,
    /// When an upgrade installed it, in seconds since 1970; 0 where a person did.
    #[serde(default)]
    pub at: u64,
}

/// An installation that has begun, and of which nobody knows yet how it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeAttempt {
    /// The package.
    pub program: ChosenProgram,
    /// The package before it.
    pub from: InstalledProgram,
    /// How often it has begun.
    pub times: u32,
    /// Rows of the self-test that failed before it.
    #[serde(default)]
    pub failing: BTreeSet<String>,
}

/// A package that was refused here, or gone back from: its octets are not tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedProgram {
    /// Its version.
    pub version: String,
    /// SHA-256 of the package.
    pub sha256: String,
    /// The fault, for people.
    pub why: String,
    /// Seconds since 1970.
    pub at: u64,
}

/// The record of the program's upgrades on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpgradeRecord {
    /// The package that is installed.
    pub installed: Option<InstalledProgram>,
    /// An installation that has begun.
    pub attempt: Option<UpgradeAttempt>,
    /// Packages that are not tried again, the newest last.
    pub rejected: Vec<RejectedProgram>,
    /// Why the last run brought nothing, where the program is not to blame.
    pub fault: Option<String>,
}

impl UpgradeRecord {
    /// Its file, in the directory of upgrades.
    pub const FILE: &str = "upgrade.json";

    /// The directory of upgrades, which belongs to root: beside the state directory, since the service
    /// could replace what is in that one.
    pub fn directory(state: &Path) -> PathBuf {
        let mut name = state.as_os_str().to_owned();
        name.push("-upgrade");
        PathBuf::from(name)
    }

    /// The record beside a state directory; none where there is none.
    ///
    /// # Errors
    ///
    /// The error of the system, or that it is damaged: what failed here is in it, so it is never taken for none.
    pub fn read(state: &Path) -> io::Result<Option<Self>> {
        match read::octets(&Self::directory(state).join(Self::FILE), read::MAX_TEXT) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            octets => Ok(Some(serde_json::from_slice(&octets?)?)),
        }
    }

    /// The same for status and metrics; a record that cannot be read is an upgrade that failed.
    pub fn beside(state: &Path) -> Option<Self> {
        Self::read(state).unwrap_or_else(|error| {
            let path = Self::directory(state).join(Self::FILE);
            let fault = Some(format!("{}: {error}", path.display()));
            Some(Self { fault, ..Self::default() })
        })
    }

    /// The refusal of these octets, if they were refused.
    pub fn refusal(&self, sha256: &str) -> Option<&RejectedProgram> {
        self.rejected.iter().rev().find(|one| one.sha256 == sha256)
    }

    /// What is installed, what is not tried again, and whether the last run failed.
    pub(super) fn samples(&self) -> Vec<Sample> {
        let version = |text: &str| (text.into(),);
        let installed = self.installed.iter();
        let installed = installed
            .map(|one| families::PROGRAM_INSTALLED.flag(version(one.version.as_str()), true));
        let rejected: BTreeSet<&str> =
            self.rejected.iter().map(|one| one.version.as_str()).collect();
        let rejected =
            rejected.into_iter().map(|one| families::PROGRAM_REFUSED.flag(version(one), true));
        let failed = families::UPGRADE_FAILED.flag((), self.fault.is_some());
        installed.chain(rejected).chain([failed]).collect()
    }
}

/// Whether a release that was refused for this reason waits for a person.
pub(super) fn is_held(reason: &str) -> bool {
    reason == UpdateRefusal::Rehearsal.id()
}
