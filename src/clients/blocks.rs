//! What is done with a block beside its reply: counted once a minute, noted in memory.

use std::net::IpAddr;
use std::sync::Arc;

use crate::clients::client_id::ClientId;
use crate::dns::message::query::Query;
use crate::dns::name::Folded;
use crate::matcher::SuffixHashes;
use crate::metrics::counters::Counters;
use crate::metrics::merged::MergedSites;
use crate::overblock::blocked::BlockedQuery;
use crate::overblock::{Overblock, top};
use crate::policy::Snapshot;
use crate::resolve::{AskedFor, Now, Outcome};

/// What becomes of blocks.
#[derive(Debug)]
pub struct Blocks {
    merged: MergedSites,
    /// What was blocked lately, for the search of mistakes.
    pub overblock: Arc<Overblock>,
}

/// What one block is noted in.
#[derive(Debug, Clone, Copy)]
pub struct Noted {
    /// Whether it stands for others of its worker.
    pub is_sample: bool,
    /// Whether somebody looks at what is blocked.
    pub is_diagnosed: bool,
}

/// The blocks of a worker since one was noted.
#[derive(Debug, Default)]
pub struct BlockTurn(u32);

impl BlockTurn {
    /// What the next block is noted in.
    #[inline]
    pub fn next(&mut self, is_diagnosed: bool) -> Noted {
        self.0 += 1;
        let is_sample = self.0 >= top::ONE_IN;
        if is_sample {
            self.0 = 0;
        }
        Noted { is_sample, is_diagnosed }
    }
}

impl Blocks {
    /// Nothing, under keys that no other process has.
    pub fn new(sites: (u64, u64), names: (u64, u64)) -> Self {
        Self { merged: MergedSites::new(sites), overblock: Arc::new(Overblock::new(names)) }
    }

    /// Counts a block once for its group and site, and notes it.
    #[inline]
    pub fn note(
        &self,
        counters: &Counters,
        blocked: BlockedQuery<'_>,
        client: IpAddr,
        now: Now,
        noted: Noted,
    ) {
        let outcome = blocked.outcome;
        let (Some(group), Some((category, _))) = (outcome.group, outcome.blocked) else { return };
        if self.merged.is_first(group, (blocked.name, blocked.hashes), now.mono) {
            counters.merged(group, category);
        }
        if noted.is_sample || noted.is_diagnosed {
            self.overblock.note(blocked, ClientId::of(client).number(), now, noted.is_sample);
        }
    }

    /// The same of a query in octets, without hashes of its name.
    #[cold]
    pub fn note_octets(
        &self,
        counters: &Counters,
        (snapshot, query): (&Snapshot, &[u8]),
        client: IpAddr,
        outcome: &Outcome,
        now: Now,
    ) {
        let Ok(query) = Query::parse(query) else { return };
        let Ok((name, _)) = Folded::from_wire(query.wire_name()) else { return };
        let hashes = &SuffixHashes::of(&name, snapshot.lists().seed());
        let blocked = BlockedQuery { snapshot, name: &name, hashes, qtype: query.qtype, outcome };
        self.note(counters, blocked, client, now, self.by_itself());
    }

    /// The same of a query that had waited.
    #[cold]
    pub fn note_late(&self, counters: &Counters, of: &AskedFor, outcome: &Outcome, now: Now) {
        let AskedFor { snapshot, name, qtype, .. } = of;
        let hashes = &SuffixHashes::of(name, snapshot.lists().seed());
        let blocked = BlockedQuery { snapshot, name, hashes, qtype: *qtype, outcome };
        self.note(counters, blocked, of.origin.client, now, self.by_itself());
    }

    /// A block that stands for itself.
    fn by_itself(&self) -> Noted {
        Noted { is_sample: true, is_diagnosed: self.overblock.diagnosis.is_on() }
    }
}
