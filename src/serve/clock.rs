//! The one clock of the shell, and how far it can be trusted.
//!
//! ```text
//!              civil < floor                 civil ≥ floor             a time server agrees
//! untrusted ◀───────────────── any ─────────────────────▶ plausible ◀──────────────────────▶ synced
//!                     floor = max(when this program was built, when it was last synced)
//! ```
//!
//! The system is asked for one time a query (or a batch of them): the one that only goes
//! forward. The civil time is that plus an offset, which is looked up once a second away
//! from the queries: a step of the system's clock is seen a second later.
//!
//! The last time that was synced is kept in the state directory, so that a box without a
//! battery that starts in the past knows it. A time that is not synced is never kept.

use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tracing::{info, warn};

use crate::metrics::LabelledGauges;
use crate::policy::moment::{Now, Trust};
use crate::serve::state::StateDir;
use crate::serve::system;

/// The file of the last synced time, in the state directory.
const KEPT: &str = "clock";
/// How often it is kept, in seconds.
const KEEP_EVERY: u64 = 3600;
/// What systemd-timesyncd touches when a time server has answered.
const STAMP: &str = "/run/systemd/timesync/synchronized";

/// When this program was built, in civil seconds.
pub fn built() -> u64 {
    env!("LACHAN_BUILT").parse().unwrap_or(0)
}

/// How far a time can be trusted that is not before `floor`, if it is right.
fn judge(civil: u64, floor: u64, is_synced: bool) -> Trust {
    match (civil < floor, is_synced) {
        (true, _) => Trust::Untrusted,
        (false, false) => Trust::Plausible,
        (false, true) => Trust::Synced,
    }
}

/// The clock that the core is given.
#[derive(Debug)]
pub struct Clock {
    start: Instant,
    /// Civil seconds when `start` was.
    offset: AtomicU64,
    trust: AtomicU8,
    /// No right time is before this.
    floor: AtomicU64,
    kept: AtomicU64,
}

impl Clock {
    /// A clock that starts now.
    #[expect(clippy::disallowed_methods, reason = "the one clock of the shell")]
    pub fn start() -> Self {
        let clock = Self {
            start: Instant::now(),
            offset: AtomicU64::new(0),
            trust: AtomicU8::new(Trust::Plausible as u8),
            floor: AtomicU64::new(built()),
            kept: AtomicU64::new(0),
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
        let civil = self.offset.load(Ordering::Relaxed).saturating_add(seconds);
        Now { mono: seconds + 1, civil, trust: self.trust() }
    }

    /// The core's time of this moment.
    pub fn now(&self) -> Now {
        self.now_at(self.micros())
    }

    /// How far the civil time can be trusted.
    #[inline]
    pub fn trust(&self) -> Trust {
        match self.trust.load(Ordering::Relaxed) {
            0 => Trust::Untrusted,
            1 => Trust::Plausible,
            _ => Trust::Synced,
        }
    }

    /// Reads when the clock was last synced in an earlier life of this gateway.
    pub fn remember(&self, state: &StateDir) {
        let text = std::fs::read_to_string(state.join(KEPT)).unwrap_or_default();
        if let Ok(kept) = text.trim().parse::<u64>() {
            self.floor.fetch_max(kept, Ordering::Relaxed);
        }
        self.look();
    }

    /// Looks up the civil time, and whether it is to be trusted.
    pub fn look(&self) {
        let elapsed = self.micros() / 1_000_000;
        let civil = system_time();
        self.offset.store(civil.saturating_sub(elapsed), Ordering::Relaxed);
        let is_synced = Path::new(STAMP).exists() || system::is_clock_synced();
        let trust = judge(civil, self.floor.load(Ordering::Relaxed), is_synced);
        let before = self.trust();
        self.trust.store(trust as u8, Ordering::Relaxed);
        match trust {
            _ if trust == before => {}
            Trust::Untrusted => warn!(
                "the clock is behind the time when it must be at least: schedules are strict until it is set"
            ),
            Trust::Plausible | Trust::Synced => info!(state = trust.id(), "the clock"),
        }
    }

    /// Keeps the time, if a time server agrees with it and `always`, or an hour has gone by.
    pub fn keep(&self, state: &StateDir, always: bool) {
        let Now { civil, trust, .. } = self.now();
        let last = self.kept.load(Ordering::Relaxed);
        if trust != Trust::Synced || !always && civil < last.saturating_add(KEEP_EVERY) {
            return;
        }
        self.kept.store(civil, Ordering::Relaxed);
        if let Err(error) = state.replace(KEPT, civil.to_string().as_bytes()) {
            warn!(%error, "the time cannot be kept in the state directory");
        }
    }

    /// The state as gauges: 1 for the state that is, 0 for the others.
    pub fn marks(&self) -> LabelledGauges {
        let is = self.trust();
        let values = Trust::ALL.map(|state| (state.id(), f64::from(u8::from(state == is))));
        let help = "How far the clock can be trusted: 1 for the state that it is in.";
        ("lachan_clock_state", help, "state", values.to_vec())
    }
}

/// What the system takes for the civil time: seconds since 1970, UTC.
#[expect(clippy::disallowed_methods, reason = "the one clock of the shell")]
pub fn system_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_before_the_floor_is_wrong_whoever_confirms_it() {
        assert_eq!(judge(99, 100, true), Trust::Untrusted);
        assert_eq!(judge(99, 100, false), Trust::Untrusted);
        assert_eq!(judge(100, 100, false), Trust::Plausible);
        assert_eq!(judge(100, 100, true), Trust::Synced);
    }

    #[test]
    fn a_box_that_starts_in_the_past_knows_it_by_what_it_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().to_owned()).unwrap();
        let clock = Clock::start();
        assert_ne!(clock.trust(), Trust::Untrusted, "built before now");
        state.replace(KEPT, (system_time() + 86_400).to_string().as_bytes()).unwrap();
        clock.remember(&state);
        assert_eq!(clock.now().trust, Trust::Untrusted);
        // What is not synced is not kept.
        clock.keep(&state, true);
        let kept = std::fs::read_to_string(state.join(KEPT)).unwrap();
        assert!(kept.parse::<u64>().unwrap() > system_time());
    }
}
