//! The review book: the rows of a gateway, in a file of the state directory.
//!
//! A request changes memory only. The file is replaced some minutes later, whatever the names were
//! that were asked about, so that neither an SD card wears nor the disk says which ones have a row.
//! Without a state directory the rows live as long as the process.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};

use crate::category::Level;
use crate::metrics::labels::{ReviewDecision, ReviewOutcome};
use crate::metrics::{Sample, families};
use crate::overrides::ledger::{self, LedgerEntry};
use crate::reviews::day::CivilDay;
use crate::reviews::request::{AskedSite, ReviewReason};
use crate::reviews::stored::{ReviewState, ReviewWord, StoredReview};
use crate::sys::state_dir::kept_file::{KeptFile, Unread};
use crate::sys::state_dir::{AGAIN, StateDir};

/// The file, in the state directory.
const FILE: &str = "reviews.json";
/// The most octets of the file that are read.
const MAX_OCTETS: u64 = 2 << 20;
/// The most names.
pub const MAX_ROWS: usize = 500;
/// Days after the newest request at which a row is gone.
pub const DAYS: u32 = 30;
/// Seconds between two writes that nobody waits for.
const PAUSE: u64 = 300;

/// The content of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct BookFile {
    reviews: Vec<StoredReview>,
}

/// The rows, and whether the file has them.
#[derive(Debug, Default)]
struct Rows {
    by_name: BTreeMap<String, StoredReview>,
    is_changed: bool,
    /// Seconds of a monotonic clock at the last write; none before the first.
    written: Option<u64>,
    /// The file, where it could not be read: nothing is written over it.
    unread: Option<Unread>,
}

/// What is told of a request: the same for every name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewReceipt {
    /// True where requests outlive a restart.
    pub is_kept: bool,
}

/// A line of the ledger about a review.
#[derive(Debug, Serialize)]
struct LedgerReview<'a> {
    kind: &'static str,
    names: [&'a str; 1],
    reason: &'a str,
}

/// All reviews of a gateway.
#[derive(Debug)]
pub struct ReviewBook {
    state: Option<StateDir>,
    rows: Mutex<Rows>,
    /// Whether the last write of the file succeeded.
    is_saved: AtomicBool,
    requests: [AtomicU64; ReviewOutcome::ALL.len()],
    decisions: [AtomicU64; ReviewDecision::ALL.len()],
}

impl Rows {
    /// Adds the rows of an earlier process. A name that was asked for since has its row already.
    fn take(&mut self, kept: KeptFile<BookFile>, state: &StateDir) {
        let rows = match kept {
            KeptFile::Absent => Vec::new(),
            KeptFile::Good(file) => file.reviews,
            KeptFile::Unread(file) => {
                self.unread = Some(file);
                return;
            }
            KeptFile::Bad(fault) => {
                error!(%fault, "{FILE} is bad: the reviews that were asked for are lost");
                if let Err(error) = state.set_aside(FILE) {
                    warn!(%error, "{FILE} cannot be set aside");
                }
                Vec::new()
            }
        };
        // A file by another hand is held to the same bounds.
        let is_site =
            |row: &StoredReview| AskedSite::read(&row.name).is_ok_and(|s| s.text() == row.name);
        for row in rows.into_iter().filter(is_site) {
            if self.by_name.len() < MAX_ROWS {
                self.by_name.entry(row.name.clone()).or_insert(row);
            }
        }
    }
}

impl ReviewBook {
    /// Reads the rows of an earlier process; none without a state directory.
    pub fn open(state: Option<StateDir>) -> Self {
        let mut rows = Rows::default();
        if let Some(state) = &state {
            rows.take(KeptFile::json(&state.join(FILE), MAX_OCTETS), state);
        }
        Self {
            state,
            is_saved: AtomicBool::new(rows.unread.is_none()),
            rows: Mutex::new(rows),
            requests: Default::default(),
            decisions: Default::default(),
        }
    }

    /// Notes a request about a site, which has a row or gets one where `gets_row`.
    ///
    /// Law: the receipt does not depend on the site, and nothing else that one can see from outside
    /// does.
    pub fn receive(
        &self,
        site: &AskedSite,
        (reason, level, code): (ReviewReason, Level, Option<&str>),
        gets_row: bool,
        today: Option<CivilDay>,
    ) -> ReviewReceipt {
        self.tell(ReviewOutcome::Received);
        let name = site.text();
        let mut rows = self.lock();
        rows.is_changed = true;
        if gets_row {
            if rows.by_name.len() >= MAX_ROWS && !rows.by_name.contains_key(&name) {
                make_room(&mut rows.by_name);
            }
            let is_full = rows.by_name.len() >= MAX_ROWS;
            let row = match rows.by_name.entry(name) {
                Entry::Occupied(row) => Some(row.into_mut()),
                Entry::Vacant(_) if is_full => None,
                Entry::Vacant(place) => {
                    let name = place.key().clone();
                    Some(place.insert(StoredReview { name, ..StoredReview::default() }))
                }
            };
            if let Some(row) = row {
                row.count((reason, level, code), today);
            }
        }
        ReviewReceipt { is_kept: self.is_kept() }
    }

    /// Counts a request that was not noted.
    pub fn tell(&self, outcome: ReviewOutcome) {
        add(&self.requests, outcome as usize);
    }

    /// True where rows outlive the process: there is a state directory, and the last write to it
    /// succeeded.
    pub fn is_kept(&self) -> bool {
        self.state.is_some() && self.is_saved.load(Ordering::Relaxed)
    }

    /// All rows: those that wait first, then by how often they were asked for.
    pub fn list(&self) -> Vec<StoredReview> {
        let mut all: Vec<StoredReview> = self.lock().by_name.values().cloned().collect();
        all.sort_by(|a, b| {
            let key = |row: &StoredReview| (row.state, u32::MAX - row.count);
            key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
        });
        all
    }

    /// Closes the row of a site with a person's word; `None` where it has none.
    ///
    /// `at` is the moment for the ledger, which has the same of every change.
    pub fn deny(&self, site: &AskedSite, word: &ReviewWord, at: u64) -> Option<StoredReview> {
        let closed = self.put(site, ReviewState::Denied, Some(word.clone()))?;
        add(&self.decisions, ReviewDecision::Denied as usize);
        if let Some(state) = &self.state {
            let what = LedgerReview { kind: "review", names: [&closed.name], reason: &word.reason };
            ledger::write(state, &LedgerEntry::new(at, "deny", &word.by, &what));
        }
        Some(closed)
    }

    /// Notes that the school allows a site; the ledger has it of the override.
    pub fn allowed(&self, site: &AskedSite, word: ReviewWord) -> Option<StoredReview> {
        add(&self.decisions, ReviewDecision::Allowed as usize);
        self.put(site, ReviewState::Allowed, Some(word))
    }

    /// Notes that the school allows a site no longer.
    pub fn revoked(&self, site: &AskedSite) -> Option<StoredReview> {
        self.put(site, ReviewState::Open, None)
    }

    /// Notes that rows were written into a file for the department; how many there were.
    pub fn forwarded(&self, sites: &[AskedSite]) -> usize {
        let names: Vec<String> = sites.iter().map(AskedSite::text).collect();
        let mut rows = self.lock();
        let mut count = 0;
        for name in names {
            let Some(row) = rows.by_name.get_mut(&name) else { continue };
            // What the school allows stays allowed until the department has said its word.
            if row.is_open() || row.state == ReviewState::Denied {
                row.state = ReviewState::Forwarded;
            }
            count += 1;
            add(&self.decisions, ReviewDecision::Forwarded as usize);
        }
        rows.is_changed = true;
        self.save(&mut rows);
        count
    }

    /// Removes rows that nobody asked for in the last [`DAYS`] days, and dates rows that were written
    /// down while the clock was untrusted.
    pub fn expire(&self, today: CivilDay) {
        let mut rows = self.lock();
        let before = rows.by_name.len();
        rows.by_name.retain(|_, row| row.last.is_none_or(|last| today.days_since(last) < DAYS));
        let mut is_changed = rows.by_name.len() < before;
        for row in rows.by_name.values_mut() {
            // A day to come is of a clock that was wrong: it would stay for ever.
            for day in [&mut row.first, &mut row.last] {
                if day.is_none_or(|day| day > today) {
                    *day = Some(today);
                    is_changed = true;
                }
            }
        }
        rows.is_changed |= is_changed;
    }

    /// Opens the rows again of names that the school allowed, and allows no longer.
    ///
    /// `is_allowed` is asked while no row can change: an allow is in force before its row says so.
    pub fn settle(&self, is_allowed: impl Fn(&str) -> bool) {
        let mut rows = self.lock();
        let mut is_changed = false;
        for row in rows.by_name.values_mut() {
            if row.state == ReviewState::Allowed && !is_allowed(&row.name) {
                (row.state, row.word) = (ReviewState::Open, None);
                is_changed = true;
            }
        }
        rows.is_changed |= is_changed;
    }

    /// Writes the file if rows changed, not more often than every five minutes; `is_last` writes it
    /// at once. `mono` is of a monotonic clock, in seconds.
    pub fn keep(&self, mono: u64, is_last: bool) {
        let mut rows = self.lock();
        let pause = if self.is_saved.load(Ordering::Relaxed) { PAUSE } else { AGAIN };
        let is_due = rows.written.is_none_or(|written| mono.saturating_sub(written) >= pause);
        if (rows.is_changed || rows.unread.is_some()) && (is_due || is_last) {
            rows.written = Some(mono);
            self.save(&mut rows);
        }
    }

    /// Rows that nobody answered yet.
    pub fn open_count(&self) -> usize {
        self.lock().by_name.values().filter(|row| row.is_open()).count()
    }

    /// Requests that were noted and names that were allowed, in this life.
    pub fn totals(&self) -> (u64, u64) {
        let count = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        let received = count(&self.requests[ReviewOutcome::Received as usize]);
        (received, count(&self.decisions[ReviewDecision::Allowed as usize]))
    }

    /// Requests, decisions and rows that wait, for the metrics.
    pub fn samples(&self) -> Vec<Sample> {
        let open = self.open_count();
        let count = |cells: &[AtomicU64], place: usize| {
            cells.get(place).map_or(0, |cell| cell.load(Ordering::Relaxed))
        };
        let requests = ReviewOutcome::ALL.into_iter().map(|one| {
            families::REVIEW_REQUESTS.sample((one,), count(&self.requests, one as usize))
        });
        let decisions = ReviewDecision::ALL.into_iter().map(|one| {
            families::REVIEW_DECISIONS.sample((one,), count(&self.decisions, one as usize))
        });
        let open = families::REVIEWS_OPEN.sample((), open as f64);
        requests.chain(decisions).chain([open]).collect()
    }

    fn put(
        &self,
        site: &AskedSite,
        state: ReviewState,
        word: Option<ReviewWord>,
    ) -> Option<StoredReview> {
        let mut rows = self.lock();
        let row = rows.by_name.get_mut(&site.text())?;
        (row.state, row.word) = (state, word);
        let put = row.clone();
        rows.is_changed = true;
        self.save(&mut rows);
        Some(put)
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, rows: &mut Rows) {
        let Some(state) = &self.state else { return };
        if let Some(file) = rows.unread.take() {
            rows.take(file.again(), state);
        }
        if rows.unread.is_some() {
            return;
        }
        let file = BookFile { reviews: rows.by_name.values().cloned().collect() };
        let text = serde_json::to_vec_pretty(&file).unwrap_or_default();
        let written = state.replace(FILE, &text);
        // What was not written is tried again.
        rows.is_changed = written.is_err();
        let was_saved = self.is_saved.swap(written.is_ok(), Ordering::Relaxed);
        match written {
            Err(error) if was_saved => {
                warn!(%error, "{FILE} cannot be written: a restart may not know the reviews");
            }
            Ok(()) if !was_saved => info!("{FILE} is written again"),
            _ => {}
        }
    }
}

/// Removes a row that is answered, or that was asked for once: the longest ago.
///
/// Where there is none, the new one is not written down: names that many ask for stay.
fn make_room(rows: &mut BTreeMap<String, StoredReview>) {
    let may_go =
        |row: &&StoredReview| row.state == ReviewState::Denied || row.is_open() && row.count <= 1;
    let least = rows.values().filter(may_go).min_by_key(|row| (row.is_open(), row.last));
    if let Some(name) = least.map(|row| row.name.clone()) {
        rows.remove(&name);
    }
}

fn add(cells: &[AtomicU64], place: usize) {
    if let Some(cell) = cells.get(place) {
        cell.fetch_add(1, Ordering::Relaxed);
    }
}
