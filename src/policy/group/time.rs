//! A moment, as the shell read it: what the core takes for the time.
//!
//! Absent on purpose: reading a clock, and time zones. Instants are seconds; what a
//! weekday or a lesson is has been worked out before (`timeline.rs` holds the result).

/// How far the civil time can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trust {
    /// Earlier than it can be: a box without a battery, or a wrong date.
    Untrusted,
    /// Not impossible, but nobody has confirmed it.
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

/// The time, as the shell read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Seconds on a clock that only goes forward.
    pub mono: u64,
    /// Seconds since 1970, UTC.
    pub civil: u64,
    /// How far `civil` can be believed.
    pub trust: Trust,
}
