//! The manifest of a release.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::program::is_below;

/// The format of manifests that is written, and the only one that is read.
pub const FORMAT: u32 = 1;
/// The most octets of a manifest.
pub const MAX_OCTETS: usize = 1 << 20;

/// All that one release consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseManifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Its number: one more than the release before.
    pub serial: u64,
    /// Seconds since 1970 of its signing: a lower bound of time for gateways without a clock.
    pub signed_at: u64,
    /// The lowest release that a gateway may go back to once it has this one.
    pub min_release: u64,
    /// Text for people: what this release changes.
    pub summary: String,
    /// The target with all rules.
    pub full: String,
    /// The target with the difference from release `serial - 1`; none in the first release.
    pub delta: Option<String>,
    /// BLAKE3 of the canonical list, unpacked.
    pub list_digest: String,
    /// Octets of the canonical list, unpacked: a bound for its reading.
    pub list_octets: u64,
    /// The digest of the compiled rules, by pack format.
    pub pack_digest: BTreeMap<u16, String>,
    /// Targets of data files, by file name.
    pub data: BTreeMap<String, String>,
    /// Names by category.
    pub names: BTreeMap<String, u64>,
    /// Findings that were accepted for this release.
    pub accepted: Vec<Acceptance>,
    /// The lowest version of the program that can take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_program: Option<String>,
}

/// A finding that somebody accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The finding's kind and subject.
    pub finding: String,
    /// The name of the person.
    pub by: String,
    /// The reason.
    pub reason: String,
}

/// A manifest that is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManifestError {
    /// More than [`MAX_OCTETS`].
    #[error("the manifest has {0} octets; at most {MAX_OCTETS} are read")]
    TooLarge(usize),
    /// Its text is no manifest.
    #[error("the manifest is malformed: {0}")]
    Malformed(String),
    /// Another format.
    #[error("the manifest has format {0}; this program reads format {FORMAT}: update the program")]
    Format(u32),
    /// It needs a newer program.
    #[error("release {serial} needs the program {least} or later, and this is {own}")]
    Program {
        /// The release.
        serial: u64,
        /// The lowest version.
        least: String,
        /// The version that reads it.
        own: String,
    },
    /// It speaks of another release.
    #[error("the manifest is of release {found}, and release {wanted} was asked for")]
    Serial {
        /// The release that was asked for.
        wanted: u64,
        /// The release that it is of.
        found: u64,
    },
}

impl ReleaseManifest {
    /// Reads the manifest of release `serial` for a program of the version `own`.
    ///
    /// What a release needs is read first: one that needs a newer program may have other fields.
    ///
    /// # Errors
    ///
    /// [`ManifestError`].
    pub fn parse_for(own: &str, octets: &[u8], serial: u64) -> Result<Self, ManifestError> {
        let head = octets.get(..MAX_OCTETS.min(octets.len())).unwrap_or_default();
        let head: Option<Head> = serde_json::from_slice(head).ok();
        match head.and_then(|head| head.min_program) {
            Some(least) if is_below(own, &least) => {
                Err(ManifestError::Program { serial, least, own: own.to_owned() })
            }
            _ => Self::parse(octets, serial),
        }
    }

    /// Reads the manifest of release `serial`.
    ///
    /// # Errors
    ///
    /// [`ManifestError`].
    pub fn parse(octets: &[u8], serial: u64) -> Result<Self, ManifestError> {
        if octets.len() > MAX_OCTETS {
            return Err(ManifestError::TooLarge(octets.len()));
        }
        let malformed = |error: serde_json::Error| ManifestError::Malformed(error.to_string());
        // The format first: another one may have other fields.
        let head: Head = serde_json::from_slice(octets).map_err(malformed)?;
        if head.format != FORMAT {
            return Err(ManifestError::Format(head.format));
        }
        let manifest: Self = serde_json::from_slice(octets).map_err(malformed)?;
        if manifest.serial != serial {
            return Err(ManifestError::Serial { wanted: serial, found: manifest.serial });
        }
        Ok(manifest)
    }
}

/// The part that every format has; it is read first, since another one may have other fields.
#[derive(Deserialize)]
struct Head {
    format: u32,
    #[serde(default)]
    min_program: Option<String>,
}
