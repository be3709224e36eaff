//! The files of the change ledger: a month each, until they are older than they must be.
//!
//! Laws:
//!
//! - Files are in the order of their lines, whatever the clock said: the name of one is never before
//!   that of an older one. Months are those of UTC, as the times in the lines.
//! - A file goes whole, and only by [`tidy`]: because it is old, or because all do not fit. The second
//!   is told.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::sys::clock::is_possible;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The file that is appended to.
pub(super) const FILE: &str = "ledger.jsonl";
/// What earlier versions renamed it to when it was full.
const OLD: &str = "ledger.old.jsonl";
/// The name of a file of a month is between these: `2026-11`, or `2026-11.2` for another one of it.
const NAME: (&str, &str) = ("ledger-", ".jsonl");
/// The most octets of one file: some tens of thousands of changes. A month with more has several.
const MAX_OCTETS: u64 = 4 << 20;
/// The most octets of one file that are read: a line may come to a full one.
pub(super) const MOST_READ: u64 = 2 * MAX_OCTETS;
/// The octets at the start of a file in which its first line is looked for.
const HEAD: u64 = 64 << 10;

/// A month of UTC, in months since the year 0.
type Month = i64;

/// A file of a month.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct OldFile {
    month: Month,
    number: u32,
    name: String,
    octets: u64,
}

/// The time of a line.
#[derive(Debug, Deserialize)]
struct Dated {
    at: u64,
}

fn month_of(civil: u64) -> Option<Month> {
    let at = jiff::Timestamp::from_second(i64::try_from(civil).ok()?).ok()?;
    let date = jiff::tz::TimeZone::UTC.to_datetime(at).date();
    Some(Month::from(date.year()) * 12 + Month::from(date.month()) - 1)
}

/// Parses the name of a file of a month.
fn parse(name: &str) -> Option<(Month, u32)> {
    let dated = name.strip_prefix(NAME.0)?.strip_suffix(NAME.1)?;
    let (month, number) = dated.split_once('.').map_or((dated, Some(1)), |(month, number)| {
        (month, number.parse::<u32>().ok().filter(|one| number == one.to_string()))
    });
    let (year, month) = month.split_once('-')?;
    let is_digits = |part: &str, len| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(year, 4) || !is_digits(month, 2) {
        return None;
    }
    let (year, month): (Month, Month) = (year.parse().ok()?, month.parse().ok()?);
    (1..=12).contains(&month).then_some((year * 12 + month - 1, number?))
}

fn name(month: Month, number: u32) -> String {
    let dated = format!("{}{:04}-{:02}", NAME.0, month / 12, month % 12 + 1);
    if number == 1 { dated + NAME.1 } else { format!("{dated}.{number}{}", NAME.1) }
}

/// The files of months, the oldest first; none where the directory cannot be read.
fn old(state: &Path) -> Vec<OldFile> {
    months(state).unwrap_or_default()
}

/// The files of months, the oldest first.
fn months(state: &Path) -> io::Result<Vec<OldFile>> {
    let found = read::directory_if_any(state)?;
    let file = |(path, of): (PathBuf, fs::Metadata)| {
        let name = path.file_name()?.to_str()?.to_owned();
        let (month, number) = parse(&name)?;
        of.is_file().then_some(OldFile { month, number, name, octets: of.len() })
    };
    let mut files: Vec<_> = found.into_iter().filter_map(file).collect();
    files.sort_unstable();
    Ok(files)
}

/// The names of all files of a state directory, the oldest first; those that can be seen.
pub fn names(state: &Path) -> Vec<String> {
    let is_there = |name: &&str| {
        read::within(&state.join(name), |path| fs::symlink_metadata(path).map(drop)).is_ok()
    };
    let before = std::iter::once(OLD).filter(is_there).map(str::to_owned);
    let months = old(state).into_iter().map(|file| file.name);
    let newest = std::iter::once(FILE).filter(is_there).map(str::to_owned);
    before.chain(months).chain(newest).collect()
}

/// Whether a file of that name in a state directory is one of the ledger's.
pub fn is_name(name: &str) -> bool {
    order(name).is_some()
}

/// The place of a file among those of the ledger, by its name; none for another file.
pub fn order(name: &str) -> Option<(i64, u32)> {
    match name {
        OLD => Some((Month::MIN, 0)),
        FILE => Some((Month::MAX, 0)),
        month => parse(month),
    }
}

/// The same as paths.
pub(super) fn files(state: &Path) -> Vec<PathBuf> {
    names(state).iter().map(|name| state.join(name)).collect()
}

/// The names of all files that may be in a state directory, the oldest first: one that is not there is found out by
/// reading it, and so is the directory.
///
/// # Errors
///
/// That the directory cannot be read.
pub fn all_names(state: &Path) -> io::Result<Vec<String>> {
    let names = months(state)?.into_iter().map(|file| file.name);
    Ok([OLD.to_owned()].into_iter().chain(names).chain([FILE.to_owned()]).collect())
}

/// The octets of a file.
pub(super) fn lines_of(path: &Path) -> io::Result<Vec<u8>> {
    read::octets(path, MOST_READ)
}

/// Whether the file is over, before a line of `at`: it is of an earlier month, or full.
pub(super) fn is_over(path: &Path, at: u64) -> bool {
    let Ok(found) = fs::symlink_metadata(path) else { return false };
    if !found.is_file() || found.len() == 0 {
        return false;
    }
    if found.len() >= MAX_OCTETS {
        return true;
    }
    let mut head = Vec::new();
    let read = read::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    let first = head.split(|octet| *octet == b'\n').find_map(time_of);
    // A clock that is wrong ends no month.
    read.is_ok() && is_possible(at) && first.and_then(month_of) < month_of(at)
}

fn time_of(line: &[u8]) -> Option<u64> {
    serde_json::from_slice(line).ok().map(|Dated { at }| at)
}

/// Gives the file the name of its month, so that the next line begins another one.
pub(super) fn rotate(state: &StateDir) -> io::Result<()> {
    take_over(state)?;
    rename(state, FILE)
}

/// Gives the file of an earlier version the name of its month.
fn take_over(state: &StateDir) -> io::Result<()> {
    if fs::symlink_metadata(state.join(OLD)).is_err() || !old(state.path()).is_empty() {
        return Ok(());
    }
    rename(state, OLD)
}

fn rename(state: &StateDir, from: &str) -> io::Result<()> {
    let path = state.join(from);
    let octets = lines_of(&path).unwrap_or_default();
    let times = octets.split(|octet| *octet == b'\n').filter_map(time_of);
    let newest = times.filter(|at| is_possible(*at)).max().and_then(month_of);
    // Nothing in it is dated: the day of its last line is that of the file.
    let modified = || {
        let at = fs::metadata(&path).ok()?.modified().ok()?;
        month_of(at.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs())
    };
    let month = newest.or_else(modified).unwrap_or(0);
    let last = old(state.path()).pop().map(|last| (last.month, last.number));
    let (month, number) = match last {
        Some((last, number)) if last >= month => (last, number + 1),
        _ => (month, 1),
    };
    fs::rename(&path, state.join(name(month, number)))?;
    File::open(state.path())?.sync_all()
}

/// Removes files of months that are older than so many months at a civil second, then the oldest until
/// all fit `most` octets; how many of these. The newest stays.
pub fn tidy(state: &StateDir, age: Option<(u64, usize)>, most: u64) -> usize {
    if let Err(error) = take_over(state) {
        tracing::warn!(%error, "{OLD} cannot be renamed");
    }
    let mut left = old(state.path());
    let remove = |file: &OldFile| {
        let _ = fs::remove_file(state.join(&file.name));
    };
    let now =
        age.and_then(|(civil, months)| Some((month_of(civil)?, Month::try_from(months).ok()?)));
    if let Some((now, months)) = now {
        left.retain(|file| {
            let stays = file.month >= now - months;
            if !stays {
                remove(file);
            }
            stays
        });
    }
    let newest = fs::metadata(state.join(FILE)).map_or(0, |of| of.len());
    let mut octets = newest + left.iter().map(|file| file.octets).sum::<u64>();
    let mut cut = 0;
    for file in &left {
        if octets <= most {
            break;
        }
        remove(file);
        octets = octets.saturating_sub(file.octets);
        cut += 1;
    }
    cut
}
