//! Name hashes: 64 bits for every suffix of a name, in one pass.
//!
//! **A hash selects a place in a table and never identifies a name.** It is part of the pack
//! format: lines and filter are laid out by it.

use crate::dns::name::{Folded, MAX_LABELS};

/// The seed of name hashes. It is no secret: comparison of names decides identity. All packs
/// share it, so that a name is hashed once for all of them.
pub const SEED: u64 = 0x6c61_6368_616e_0001;

/// Label count of most names: only this many slots are initialised for them.
const FEW: usize = 16;

/// The hashes of a name and of all its ancestors, longest first.
///
/// One pass, right to left: each label extends the hash of what is right of it.
pub struct SuffixHashes(Hashes);

/// Hashes by label count: few labels initialise few slots.
#[expect(clippy::large_enum_variant, reason = "on the stack; the point is what is written to it")]
enum Hashes {
    Few { hashes: [u64; FEW], labels: usize },
    Many { hashes: [u64; MAX_LABELS], labels: usize },
}

impl SuffixHashes {
    /// Hashes every suffix of `name`.
    #[inline]
    pub fn of(name: &Folded, seed: u64) -> Self {
        let labels = name.label_count();
        if labels <= FEW {
            let mut hashes = [0; FEW];
            fill(&mut hashes, name, seed);
            return Self(Hashes::Few { hashes, labels });
        }
        let mut hashes = [0; MAX_LABELS];
        fill(&mut hashes, name, seed);
        Self(Hashes::Many { hashes, labels })
    }

    /// As [`SuffixHashes::of`], into this memory.
    #[inline]
    pub fn refill(&mut self, name: &Folded, seed: u64) {
        match &mut self.0 {
            Hashes::Few { hashes, labels } if name.label_count() <= FEW => {
                fill(hashes, name, seed);
                *labels = name.label_count();
            }
            _ => *self = Self::of(name, seed),
        }
    }

    /// The hash of the suffix from label `index` on.
    #[inline]
    pub fn at(&self, index: usize) -> u64 {
        self.all().get(index).copied().unwrap_or(0)
    }

    /// All hashes, that of the whole name first.
    #[inline]
    pub fn all(&self) -> &[u64] {
        match &self.0 {
            Hashes::Few { hashes, labels } => hashes.get(..*labels),
            Hashes::Many { hashes, labels } => hashes.get(..*labels),
        }
        .unwrap_or(&[])
    }

    /// Number of labels of the name.
    #[inline]
    pub fn label_count(&self) -> usize {
        self.all().len()
    }
}

#[inline]
fn fill(hashes: &mut [u64], name: &Folded, seed: u64) {
    let wire = name.as_wire();
    let mut hash = seed;
    for index in (0..name.label_count()).rev() {
        hash = extend_at(hash, wire, name.start(index));
        if let Some(slot) = hashes.get_mut(index) {
            *slot = hash;
        }
    }
}

/// The hash of a whole wire name: [`SuffixHashes::at`] of its first label.
pub fn hash_wire(wire: &[u8], seed: u64) -> u64 {
    let (starts, labels) = starts(wire);
    let starts = starts.iter().take(labels).rev();
    starts.fold(seed, |hash, &start| extend_at(hash, wire, usize::from(start)))
}

/// The hashes of all suffixes of a wire name, longest first, as [`SuffixHashes::all`].
pub(crate) fn suffix_hashes(wire: &[u8], seed: u64, hashes: &mut Vec<u64>) {
    let (starts, labels) = starts(wire);
    hashes.clear();
    let mut hash = seed;
    for &start in starts.iter().take(labels).rev() {
        hash = extend_at(hash, wire, usize::from(start));
        hashes.push(hash);
    }
    hashes.reverse();
}

/// Offsets of the labels of a wire name, and their number.
fn starts(wire: &[u8]) -> ([u8; MAX_LABELS], usize) {
    let mut starts = [0_u8; MAX_LABELS];
    let (mut labels, mut at) = (0, 0);
    while let Some(&length) = wire.get(at).filter(|&&length| length != 0) {
        if let Some(start) = starts.get_mut(labels) {
            *start = at as u8;
        }
        labels += 1;
        at += 1 + usize::from(length);
    }
    (starts, labels)
}

const MIX_A: u64 = 0xa076_1d64_78bd_642f;
const MIX_B: u64 = 0xe703_7ed1_a0b4_28db;

/// Extends the hash of a suffix by the label whose length octet stands at `start`.
#[inline]
fn extend_at(hash: u64, wire: &[u8], start: usize) -> u64 {
    let length = wire.get(start).copied().map_or(0, usize::from);
    let from = wire.get(start + 1..).unwrap_or(&[]);
    // One load without a loop: nearly all labels have at most 16 octets. The octets behind the
    // label are masked.
    if let (Some(octets), 1..=16) = (from.first_chunk::<16>(), length) {
        let both = u128::from_le_bytes(*octets) & (u128::MAX >> (128 - 8 * length));
        return step(hash ^ length as u64, both);
    }
    extend(hash, from.get(..length).unwrap_or(from))
}

/// Extends the hash of a suffix by the label to its left.
pub(crate) fn extend(hash: u64, label: &[u8]) -> u64 {
    let mut state = hash ^ label.len() as u64;
    for part in label.chunks(16) {
        let mut octets = [0; 16];
        for (to, from) in octets.iter_mut().zip(part) {
            *to = *from;
        }
        state = step(state, u128::from_le_bytes(octets));
    }
    state
}

/// Mixes 16 octets in. The state is also added to the product, so that no octets cancel it.
#[inline]
fn step(state: u64, octets: u128) -> u64 {
    let (low, high) = (octets as u64, (octets >> 64) as u64);
    fold(low ^ MIX_B, high ^ state ^ MIX_A) ^ state.rotate_left(32)
}

/// A 64 × 64 → 128 bit product, folded to 64.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// `hash` scaled to `0..buckets` by its upper bits.
#[inline]
pub(crate) fn scale(hash: u64, buckets: usize) -> usize {
    ((u128::from(hash) * buckets as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::name::Name;

    #[test]
    fn the_chain_and_the_whole_name_hash_alike() {
        let long = ["a"; 40].join(".");
        for text in ["com", "example.com", "a.very-long-label-of-many-octets.example.co.uk", &long]
        {
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
    fn refilled_hashes_equal_new_ones() {
        let long = ["b"; 40].join(".");
        let names = ["a.b.example.com", "com", &long, "x.example", &long, "a.b.c.example"];
        let mut hashes = SuffixHashes::of(&Folded::ROOT, 7);
        for name in names.map(|text| Folded::from_name(&Name::from_text(text).unwrap())) {
            hashes.refill(&name, 7);
            assert_eq!(hashes.all(), SuffixHashes::of(&name, 7).all(), "{name:?}");
        }
    }

    #[test]
    fn what_stands_behind_a_label_does_not_count() {
        // The fast way with octets behind it, and the slow way without.
        let long = Name::from_text("ab.cdefghijklmnopqrstuvwx").unwrap();
        let whole = hash_wire(long.as_wire(), 1);
        let right = extend(1, b"cdefghijklmnopqrstuvwx");
        assert_eq!(whole, extend(right, b"ab"));
    }

    #[test]
    fn label_boundaries_change_the_hash() {
        let hash = |text| hash_wire(Name::from_text(text).unwrap().as_wire(), 0);
        assert_ne!(hash("ab.c"), hash("a.bc"));
        assert_ne!(hash("abc"), hash("ab.c"));
        assert_ne!(hash_wire(b"\x01a\x00", 0), hash_wire(b"\x02a\x00\x00", 0));
    }
}
