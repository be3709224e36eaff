//! The change ledger: one JSON object a line, for every change that a person made.
//!
//! ```text
//! STATE/ledger.jsonl           this month's changes
//! STATE/ledger-2026-10.jsonl   those before, a file a month
//! ```
//!
//! A file in the state directory, appended to and flushed to the disk with each line. It names the
//! person that acted and what they allowed; law: it must never have a client or a name that one
//! looked up. A change of a later month begins another file; what is older than it must be goes whole
//! ([`tidy`]).
//!
//! A line that the disk does not take waits in memory, and is written before any later one.
//!
//! It is also what the overrides are made of again where their own file is damaged.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

use serde::{Deserialize, Serialize};
use tracing::warn;

pub use crate::overrides::changes::{ChangeLine, Changes, between, last};
use crate::overrides::ledger_files::{FILE, MOST_READ, is_over, rotate};
pub use crate::overrides::ledger_files::{all_names, is_name, names, order, tidy};
use crate::overrides::ledger_queue::{Queue, WaitingLine};
use crate::overrides::stored::StoredOverride;
use crate::sys::state_dir::kept_file::{KeptFile, Unread};
use crate::sys::state_dir::{self, StateDir};

/// The most files that overrides are made of again: some are much older than any override.
const MOST_REPLAYED: usize = 36;

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

/// Appends a line behind those that wait. Where the disk takes none it waits in memory: the change has happened.
pub fn write<T: Serialize>(state: &StateDir, change: &LedgerEntry<'_, T>) {
    match line(change) {
        Ok(line) => Queue::of(state).write(line, &mut |line| append(state, line)),
        Err(error) => warn!(%error, "a change is not in the change ledger"),
    }
}

/// Appends the line of what does not happen without it.
///
/// # Errors
///
/// The error of the system; nothing waits then.
pub fn write_or_refuse<T: Serialize>(
    state: &StateDir,
    change: &LedgerEntry<'_, T>,
) -> io::Result<()> {
    Queue::of(state).write_or_refuse(&line(change)?, &mut |line| append(state, line))
}

/// Appends the lines that wait: a disk that failed may take them now.
pub fn keep(state: &StateDir) {
    Queue::of(state).keep(&mut |line| append(state, line));
}

/// True where no line waits for a disk that failed.
pub fn is_kept(state: &StateDir) -> bool {
    Queue::of(state).is_kept()
}

fn line<T: Serialize>(change: &LedgerEntry<'_, T>) -> io::Result<WaitingLine> {
    let mut octets = serde_json::to_vec(change)?;
    octets.push(b'\n');
    Ok(WaitingLine { at: change.at, octets })
}

/// Appends a line to the file, and flushes it to the disk; nothing of it stays in the file where that fails.
fn append(state: &StateDir, line: &WaitingLine) -> io::Result<()> {
    let _acting = state.act_as_owner()?;
    let path = state.join(FILE);
    if is_over(&path, line.at) {
        rotate(state)?;
    }
    // A link, or a FIFO, could lead the trail anywhere, or wait for ever.
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    let mut file = options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the ledger is no file"));
    }
    // A line that a power cut left unfinished must not swallow this one.
    let is_cut_off = is_cut_off(&file, found.len())?;
    let mut octets = if is_cut_off { vec![b'\n'] } else { Vec::new() };
    octets.extend(&line.octets);
    let written = file.write_all(&octets).and_then(|()| file.sync_all());
    let is_new = found.len() == 0;
    let sync = |()| if is_new { File::open(state.path())?.sync_all() } else { Ok(()) };
    if let Err(error) = written.and_then(sync) {
        // It is written again later, and stands there once.
        let _ = file.set_len(found.len());
        return Err(error);
    }
    state_dir::wrote(octets.len() as u64);
    if is_cut_off {
        warn!("the last line of the change ledger was cut off; what it was to say is lost");
    }
    Ok(())
}

/// Whether the last line of a file of so many octets has no end.
fn is_cut_off(file: &File, length: u64) -> io::Result<bool> {
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    Ok(last != [b'\n'])
}

/// A line of the ledger, as far as it is replayed.
#[derive(Debug, Deserialize)]
struct Replayed {
    action: String,
    #[serde(flatten)]
    what: StoredOverride,
}

/// What the ledger says of overrides.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// Those that began and did not end.
    pub(super) active: Vec<StoredOverride>,
    /// The highest number that was given; 0 where none was.
    pub(super) highest: u64,
    /// Files that cannot be read now: what they say is not in it.
    pub(super) unread: Vec<Unread>,
}

/// Reads what the ledger says of overrides. Where its newest file cannot be read nothing is active: an end may be
/// in it. A line that was cut off is passed over. An end ends what stands before it or behind it: while a disk hangs
/// several wait to write, and any of them is first.
pub(super) fn replay(state: &StateDir) -> Replay {
    let files = match all_names(state.path()) {
        Ok(names) => names,
        Err(error) => {
            let unread = vec![Unread::of_directory(state.path(), &error)];
            return Replay { unread, ..Replay::default() };
        }
    };
    let (mut active, mut highest) = (Vec::<StoredOverride>::new(), 0);
    let (mut unread, mut is_newest_read) = (Vec::new(), true);
    // By number and beginning.
    let mut ended = BTreeSet::new();
    for name in files.iter().skip(files.len().saturating_sub(MOST_REPLAYED)) {
        let octets = match KeptFile::octets(&state.join(name), MOST_READ) {
            KeptFile::Good(octets) => octets,
            KeptFile::Absent => continue,
            KeptFile::Bad(_) => Vec::new(),
            KeptFile::Unread(file) => {
                is_newest_read = false;
                unread.push(file);
                continue;
            }
        };
        is_newest_read = true;
        for line in octets.split(|octet| *octet == b'\n') {
            let Ok(Replayed { action, what }) = serde_json::from_slice::<Replayed>(line) else {
                continue;
            };
            highest = what.id.max(highest);
            active.retain(|one| one.id != what.id);
            let begun = (what.id, what.from);
            if action != "begin" {
                ended.insert(begun);
            } else if !ended.contains(&begun) {
                active.push(what);
            }
        }
    }
    if !is_newest_read {
        active.clear();
    }
    Replay { active, highest, unread }
}
