//! The files of records: read within bounds, replaced whole, set aside where they are damaged.
//!
//! ```text
//! STATE/evidence/2026-11.json   the record of a month
//! STATE/evidence/held.json      counts that wait for a clock
//! STATE/evidence/….broken       what could not be read
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tracing::{error, warn};

use crate::evidence::month::LocalMonth;
use crate::evidence::record::{FORMAT, MOST_SECONDS, MonthRecord};
use crate::evidence::tally::EvidenceTally;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The directory of records, in the state directory.
pub const DIRECTORY: &str = "evidence";
/// What follows the month in the name of a record.
const SUFFIX: &str = ".json";
/// The file of counts that wait for a clock.
const HELD: &str = "held.json";
/// The most octets of one file.
const MAX_FILE: u64 = 1 << 20;
/// The most records that are read: more than eleven years.
const MAX_RECORDS: usize = 150;

/// Counts that wait for a clock.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeldFile {
    /// The number of the file: a record says up to which its counts are in.
    pub number: u64,
    /// Seconds that passed without a place.
    pub seconds: u64,
    /// Queries of the counts that came while no clock could be trusted.
    pub without_clock: u64,
    /// The counts.
    pub counts: EvidenceTally,
}

/// The months that a directory has records of, in order, with the octets of each.
fn listed(directory: &Path) -> Vec<(LocalMonth, u64)> {
    let found = read::directory(directory).unwrap_or_default();
    let month = |path: &Path| month_of(path.file_name()?.to_str()?);
    let mut months: Vec<_> =
        found.iter().filter_map(|(path, of)| Some((month(path)?, of.len()))).collect();
    months.sort_unstable();
    months
}

/// The month of a record of that name.
fn month_of(name: &str) -> Option<LocalMonth> {
    name.strip_suffix(SUFFIX)?.parse().ok()
}

fn name(month: LocalMonth) -> String {
    format!("{month}{SUFFIX}")
}

/// A record; `None` where there is none.
fn read_record(directory: &Path, month: LocalMonth) -> io::Result<Option<MonthRecord>> {
    let octets = match read::octets(&directory.join(name(month)), MAX_FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let record: MonthRecord = serde_json::from_slice(&octets)?;
    if record.format != FORMAT || record.month != month.to_string() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "of another format or month"));
    }
    match impossible(&record) {
        None => Ok(Some(record)),
        Some(why) => Err(io::Error::new(io::ErrorKind::InvalidData, why)),
    }
}

/// Why no gateway can have written a record.
fn impossible(record: &MonthRecord) -> Option<&'static str> {
    let of = &record.enforcement;
    let seconds = of.gaps.values().try_fold(of.enforced, |sum, more| sum.checked_add(*more));
    if seconds.is_none_or(|seconds| seconds > MOST_SECONDS) {
        return Some("it has more seconds than a month");
    }
    record.gaps.iter().any(|gap| gap.to < gap.from).then_some("a gap ends before it begins")
}

/// The records that a state directory has, in the order of their months; the newest where there are
/// too many. One that cannot be read is left out, and logged.
pub fn records(state: &Path) -> Vec<MonthRecord> {
    let directory = state.join(DIRECTORY);
    let months = listed(&directory);
    let newest = months.iter().skip(months.len().saturating_sub(MAX_RECORDS));
    let read = newest.filter_map(|(month, _)| match read_record(&directory, *month) {
        Ok(record) => record,
        Err(fault) => {
            warn!(%fault, "the record of {month} cannot be read");
            None
        }
    });
    read.collect()
}

/// The record of one month; none where there is none, or it cannot be read, which is logged.
pub fn record(state: &Path, month: LocalMonth) -> Option<MonthRecord> {
    read_record(&state.join(DIRECTORY), month).unwrap_or_else(|fault| {
        warn!(%fault, "the record of {month} cannot be read");
        None
    })
}

/// The names of the files of a state directory that have evidence.
pub fn names(state: &Path) -> Vec<String> {
    let directory = state.join(DIRECTORY);
    let held = directory.join(HELD).exists().then(|| format!("{DIRECTORY}/{HELD}"));
    let months = listed(&directory).into_iter();
    months.map(|(month, _)| format!("{DIRECTORY}/{}", name(month))).chain(held).collect()
}

/// Whether a file at that place below a state directory is one of [`names`].
pub fn is_name(place: &str) -> bool {
    let name = place.strip_prefix(DIRECTORY).and_then(|rest| rest.strip_prefix('/'));
    name.is_some_and(|name| name == HELD || month_of(name).is_some())
}

/// The directory of records that the gateway writes.
#[derive(Debug)]
pub(super) struct RecordFiles(StateDir);

impl RecordFiles {
    pub(super) fn new(state: &StateDir) -> io::Result<Self> {
        state.subdirectory(DIRECTORY).map(Self).map_err(io::Error::other)
    }

    /// The record that was written last, and the months of those that could not be read: they are set
    /// aside.
    pub(super) fn newest(&self) -> (Option<MonthRecord>, BTreeSet<LocalMonth>) {
        self.0.sweep_unfinished();
        let months = listed(self.0.path());
        let (mut newest, mut damaged) = (None::<MonthRecord>, BTreeSet::new());
        for (month, _) in months.iter().skip(months.len().saturating_sub(MAX_RECORDS)) {
            let (record, was_set_aside) = self.record(*month);
            damaged.extend(was_set_aside.then_some(*month));
            let Some(record) = record else { continue };
            // Of two months of one write the later one.
            if newest.as_ref().is_none_or(|newest| record.written.number >= newest.written.number) {
                newest = Some(record);
            }
        }
        (newest, damaged)
    }

    /// The record of a month; true where there was one that could not be read, and is set aside.
    pub(super) fn record(&self, month: LocalMonth) -> (Option<MonthRecord>, bool) {
        match read_record(self.0.path(), month) {
            Ok(record) => (record, false),
            Err(fault) => {
                error!(%fault, "the record of {month} cannot be read: it is set aside");
                self.set_aside(&name(month));
                (None, true)
            }
        }
    }

    /// As [`RecordFiles::record`], for a school: the record of another one is set aside, too.
    pub(super) fn record_of(&self, month: LocalMonth, school: &str) -> (Option<MonthRecord>, bool) {
        let (record, was_damaged) = self.record(month);
        let Some(other) = record.as_ref().map(|record| &record.school.id) else {
            return (record, was_damaged);
        };
        if other.is_empty() || school.is_empty() || other == school {
            return (record, was_damaged);
        }
        error!(other, "the record of {month} is another school's: it is set aside");
        self.set_aside(&name(month));
        (None, true)
    }

    /// Renames a file that cannot be read, over one that was set aside before.
    fn set_aside(&self, name: &str) {
        let renamed = fs::rename(self.0.join(name), self.0.join(format!("{name}.broken")));
        if let Err(error) = renamed {
            warn!(%error, "{name} cannot be set aside");
        }
    }

    pub(super) fn replace(&self, month: LocalMonth, record: &MonthRecord) -> io::Result<()> {
        self.0.replace(&name(month), &serde_json::to_vec(record)?)
    }

    /// The counts that wait; none where there are none, or `taken` are in the records.
    pub(super) fn held(&self, taken: u64) -> Option<HeldFile> {
        let path = self.0.join(HELD);
        let read = read::octets(&path, MAX_FILE);
        let read = read.and_then(|octets| Ok(serde_json::from_slice::<HeldFile>(&octets)?));
        match read {
            Ok(held) => Some(held).filter(|held| held.number > taken),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => None,
            Err(fault) => {
                error!(%fault, "{HELD} cannot be read: it is set aside");
                self.set_aside(HELD);
                None
            }
        }
    }

    pub(super) fn hold(&self, held: &HeldFile) -> io::Result<()> {
        self.0.replace(HELD, &serde_json::to_vec(held)?)
    }

    /// Removes the counts that are in the records now.
    pub(super) fn forget_held(&self) {
        let _ = fs::remove_file(self.0.join(HELD));
    }

    /// Removes records before `least`, then the oldest until all fit `most` octets; how many of these.
    pub(super) fn tidy(&self, least: Option<LocalMonth>, most: u64) -> usize {
        let mut left = listed(self.0.path());
        let remove = |month: LocalMonth| {
            let _ = fs::remove_file(self.0.join(name(month)));
        };
        if let Some(least) = least {
            left.retain(|(month, _)| {
                let stays = *month >= least;
                if !stays {
                    remove(*month);
                }
                stays
            });
        }
        let mut octets: u64 = left.iter().map(|(_, octets)| octets).sum();
        let mut cut = 0;
        // The newest stays, whatever it has.
        for (month, of) in left.iter().take(left.len().saturating_sub(1)) {
            if octets <= most {
                break;
            }
            remove(*month);
            octets -= of;
            cut += 1;
        }
        cut
    }
}
