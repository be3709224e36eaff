//! Filter: a blocked Bloom filter that stops most unlisted names at one cache line.
//!
//! **The filter must never report a false negative**: every listed name passes. A false positive
//! costs one look-up in the lines, which compares names and rejects it.
//!
//! Blocks have 512 bits; a listed name sets four bits of one. The last two labels select the block,
//! so that one cache line serves all suffixes of a name. Where too many names share their last two
//! labels (`co.uk`, `blogspot.com`) they would fill the block; such suffixes are *wide*, and one
//! more label selects the block of the names below them, and so on.
//!
//! Wide suffixes are a set of bits by hash, the same for builder and reader: a suffix that collides
//! with a wide one only uses another block, in both.

use super::format::BLOCK;
use super::hash::scale;
use crate::cpu_prefetch;

/// Bits of filter per name.
const BITS: usize = 10;
/// Names below one suffix from which it is wide: they would fill too much of a block.
const MANY: u8 = 24;
/// The fewest and the most octets of the bits of wide suffixes.
const WIDE: (usize, usize) = (64, 16 << 10);
/// The most counters of names below suffixes.
const COUNTERS: usize = 4 << 20;

/// A filter, borrowed.
#[derive(Clone, Copy)]
pub(crate) struct Filter<'a> {
    pub(crate) wide: &'a [u8],
    pub(crate) blocks: &'a [[u8; BLOCK]],
    /// The fewest and the most labels of a listed name: other suffixes are skipped.
    pub(crate) min_labels: u8,
    pub(crate) max_labels: u8,
}

impl Filter<'_> {
    /// Prefetches the blocks that [`Filter::passing`] will read.
    #[inline]
    pub(crate) fn fetch(self, hashes: &[u64]) {
        let mut place = Place::default();
        let mut last = usize::MAX;
        for &hash in hashes.iter().rev().take(self.max_labels.into()) {
            place.go_to(hash, self.wide);
            let number = scale(place.by, self.blocks.len());
            if place.labels >= self.min_labels.into() && number != last {
                last = number;
                if let Some(block) = self.blocks.get(number) {
                    cpu_prefetch::fetch(block, 1);
                }
            }
        }
    }

    /// The suffixes that may be listed, one bit for each of these hashes, longest suffix first.
    ///
    /// A listed suffix always has its bit set.
    #[inline]
    pub(crate) fn passing(self, hashes: &[u64]) -> u128 {
        let mut passing = 0;
        let mut place = Place::default();
        let from = hashes.len().saturating_sub(self.max_labels.into());
        for (index, &hash) in hashes.iter().enumerate().skip(from).rev() {
            place.go_to(hash, self.wide);
            if place.labels < self.min_labels.into() {
                continue;
            }
            let block = self.blocks.get(scale(place.by, self.blocks.len()));
            let is_set = |bit: u64| {
                let octet = block.and_then(|block| block.get((bit >> 3 & 63) as usize));
                octet.is_some_and(|octet| octet >> (bit & 7) & 1 != 0)
            };
            let is_in = bits(hash).into_iter().fold(true, |all, bit| all & is_set(bit));
            passing |= u128::from(is_in) << index;
        }
        passing
    }
}

/// The hash that selects the block, on the way from the root to a name.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    by: u64,
    labels: usize,
}

impl Place {
    /// Descends one label, to the suffix with this hash.
    #[inline]
    fn go_to(&mut self, hash: u64, wide: &[u8]) {
        self.labels += 1;
        if self.labels <= 2 || is_wide(self.by, wide) {
            self.by = hash;
        }
    }
}

#[inline]
fn is_wide(hash: u64, wide: &[u8]) -> bool {
    let (octet, bit) = wide_bit(hash, wide.len());
    wide.get(octet).is_some_and(|octet| octet & bit != 0)
}

#[inline]
fn wide_bit(hash: u64, octets: usize) -> (usize, u8) {
    let bit = scale(hash, 8 * octets);
    (bit / 8, 1 << (bit % 8))
}

/// The four bits of its block that a hash sets.
#[inline]
fn bits(hash: u64) -> [u64; 4] {
    [hash & 511, hash >> 9 & 511, hash >> 18 & 511, hash >> 27 & 511]
}

/// Counter of names below suffixes, which finds the wide ones.
pub(crate) struct Counter {
    counts: Vec<u8>,
    names: usize,
}

impl Counter {
    /// A counter for about `names` names.
    pub(crate) fn new(names: usize) -> Self {
        Self { counts: vec![0; names.next_power_of_two().clamp(1024, COUNTERS)], names: 0 }
    }

    /// Counts a name by the hashes of its suffixes, longest first.
    pub(crate) fn count(&mut self, hashes: &[u64]) {
        self.names += 1;
        let places = self.counts.len();
        for &hash in hashes.iter().rev().skip(1) {
            if let Some(count) = self.counts.get_mut(scale(hash, places)) {
                *count = count.saturating_add(1);
            }
        }
    }

    /// The bits of wide suffixes, and the number of counted names.
    pub(crate) fn wide(self) -> (Vec<u8>, usize) {
        let octets = (self.names / 128).next_power_of_two().clamp(WIDE.0, WIDE.1);
        let mut wide = vec![0; octets];
        let places = self.counts.len();
        for (place, _) in self.counts.iter().enumerate().filter(|(_, count)| **count >= MANY) {
            // Both are powers of two: the bit covers every hash of this counter.
            let (octet, bit) =
                wide_bit(((place as u128 * (1 << 64)) / places as u128) as u64, octets);
            if let Some(octet) = wide.get_mut(octet) {
                *octet |= bit;
            }
        }
        (wide, self.names)
    }
}

/// Blocks for `names` names.
pub(crate) fn blocks_for(names: usize) -> Vec<[u8; BLOCK]> {
    vec![[0; BLOCK]; (names * BITS).div_ceil(8 * BLOCK)]
}

/// Sets the bits of a name, by the hashes of its suffixes, longest first.
pub(crate) fn set(blocks: &mut [[u8; BLOCK]], wide: &[u8], hashes: &[u64]) {
    let mut place = Place::default();
    for &hash in hashes.iter().rev() {
        place.go_to(hash, wide);
    }
    let Some(&hash) = hashes.first() else { return };
    let count = blocks.len();
    let Some(block) = blocks.get_mut(scale(place.by, count)) else { return };
    for bit in bits(hash) {
        if let Some(octet) = block.get_mut((bit >> 3) as usize) {
            *octet |= 1 << (bit & 7);
        }
    }
}
