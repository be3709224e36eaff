//! Reload: triggers of a candidate, and the effects of its adoption.
//!
//! ```text
//! change on disk ▶ settle (100 ms of quiet, 1 s at most) ▶ candidate ▶ adopt ▶ log, count, watch,
//! SIGHUP         ────────────────────────────────────────▶                     download
//! ```
//!
//! Laws: a candidate is made on a thread of its own, and never under a lock that others need; a
//! mistake must leave the policy in force untouched and is logged once, with its place; before a
//! config is in force, it must not cause a log line, a count, a limit or a download. However many
//! events there are, at most one reload a second starts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use crate::clients::budget::ClientLimits;
use crate::config::{Config, Listen};
use crate::fetch::Fetcher;
use crate::load::assemble::{AssembleError, Assembler};
use crate::load::candidate::Candidate;
use crate::load::in_force::InForce;
use crate::load::kept::held;
use crate::load::kept::left_out::LeftOut;
use crate::load::lists::FileReport;
use crate::load::rehearsal;
use crate::load::release;
use crate::metrics::labels::{HeldFile, ReadFrom, ReloadResult};
use crate::metrics::{Sample, families};
use crate::policy::Snapshot;
use crate::rehearse::compare::Rehearsal;
use crate::serve::gateway::Gateway;
use crate::sys::os::step_aside;
use crate::sys::service::{ServiceManager, Turn};
use crate::sys::state_dir::StateDir;
use crate::sys::watch::Watch;
use crate::update::selftest;
use crate::update::tried::TrialFault;

/// The shortest time between the starts of two reloads.
const SPACING: Duration = Duration::from_secs(1);

/// Reloads of one gateway, and their results.
#[derive(Debug)]
pub(super) struct Reloads {
    gateway: Arc<Gateway>,
    fetcher: Arc<Fetcher>,
    /// Locked by reloads alone: files are read under the lock.
    assembler: Mutex<Assembler>,
    /// The config of the start: sockets, upstream servers and cache follow it until a restart.
    started: Config,
    was_good: AtomicBool,
    /// Whether the state directory has all that a restart needs.
    is_kept: AtomicBool,
    good: AtomicU64,
    /// Reloads that put all in force but files whose kept copies stand in.
    in_part: AtomicU64,
    bad: AtomicU64,
    readings: AtomicU64,
    /// That of the last lists that differed from those in force.
    rehearsed: Mutex<Rehearsal>,
}

impl Reloads {
    /// Reloads after the first policy, which `assembler` made of `config`. Its downloads begin.
    pub(super) fn new(
        mut assembler: Assembler,
        config: &Config,
        fetcher: Arc<Fetcher>,
        gateway: Arc<Gateway>,
    ) -> Arc<Self> {
        let in_force = gateway.current.in_force();
        assembler.adopted(&in_force);
        // Before the watch: it can only watch a directory of copies that is there.
        fetcher.update(in_force.sources().downloads.clone());
        Arc::new(Self {
            gateway,
            fetcher,
            readings: AtomicU64::new(assembler.readings()),
            assembler: Mutex::new(assembler),
            started: config.clone(),
            was_good: AtomicBool::new(in_force.sources().held.is_empty()),
            is_kept: AtomicBool::new(false),
            good: AtomicU64::new(0),
            in_part: AtomicU64::new(0),
            bad: AtomicU64::new(0),
            rehearsed: Mutex::default(),
        })
    }

    /// Reloads at every change of a watched file and at every SIGHUP, until aborted. The service
    /// manager is told of those that it has asked for.
    ///
    /// # Errors
    ///
    /// The error of the signal handler.
    pub(super) async fn run(self: Arc<Self>, manager: Arc<ServiceManager>) -> io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut followed = self.watched();
        let mut watch = Watch::start(&followed);
        // Files may have changed between the first reading and the watch, or be half written now.
        watch.expect_change();
        // What was adopted at the start is kept before anything else can happen to its files.
        self.on_thread(Self::keep).await;
        loop {
            let is_asked = tokio::select! {
                _ = hangup.recv() => true,
                () = watch.changed() => false,
            };
            let started = tokio::time::Instant::now();
            if is_asked {
                manager.tell(Turn::Reloading);
            }
            self.reload(is_asked).await;
            if is_asked {
                manager.tell(Turn::Ready);
            }
            let files = self.watched();
            // A directory that is new may have got its files before it was watched.
            if watch.follow(&files) {
                watch.expect_change();
            }
            if files != followed {
                // What is new may have changed before it was watched: a download has begun.
                watch.expect_change();
                followed = files;
            }
            if self.assembler().is_waiting() {
                watch.expect_change();
            }
            self.on_thread(Self::keep).await;
            tokio::time::sleep_until(started + SPACING).await;
        }
    }

    /// The files in force, and those of the config that was read last: it may have been refused,
    /// and is mended in one of them.
    fn watched(&self) -> Vec<PathBuf> {
        let mut files = self.gateway.current.in_force().sources().watched.clone();
        files.extend(self.assembler().watched().iter().cloned());
        files
    }

    /// One reload, on a thread of the lowest priority.
    async fn reload(self: &Arc<Self>, is_asked: bool) {
        self.on_thread(move |reloads| reloads.reload_here(is_asked)).await;
    }

    /// Does work with files on a thread of the lowest priority.
    async fn on_thread(self: &Arc<Self>, work: impl FnOnce(&Self) + Send + 'static) {
        let reloads = Arc::clone(self);
        let (sender, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("lachan-reload".into()).spawn(move || {
            step_aside();
            work(&reloads);
            // The receiver is dropped only when the process ends.
            let _ = sender.send(());
        });
        if let Err(error) = thread {
            return self.failed(&format!("no thread to read the files: {error}"));
        }
        if ended.await.is_err() {
            self.failed("the reload panicked; please report it");
        }
    }

    /// Keeps what is in force, overrides too, as far as it is not kept already.
    fn keep(&self) {
        let in_force = self.gateway.current.in_force();
        self.gateway.current.keep_overrides();
        let is_kept = self.assembler().keep(&in_force);
        self.is_kept.store(is_kept, Ordering::Relaxed);
    }

    /// True where the next start finds all that is in force.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept.load(Ordering::Relaxed)
    }

    /// Drops what was kept, and puts in force what the files are without it.
    pub(super) fn forget(&self) {
        self.gateway.recent.forget();
        self.assembler().forget();
        self.reload_here(true);
        self.keep();
    }

    /// Makes a policy of the generation of a release and tests it; nothing is put in force.
    pub(super) fn try_release(&self, directory: &Path) -> Result<(), TrialFault> {
        let base = self.gateway.current.in_force();
        let tried = self.assembler().trial(directory, Some(&base));
        let candidate = tried.map_err(|error| {
            let (own, why) = (self.assembler().candidate(Some(&base)), error.to_string());
            match own {
                Err(own) => TrialFault::Config(own.to_string()),
                // A kept copy stands in for a file of this gateway, which fails with any release.
                Ok(own) if !own.sources().held.is_empty() && self.fails_as_ever(&why, &base) => {
                    TrialFault::Config(why)
                }
                Ok(_) => TrialFault::Policy(why),
            }
        })?;
        let now = self.gateway.clock.now();
        let civil = now.civil;
        let next = candidate.look(&base.overrides_at(civil), civil);
        let data = [&base.config().data, &candidate.config().data];
        let recent = &self.gateway.recent;
        let policies = (&*base.snapshot, &next);
        let found = rehearsal::rehearse_policies(policies, data, recent, now, false);
        let holding = found.holding;
        self.note_rehearsal(found);
        if holding > 0 {
            return Err(TrialFault::Rehearsal(holding));
        }
        selftest::test((&base.snapshot, &next), data, civil).map_err(TrialFault::SelfTest)
    }

    /// Whether a trial of the release in use fails for the same reason.
    fn fails_as_ever(&self, why: &str, base: &InForce) -> bool {
        let state = StateDir::place(&base.config().state);
        let Some(directory) = state.and_then(|state| release::in_use(&state)) else { return true };
        let tried = self.assembler().trial(&directory, Some(base));
        tried.is_err_and(|error| error.to_string() == why)
    }

    /// Puts the release in use in force, and tests what is in force then.
    pub(super) fn adopt_release(&self) -> Result<(), String> {
        let base = self.gateway.current.in_force();
        let adopted = self.adopt_next(true).map_err(|error| error.to_string())?;
        let Some(in_force) = adopted else { return Ok(()) };
        self.adopted(&in_force);
        self.keep();
        let civil = self.gateway.clock.now().civil;
        let data = [&base.config().data, &in_force.config().data];
        selftest::test((&base.snapshot, &in_force.snapshot), data, civil)
    }

    /// Makes a candidate and adopts it; without SIGHUP only if a file has changed.
    fn reload_here(&self, is_asked: bool) {
        match self.adopt_next(is_asked) {
            Ok(Some(in_force)) => self.adopted(&in_force),
            Ok(None) => {
                // The files match the policy in force again: a mistake was undone.
                self.gateway.current.end_refusal();
                let is_whole = self.gateway.current.in_force().sources().held.is_empty();
                if is_whole && !self.was_good.swap(true, Ordering::Relaxed) {
                    info!("the files are again as they are in force");
                }
            }
            Err(mistake) => {
                self.failed(&mistake.to_string());
                // What is refused holds up no list: they go on under the config in force.
                if mistake.is_of_config()
                    && let Ok(Some(in_force)) = self.adopt(|assembler, base| {
                        assembler.changed_under(base, &mistake.to_string())
                    })
                {
                    self.in_part.fetch_add(1, Ordering::Relaxed);
                    self.follow(&in_force);
                }
            }
        }
    }

    fn adopt_next(&self, is_asked: bool) -> Result<Option<Arc<InForce>>, AssembleError> {
        self.adopt(|assembler, base| {
            if is_asked {
                assembler.candidate(Some(base)).map(Some)
            } else {
                assembler.changed(base)
            }
        })
    }

    /// Adopts what is made for the policy in force.
    fn adopt(
        &self,
        make: impl FnOnce(&mut Assembler, &InForce) -> Result<Option<Candidate>, AssembleError>,
    ) -> Result<Option<Arc<InForce>>, AssembleError> {
        let current = &self.gateway.current;
        let mut assembler = self.assembler();
        let base = current.in_force();
        let made = make(&mut assembler, &base);
        let Some(candidate) = made? else { return Ok(None) };
        let mut candidate: Candidate = candidate;
        self.rehearse(&base, &candidate);
        drop(base);
        self.is_kept.store(false, Ordering::Relaxed);
        loop {
            match current.adopt(candidate) {
                Ok(in_force) => {
                    assembler.adopted(&in_force);
                    self.readings.store(assembler.readings(), Ordering::Relaxed);
                    return Ok(Some(in_force));
                }
                Err(stale) => candidate = current.in_force().rebase(&stale)?,
            }
        }
    }

    /// Rehearses a candidate against what is in force, and tells what it would block.
    fn rehearse(&self, base: &InForce, candidate: &Candidate) {
        let (recent, now) = (&self.gateway.recent, self.gateway.clock.now());
        let Some(found) = rehearsal::rehearse_candidate(base, candidate, recent, now) else {
            return;
        };
        self.note_rehearsal(found);
    }

    fn note_rehearsal(&self, found: Rehearsal) {
        rehearsal::report(&found);
        *self.rehearsed.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// Records a good reload, and applies its effects.
    fn adopted(&self, in_force: &InForce) {
        let is_whole = in_force.sources().held.is_empty();
        self.was_good.store(is_whole, Ordering::Relaxed);
        let counted = if is_whole { &self.good } else { &self.in_part };
        counted.fetch_add(1, Ordering::Relaxed);
        self.gateway.current.end_refusal();
        self.follow(in_force);
    }

    /// Applies the effects of an adoption.
    fn follow(&self, in_force: &InForce) {
        let config = in_force.config();
        self.gateway.clients.store(Arc::new(ClientLimits::of(&config.limits)));
        self.gateway.devices.follow(config);
        self.fetcher.update(in_force.sources().downloads.clone());
        self.gateway.recent.follow(&rehearsal::popular(&config.data));
        report(in_force, true);
        self.report_unchanged(config);
        info!(generation = in_force.generation, "reloaded");
    }

    /// Logs a refusal; the same mistake once, not at every reload.
    fn failed(&self, mistake: &str) {
        self.was_good.store(false, Ordering::Relaxed);
        self.bad.fetch_add(1, Ordering::Relaxed);
        if self.gateway.current.refuse(mistake) {
            error!("not reloaded, the old policy stays in force: {mistake}");
        }
    }

    /// Logs the tables that only a restart puts in force.
    fn report_unchanged(&self, config: &Config) {
        let started = &self.started;
        let listen = Listen { allow: started.listen.allow.clone(), ..config.listen.clone() };
        let portal = |config: &Config| config.portal.as_ref().map(|one| one.listen.clone());
        let changed: Vec<&str> = [
            ("[listen]", listen == started.listen),
            ("[portal] listen", portal(config) == portal(started)),
            ("[admin] listen", config.admin.listen == started.admin.listen),
            ("[upstream]", config.upstream == started.upstream),
            ("[cache]", config.cache == started.cache),
        ]
        .into_iter()
        .filter_map(|(table, is_same)| (!is_same).then_some(table))
        .collect();
        if !changed.is_empty() {
            let changed = changed.join(", ");
            warn!("{changed}: the old values stay in use until a restart; the rest is in force");
        }
    }

    fn assembler(&self) -> MutexGuard<'_, Assembler> {
        self.assembler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since a server last confirmed the oldest downloaded list; 0 without one.
    pub(super) fn oldest_download(&self) -> u64 {
        self.fetcher.tally().oldest()
    }

    /// Policies, reloads by result, readings and downloads of list files.
    pub(super) fn samples(&self, generation: u64) -> Vec<Sample> {
        let (good, bad) = (self.good.load(Ordering::Relaxed), self.bad.load(Ordering::Relaxed));
        let mut samples = vec![
            families::LAST_RELOAD_SUCCESS.flag((), self.was_good.load(Ordering::Relaxed)),
            families::POLICY_GENERATION.sample((), generation as f64),
            families::RELOADS.sample((ReloadResult::Ok,), good),
            families::RELOADS.sample((ReloadResult::Held,), self.in_part.load(Ordering::Relaxed)),
            families::RELOADS.sample((ReloadResult::Refused,), bad),
            families::LIST_READINGS
                .sample((ReadFrom::Files,), self.readings.load(Ordering::Relaxed)),
        ];
        samples.extend(self.fetcher.tally().samples());
        let rehearsed = self.rehearsed.lock().unwrap_or_else(PoisonError::into_inner);
        samples.extend(rehearsal::samples(&rehearsed));
        drop(rehearsed);
        samples.extend(held::samples(&self.gateway.current.in_force().sources().held));
        samples
    }
}

/// Logs the list files in force: a line each, never one per bad line. `is_told` where the mistake of
/// a config that is held was logged when it was refused.
pub(super) fn report(in_force: &InForce, is_told: bool) {
    let (sources, snapshot) = (in_force.sources(), &in_force.snapshot);
    for one in &sources.held {
        if is_told && one.role == HeldFile::Config {
            warn!("degraded: the kept copy of `{}` stands in: it was refused", one.label);
        } else {
            warn!("degraded: {one}");
        }
    }
    report_missing(&sources.left_out, snapshot);
    for line in sources.config.void_in_words(snapshot.void_allows()) {
        warn!("void, a lock wins: {line}");
    }
    for file in sources.lists.files.iter() {
        let path = file.path.display();
        if file.rejected > 0 {
            let (FileReport { rules, rejected, examples, .. }, format) = (file, file.format.id());
            warn!(
                rules,
                rejected, format, "{path}: some lines were left out, for example {examples}"
            );
        } else {
            info!(rules = file.rules, format = file.format.id(), "{path}: loaded");
        }
    }
    for one in sources.lists.voided.iter() {
        warn!(
            rules = one.count,
            category = %one.category,
            "{}: without effect, they would block what schools need: {}; `accept` says that they are meant",
            one.source,
            one.shown()
        );
    }
    for list in snapshot.sealed() {
        info!(entries = list.table.len(), "sealed list {}: loaded", list.table.id());
    }
    info!(names = snapshot.lists().len(), groups = snapshot.groups().len(), "policy is in force");
}

/// Logs the sources that are left out, and the effect on their categories.
fn report_missing(left_out: &[LeftOut], snapshot: &Snapshot) {
    for one in left_out {
        error!("going on without `{}`: {}", one.label, one.why);
    }
    let state = snapshot.fail_mode();
    for category in state.missing.iter() {
        let id = &snapshot.taxonomy().category(category).id;
        if state.fails_closed.contains(category) {
            error!(
                category = %id,
                "there is no list: closed, only essential and good names resolve where it is blocked"
            );
        } else {
            error!(category = %id, "there is no list: open, its names are not blocked");
        }
    }
}
