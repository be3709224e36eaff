//! What Prometheus is asked for the first screen: a fixed list of expressions.
//!
//! Each is in `deploy/prometheus/tests/fleet.test.yml`, where promtool evaluates it. They need the
//! recording rules of `deploy/prometheus/objective.rules.yml`.

use serde::Serialize;

/// The longest time that is looked back for what was said last, in seconds: a month.
const LAST: u64 = 31 * 86_400;
/// The shortest month that is asked for: its first minutes have no rate.
const LEAST: u64 = 600;

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FleetQuestion {
    /// The gateways that are scraped: 1, or 0 where one does not answer.
    Up,
    /// Whether nothing passes that is to be blocked, with the reason.
    Protected,
    /// Whether an upstream server is up.
    Uplink,
    /// School seconds of this month, by what held.
    Enforced,
    /// School seconds since a silent gateway was heard of.
    Silent,
    /// The second in which a gateway was last heard of.
    Seen,
    /// The second in which it was last known to be protected.
    LastProtected,
    /// The second in which it was last not known to be protected.
    LastUnprotected,
    /// The release in force.
    Release,
    /// The version of the program.
    Version,
    /// Blocked queries of the last day, by category.
    Blocked,
    /// Upstream servers: the share of gateways that find each up.
    Upstream,
    /// The share of questions of the last hour that each failed.
    UpstreamErrors,
}

impl FleetQuestion {
    /// All of them, those that matter most first.
    pub const ALL: [Self; 13] = [
        Self::Up,
        Self::Protected,
        Self::Uplink,
        Self::Enforced,
        Self::Silent,
        Self::Seen,
        Self::LastProtected,
        Self::LastUnprotected,
        Self::Release,
        Self::Version,
        Self::Blocked,
        Self::Upstream,
        Self::UpstreamErrors,
    ];

    /// Its text, where the month is `age` seconds old.
    pub fn text(self, age: u64) -> String {
        let month = age.clamp(LEAST, LAST);
        let last =
            |series: &str| format!("max by (school, instance) (last_over_time({series}[{LAST}s]))");
        match self {
            Self::Up => r#"max by (school, instance) (up{job="lachan"})"#.into(),
            Self::Protected => "min by (school, instance, reason) (lachan_protected)".into(),
            Self::Uplink => "max by (school, instance) (lachan_upstream_up)".into(),
            Self::Enforced => format!(
                "sum by (school, instance, state) (increase(lachan_enforcement_seconds_total[{month}s]))"
            ),
            Self::Silent => last("instance:lachan_silent_seconds:run"),
            Self::Seen => last("instance:lachan_seen:timestamp"),
            Self::LastProtected => last("instance:lachan_protected:timestamp"),
            Self::LastUnprotected => last("instance:lachan_unprotected:timestamp"),
            Self::Release => last("lachan_release"),
            Self::Version => "count by (school, instance, version) (lachan_build_info)".into(),
            Self::Blocked => "sum by (category) (increase(lachan_blocked_total[1d]))".into(),
            Self::Upstream => "avg by (upstream) (lachan_upstream_up)".into(),
            Self::UpstreamErrors => {
                "sum by (upstream) (increase(lachan_upstream_errors_total[1h])) \
                 / (sum by (upstream) (increase(lachan_upstream_queries_total[1h])) > 0)"
                    .into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_evaluated_by_promtool() {
        let tests = include_str!("../../deploy/prometheus/tests/fleet.test.yml");
        for question in FleetQuestion::ALL {
            let line = format!("- expr: '{}'\n", question.text(7200));
            assert!(tests.contains(&line), "{line}");
        }
    }

    #[test]
    fn questions_name_metrics_that_there_are() {
        let reference = include_str!("../../docs/reference/metrics.md");
        let rules = include_str!("../../deploy/prometheus/objective.rules.yml");
        for question in FleetQuestion::ALL {
            for age in [0, 1, 86_400, u64::MAX] {
                let text = question.text(age);
                let is_name = |one: char| one.is_ascii_alphanumeric() || "_:".contains(one);
                let names = text.split(|one| !is_name(one)).filter(|one| one.contains("lachan_"));
                for name in names {
                    let is_exported = reference.contains(&format!("| `{name}` |"));
                    let is_recorded = rules.contains(&format!("- record: {name}\n"));
                    assert!(is_exported || is_recorded, "{name}");
                }
            }
        }
    }
}
