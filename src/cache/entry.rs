//! One entry of the answer cache: its age, its question's time, its refresh lease, and the lists'
//! facts about its targets.
//!
//! Workers read an entry side by side. Its shared fields are written at most a few times in
//! its life, never by every hit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

use crate::dns::message::answer::Answer;
use crate::dns::route::UpstreamId;
use crate::matcher::Facts;

/// The sending of a question.
///
/// Law: an answer never replaces the answer to a later question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AskedAt {
    /// Its time, in microseconds of the monotonic clock.
    pub at: u64,
    /// The upstream it was sent to.
    pub upstream: UpstreamId,
}

/// An answer and its time of arrival.
#[derive(Debug)]
pub struct Entry {
    /// The upstream answer.
    pub answer: Answer,
    /// Its arrival, in seconds.
    stored: u64,
    /// Seconds for which it is fresh.
    lifetime: u32,
    /// Its question.
    asked: AskedAt,
    /// The time of the last question under its key that upstream answered: its own, unless it is
    /// a failure.
    word: u64,
    /// Whether upstream has taken back what was under its key, in an answer that may not be
    /// stored.
    is_revoked: bool,
    /// Whether it is a failure of an outage.
    is_lost: bool,
    /// Whether a query has used it.
    was_hit: AtomicBool,
    /// No refresh begins before this second.
    refresh_from: AtomicU64,
    /// The question by which a refresh failed in an outage; 0 where none did.
    lost_at: AtomicU64,
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

    /// The same entry as the answer to this question.
    #[must_use]
    pub fn to(self, asked: AskedAt) -> Self {
        Self { asked, word: asked.at, ..self }
    }

    /// An answer that arrived `now` and is fresh for `lifetime` seconds.
    pub(super) fn lasting(answer: Answer, now: u64, lifetime: u32) -> Self {
        Self {
            is_revoked: lifetime == 0,
            answer,
            stored: now,
            lifetime,
            asked: AskedAt::default(),
            word: 0,
            is_lost: false,
            was_hit: AtomicBool::new(false),
            refresh_from: AtomicU64::new(0),
            lost_at: AtomicU64::new(0),
            facts: ArcSwapOption::empty(),
        }
    }

    /// The same entry as a failure in the place of `last`; `is_lost` in an outage.
    pub(super) fn behind(self, last: Option<&Self>, is_lost: bool) -> Self {
        let word = last.map_or(0, |last| last.word);
        let is_revoked = last.is_some_and(|last| last.is_revoked);
        Self { word, is_revoked, is_lost, ..self }
    }

    /// The mark of an answer that may not be stored: the same entry without its records.
    pub(super) fn marked(&self) -> Option<Self> {
        let mark = || Self::new(Answer::failure(self.answer.rcode()), self.stored).to(self.asked);
        self.is_revoked.then(mark)
    }

    /// The time of the last question under its key that upstream answered.
    pub(super) fn word(&self) -> u64 {
        self.word
    }

    /// The question that failed in an outage: its own, or that of its refresh.
    pub(super) fn lost(&self) -> Option<AskedAt> {
        let at = if self.is_lost { self.asked.at } else { self.lost_at.load(Ordering::Relaxed) };
        (self.is_lost || at > 0).then_some(AskedAt { at, ..self.asked })
    }

    /// Whether upstream has taken back what was under its key.
    pub(super) fn is_revoked(&self) -> bool {
        self.is_revoked
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

    /// Puts the next refresh off until `next`, after a question that failed; `lost` where that
    /// was in an outage.
    pub(super) fn put_off(&self, next: u64, lost: Option<AskedAt>) {
        self.refresh_from.fetch_max(next, Ordering::Relaxed);
        self.lost_at.store(lost.map_or(0, |asked| asked.at.max(1)), Ordering::Relaxed);
    }

    /// The second up to which its refresh is put off.
    pub(super) fn refresh_from(&self) -> u64 {
        self.refresh_from.load(Ordering::Relaxed)
    }
}
