//! What a change of policy in the middle of a run does: when it was made, when it was seen, and
//! how long replies took meanwhile and otherwise.
//!
//! ```text
//!        rename          new_first
//! ─────────┼────────────────┼─────┬──────────
//! outside  │           inside     │   outside
//!          reading, verifying,   and half a second more:
//!          swapping              pages, tables, the old policy's end
//! ```

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long after the new policy was seen the window lasts.
const AFTER: Duration = Duration::from_millis(500);
/// What is not looked at: the first moments of a run.
const BEFORE: Duration = Duration::from_millis(500);
/// Replies that are told one by one: the slowest.
const TOLD: usize = 8;

/// A file that is put in the place of another, while queries go on.
pub(crate) struct Change {
    from: PathBuf,
    to: PathBuf,
    at: Duration,
    renamed: Option<Duration>,
    /// When the first reply by the new policy came, and the last by the old.
    new_first: Option<Duration>,
    old_last: Option<Duration>,
    /// Replies by the old policy to queries that left after the new one had been seen.
    mixed: usize,
    /// When each query was due and how long it took, in microseconds.
    replies: Vec<(u32, u32)>,
}

impl Change {
    /// A rename `at` so long after the start. Memory for so many replies is touched now: it
    /// must not be asked for between two queries.
    pub(crate) fn new(from: &str, to: &str, at: Duration, replies: usize) -> Self {
        let mut memory = vec![(1, 1); replies];
        memory.clear();
        Self {
            from: from.into(),
            to: to.into(),
            at,
            renamed: None,
            new_first: None,
            old_last: None,
            mixed: 0,
            replies: memory,
        }
    }

    /// Makes it, when it is time.
    pub(crate) fn make(&mut self, elapsed: Duration) {
        if self.renamed.is_none() && elapsed >= self.at {
            std::fs::rename(&self.from, &self.to).expect("a rename within one file system");
            self.renamed = Some(elapsed);
        }
    }

    /// Notes a reply to a query that was due and sent at these moments after the start.
    pub(crate) fn note(&mut self, due: Duration, took: Duration) {
        if self.replies.len() < self.replies.capacity() {
            self.replies.push((due.as_micros() as u32, took.as_micros() as u32));
        }
    }

    /// Notes whether a reply that a change is seen in was by the new policy.
    pub(crate) fn see(&mut self, is_new: bool, sent: Duration, came: Duration) {
        if is_new {
            self.new_first.get_or_insert(came);
        } else {
            self.old_last = Some(came);
            self.mixed += usize::from(self.new_first.is_some_and(|first| sent > first));
        }
    }

    /// Replies by neither the one policy nor the other.
    pub(crate) fn mixed(&self) -> usize {
        self.mixed
    }

    /// Writes when each query was due and how long its reply took, a line each.
    pub(crate) fn write(&self, out: &str) {
        let mut lines = String::new();
        for (due, took) in &self.replies {
            let _ = writeln!(lines, "{due} {took}");
        }
        std::fs::write(out, lines).expect("a file for replies");
    }

    /// Prints what was seen, as `key value` lines; times in milliseconds after the start.
    #[expect(clippy::print_stdout, reason = "a program of the benchmarks")]
    pub(crate) fn report(mut self, started: Instant, unix: Duration) {
        let ms = |time: Option<Duration>| time.map_or(-1.0, |time| time.as_secs_f64() * 1000.0);
        let (renamed, first, last) = (ms(self.renamed), ms(self.new_first), ms(self.old_last));
        println!("started_unix {:.6}", unix.as_secs_f64());
        println!("renamed {renamed:.1}\nold_last {last:.1}\nnew_first {first:.1}");
        println!("mixed {}", self.mixed);
        self.window(started);
        self.slowest();
    }

    /// Prints how long replies took inside the window and outside it.
    #[expect(clippy::print_stdout, reason = "a program of the benchmarks")]
    fn window(&mut self, started: Instant) {
        let (Some(from), Some(first)) = (self.renamed, self.new_first) else {
            println!("not_seen 1");
            return;
        };
        let (from, to) = (from.as_micros() as u32, (first + AFTER).as_micros() as u32);
        println!("window {} {}", from / 1000, to / 1000);
        let end = started.elapsed().as_micros() as u32;
        println!("whole {}", u8::from(to < end));
        let is_inside = |due: u32| due >= from && due < to;
        self.replies.retain(|(due, _)| u128::from(*due) >= BEFORE.as_micros());
        let of = |inside: bool| -> Vec<u32> {
            let chosen = self.replies.iter().filter(|(due, _)| is_inside(*due) == inside);
            let mut took: Vec<u32> = chosen.map(|(_, took)| *took).collect();
            took.sort_unstable();
            took
        };
        for (name, took) in [("inside", of(true)), ("outside", of(false))] {
            let within = |share: usize| took.get(took.len() * share / 10_000).copied().unwrap_or(0);
            println!("{name}_count {}", took.len());
            for (label, share) in [("p50", 5000), ("p99", 9900), ("p999", 9990), ("p9999", 9999)] {
                println!("{name}_{label} {}", within(share));
            }
            println!("{name}_max {}", took.last().copied().unwrap_or(0));
        }
    }

    /// Prints where the slowest are: one for each spell of them.
    #[expect(clippy::print_stdout, reason = "a program of the benchmarks")]
    fn slowest(mut self) {
        self.replies.sort_unstable_by_key(|(_, took)| std::cmp::Reverse(*took));
        let mut told: Vec<u32> = Vec::new();
        for (due, took) in self.replies {
            if told.iter().all(|other| other.abs_diff(due) > 20_000) {
                println!("slow {} {took}", due / 1000);
                told.push(due);
            }
            if told.len() == TOLD {
                break;
            }
        }
    }
}
