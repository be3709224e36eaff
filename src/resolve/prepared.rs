//! Prepared queries: parsed, folded and hashed once, for look-ahead and answer alike.
//!
//! A worker prepares the queries of a batch that its reply cache cannot answer, prefetches what
//! the lists will read for them, and then answers each with the same names and hashes
//! ([`PreparedBatch`]). The memory is the worker's own and used again for each batch: nothing is
//! allocated for a query. Queries that were not prepared share one scratch slot, which stays in
//! the processor's nearest cache: a cached answer touches no other.

use crate::dns::message::query::{Query, QueryLayout, Unanswerable};
use crate::dns::message::{HEADER, u16_at};
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
    /// The view of `octets`, parsed unless they were prepared.
    #[inline]
    pub(super) fn parse<'a>(&self, octets: &'a [u8]) -> Result<Query<'a>, Unanswerable> {
        if let Some(layout) = self.layout {
            return Ok(layout.over(octets));
        }
        Query::parse(octets)
    }

    /// The name and its hashes under a policy, where they are those of the query that was answered
    /// last.
    #[inline]
    fn answered(&self, snapshot: &Snapshot) -> Option<(&Folded, &SuffixHashes)> {
        (self.seed == Some(snapshot.lists().seed())).then_some((&self.name, &self.hashes))
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
    /// One bit for each slot that has its query of this batch.
    ready: u64,
    /// The slot of every query that was not prepared; its layout and seed are never kept.
    scratch: Prepared,
    prefetch: BatchPrefetch,
}

impl PreparedBatch {
    /// Memory for batches of at most `queries`; more than 64 are not prepared.
    pub fn new(queries: usize) -> Self {
        let slots = (0..queries.min(u64::BITS as usize)).map(|_| Prepared::default());
        Self {
            slots: slots.collect(),
            ready: 0,
            scratch: Prepared::default(),
            prefetch: BatchPrefetch::new(queries),
        }
    }

    /// Begins the next batch: no query of the one before is ready.
    #[inline]
    pub fn clear(&mut self) {
        self.ready = 0;
    }

    /// Prepares query `number` and prefetches the first step of its look-up.
    ///
    /// Octets that are no query are left to the answer.
    #[inline]
    pub fn add(&mut self, number: usize, octets: &[u8], snapshot: &Snapshot) {
        let Some(slot) = self.slots.get_mut(number) else { return };
        (slot.layout, slot.seed) = (None, None);
        if let Ok(query) = Query::parse(octets)
            && slot.name(&query, snapshot).is_ok()
        {
            slot.layout = Some(query.layout());
            self.prefetch.add(snapshot.lists(), &slot.hashes);
            self.ready |= 1 << number;
        }
    }

    /// Prefetches the other steps, for all queries that were added.
    #[inline]
    pub fn prefetch(&mut self, snapshot: &Snapshot) {
        self.prefetch.look(snapshot.lists());
    }

    /// Name, hashes and type of query `number`, which was answered last; none where the worker's reply cache had
    /// its answer.
    #[inline]
    pub fn answered(
        &self,
        number: usize,
        query: &[u8],
        snapshot: &Snapshot,
    ) -> Option<(&Folded, &SuffixHashes, u16)> {
        let is_ready = number < u64::BITS as usize && self.ready & 1 << number != 0;
        let own = self.slots.get(number).filter(|_| is_ready);
        let (name, hashes) = own.unwrap_or(&self.scratch).answered(snapshot)?;
        // The type stands behind the name, which no pointer shortens in a question.
        let qtype = u16_at(query, HEADER + name.as_wire().len())?;
        Some((name, hashes, qtype))
    }

    /// The memory of query `number`: its own if it was prepared, else the scratch slot.
    #[inline]
    pub fn slot(&mut self, number: usize) -> &mut Prepared {
        let is_ready = number < u64::BITS as usize && self.ready & 1 << number != 0;
        if let Some(slot) = self.slots.get_mut(number).filter(|_| is_ready) {
            return slot;
        }
        self.scratch.seed = None;
        &mut self.scratch
    }
}
