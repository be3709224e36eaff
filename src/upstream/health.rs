//! Counters and health of one server.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::metrics::labels::FailureReason;

/// Failures in a row after which a server is tried last.
const PUT_BACK_AFTER: u32 = 3;
/// The first pause before a server that was put back is asked again; it doubles.
const FIRST_RECHECK: Duration = Duration::from_secs(2);
/// The longest such pause.
const LAST_RECHECK: Duration = Duration::from_secs(30);
/// The shortest wait before a second server is asked: most answers come from upstream's cache.
const HEDGE_MIN: Duration = Duration::from_millis(50);
/// The longest such wait.
pub(super) const HEDGE_MAX: Duration = Duration::from_millis(400);

/// Why one try at one server gave no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing arrived in time.
    Timeout,
    /// No connection, or it broke; TLS and HTTP errors are among these.
    Network,
    /// What arrived could not be read as an answer to the question.
    Malformed,
    /// SERVFAIL.
    ServFail,
    /// REFUSED.
    Refused,
    /// FORMERR or NOTIMP.
    NotUnderstood,
    /// Too long for UDP, and TCP gave nothing.
    Truncated,
    /// It was not asked: too many questions wait for it already.
    Busy,
}

impl Failure {
    /// All of them, in the order of the counters.
    pub const ALL: [Self; 8] = [
        Self::Timeout,
        Self::Network,
        Self::Malformed,
        Self::ServFail,
        Self::Refused,
        Self::NotUnderstood,
        Self::Truncated,
        Self::Busy,
    ];

    /// The `reason` label of the metrics.
    pub fn label(self) -> FailureReason {
        match self {
            Self::Timeout => FailureReason::Timeout,
            Self::Network => FailureReason::Network,
            Self::Malformed => FailureReason::Malformed,
            Self::ServFail => FailureReason::ServFail,
            Self::Refused => FailureReason::Refused,
            Self::NotUnderstood => FailureReason::NotUnderstood,
            Self::Truncated => FailureReason::Truncated,
            Self::Busy => FailureReason::Busy,
        }
    }

    /// True for a rejection by the server: the question may be at fault instead.
    pub(super) fn is_rejection(self) -> bool {
        matches!(self, Self::ServFail | Self::Refused | Self::NotUnderstood)
    }
}

/// Counters and health of one upstream server.
#[derive(Debug)]
pub struct ServerState {
    label: String,
    queries: AtomicU64,
    /// Tries under way.
    waiting: AtomicUsize,
    errors: [AtomicU64; Failure::ALL.len()],
    durations: [AtomicU64; ServerState::BOUNDS.len() + 1],
    duration_micros: AtomicU64,
    health: Mutex<Health>,
}

/// Histogram of the time to the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeDurations {
    /// Answers no slower than each of [`ServerState::BOUNDS`], then all answers.
    pub cumulative: Vec<u64>,
    /// All of them added up.
    pub sum: Duration,
}

#[derive(Debug, Default)]
struct Health {
    /// Smoothed time to an answer and its mean deviation, as in RFC 6298 §2.
    smoothed: Option<(Duration, Duration)>,
    failures: u32,
    /// Set while the server is put back.
    recheck: Option<Recheck>,
}

/// A try under way, until it is dropped.
pub(super) struct Try<'a>(&'a ServerState);

impl Drop for Try<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Recheck {
    at: Instant,
    pause: Duration,
}

impl ServerState {
    /// Upper bounds of the duration histogram, in seconds.
    pub const BOUNDS: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.5];

    /// A server without a measurement or a failure.
    pub(super) fn new(label: String) -> Self {
        Self {
            label,
            queries: AtomicU64::default(),
            waiting: AtomicUsize::default(),
            errors: Default::default(),
            durations: Default::default(),
            duration_micros: AtomicU64::default(),
            health: Mutex::default(),
        }
    }

    /// The server as the config wrote it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Tries started, repeats and background checks among them.
    pub fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// Tries that failed for this reason.
    pub fn errors(&self, reason: Failure) -> u64 {
        self.errors.get(reason as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Time to the usable answers.
    pub fn durations(&self) -> ExchangeDurations {
        let mut total = 0;
        let cumulative = self.durations.iter().map(|bucket| {
            total += bucket.load(Ordering::Relaxed);
            total
        });
        ExchangeDurations {
            cumulative: cumulative.collect(),
            sum: Duration::from_micros(self.duration_micros.load(Ordering::Relaxed)),
        }
    }

    /// False while the server is put back for failing again and again.
    pub fn is_up(&self) -> bool {
        self.health().recheck.is_none()
    }

    /// Starts a try, unless `most` are under way: the tries of a slow or dead server must never
    /// take the places of other servers.
    pub(super) fn start(&self, most: usize) -> Option<Try<'_>> {
        let place = Try(self);
        if self.waiting.fetch_add(1, Ordering::Relaxed) < most {
            self.queries.fetch_add(1, Ordering::Relaxed);
            return Some(place);
        }
        if let Some(count) = self.errors.get(Failure::Busy as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        None
    }

    /// A usable answer arrived `after` this time.
    pub(super) fn book_answer(&self, after: Duration) {
        let bucket = Self::BOUNDS.iter().take_while(|bound| after.as_secs_f64() > **bound).count();
        if let Some(count) = self.durations.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.duration_micros.fetch_add(after.as_micros() as u64, Ordering::Relaxed);
        let mut health = self.health();
        health.failures = 0;
        health.recheck = None;
        health.smoothed = Some(match health.smoothed {
            None => (after, after / 2),
            Some((mean, deviation)) => {
                ((mean * 7 + after) / 8, (deviation * 3 + mean.abs_diff(after)) / 4)
            }
        });
    }

    /// A try failed. A rejection counts against the server only when another one does better.
    pub(super) fn book_failure(&self, reason: Failure, now: Instant) {
        if let Some(count) = self.errors.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if !reason.is_rejection() {
            self.book_fault(now);
        }
    }

    /// The server is at fault: its reply was unusable, or another one answered what it rejected.
    pub(super) fn book_fault(&self, now: Instant) {
        let mut health = self.health();
        health.failures = health.failures.saturating_add(1);
        if health.failures >= PUT_BACK_AFTER && health.recheck.is_none() {
            health.recheck = Some(Recheck { at: now + FIRST_RECHECK, pause: FIRST_RECHECK });
        }
    }

    /// Whether to check on a server that is put back; true for one caller per pause.
    pub(super) fn claim_recheck(&self, now: Instant) -> bool {
        match &mut self.health().recheck {
            Some(recheck) if recheck.at <= now => {
                recheck.pause = (recheck.pause * 2).min(LAST_RECHECK);
                recheck.at = now + recheck.pause;
                true
            }
            _ => false,
        }
    }

    /// Smoothed time to an answer; `None` before the first.
    pub(super) fn smoothed(&self) -> Option<Duration> {
        self.health().smoothed.map(|(mean, _)| mean)
    }

    /// The hedge delay: the wait for this server before the next one is asked as well.
    ///
    /// Mean and two deviations: about one answer in twenty takes longer.
    pub(super) fn hedge_after(&self) -> Duration {
        self.health()
            .smoothed
            .map_or(HEDGE_MAX, |(mean, deviation)| mean + deviation * 2)
            .clamp(HEDGE_MIN, HEDGE_MAX)
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> ServerState {
        ServerState::new("udp://192.0.2.1".into())
    }

    #[test]
    fn three_failures_in_a_row_put_a_server_back_and_one_answer_brings_it_forward() {
        let (state, now) = (state(), Instant::now());
        for _ in 0..2 {
            state.book_failure(Failure::Timeout, now);
        }
        state.book_answer(Duration::from_millis(5));
        for _ in 0..2 {
            state.book_failure(Failure::Timeout, now);
        }
        assert!(state.is_up());
        state.book_failure(Failure::Network, now);
        assert!(!state.is_up());
        state.book_answer(Duration::from_millis(5));
        assert!(state.is_up());
        assert_eq!((state.errors(Failure::Timeout), state.errors(Failure::Network)), (4, 1));
    }

    #[test]
    fn a_server_has_so_many_places_and_its_failures_give_them_back() {
        let state = state();
        let tries = [state.start(2), state.start(2)];
        assert!(tries.iter().all(Option::is_some) && state.start(2).is_none());
        assert_eq!((state.queries(), state.errors(Failure::Busy)), (2, 1));
        drop(tries);
        assert!(state.start(2).is_some() && state.is_up());
    }

    #[test]
    fn rejections_alone_do_not_put_a_server_back() {
        let (state, now) = (state(), Instant::now());
        for _ in 0..9 {
            state.book_failure(Failure::ServFail, now);
        }
        assert!(state.is_up());
        assert_eq!(state.errors(Failure::ServFail), 9);
    }

    #[test]
    fn rechecks_back_off_and_are_claimed_once() {
        let (state, now) = (state(), Instant::now());
        for _ in 0..3 {
            state.book_fault(now);
        }
        let mut claimed = Vec::new();
        for second in 0..100 {
            let at = now + Duration::from_secs(second);
            if state.claim_recheck(at) {
                claimed.push(second);
                assert!(!state.claim_recheck(at));
            }
        }
        assert_eq!(claimed, [2, 6, 14, 30, 60, 90]);
    }

    #[test]
    fn hedge_follows_the_estimate_between_its_bounds() {
        let state = state();
        assert_eq!(state.hedge_after(), HEDGE_MAX);
        for _ in 0..50 {
            state.book_answer(Duration::from_millis(120));
        }
        assert!(state.hedge_after() < Duration::from_millis(130));
        for _ in 0..50 {
            state.book_answer(Duration::from_millis(1));
        }
        assert_eq!(state.hedge_after(), HEDGE_MIN);
        state.book_answer(Duration::from_secs(1));
        assert_eq!(state.hedge_after(), HEDGE_MAX);
    }

    #[test]
    fn histogram_is_cumulative() {
        let state = state();
        for millis in [0, 1, 7, 900, 3000] {
            state.book_answer(Duration::from_millis(millis));
        }
        let durations = state.durations();
        assert_eq!(durations.cumulative, [2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 5]);
        assert_eq!(durations.sum, Duration::from_millis(3908));
    }
}
