//! Signed metadata: TUF's canonical form, signatures of one or more people, octets.
//!
//! `tough` signs a role in one call with all keys at hand; two people at two machines cannot. So a
//! signature is added to a document here, by whoever has a key, and the document is complete when
//! its threshold is met. The types, the canonical form and the signature are `tough`'s.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use olpc_cjson::CanonicalFormatter;
use serde::Serialize;
use tough::schema::{Hashes, Metafile, Role, Signature, Signed, Target};

use super::keys::SigningKey;
use crate::publish::error::PublishError;

/// Adds signatures of `keys` to `document`; a key's older signature is replaced.
pub(in crate::publish) async fn add<T: Role + Serialize>(
    mut document: Signed<T>,
    keys: &[SigningKey],
) -> Result<Signed<T>, PublishError> {
    let unsigned = |error: &dyn std::fmt::Display| PublishError::Sign(error.to_string());
    let mut canonical = Vec::new();
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut canonical, CanonicalFormatter::new());
    document.signed.serialize(&mut serializer).map_err(|error| unsigned(&error))?;
    for key in keys {
        let keyid = key.public().key_id().map_err(|error| unsigned(&error))?;
        let sig = key.signer().sign(&canonical, &SystemRandom::new()).await;
        let sig = sig.map_err(|error| unsigned(&error))?.into();
        document.signatures.retain(|one| one.keyid != keyid);
        document.signatures.push(Signature { keyid, sig });
    }
    Ok(document)
}

/// A document with signatures of `keys` and no other.
pub(in crate::publish) async fn sign<T: Role + Serialize>(
    role: T,
    keys: &[SigningKey],
) -> Result<Signed<T>, PublishError> {
    add(Signed { signed: role, signatures: Vec::new() }, keys).await
}

/// A document as a file.
pub(in crate::publish) fn octets<T: Serialize>(
    document: &Signed<T>,
) -> Result<Vec<u8>, PublishError> {
    let mut octets =
        serde_json::to_vec(document).map_err(|error| PublishError::Sign(error.to_string()))?;
    octets.push(b'\n');
    Ok(octets)
}

fn hashes(octets: &[u8]) -> Hashes {
    Hashes { sha256: digest(&SHA256, octets).as_ref().to_vec().into(), _extra: HashMap::new() }
}

/// What a snapshot or a timestamp says of a metadata file.
pub(in crate::publish) fn meta(octets: &[u8], version: std::num::NonZeroU64) -> Metafile {
    let (length, hashes) = (Some(octets.len() as u64), Some(hashes(octets)));
    Metafile { length, hashes, version, _extra: HashMap::new() }
}

/// What a role of targets says of a file.
pub(in crate::publish) fn target(octets: &[u8]) -> Target {
    Target {
        length: octets.len() as u64,
        hashes: hashes(octets),
        custom: HashMap::new(),
        _extra: HashMap::new(),
    }
}
