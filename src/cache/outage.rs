//! Outages: the time in which an upstream answers nobody.
//!
//! A failure says something about its name only where the upstream answers other questions
//! meanwhile. Where it answers none, the failure is the upstream's: it must not outlive the
//! outage, and so counts until the upstream answers any question that was sent after it. Lest
//! all names wait for each other, one failed question a second is asked again as a probe.
//!
//! The upstreams of forward zones come and go: they share a table of fixed size. Law: of two in
//! one place the later one is remembered, and what is forgotten only lets a failure count for
//! its whole time.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::cache::AskedAt;
use crate::dns::route::UpstreamId;

/// Places for upstreams; a power of two.
const PLACES: usize = 64;
/// Bits of a time; the upstream's number stands above them.
const TIME_BITS: u32 = 48;
/// Microseconds around a failure of an outage in which another failure belongs to it: longer than
/// a question waits, so that the last questions of an outage are not held against their names.
const NEAR: u64 = 4_000_000;

/// The last answer and the last outage of each upstream.
#[derive(Debug)]
pub(super) struct Outages {
    places: [Place; PLACES],
}

#[derive(Debug, Default)]
struct Place {
    /// The latest question that was answered.
    answered: Mark,
    /// The latest question that failed in an outage.
    lost: Mark,
    /// No probe begins before this second.
    probe_from: AtomicU64,
}

/// An upstream and a time, in one word: both are written at once.
#[derive(Debug, Default)]
struct Mark(AtomicU64);

impl Mark {
    fn raise(&self, asked: AskedAt) {
        let new = u64::from(asked.upstream.0) << TIME_BITS | asked.at & ((1 << TIME_BITS) - 1);
        let is_news = |old: u64| old >> TIME_BITS != new >> TIME_BITS || old < new;
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| is_news(old).then_some(new));
    }

    fn of(&self, upstream: UpstreamId) -> Option<u64> {
        let word = self.0.load(Ordering::Relaxed);
        let time = word & ((1 << TIME_BITS) - 1);
        (word >> TIME_BITS == u64::from(upstream.0) && time > 0).then_some(time)
    }
}

impl Outages {
    pub(super) fn new() -> Self {
        Self { places: std::array::from_fn(|_| Place::default()) }
    }

    fn place(&self, upstream: UpstreamId) -> &Place {
        &self.places[usize::from(upstream.0) % PLACES]
    }

    /// The upstream answered a question that was sent then.
    pub(super) fn note_answer(&self, asked: AskedAt) {
        self.place(asked.upstream).answered.raise(asked);
    }

    /// Nobody answered a question that was sent then; returns whether that is an outage.
    pub(super) fn note_silence(&self, asked: AskedAt) -> bool {
        let place = self.place(asked.upstream);
        let is_silent = place.answered.of(asked.upstream).is_none_or(|at| at < asked.at);
        if is_silent {
            place.lost.raise(asked);
        }
        is_silent
            || place.lost.of(asked.upstream).is_some_and(|lost| lost.abs_diff(asked.at) < NEAR)
    }

    /// Whether an outage in which this question failed is over, or the caller is to find out: one
    /// of them a second.
    pub(super) fn may_be_over(&self, asked: AskedAt, now: u64) -> bool {
        let place = self.place(asked.upstream);
        if place.answered.of(asked.upstream).is_some_and(|at| at > asked.at) {
            return true;
        }
        let from = place.probe_from.load(Ordering::Relaxed);
        from <= now
            && place
                .probe_from
                .compare_exchange(from, now + 1, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(number: u16, at: u64) -> AskedAt {
        AskedAt { at, upstream: UpstreamId(number) }
    }

    #[test]
    fn silence_is_an_outage_only_where_nobody_is_answered() {
        let outages = Outages::new();
        outages.note_answer(asked(0, 10_000_000));
        // Others were answered meanwhile: the name is at fault.
        assert!(!outages.note_silence(asked(0, 9_000_000)));
        assert!(outages.note_silence(asked(0, 11_000_000)));
        // Another upstream's answers say nothing about this one.
        outages.note_answer(asked(1, 99_000_000));
        assert!(outages.note_silence(asked(0, 30_000_000)));
        // One of the last questions of the outage fails after the first answer.
        outages.note_answer(asked(0, 31_000_000));
        assert!(outages.note_silence(asked(0, 30_900_000)));
        assert!(!outages.note_silence(asked(0, 30_000_000 - NEAR)));
    }

    #[test]
    fn an_outage_is_over_with_the_first_answer_and_probed_once_a_second() {
        let outages = Outages::new();
        let failed = asked(3, 5_000_000);
        assert!(outages.note_silence(failed));
        assert!(outages.may_be_over(failed, 7));
        assert!(!outages.may_be_over(failed, 7));
        assert!(outages.may_be_over(failed, 8));
        outages.note_answer(asked(3, 4_000_000));
        assert!(!outages.may_be_over(failed, 8));
        outages.note_answer(asked(3, 8_100_000));
        assert!((0..9).all(|_| outages.may_be_over(failed, 8)));
    }

    #[test]
    fn upstreams_in_one_place_end_no_outage_of_each_other() {
        let outages = Outages::new();
        let failed = asked(1, 5_000_000);
        assert!(outages.note_silence(failed) && outages.may_be_over(failed, 5));
        outages.note_answer(asked(1 + PLACES as u16, 9_000_000));
        assert!(!outages.may_be_over(failed, 5));
    }
}
