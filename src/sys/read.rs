//! Configured files, read so that none can hang or flood the gateway.
//!
//! ```text
//! path ▸ open without waiting ▸ a regular file? ▸ at most so many octets
//! ```
//!
//! Law: every file that a config or the state directory names is opened here. A FIFO, a socket or a
//! device under such a name is an error at once; reading one would wait for ever, or never end. A
//! file on a mount that hangs is given up after [`LIMIT`], and its thread is left to the kernel: at
//! most [`MOST_STUCK`] of them.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// The most octets of a config, or of a text that it names.
pub const MAX_TEXT: u64 = 16 << 20;
/// The most files of one directory.
const MAX_FILES: usize = 100_000;
/// The longest wait for one file: a network's disk may be slow, a school waits for its DNS.
const LIMIT: Duration = Duration::from_secs(20);
/// The pause between two attempts on a file that its writer has locked.
const PAUSE: Duration = Duration::from_millis(20);
/// The most threads that wait in the kernel for a mount.
const MOST_STUCK: usize = 8;

/// Threads that were given up.
static STUCK: AtomicUsize = AtomicUsize::new(0);

/// Opens a regular file.
///
/// # Errors
///
/// The error of the system, or that it is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    let owned = path.to_owned();
    within(move || open_now(&owned))
}

/// The octets of a regular file, `most` at most.
///
/// # Errors
///
/// As [`open`], or that it is longer.
pub fn octets(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let owned = path.to_owned();
    within(move || {
        let mut octets = Vec::new();
        open_now(&owned)?.take(most + 1).read_to_end(&mut octets)?;
        if octets.len() as u64 > most {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it is larger than {} MiB; is it the file that was meant?", most >> 20),
            ));
        }
        Ok(octets)
    })
}

/// The text of a regular file, of [`MAX_TEXT`] octets at most.
///
/// # Errors
///
/// As [`octets`], or that it is no UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    let wrong = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    String::from_utf8(octets(path, MAX_TEXT)?).map_err(wrong)
}

/// The metadata of what is at a path, whatever it is.
///
/// # Errors
///
/// The error of the system.
pub fn metadata(path: &Path) -> io::Result<Metadata> {
    let owned = path.to_owned();
    within(move || std::fs::metadata(owned))
}

/// The paths and the metadata of what is in a directory. What is removed while it is read is not
/// there, nor is a link that leads nowhere.
///
/// # Errors
///
/// The error of the system.
pub fn directory(path: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    let owned = path.to_owned();
    within(move || {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(owned)? {
            let path = entry?.path();
            if found.len() == MAX_FILES {
                return Err(io::Error::other(format!("it has more than {MAX_FILES} files")));
            }
            if let Ok(metadata) = std::fs::metadata(&path) {
                found.push((path, metadata));
            }
        }
        Ok(found)
    })
}

/// The same; nothing where there is no directory.
///
/// # Errors
///
/// The error of the system: what is there is not known.
pub fn directory_if_any(path: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    match directory(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        found => found,
    }
}

/// Opens without waiting for a writer of a FIFO or for a device. A writer's lease (fcntl(2)) is
/// waited for: it ends soon.
fn open_now(path: &Path) -> io::Result<File> {
    let mut attempts = LIMIT.as_millis() / PAUSE.as_millis();
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    // Opening some devices does something.
    regular(&std::fs::metadata(path)?)?;
    let file = loop {
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && attempts > 0 => {
                attempts -= 1;
                std::thread::sleep(PAUSE);
            }
            other => break other?,
        }
    };
    // Of the open file: another may have this name by now.
    regular(&file.metadata()?)?;
    Ok(file)
}

fn regular(found: &Metadata) -> io::Result<()> {
    if found.is_file() {
        return Ok(());
    }
    let kind =
        if found.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::InvalidInput };
    let what =
        if found.is_dir() { "it is a directory" } else { "it is a FIFO, a device or a socket" };
    Err(io::Error::new(kind, format!("{what}, not a file")))
}

/// What is said of a disk or mount that hangs.
pub(super) fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the disk or mount does not answer")
}

/// Does work that the kernel may never end, for [`LIMIT`] at most.
pub(super) fn within<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    if STUCK.load(Ordering::Relaxed) >= MOST_STUCK {
        return Err(late());
    }
    let (done, result) = sync_channel(1);
    let is_over = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&is_over);
    std::thread::Builder::new().name("lachan-read".into()).spawn(move || {
        let _ = done.send(work());
        if theirs.swap(true, Ordering::AcqRel) {
            STUCK.fetch_sub(1, Ordering::Relaxed);
        }
    })?;
    result.recv_timeout(LIMIT + PAUSE).unwrap_or_else(|_| {
        STUCK.fetch_add(1, Ordering::Relaxed);
        if is_over.swap(true, Ordering::AcqRel) {
            STUCK.fetch_sub(1, Ordering::Relaxed);
        }
        Err(late())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_are_read_and_only_so_much_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "four").unwrap();
        assert_eq!(text(&path).unwrap(), "four");
        assert_eq!(octets(&path, 4).unwrap(), b"four");
        assert_eq!(octets(&path, 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        let fifo = dir.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        for odd in [fifo.as_path(), Path::new("/dev/zero"), Path::new("/dev/tty")] {
            let error = text(odd).unwrap_err();
            assert!(matches!(error.kind(), io::ErrorKind::InvalidInput), "{odd:?} {error}");
        }
        assert_eq!(open(dir.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(text(&dir.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
