//! The record of one month of one gateway: what the yearly report and the attestation are made of.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The format of a record.
pub const FORMAT: u32 = 1;
/// Seconds of the longest month, and of an hour that the clocks are set back.
pub const MOST_SECONDS: u64 = 31 * 86_400 + 3600;

/// One month of one gateway, in the civil time of `[school] timezone`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonthRecord {
    /// [`FORMAT`].
    pub format: u32,
    /// The month, as `2026-11`.
    pub month: String,
    /// The school, as the config had it last.
    pub school: RecordedSchool,
    /// Queries received.
    pub queries: u64,
    /// Of them, those that came while no clock could be trusted: the month is that of the boot's
    /// first trusted time.
    pub queries_without_clock: u64,
    /// What policy did, by the name of a group of the config.
    pub groups: BTreeMap<String, GroupMonth>,
    /// Days of the month on which a query came.
    pub active_days: BTreeSet<u8>,
    /// Seconds by what held then.
    pub enforcement: EnforcementSeconds,
    /// Times without enforcement, the longest kept where there are too many to keep.
    pub gaps: Vec<Gap>,
    /// Releases of the department, by the civil second of their first use in the month.
    pub releases: Vec<UsedRelease>,
    /// Requests to open a name, and what became of them.
    pub reviews: ReviewCounts,
    /// Orders of an authority that were carried out: seconds from signing to use, where known.
    pub orders: OrderCounts,
    /// The gateway's own tests.
    pub self_test: SelfTestMonth,
    /// Blocked queries that a list named, by source; `protected` for all protected ones.
    pub sources: BTreeMap<String, u64>,
    /// BLAKE3 of the config in force last, in hexadecimal.
    pub config_digest: String,
    /// The version of the program that wrote last.
    pub version: String,
    /// True where an earlier record of the month could not be read: this one began after it.
    #[serde(default)]
    pub began_anew: bool,
    /// The last write, by which the next life knows how long there was none.
    #[serde(default)]
    pub written: LastWrite,
}

/// The last write of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastWrite {
    /// Its number: a later write has a higher one, whatever the clock said.
    pub number: u64,
    /// Its civil second.
    pub at: u64,
    /// The boot of the kernel, as `/proc/sys/kernel/random/boot_id` names it.
    pub boot: String,
    /// True where the program ended after it, as it was told to.
    pub clean: bool,
    /// The number of the last counts without a clock that are in the records.
    pub held: u64,
    /// The version of the emergency list that was seen last.
    pub emergency: u64,
}

/// The school of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedSchool {
    /// `[school] id`.
    pub id: String,
    /// `[school] name`.
    pub name: String,
    /// `[school] level`; empty where none is given.
    pub level: String,
    /// `[school] timezone`.
    pub timezone: String,
    /// The box, as it was enrolled; empty where it was not.
    #[serde(rename = "box")]
    pub unit: String,
}

/// One group's month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupMonth {
    /// The level of the group; empty where none is given.
    pub level: String,
    /// Counts by category id; `protected` for every protected category, `none` for names without one.
    pub categories: BTreeMap<String, CategoryCounts>,
}

/// What policy did with a category.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryCounts {
    /// Queries answered as blocked.
    pub blocked: u64,
    /// The same, where one group and one registrable domain count once in 60 s.
    pub merged: u64,
    /// Queries let through and counted.
    pub observed: u64,
}

/// Why nothing, or not all, was enforced: a closed set, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapCause {
    /// No server answered: nothing passed, and nothing was resolved.
    Uplink,
    /// The machine was without power, or shut down.
    Power,
    /// Somebody stopped the service.
    Stopped,
    /// The program ended by itself.
    Program,
    /// The clock was not trusted, and something depends on it.
    Clock,
    /// The config cannot be used.
    Config,
    /// Lists are missing, or older than they may be.
    Lists,
}

/// Seconds of a month by what held then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnforcementSeconds {
    /// All that the config blocks was blocked.
    pub enforced: u64,
    /// Seconds of gaps, by cause.
    pub gaps: BTreeMap<GapCause, u64>,
}

/// A time without enforcement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The first civil second.
    pub from: u64,
    /// The civil second after the last.
    pub to: u64,
    /// Its cause.
    pub cause: GapCause,
}

/// A release in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsedRelease {
    /// Its serial.
    pub release: u64,
    /// The civil second from which it was in use.
    pub from: u64,
}

/// Requests to open a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewCounts {
    /// Requests received.
    pub received: u64,
    /// Names that were allowed.
    pub accepted: u64,
}

/// Orders of an authority.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderCounts {
    /// Emergency lists that came into use.
    pub applied: u64,
    /// Seconds from the signing to the use of each, where the clock was synchronised.
    pub seconds: Vec<u64>,
}

/// A month of self-tests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfTestMonth {
    /// Tests that ran.
    pub runs: u64,
    /// Tests of which a row failed.
    pub failed: u64,
    /// What was asked, by the id of the row without its listener.
    pub rows: BTreeMap<String, RowCounts>,
}

/// One row of the self-test over a month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCounts {
    /// Questions that were asked.
    pub asked: u64,
    /// Answers that were as they must be.
    pub passed: u64,
}
