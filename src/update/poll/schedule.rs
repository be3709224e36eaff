//! The wait before the next poll.
//!
//! Law: it depends on the interval, the last poll and a random number alone. Gateways that started
//! together, after a power cut, must not ask together.

use std::time::Duration;

/// The longest wait before the first poll.
const FIRST: Duration = Duration::from_secs(600);
/// The wait after one failure; it doubles with each further one.
const RETRY: Duration = Duration::from_secs(60);
/// The longest wait after a failure, where the interval is not longer.
const LAST_RETRY: Duration = Duration::from_secs(6 * 3600);

/// The last poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastPoll {
    /// There was none since the start.
    None,
    /// It ended well.
    Good,
    /// It failed, for so many times in a row.
    Failed(u32),
}

/// The wait before the next poll; `random` is at least 0 and below 1.
pub fn wait(every: Duration, last: LastPoll, random: f64) -> Duration {
    match last {
        LastPoll::None => FIRST.min(every).mul_f64(random),
        LastPoll::Good => every.mul_f64(0.75 + random / 2.0),
        LastPoll::Failed(times) => {
            let wait = RETRY.min(every).saturating_mul(1 << times.saturating_sub(1).min(16));
            wait.min(LAST_RETRY.max(every)).mul_f64(0.75 + random / 4.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn waits_are_bounded_and_never_shrink_with_failures(
            seconds in 10_u64..604_800, times in 1_u32..100, random in 0.0..1.0_f64,
        ) {
            let every = Duration::from_secs(seconds);
            prop_assert!(wait(every, LastPoll::None, random) <= FIRST.min(every));
            let good = wait(every, LastPoll::Good, random);
            prop_assert!(good >= every.mul_f64(0.75) && good <= every.mul_f64(1.25));
            let failed = |times| wait(every, LastPoll::Failed(times), random);
            prop_assert!(failed(times) <= LAST_RETRY.max(every));
            prop_assert!(failed(times) <= failed(times + 1));
            prop_assert!(failed(1) >= Duration::from_secs(7), "a failure is no busy loop");
        }

        #[test]
        fn waits_after_failures_double_from_a_minute_or_the_interval_to_six_hours(
            seconds in 1_u64..604_800, random in 0.0..1.0_f64,
        ) {
            let every = Duration::from_secs(seconds);
            let (least, most) = (RETRY.min(every), LAST_RETRY.max(every));
            for times in 1..=20 {
                let full = least.saturating_mul(1 << (times - 1).min(16)).min(most);
                let found = wait(every, LastPoll::Failed(times), random);
                prop_assert!(found >= full.mul_f64(0.75) && found <= full, "{times}: {found:?}");
            }
        }
    }
}
