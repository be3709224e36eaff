//! A list file that a test holds: the reload that reads it waits, for as long as the test wants.
//!
//! ```text
//! gateway: open ─────────────── read ···············▶ end of file ▶ compiled, in force
//! test:          opens to write ──── whatever must be true meanwhile ── release
//! ```
//!
//! It is a FIFO: opening one to write succeeds only while somebody has it open to read, so
//! that [`Held::reading`] is a proof that a reload is under way, and no guess about time.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::eventually;
use super::gateway::run;

/// A list file that is a FIFO.
#[derive(Debug)]
pub(crate) struct Held(PathBuf);

/// A reload that waits for the text of the list.
#[derive(Debug)]
pub(crate) struct Reading(File);

impl Held {
    /// Takes the place of the list file at `path`.
    pub(crate) fn at(path: &Path) -> Self {
        let beside = path.with_extension("fifo");
        let mut command = Command::new("mkfifo");
        command.arg(&beside);
        let (status, output) = run(command);
        assert!(status.success(), "{output}");
        std::fs::rename(beside, path).unwrap();
        Self(path.to_owned())
    }

    /// Waits until a reload reads the list.
    pub(crate) fn reading(&self) -> Reading {
        let mut options = OpenOptions::new();
        // So that it fails at once while nobody reads.
        options.write(true).custom_flags(libc::O_NONBLOCK);
        eventually("a reload that reads the held list", || options.open(&self.0).ok().map(Reading))
    }
}

impl Reading {
    /// Gives the reload its text, and lets it end.
    pub(crate) fn release(mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }
}
