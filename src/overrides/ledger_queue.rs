//! Lines of the change ledger that wait for the disk.
//!
//! ```text
//! write ▸ behind those that wait ▸ one thread appends all, in order
//!                                  └ an error: they wait for the next line, or for `keep`
//! ```
//!
//! Laws: lines stand in the ledger in the order in which they came, and no two threads write at one time. What waits
//! is lost by a restart, so it is told ([`Queue::is_kept`]). There is a bound: beyond it the oldest go, which is logged.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use tracing::{error, info, warn};

use crate::sys::state_dir::StateDir;

/// The most lines that wait, and the most octets of them.
const MOST: usize = 10_000;
const MOST_OCTETS: usize = 8 << 20;

/// The ledgers of this process, by state directory: there is one, but in tests.
static LEDGERS: Mutex<BTreeMap<PathBuf, Arc<Queue>>> = Mutex::new(BTreeMap::new());

/// A line, and its civil second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WaitingLine {
    pub(super) at: u64,
    /// With the end of a line.
    pub(super) octets: Vec<u8>,
}

/// The lines of a ledger that are not on its disk.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Held while the file is written, and never while `lines` is.
    writing: Mutex<()>,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    waiting: VecDeque<WaitingLine>,
    octets: usize,
    /// Whether the last line that was tried could not be written.
    is_failing: bool,
    /// Those that went since.
    lost: u64,
}

/// Appends a line to the file.
pub(super) type Append<'a> = &'a mut dyn FnMut(&WaitingLine) -> io::Result<()>;

impl Lines {
    fn push(&mut self, line: WaitingLine) {
        self.octets += line.octets.len();
        self.waiting.push_back(line);
        self.bound();
    }

    fn pop(&mut self) -> Option<WaitingLine> {
        let line = self.waiting.pop_front()?;
        self.octets -= line.octets.len();
        Some(line)
    }

    fn put_back(&mut self, line: WaitingLine) {
        self.octets += line.octets.len();
        self.waiting.push_front(line);
        self.bound();
    }

    fn bound(&mut self) {
        while self.waiting.len() > MOST || self.octets > MOST_OCTETS {
            self.pop();
            if self.lost == 0 {
                error!(
                    "too many lines of the change ledger wait for the disk: the oldest are lost"
                );
            }
            self.lost += 1;
        }
    }
}

impl Queue {
    /// That of a state directory.
    pub(super) fn of(state: &StateDir) -> Arc<Self> {
        let mut ledgers = LEDGERS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(ledgers.entry(state.path().to_owned()).or_default())
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a line behind those that wait; it waits where that fails.
    pub(super) fn write(&self, line: WaitingLine, append: Append<'_>) {
        self.lines().push(line);
        let _one = self.writing();
        // Logged; what is told of it is `is_kept`.
        let _ = self.append_waiting(append);
    }

    /// Appends a line behind those that wait, or nothing of it.
    pub(super) fn write_or_refuse(&self, line: &WaitingLine, append: Append<'_>) -> io::Result<()> {
        let _one = self.writing();
        self.append_waiting(append)?;
        append(line)
    }

    /// Appends those that wait, unless another thread does.
    pub(super) fn keep(&self, append: Append<'_>) {
        let _one = match self.writing.try_lock() {
            Ok(one) => one,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        // As in `write`.
        let _ = self.append_waiting(append);
    }

    /// The caller must hold `writing`. Only the first of several failures is logged, and the end of them.
    fn append_waiting(&self, append: Append<'_>) -> io::Result<()> {
        loop {
            let line = {
                let mut lines = self.lines();
                let Some(line) = lines.pop() else {
                    let lost = std::mem::take(&mut lines.lost);
                    if std::mem::take(&mut lines.is_failing) {
                        info!(lost, "the change ledger is written again");
                    }
                    return Ok(());
                };
                line
            };
            if let Err(error) = append(&line) {
                let mut lines = self.lines();
                lines.put_back(line);
                if !std::mem::replace(&mut lines.is_failing, true) {
                    warn!(%error, "the change ledger cannot be written: its lines wait, and a restart loses them");
                }
                return Err(error);
            }
        }
    }

    /// Whether none waits for a disk that failed.
    pub(super) fn is_kept(&self) -> bool {
        !self.lines().is_failing
    }

    /// Those that wait, in order.
    pub(super) fn waiting(&self) -> Vec<WaitingLine> {
        self.lines().waiting.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: u64) -> WaitingLine {
        WaitingLine { at, octets: format!("{at}\n").into_bytes() }
    }

    fn refuse(_: &WaitingLine) -> io::Result<()> {
        Err(io::Error::other("the disk"))
    }

    #[test]
    fn what_waits_is_written_in_order_before_what_comes_later() {
        let (queue, mut written) = (Queue::default(), Vec::new());
        queue.write(line(1), &mut refuse);
        queue.write(line(2), &mut refuse);
        assert!(!queue.is_kept());
        assert!(queue.write_or_refuse(&line(3), &mut refuse).is_err());
        assert_eq!(queue.waiting(), [line(1), line(2)]);
        // The disk takes one line, and no more.
        queue.keep(&mut |one| {
            if !written.is_empty() {
                return refuse(one);
            }
            written.push(one.at);
            Ok(())
        });
        assert!(!queue.is_kept());
        queue.write(line(4), &mut |one| {
            written.push(one.at);
            Ok(())
        });
        assert_eq!(written, [1, 2, 4]);
        assert!(queue.is_kept() && queue.waiting().is_empty());
    }

    #[test]
    fn there_is_a_bound_and_the_oldest_go() {
        let queue = Queue::default();
        for at in 0..=MOST as u64 {
            queue.write(line(at), &mut refuse);
        }
        let waiting = queue.waiting();
        assert_eq!((waiting.len(), waiting[0].at), (MOST, 1));
        let large = WaitingLine { at: 0, octets: vec![b'\n'; MOST_OCTETS] };
        queue.write(large.clone(), &mut refuse);
        assert_eq!(queue.waiting(), [large]);
    }

    #[test]
    fn threads_lose_no_line_and_write_one_at_a_time() {
        let (queue, file) = (Queue::default(), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (queue, file) = (&queue, &file);
                scope.spawn(move || {
                    for number in 0..50 {
                        let mut tries = 0;
                        queue.write(line(thread * 100 + number), &mut |one| {
                            // Nobody else is here.
                            let mut file = file.try_lock().unwrap();
                            tries += 1;
                            if (one.at + tries) % 3 == 0 {
                                return refuse(one);
                            }
                            file.push(one.at);
                            Ok(())
                        });
                    }
                });
            }
        });
        queue.keep(&mut |one| {
            file.lock().unwrap().push(one.at);
            Ok(())
        });
        let written = file.into_inner().unwrap();
        for thread in 0..4 {
            let own: Vec<u64> = written.iter().copied().filter(|at| at / 100 == thread).collect();
            assert_eq!(own, (0..50).map(|number| thread * 100 + number).collect::<Vec<_>>());
        }
    }
}
