//! Batch prefetch: cache lines that the look-ups of a batch will read, fetched together.
//!
//! A look-up depends on three loads in turn: the filter's block, the line's offset, the line. A
//! worker with many names issues each load for all of them ([`BatchPrefetch`]), and so waits for
//! memory three times a batch, not three times a name. A prefetch matches nothing: look-ups read
//! the same memory again, from the cache.

use crate::matcher::SuffixHashes;
use crate::matcher::suffix::SuffixTable;

/// The most labels of a name to prefetch for: few names have more, and room is fixed.
const LABELS: usize = 16;

/// The names of a batch, and the state of their prefetches.
#[derive(Debug)]
pub struct BatchPrefetch {
    /// The hashes of the suffixes of all names, one after the other.
    hashes: Vec<u64>,
    /// The end of the hashes of each name.
    ends: Vec<usize>,
    /// Suffixes that passed a filter: number of the pack, and hash.
    passed: Vec<(usize, u64)>,
}

impl BatchPrefetch {
    /// Room for `names` names; more are not prefetched.
    pub fn new(names: usize) -> Self {
        Self {
            hashes: Vec::with_capacity(names * LABELS),
            ends: Vec::with_capacity(names),
            passed: Vec::with_capacity(names * 2),
        }
    }

    /// Adds a name, and fetches its filter blocks.
    #[inline]
    pub fn add(&mut self, table: &SuffixTable, hashes: &SuffixHashes) {
        let hashes = hashes.all();
        let has_room = self.ends.len() < self.ends.capacity() && hashes.len() <= LABELS;
        if !has_room {
            return;
        }
        for listing in table.listings.iter().filter(|one| one.pack.seed() == table.seed) {
            listing.pack.filter().fetch(hashes);
        }
        self.hashes.extend_from_slice(hashes);
        self.ends.push(self.hashes.len());
    }

    /// Fetches offsets and lines for all added names, and empties the batch.
    #[inline]
    pub fn look(&mut self, table: &SuffixTable) {
        let mut start = 0;
        for &end in &self.ends {
            let hashes = self.hashes.get(start..end).unwrap_or(&[]);
            start = end;
            for (number, listing) in table.listings.iter().enumerate() {
                let mut passing = listing.pack.filter().passing(hashes);
                while passing != 0 && self.passed.len() < self.passed.capacity() {
                    let hash = hashes.get(passing.trailing_zeros() as usize).copied();
                    passing &= passing - 1;
                    let Some(hash) = hash else { continue };
                    listing.pack.view().fetch_place(hash);
                    self.passed.push((number, hash));
                }
            }
        }
        for &(number, hash) in &self.passed {
            if let Some(listing) = table.listings.get(number) {
                listing.pack.view().fetch_line(hash);
            }
        }
        self.hashes.clear();
        self.ends.clear();
        self.passed.clear();
    }
}
