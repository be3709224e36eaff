//! Why an update was not taken.

use std::io;
use std::path::PathBuf;

use tough::error::Error as TufError;

use crate::fetch::FetchError;
use crate::lang::{Message, messages};
use crate::metrics::labels::UpdateRefusal;
use crate::release::emergency::EmergencyError;
use crate::release::manifest::ManifestError;

/// An update that was not taken; what is in force is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// A file of this machine.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// No file came from a server.
    #[error("the repository's server: {0}")]
    Web(#[from] FetchError),
    /// A page for people came in the place of a file.
    #[error("a page for people came, and no repository: does the network ask for a sign-in?")]
    Portal,
    /// The server says that nothing is new, and what it had is past its date.
    #[error("the server says that nothing is new, and its metadata is past its date: it is frozen")]
    Frozen,
    /// Two servers have different repositories under one number.
    #[error(
        "the server has another timestamp {version} than the other one: one of them is wrong, or \
         somebody else signs"
    )]
    Disagreeing {
        /// The version of both.
        version: u64,
    },
    /// Another update is at work.
    #[error("another update is at work; try again when it has ended")]
    Busy,
    /// The repository is not trusted, or not reachable.
    #[error("the repository is refused: {0}")]
    Trust(Box<TufError>),
    /// A version is lower than one that was seen before.
    #[error(
        "the repository offers {role} {found}, and this gateway has seen {seen}: an old copy, or a \
         rollback"
    )]
    Rollback {
        /// The role.
        role: String,
        /// The version that it offers.
        found: u64,
        /// The version that was seen.
        seen: u64,
    },
    /// A store of another repository.
    #[error("the root has the digest {found}, and {wanted} was enrolled: another repository")]
    OtherRoot {
        /// The digest that was enrolled.
        wanted: String,
        /// The digest that was found.
        found: String,
    },
    /// What was seen before is not known any more.
    #[error("{path}: what was seen of releases cannot be read")]
    MemoryLost {
        /// The store.
        path: PathBuf,
    },
    /// A target that is named is not signed.
    #[error("the repository has no `{name}` that is signed: it is half copied, or wrong")]
    Missing {
        /// The target.
        name: String,
    },
    /// A target that is longer than it may be.
    #[error("`{name}` has {octets} octets; at most {most} are taken")]
    TooLarge {
        /// The target.
        name: String,
        /// Its length as signed, or as unpacked so far.
        octets: u64,
        /// The bound.
        most: u64,
    },
    /// A document that is refused.
    #[error("{0}")]
    Malformed(String),
    /// A release that needs a newer program.
    #[error("{0}")]
    OldProgram(ManifestError),
    /// The rollout chooses a program that officers did not sign; the release was taken.
    #[error(
        "the rollout chooses the program {version} for {architecture}, which no officer signed"
    )]
    UnsignedProgram {
        /// The version.
        version: String,
        /// The architecture of this gateway.
        architecture: &'static str,
    },
    /// An emergency list that is refused.
    #[error("{0}")]
    Emergency(#[from] EmergencyError),
    /// The emergency list was not taken; the release was.
    #[error("{0}")]
    Urgent(Box<UpdateError>),
    /// A list that is not the one that was signed.
    #[error("release {serial}: {what} has the digest {found}, and {wanted} is signed")]
    Digest {
        /// The release.
        serial: u64,
        /// What was compared.
        what: &'static str,
        /// The digest that is signed.
        wanted: String,
        /// The digest that was found.
        found: String,
    },
    /// The config of this gateway is at fault, with whatever release.
    #[error("the config of this gateway: {0}")]
    Config(String),
    /// The enrolled root cannot be read.
    #[error("{path}: {error}")]
    Enrolled {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// No policy can be made of the release.
    #[error("release {serial}: no policy can be made of it: {why}")]
    Policy {
        /// The release.
        serial: u64,
        /// The fault.
        why: String,
    },
    /// The release blocks names that no list may block by mistake.
    #[error(
        "release {serial}: {names} guarded or essential names would be blocked; \
         `lachan lists rehearse` names them"
    )]
    Rehearsal {
        /// The release.
        serial: u64,
        /// The number of names.
        names: usize,
    },
    /// The release fails the self-test.
    #[error("release {serial}: the self-test failed: {why}")]
    SelfTest {
        /// The release.
        serial: u64,
        /// The fault.
        why: String,
    },
    /// The release is below what a gateway may go back to.
    #[error("release {release} is lower than {least}, the lowest that may be gone back to")]
    Lower {
        /// The release.
        release: u64,
        /// The lowest one.
        least: u64,
    },
    /// No generation has the release.
    #[error("there is no such release on this gateway; kept are: {kept}")]
    NotKept {
        /// The releases that are kept.
        kept: String,
    },
    /// The release was rejected before.
    #[error(
        "release {serial} was rejected before ({why}); `lachan lists accept CONFIG release` tries it again"
    )]
    Rejected {
        /// The release.
        serial: u64,
        /// The reason of then, of the closed set.
        reason: String,
        /// The fault of then.
        why: String,
    },
}

/// Where the fault of an update lies, and so what becomes of what was downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// With the server, or on the way: nothing of it is used again, and the next server is asked.
    Server,
    /// With this gateway: what was downloaded stays, and the poll is made again soon.
    Gateway,
    /// With the release, which the department signed: what was downloaded stays, and polls go on as
    /// usual.
    Release,
}

impl UpdateError {
    /// The reason in metrics and in what a gateway says of itself: one of a closed set.
    pub fn reason(&self) -> &'static str {
        self.refusal().id()
    }

    /// The same, as the label of a metric.
    pub fn refusal(&self) -> UpdateRefusal {
        match self {
            Self::File { .. } => UpdateRefusal::Disk,
            Self::TooLarge { .. }
            | Self::Web(FetchError::Endless(_))
            | Self::Emergency(EmergencyError::TooLarge(_) | EmergencyError::TooMany(_)) => {
                UpdateRefusal::Size
            }
            Self::Web(_) | Self::Missing { .. } | Self::NotKept { .. } => {
                UpdateRefusal::Unreachable
            }
            Self::Portal => UpdateRefusal::Portal,
            Self::Frozen => UpdateRefusal::Frozen,
            Self::Disagreeing { .. } => UpdateRefusal::Disagreeing,
            Self::Busy => UpdateRefusal::Busy,
            Self::Rollback { .. } | Self::Lower { .. } => UpdateRefusal::Rollback,
            Self::OtherRoot { .. } | Self::Enrolled { .. } => UpdateRefusal::Root,
            Self::Config(_) => UpdateRefusal::Config,
            Self::MemoryLost { .. } => UpdateRefusal::Memory,
            Self::Urgent(error) => error.refusal(),
            Self::Malformed(_) | Self::Emergency(_) => UpdateRefusal::Malformed,
            Self::OldProgram(_) | Self::UnsignedProgram { .. } => UpdateRefusal::Program,
            Self::Digest { .. } => UpdateRefusal::Digest,
            Self::Policy { .. } => UpdateRefusal::Policy,
            Self::Rehearsal { .. } => UpdateRefusal::Rehearsal,
            Self::SelfTest { .. } => UpdateRefusal::SelfTest,
            Self::Rejected { reason, .. } => {
                let known = UpdateRefusal::ALL.into_iter().find(|one| one.id() == reason);
                known.unwrap_or(UpdateRefusal::SelfTest)
            }
            Self::Trust(error) => refusal_of(error),
        }
    }

    /// Where the fault lies. What is signed and wrong is not better on another server.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Trust(_)
                if matches!(self.refusal(), UpdateRefusal::Clock | UpdateRefusal::Disk) =>
            {
                Blame::Gateway
            }
            Self::Web(_)
            | Self::Portal
            | Self::Frozen
            | Self::Disagreeing { .. }
            | Self::Rollback { .. }
            | Self::Trust(_) => Blame::Server,
            Self::Urgent(error) => error.blame(),
            Self::File { .. }
            | Self::Config(_)
            | Self::Enrolled { .. }
            | Self::Busy
            | Self::OtherRoot { .. }
            | Self::MemoryLost { .. }
            | Self::NotKept { .. } => Blame::Gateway,
            Self::Missing { .. }
            | Self::TooLarge { .. }
            | Self::Malformed(_)
            | Self::Emergency(_)
            | Self::OldProgram(_)
            | Self::UnsignedProgram { .. }
            | Self::Digest { .. }
            | Self::Policy { .. }
            | Self::Rehearsal { .. }
            | Self::SelfTest { .. }
            | Self::Lower { .. }
            | Self::Rejected { .. } => Blame::Release,
        }
    }

    /// The release that is at fault itself, and not its way: it is not tried again.
    pub fn serial(&self) -> Option<u64> {
        match self {
            Self::Policy { serial, .. }
            | Self::Rehearsal { serial, .. }
            | Self::SelfTest { serial, .. }
            | Self::Digest { serial, .. } => Some(*serial),
            _ => None,
        }
    }

    /// The reason and what to do, for the people of the school; the fault itself follows it.
    pub fn message(&self) -> Message {
        match self.refusal() {
            _ if matches!(self, Self::Urgent(_)) => messages::update_emergency(),
            _ if matches!(self, Self::NotKept { .. }) => messages::update_not_kept(),
            _ if matches!(self, Self::UnsignedProgram { .. }) => {
                messages::update_unsigned_program()
            }
            _ if matches!(self, Self::Enrolled { .. }) => messages::update_root_unread(),
            UpdateRefusal::Disk => messages::update_disk(),
            UpdateRefusal::Config => messages::update_config(),
            UpdateRefusal::Busy => messages::update_busy(),
            UpdateRefusal::Unreachable | UpdateRefusal::Portal => messages::update_unreachable(),
            UpdateRefusal::Expired | UpdateRefusal::Frozen => messages::update_expired(),
            UpdateRefusal::Rollback => messages::update_rollback(),
            UpdateRefusal::Disagreeing => messages::update_disagreeing(),
            UpdateRefusal::Signature | UpdateRefusal::Trust => messages::update_signature(),
            UpdateRefusal::Size | UpdateRefusal::Hash | UpdateRefusal::Malformed => {
                messages::update_malformed()
            }
            UpdateRefusal::Clock => messages::update_clock(),
            UpdateRefusal::Root => messages::update_root(),
            UpdateRefusal::Memory => messages::update_memory(),
            UpdateRefusal::Digest | UpdateRefusal::Policy => messages::update_policy(),
            UpdateRefusal::Program => messages::update_program(),
            UpdateRefusal::Rehearsal => messages::update_rehearsal(),
            UpdateRefusal::SelfTest | UpdateRefusal::Died => messages::update_selftest(),
        }
    }
}

/// The refusal of an error of `tough`: what is wrong with octets comes as the cause of an error of
/// their transport.
fn refusal_of(error: &TufError) -> UpdateRefusal {
    match error {
        TufError::Transport { .. } => {
            let mut cause = std::error::Error::source(error);
            while let Some(inner) = cause {
                if let Some(inner) = inner.downcast_ref::<TufError>() {
                    return refusal_of(inner);
                }
                if let Some(inner) = inner.downcast_ref::<UpdateError>() {
                    return inner.refusal();
                }
                cause = inner.source();
            }
            UpdateRefusal::Unreachable
        }
        TufError::ExpiredMetadata { .. } => UpdateRefusal::Expired,
        TufError::OlderMetadata { .. } => UpdateRefusal::Rollback,
        TufError::VerifyMetadata { .. } | TufError::VerifyTrustedMetadata { .. } => {
            UpdateRefusal::Signature
        }
        TufError::MaxSizeExceeded { .. } => UpdateRefusal::Size,
        TufError::HashMismatch { .. } => UpdateRefusal::Hash,
        TufError::ParseMetadata { .. } => UpdateRefusal::Malformed,
        TufError::DatastoreInit { .. }
        | TufError::DatastoreCreate { .. }
        | TufError::DatastoreOpen { .. }
        | TufError::DatastoreRemove { .. } => UpdateRefusal::Disk,
        TufError::SystemTimeSteppedBackward { .. } => UpdateRefusal::Clock,
        _ => UpdateRefusal::Trust,
    }
}

impl From<ManifestError> for UpdateError {
    fn from(error: ManifestError) -> Self {
        match error {
            ManifestError::Program { .. } => Self::OldProgram(error),
            error => Self::Malformed(error.to_string()),
        }
    }
}

impl From<TufError> for UpdateError {
    fn from(error: TufError) -> Self {
        Self::Trust(Box::new(error))
    }
}
