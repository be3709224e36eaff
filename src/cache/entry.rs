//! One answer in the cache: how old it is, and what the lists say of its targets.
//!
//! Askers read an entry side by side. What is noted on it is written once or at most a
//! few times in its life, never by every hit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

use crate::dns::message::answer::Answer;
use crate::matcher::Facts;

/// An answer and when it came.
#[derive(Debug)]
pub struct Entry {
    /// What upstream said.
    pub answer: Answer,
    /// When, in seconds.
    stored: u64,
    /// For how many seconds it is fresh.
    lifetime: u32,
    /// Whether anybody has asked for it since.
    was_hit: AtomicBool,
    /// No refresh is tried before this second.
    refresh_from: AtomicU64,
    /// What the lists say of the names it points to.
    facts: ArcSwapOption<TargetFacts>,
}

/// What the lists said of the names an answer points to, in their order.
#[derive(Debug)]
struct TargetFacts {
    /// Of which lists; facts of others are worth nothing.
    tag: u64,
    facts: Box<[Facts]>,
}

impl Entry {
    /// An answer that came `now`, in seconds, fresh for as long as it says.
    pub fn new(answer: Answer, now: u64) -> Self {
        let lifetime = answer.lifetime();
        Self::lasting(answer, now, lifetime)
    }

    /// An answer that came `now` and is fresh for `lifetime` seconds.
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

    /// Keeps what the lists with this tag say of the targets.
    pub fn note(&self, tag: u64, facts: Box<[Facts]>) {
        self.facts.store(Some(Arc::new(TargetFacts { tag, facts })));
    }

    /// When it came, in seconds.
    #[inline]
    pub fn stored(&self) -> u64 {
        self.stored
    }

    /// Seconds since it came.
    #[inline]
    pub fn age(&self, now: u64) -> u32 {
        now.saturating_sub(self.stored).min(u64::from(u32::MAX)) as u32
    }

    /// For how many seconds it is fresh.
    #[inline]
    pub fn lifetime(&self) -> u32 {
        self.lifetime
    }

    /// Octets it takes, facts included.
    pub fn weight(&self) -> usize {
        size_of::<Self>() - size_of::<Answer>()
            + self.answer.weight()
            + self.answer.target_count() * size_of::<Facts>()
    }

    /// Notes that it was asked for; says whether it had been before.
    ///
    /// Written by the first asker only: a cache line that every hit writes is one that
    /// all cores fight over.
    #[inline]
    pub(super) fn hit(&self) -> bool {
        let was_hit = self.was_hit.load(Ordering::Relaxed);
        if !was_hit {
            self.was_hit.store(true, Ordering::Relaxed);
        }
        was_hit
    }

    /// Whether a refresh may be tried now.
    pub(super) fn may_refresh(&self, now: u64) -> bool {
        self.refresh_from.load(Ordering::Relaxed) <= now
    }

    /// Takes the refresh on, for one asker alone; others wait until `next`.
    pub(super) fn claim_refresh(&self, now: u64, next: u64) -> bool {
        let from = self.refresh_from.load(Ordering::Relaxed);
        from <= now
            && self
                .refresh_from
                .compare_exchange(from, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// A refresh failed: none is tried before `next`.
    pub(super) fn put_off(&self, next: u64) {
        self.refresh_from.fetch_max(next, Ordering::Relaxed);
    }
}
