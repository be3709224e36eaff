//! Sealing: names → a sealed list, on the authority's side.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;

use super::format::{
    HEAD, KEY_CHECK, MAGIC, VERSION, digest, filter_bits, filter_hash, filter_hasher, registrable,
};
use super::key::SealedKey;
use crate::dns::name::{Folded, Name};
use crate::matcher::scale;

/// Names for one filter word: 16 bits a name.
const NAMES_PER_WORD: usize = 4;

/// Refusal of a name for a sealed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsealable {
    /// A registry, or a host of many sites: all of them would be blocked.
    #[error("a public suffix: everybody registers names below it, and it would match nothing")]
    PublicSuffix,
}

/// Whether a name can be on a sealed list.
///
/// # Errors
///
/// [`Unsealable`] for a name that no query would match.
pub fn sealable(name: &Name) -> Result<(), Unsealable> {
    registrable(&Folded::from_name(name)).map(|_| ()).ok_or(Unsealable::PublicSuffix)
}

/// The sealed list of `names`, in any order; the same names and key give the same octets.
pub fn seal<'a>(names: impl IntoIterator<Item = &'a Name>, key: &SealedKey) -> Vec<u8> {
    let key = key.hmac();
    let hasher = filter_hasher(&key);
    let mut digests = BTreeSet::new();
    let mut hashes = BTreeSet::new();
    for name in names {
        digests.insert(digest(&key, name.as_wire()));
        hashes.insert(filter_hash(hasher, name));
    }
    let mut filter = vec![0_u64; digests.len().div_ceil(NAMES_PER_WORD)];
    for hash in hashes {
        let place = scale(hash, filter.len());
        if let Some(word) = filter.get_mut(place) {
            *word |= filter_bits(hash);
        }
    }
    let mut octets = Vec::with_capacity(HEAD + 8 * filter.len() + 16 * digests.len() + 32);
    octets.extend_from_slice(MAGIC);
    for number in [VERSION, digests.len() as u32, filter.len() as u32, 0] {
        octets.extend_from_slice(&number.to_le_bytes());
    }
    octets.extend_from_slice(&digest(&key, KEY_CHECK));
    octets.extend(filter.iter().flat_map(|word| word.to_le_bytes()));
    octets.extend(digests.iter().flatten());
    let tag = hmac::sign(&key, &octets);
    octets.extend_from_slice(tag.as_ref());
    octets
}
