//! The overrides of a gateway, in a file of the state directory.
//!
//! Without a state directory they live as long as the process, and there is no ledger.
//!
//! Memory is changed first, then what is in force, then the disk: while a disk hangs, an exam begins and ends all
//! the same.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};

use crate::metrics::{Sample, families};
use crate::overrides::ledger::{self, LedgerEntry, Replay};
use crate::overrides::refusal::OverrideRefusal;
pub use crate::overrides::stored::StoredOverride;
use crate::policy::group::overrides::OverrideKind;
use crate::sys::clock::system_time;
use crate::sys::read::MAX_TEXT;
use crate::sys::state_dir::StateDir;
use crate::sys::state_dir::kept_file::{KeptFile, Unread};

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
    /// What is to be read yet; nothing is written until then.
    #[serde(skip)]
    waiting: Option<Waiting>,
    /// Whether the file on the disk is bad: it is set aside before another is written.
    #[serde(skip)]
    is_bad: bool,
}

/// Files that cannot be read now, and what happened since the start.
#[derive(Debug, Default)]
struct Waiting {
    file: Option<Unread>,
    ledger: Vec<Unread>,
    /// The last number before those that were given since.
    base: u64,
    /// Those that ended since.
    ended: BTreeSet<u64>,
}

/// The overrides that have not ended, and those that ended a moment ago.
#[derive(Debug)]
pub struct Overrides {
    state: Option<StateDir>,
    stored: Mutex<StoreFile>,
    /// Held while the file is written, and never while `stored` is: what is written is newer than what was.
    writing: Mutex<()>,
    /// Whether the last write of the file succeeded.
    is_saved: AtomicBool,
}

/// What the file says, or the ledger where there is no good file.
fn found(state: &StateDir, kept: KeptFile<StoreFile>) -> StoreFile {
    let (file, why) = match kept {
        KeptFile::Good(stored) => return stored,
        KeptFile::Absent => (None, None),
        KeptFile::Bad(why) => (None, Some(why)),
        KeptFile::Unread(file) => (Some(file), None),
    };
    let Replay { active: overrides, highest: next, unread: ledger } = ledger::replay(state);
    let mut stored = StoreFile { next, overrides, is_bad: why.is_some(), waiting: None };
    let active = stored.overrides.len();
    if file.is_some() || !ledger.is_empty() {
        // A number that was never given, whatever was.
        stored.next = next.max(system_time());
        let base = stored.next;
        stored.waiting = Some(Waiting { file, ledger, base, ended: BTreeSet::new() });
        error!(
            active,
            "not all overrides can be read now; those of the ledger are in force until then"
        );
    } else if let Some(why) = why {
        stored.next = if next == 0 { system_time() } else { next };
        error!(active, "{FILE} is bad: {why}; its overrides are those of the ledger");
    } else if next > 0 {
        // A ledger may have changes of other kinds alone.
        error!(active, "{FILE} is not there; its overrides are those of the ledger");
    }
    stored
}

/// The same of files that could not be read before; they themselves where nothing more can be read.
fn found_again(
    state: &StateDir,
    file: Option<Unread>,
    ledger: Vec<Unread>,
) -> Result<StoreFile, (Option<Unread>, Vec<Unread>)> {
    let kept = file.map_or_else(|| read_file(state), Unread::again);
    if let KeptFile::Good(stored) = kept {
        return Ok(stored);
    }
    let was_ledger_read = ledger.is_empty();
    let ledger: Vec<Unread> = ledger.into_iter().filter_map(Unread::still).collect();
    match kept {
        KeptFile::Unread(file) if was_ledger_read || !ledger.is_empty() => {
            Err((Some(file), ledger))
        }
        kept if ledger.is_empty() => Ok(found(state, kept)),
        _ => Err((None, ledger)),
    }
}

fn read_file(state: &StateDir) -> KeptFile<StoreFile> {
    KeptFile::json(&state.join(FILE), MAX_TEXT)
}

impl StoreFile {
    /// Notes those that ended: they are not in force again when a file is read that has them.
    fn ended(&mut self, ids: impl IntoIterator<Item = u64>) {
        if let Some(waiting) = &mut self.waiting {
            waiting.ended.extend(ids);
        }
    }

    /// Puts what was read now in the place of what stood in for it, with what happened since the start.
    fn take(&mut self, found: Self) {
        let Waiting { base, ended, .. } = self.waiting.take().unwrap_or_default();
        self.waiting = found.waiting.map(|Waiting { file, ledger, .. }| Waiting {
            file,
            ledger,
            base,
            ended: ended.clone(),
        });
        let since = std::mem::take(&mut self.overrides).into_iter().filter(|one| one.id > base);
        let read = found.overrides.into_iter().filter(|one| !ended.contains(&one.id));
        self.next = self.next.max(found.next);
        self.is_bad = found.is_bad;
        self.overrides = read.collect();
        for mut one in since {
            // The ledger may have it already. A wrong clock may have given a number twice.
            if self.overrides.contains(&one) {
                continue;
            }
            if self.overrides.iter().any(|other| other.id == one.id) {
                self.next += 1;
                one.id = self.next;
            }
            self.overrides.push(one);
        }
    }
}

impl Overrides {
    /// Reads the overrides of an earlier process; none without a state directory.
    ///
    /// Where their file is gone or bad, or cannot be read now, they are made again of the ledger: an exam
    /// must not end by a restart, and no number be given twice.
    pub fn open(state: Option<StateDir>) -> Self {
        let read = |state| found(state, read_file(state));
        let stored = state.as_ref().map(read).unwrap_or_default();
        let is_saved = AtomicBool::new(stored.waiting.is_none());
        Self { state, stored: Mutex::new(stored), writing: Mutex::default(), is_saved }
    }

    /// True while some of them cannot be read.
    pub fn are_unread(&self) -> bool {
        self.lock().waiting.is_some()
    }

    /// Reads again what could not be read; true where something was read, and what is in force may have changed.
    pub fn read_again(&self) -> bool {
        let Some(state) = &self.state else { return false };
        let (file, ledger) = {
            let mut stored = self.lock();
            let Some(waiting) = &mut stored.waiting else { return false };
            (waiting.file.take(), std::mem::take(&mut waiting.ledger))
        };
        // Without the lock: a disk may take long to answer.
        let found = found_again(state, file, ledger);
        match found {
            Ok(found) => {
                self.lock().take(found);
                self.save();
                ledger::keep(state);
                true
            }
            Err((file, ledger)) => {
                if let Some(waiting) = &mut self.lock().waiting {
                    (waiting.file, waiting.ledger) = (file, ledger);
                }
                false
            }
        }
    }

    /// True where they and the change ledger outlive the process: there is a state directory, and the last writes to
    /// it succeeded.
    pub fn are_kept(&self) -> bool {
        let is_saved = self.is_saved.load(Ordering::Relaxed);
        self.state.as_ref().is_some_and(|state| is_saved && ledger::is_kept(state))
    }

    /// Those that have not ended.
    pub fn list(&self, civil: u64) -> Vec<StoredOverride> {
        let stored = self.lock();
        stored.overrides.iter().filter(|one| civil < one.until).cloned().collect()
    }

    /// Adds an override that was judged, from now on and for `seconds`. It is on the disk after
    /// [`Overrides::record_begin`].
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
        Ok(begun)
    }

    /// Removes an override before its time; from the disk with [`Overrides::record_end`].
    ///
    /// # Errors
    ///
    /// [`OverrideRefusal::NoOverride`].
    pub fn end(&self, id: u64, civil: u64) -> Result<StoredOverride, OverrideRefusal> {
        let mut stored = self.lock();
        let place = stored.overrides.iter().position(|one| one.id == id && civil < one.until);
        let Some(place) = place else { return Err(OverrideRefusal::NoOverride { id }) };
        let ended = stored.overrides.remove(place);
        stored.ended([id]);
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
            stored.ended(over.iter().map(|one| one.id));
            over
        };
        if over.is_empty() {
            return;
        }
        self.save();
        for one in over {
            self.record("expire", "-", &one, one.until);
        }
    }

    /// Writes the beginning of an override to the file, to the ledger and to the log.
    pub fn record_begin(&self, begun: &StoredOverride, at: u64) {
        self.save();
        self.record("begin", &begun.by, begun, at);
        let StoredOverride { id, kind, group, until, .. } = begun;
        info!(id, %kind, %group, until, "override begins");
    }

    /// Writes an end before its time, caused by the person `by`, to the file, to the ledger and to the log.
    pub fn record_end(&self, ended: &StoredOverride, by: &str, at: u64) {
        self.save();
        self.record("end", by, ended, at);
        let StoredOverride { id, kind, group, .. } = ended;
        info!(id, %kind, %group, "override ended");
    }

    fn lock(&self) -> MutexGuard<'_, StoreFile> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the file and the ledger again where the last write failed: a disk that was full may have room now.
    pub fn keep(&self) {
        if !self.is_saved.load(Ordering::Relaxed) {
            self.save();
        }
        self.state.iter().for_each(ledger::keep);
    }

    /// Writes the file. Only the first of several failures is logged, and the end of them.
    fn save(&self) {
        let Some(state) = &self.state else { return };
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (octets, is_bad) = {
            let stored = self.lock();
            // What cannot be read yet must not be written over.
            if stored.waiting.is_some() {
                return;
            }
            (serde_json::to_vec_pretty(&*stored), stored.is_bad)
        };
        let written = octets.map_err(io::Error::from).and_then(|octets| {
            if is_bad {
                state.set_aside(FILE)?;
                self.lock().is_bad = false;
            }
            state.replace(FILE, &octets)
        });
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
        ledger::write(state, &LedgerEntry::new(at, action, by, what));
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
        let begun = overrides.begin(exam(), 3600, 1000).unwrap();
        overrides.record_begin(&begun, 1000);
        assert!(!overrides.are_kept());
        overrides.keep();
        assert!(!overrides.are_kept());
        std::fs::remove_file(&place).unwrap();
        overrides.keep();
        assert!(overrides.are_kept());
        assert_eq!(Overrides::open(Some(state)).list(1000), overrides.list(1000));
    }

    /// A directory in the place of a file: it is there, and cannot be read. Afterwards it is the file again.
    struct Faulty<'a>(&'a StateDir, &'static str);

    impl<'a> Faulty<'a> {
        fn begin(state: &'a StateDir, name: &'static str) -> Self {
            std::fs::rename(state.join(name), state.join("aside").with_extension(name)).unwrap();
            std::fs::create_dir(state.join(name)).unwrap();
            Self(state, name)
        }

        fn end(self) {
            let Self(state, name) = self;
            std::fs::remove_dir(state.join(name)).unwrap();
            std::fs::rename(state.join("aside").with_extension(name), state.join(name)).unwrap();
        }
    }

    /// A state in which an exam is on.
    fn with_exam() -> (tempfile::TempDir, StateDir, StoredOverride) {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().join("state")).unwrap();
        let overrides = Overrides::open(Some(state.clone()));
        let begun = overrides.begin(exam(), 3600, 1000).unwrap();
        overrides.record_begin(&begun, 1000);
        (scratch, state, begun)
    }

    #[test]
    fn an_exam_that_cannot_be_read_at_a_start_is_on_when_it_can_be_and_nothing_is_written_over_it()
    {
        let (_scratch, state, exam_begun) = with_exam();
        let before = std::fs::read(state.join(FILE)).unwrap();
        let (file, ledger) = (Faulty::begin(&state, FILE), Faulty::begin(&state, "ledger.jsonl"));
        let overrides = Overrides::open(Some(state.clone()));
        assert!(overrides.are_unread() && !overrides.are_kept());
        assert!(overrides.list(1000).is_empty());
        let other = overrides.begin(exam(), 60, 1001).unwrap();
        overrides.record_begin(&other, 1001);
        assert!(other.id > exam_begun.id);
        assert!(!overrides.read_again());
        // The ledger alone has the exam, too.
        ledger.end();
        assert!(overrides.read_again() && overrides.are_unread() && !overrides.are_kept());
        assert_eq!(overrides.list(1001), [exam_begun.clone(), other.clone()]);
        file.end();
        assert_eq!(std::fs::read(state.join(FILE)).unwrap(), before);
        assert!(overrides.read_again() && !overrides.are_unread() && overrides.are_kept());
        assert_eq!(overrides.list(1001), [exam_begun, other]);
        assert_eq!(Overrides::open(Some(state)).list(1001), overrides.list(1001));
    }

    #[test]
    fn what_ended_while_its_file_could_not_be_read_does_not_begin_again() {
        let (_scratch, state, begun) = with_exam();
        let file = Faulty::begin(&state, FILE);
        let overrides = Overrides::open(Some(state.clone()));
        assert_eq!(overrides.list(1000), std::slice::from_ref(&begun), "the ledger has it");
        let ended = overrides.end(begun.id, 1000).unwrap();
        overrides.record_end(&ended, "Lan", 1000);
        file.end();
        assert!(overrides.read_again());
        assert!(overrides.list(1000).is_empty());
    }

    #[test]
    fn an_exam_begins_and_ends_while_a_disk_takes_its_time() {
        let (_scratch, state, begun) = with_exam();
        let overrides = Overrides::open(Some(state.clone()));
        std::thread::scope(|scope| {
            let writing = overrides.writing.lock().unwrap();
            scope.spawn(|| overrides.expire(begun.until));
            while !overrides.list(0).is_empty() {
                std::thread::yield_now();
            }
            let other = overrides.begin(exam(), 60, begun.until).unwrap();
            assert_eq!(overrides.list(begun.until), [other]);
            drop(writing);
        });
        overrides.keep();
        assert_eq!(Overrides::open(Some(state)).list(begun.until), overrides.list(begun.until));
    }

    #[test]
    fn a_bad_file_is_set_aside_before_another_is_written() {
        let (_scratch, state, begun) = with_exam();
        std::fs::write(state.join(FILE), "{").unwrap();
        let overrides = Overrides::open(Some(state.clone()));
        assert_eq!(overrides.list(1000), [begun]);
        assert!(state.join(FILE).is_file(), "a reader alone changes nothing");
        let other = overrides.begin(exam(), 60, 1001).unwrap();
        overrides.record_begin(&other, 1001);
        assert_eq!(std::fs::read_to_string(state.join("overrides.json.broken")).unwrap(), "{");
        assert_eq!(Overrides::open(Some(state)).list(1001), overrides.list(1001));
    }
}
