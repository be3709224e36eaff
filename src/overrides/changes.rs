//! The change ledger, as people read it: what is on the disk, then what waits for it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::overrides::ledger_files::{files, lines_of};
use crate::overrides::ledger_queue::Queue;
use crate::sys::state_dir::StateDir;

/// The most lines that a page shows.
const MOST_LINES: usize = 200;
/// The most changes of a span that are returned.
const MOST_CHANGES: usize = 10_000;

/// A line of the ledger, as people read it; what a kind of change does not have is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// The changes of a span of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The changes, in the order in which they were made; the newest where there are too many.
    pub lines: Vec<ChangeLine>,
    /// The others.
    pub left_out: u64,
}

/// A line; none where it was cut off.
fn read(line: &[u8]) -> Option<ChangeLine> {
    serde_json::from_slice(line).ok()
}

/// The last changes, the newest first; a line that was cut off is passed over.
pub fn last(state: &StateDir) -> Vec<ChangeLine> {
    let waiting = Queue::of(state).waiting();
    let waiting = waiting.iter().rev().filter_map(|line| read(&line.octets));
    let mut found: Vec<ChangeLine> = waiting.take(MOST_LINES).collect();
    for path in files(state.path()).iter().rev() {
        if found.len() >= MOST_LINES {
            break;
        }
        let octets = lines_of(path).unwrap_or_default();
        let lines = octets.rsplit(|octet| *octet == b'\n');
        found.extend(lines.filter_map(read).take(MOST_LINES - found.len()));
    }
    found
}

/// The changes from a civil second until before another.
pub fn between(state: &StateDir, from: u64, to: u64) -> Changes {
    let (mut lines, mut left_out) = (VecDeque::new(), 0);
    let on_disk = files(state.path()).into_iter().map(|path| lines_of(&path).unwrap_or_default());
    let waiting = Queue::of(state).waiting().into_iter().map(|line| line.octets);
    for octets in on_disk.chain(waiting) {
        for line in octets.split(|octet| *octet == b'\n') {
            let Some(change) = read(line) else { continue };
            if !(from..to).contains(&change.at) {
                continue;
            }
            if lines.len() == MOST_CHANGES {
                lines.pop_front();
                left_out += 1;
            }
            lines.push_back(change);
        }
    }
    Changes { lines: lines.into(), left_out }
}
