//! The bundle of a year: the documents of its months, and their chain.

use serde::{Deserialize, Serialize};

use super::document::{SignedAttestation, canonical};
use super::verify::{AttestError, Verified, verify_chain, verify_parsed};
use crate::publish::enrol::PinnedBox;

/// What stands in `kind`.
pub const KIND: &str = "lachan-attestation-bundle";
/// What stands in `format`.
const FORMAT: u32 = 1;
/// The most octets of a bundle.
pub const MAX_OCTETS: usize = 13 << 20;

/// The documents of a year. It is not signed itself: each of its documents is, and has the digest of
/// the one before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestationBundle {
    /// [`KIND`].
    pub kind: String,
    /// Its format.
    pub format: u32,
    /// The year.
    pub year: String,
    /// The documents, in order.
    pub months: Vec<SignedAttestation>,
}

impl AttestationBundle {
    /// A bundle of a year's documents.
    pub fn new(year: &str, months: Vec<SignedAttestation>) -> Self {
        Self { kind: KIND.into(), format: FORMAT, year: year.into(), months }
    }

    /// The bundle as a file.
    ///
    /// # Errors
    ///
    /// A text that has no canonical form.
    pub fn octets(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut octets = canonical(self)?;
        octets.push(b'\n');
        Ok(octets)
    }

    /// Verifies a bundle, each of its documents, and their chain.
    ///
    /// # Errors
    ///
    /// [`AttestError`].
    pub fn verify(octets: &[u8], boxes: &[PinnedBox]) -> Result<Vec<Verified>, AttestError> {
        if octets.len() > MAX_OCTETS {
            return Err(AttestError::TooLong);
        }
        let malformed = |error: serde_json::Error| AttestError::Malformed(error.to_string());
        let bundle: Self = serde_json::from_slice(octets).map_err(malformed)?;
        if bundle.kind != KIND || bundle.format != FORMAT {
            return Err(AttestError::Format(bundle.kind, bundle.format));
        }
        if bundle.octets().map_err(malformed)? != octets {
            return Err(AttestError::NotCanonical);
        }
        let in_year = |month: &str| {
            month.strip_prefix(&bundle.year).is_some_and(|rest| rest.starts_with('-'))
        };
        if bundle.months.is_empty() || bundle.months.iter().any(|one| !in_year(&one.signed.month)) {
            return Err(AttestError::Malformed(
                "a month is of another year, or there is none".into(),
            ));
        }
        let mut verified = Vec::with_capacity(bundle.months.len());
        for document in bundle.months {
            let octets = document.octets().map_err(malformed)?;
            verified.push(verify_parsed(document, &octets, boxes)?);
        }
        let boxes_of = |one: &Verified| {
            (one.attestation.school.id.clone(), one.attestation.school.unit.clone())
        };
        if let [first, rest @ ..] = verified.as_slice()
            && let Some(other) = rest.iter().find(|one| boxes_of(one) != boxes_of(first))
        {
            let name = |one: &Verified| {
                let (school, unit) = boxes_of(one);
                format!("{school}/{unit}")
            };
            return Err(AttestError::OtherBox { found: name(other), owner: name(first) });
        }
        verify_chain(&verified)?;
        Ok(verified)
    }
}
