//! Why an update was not taken.

use std::io;
use std::path::PathBuf;

use tough::error::Error as TufError;

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
    /// A root of another repository.
    #[error("the root has the digest {found}, and {wanted} was enrolled: another repository")]
    OtherRoot {
        /// The digest that was enrolled.
        wanted: String,
        /// The digest that was found.
        found: String,
    },
}

impl UpdateError {
    /// The reason in metrics and in what a gateway says of itself: one of a closed set.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::File { .. } => "disk",
            Self::Rollback { .. } => "rollback",
            Self::OtherRoot { .. } => "root",
            Self::Trust(error) => match **error {
                TufError::Transport { .. } => "unreachable",
                TufError::ExpiredMetadata { .. } => "expired",
                TufError::OlderMetadata { .. } => "rollback",
                TufError::VerifyMetadata { .. } | TufError::VerifyTrustedMetadata { .. } => {
                    "signature"
                }
                TufError::MaxSizeExceeded { .. } => "size",
                TufError::HashMismatch { .. } => "hash",
                TufError::ParseMetadata { .. } => "malformed",
                TufError::SystemTimeSteppedBackward { .. } => "clock",
                _ => "trust",
            },
        }
    }
}

impl From<TufError> for UpdateError {
    fn from(error: TufError) -> Self {
        Self::Trust(Box::new(error))
    }
}
