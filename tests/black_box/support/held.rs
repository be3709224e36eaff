//! A list file that a test holds: the reload that reads it waits, for as long as the test wants.
//!
//! ```text
//! gateway: open ············ waits for the lease ······▶ read ▶ compiled, in force
//! test:          sees it waiting ──── whatever must be true meanwhile ── release
//! ```
//!
//! It is a file under a write lease (fcntl(2)): an open of it fails until the lease ends, and the
//! holder sees that one was tried, so that [`Held::reading`] is a proof that a reload is under way,
//! and no guess about time. A FIFO would not do: the gateway refuses it.

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd as _;
use std::path::Path;

use super::eventually;

/// `F_SETSIG` of Linux, which the crate lacks.
const F_SETSIG: libc::c_int = 10;

/// A list file under a lease.
#[derive(Debug)]
pub(crate) struct Held(File);

/// A reload that waits for the list.
#[derive(Debug)]
pub(crate) struct Reading(File);

/// A call of fcntl(2).
#[expect(unsafe_code, reason = "the standard library has no leases")]
fn control(file: &File, command: libc::c_int, argument: libc::c_int) -> libc::c_int {
    // SAFETY: the descriptor is open, and the commands take an integer.
    unsafe { libc::fcntl(file.as_raw_fd(), command, argument) }
}

impl Held {
    /// Takes the place of the list file at `path`, with this text.
    pub(crate) fn at(path: &Path, text: &str) -> Self {
        let beside = path.with_extension("held");
        std::fs::write(&beside, text).unwrap();
        let file = OpenOptions::new().read(true).write(true).open(&beside).unwrap();
        // The signal of a broken lease must be one that is ignored.
        assert_eq!(control(&file, F_SETSIG, libc::SIGURG), 0);
        assert_eq!(control(&file, libc::F_SETLEASE, libc::F_WRLCK), 0, "a lease");
        std::fs::rename(beside, path).unwrap();
        Self(file)
    }

    /// Waits until a reload reads the list.
    pub(crate) fn reading(self) -> Reading {
        let is_tried = || control(&self.0, libc::F_GETLEASE, 0) != libc::F_WRLCK;
        eventually("a reload that reads the held list", || is_tried().then_some(()));
        Reading(self.0)
    }
}

impl Reading {
    /// Gives the reload the list, and lets it end.
    pub(crate) fn release(self) {
        control(&self.0, libc::F_SETLEASE, libc::F_UNLCK);
    }
}
