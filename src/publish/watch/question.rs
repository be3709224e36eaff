//! What Prometheus is asked: one value a gateway, by the labels `school` and `instance`.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::metrics::labels::UpdateRefusal;

/// Reasons that speak against a release itself, and not against its way to the gateway.
const FAULTS: [UpdateRefusal; 5] = [
    UpdateRefusal::Digest,
    UpdateRefusal::Policy,
    UpdateRefusal::Rehearsal,
    UpdateRefusal::SelfTest,
    UpdateRefusal::Died,
];
/// The shortest time that is looked at, in seconds: two polls of a gateway by Prometheus and more.
const LEAST: u64 = 600;
/// A day.
const DAY: u64 = 86_400;
/// The longest time that is looked at; Prometheus of Debian keeps 15 days.
const MOST: u64 = 10 * DAY;
/// The least answers of an hour that have a share.
const ANSWERS: u64 = 100;

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchQuestion {
    /// The release that a gateway said last.
    Release,
    /// The same, of the last ten minutes.
    Heard,
    /// Refusals of a release since the rollout began.
    Refused,
    /// The same in the day before.
    RefusedBefore,
    /// Gateways with a program that the rollout chooses: 1; 2 where they refused one, or went back.
    Program,
    /// The share of blocked answers in the last hour.
    Blocked,
    /// The same a week ago.
    BlockedBefore,
}

impl WatchQuestion {
    /// All of them, those that matter most first.
    pub const ALL: [Self; 7] = [
        Self::Release,
        Self::Refused,
        Self::RefusedBefore,
        Self::Program,
        Self::Heard,
        Self::Blocked,
        Self::BlockedBefore,
    ];

    /// Its text, where the rollout began `age` seconds ago and chooses these `programs`.
    pub fn text(self, age: u64, programs: &BTreeSet<&str>) -> String {
        let age = age.clamp(LEAST, MOST);
        let last = |seconds: u64| {
            by_gateway("max", &format!("last_over_time(lachan_release[{seconds}s])"))
        };
        let faults = FAULTS.map(UpdateRefusal::id).join("|");
        let refused = |range: &str| {
            let counter = format!("lachan_update_rejected_total{{reason=~\"{faults}\"}}");
            by_gateway("sum", &format!("increase({counter}{range})"))
        };
        match self {
            Self::Release => last(age.min(DAY)),
            Self::Heard => last(LEAST),
            Self::Refused => refused(&format!("[{age}s]")),
            Self::RefusedBefore => refused(&format!("[{DAY}s] offset {age}s")),
            Self::Program => program(programs),
            Self::Blocked => blocked(""),
            Self::BlockedBefore => blocked(" offset 1w"),
        }
    }
}

fn by_gateway(operation: &str, of: &str) -> String {
    format!("{operation} by (school, instance) ({of})")
}

/// Versions are told by label, so that a refusal of another version is none of these.
fn program(versions: &BTreeSet<&str>) -> String {
    let versions: Vec<String> = versions.iter().map(|one| one.replace('.', "[.]")).collect();
    let versions = versions.join("|");
    let last = |family: &str| {
        format!("last_over_time(lachan_program_{family}_info{{version=~\"{versions}\"}}[{LEAST}s])")
    };
    let (refused, installed) = (last("refused"), last("installed"));
    by_gateway("max", &format!("2 * {refused} or {installed}"))
}

/// As `instance:lachan_blocked:ratio_rate1h` of `deploy/prometheus`, which need not be installed.
fn blocked(offset: &str) -> String {
    let sum = |matcher: &str| {
        by_gateway("sum", &format!("increase(lachan_responses_total{matcher}[1h]{offset})"))
    };
    format!("{} / ({} > {ANSWERS})", sum("{source=\"blocked\"}"), sum(""))
}
