//! Lists by URL: downloaded, judged, stored, and used like any other file.
//!
//! ```text
//! due ▶ conditional GET ▶ judge (is it a list? as much as before?) ▶ store ▶ the watcher sees a file
//!  ▲ jitter               └ refused, logged, the copy before stays
//!  └──────────────────────── back-off after a failure
//! ```
//!
//! Law: a download must never delay a start. The last good copies are files in the state directory,
//! and a source without one is left out until its download is stored. Each source has a task of its
//! own and its own time limit, on one thread of the lowest priority: a server that is slow holds up
//! its own list. Names are resolved by the gateway's own upstream servers, so
//! that a gateway that is its own machine's resolver needs no other.
//!
//! Absent on purpose: putting lists in force. The reload does it, which sees a changed file.

mod attempt;
mod copies;
mod downloads;
mod error;
mod file;
mod get;
mod names;
mod place;
mod tally;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{error, info, warn};

pub use attempt::{Taken, fetch_once};
pub use copies::{Copies, Note, prove};
pub use downloads::Downloads;
pub use error::FetchError;
pub use file::{FileReply, FileRequest};
pub use get::{ByteStream, Dial, Dialling, HttpClient, SILENCE};
pub use names::{Answering, Names};
pub use place::place;
pub use tally::Tally;

use crate::config::ListSource;
use crate::fetch::downloads::url_of;
use crate::sys::clock::Dates;
use crate::sys::os::step_aside;
use crate::sys::state_dir::AGAIN;

/// The first wait after a download that failed; it doubles. The uplink may still be coming up.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// The first wait after a download that was refused: its server must correct it first.
const FIRST_RETRY_REFUSED: Duration = Duration::from_secs(300);
/// The longest wait after a failure.
const LAST_RETRY: Duration = Duration::from_secs(3600);
/// The interval at which missing and damaged copies are looked for: one may be removed by hand.
const LOOK: Duration = Duration::from_secs(10);
/// The most downloads at once: enough that some slow servers hold nobody up.
pub const AT_ONCE: usize = 16;

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

    /// One task a source: a slow server holds up its own list alone.
    async fn run(self: Arc<Self>) {
        let mut news = self.downloads.subscribe();
        let mut tasks: BTreeMap<String, (Downloads, AbortHandle)> = BTreeMap::new();
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let downloads = news.borrow_and_update().clone();
            // `update` has logged the reason where there is no directory. One that cannot be used now is asked again.
            let (copies, is_lost) = match downloads.copies() {
                Ok(copies) => (copies, false),
                Err(_) => (None, true),
            };
            let mut wanted: BTreeMap<&str, Downloads> = BTreeMap::new();
            for source in downloads.sources.iter().filter(|_| copies.is_some()) {
                let only = || Downloads { sources: vec![source.clone()], ..downloads.clone() };
                wanted.entry(url_of(source)).or_insert_with(only);
            }
            tasks.retain(|url, (doing, task)| {
                let stays = wanted.get(url.as_str()) == Some(doing);
                if !stays {
                    task.abort();
                }
                stays
            });
            for (url, only) in wanted {
                let Some(copies) = copies.clone().filter(|_| !tasks.contains_key(url)) else {
                    continue;
                };
                let follow = Arc::clone(&self).follow(only.clone(), copies, Arc::clone(&turns));
                let task = tokio::spawn(follow).abort_handle();
                tasks.insert(url.to_owned(), (only, task));
            }
            let changed = news.changed();
            let is_over = if is_lost {
                timeout(Duration::from_secs(AGAIN), changed).await.is_ok_and(|next| next.is_err())
            } else {
                changed.await.is_err()
            };
            if is_over {
                return;
            }
        }
    }

    /// Keeps one source up to date, until it is aborted.
    async fn follow(self: Arc<Self>, downloads: Downloads, copies: Copies, turns: Arc<Semaphore>) {
        let Some(source) = downloads.sources.first() else { return };
        let mut timer = Timer::first(source, &copies);
        loop {
            if timer.failures == 0 && copies.whole(&source.path).is_none() {
                timer.due = Instant::now();
            }
            tokio::select! {
                biased;
                () = sleep_until(timer.due) => {}
                () = tokio::time::sleep(LOOK) => continue,
            }
            // It is closed never.
            let Ok(_turn) = turns.acquire().await else { return };
            let taken = self.fetch(&downloads, &copies, source).await;
            let whole = copies.whole(&source.path);
            // A disk that does not keep what it is given must not be written again at once.
            let taken = taken.and_then(|taken| match &whole {
                Some(_) => Ok(taken),
                None => Err(copies.not_kept()),
            });
            self.tally().note(url_of(source), taken.as_ref(), whole);
            timer.set(source, taken);
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
        let age = copies.whole(&source.path).map(|note| note.age());
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
