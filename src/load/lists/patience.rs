//! Files that are still being written, and lists and packs that somebody says are meant to be so
//! short.
//!
//! Law: a file that was changed a moment ago is waited for, alone, as long as it is not steady and
//! at most [`MOST`]; its rules in force stay meanwhile. Whoever asks for a reload asks for what is
//! there, and is not kept waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::digest::hex;
use crate::lang::Lang;
use crate::load::kept::KeptSource;
use crate::load::lists::packs::PackStore;
use crate::sys::archive;
use crate::sys::clock::system_time;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The time without a change after which a file is whole, in seconds.
const STEADY: u64 = 3;
/// The longest wait for a file, in seconds.
const MOST: u64 = 60;
/// The file of accepted lists in the state directory.
const ACCEPTED: &str = "accepted-lists";
/// The most octets of that file.
const MAX_ACCEPTED: u64 = 1 << 20;

/// Files that are waited for.
#[derive(Debug, Default)]
pub(super) struct Patience {
    pub(super) is_patient: bool,
    /// The time since when each is waited for.
    since: BTreeMap<PathBuf, u64>,
}

impl Patience {
    /// Whether the file or directory of a source is still being written.
    pub(super) fn is_busy(&mut self, own: &KeptSource, kept: Option<&KeptSource>) -> bool {
        let now = system_time();
        let is_new = kept.is_some_and(|kept| kept.files != own.files);
        let is_fresh = own.modified <= now && now - own.modified < STEADY;
        if !self.is_patient || !is_new || !is_fresh {
            self.since.remove(&own.path);
            return false;
        }
        let since = *self.since.entry(own.path.clone()).or_insert(now);
        now.saturating_sub(since) < MOST
    }

    /// Whether a file is waited for, so that it is to be looked at again soon.
    pub(super) fn is_waiting(&self) -> bool {
        !self.since.is_empty()
    }

    /// Forgets the sources that the config names no more.
    pub(super) fn only(&mut self, sources: &BTreeSet<&Path>) {
        self.since.retain(|path, _| sources.contains(path.as_path()));
    }
}

/// The digests of lists that somebody accepts though they are much shorter than before, by the
/// state directory.
pub(super) fn accepted(state: Option<&Path>) -> BTreeSet<String> {
    let text = state.and_then(|state| read::octets(&state.join(ACCEPTED), MAX_ACCEPTED).ok());
    let text = text.and_then(|text| String::from_utf8(text).ok()).unwrap_or_default();
    // Nothing else than digests: what this is written back to belongs to another account than root's.
    let is_digest =
        |line: &&str| line.len() == 64 && line.bytes().all(|digit| digit.is_ascii_hexdigit());
    text.lines().filter(is_digest).map(str::to_owned).collect()
}

/// Accepts what is at `path` now, however short.
///
/// # Errors
///
/// It cannot be read, or the state directory cannot be written.
pub fn accept(state: &StateDir, path: &Path) -> io::Result<()> {
    let mut texts = Vec::new();
    for file in archive::files(path)? {
        archive::each_text(&file, |name, text| {
            texts.push((name, hex(blake3::hash(&text).as_bytes())));
        })?;
    }
    accept_digest(state, KeptSource { texts, ..KeptSource::default() }.digest())
}

/// Accepts the pack in a directory that a gateway would use, whatever it lost.
///
/// # Errors
///
/// There is none.
pub fn accept_pack(state: &StateDir, directory: &Path) -> io::Result<()> {
    let newest = PackStore::default().newest(directory, Lang::En, |_| None);
    let (pack, _) = newest.map_err(io::Error::other)?;
    accept_digest(state, hex(&pack.check()))
}

fn accept_digest(state: &StateDir, digest: String) -> io::Result<()> {
    let mut all = accepted(Some(state.path()));
    all.insert(digest);
    let text: String = all.iter().flat_map(|digest| [digest.as_str(), "\n"]).collect();
    state.replace(ACCEPTED, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_waited_for_while_it_changes_and_only_by_who_did_not_ask() {
        let now = system_time();
        let source = |files: &str, modified| KeptSource {
            path: "list".into(),
            files: files.into(),
            modified,
            ..KeptSource::default()
        };
        let kept = source("before", now - 1000);
        let mut patience = Patience { is_patient: true, ..Patience::default() };
        assert!(patience.is_busy(&source("now", now), Some(&kept)) && patience.is_waiting());
        assert!(!patience.is_busy(&source("now", now - 10), Some(&kept)));
        assert!(!patience.is_waiting());
        assert!(!patience.is_busy(&source("before", now), Some(&kept)));
        assert!(!patience.is_busy(&source("now", now), None));
        // The clock of its writer is ahead.
        assert!(!patience.is_busy(&source("now", now + 1000), Some(&kept)));
        patience.since.insert("list".into(), now - MOST);
        assert!(!patience.is_busy(&source("now", now), Some(&kept)));
        patience.is_patient = false;
        assert!(!patience.is_busy(&source("now", now), Some(&kept)));
    }
}
