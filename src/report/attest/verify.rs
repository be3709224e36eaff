//! Whether a document is what a box said.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

use super::document::{Attestation, FORMAT, KIND, MAX_OCTETS, SignedAttestation, canonical};
use crate::digest::sha256;
use crate::lang::{Message, messages};
use crate::publish::enrol::PinnedBox;

/// Octets of a public key.
const KEY: usize = 32;
/// Octets of a signature.
const SIGNATURE: usize = 64;

/// Why a document is not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttestError {
    /// It has too many octets.
    #[error("longer than {MAX_OCTETS} octets")]
    TooLong,
    /// It is no such document.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Its octets are not those that a box writes.
    #[error("not as a box writes it: something in it was changed")]
    NotCanonical,
    /// It is of another kind or format.
    #[error("kind `{0}` of format {1}; this program reads {KIND} of format {FORMAT}")]
    Format(String, u32),
    /// The box was not enrolled.
    #[error("not signed: the box was not enrolled")]
    Unsigned,
    /// No such key is pinned.
    #[error("no such key of `{unit}` of `{school}` is pinned")]
    UnknownKey {
        /// The school of the document.
        school: String,
        /// The box of the document.
        unit: String,
    },
    /// The key is that of another box.
    #[error("it says `{found}`, and the key is that of `{owner}`")]
    OtherBox {
        /// School and box of the document.
        found: String,
        /// School and box of the key.
        owner: String,
    },
    /// The key was revoked.
    #[error("the key of `{unit}` of `{school}` was revoked: {reason}")]
    Revoked {
        /// The school.
        school: String,
        /// The box.
        unit: String,
        /// The reason.
        reason: String,
    },
    /// The signature is not that of the key.
    #[error("the signature is wrong: something in it was changed")]
    Signature,
    /// A month does not follow the one before it.
    #[error("{month} does not follow {before}: one of them was changed, or is another box's")]
    Chain {
        /// The month.
        month: String,
        /// The one before it.
        before: String,
    },
    /// A month is missing.
    #[error("between {before} and {month} a sealed month is missing")]
    Missing {
        /// The month.
        month: String,
        /// The one before it that is there.
        before: String,
    },
}

impl AttestError {
    /// It, for people.
    pub fn message(&self) -> Message {
        match self {
            Self::TooLong => messages::attest_too_long(MAX_OCTETS),
            Self::Malformed(why) => messages::attest_malformed(why),
            Self::NotCanonical => messages::attest_not_canonical(),
            Self::Format(kind, format) => messages::attest_format(kind, format, KIND, FORMAT),
            Self::Unsigned => messages::attest_no_signature(),
            Self::UnknownKey { school, unit } => messages::attest_unknown_key(unit, school),
            Self::OtherBox { found, owner } => messages::attest_other_box(found, owner),
            Self::Revoked { school, unit, reason } => {
                messages::attest_revoked(unit, school, reason)
            }
            Self::Signature => messages::attest_wrong_signature(),
            Self::Chain { month, before } => messages::attest_broken_chain(month, before),
            Self::Missing { month, before } => messages::attest_missing_month(before, month),
        }
    }
}

/// A document of a box.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The document.
    pub attestation: Attestation,
    /// Its digest, which the next month has.
    pub digest: String,
}

/// Verifies the document of a month against the keys that a department pins.
///
/// # Errors
///
/// [`AttestError`].
pub fn verify(octets: &[u8], boxes: &[PinnedBox]) -> Result<Verified, AttestError> {
    let document = parse(octets)?;
    verify_parsed(document, octets, boxes)
}

/// Reads a document without regard to its signature: only its canonical octets are one.
///
/// # Errors
///
/// [`AttestError`].
pub fn parse(octets: &[u8]) -> Result<SignedAttestation, AttestError> {
    if octets.len() > MAX_OCTETS {
        return Err(AttestError::TooLong);
    }
    let malformed = |error: serde_json::Error| AttestError::Malformed(error.to_string());
    let document: SignedAttestation = serde_json::from_slice(octets).map_err(malformed)?;
    let Attestation { kind, format, .. } = &document.signed;
    if kind != KIND || *format != FORMAT {
        return Err(AttestError::Format(kind.clone(), *format));
    }
    if document.octets().map_err(malformed)? != octets {
        return Err(AttestError::NotCanonical);
    }
    Ok(document)
}

/// Verifies a document that was read of its canonical octets.
pub(super) fn verify_parsed(
    document: SignedAttestation,
    octets: &[u8],
    boxes: &[PinnedBox],
) -> Result<Verified, AttestError> {
    let SignedAttestation { signed, signatures } = document;
    let signature = match signatures.as_slice() {
        [] => return Err(AttestError::Unsigned),
        [one] => one,
        _ => return Err(AttestError::Malformed("more than one signature".into())),
    };
    let (school, unit) = (&signed.school.id, &signed.school.unit);
    let Some(pinned) = boxes.iter().find(|one| one.key == signature.key) else {
        return Err(AttestError::UnknownKey { school: school.clone(), unit: unit.clone() });
    };
    if (&pinned.school, &pinned.unit) != (school, unit) {
        let found = format!("{school}/{unit}");
        let owner = format!("{}/{}", pinned.school, pinned.unit);
        return Err(AttestError::OtherBox { found, owner });
    }
    if pinned.revoked_at.is_some() {
        return Err(AttestError::Revoked {
            school: school.clone(),
            unit: unit.clone(),
            reason: pinned.revoked_for.clone().unwrap_or_default(),
        });
    }
    let key = unhex::<KEY>(&signature.key).ok_or(AttestError::Signature)?;
    let sig = unhex::<SIGNATURE>(&signature.sig).ok_or(AttestError::Signature)?;
    let message = canonical(&signed).map_err(|error| AttestError::Malformed(error.to_string()))?;
    let key = UnparsedPublicKey::new(&ED25519, key);
    key.verify(&message, &sig).map_err(|_| AttestError::Signature)?;
    Ok(Verified { attestation: signed, digest: sha256(octets) })
}

/// Verifies that months of one box follow one another; they are in order. A month in which the box
/// was off has no document, and the chain goes on behind it.
///
/// # Errors
///
/// [`AttestError::Chain`] and [`AttestError::Missing`].
pub fn verify_chain(months: &[Verified]) -> Result<(), AttestError> {
    for pair in months.windows(2) {
        let [before, after] = pair else { continue };
        let (first, next) = (&before.attestation, &after.attestation);
        if next.before == before.digest && first.month < next.month && first.is_over {
            continue;
        }
        let (month, last) = (next.month.clone(), first.month.clone());
        return Err(if following(&first.month).as_ref() == Some(&next.month) {
            AttestError::Chain { month, before: last }
        } else {
            AttestError::Missing { month, before: last }
        });
    }
    Ok(())
}

/// The month after a month.
pub(super) fn following(month: &str) -> Option<String> {
    let (year, number) = month.split_once('-')?;
    let (year, number): (u16, u16) = (year.parse().ok()?, number.parse().ok()?);
    Some(if number >= 12 {
        format!("{:04}-01", year.checked_add(1)?)
    } else {
        format!("{year:04}-{:02}", number + 1)
    })
}

/// Octets of hexadecimal in lower case, the only one that is written.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |octet: u8| match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        _ => None,
    };
    let mut octets = [0; N];
    let pairs = text.as_bytes().chunks(2);
    if text.len() != 2 * N {
        return None;
    }
    for (octet, pair) in octets.iter_mut().zip(pairs) {
        let [high, low] = pair else { return None };
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    Some(octets)
}
