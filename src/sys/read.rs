//! Configured files, read so that none can hang or flood the gateway.
//!
//! ```text
//! path ▸ open without waiting ▸ a regular file? ▸ at most so many octets
//! ```
//!
//! Law: every file that a config or the state directory names is opened here. A FIFO, a socket or a
//! device under such a name is an error at once; reading one would wait for ever, or never end. A
//! file on a mount that hangs is given up after [`LIMIT`], and its thread is left to the kernel: at
//! most [`MOST_STUCK`] of them. A place that hangs is waited for once: until it answers, what lies
//! below it is an error at once.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Cursor, Read, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// The longest wait for one of the directories above a file that did not answer.
const LOOK: Duration = Duration::from_secs(1);

/// The octets of a file that are read at once.
const PIECE: u64 = 1 << 20;

/// Threads that were given up.
static STUCK: AtomicUsize = AtomicUsize::new(0);
/// Places that did not answer, and have not since.
static SILENT: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Opens a regular file.
///
/// # Errors
///
/// The error of the system, or that it is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    within(path, open_now)
}

/// A regular file that is read by pieces, each of which the disk may hold up for [`LIMIT`] at most.
#[derive(Debug)]
pub struct Bounded {
    path: PathBuf,
    file: Arc<File>,
    piece: Cursor<Vec<u8>>,
}

/// Opens a regular file, to be read by pieces.
///
/// # Errors
///
/// As [`open`].
pub fn bounded(path: &Path) -> io::Result<Bounded> {
    let file = Arc::new(open(path)?);
    Ok(Bounded { path: path.to_owned(), file, piece: Cursor::default() })
}

impl Bounded {
    /// Its octets.
    ///
    /// # Errors
    ///
    /// The error of the system.
    pub fn size(&self) -> io::Result<u64> {
        let file = Arc::clone(&self.file);
        within(&self.path, move |_| Ok(file.metadata()?.len()))
    }

    /// Goes back to its first octet.
    ///
    /// # Errors
    ///
    /// The error of the system.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.piece = Cursor::default();
        self.file.as_ref().rewind()
    }
}

impl Read for Bounded {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.piece.position() == self.piece.get_ref().len() as u64 {
            let file = Arc::clone(&self.file);
            let next = within(&self.path, move |_| {
                let mut piece = Vec::new();
                file.as_ref().take(PIECE).read_to_end(&mut piece)?;
                Ok(piece)
            });
            self.piece = Cursor::new(next?);
        }
        self.piece.read(to)
    }
}

/// Reads a regular file to its end; nothing of it is kept.
///
/// # Errors
///
/// As [`open`].
pub fn through(path: &Path) -> io::Result<()> {
    io::copy(&mut bounded(path)?, &mut io::sink()).map(drop)
}

/// True for the error of a file that is there and gave no octets: of its content it says nothing.
pub fn is_unread(error: &io::Error) -> bool {
    let kind = error.kind();
    let is_of_system = error.raw_os_error().is_some() || kind == io::ErrorKind::TimedOut;
    is_of_system && kind != io::ErrorKind::NotFound
}

/// The octets of a regular file, `most` at most.
///
/// # Errors
///
/// As [`open`], or that it is longer.
pub fn octets(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    within(path, move |path| {
        let mut octets = Vec::new();
        open_now(path)?.take(most + 1).read_to_end(&mut octets)?;
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
    within(path, |path| std::fs::metadata(path))
}

/// True where a regular file is at a path; not where it cannot be told.
pub fn is_file(path: &Path) -> bool {
    metadata(path).is_ok_and(|found| found.is_file())
}

/// True where a directory is at a path; not where it cannot be told.
pub fn is_directory(path: &Path) -> bool {
    metadata(path).is_ok_and(|found| found.is_dir())
}

/// The paths and the metadata of what is in a directory. What is removed while it is read is not
/// there, nor is a link that leads nowhere.
///
/// # Errors
///
/// The error of the system.
pub fn directory(path: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    within(path, |path| {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path)? {
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

/// The paths of what is in a directory, of which nothing else is asked: a link there may lead to a mount
/// that hangs.
///
/// # Errors
///
/// The error of the system.
pub fn names(path: &Path) -> io::Result<Vec<PathBuf>> {
    within(path, |path| {
        std::fs::read_dir(path)?.take(MAX_FILES).map(|entry| Ok(entry?.path())).collect()
    })
}

/// The same as [`directory`]; nothing where there is no directory.
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
fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the disk or mount does not answer")
}

/// Does work with a path that the kernel may never end, for [`LIMIT`] at most. Below a place that
/// hangs it is not begun.
///
/// # Errors
///
/// That of the work, or [`io::ErrorKind::TimedOut`].
pub fn within<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    within_for(LIMIT + PAUSE, path, work)
}

fn within_for<T: Send + 'static>(
    limit: Duration,
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    if is_silent(path) || STUCK.load(Ordering::Relaxed) >= MOST_STUCK {
        return Err(late());
    }
    let (done, result) = sync_channel(1);
    let is_over = Arc::new(AtomicBool::new(false));
    let (theirs, owned) = (Arc::clone(&is_over), path.to_owned());
    std::thread::Builder::new().name("lachan-read".into()).spawn(move || {
        let _ = done.send(work(&owned));
        if theirs.swap(true, Ordering::AcqRel) {
            STUCK.fetch_sub(1, Ordering::Relaxed);
            silent().retain(|one| *one != owned);
        }
    })?;
    result.recv_timeout(limit).unwrap_or_else(|_| {
        let mut silent = silent();
        STUCK.fetch_add(1, Ordering::Relaxed);
        if is_over.swap(true, Ordering::AcqRel) {
            STUCK.fetch_sub(1, Ordering::Relaxed);
        } else {
            silent.push(path.to_owned());
            drop(silent);
            find_silent_above(path);
        }
        Err(late())
    })
}

/// Looks at the directories above a path that did not answer, the outermost first: the first one that
/// does not answer either is silent, with all that lies below it.
fn find_silent_above(path: &Path) {
    let above: Vec<PathBuf> = path.ancestors().skip(1).map(Path::to_owned).collect();
    let (answered, answers) = channel();
    let (asked, waiting) = (above.clone(), Arc::new(Mutex::new(None::<PathBuf>)));
    let silent_one = Arc::clone(&waiting);
    let started = std::thread::Builder::new().name("lachan-read".into()).spawn(move || {
        for place in asked.iter().rev().filter(|place| !place.as_os_str().is_empty()) {
            // Nothing else is asked of it: what waits in it for the disk may have locked its names.
            let _ = std::fs::metadata(place);
            if answered.send(()).is_err() {
                break;
            }
        }
        if let Some(place) = silent_one.lock().unwrap_or_else(PoisonError::into_inner).take() {
            STUCK.fetch_sub(1, Ordering::Relaxed);
            silent().retain(|one| *one != place);
        }
    });
    if started.is_err() {
        return;
    }
    for place in above.iter().rev().filter(|place| !place.as_os_str().is_empty()) {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.recv_timeout(LOOK).is_err() {
            STUCK.fetch_add(1, Ordering::Relaxed);
            silent().push(place.clone());
            *waiting = Some(place.clone());
            return;
        }
    }
}

/// True for what lies in or below a place that hangs.
fn is_silent(path: &Path) -> bool {
    silent().iter().any(|one| path.starts_with(one))
}

fn silent() -> MutexGuard<'static, Vec<PathBuf>> {
    SILENT.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[test]
    fn a_place_that_hangs_is_waited_for_once_and_holds_up_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("hung"), dir.path().join("other"));
        for file in [&path, &other] {
            std::fs::write(file, "text").unwrap();
        }
        let (release, held) = channel::<()>();
        let hung = within_for(Duration::from_millis(50), &path, move |_| {
            let _ = held.recv();
            Ok(())
        });
        assert_eq!(hung.unwrap_err().kind(), io::ErrorKind::TimedOut);
        for silent in [&path, &path.join("below")] {
            assert_eq!(metadata(silent).unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        assert_eq!(text(&other).unwrap(), "text");
        drop(release);
        let answers = || {
            std::thread::sleep(PAUSE);
            text(&path).is_ok()
        };
        assert!((0..1000).any(|_| answers()), "it answers again");
    }

    #[test]
    fn a_file_is_read_by_pieces_and_again_from_its_first_octet() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let long = vec![7; PIECE as usize + 3];
        std::fs::write(&path, &long).unwrap();
        let mut file = bounded(&path).unwrap();
        assert_eq!(file.size().unwrap(), long.len() as u64);
        for _ in 0..2 {
            let mut octets = Vec::new();
            file.read_to_end(&mut octets).unwrap();
            assert!(octets == long);
            file.rewind().unwrap();
        }
    }
}
