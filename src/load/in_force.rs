//! The policy in force: swapped whole, read without a lock.
//!
//! One writer stores a new snapshot and raises the generation. A reader keeps
//! its own reference and looks again only when the generation has changed: one
//! relaxed load a query.
//!
//! To free a policy with large lists takes milliseconds, so no reader is ever the last to
//! have it: what was in force stays here until nobody else has it, and somebody without
//! hurry calls [`Current::let_go`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::policy::Snapshot;

/// The policy in force.
#[derive(Debug)]
pub struct Current {
    snapshot: ArcSwap<Snapshot>,
    generation: AtomicU64,
    /// Policies that were in force and may still be in use.
    old: Mutex<Vec<Arc<Snapshot>>>,
}

impl Current {
    /// Starts with `snapshot` as generation 1.
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(snapshot),
            generation: AtomicU64::new(1),
            old: Mutex::default(),
        }
    }

    /// Puts `snapshot` in force; returns its generation.
    pub fn swap(&self, snapshot: Snapshot) -> u64 {
        let old = self.snapshot.swap(Arc::new(snapshot));
        let generation = self.generation.fetch_add(1, Ordering::Release) + 1;
        self.old().push(old);
        generation
    }

    /// Takes out the policies that nobody uses any more: dropping them frees them.
    pub fn let_go(&self) -> Vec<Arc<Snapshot>> {
        // Nobody can come by a policy that is in force no more, so one is one.
        self.old().extract_if(.., |old| Arc::strong_count(old) == 1).collect()
    }

    fn old(&self) -> MutexGuard<'_, Vec<Arc<Snapshot>>> {
        self.old.lock().unwrap_or_else(PoisonError::into_inner)
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
    pub fn reader(&self) -> PolicyReader<'_> {
        PolicyReader { generation: self.generation(), snapshot: self.snapshot(), current: self }
    }
}

/// One thread's hold on the policy in force.
pub struct PolicyReader<'a> {
    current: &'a Current,
    generation: u64,
    snapshot: Arc<Snapshot>,
}

impl PolicyReader<'_> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::assemble::Assembler;

    #[test]
    fn a_policy_is_freed_when_its_last_reader_has_looked_again_and_not_by_it() {
        let mut assembler = Assembler::new(None);
        let mut next = || assembler.assemble().unwrap().snapshot;
        let current = Current::new(next());
        let (mut one, mut other) = (current.reader(), current.reader());
        let old = Arc::downgrade(one.get().1);
        current.swap(next());
        assert!(current.let_go().is_empty(), "two readers have it");
        one.get();
        assert!(current.let_go().is_empty(), "one reader has it");
        other.get();
        assert!(old.upgrade().is_some(), "the last reader freed it");
        assert_eq!(current.let_go().len(), 1);
        assert!(old.upgrade().is_none() && current.let_go().is_empty());
    }
}
