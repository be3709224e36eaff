//! The time as an argument: readings of both clocks, and how far to trust them.
//!
//! Absent on purpose: reading a clock, and time zones. Instants are seconds; weekdays and lessons
//! were resolved to instants before ([`super::timeline`]).

/// Trust in the civil time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trust {
    /// Impossibly early: a board without RTC battery, or a wrong date.
    Untrusted,
    /// Possible, and not confirmed.
    Plausible,
    /// Confirmed by a time server.
    Synced,
}

impl Trust {
    /// Every state, least first.
    pub const ALL: [Self; 3] = [Self::Untrusted, Self::Plausible, Self::Synced];

    /// The id used in metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted",
            Self::Plausible => "plausible",
            Self::Synced => "synced",
        }
    }
}

/// One reading of the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Seconds of a monotonic clock.
    pub mono: u64,
    /// Seconds since 1970, UTC.
    pub civil: u64,
    /// Trust in `civil`.
    pub trust: Trust,
}
