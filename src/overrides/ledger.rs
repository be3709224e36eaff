//! The change ledger: one JSON object a line, for every change that a person made.
//!
//! A file in the state directory, appended to and flushed to the disk with each line. It names the
//! person that acted and what they allowed; law: it must never have a client or a name that one
//! looked up. At [`MAX_OCTETS`] it is renamed, over the one that was renamed before: the last tens
//! of thousands of changes can be read.
//!
//! It is also what the overrides are made of again where their own file is damaged.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use serde::{Deserialize, Serialize};

use crate::overrides::stored::StoredOverride;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The file.
const FILE: &str = "ledger.jsonl";
/// Its name after it was full.
const OLD: &str = "ledger.old.jsonl";
/// The most octets of one file: some tens of thousands of changes.
const MAX_OCTETS: u64 = 4 << 20;

/// One change.
#[derive(Debug, Serialize)]
pub struct LedgerEntry<'a, T> {
    /// The moment, in civil seconds.
    pub at: u64,
    /// The same in RFC 3339, UTC.
    pub time: String,
    /// `begin`, `end` or `expire` of an override; else what was done with a code or the PIN.
    pub action: &'static str,
    /// The name that the person gave; `by` in `what` is the person that set the override.
    pub who: &'a str,
    /// The changed override, or code.
    #[serde(flatten)]
    pub what: &'a T,
}

impl<'a, T> LedgerEntry<'a, T> {
    /// A change that a person makes at a moment.
    pub fn new(at: u64, action: &'static str, who: &'a str, what: &'a T) -> Self {
        let time = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
        let time = time.map_or(String::new(), |time| time.to_string());
        Self { at, time, action, who, what }
    }
}

/// Appends a line.
///
/// # Errors
///
/// The error of the system; the change has happened all the same.
pub fn write<T: Serialize>(state: &StateDir, change: &LedgerEntry<'_, T>) -> io::Result<()> {
    let path = state.join(FILE);
    if fs::symlink_metadata(&path).is_ok_and(|file| file.len() >= MAX_OCTETS) {
        fs::rename(&path, state.join(OLD))?;
    }
    let mut line = serde_json::to_vec(change)?;
    line.push(b'\n');
    // A link, or a FIFO, could lead the trail anywhere, or wait for ever.
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    let mut file = options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the ledger is no file"));
    }
    file.write_all(&line)?;
    file.sync_all()
}

/// A line of the ledger, as far as it is replayed.
#[derive(Debug, Deserialize)]
struct Replayed {
    action: String,
    #[serde(flatten)]
    what: StoredOverride,
}

/// The overrides that began and did not end, and the highest number that was given; `None` where
/// the ledger cannot be read. A line that was cut off is passed over.
pub(super) fn replay(state: &StateDir) -> Option<(Vec<StoredOverride>, u64)> {
    let read = |name: &str| read::octets(&state.join(name), 2 * MAX_OCTETS).ok();
    let (old, new) = (read(OLD), read(FILE)?);
    let (mut active, mut highest) = (Vec::<StoredOverride>::new(), 0);
    for line in old.iter().chain([&new]).flat_map(|octets| octets.split(|octet| *octet == b'\n')) {
        let Ok(Replayed { action, what }) = serde_json::from_slice::<Replayed>(line) else {
            continue;
        };
        highest = what.id.max(highest);
        active.retain(|one| one.id != what.id);
        if action == "begin" {
            active.push(what);
        }
    }
    Some((active, highest))
}

/// The most lines that are read of the ledger for people.
const MOST_LINES: usize = 200;

/// A line of the ledger, as people read it; what a kind of change does not have is empty.
#[derive(Debug, Clone, Deserialize)]
pub struct ChangeLine {
    /// The moment, in civil seconds.
    pub at: u64,
    /// What was done.
    pub action: String,
    /// The person.
    pub who: String,
    /// `lesson`, `exam` or another kind of override.
    #[serde(default)]
    pub kind: String,
    /// The group of an override.
    #[serde(default)]
    pub group: String,
    /// The room of a code.
    #[serde(default)]
    pub room: String,
    /// Names that it allows.
    #[serde(default)]
    pub names: Vec<String>,
    /// Categories that it allows.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Names that it denies.
    #[serde(default)]
    pub deny: Vec<String>,
    /// The reason that was given.
    #[serde(default)]
    pub reason: String,
}

/// The last changes, the newest first; a line that was cut off is passed over.
pub fn last(state: &StateDir) -> Vec<ChangeLine> {
    let read = |name: &str| read::octets(&state.join(name), 2 * MAX_OCTETS).unwrap_or_default();
    let (old, new) = (read(OLD), read(FILE));
    let lines = |octets: &[u8]| -> Vec<ChangeLine> {
        let lines = octets.rsplit(|octet| *octet == b'\n');
        lines.filter_map(|line| serde_json::from_slice(line).ok()).take(MOST_LINES).collect()
    };
    let mut found = lines(&new);
    found.extend(lines(&old));
    found.truncate(MOST_LINES);
    found
}
