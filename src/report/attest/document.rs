//! The document of a month.

use std::collections::BTreeMap;

use olpc_cjson::CanonicalFormatter;
use serde::{Deserialize, Serialize};

use crate::evidence::record::{
    EnforcementSeconds, Gap, OrderCounts, RecordedSchool, ReviewCounts, SelfTestMonth, UsedRelease,
};

/// What stands in `kind`.
pub const KIND: &str = "lachan-attestation";
/// What stands in `format`.
pub const FORMAT: u32 = 1;
/// The most octets of a document.
pub const MAX_OCTETS: usize = 1 << 20;
/// The most changes of a document.
pub const MAX_CHANGES: usize = 200;

/// What a box says of a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// [`KIND`].
    pub kind: String,
    /// [`FORMAT`].
    pub format: u32,
    /// The month, as `2026-11`.
    pub month: String,
    /// Whether the month was over.
    pub is_over: bool,
    /// The civil second at which it was made.
    pub made_at: u64,
    /// The school and the box.
    pub school: RecordedSchool,
    /// Persons by their role in filtering.
    pub roles: BTreeMap<String, String>,
    /// Seconds by what held then.
    pub enforcement: EnforcementSeconds,
    /// Times without enforcement.
    pub gaps: Vec<Gap>,
    /// Releases that were in use.
    pub releases: Vec<UsedRelease>,
    /// Test names asked, and answered as they must be.
    pub self_test: SelfTestMonth,
    /// Requests to open a name.
    pub reviews: ReviewCounts,
    /// Orders of an authority.
    pub orders: OrderCounts,
    /// Changes that people made, the newest where there are too many.
    pub changes: Vec<AttestedChange>,
    /// The others.
    pub more_changes: u64,
    /// BLAKE3 of the config in force last.
    pub config_digest: String,
    /// The version of the program.
    pub version: String,
    /// SHA-256 of the document of the sealed month before; empty for the first.
    pub before: String,
}

/// A change that a person made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestedChange {
    /// The civil second.
    pub at: u64,
    /// The person.
    pub who: String,
    /// What was done.
    pub action: String,
    /// The kind of an override.
    pub kind: String,
    /// The group or the room.
    pub group: String,
    /// Names and categories that it is about.
    pub about: Vec<String>,
    /// The reason that was given.
    pub reason: String,
}

/// A document with its signature; with none where the box is not enrolled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedAttestation {
    /// What is signed.
    pub signed: Attestation,
    /// At most one signature.
    pub signatures: Vec<BoxSignature>,
}

/// A signature of a box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoxSignature {
    /// The public key: Ed25519, in hexadecimal.
    pub key: String,
    /// The signature over the canonical form of what is signed, in hexadecimal.
    pub sig: String,
}

impl SignedAttestation {
    /// The document as a file: the only octets that it can have.
    ///
    /// # Errors
    ///
    /// A text that has no canonical form.
    pub fn octets(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut octets = canonical(self)?;
        octets.push(b'\n');
        Ok(octets)
    }
}

/// TUF's canonical JSON.
pub(super) fn canonical(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut octets = Vec::new();
    let formatter = CanonicalFormatter::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut octets, formatter))?;
    Ok(octets)
}
