//! The change ledger: one JSON object a line, for every change that a person made.
//!
//! A file in the state directory, appended to and flushed to the disk with each line. It names the
//! person that acted and what they allowed; law: it must never have a client or a name that one
//! looked up. At [`MAX_OCTETS`] it is renamed, over the one that was renamed before: the last tens
//! of thousands of changes can be read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use serde::Serialize;

use crate::sys::state_dir::StateDir;

/// The file.
const FILE: &str = "ledger.jsonl";
/// Its name after it was full.
const OLD: &str = "ledger.old.jsonl";
/// The most octets of one file: some tens of thousands of changes.
const MAX_OCTETS: u64 = 4 << 20;

/// One change.
#[derive(Debug, Serialize)]
pub(super) struct LedgerEntry<'a, T> {
    /// The moment, in civil seconds.
    pub at: u64,
    /// The same in RFC 3339, UTC.
    pub time: String,
    /// `begin`, `end` or `expire`.
    pub action: &'static str,
    /// The name that the person gave; `by` in `what` is the person that set the override.
    pub who: &'a str,
    /// The changed override.
    #[serde(flatten)]
    pub what: &'a T,
}

/// Appends a line.
///
/// # Errors
///
/// The error of the system; the change has happened all the same.
pub(super) fn write<T: Serialize>(state: &StateDir, change: &LedgerEntry<'_, T>) -> io::Result<()> {
    let path = state.join(FILE);
    if fs::metadata(&path).is_ok_and(|file| file.len() >= MAX_OCTETS) {
        fs::rename(&path, state.join(OLD))?;
    }
    let mut line = serde_json::to_vec(change)?;
    line.push(b'\n');
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(&line)?;
    file.sync_all()
}
