//! The policy in force: swapped whole, read without a lock.
//!
//! One writer stores a new snapshot and raises the generation. A reader keeps
//! its own reference and looks again only when the generation has changed: one
//! relaxed load a query.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use crate::policy::Snapshot;

/// The policy in force.
#[derive(Debug)]
pub struct Current {
    snapshot: ArcSwap<Snapshot>,
    generation: AtomicU64,
}

impl Current {
    /// Starts with `snapshot` as generation 1.
    pub fn new(snapshot: Snapshot) -> Self {
        Self { snapshot: ArcSwap::from_pointee(snapshot), generation: AtomicU64::new(1) }
    }

    /// Puts `snapshot` in force; returns its generation.
    pub fn swap(&self, snapshot: Snapshot) -> u64 {
        self.snapshot.store(Arc::new(snapshot));
        self.generation.fetch_add(1, Ordering::Release) + 1
    }

    /// The policy in force now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// How many policies there were, this one included.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// A reader for one thread.
    pub fn reader(&self) -> Reader<'_> {
        Reader { generation: self.generation(), snapshot: self.snapshot(), current: self }
    }
}

/// One thread's hold on the policy in force.
pub struct Reader<'a> {
    current: &'a Current,
    generation: u64,
    snapshot: Arc<Snapshot>,
}

impl Reader<'_> {
    /// The policy in force now, and its generation.
    #[inline]
    pub fn get(&mut self) -> (u64, &Arc<Snapshot>) {
        let generation = self.current.generation.load(Ordering::Acquire);
        if generation != self.generation {
            // A swap between the two loads only means another look next time.
            self.generation = generation;
            self.snapshot = self.current.snapshot();
        }
        (self.generation, &self.snapshot)
    }
}
