//! The manifest of a generation: what was adopted, by digest.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The format of manifests. One of another format counts as none.
pub(super) const FORMAT: u32 = 1;

/// What was adopted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    /// The config's path: a generation stands in for this config alone.
    pub(super) config: PathBuf,
    /// The id of its school.
    pub(super) school: String,
    /// The config's own text, and those that it names.
    pub(super) texts: Vec<KeptText>,
    pub(super) sources: Vec<KeptSource>,
    pub(super) sealed: Vec<KeptSealed>,
    pub(super) pack: Option<KeptPack>,
    /// Sources that were added while the gateway ran and have not been good since: their
    /// categories do not fail for them.
    pub(super) unenrolled: Vec<PathBuf>,
}

/// A text of the config, of a file that it names, or of keyword rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptText {
    /// The file.
    pub path: PathBuf,
    /// The digest of its text.
    pub digest: String,
}

/// A source of listed names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSource {
    /// The file or directory.
    pub path: PathBuf,
    /// The identity of its files at their reading.
    pub files: String,
    /// The time of the newest file, in seconds since 1970.
    pub modified: u64,
    /// Rules in it.
    pub rules: u64,
    /// Each text: its name in messages, and its digest.
    pub texts: Vec<(PathBuf, String)>,
}

impl KeptSource {
    /// One digest for all its texts; empty without any.
    pub fn digest(&self) -> String {
        match self.texts.as_slice() {
            [] => String::new(),
            [(_, digest)] => digest.clone(),
            texts => {
                let mut hasher = blake3::Hasher::new();
                for (_, digest) in texts {
                    hasher.update(digest.as_bytes());
                }
                hasher.finalize().to_hex().to_string()
            }
        }
    }
}

/// A sealed list and its key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSealed {
    /// The list.
    pub path: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The identity of both files at their reading.
    pub files: String,
    /// The digest of the list's octets, sealed as they are.
    pub list: String,
    /// The digest of the key file's octets.
    pub key_digest: String,
}

/// The delivered pack in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPack {
    /// The directory that it came from.
    pub directory: PathBuf,
    /// Its check: the identity of its octets.
    pub check: String,
}
