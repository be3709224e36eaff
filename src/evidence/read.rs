//! Records of months, as a report reads them: within bounds, and what is damaged by name.

use std::io;
use std::path::{Path, PathBuf};

use crate::evidence::record::{FORMAT, MonthRecord};
use crate::sys::read;

/// Where records are, in the state directory.
const DIRECTORY: &str = "evidence";
/// The most octets of a record.
const MAX_OCTETS: u64 = 1 << 20;

/// The records of these months, as `2026-11`; and files that cannot be used, with the reason.
///
/// # Errors
///
/// There is no directory of records that can be read.
pub fn records(
    state: &Path,
    months: impl Iterator<Item = String>,
) -> io::Result<(Vec<MonthRecord>, Vec<(PathBuf, String)>)> {
    let directory = state.join(DIRECTORY);
    if !read::metadata(&directory)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let (mut records, mut damaged) = (Vec::new(), Vec::new());
    for month in months {
        let path = directory.join(format!("{month}.json"));
        let octets = match read::octets(&path, MAX_OCTETS) {
            Ok(octets) => octets,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                damaged.push((path, error.to_string()));
                continue;
            }
        };
        match serde_json::from_slice::<MonthRecord>(&octets) {
            Ok(record) if record.format != FORMAT => {
                damaged.push((path, format!("format {}", record.format)));
            }
            Ok(record) if record.month != month => {
                damaged.push((path, format!("month {}", record.month.escape_debug())));
            }
            Ok(record) => records.push(record),
            Err(error) => damaged.push((path, error.to_string())),
        }
    }
    Ok((records, damaged))
}
