//! Files that are held back, because their kept copies stand in for them.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::metrics::Sample;
use crate::metrics::families;
use crate::metrics::labels::HeldFile;
use crate::sys::clock::system_time;

/// A file that cannot be used; its kept copy is in force.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its role.
    pub role: HeldFile,
    /// Its path or URL in the config.
    pub label: String,
    /// The fault, and its remedy.
    pub why: String,
    /// The moment from which the copy stands in, in seconds since 1970.
    pub since: u64,
}

impl Held {
    /// A file that is held back from now on.
    pub fn new(role: HeldFile, label: impl Into<String>, why: impl Into<String>) -> Self {
        Self { role, label: label.into(), why: printable(why.into()), since: system_time() }
    }

    /// The same for a file at a path.
    pub fn at(role: HeldFile, path: &Path, why: impl Into<String>) -> Self {
        Self::new(role, path.display().to_string(), why)
    }

    /// The path of its label, for comparisons with what was held before.
    fn is_of(&self, other: &Self) -> bool {
        self.role == other.role && self.label == other.label
    }

    /// Takes over the beginning of what was held already.
    pub(in crate::load) fn continue_from(&mut self, before: &[Self]) {
        if let Some(before) = before.iter().find(|before| before.is_of(self)) {
            self.since = before.since;
        }
    }
}

/// Equal for the same fault, whenever it began.
impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.is_of(other) && self.why == other.why
    }
}

impl Eq for Held {}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A fault with a drawing of its place is told in its first line.
        let why = self.why.lines().next().unwrap_or_default();
        write!(f, "the kept copy of `{}` stands in: {why}", self.label)
    }
}

/// Held files by role, for the metrics.
pub fn samples(held: &[Held]) -> impl Iterator<Item = Sample> {
    HeldFile::ALL.into_iter().map(|role| {
        let count = held.iter().filter(|one| one.role == role).count();
        families::FILES_HELD.sample((role,), count as f64)
    })
}

/// A fault as it may be shown: a file quotes itself in it, and none writes to a terminal.
pub(in crate::load) fn printable(why: String) -> String {
    let is_bad = |one: char| one.is_control() && one != '\n';
    if why.contains(is_bad) { why.replace(is_bad, "\u{fffd}") } else { why }
}

/// An absolute path: the same file has the same one, wherever the process was started.
pub(in crate::load) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
