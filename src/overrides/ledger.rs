//! The change ledger: who changed what, and until when.
//!
//! A file of lines in the state directory, each one JSON object, only ever added to and
//! flushed to the disk with each line. It names who acted and what they allowed, never a
//! client or what one looked up. At [`MAX_OCTETS`] it is put aside, and the one that was put
//! aside before is gone: some tens of thousands of changes are kept.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use serde::Serialize;

use crate::sys::state_dir::StateDir;

/// The file.
const FILE: &str = "ledger.jsonl";
/// Where it is put aside.
const OLD: &str = "ledger.old.jsonl";
/// How long it gets, in octets.
const MAX_OCTETS: u64 = 4 << 20;

/// One change.
#[derive(Debug, Serialize)]
pub struct LedgerEntry<'a> {
    /// When, in civil seconds.
    pub at: u64,
    /// The same for people: RFC 3339, UTC.
    pub time: String,
    /// `begin`, `end` or `expire`.
    pub action: &'static str,
    /// Who did that, in their own words; whoever set the override is `by`.
    pub who: &'a str,
    /// What it is about.
    #[serde(flatten)]
    pub what: &'a crate::overrides::StoredOverride,
}

/// Adds a line.
///
/// # Errors
///
/// What the system said; the change has happened all the same.
pub fn write(state: &StateDir, change: &LedgerEntry<'_>) -> io::Result<()> {
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
