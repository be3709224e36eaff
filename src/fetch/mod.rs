//! Lists by URL: downloaded, judged, stored, and used like any other file.
//!
//! ```text
//! due ▶ conditional GET ▶ judge (is it a list? as much as before?) ▶ store ▶ the watcher sees a file
//!  ▲ jitter               └ refused, logged, the copy before stays
//!  └──────────────────────── back-off after a failure
//! ```
//!
//! Law: a download must never delay a start. The last good copies are files in the state directory,
//! and a source without one is left out until its download is stored. Downloads run one at a time,
//! on a thread of the lowest priority. Names are resolved by the gateway's own upstream servers, so
//! that a gateway that is its own machine's resolver needs no other.
//!
//! Absent on purpose: putting lists in force. The reload does it, which sees a changed file.

mod attempt;
mod copies;
mod downloads;
mod error;
mod get;
mod names;
mod place;
mod tally;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{error, info, warn};

pub use attempt::{Taken, fetch_once};
pub use copies::{Copies, Note};
pub use downloads::Downloads;
pub use error::FetchError;
pub use get::HttpClient;
pub use names::Names;
pub use place::place;
pub use tally::Tally;

use crate::config::ListSource;
use crate::fetch::downloads::url_of;
use crate::sys::clock::Dates;
use crate::sys::os::step_aside;

/// The first wait after a download that failed; it doubles. The uplink may still be coming up.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// The first wait after a download that was refused: its server must correct it first.
const FIRST_RETRY_REFUSED: Duration = Duration::from_secs(300);
/// The longest wait after a failure.
const LAST_RETRY: Duration = Duration::from_secs(3600);
/// The interval at which missing copies are looked for: one may be removed by hand.
const LOOK: Duration = Duration::from_secs(60);

/// Downloads in the background.
#[derive(Debug)]
pub struct Fetcher {
    downloads: watch::Sender<Downloads>,
    names: Names,
    dates: Dates,
    is_running: AtomicBool,
    tally: Mutex<Tally>,
}

impl Fetcher {
    /// A fetcher without downloads.
    pub fn new(names: Names, dates: Dates) -> Arc<Self> {
        Arc::new(Self {
            downloads: watch::Sender::new(Downloads::default()),
            names,
            dates,
            is_running: AtomicBool::new(false),
            tally: Mutex::default(),
        })
    }

    /// Replaces the downloads.
    pub fn update(self: &Arc<Self>, downloads: Downloads) {
        if *self.downloads.borrow() == downloads {
            return;
        }
        let is_needed = !downloads.sources.is_empty();
        if is_needed && downloads.state.is_none() {
            error!("lists by `url` need a directory for their copies; set `dir` in [state]");
        }
        // The watcher can only watch a directory that exists.
        if is_needed && let Err(error) = downloads.copies() {
            error!("no list is downloaded: {error}");
        }
        self.tally().follow(&downloads);
        self.downloads.send_replace(downloads);
        if is_needed && !self.is_running.swap(true, Ordering::AcqRel) {
            let fetcher = Arc::clone(self);
            let thread = std::thread::Builder::new().name("lachan-fetch".into());
            if let Err(error) = thread.spawn(move || fetcher.work()) {
                error!("no list is downloaded: no thread: {error}");
            }
        }
    }

    /// Counts of downloads, and the moments at which their copies were confirmed.
    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread's body, which ends with the process.
    fn work(self: Arc<Self>) {
        step_aside();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => runtime.block_on(self.run()),
            Err(error) => error!("no list is downloaded: {error}"),
        }
    }

    async fn run(self: Arc<Self>) {
        let mut news = self.downloads.subscribe();
        let mut timers: BTreeMap<String, Timer> = BTreeMap::new();
        loop {
            let downloads = news.borrow_and_update().clone();
            let Ok(Some(copies)) = downloads.copies() else {
                // `update` has logged the reason.
                if news.changed().await.is_err() {
                    return;
                }
                continue;
            };
            timers.retain(|url, _| downloads.sources.iter().any(|source| url_of(source) == url));
            for source in &downloads.sources {
                let first = || Timer::first(source, &copies);
                let timer = timers.entry(url_of(source).to_owned()).or_insert_with(first);
                if timer.failures == 0 && copies.note(&source.path).is_none() {
                    timer.due = Instant::now();
                }
            }
            let next =
                downloads.sources.iter().min_by_key(|s| timers.get(url_of(s)).map(|t| t.due));
            let Some((source, timer)) =
                next.and_then(|source| Some((source, timers.get_mut(url_of(source))?)))
            else {
                if news.changed().await.is_err() {
                    return;
                }
                continue;
            };
            tokio::select! {
                changed = news.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK) => {}
                () = sleep_until(timer.due) => {
                    let taken = self.fetch(&downloads, &copies, source).await;
                    self.tally().note(url_of(source), taken.as_ref(), copies.note(&source.path));
                    timer.set(source, taken);
                }
            }
        }
    }

    async fn fetch(
        &self,
        downloads: &Downloads,
        copies: &Copies,
        source: &ListSource,
    ) -> Result<Taken, FetchError> {
        // A new client each time: the certificates may have changed.
        let roots = downloads.tls_roots.as_deref();
        let client = HttpClient::new(roots, self.names.clone(), self.dates.clone())?;
        fetch_once(&client, copies, source, false).await
    }
}

/// The next attempt at a source, and the failures before it.
#[derive(Debug)]
struct Timer {
    due: Instant,
    failures: u32,
    /// The failure that was logged last.
    complaint: String,
}

impl Timer {
    /// At once where there is no copy, else when the copy is old enough.
    fn first(source: &ListSource, copies: &Copies) -> Self {
        let every = source.fetch.as_ref().map_or(Duration::ZERO, |fetch| fetch.every);
        let age = copies.note(&source.path).map(|note| note.age());
        let wait = age.map_or(Duration::ZERO, |age| jittered(every).saturating_sub(age));
        Self { due: Instant::now() + wait, failures: 0, complaint: String::new() }
    }

    fn set(&mut self, source: &ListSource, taken: Result<Taken, FetchError>) {
        let every = source.fetch.as_ref().map_or(LAST_RETRY, |fetch| fetch.every);
        let label = &source.label;
        match taken {
            Ok(taken) => {
                match taken {
                    Taken::New { rules, octets } => info!(rules, octets, "{label}: downloaded"),
                    Taken::Unchanged if self.failures > 0 => info!("{label}: is as it was"),
                    Taken::Unchanged => {}
                }
                *self = Self {
                    due: Instant::now() + jittered(every),
                    failures: 0,
                    complaint: String::new(),
                };
            }
            Err(failure) => {
                let first = if failure.is_refusal() { FIRST_RETRY_REFUSED } else { FIRST_RETRY };
                let wait = first.saturating_mul(1 << self.failures.min(16));
                self.failures += 1;
                self.due = Instant::now() + jittered(wait.min(LAST_RETRY).min(every));
                let complaint = failure.to_string();
                // The same failure is logged once, not at every try.
                if self.complaint != complaint {
                    warn!("{label}: not downloaded, the copy before stays: {complaint}");
                    self.complaint = complaint;
                }
            }
        }
    }
}

/// Jitter of a quarter either way, so that a thousand gateways do not connect at once.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::rng().random_range(0.75..1.25))
}

#[cfg(test)]
mod tests;
