//! Reload: the files again, a new snapshot, swapped whole.
//!
//! It is put together away from the query path. A mistake keeps the old policy
//! in force and is reported once, with its place; the next good state wins.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{error, info, warn};

use crate::config::{Config, Listen, Upstream};
use crate::metrics::LabelledCounts;
use crate::policy::Snapshot;
use crate::serve::assemble::{AssembleError, Assembled, Assembler};
use crate::serve::gateway::Gateway;
use crate::serve::lists::FileReport;

/// What is reloaded, and how it went.
#[derive(Debug)]
pub struct Reloads {
    state: Mutex<ReloadState>,
    was_good: AtomicBool,
    good: AtomicU64,
    bad: AtomicU64,
}

#[derive(Debug)]
struct ReloadState {
    assembler: Assembler,
    school: Vec<(&'static str, String)>,
    /// What a reload cannot change.
    listen: Listen,
    upstream: Upstream,
}

impl Reloads {
    /// After `assembler` made the first policy, of `config`.
    pub fn new(assembler: Assembler, config: &Config) -> Self {
        let state = ReloadState {
            assembler,
            school: school(config),
            listen: config.listen.clone(),
            upstream: config.upstream.clone(),
        };
        Self {
            state: Mutex::new(state),
            was_good: AtomicBool::new(true),
            good: AtomicU64::new(0),
            bad: AtomicU64::new(0),
        }
    }

    /// Reads everything again and puts it in force, or says why not.
    pub async fn reload(self: &Arc<Self>, gateway: &Arc<Gateway>) {
        let reloads = Arc::clone(self);
        let made = tokio::task::spawn_blocking(move || reloads.assemble()).await;
        match made {
            Ok(Ok(Assembled { config, snapshot, files })) => {
                report(&files, &snapshot);
                let generation = gateway.current.swap(snapshot);
                self.was_good.store(true, Ordering::Relaxed);
                self.good.fetch_add(1, Ordering::Relaxed);
                self.note(&config);
                info!(generation, "reloaded");
            }
            Ok(Err(mistake)) => self.failed(&mistake.to_string()),
            Err(_) => self.failed("the reload panicked; please report it"),
        }
    }

    fn assemble(&self) -> Result<Assembled, AssembleError> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).assembler.assemble()
    }

    fn failed(&self, mistake: &str) {
        self.was_good.store(false, Ordering::Relaxed);
        self.bad.fetch_add(1, Ordering::Relaxed);
        error!("not reloaded, the old policy stays in force: {mistake}");
    }

    fn note(&self, config: &Config) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.school = school(config);
        let is_same_listen =
            Listen { allow: state.listen.allow.clone(), ..config.listen.clone() } == state.listen;
        if !is_same_listen || config.upstream != state.upstream {
            warn!("[listen] or [upstream] changed; restart to use the new values");
        }
    }

    /// Labels of `lachan_school_info`.
    pub fn school(&self) -> Vec<(&'static str, String)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).school.clone()
    }

    /// Gauges about the policy in force.
    pub fn gauges(&self, gateway: &Gateway) -> Vec<(&'static str, &'static str, f64)> {
        let was_good = f64::from(u8::from(self.was_good.load(Ordering::Relaxed)));
        vec![
            (
                "lachan_config_last_reload_success",
                "Whether the last reload was put in force (1) or refused (0).",
                was_good,
            ),
            (
                "lachan_policy_generation",
                "Policies put in force since the start.",
                gateway.current.generation() as f64,
            ),
        ]
    }

    /// Reloads by result.
    pub fn counts(&self) -> LabelledCounts {
        (
            "lachan_reloads_total",
            "Reloads by result.",
            "result",
            vec![
                ("ok", self.good.load(Ordering::Relaxed)),
                ("refused", self.bad.load(Ordering::Relaxed)),
            ],
        )
    }
}

fn school(config: &Config) -> Vec<(&'static str, String)> {
    let school = &config.school;
    vec![
        ("id", school.id.clone()),
        ("name", school.name.clone()),
        ("level", school.level.map_or("", crate::category::Level::id).to_owned()),
        ("timezone", school.timezone.clone()),
    ]
}

/// Logs what the files gave: a line each, never one per bad line.
pub fn report(files: &[FileReport], snapshot: &Snapshot) {
    for file in files {
        let path = file.path.display();
        if file.rejected > 0 {
            let FileReport { rules, rejected, examples, .. } = file;
            warn!(rules, rejected, "{path}: some lines were left out, for example {examples}");
        } else {
            info!(rules = file.rules, "{path}: loaded");
        }
    }
    info!(names = snapshot.lists().len(), groups = snapshot.groups().len(), "policy is in force");
}
