//! The one clock of the shell.
//!
//! The system is asked for one time a query (or a batch of them): the one that only goes
//! forward. The civil time is that plus an offset, which is looked up once a second away
//! from the queries: a step of the system's clock is seen a second later.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::policy::moment::{Now, Trust};

/// How often the civil time is looked up.
const LOOK: Duration = Duration::from_secs(1);

/// The clock that the core is given.
#[derive(Debug)]
pub struct Clock {
    start: Instant,
    /// Civil seconds when `start` was.
    offset: AtomicU64,
    trust: AtomicU8,
}

impl Clock {
    /// A clock that starts now.
    #[expect(clippy::disallowed_methods, reason = "the one clock of the shell")]
    pub fn start() -> Self {
        let clock = Self {
            start: Instant::now(),
            offset: AtomicU64::new(0),
            trust: AtomicU8::new(Trust::Plausible as u8),
        };
        clock.look();
        clock
    }

    /// Microseconds since it started.
    #[inline]
    #[expect(clippy::disallowed_methods, reason = "the one clock of the shell")]
    pub fn micros(&self) -> u64 {
        Instant::now().duration_since(self.start).as_micros() as u64
    }

    /// The core's time of a moment in microseconds.
    ///
    /// One second ahead of zero, so that no age is ever below what is measured.
    #[inline]
    pub fn now_at(&self, micros: u64) -> Now {
        let seconds = micros / 1_000_000;
        let trust = match self.trust.load(Ordering::Relaxed) {
            0 => Trust::Untrusted,
            1 => Trust::Plausible,
            _ => Trust::Synced,
        };
        let civil = self.offset.load(Ordering::Relaxed).saturating_add(seconds);
        Now { mono: seconds + 1, civil, trust }
    }

    /// The core's time of this moment.
    pub fn now(&self) -> Now {
        self.now_at(self.micros())
    }

    /// Looks up the civil time.
    pub fn look(&self) {
        let elapsed = self.micros() / 1_000_000;
        self.offset.store(system_time().saturating_sub(elapsed), Ordering::Relaxed);
    }

    /// Follows the civil time until aborted.
    pub async fn run(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            self.look();
        }
    }
}

/// What the system takes for the civil time: seconds since 1970, UTC.
#[expect(clippy::disallowed_methods, reason = "the one clock of the shell")]
pub fn system_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
