//! The library from outside: what it reads, decides, answers and asks, in this process.
//!
//! One test crate, so that the kit is compiled and linked once.
//! Run a part of it by name: `cargo test --test core config::`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test binary: it fails by panicking, and shows what it found on stderr"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};

mod architecture;
mod blocklists;
mod config;
mod designated;
mod docs;
mod evidence;
mod explain;
mod fleet;
mod keywords;
#[path = "../kit/mod.rs"]
mod kit;
mod links;
mod placement;
mod real_lists;
mod rehearsal;
mod report;
mod scripted;
mod stress;
mod time;
mod upstream;

/// The machine, for a test that takes all cores or measures time: one such test at a time.
pub(crate) struct Alone {
    _machine: MutexGuard<'static, ()>,
}

/// Waits until no other test has the machine.
pub(crate) fn alone() -> Alone {
    static MACHINE: Mutex<()> = Mutex::new(());
    Alone { _machine: MACHINE.lock().unwrap_or_else(PoisonError::into_inner) }
}
