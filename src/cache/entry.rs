//! One entry of the answer cache: its age, its refresh lease, and the lists' facts about its
//! targets.
//!
//! Workers read an entry side by side. Its shared fields are written at most a few times in
//! its life, never by every hit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

use crate::dns::message::answer::Answer;
use crate::matcher::Facts;

/// An answer and its time of arrival.
#[derive(Debug)]
pub struct Entry {
    /// The upstream answer.
    pub answer: Answer,
    /// Its arrival, in seconds.
    stored: u64,
    /// Seconds for which it is fresh.
    lifetime: u32,
    /// Whether a query has used it.
    was_hit: AtomicBool,
    /// No refresh begins before this second.
    refresh_from: AtomicU64,
    /// The lists' facts about the names it points to.
    facts: ArcSwapOption<TargetFacts>,
}

/// The facts about the names an answer points to, in their order.
#[derive(Debug)]
struct TargetFacts {
    /// The lists they come from: under other lists they are not used.
    tag: u64,
    facts: Box<[Facts]>,
}

impl Entry {
    /// An answer that arrived `now`, in seconds, fresh for its own lifetime.
    pub fn new(answer: Answer, now: u64) -> Self {
        let lifetime = answer.lifetime();
        Self::lasting(answer, now, lifetime)
    }

    /// An answer that arrived `now` and is fresh for `lifetime` seconds.
    pub(super) fn lasting(answer: Answer, now: u64, lifetime: u32) -> Self {
        Self {
            answer,
            stored: now,
            lifetime,
            was_hit: AtomicBool::new(false),
            refresh_from: AtomicU64::new(0),
            facts: ArcSwapOption::empty(),
        }
    }

    /// Whether the facts of all targets, by the lists with this tag, satisfy `is_fine`;
    /// `None` where they are not known.
    #[inline]
    pub fn targets_are(&self, tag: u64, is_fine: impl Fn(&Facts) -> bool) -> Option<bool> {
        let known = self.facts.load();
        let known = known.as_deref().filter(|known| known.tag == tag)?;
        Some(known.facts.iter().all(is_fine))
    }

    /// Stores the facts of all targets by the lists with this tag.
    pub fn note(&self, tag: u64, facts: Box<[Facts]>) {
        self.facts.store(Some(Arc::new(TargetFacts { tag, facts })));
    }

    /// Its arrival, in seconds.
    #[inline]
    pub fn stored(&self) -> u64 {
        self.stored
    }

    /// Seconds since its arrival.
    #[inline]
    pub fn age(&self, now: u64) -> u32 {
        now.saturating_sub(self.stored).min(u64::from(u32::MAX)) as u32
    }

    /// Seconds for which it is fresh.
    #[inline]
    pub fn lifetime(&self) -> u32 {
        self.lifetime
    }

    /// Its octets, facts included.
    pub fn weight(&self) -> usize {
        size_of::<Self>() - size_of::<Answer>()
            + self.answer.weight()
            + self.answer.target_count() * size_of::<Facts>()
    }

    /// Marks it as used; returns whether it was before.
    ///
    /// Only the first hit writes: a cache line that every hit writes moves between all cores.
    #[inline]
    pub(super) fn hit(&self) -> bool {
        let was_hit = self.was_hit.load(Ordering::Relaxed);
        if !was_hit {
            self.was_hit.store(true, Ordering::Relaxed);
        }
        was_hit
    }

    /// Whether a refresh may begin now.
    pub(super) fn may_refresh(&self, now: u64) -> bool {
        self.refresh_from.load(Ordering::Relaxed) <= now
    }

    /// Takes the refresh lease until `next`; one query alone obtains it.
    pub(super) fn claim_refresh(&self, now: u64, next: u64) -> bool {
        let from = self.refresh_from.load(Ordering::Relaxed);
        from <= now
            && self
                .refresh_from
                .compare_exchange(from, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Puts the next refresh off until `next`, after one that failed.
    pub(super) fn put_off(&self, next: u64) {
        self.refresh_from.fetch_max(next, Ordering::Relaxed);
    }
}
