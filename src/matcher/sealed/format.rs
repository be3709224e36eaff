//! The octets of a sealed list, and how names become digests and filter bits.

use std::hash::Hasher;

use aws_lc_rs::hmac;
use psl::Psl as _;
use siphasher::sip::SipHasher24;

use crate::dns::name::{Folded, Name};

/// What a file starts with.
pub(super) const MAGIC: &[u8; 8] = b"LACHANKL";
/// The version that this build reads and writes.
pub(super) const VERSION: u32 = 1;
/// Octets before the filter.
pub(super) const HEAD: usize = 40;
/// Octets of a digest: half of what HMAC-SHA-256 gives.
pub(super) const DIGEST: usize = 16;
/// Octets of the seal at the end.
pub(super) const SEAL: usize = 32;
/// What the key check is made of. No wire name starts with a letter's octet: a label
/// has at most 63.
pub(super) const KEY_CHECK: &[u8] = b"lachan sealed list: key check";
/// What the filter's own key is made of.
pub(super) const FILTER_KEY: &[u8] = b"lachan sealed list: filter key";

/// The most octets that a sealed list has: four million names.
pub const MAX_OCTETS: usize = 72 << 20;

pub(super) type Digest = [u8; DIGEST];

/// The first half of the HMAC of `octets`.
pub(super) fn digest(key: &hmac::Key, octets: &[u8]) -> Digest {
    let tag = hmac::sign(key, octets);
    tag.as_ref().first_chunk().copied().unwrap_or_default()
}

/// What the hashes of names for the filter start from.
pub(super) fn filter_hasher(key: &hmac::Key) -> SipHasher24 {
    SipHasher24::new_with_key(&digest(key, FILTER_KEY))
}

/// The hash of a whole wire name for the filter, made label by label from the right.
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
/// suffix list: a host of many sites is a registry here. None for a public suffix.
pub(super) fn registrable(name: &Folded) -> Option<usize> {
    let labels = name.label_count();
    let suffix = psl::List.find((0..labels).rev().map(|index| name.label(index)));
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
