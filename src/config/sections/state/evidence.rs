//! `[evidence]`: which minutes count, and how long records are kept.

use std::ops::Range;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::category::Level;
use crate::config::file::report::Report;
use crate::config::file::shape::EvidenceFile;
use crate::config::layers::schedule::Schedule;
use crate::config::sections::school::School;
use crate::lang::messages;
use crate::policy::GroupRules;

/// The minutes of a school.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchoolHours {
    /// Every minute: pupils live there.
    Always,
    /// Those of a schedule.
    During(Schedule),
}

impl SchoolHours {
    /// Its minutes inside `span`, in seconds since 1970, ascending and apart.
    pub fn windows(&self, zone: &TimeZone, span: &Range<u64>) -> Vec<Range<u64>> {
        if span.is_empty() {
            return Vec::new();
        }
        match self {
            Self::Always => vec![span.clone()],
            Self::During(schedule) => schedule.windows(zone, span),
        }
    }

    /// The minutes of a school that names none: Monday to Saturday from 6 to 18 o'clock.
    fn usual() -> Self {
        let days = [true, true, true, true, true, true, false];
        Self::During(Schedule::weekly_times("", days, (6 * 60, 18 * 60)))
    }
}

/// What is kept to show how a gateway did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceSettings {
    /// The minutes that count as enforced or not.
    pub hours: SchoolHours,
    /// The longest time for which counts are in memory alone.
    pub flush: Duration,
    /// Months for which records are kept.
    pub keep: usize,
    /// Months for which the change ledger is kept.
    pub ledger: usize,
    /// The most octets of the records, and of the ledger.
    pub max_size: u64,
}

impl Default for EvidenceSettings {
    fn default() -> Self {
        Self {
            hours: SchoolHours::usual(),
            flush: Duration::from_secs(600),
            keep: 24,
            ledger: 60,
            max_size: 16 << 20,
        }
    }
}

impl Report<'_> {
    /// Checks `[evidence]`. Where it names no hours, a school in which pupils live has all.
    pub(in crate::config) fn evidence(
        &mut self,
        file: &EvidenceFile,
        schedules: &[Schedule],
        (school, groups): (&School, &[GroupRules]),
    ) -> EvidenceSettings {
        let mut evidence = EvidenceSettings::default();
        let mut levels = groups.iter().map(|group| group.level).chain(school.level);
        if levels.any(|level| level == Level::Boarding) {
            evidence.hours = SchoolHours::Always;
        }
        match &file.hours {
            None => {}
            Some(given) if given.get_ref() == "always" => evidence.hours = SchoolHours::Always,
            Some(given) => {
                let named = schedules.iter().find(|one| one.name == *given.get_ref());
                if let Some(found) = named {
                    evidence.hours = SchoolHours::During(found.clone());
                } else {
                    let known = schedules.iter().map(|one| one.name.as_str()).chain(["always"]);
                    self.unknown(messages::schedule(), given, known);
                }
            }
        }
        let flush = Duration::from_secs(1)..=Duration::from_secs(600);
        self.duration("flush", file.flush.as_ref(), flush, &mut evidence.flush);
        self.number("keep", &file.keep, 24..=132, &mut evidence.keep);
        self.number("ledger", &file.ledger, 60..=132, &mut evidence.ledger);
        let sizes = (1 << 20)..=(1 << 30);
        self.size("max_size", file.max_size.as_ref(), sizes, &mut evidence.max_size);
        evidence
    }
}
