//! Prepared queries: parsed, folded and hashed once, for look-ahead and answer alike.
//!
//! A worker prepares the queries of a batch that its reply cache cannot answer, prefetches what
//! the lists will read for them, and then answers each with the same names and hashes
//! ([`PreparedBatch`]). The memory is the worker's own and used again for each batch: nothing is
//! allocated or cleared for a query.

use crate::dns::message::query::{Query, QueryLayout, Unanswerable};
use crate::dns::name::Folded;
use crate::matcher::SuffixHashes;
use crate::matcher::prefetch::BatchPrefetch;
use crate::policy::{HashedName, Snapshot};

/// Memory for one query: its layout, its name in lower case, and the name's hashes.
pub struct Prepared {
    layout: Option<QueryLayout>,
    name: Folded,
    hashes: SuffixHashes,
    /// The seed of the hashes: under another one they are made anew.
    seed: Option<u64>,
}

impl Default for Prepared {
    fn default() -> Self {
        let name = Folded::ROOT;
        Self { layout: None, hashes: SuffixHashes::of(&name, 0), name, seed: None }
    }
}

impl Prepared {
    /// Forgets the query; the memory stays.
    #[inline]
    fn clear(&mut self) {
        (self.layout, self.seed) = (None, None);
    }

    /// The view of `octets`, parsed unless they were prepared.
    #[inline]
    pub(super) fn parse<'a>(&mut self, octets: &'a [u8]) -> Result<Query<'a>, Unanswerable> {
        if let Some(layout) = self.layout {
            return Ok(layout.over(octets));
        }
        let query = Query::parse(octets)?;
        self.layout = Some(query.layout());
        Ok(query)
    }

    /// The name of a parsed query, folded and hashed unless it was prepared.
    #[inline]
    pub(super) fn name(
        &mut self,
        query: &Query<'_>,
        snapshot: &Snapshot,
    ) -> Result<HashedName<'_>, Unanswerable> {
        let seed = snapshot.lists().seed();
        if self.seed != Some(seed) {
            query.fold_into(&mut self.name)?;
            self.hashes.refill(&self.name, seed);
            self.seed = Some(seed);
        }
        Ok(HashedName::prepared(&self.name, &self.hashes))
    }
}

/// The queries of a batch, and what the lists will read for them.
pub struct PreparedBatch {
    slots: Box<[Prepared]>,
    prefetch: BatchPrefetch,
}

impl PreparedBatch {
    /// Memory for batches of at most `queries`.
    pub fn new(queries: usize) -> Self {
        let slots = (0..queries.max(1)).map(|_| Prepared::default());
        Self { slots: slots.collect(), prefetch: BatchPrefetch::new(queries) }
    }

    /// Prepares query `number` and prefetches the first step of its look-up.
    ///
    /// Octets that are no query are left to the answer.
    #[inline]
    pub fn add(&mut self, number: usize, octets: &[u8], snapshot: &Snapshot) {
        let Some(slot) = self.slots.get_mut(number) else { return };
        slot.clear();
        if let Ok(query) = slot.parse(octets)
            && slot.name(&query, snapshot).is_ok()
        {
            self.prefetch.add(snapshot.lists(), &slot.hashes);
        }
    }

    /// Leaves query `number` to the answer.
    #[inline]
    pub fn skip(&mut self, number: usize) {
        if let Some(slot) = self.slots.get_mut(number) {
            slot.clear();
        }
    }

    /// Prefetches the other steps, for all queries that were added.
    #[inline]
    pub fn prefetch(&mut self, snapshot: &Snapshot) {
        self.prefetch.look(snapshot.lists());
    }

    /// The memory of query `number`.
    #[inline]
    pub fn slot(&mut self, number: usize) -> &mut Prepared {
        let last = self.slots.len() - 1;
        &mut self.slots[number.min(last)]
    }
}
