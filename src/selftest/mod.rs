//! Self-test: what is answered here, asked through the real listeners.
//!
//! ```text
//! InForce ▸ plan: name, group, what policy must do ─┐
//! own_asks: the socket that asks ▸ its group        ▼
//! ask ───────udp/tcp─▶ listener ▸ begin ▸ reply ▸ row: expected, found ▸ SelfTestRun ▸ status, metrics,
//! encrypted ─dot/doh─┘ certificate ▸ verifier                      portal, `lachan selftest`
//! ```
//!
//! Laws: what must happen comes from config and policy, what happened from a socket. A question of
//! the test is known by the address of the socket that asks it, which no other process can have; it
//! is judged for the group that the socket stands for, and counted nowhere. A row that needs an
//! upstream server, while none answers, is unknown and not failed.

mod ask;
mod encrypted;
mod lists;
mod own_asks;
mod plan;
pub mod report;
pub mod run;
mod verifier;

pub use encrypted::AskedListeners;
pub use own_asks::OwnAsks;
pub use plan::test_name;
pub use run::{RowResult, SelfTestRow, SelfTestRun};

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::{error, info, warn};

use crate::load::in_force::Current;
use crate::metrics::labels::SelfTestResult;
use crate::metrics::{Sample, families};
use crate::policy::group::time::Now;
use crate::status::state::SelfTestStatus;
use crate::sys::os::step_aside;

/// The wait after the start before the first test: servers upstream are known then.
const FIRST: Duration = Duration::from_secs(60);
/// The interval at which a test that is switched off looks whether it is on.
const LOOK: Duration = Duration::from_secs(60);
/// The most rows that a status names.
const NAMED: usize = 8;

/// Records rows by the id of their question, and whether each passed.
pub type RecordRows = Box<dyn Fn(&[(String, bool)]) + Send + Sync>;

/// What a test is about beside the policy.
pub struct SelfTestHooks {
    /// The time by which names are judged.
    pub now: Box<dyn Fn() -> Now + Send + Sync>,
    /// The release of the department in use; none where the config names no repository.
    pub release: Box<dyn Fn() -> Option<u64> + Send + Sync>,
    /// Whether a server upstream answers.
    pub has_upstream: Box<dyn Fn() -> bool + Send + Sync>,
    /// Records the rows that could be judged, by the id of the question, and whether each passed.
    pub record: RecordRows,
}

/// The gateway's test of itself.
pub struct SelfTest {
    current: Arc<Current>,
    listeners: AskedListeners,
    own_asks: Arc<OwnAsks>,
    hooks: SelfTestHooks,
    last: Mutex<Option<Arc<SelfTestRun>>>,
    /// One test at a time.
    running: Mutex<()>,
}

impl SelfTest {
    /// A test of the policy in force through these listeners.
    pub fn new(
        current: Arc<Current>,
        listeners: AskedListeners,
        own_asks: Arc<OwnAsks>,
        hooks: SelfTestHooks,
    ) -> Self {
        Self {
            current,
            listeners,
            own_asks,
            hooks,
            last: Mutex::default(),
            running: Mutex::default(),
        }
    }

    /// Asks all questions now. What failed is asked once more: the policy may have changed meanwhile.
    pub fn run(&self) -> Arc<SelfTestRun> {
        let _alone = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut run = self.run_once();
        if run.failed > 0 {
            run = self.run_once();
        }
        let failed: Vec<&str> = run.failures().take(NAMED).map(|row| row.id.as_str()).collect();
        if failed.is_empty() {
            info!(passed = run.passed, unknown = run.unknown, "the self-test passed");
        } else {
            warn!(failed = run.failed, rows = failed.join(" "), "the self-test failed");
        }
        (self.hooks.record)(&run.judged());
        let run = Arc::new(run);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&run));
        run
    }

    fn run_once(&self) -> SelfTestRun {
        let in_force = self.current.in_force();
        let now = (self.hooks.now)();
        let mut rows = ask::rows(&in_force, &self.listeners.plain, &self.own_asks, now);
        rows.extend(encrypted::rows(&in_force, &self.listeners, &self.own_asks, now));
        if !(self.hooks.has_upstream)() {
            rows = rows.into_iter().map(SelfTestRow::without_upstream).collect();
        }
        rows.extend(lists::rows(&in_force, now));
        SelfTestRun::of(in_force.config(), now, (self.hooks.release)(), rows)
    }

    /// The last test; none before the first.
    pub fn last(&self) -> Option<Arc<SelfTestRun>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts the thread that runs the test at its interval; it ends with the process.
    pub fn start(self: Arc<Self>) {
        let thread = std::thread::Builder::new().name("lachan-selftest".into());
        let work = move || {
            step_aside();
            self.follow();
        };
        if let Err(fault) = thread.spawn(work) {
            error!("no thread `lachan-selftest`: {fault}");
        }
    }

    fn follow(&self) {
        std::thread::sleep(FIRST);
        loop {
            let every = self.current.in_force().config().selftest.every;
            if every.is_some() {
                self.run();
            }
            std::thread::sleep(every.unwrap_or(LOOK));
        }
    }

    /// The last test, for the state of the gateway.
    pub fn status(&self) -> Option<SelfTestStatus> {
        let run = self.last()?;
        Some(SelfTestStatus {
            at: run.time.clone(),
            passed: run.passed,
            failed: run.failed,
            unknown: run.unknown,
            rows: run.failures().take(NAMED).map(|row| row.id.clone()).collect(),
        })
    }

    /// Results of the last test, for the metrics.
    pub fn samples(&self) -> Vec<Sample> {
        let run = self.last();
        let count = |result| run.as_ref().map_or(0, |run| run.count(result));
        let mut samples: Vec<Sample> = SelfTestResult::ALL
            .into_iter()
            .map(|result| families::SELFTEST_ROWS.sample((result,), count(result) as f64))
            .collect();
        let at = run.as_ref().map_or(0, |run| run.at);
        samples.push(families::SELFTEST_LAST_RUN.sample((), at as f64));
        samples
    }
}
