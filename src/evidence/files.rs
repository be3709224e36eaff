//! The files of records: read within bounds, replaced whole, set aside where they are damaged, left alone where they
//! cannot be read.
//!
//! ```text
//! STATE/evidence/2026-11.json   the record of a month
//! STATE/evidence/held.json      counts that wait for a clock
//! STATE/evidence/….broken       what was read, and is none
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
use crate::sys::state_dir::kept_file::{KeptFile, Unread};
use crate::sys::state_dir::{StateDir, StateError};

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

/// The months that a directory has records of, in order, with the octets of each; none where there is no directory.
fn listed(directory: &Path) -> io::Result<Vec<(LocalMonth, u64)>> {
    let found = read::directory_if_any(directory)?;
    let month = |path: &Path| month_of(path.file_name()?.to_str()?);
    let mut months: Vec<_> =
        found.iter().filter_map(|(path, of)| Some((month(path)?, of.len()))).collect();
    months.sort_unstable();
    Ok(months)
}

/// The same; none where they cannot be read, which is logged.
fn listed_or_warn(directory: &Path) -> Vec<(LocalMonth, u64)> {
    listed(directory).unwrap_or_else(|fault| {
        warn!(%fault, "{}: the records cannot be read", directory.display());
        Vec::new()
    })
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
    let months = listed_or_warn(&directory);
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
    readable_record(state, month).unwrap_or_else(|fault| {
        warn!("{fault}");
        None
    })
}

/// The record of one month; none where there is none, or it is bad, which is logged.
///
/// # Errors
///
/// That it cannot be read now, with its path.
pub fn readable_record(state: &Path, month: LocalMonth) -> io::Result<Option<MonthRecord>> {
    let directory = state.join(DIRECTORY);
    let path = directory.join(name(month));
    match read_record(&directory, month) {
        Err(fault) if is_of_content(&fault) => {
            warn!(%fault, "{}: it is no record of a month", path.display());
            Ok(None)
        }
        read => read.map_err(|fault| {
            io::Error::new(
                fault.kind(),
                format!("{}: it cannot be read now: {fault}", path.display()),
            )
        }),
    }
}

/// The names of the files that a state directory may have evidence in: one that is not there is found out by
/// reading it.
///
/// # Errors
///
/// That the directory cannot be read.
pub fn all_names(state: &Path) -> io::Result<Vec<String>> {
    let months = listed(&state.join(DIRECTORY))?.into_iter().map(|(month, _)| name(month));
    Ok(months.chain([HELD.to_owned()]).map(|name| format!("{DIRECTORY}/{name}")).collect())
}

/// Whether a file at that place below a state directory is one of [`all_names`].
pub fn is_name(place: &str) -> bool {
    let name = place.strip_prefix(DIRECTORY).and_then(|rest| rest.strip_prefix('/'));
    name.is_some_and(|name| name == HELD || month_of(name).is_some())
}

/// Whether an error says that what was read is no record: its file is bad. Of any other nothing is known.
fn is_of_content(fault: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, InvalidData, UnexpectedEof};
    matches!(fault.kind(), FileTooLarge | InvalidData | UnexpectedEof)
}

/// What the records say of the life that wrote them.
#[derive(Debug, Default)]
pub(super) struct NewestRecord {
    /// The record that was written last.
    pub(super) record: Option<MonthRecord>,
    /// The months of those that were damaged: they are set aside.
    pub(super) damaged: BTreeSet<LocalMonth>,
    /// Those that cannot be read now: the last one may be among them.
    pub(super) unread: Vec<Unread>,
}

/// The directory of records that the gateway writes.
#[derive(Debug)]
pub(super) struct RecordFiles(StateDir);

impl RecordFiles {
    /// Opens the directory, and makes it where there is none.
    pub(super) fn open(state: &StateDir) -> io::Result<Self> {
        state.subdirectory(DIRECTORY).map(Self).map_err(StateError::cause)
    }

    /// The record that was written last.
    pub(super) fn newest(&self) -> NewestRecord {
        self.0.sweep_unfinished();
        let mut found = NewestRecord::default();
        let months = listed(self.0.path()).unwrap_or_else(|fault| {
            found.unread.push(Unread::of_directory(self.0.path(), &fault));
            Vec::new()
        });
        for (month, _) in months.iter().skip(months.len().saturating_sub(MAX_RECORDS)) {
            let record = match self.record(*month) {
                KeptFile::Good(record) => record,
                KeptFile::Absent => continue,
                KeptFile::Bad(_) => {
                    found.damaged.insert(*month);
                    continue;
                }
                KeptFile::Unread(file) => {
                    found.unread.push(file);
                    continue;
                }
            };
            // Of two months of one write the later one.
            let is_newer = |newest: &MonthRecord| record.written.number >= newest.written.number;
            if found.record.as_ref().is_none_or(is_newer) {
                found.record = Some(record);
            }
        }
        found
    }

    /// The record of a month; one that is bad is set aside.
    pub(super) fn record(&self, month: LocalMonth) -> KeptFile<MonthRecord> {
        match read_record(self.0.path(), month) {
            Ok(None) => KeptFile::Absent,
            Ok(Some(record)) => KeptFile::Good(record),
            Err(fault) => self.faulty(&name(month), &fault),
        }
    }

    /// As [`RecordFiles::record`], for a school: the record of another one is set aside, too.
    pub(super) fn record_of(&self, month: LocalMonth, school: &str) -> KeptFile<MonthRecord> {
        let record = match self.record(month) {
            KeptFile::Good(record) => record,
            other => return other,
        };
        let other = &record.school.id;
        if other.is_empty() || school.is_empty() || other == school {
            return KeptFile::Good(record);
        }
        let why = format!("it is of another school, {other}");
        self.faulty(&name(month), &io::Error::new(io::ErrorKind::InvalidData, why))
    }

    /// What a file is that gave an error. A bad one is set aside; where that fails nothing is written over it.
    fn faulty<T>(&self, name: &str, fault: &io::Error) -> KeptFile<T> {
        let path = self.0.join(name);
        if !is_of_content(fault) {
            return KeptFile::Unread(Unread::of(&path, MAX_FILE, fault));
        }
        error!(%fault, "{name} is bad");
        match self.0.set_aside(name) {
            Ok(()) => KeptFile::Bad(fault.to_string()),
            Err(error) => KeptFile::Unread(Unread::of(&path, MAX_FILE, &error)),
        }
    }

    pub(super) fn replace(&self, month: LocalMonth, record: &MonthRecord) -> io::Result<()> {
        self.0.replace(&name(month), &serde_json::to_vec(record)?)
    }

    /// The counts that wait; one that is bad is set aside.
    pub(super) fn held(&self) -> KeptFile<HeldFile> {
        let read = read::octets(&self.0.join(HELD), MAX_FILE);
        match read.and_then(|octets| Ok(serde_json::from_slice::<HeldFile>(&octets)?)) {
            Ok(held) => KeptFile::Good(held),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => KeptFile::Absent,
            Err(fault) => self.faulty(HELD, &fault),
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
        let mut left = listed_or_warn(self.0.path());
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
