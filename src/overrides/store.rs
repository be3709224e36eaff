//! The overrides of a gateway, in a file of the state directory.
//!
//! Without a state directory they live as long as the process, and there is no ledger.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};

use crate::metrics::{Sample, families};
use crate::overrides::ledger::{self, LedgerEntry};
use crate::overrides::refusal::OverrideRefusal;
pub use crate::overrides::stored::StoredOverride;
use crate::policy::group::overrides::OverrideKind;
use crate::sys::clock::system_time;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The file, in the state directory.
const FILE: &str = "overrides.json";
/// The most lessons and exams at one time: each adds edges to a timeline that each query searches.
const MAX_ACTIVE: usize = 64;
/// The most allows at one time: each adds a name to the tables of each interval.
const MAX_ALLOWS: usize = 200;

/// The content of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct StoreFile {
    /// The id that was given last.
    next: u64,
    overrides: Vec<StoredOverride>,
}

/// The overrides that have not ended, and those that ended a moment ago.
#[derive(Debug)]
pub struct Overrides {
    state: Option<StateDir>,
    stored: Mutex<StoreFile>,
    /// Whether the last write of the file succeeded.
    is_saved: AtomicBool,
}

/// The content of the file, or what the ledger says of it.
fn read_stored(state: &StateDir) -> StoreFile {
    let path = state.join(FILE);
    let read = read::text(&path)
        .and_then(|text| serde_json::from_str::<StoreFile>(&text).map_err(io::Error::from));
    let fault = match read {
        Ok(stored) => return stored,
        Err(fault) => fault,
    };
    let replayed = ledger::replay(state);
    // A ledger may have changes of other kinds alone.
    let has_overrides = replayed.as_ref().is_some_and(|(_, highest)| *highest > 0);
    if fault.kind() == io::ErrorKind::NotFound && !has_overrides {
        return StoreFile::default();
    }
    let Some((overrides, next)) = replayed else {
        error!(%fault, "{FILE} cannot be read, nor the ledger: no override is in force");
        // A number that was never given, whatever was.
        return StoreFile { next: system_time(), overrides: Vec::new() };
    };
    error!(%fault, active = overrides.len(), "{FILE} cannot be read; its overrides are those of the ledger");
    StoreFile { next, overrides }
}

impl Overrides {
    /// Reads the overrides of an earlier process; none without a state directory.
    ///
    /// Where their file is damaged or cannot be read, they are made again of the ledger: an exam
    /// must not end by a restart, and no number be given twice.
    pub fn open(state: Option<StateDir>) -> Self {
        let stored = state.as_ref().map(read_stored).unwrap_or_default();
        Self { state, stored: Mutex::new(stored), is_saved: AtomicBool::new(true) }
    }

    /// True where they outlive the process: there is a state directory, and the last write to it
    /// succeeded.
    pub fn are_kept(&self) -> bool {
        self.state.is_some() && self.is_saved.load(Ordering::Relaxed)
    }

    /// Those that have not ended.
    pub fn list(&self, civil: u64) -> Vec<StoredOverride> {
        let stored = self.lock();
        stored.overrides.iter().filter(|one| civil < one.until).cloned().collect()
    }

    /// Stores an override that was judged, from now on and for `seconds`.
    ///
    /// # Errors
    ///
    /// [`OverrideRefusal::TooMany`], [`OverrideRefusal::TooManyAllows`].
    pub fn begin(
        &self,
        judged: StoredOverride,
        seconds: u64,
        civil: u64,
    ) -> Result<StoredOverride, OverrideRefusal> {
        let mut stored = self.lock();
        let is_allow = |one: &StoredOverride| one.kind == OverrideKind::Allow.id();
        let alike = stored.overrides.iter().filter(|one| civil < one.until);
        let alike = alike.filter(|one| is_allow(one) == is_allow(&judged)).count();
        match is_allow(&judged) {
            true if alike >= MAX_ALLOWS => {
                return Err(OverrideRefusal::TooManyAllows { most: MAX_ALLOWS });
            }
            false if alike >= MAX_ACTIVE => {
                return Err(OverrideRefusal::TooMany { most: MAX_ACTIVE });
            }
            _ => {}
        }
        stored.next += 1;
        let begun =
            StoredOverride { id: stored.next, from: civil, until: civil + seconds, ..judged };
        stored.overrides.push(begun.clone());
        self.save(&stored);
        Ok(begun)
    }

    /// Removes an override before its time.
    ///
    /// # Errors
    ///
    /// [`OverrideRefusal::NoOverride`].
    pub fn end(&self, id: u64, civil: u64) -> Result<StoredOverride, OverrideRefusal> {
        let mut stored = self.lock();
        let place = stored.overrides.iter().position(|one| one.id == id && civil < one.until);
        let Some(place) = place else { return Err(OverrideRefusal::NoOverride { id }) };
        let ended = stored.overrides.remove(place);
        self.save(&stored);
        Ok(ended)
    }

    /// Removes overrides that are over, and records it.
    pub fn expire(&self, civil: u64) {
        let over = {
            let mut stored = self.lock();
            let (active, over): (Vec<_>, Vec<_>) = std::mem::take(&mut stored.overrides)
                .into_iter()
                .partition(|one| civil < one.until);
            stored.overrides = active;
            if !over.is_empty() {
                self.save(&stored);
            }
            over
        };
        for one in over {
            self.record("expire", "-", &one, one.until);
        }
    }

    /// Writes the beginning of an override to the ledger and to the log.
    pub fn record_begin(&self, begun: &StoredOverride, at: u64) {
        self.record("begin", &begun.by, begun, at);
        let StoredOverride { id, kind, group, until, .. } = begun;
        info!(id, %kind, %group, until, "override begins");
    }

    /// Writes an end before its time, caused by the person `by`, to the ledger and to the log.
    pub fn record_end(&self, ended: &StoredOverride, by: &str, at: u64) {
        self.record("end", by, ended, at);
        let StoredOverride { id, kind, group, .. } = ended;
        info!(id, %kind, %group, "override ended");
    }

    fn lock(&self) -> MutexGuard<'_, StoreFile> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the file again where the last write failed: a disk that was full may have room now.
    pub fn keep(&self) {
        let stored = self.lock();
        if !self.is_saved.load(Ordering::Relaxed) {
            self.save(&stored);
        }
    }

    /// Writes the file. Only the first of several failures is logged, and the end of them.
    fn save(&self, stored: &StoreFile) {
        let Some(state) = &self.state else { return };
        let text = serde_json::to_vec_pretty(stored).unwrap_or_default();
        let written = state.replace(FILE, &text);
        let was_saved = self.is_saved.swap(written.is_ok(), Ordering::Relaxed);
        match written {
            Err(error) if was_saved => {
                warn!(%error, "{FILE} cannot be written: a restart may not know the overrides");
            }
            Ok(()) if !was_saved => info!("{FILE} is written again"),
            _ => {}
        }
    }

    fn record(&self, action: &'static str, by: &str, what: &StoredOverride, at: u64) {
        let Some(state) = &self.state else { return };
        if let Err(error) = ledger::write(state, &LedgerEntry::new(at, action, by, what)) {
            warn!(%error, "the change ledger cannot be written");
        }
    }
}

/// The samples of active overrides, by kind.
pub fn samples(active: &[StoredOverride]) -> Vec<Sample> {
    let count = |kind: OverrideKind| active.iter().filter(|one| one.kind == kind.id()).count();
    let sample = |kind| families::OVERRIDE_ACTIVE.sample((kind,), count(kind) as f64);
    OverrideKind::ALL.map(sample).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exam() -> StoredOverride {
        StoredOverride {
            id: 0,
            kind: OverrideKind::Exam.id().to_owned(),
            group: "pupils".to_owned(),
            names: vec!["only.example".to_owned()],
            deny: Vec::new(),
            categories: Vec::new(),
            from: 0,
            until: 0,
            by: "Lan".to_owned(),
            reason: String::new(),
        }
    }

    #[test]
    fn what_could_not_be_written_is_written_when_it_can_be() {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().join("state");
        let state = StateDir::at(place.clone()).unwrap();
        let overrides = Overrides::open(Some(state.clone()));
        // A disk that takes nothing: a file in the place of the directory.
        std::fs::remove_dir(&place).unwrap();
        std::fs::write(&place, "").unwrap();
        overrides.begin(exam(), 3600, 1000).unwrap();
        overrides.keep();
        assert!(!overrides.are_kept());
        std::fs::remove_file(&place).unwrap();
        overrides.keep();
        assert!(overrides.are_kept());
        assert_eq!(Overrides::open(Some(state)).list(1000), overrides.list(1000));
    }
}
