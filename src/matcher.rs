//! Names → categories: which lists speak of a name.
//!
//! [`suffix`] holds every listed name in one immutable table and answers with
//! one probe per label; [`names`] is the small table for what a school writes
//! itself. Both are asked with the same [`SuffixHashes`], made once per name.
//! [`keyed`] is for lists that nobody may read: it holds no names, only what a key makes of
//! them. [`keyword`] is for names that no list has seen yet: words inside a label.
//!
//! A table never decides anything: it says what is listed, policy says what
//! follows. Identity is always decided by comparing octets, never by a hash,
//! so a crafted collision buys nothing. A sealed list alone compares 128 bits of an HMAC: it
//! has no names to compare.

pub mod build;
pub mod keyed;
pub mod keyword;
pub mod names;
pub mod suffix;

use crate::name::{Folded, MAX_LABELS};

/// The hashes of a name and of all its ancestors, longest first.
///
/// One pass, right to left: each label extends the hash of what is right of it.
/// The hash only finds a place in a table; it never stands for a name.
pub struct SuffixHashes {
    hashes: [u64; MAX_LABELS],
    labels: usize,
}

impl SuffixHashes {
    /// Hashes every suffix of `name`.
    #[inline]
    pub fn of(name: &Folded, seed: u64) -> Self {
        let labels = name.label_count();
        let mut hashes = [0; MAX_LABELS];
        let mut hash = seed;
        for index in (0..labels).rev() {
            hash = extend(hash, name.label(index));
            if let Some(slot) = hashes.get_mut(index) {
                *slot = hash;
            }
        }
        Self { hashes, labels }
    }

    /// The hash of the suffix that starts at label `index`.
    #[inline]
    pub fn at(&self, index: usize) -> u64 {
        self.hashes.get(index).copied().unwrap_or(0)
    }

    /// Number of labels of the name.
    #[inline]
    pub fn label_count(&self) -> usize {
        self.labels
    }
}

/// The hash of a whole wire name: [`SuffixHashes::at`] of its first label.
pub fn hash_wire(wire: &[u8], seed: u64) -> u64 {
    let mut starts = [0_u8; MAX_LABELS];
    let (mut labels, mut at) = (0, 0);
    while let Some(&length) = wire.get(at).filter(|&&length| length != 0) {
        if let Some(start) = starts.get_mut(labels) {
            *start = at as u8;
        }
        labels += 1;
        at += 1 + usize::from(length);
    }
    let mut hash = seed;
    for &start in starts.iter().take(labels).rev() {
        let start = usize::from(start);
        let length = wire.get(start).copied().map_or(0, usize::from);
        hash = extend(hash, wire.get(start + 1..=start + length).unwrap_or(&[]));
    }
    hash
}

const MIX_A: u64 = 0xa076_1d64_78bd_642f;
const MIX_B: u64 = 0xe703_7ed1_a0b4_28db;

/// Extends the hash of a suffix by the label to its left.
#[inline]
fn extend(hash: u64, label: &[u8]) -> u64 {
    let mut state = hash ^ MIX_A ^ (label.len() as u64).rotate_left(56);
    let mut rest = label;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        state = fold(state ^ u64::from_le_bytes(*chunk), MIX_B);
        rest = tail;
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    fold(state ^ u64::from_le_bytes(last), MIX_A ^ hash)
}

/// A 64 × 64 → 128 bit product, folded to 64.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// `hash` scaled to `0..buckets` by its upper bits.
#[inline]
fn scale(hash: u64, buckets: usize) -> usize {
    ((u128::from(hash) * buckets as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    #[test]
    fn the_chain_and_the_whole_name_hash_alike() {
        for text in ["com", "example.com", "a.very-long-label-of-many-octets.example.co.uk"] {
            let name = Name::from_text(text).unwrap();
            let hashes = SuffixHashes::of(&Folded::from_name(&name), 7);
            let mut suffix = Some(name);
            let mut index = 0;
            while let Some(name) = suffix.filter(|n| !n.is_root()) {
                assert_eq!(hashes.at(index), hash_wire(name.as_wire(), 7));
                suffix = name.parent();
                index += 1;
            }
            assert_eq!(index, hashes.label_count());
        }
    }

    #[test]
    fn label_boundaries_change_the_hash() {
        let hash = |text| hash_wire(Name::from_text(text).unwrap().as_wire(), 0);
        assert_ne!(hash("ab.c"), hash("a.bc"));
        assert_ne!(hash("abc"), hash("ab.c"));
        assert_ne!(hash_wire(b"\x01a\x00", 0), hash_wire(b"\x02a\x00\x00", 0));
    }
}
