//! Time of the query, schedules and overrides that run then, and the next change.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::config::Config;
use crate::policy::group::time::Now;
use crate::policy::{ActiveRules, HashedName, Snapshot, Verdict};

/// Schedules and overrides at the time of the query.
#[derive(Debug, Serialize)]
pub(super) struct Times {
    /// The time, in the school's zone (RFC 3339).
    at: String,
    /// The schedules that run and that the group depends on.
    windows: Vec<String>,
    /// The overrides in effect, by number.
    overrides: Vec<u64>,
    /// The next change of the group's rules, for any name; absent where none is known.
    next_edge: Option<String>,
    /// The first edge behind which this name has another verdict.
    next_change: Option<Change>,
}

/// The verdict behind an edge.
#[derive(Debug, Serialize)]
struct Change {
    at: String,
    verdict: &'static str,
    layer: &'static str,
    category: Option<String>,
    /// The schedules that run from then on.
    windows: Vec<String>,
}

impl Times {
    /// The times of a query.
    pub(super) fn of(
        config: &Config,
        snapshot: &Snapshot,
        bound: ActiveRules<'_>,
        now: Now,
        (subject, qtype): (&HashedName<'_>, u16),
    ) -> Self {
        let zone = config.school.zone();
        let schedule = |place: &usize| config.schedules.get(*place).map(|one| one.name.clone());
        let decide = |bound| snapshot.decide(bound, subject, qtype);
        let verdict = decide(bound);
        let mut changes = bound.group.rules.changes(now);
        let next_edge = bound.group.rules.changes(now).next().map(|(edge, _)| shown(&zone, edge));
        let next_change = changes.find_map(|(edge, rules)| {
            let then = decide(ActiveRules { group: bound.group, rules });
            (then != verdict).then(|| {
                let (verdict, layer, category) = words(&then);
                let category = category.map(|c| config.taxonomy.category(c).id.clone());
                let windows = rules.schedules.iter().filter_map(schedule).collect();
                Change { at: shown(&zone, edge), verdict, layer, category, windows }
            })
        });
        Self {
            at: shown(&zone, now.civil),
            windows: bound.rules.schedules.iter().filter_map(schedule).collect(),
            overrides: bound.rules.overrides.clone(),
            next_edge,
            next_change,
        }
    }

    /// The times of a query that no edge changes.
    pub(super) fn without_change(self) -> Self {
        Self { next_change: None, ..self }
    }

    /// The lines for people.
    pub(super) fn text(&self) -> String {
        let running = self.windows.iter().cloned();
        let overrides = self.overrides.iter().map(|id| format!("override {id}"));
        let running: Vec<String> = running.chain(overrides).collect();
        let during = match running.as_slice() {
            [] => String::new(),
            all => format!(", during {}", all.join(", ")),
        };
        let mut out = format!("  time      {}{during}\n", self.at);
        if let Some(Change { at, verdict, layer, category, windows }) = &self.next_change {
            let category = category.as_ref().map_or(String::new(), |id| format!(" {id}"));
            let during = match windows.as_slice() {
                [] => String::new(),
                all => format!(", during {}", all.join(", ")),
            };
            let _ = writeln!(out, "  then      {at}: {verdict}{category} ({layer}){during}");
        } else if let Some(edge) = &self.next_edge {
            let _ = writeln!(out, "  then      {edge}: the same for this name");
        }
        out
    }
}

/// Verdict, layer and category, in the words of `why`.
pub(super) fn words(
    verdict: &Verdict,
) -> (&'static str, &'static str, Option<crate::category::CategoryId>) {
    match verdict {
        Verdict::Special(_) => ("local", "special-use", None),
        Verdict::Canary(_) => ("local", "canary", None),
        Verdict::Block(block) => ("block", block.layer.id(), block.category),
        Verdict::Pass(pass) => ("allow", pass.layer.id(), None),
        Verdict::Safe(..) => ("rewrite", "safesearch", None),
    }
}

/// A time in a zone (RFC 3339).
fn shown(zone: &TimeZone, civil: u64) -> String {
    let at = i64::try_from(civil).ok().and_then(|at| Timestamp::from_second(at).ok());
    at.map_or(String::new(), |at| at.display_with_offset(zone.to_offset(at)).to_string())
}

/// Reads a time: `2026-11-25T10:00`, `2026-11-25 10:00`, `10:00` (today) by the school's clock,
/// or with its offset, `2026-11-25T10:00:00+07:00`.
///
/// # Errors
///
/// What is allowed.
pub(super) fn read(text: &str, zone: &TimeZone, now: u64) -> Result<u64, String> {
    let wrong = || {
        format!(
            "`{text}` is no time; write 2026-11-25T10:00, 10:00 (today), or 2026-11-25T10:00:00+07:00"
        )
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return u64::try_from(at.as_second()).map_err(|_| wrong());
    }
    let today = || {
        let at = i64::try_from(now).ok().and_then(|at| Timestamp::from_second(at).ok());
        at.map(|at| zone.to_datetime(at).date())
    };
    let local = text
        .parse::<DateTime>()
        .ok()
        .or_else(|| Some(today()?.to_datetime(text.parse::<Time>().ok()?)))
        .or_else(|| Some(text.parse::<Date>().ok()?.to_datetime(Time::midnight())));
    let at = zone.to_ambiguous_timestamp(local.ok_or_else(wrong)?).compatible();
    at.ok().and_then(|at| u64::try_from(at.as_second()).ok()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_by_the_schools_clock() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let noon = 1_795_582_800; // 2026-11-25T12:00:00+07:00
        let read = |text| read(text, &zone, noon);
        for text in ["2026-11-25T12:00", "2026-11-25 12:00", "12:00", "2026-11-25T05:00:00Z"] {
            assert_eq!(read(text), Ok(noon), "{text}");
        }
        assert_eq!(shown(&zone, noon), "2026-11-25T12:00:00+07:00");
        assert!(read("tomorrow").is_err() && read("25:00").is_err());
    }
}
