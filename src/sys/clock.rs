//! The one clock of the shell, with the trust in its civil time.
//!
//! ```text
//!      civil < floor, or too late             neither              a time server agrees
//! untrusted ◀───────────────── any ─────────────────────▶ plausible ◀──────────────────────▶ synced
//!    floor = max(when this program was built, when it was last synced)
//!    too late: ten years after the floor, and no time server agrees
//! ```
//!
//! A query (or a batch of queries) reads one clock of the system, the monotonic one. Civil time is
//! monotonic time plus an offset, which is read once a second away from the queries: a step of
//! the system's clock takes effect up to a second later. Law: without such a step civil time must not
//! go back.
//!
//! The last synced time is stored in the state directory: it detects a board without an RTC battery
//! that starts in the past. Law: a time that is not synced must never be stored.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tracing::{info, warn};

use crate::metrics::{Sample, families};
use crate::policy::group::time::{Now, Trust};
use crate::sys::os;
use crate::sys::read;
use crate::sys::state_dir::{AGAIN, StateDir};

/// The file of the last synced time, in the state directory.
const KEPT: &str = "clock";
/// The interval between two writes of it, in seconds.
const KEEP_EVERY: u64 = 3600;
/// The file that systemd-timesyncd touches when a time server has answered.
const STAMP: &str = "/run/systemd/timesync/synchronized";

/// An unconfirmed time over ten years past the floor is untrusted: boards without an RTC battery
/// start in 2036 or 2099 as well, where every certificate has expired. In seconds.
const HORIZON: u64 = 10 * 366 * 86_400;

/// The most by which two looks at unchanged clocks differ, in seconds: each clock is read in whole
/// seconds, and a busy machine pauses between the two.
const JITTER: u64 = 2;

/// The offset after a look. Without a step of the system's clock it stays: civil time that went back
/// by a second would undo a lesson or an exam that had just begun.
fn followed(before: u64, found: u64) -> u64 {
    if before.abs_diff(found) <= JITTER { before } else { found }
}

/// The build time of this program, in civil seconds.
pub fn built() -> u64 {
    env!("LACHAN_BUILT").parse().unwrap_or(0)
}

/// Whether a civil time can be right for all that this program knows: neither before it was built, nor
/// long after.
pub fn is_possible(civil: u64) -> bool {
    judge(civil, built(), false) != Trust::Untrusted
}

/// The trust in a civil time, given the floor before which no right time is.
fn judge(civil: u64, floor: u64, is_synced: bool) -> Trust {
    match (civil < floor, is_synced) {
        (true, _) => Trust::Untrusted,
        (false, true) => Trust::Synced,
        (false, false) if civil - floor > HORIZON => Trust::Untrusted,
        (false, false) => Trust::Plausible,
    }
}

/// Whether the dates of certificates can be judged: never while the clock is untrusted. The clock
/// sets it, and every check of a certificate reads it.
#[derive(Debug, Clone)]
pub struct Dates(Arc<AtomicBool>);

impl Dates {
    /// Whether they can be judged now.
    pub fn are_known(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets whether they can be judged from now on.
    pub fn set(&self, are_known: bool) {
        self.0.store(are_known, Ordering::Relaxed);
    }
}

/// Dates that can be judged.
impl Default for Dates {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

/// The clock that supplies the core's `now`.
#[derive(Debug)]
pub struct Clock {
    start: Instant,
    /// Civil seconds at `start`.
    offset: AtomicU64,
    trust: AtomicU8,
    dates: Dates,
    /// No right time is before this.
    floor: AtomicU64,
    kept: AtomicU64,
    /// Whether the last write of it succeeded.
    is_kept: AtomicBool,
}

impl Clock {
    /// A clock that starts now.
    #[expect(clippy::disallowed_methods, reason = "the one clock of the shell")]
    pub fn start() -> Self {
        let clock = Self {
            start: Instant::now(),
            offset: AtomicU64::new(0),
            trust: AtomicU8::new(Trust::Plausible as u8),
            dates: Dates::default(),
            floor: AtomicU64::new(built()),
            kept: AtomicU64::new(0),
            is_kept: AtomicBool::new(true),
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

    /// The trust in the civil time.
    #[inline]
    pub fn trust(&self) -> Trust {
        match self.trust.load(Ordering::Relaxed) {
            0 => Trust::Untrusted,
            1 => Trust::Plausible,
            _ => Trust::Synced,
        }
    }

    /// The flag for checks of certificates.
    pub fn dates(&self) -> Dates {
        self.dates.clone()
    }

    /// Raises the floor to the last synced time that an earlier process stored.
    pub fn remember(&self, state: &StateDir) {
        let text = read::text(&state.join(KEPT)).unwrap_or_default();
        if let Ok(kept) = text.trim().parse::<u64>() {
            self.floor.fetch_max(kept, Ordering::Relaxed);
        }
        self.look();
    }

    /// Reads the civil time, and judges the trust in it.
    pub fn look(&self) {
        let elapsed = self.micros() / 1_000_000;
        let civil = system_time();
        let found = civil.saturating_sub(elapsed);
        self.offset.store(followed(self.offset.load(Ordering::Relaxed), found), Ordering::Relaxed);
        let is_synced = Path::new(STAMP).exists() || os::is_clock_synced();
        let trust = judge(civil, self.floor.load(Ordering::Relaxed), is_synced);
        let before = self.trust();
        self.trust.store(trust as u8, Ordering::Relaxed);
        self.dates.set(trust != Trust::Untrusted);
        match trust {
            _ if trust == before => {}
            Trust::Untrusted => warn!(
                "the clock is wrong: {}; until it is set schedules are strict, and the dates of \
                 certificates are not checked",
                if civil < self.floor.load(Ordering::Relaxed) {
                    "it is behind the time when it must be at least"
                } else {
                    "it is ten years ahead of all that this program knows"
                }
            ),
            Trust::Plausible | Trust::Synced => info!(state = trust.id(), "the clock"),
        }
    }

    /// Stores the civil time if it is synced and was not stored for an hour; `always` waives that.
    pub fn keep(&self, state: &StateDir, always: bool) {
        let Now { civil, trust, .. } = self.now();
        let last = self.kept.load(Ordering::Relaxed);
        if trust != Trust::Synced || !always && civil < last.saturating_add(KEEP_EVERY) {
            return;
        }
        let written = state.replace(KEPT, civil.to_string().as_bytes());
        // What failed is tried again long before it is due.
        let kept = if written.is_ok() { civil } else { (civil + AGAIN).saturating_sub(KEEP_EVERY) };
        self.kept.store(kept, Ordering::Relaxed);
        let was_kept = self.is_kept.swap(written.is_ok(), Ordering::Relaxed);
        if let Err(error) = written
            && was_kept
        {
            warn!(%error, "the time cannot be kept in the state directory");
        }
    }

    /// The trust as gauges: 1 for the current state, 0 for the others.
    pub fn samples(&self) -> Vec<Sample> {
        let is = self.trust();
        Trust::ALL.map(|state| families::CLOCK_STATE.flag((state,), state == is)).to_vec()
    }
}

/// The system's civil time: seconds since 1970, UTC.
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
    fn civil_time_goes_back_by_a_step_alone() {
        assert_eq!(followed(0, 1_800_000_000), 1_800_000_000);
        for found in [1_799_999_998, 1_799_999_999, 1_800_000_001, 1_800_000_002] {
            assert_eq!(followed(1_800_000_000, found), 1_800_000_000);
        }
        for step in [1_799_999_000, 1_800_000_003, 0] {
            assert_eq!(followed(1_800_000_000, step), step);
        }
    }

    #[test]
    fn a_time_far_ahead_is_believed_only_when_a_time_server_agrees() {
        assert_eq!(judge(100 + HORIZON, 100, false), Trust::Plausible);
        assert_eq!(judge(101 + HORIZON, 100, false), Trust::Untrusted);
        assert_eq!(judge(101 + HORIZON, 100, true), Trust::Synced);
    }

    #[test]
    fn a_box_that_starts_in_the_past_knows_it_by_what_it_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().to_owned()).unwrap();
        let clock = Clock::start();
        assert_ne!(clock.trust(), Trust::Untrusted, "built before now");
        state.replace(KEPT, (system_time() + 86_400).to_string().as_bytes()).unwrap();
        let dates = clock.dates();
        assert!(dates.are_known());
        clock.remember(&state);
        assert_eq!(clock.now().trust, Trust::Untrusted);
        assert!(!dates.are_known());
        // A time that is not synced is not stored.
        clock.keep(&state, true);
        let kept = std::fs::read_to_string(state.join(KEPT)).unwrap();
        assert!(kept.parse::<u64>().unwrap() > system_time());
    }
}
