//! The state of the update client, as it is told.

use serde::{Deserialize, Serialize};

use crate::metrics::labels::UpdateRefusal;

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
    /// The servers that were polled since the start.
    pub servers: Vec<ServerStatus>,
}

/// Whether a release that was refused for this reason waits for a person.
pub(super) fn is_held(reason: &str) -> bool {
    reason == UpdateRefusal::Rehearsal.id()
}
