//! Whether a school is protected: three answers, and the word of a box.

use serde::Serialize;

/// Whether a school is protected: the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SchoolProtection {
    /// Something passes that is to be blocked.
    No,
    /// Nobody knows.
    Unknown,
    /// The box reports that all is well; anybody can send such a line.
    Reported,
    /// Nothing passes that is to be blocked.
    Yes,
}

impl SchoolProtection {
    /// Every value, the worst first.
    pub const ALL: [Self; 4] = [Self::No, Self::Unknown, Self::Reported, Self::Yes];
}
