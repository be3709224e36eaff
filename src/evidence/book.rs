//! The evidence book: the records of a gateway, in memory and on the disk.
//!
//! What is counted is written every ten minutes, at a month's end and at the end of the program: a power
//! cut loses ten minutes at most, and an SD card lives. A disk that takes nothing changes nothing in
//! memory. Without a state directory a record lives as long as the process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tracing::{info, warn};

use crate::config::EvidenceSettings;
use crate::evidence::account::{Change, EarlierLife, LifeAccount, SchoolTime};
use crate::evidence::cause::{Holding, cause_of};
use crate::evidence::files::{DIRECTORY, HeldFile, NewestRecord, RecordFiles};
use crate::evidence::input::{EvidenceInput, Seen};
use crate::evidence::month::{LocalMonth, day_of};
use crate::evidence::record::{
    EnforcementSeconds, GapCause, LastWrite, MonthRecord, RecordedSchool, UsedRelease,
};
use crate::evidence::tally::EvidenceTally;
use crate::metrics::labels::EnforcementState;
use crate::metrics::{Sample, families};
use crate::overrides::ledger;
use crate::policy::group::time::{Now, Trust};
use crate::sys::read;
use crate::sys::state_dir::kept_file::{KeptFile, Unread};
use crate::sys::state_dir::{AGAIN, StateDir};

/// Seconds between two looks at the counters.
const LOOK: u64 = 60;
/// The most releases of a record.
const MAX_RELEASES: usize = 500;
/// The id of this boot of the kernel.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// The records in memory, and how far the disk has them.
#[derive(Debug, Default)]
struct Records {
    account: LifeAccount,
    by_month: BTreeMap<LocalMonth, MonthRecord>,
    changed: BTreeSet<LocalMonth>,
    /// The seconds of this life.
    life: EnforcementSeconds,
    seen: Seen,
    /// Seconds of the monotonic clock at the last look, at the last write, and at the last one if it failed.
    looked: Option<u64>,
    written: Option<u64>,
    failed: Option<u64>,
    /// The civil second of the last tick, and its day; none while no clock is trusted.
    ticked: Option<(u64, Date)>,
    zone: Option<TimeZone>,
    month: Option<LocalMonth>,
    last: LastWrite,
    /// The number of the file of waiting counts, where there is one.
    held: Option<u64>,
    /// Months with records that were damaged, and are set aside.
    damaged: BTreeSet<LocalMonth>,
    /// Files of the lives before that could not be read at the start: until they are, all that is counted waits,
    /// and nothing is written.
    unopened: Vec<Unread>,
    /// Records that could not be read later: what was counted since is added to them when they are.
    unread: BTreeMap<LocalMonth, Unread>,
    /// Whether files went before their time, to make room.
    was_cut: bool,
    school: RecordedSchool,
    config_digest: String,
}

/// The records of a gateway.
#[derive(Debug)]
pub struct EvidenceBook {
    state: Option<StateDir>,
    /// Empty without a state directory, and until the directory of records can be opened.
    files: OnceLock<RecordFiles>,
    records: Mutex<Records>,
    /// Whether the last write succeeded.
    is_saved: AtomicBool,
}

impl EvidenceBook {
    /// Reads how the life before ended. `emergency` is the version of the emergency list that was
    /// kept.
    pub fn open(state: Option<&StateDir>, emergency: u64) -> Self {
        let boot = read::octets(BOOT.as_ref(), 64).unwrap_or_default();
        let boot = String::from_utf8_lossy(&boot).trim().to_owned();
        let files = OnceLock::new();
        let records = match state.map(|state| (state, RecordFiles::open(state))) {
            None => Records::default(),
            Some((_, Ok(opened))) => Records::after(files.get_or_init(|| opened), boot, emergency),
            Some((state, Err(fault))) => {
                let unread = Unread::of_directory(&state.join(DIRECTORY), &fault);
                Records::unopened(vec![unread], boot, emergency)
            }
        };
        let is_saved = AtomicBool::new(state.is_none() || files.get().is_some());
        Self { state: state.cloned(), is_saved, files, records: Mutex::new(records) }
    }

    /// The files of records, opened again where they could not be.
    fn files(&self) -> Option<&RecordFiles> {
        if let (None, Some(state)) = (self.files.get(), &self.state)
            && let Ok(opened) = RecordFiles::open(state)
        {
            return Some(self.files.get_or_init(|| opened));
        }
        self.files.get()
    }

    /// Counts a self-test: the rows that were asked, by id, and whether each was as it must be.
    pub fn self_tested(&self, rows: &[(String, bool)]) {
        let mut tally = EvidenceTally::default();
        tally.self_tested(rows);
        self.lock().account.count(&tally, Trust::Synced);
    }

    /// True where records outlive the process: there is a state directory, and the last write to it
    /// succeeded.
    pub fn is_kept(&self) -> bool {
        self.files.get().is_some() && self.is_saved.load(Ordering::Relaxed)
    }

    /// True where records or changes went before their time, because all of them were too large.
    pub fn was_cut(&self) -> bool {
        self.lock().was_cut
    }

    /// The record of this month as it is in memory; none before the time is known.
    pub fn this_month(&self) -> Option<MonthRecord> {
        let records = self.lock();
        records.month.and_then(|month| records.by_month.get(&month).cloned())
    }

    /// Seconds by what held: of this life, and of this month.
    pub fn samples(&self) -> Vec<Sample> {
        let records = self.lock();
        let month = records.month.and_then(|month| records.by_month.get(&month));
        let of = |all: &EnforcementSeconds, state: EnforcementState| match cause_of(state) {
            None => all.enforced,
            Some(cause) => all.gaps.get(&cause).copied().unwrap_or(0),
        };
        let mut samples: Vec<Sample> = EnforcementState::ALL
            .map(|state| families::ENFORCEMENT.sample((state,), of(&records.life, state)))
            .to_vec();
        if let Some(month) = month {
            samples.extend(EnforcementState::ALL.map(|state| {
                let seconds = of(&month.enforcement, state) as f64;
                families::ENFORCEMENT_MONTH.sample((state,), seconds)
            }));
        }
        samples
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what holds, and once a minute what was counted. Called once a second, and at the end of the
    /// program with `is_last`.
    pub fn tick<'a>(
        &self,
        now: Now,
        holding: &Holding,
        input: impl FnOnce() -> EvidenceInput<'a>,
        is_last: bool,
    ) {
        let mut records = self.lock();
        let Some(counted) = records.tick(now, holding.cause(), is_last) else { return };
        let mut input = input();
        let settings = &input.config.evidence;
        let (files, before) = (self.files(), records.month);
        if let Some(files) = files {
            records.read_again(files);
        }
        let had_place = records.account.is_placed();
        records.look((now, counted), &mut input, is_last, files);
        let is_new = records.month != before || records.account.is_placed() != had_place;
        let flush = settings.flush.as_secs();
        let is_due = records.failed.is_some()
            || records.written.is_none_or(|at| now.mono.saturating_sub(at) >= flush);
        if is_last || is_new || is_due {
            self.flush(&mut records, now, is_last);
        }
        if is_new {
            self.tidy(&mut records, now, settings);
        }
    }

    /// Writes what has changed; all of it is tried again where that fails.
    fn flush(&self, records: &mut Records, now: Now, is_last: bool) {
        let Some(files) = self.files.get() else { return };
        let written = records.write(files, now, is_last);
        let was_saved = self.is_saved.swap(written.is_ok(), Ordering::Relaxed);
        records.failed = written.is_err().then_some(now.mono);
        match written {
            Ok(()) => {
                records.written = Some(now.mono);
                if !was_saved {
                    info!("evidence is written again");
                }
            }
            Err(error) if was_saved => {
                warn!(%error, "evidence cannot be written: a restart may lose what is counted");
            }
            Err(_) => {}
        }
    }

    /// Removes what is older than it must be. Only a time server says what is old.
    fn tidy(&self, records: &mut Records, now: Now, settings: &EvidenceSettings) {
        let (Some(files), Some(state), Some(month)) =
            (self.files.get(), &self.state, records.month)
        else {
            return;
        };
        let is_known = now.trust == Trust::Synced;
        let cut = files.tidy(is_known.then(|| month.before(settings.keep)), settings.max_size);
        let lines = ledger::tidy(
            state,
            is_known.then_some((now.civil, settings.ledger)),
            settings.max_size,
        );
        if cut + lines > 0 {
            records.was_cut = true;
            warn!(
                records = cut,
                ledgers = lines,
                "files of evidence went before their time: all of them are larger than `max_size`"
            );
        }
    }
}

impl Records {
    /// What follows the life that wrote the files.
    fn after(files: &RecordFiles, boot: String, emergency: u64) -> Self {
        let NewestRecord { record: newest, damaged, unread: mut unopened } = files.newest();
        let before = newest.map(|newest| newest.written);
        let last = before.clone().unwrap_or(LastWrite { emergency, ..LastWrite::default() });
        let has_booted = last.boot != boot;
        // Where a record is lost, nobody knows how long there was no life.
        let ended =
            before.filter(|last| damaged.is_empty() && last.at > 0).map(|last| EarlierLife {
                at: last.at,
                cause: match (has_booted, last.clean) {
                    (true, _) => GapCause::Power,
                    (false, true) => GapCause::Stopped,
                    (false, false) => GapCause::Program,
                },
            });
        let held = match files.held() {
            // Those that are in the records are taken.
            KeptFile::Good(held) => Some(held).filter(|held| held.number > last.held),
            KeptFile::Absent | KeptFile::Bad(_) => None,
            KeptFile::Unread(file) => {
                unopened.push(file);
                None
            }
        };
        if !unopened.is_empty() {
            return Self { damaged, ..Self::unopened(unopened, boot, emergency) };
        }
        let number = held.as_ref().map(|held| held.number);
        let HeldFile { counts, without_clock, seconds, .. } = held.unwrap_or_default();
        Self {
            account: LifeAccount::new(ended, has_booted, (counts, without_clock, seconds)),
            seen: Seen::since(last.emergency),
            held: number,
            damaged,
            last: LastWrite { boot, ..last },
            ..Self::default()
        }
    }

    /// What follows a life that left files which cannot be read now. Of these nothing is known: neither which was
    /// written last, nor what is counted already.
    fn unopened(unopened: Vec<Unread>, boot: String, emergency: u64) -> Self {
        let last = LastWrite { boot, emergency, ..LastWrite::default() };
        Self { seen: Seen::since(emergency), last, unopened, ..Self::default() }
    }

    /// Reads again what could not be read, and goes on with it.
    fn read_again(&mut self, files: &RecordFiles) {
        if !self.unopened.is_empty() {
            let unopened = std::mem::take(&mut self.unopened).into_iter();
            self.unopened = unopened.filter_map(Unread::still).collect();
            if self.unopened.is_empty() {
                let found = Self::after(files, self.last.boot.clone(), self.seen.emergency);
                self.unopened = found.unopened;
                if self.unopened.is_empty() {
                    self.account.follow(found.account);
                    (self.held, self.last) = (found.held, found.last);
                }
                self.damaged.extend(found.damaged);
            }
        }
        for (month, file) in std::mem::take(&mut self.unread) {
            if let Some(file) = file.still() {
                self.unread.insert(month, file);
                continue;
            }
            let Some(since) = self.by_month.remove(&month) else { continue };
            let record = self.record(month, Some(files));
            *record = MonthRecord::sum(std::mem::take(record), &since);
            self.last.number = self.last.number.max(self.by_month[&month].written.number);
            self.changed.insert(month);
        }
    }

    /// Notes what holds; the civil second of what was counted where it is time to look.
    fn tick(&mut self, now: Now, cause: Option<GapCause>, is_last: bool) -> Option<u64> {
        self.account.hold(now.mono, cause);
        let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
        let is_trusted = now.trust != Trust::Untrusted;
        let next = is_trusted.then(|| (now.civil, day_of(now.civil, &zone)));
        let before = std::mem::replace(&mut self.ticked, next);
        // What was counted until midnight is of the day before.
        let turned = before.zip(next).filter(|(before, next)| before.1 != next.1);
        let since = |at| now.mono.saturating_sub(at);
        let is_due = self.looked.is_none_or(|at| since(at) >= LOOK)
            || self.failed.is_some_and(|at| since(at) >= AGAIN);
        let counted = turned.map_or(now.civil, |(before, _)| before.0);
        (is_last || is_due || turned.is_some()).then_some(counted)
    }

    /// Counts, and places what can be placed.
    fn look(
        &mut self,
        (now, counted): (Now, u64),
        input: &mut EvidenceInput<'_>,
        is_last: bool,
        files: Option<&RecordFiles>,
    ) {
        self.looked = Some(now.mono);
        self.describe(input);
        let tally = self.seen.next(input);
        self.account.count(&tally, now.trust);
        let (zone, hours) = (input.config.school.zone(), &input.config.evidence.hours);
        let time = SchoolTime { zone: &zone, hours };
        // What the lives before left is placed first.
        let is_opened = self.unopened.is_empty();
        let changes = is_opened.then(|| self.account.settle((now, counted), time, is_last));
        for change in changes.unwrap_or_default() {
            self.apply(&change, files);
        }
        if self.account.is_placed() && now.trust != Trust::Untrusted {
            let month = LocalMonth::of(now.civil, &zone);
            self.month = Some(month);
            self.use_release(month, (input.release, now.civil), files);
        }
        self.zone = Some(zone);
    }

    /// Notes what a record says of the gateway itself.
    fn describe(&mut self, input: &EvidenceInput<'_>) {
        let school = &input.config.school;
        self.school = RecordedSchool {
            id: school.id.clone(),
            name: school.name.clone(),
            level: school.level.map_or("", crate::category::Level::id).to_owned(),
            timezone: school.timezone.clone(),
            unit: input.unit.clone(),
        };
        self.config_digest.clone_from(&input.config_digest);
    }

    /// The record of a month, from the disk where it is not in memory.
    fn record(&mut self, month: LocalMonth, files: Option<&RecordFiles>) -> &mut MonthRecord {
        let (is_lost, school) = (self.damaged.contains(&month), &self.school.id);
        let unread = &mut self.unread;
        self.by_month.entry(month).or_insert_with(|| {
            let kept = files.map_or(KeptFile::Absent, |files| files.record_of(month, school));
            let was_damaged = matches!(kept, KeptFile::Bad(_));
            let mut record = match kept {
                KeptFile::Good(record) => record,
                KeptFile::Absent | KeptFile::Bad(_) => MonthRecord::new(month),
                KeptFile::Unread(file) => {
                    unread.insert(month, file);
                    MonthRecord::new(month)
                }
            };
            record.began_anew |= was_damaged || is_lost;
            record
        })
    }

    fn apply(&mut self, change: &Change, files: Option<&RecordFiles>) {
        let month = change.month();
        self.record(month, files).apply(change);
        self.changed.insert(month);
        if let Change::Seconds { span, cause, .. } = change {
            let seconds = span.end.saturating_sub(span.start);
            let sum = match cause {
                None => &mut self.life.enforced,
                Some(cause) => self.life.gaps.entry(*cause).or_default(),
            };
            *sum = sum.saturating_add(seconds);
        }
    }

    fn use_release(
        &mut self,
        month: LocalMonth,
        (release, from): (u64, u64),
        files: Option<&RecordFiles>,
    ) {
        let releases = &mut self.record(month, files).releases;
        let is_known = releases.last().map_or(0, |last| last.release) == release;
        if release == 0 || is_known || releases.len() >= MAX_RELEASES {
            return;
        }
        releases.push(UsedRelease { release, from });
        self.changed.insert(month);
    }

    /// Writes what has changed, and what waits for a clock.
    fn write(&mut self, files: &RecordFiles, now: Now, is_last: bool) -> std::io::Result<()> {
        let unread = || std::io::Error::other("what is there cannot be read now");
        if !self.unopened.is_empty() {
            return Err(unread());
        }
        let is_trusted = now.trust != Trust::Untrusted;
        let waiting = self.account.waiting().map(|(counts, without_clock, seconds)| HeldFile {
            number: self.held.unwrap_or(self.last.held + 1),
            seconds,
            without_clock,
            counts: counts.clone(),
        });
        if let Some(held) = &waiting {
            files.hold(held)?;
            self.held = Some(held.number);
        }
        let is_first = self.written.is_none() && self.account.is_placed();
        self.changed.extend(self.month.filter(|_| is_first || is_last));
        let is_whole = waiting.is_none() && self.unread.is_empty();
        let next = LastWrite {
            number: self.last.number + 1,
            at: if is_trusted { now.civil } else { self.last.at },
            clean: is_last,
            held: self.held.filter(|_| is_whole).unwrap_or(self.last.held),
            emergency: self.seen.emergency,
            boot: self.last.boot.clone(),
        };
        let (changed, mut last) = (self.changed.clone(), None);
        for month in changed {
            let Some(record) = self.by_month.get_mut(&month) else { continue };
            if self.unread.contains_key(&month) {
                continue;
            }
            record.school.clone_from(&self.school);
            record.config_digest.clone_from(&self.config_digest);
            env!("CARGO_PKG_VERSION").clone_into(&mut record.version);
            record.written.clone_from(&next);
            files.replace(month, record)?;
            last = Some(&next);
        }
        if last.is_some() {
            self.last = next;
            self.changed.retain(|month| self.unread.contains_key(month));
            if is_whole && self.held.take().is_some() {
                files.forget_held();
            }
        }
        let (month, unread_months) = (self.month, &self.unread);
        self.by_month.retain(|one, _| Some(*one) == month || unread_months.contains_key(one));
        if self.unread.is_empty() { Ok(()) } else { Err(unread()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::state_dir::kept_file::unread;

    #[test]
    fn a_directory_that_cannot_be_read_at_a_start_has_records_all_the_same() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().join("state")).unwrap();
        let month: LocalMonth = "2026-11".parse().unwrap();
        let mut record = MonthRecord::new(month);
        record.written = LastWrite { number: 7, at: 1, ..LastWrite::default() };
        RecordFiles::open(&state).unwrap().replace(month, &record).unwrap();
        // A file in the place of the directory: it is there, and cannot be listed.
        let (place, aside) = (state.join(DIRECTORY), state.join("aside"));
        std::fs::rename(&place, &aside).unwrap();
        std::fs::write(&place, "").unwrap();
        let book = EvidenceBook::open(Some(&state), 0);
        assert!(!book.is_kept() && book.files().is_none());
        assert!(unread().iter().any(|file| file.path == place));
        std::fs::remove_file(&place).unwrap();
        std::fs::rename(&aside, &place).unwrap();
        let mut records = book.lock();
        records.read_again(book.files().unwrap());
        assert!(records.unopened.is_empty() && records.last.number == 7);
        assert!(!unread().iter().any(|file| file.path == place));
    }
}
