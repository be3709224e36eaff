//! Why a publication failed.

use std::io;
use std::path::PathBuf;

use super::trust::keys::KeyError;
use crate::lang::{Lang, Message};

/// A publication that failed; what is published already is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// A file of the repository.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// A metadata file is malformed.
    #[error("{path}: malformed: {why}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The directory has no repository, or has one already.
    #[error("{0}")]
    Place(String),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A document cannot be signed.
    #[error("cannot be signed: {0}")]
    Sign(String),
    /// Too few keys that count for a role.
    #[error("{role} needs {wanted} signature(s) of {of}, and has {found}: {hint}")]
    Threshold {
        /// The role.
        role: &'static str,
        /// Signatures needed.
        wanted: u64,
        /// Signatures that count.
        found: u64,
        /// The people whose signatures count.
        of: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// What was to be published is refused.
    #[error("{0}")]
    Refused(String),
    /// The same, in both languages.
    #[error("{}", .0.in_lang(Lang::En))]
    Told(Message),
}
