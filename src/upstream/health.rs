//! Counters and health of one server.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::dns::rtype;
use crate::metrics::labels::FailureReason;

/// Failures in a row after which a server is tried last.
const PUT_BACK_AFTER: u32 = 3;
/// The first pause before a server that was put back is asked again; it doubles.
const FIRST_RECHECK: Duration = Duration::from_secs(2);
/// The longest such pause.
const LAST_RECHECK: Duration = Duration::from_secs(30);
/// The shortest wait before a second server is asked: most answers come from upstream's cache.
const HEDGE_MIN: Duration = Duration::from_millis(50);
/// That wait while a server has not answered yet.
pub(super) const HEDGE_UNKNOWN: Duration = Duration::from_millis(400);
/// The longest such wait.
const HEDGE_MAX: Duration = Duration::from_millis(1500);
/// Answers whose times are remembered.
const TIMES: usize = 64;
/// Answers from one look at the times to the next.
const LOOK: u32 = 8;

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
    /// It does not serve us: neither authoritative nor resolving, or any other code.
    Lame,
    /// Too long for UDP, and TCP gave nothing.
    Truncated,
    /// It was not asked: too many questions wait for it already.
    Busy,
}

impl Failure {
    /// All of them, in the order of the counters.
    pub const ALL: [Self; 9] = [
        Self::Timeout,
        Self::Network,
        Self::Malformed,
        Self::ServFail,
        Self::Refused,
        Self::NotUnderstood,
        Self::Lame,
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
            Self::Lame => FailureReason::Lame,
            Self::Truncated => FailureReason::Truncated,
            Self::Busy => FailureReason::Busy,
        }
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
    /// Smoothed time to an answer, as in RFC 6298 §2.
    smoothed: Option<Duration>,
    /// Times of the last answers, in microseconds, by turns.
    times: Vec<u32>,
    answers: u32,
    /// The time in which 19 of 20 of them came.
    p95: Option<Duration>,
    /// The last sign of life.
    heard: Option<Instant>,
    /// Whether a try is overdue, and nothing was heard since it began.
    is_overdue: bool,
    failures: u32,
    /// Hashes of names whose rejection is among the failures: one bad name is no bad server.
    names: Vec<u64>,
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
    /// The moment from which the server is put back.
    since: Instant,
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

    /// The time for which it is put back; none while it is up.
    pub fn down_for(&self) -> Option<Duration> {
        self.health().recheck.as_ref().map(|recheck| recheck.since.elapsed())
    }

    /// Starts a try.
    pub(super) fn start(&self) -> Try<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.queries.fetch_add(1, Ordering::Relaxed);
        Try(self)
    }

    /// A try that began at `started` takes longer than 19 of 20: until the server is heard again, or
    /// the try has timed out, others are asked before it.
    pub(super) fn note_overdue(&self, started: Instant) {
        let mut health = self.health();
        health.is_overdue |= health.heard.is_none_or(|heard| heard < started);
    }

    /// Whether a try is overdue.
    pub(super) fn is_overdue(&self) -> bool {
        self.health().is_overdue
    }

    /// Tries under way.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A usable answer arrived `now`, `after` this time.
    pub(super) fn book_answer(&self, after: Duration, now: Instant) {
        let bucket = Self::BOUNDS.iter().take_while(|bound| after.as_secs_f64() > **bound).count();
        if let Some(count) = self.durations.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.duration_micros.fetch_add(after.as_micros() as u64, Ordering::Relaxed);
        self.health().answered(after, now);
    }

    /// A try failed that began at `started`.
    ///
    /// Silence is the server's only where it says nothing else, and where the type is one that
    /// every server answers: some drop those that they do not know.
    pub(super) fn book_failure(&self, reason: Failure, qtype: u16, started: Instant, now: Instant) {
        self.count_failure(reason);
        self.health().is_overdue = false;
        let is_fault = match reason {
            Failure::Timeout => {
                matches!(qtype, rtype::A | rtype::AAAA)
                    && self.health().heard.is_none_or(|heard| heard < started)
            }
            Failure::Network => true,
            _ => false,
        };
        if is_fault {
            self.book_fault(now);
        }
    }

    /// The server replied, and not with an answer: it counts against the server only when another
    /// one does better.
    pub(super) fn book_rejection(&self, reason: Failure, now: Instant) {
        self.count_failure(reason);
        let mut health = self.health();
        health.heard = Some(now);
        health.is_overdue = false;
    }

    /// Counts a try that failed.
    pub(super) fn count_failure(&self, reason: Failure) {
        if let Some(count) = self.errors.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Another server answered what this one rejected. One name counts once.
    pub(super) fn book_outdone(&self, name: u64, now: Instant) {
        {
            let mut health = self.health();
            if health.names.contains(&name) {
                return;
            }
            health.names.push(name);
        }
        self.book_fault(now);
    }

    /// The server is at fault.
    pub(super) fn book_fault(&self, now: Instant) {
        let mut health = self.health();
        health.failures = health.failures.saturating_add(1);
        if health.failures >= PUT_BACK_AFTER && health.recheck.is_none() {
            health.recheck =
                Some(Recheck { since: now, at: now + FIRST_RECHECK, pause: FIRST_RECHECK });
        }
    }

    /// Whether the server gave a sign of life in the last seconds.
    pub(super) fn was_heard(&self, within: Duration) -> bool {
        self.health().heard.is_some_and(|heard| heard.elapsed() < within)
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
        self.health().smoothed
    }

    /// The hedge delay: the wait for this server before the next one is asked as well, in which
    /// 19 of 20 of its answers come.
    pub(super) fn hedge_after(&self) -> Duration {
        self.health().p95.map_or(HEDGE_UNKNOWN, |time| time.clamp(HEDGE_MIN, HEDGE_MAX))
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Health {
    fn answered(&mut self, after: Duration, now: Instant) {
        self.failures = 0;
        self.is_overdue = false;
        self.names.clear();
        self.recheck = None;
        self.heard = Some(now);
        self.smoothed = Some(self.smoothed.map_or(after, |mean| (mean * 7 + after) / 8));
        let micros = u32::try_from(after.as_micros()).unwrap_or(u32::MAX);
        match self.times.get_mut(self.answers as usize % TIMES) {
            Some(time) => *time = micros,
            None => self.times.push(micros),
        }
        if self.answers.is_multiple_of(LOOK) {
            let mut times = self.times.clone();
            let place = (times.len() * 95 / 100).min(times.len() - 1);
            let (_, p95, _) = times.select_nth_unstable(place);
            self.p95 = Some(Duration::from_micros(u64::from(*p95)));
        }
        self.answers = self.answers.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> ServerState {
        ServerState::new("udp://192.0.2.1".into())
    }

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn three_failures_in_a_row_put_a_server_back_and_one_answer_brings_it_forward() {
        let (state, now) = (state(), Instant::now());
        let fail = |reason, at| state.book_failure(reason, rtype::A, at, at + 5 * MILLI);
        for _ in 0..2 {
            fail(Failure::Timeout, now);
        }
        state.book_answer(5 * MILLI, now);
        for _ in 0..2 {
            fail(Failure::Timeout, now + MILLI);
        }
        assert!(state.is_up());
        fail(Failure::Network, now + MILLI);
        assert!(!state.is_up());
        state.book_answer(5 * MILLI, now);
        assert!(state.is_up());
        assert_eq!((state.errors(Failure::Timeout), state.errors(Failure::Network)), (4, 1));
    }

    #[test]
    fn silence_is_no_fault_where_others_are_answered_or_the_type_is_odd() {
        let (state, now) = (state(), Instant::now());
        state.book_answer(5 * MILLI, now);
        for _ in 0..9 {
            // It was asked before the answer, and another type after it.
            state.book_failure(Failure::Timeout, rtype::A, now - MILLI, now);
            state.book_failure(Failure::Timeout, rtype::HTTPS, now + MILLI, now + 2 * MILLI);
        }
        assert!(state.is_up());
    }

    #[test]
    fn an_overdue_server_is_so_until_it_is_heard_or_its_try_has_timed_out() {
        let (state, now) = (state(), Instant::now());
        state.book_answer(5 * MILLI, now);
        // It was heard since that try began.
        state.note_overdue(now - MILLI);
        assert!(!state.is_overdue());
        state.note_overdue(now + MILLI);
        assert!(state.is_overdue());
        state.book_answer(5 * MILLI, now + 2 * MILLI);
        assert!(!state.is_overdue());
        state.note_overdue(now + 3 * MILLI);
        state.book_failure(Failure::Timeout, rtype::A, now + 3 * MILLI, now + 4 * MILLI);
        assert!(!state.is_overdue() && state.is_up());
    }

    #[test]
    fn tries_under_way_are_counted_until_they_end() {
        let state = state();
        let tries = [state.start(), state.start()];
        assert_eq!((state.waiting(), state.queries()), (2, 2));
        drop(tries);
        assert_eq!((state.waiting(), state.queries()), (0, 2));
    }

    #[test]
    fn rejections_put_a_server_back_only_over_several_names_that_another_answers() {
        let (state, now) = (state(), Instant::now());
        for _ in 0..9 {
            state.book_rejection(Failure::ServFail, now);
            state.book_outdone(7, now);
        }
        assert!(state.is_up());
        assert_eq!(state.errors(Failure::ServFail), 9);
        state.book_outdone(8, now);
        assert!(state.is_up());
        state.book_outdone(9, now);
        assert!(!state.is_up());
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
    fn hedge_follows_the_time_in_which_19_of_20_answers_come() {
        let (state, now) = (state(), Instant::now());
        assert_eq!(state.hedge_after(), HEDGE_UNKNOWN);
        for number in 0..80 {
            let millis = if number % 10 == 0 { 700 } else { 120 };
            state.book_answer(millis * MILLI, now);
        }
        assert_eq!(state.hedge_after(), 700 * MILLI);
        for _ in 0..80 {
            state.book_answer(MILLI, now);
        }
        assert_eq!(state.hedge_after(), HEDGE_MIN);
        for _ in 0..80 {
            state.book_answer(3000 * MILLI, now);
        }
        assert_eq!(state.hedge_after(), HEDGE_MAX);
    }

    #[test]
    fn histogram_is_cumulative() {
        let state = state();
        for millis in [0, 1, 7, 900, 3000] {
            state.book_answer(Duration::from_millis(millis), Instant::now());
        }
        let durations = state.durations();
        assert_eq!(durations.cumulative, [2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 5]);
        assert_eq!(durations.sum, Duration::from_millis(3908));
    }
}
