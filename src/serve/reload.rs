//! Reload: the files again, a new snapshot, swapped whole.
//!
//! ```text
//! change on disk ▶ settle (100 ms of quiet, 1 s at most) ▶ read ▶ assemble ▶ swap
//! SIGHUP         ────────────────────────────────────────▶
//! ```
//!
//! It is put together away from the query path. A mistake keeps the old policy
//! in force and is reported once, with its place; the next good state wins.
//! However many events there are, at most one reload a second starts.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing::{debug, error, info, warn};

use crate::config::{CacheLimits, Config, Listen, Upstream};
use crate::fetch::Fetcher;
use crate::load::assemble::{Assembled, Assembler};
use crate::load::degraded::LeftOut;
use crate::load::lists::FileReport;
use crate::load::timetable::RENEW;
use crate::metrics::labels::{ReadFrom, ReloadResult};
use crate::metrics::{Sample, families};
use crate::overrides::Overrides;
use crate::policy::Snapshot;
use crate::serve::gateway::Gateway;
use crate::serve::settings;
use crate::sys::clock::system_time;
use crate::sys::os::step_aside;
use crate::sys::state_dir::StateDir;
use crate::sys::watch::Watch;

/// The shortest time between the starts of two reloads.
const SPACING: Duration = Duration::from_secs(1);
/// How often the civil time is looked up.
const LOOK: Duration = Duration::from_secs(1);

/// What is reloaded, and how it went.
#[derive(Debug)]
pub struct Reloads {
    /// Held while files are read, which may take seconds.
    assembler: Mutex<Assembler>,
    overrides: Arc<Overrides>,
    /// Held for a moment only: a scrape looks here.
    state: Mutex<ReloadState>,
    was_good: AtomicBool,
    good: AtomicU64,
    bad: AtomicU64,
    readings: AtomicU64,
    /// Who is told what is to be downloaded.
    fetcher: Arc<Fetcher>,
}

#[derive(Debug)]
struct ReloadState {
    school: Sample,
    /// The mistake that was reported last.
    complaint: String,
    /// What a reload cannot change.
    listen: Listen,
    upstream: Upstream,
    cache: CacheLimits,
}

impl Reloads {
    /// After `assembler` made the first policy, of `config`.
    pub fn new(
        assembler: Assembler,
        config: &Config,
        fetcher: Arc<Fetcher>,
        overrides: Arc<Overrides>,
    ) -> Self {
        let state = ReloadState {
            school: school(config),
            complaint: String::new(),
            listen: config.listen.clone(),
            upstream: config.upstream.clone(),
            cache: config.cache.clone(),
        };
        Self {
            readings: AtomicU64::new(assembler.readings()),
            assembler: Mutex::new(assembler),
            overrides,
            state: Mutex::new(state),
            was_good: AtomicBool::new(true),
            good: AtomicU64::new(0),
            bad: AtomicU64::new(0),
            fetcher,
        }
    }

    /// Reloads at every change of a watched file and at every SIGHUP, until aborted.
    ///
    /// # Errors
    ///
    /// What the system said of the signal handler.
    pub async fn run(self: Arc<Self>, gateway: Arc<Gateway>) -> io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut watch = Watch::start(&self.watched());
        // What changed between the first reading and the watch.
        self.reload(&gateway, false).await;
        loop {
            let is_asked = tokio::select! {
                _ = hangup.recv() => true,
                () = watch.changed() => false,
            };
            let started = tokio::time::Instant::now();
            self.reload(&gateway, is_asked).await;
            watch.follow(&self.watched());
            tokio::time::sleep_until(started + SPACING).await;
        }
    }

    fn watched(&self) -> Vec<PathBuf> {
        self.assembler().watched().to_vec()
    }

    /// Reads everything again and puts it in force, or says why not; does nothing
    /// where nothing has changed, unless somebody asked.
    async fn reload(self: &Arc<Self>, gateway: &Arc<Gateway>, is_asked: bool) {
        let reloads = Arc::clone(self);
        let (sender, made) = oneshot::channel();
        let thread = std::thread::Builder::new().name("lachan-reload".into()).spawn(move || {
            step_aside();
            let mut assembler = reloads.assembler();
            assembler.set_overrides(reloads.overrides.list(system_time()));
            let made = if is_asked {
                assembler.assemble().map(Some)
            } else {
                assembler.assemble_changed()
            };
            // Nobody waits any more only when the process ends.
            let _ = sender.send(made);
        });
        if let Err(error) = thread {
            return self.failed(format!("no thread to read the files: {error}"));
        }
        match made.await {
            Ok(Ok(Some(made))) => {
                let Assembled { config, snapshot, zones, files, readings, .. } = made;
                let (downloads, left_out) = (made.downloads, made.left_out);
                if let Err(error) = gateway.zones.follow(&zones) {
                    return self.failed(format!("[[forward]]: {error}"));
                }
                self.readings.store(readings, Ordering::Relaxed);
                report(&files, &left_out, &snapshot);
                gateway.clients.store(Arc::new(settings::clients(&config)));
                let generation = gateway.current.swap(snapshot);
                self.was_good.store(true, Ordering::Relaxed);
                self.good.fetch_add(1, Ordering::Relaxed);
                self.lock().complaint.clear();
                self.note(&config);
                self.fetcher.update(downloads);
                info!(generation, "reloaded");
            }
            Ok(Ok(None)) => {
                // Back to what is in force: a mistake was undone.
                if !self.was_good.swap(true, Ordering::Relaxed) {
                    self.lock().complaint.clear();
                    info!("the files are again as they are in force");
                }
            }
            Ok(Err(mistake)) => self.failed(mistake.to_string()),
            Err(_) => self.failed("the reload panicked; please report it".into()),
        }
    }

    /// Puts the config and lists in force together again: for other overrides, or because
    /// the timetables that were worked out come to their end. No file is read.
    pub fn again(&self, gateway: &Gateway) {
        let made = {
            let mut assembler = self.assembler();
            assembler.set_overrides(self.overrides.list(gateway.clock.now().civil));
            assembler.again()
        };
        match made {
            Ok(Some(assembled)) => {
                gateway.current.swap(assembled.snapshot);
            }
            Ok(None) => {}
            Err(mistake) => self.failed(mistake.to_string()),
        }
    }

    /// Asks the config in force; `None` before there is one.
    pub fn in_force<T>(&self, question: impl FnOnce(&Config) -> T) -> Option<T> {
        self.assembler().in_force().map(question)
    }

    /// Follows the civil time: what ends, what must be worked out anew, what is kept.
    ///
    /// # Errors
    ///
    /// None: it runs until it is aborted.
    pub async fn keep_time(
        self: Arc<Self>,
        gateway: Arc<Gateway>,
        state: Option<StateDir>,
    ) -> io::Result<()> {
        loop {
            tokio::time::sleep(LOOK).await;
            gateway.clock.look();
            let civil = gateway.clock.now().civil;
            free(gateway.current.let_go());
            self.overrides.expire(civil);
            if let Some(state) = &state {
                gateway.clock.keep(state, false);
            }
            if !gateway.current.snapshot().covers(civil, RENEW) {
                let (reloads, gateway) = (Arc::clone(&self), Arc::clone(&gateway));
                // It ends only with the process.
                let _ = tokio::task::spawn_blocking(move || reloads.again(&gateway)).await;
            }
        }
    }

    fn assembler(&self) -> MutexGuard<'_, Assembler> {
        self.assembler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, ReloadState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, mistake: String) {
        self.was_good.store(false, Ordering::Relaxed);
        self.bad.fetch_add(1, Ordering::Relaxed);
        let mut state = self.lock();
        // The same mistake is told once, not at every look.
        if state.complaint != mistake {
            error!("not reloaded, the old policy stays in force: {mistake}");
            state.complaint = mistake;
        }
    }

    fn note(&self, config: &Config) {
        let mut state = self.lock();
        state.school = school(config);
        let is_same_listen =
            Listen { allow: state.listen.allow.clone(), ..config.listen.clone() } == state.listen;
        let changed: Vec<&str> = [
            ("[listen]", is_same_listen),
            ("[upstream]", config.upstream == state.upstream),
            ("[cache]", config.cache == state.cache),
        ]
        .into_iter()
        .filter_map(|(table, is_same)| (!is_same).then_some(table))
        .collect();
        if !changed.is_empty() {
            let changed = changed.join(", ");
            warn!("{changed}: the old values stay in use until a restart; the rest is in force");
        }
    }

    /// The school, the policy in force, reloads by result, readings and downloads of list files.
    pub fn samples(&self, gateway: &Gateway) -> Vec<Sample> {
        let (good, bad) = (self.good.load(Ordering::Relaxed), self.bad.load(Ordering::Relaxed));
        let mut samples = vec![
            self.lock().school.clone(),
            families::LAST_RELOAD_SUCCESS.flag((), self.was_good.load(Ordering::Relaxed)),
            families::POLICY_GENERATION.sample((), gateway.current.generation() as f64),
            families::RELOADS.sample((ReloadResult::Ok,), good),
            families::RELOADS.sample((ReloadResult::Refused,), bad),
            families::LIST_READINGS
                .sample((ReadFrom::Files,), self.readings.load(Ordering::Relaxed)),
        ];
        samples.extend(self.fetcher.tally().samples());
        samples
    }
}

/// Frees policies that nobody uses any more: away from the queries, for large lists take long.
fn free(policies: Vec<Arc<Snapshot>>) {
    if policies.is_empty() {
        return;
    }
    let thread = std::thread::Builder::new().name("lachan-free".into()).spawn(move || {
        step_aside();
        drop(policies);
    });
    if let Err(error) = thread {
        debug!(%error, "no thread to free the old policy");
    }
}

fn school(config: &Config) -> Sample {
    let school = &config.school;
    let level = school.level.map_or("", crate::category::Level::id);
    let zone = school.timezone.as_str();
    let labels =
        (school.id.as_str().into(), school.name.as_str().into(), level.into(), zone.into());
    families::SCHOOL_INFO.flag(labels, true)
}

/// Logs what the files gave, and which gave nothing: a line each, never one per bad line.
pub fn report(files: &[FileReport], left_out: &[LeftOut], snapshot: &Snapshot) {
    report_missing(left_out, snapshot);
    for file in files {
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
    for list in snapshot.sealed() {
        info!(entries = list.table.len(), "sealed list {}: loaded", list.table.id());
    }
    info!(names = snapshot.lists().len(), groups = snapshot.groups().len(), "policy is in force");
}

/// Says loudly which sources are left out, and what follows for their categories.
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
