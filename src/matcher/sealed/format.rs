//! Layout of a sealed list, and the digests and filter bits of names.

use std::hash::Hasher;

use aws_lc_rs::hmac;
use psl::Psl as _;
use siphasher::sip::SipHasher24;

use crate::dns::name::{Folded, Name};
use crate::dns::public_suffix::PublicSuffixes;

/// The first octets of a file.
pub(super) const MAGIC: &[u8; 8] = b"LACHANKL";
/// The format version that this build reads and writes.
pub(super) const VERSION: u32 = 1;
/// Octets before the filter.
pub(super) const HEAD: usize = 40;
/// Octets of a digest: half an HMAC-SHA-256.
pub(super) const DIGEST: usize = 16;
/// Octets of the seal at the end.
pub(super) const SEAL: usize = 32;
/// The text of the key check. No wire name starts with a letter's octet: a label
/// has at most 63.
pub(super) const KEY_CHECK: &[u8] = b"lachan sealed list: key check";
/// The text of the filter's own key.
pub(super) const FILTER_KEY: &[u8] = b"lachan sealed list: filter key";

/// The most octets of a sealed list: four million names.
pub const MAX_OCTETS: usize = 72 << 20;

pub(super) type Digest = [u8; DIGEST];

/// The first half of the HMAC of `octets`.
pub(super) fn digest(key: &hmac::Key, octets: &[u8]) -> Digest {
    let tag = hmac::sign(key, octets);
    tag.as_ref().first_chunk().copied().unwrap_or_default()
}

/// The initial state of the filter hashes.
pub(super) fn filter_hasher(key: &hmac::Key) -> SipHasher24 {
    SipHasher24::new_with_key(&digest(key, FILTER_KEY))
}

/// The filter hash of a whole wire name, label by label from the right.
pub(super) fn filter_hash(hasher: SipHasher24, name: &Name) -> u64 {
    let mut hasher = hasher;
    let folded = Folded::from_name(name);
    for index in (0..folded.label_count()).rev() {
        let label = folded.label(index);
        hasher.write_u8(label.len() as u8);
        hasher.write(label);
    }
    hasher.finish()
}

/// The first label of the registrable domain of `name`, by both sections of the public
/// suffix list: a host of many sites counts as a registry. None for a public suffix.
pub(super) fn registrable(name: &Folded) -> Option<usize> {
    let labels = name.label_count();
    let suffix = PublicSuffixes.find((0..labels).rev().map(|index| name.label(index)));
    let mut octets = 0;
    let ends = (0..labels).rev().map(|index| {
        octets += name.label(index).len() + 1;
        octets - 1
    });
    let registry = ends.take_while(|&end| end <= suffix.len).count().max(1);
    labels.checked_sub(registry + 1)
}

/// The four bits of a filter word that a hash sets.
#[inline]
pub(super) fn filter_bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63)
}
