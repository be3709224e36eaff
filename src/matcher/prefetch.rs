//! Looking ahead: the memory that look-ups will need, asked for while others are prepared.
//!
//! A listed name lies behind three steps of memory, each of which says where the next is:
//! the filter's block, the line's place, the line. Who looks up many names takes each step for
//! all of them ([`BatchPrefetch`]), and so waits for memory three times and not three times each.
//! It finds nothing and decides nothing: look-ups read for themselves what is near by then.

use crate::matcher::SuffixHashes;
use crate::matcher::suffix::SuffixTable;

/// The most labels of a name that is looked ahead for; nobody waits for the others.
const LABELS: usize = 16;

/// The names of a batch that will be looked up.
#[derive(Debug)]
pub struct BatchPrefetch {
    /// The hashes of the suffixes of all names, one after the other.
    hashes: Vec<u64>,
    /// Where those of each end.
    ends: Vec<usize>,
    /// Suffixes that may be listed: of which pack, and their hashes.
    passed: Vec<(usize, u64)>,
}

impl BatchPrefetch {
    /// Room for so many names.
    pub fn new(names: usize) -> Self {
        Self {
            hashes: Vec::with_capacity(names * LABELS),
            ends: Vec::with_capacity(names),
            passed: Vec::with_capacity(names * 2),
        }
    }

    /// A name that will be looked up: the first step.
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

    /// The other steps, for all names that were added; they are forgotten.
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
