//! Files that are replaced whole or not at all.
//!
//! Law: the new file is written under a name that nothing else has, flushed to the disk and renamed, and its
//! directory is flushed too, so that a power cut at any moment leaves the old file or the new one. It is never
//! opened where something is: the owner of a directory may put a link there. What a cut leaves unfinished is
//! removed by the next writer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The age from which an unfinished file is abandoned in any case: a live writer would have written to
/// it.
const LEFT: Duration = Duration::from_secs(3600);
/// The numbers of those that it is writing.
static WRITING: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// Replaces the file at `path`, with these bits of its mode that the process's mask leaves.
///
/// # Errors
///
/// The error of the system; the old file is untouched then.
pub fn replace(path: &Path, mode: u32, octets: &[u8]) -> io::Result<()> {
    put(place_of(path)?, mode, |file| file.write_all(octets), |new, place| fs::rename(new, place))
}

/// Removes what a power cut, or a writer that was killed, has left unfinished of the file at `path`.
pub fn sweep_of(path: &Path) {
    if let Ok((folder, name)) = place_of(path) {
        sweep(folder, Some(name));
    }
}

/// The folder and the name of a file.
fn place_of(path: &Path) -> io::Result<(&Path, &str)> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or(io::ErrorKind::InvalidFilename)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or(Path::new(".")), name))
}

/// Writes a file beside a name in a folder, and gives it that name by `place`.
pub(super) fn put(
    (folder, name): (&Path, &str),
    mode: u32,
    write: impl FnOnce(&mut File) -> io::Result<()>,
    place: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    let number = Writing::begin();
    let beside = folder.join(format!(".{name}.{}-{}.new", std::process::id(), number.0));
    sweep(folder, Some(name));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    let written = write(&mut file)
        .and_then(|()| file.sync_all())
        .and_then(|()| place(&beside, &folder.join(name)));
    if written.is_err() {
        // An unfinished file must not fill a full disk further.
        let _ = fs::remove_file(&beside);
        return written;
    }
    // From here on the new file is what everybody reads, and so what was asked for is done.
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        let path = folder.join(name);
        tracing::warn!(
            "{}: is written; a power cut may bring the old one back: {error}",
            path.display()
        );
    }
    Ok(())
}

/// Removes unfinished files of a name, or of all names, that no writer finishes any more.
pub(super) fn sweep(folder: &Path, name: Option<&str>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let file = entry.file_name();
        let Some((of, writer)) = file.to_str().and_then(unfinished) else { continue };
        if name.is_none_or(|name| name == of) && is_abandoned(&entry, writer) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The name that an unfinished file is to get, the process that writes it, and its number there.
fn unfinished(file: &str) -> Option<(&str, (u32, u64))> {
    let (name, writer) = file.strip_prefix('.')?.strip_suffix(".new")?.rsplit_once('.')?;
    let (process, number) = writer.split_once('-')?;
    Some((name, (process.parse().ok()?, number.parse().ok()?)))
}

fn writing() -> MutexGuard<'static, Vec<u64>> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that this process is writing.
struct Writing(u64);

impl Writing {
    fn begin() -> Self {
        // Random: nobody else can have a file of this name there before.
        let number = rand::random();
        writing().push(number);
        Self(number)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        writing().retain(|number| *number != self.0);
    }
}

/// Whether nobody finishes a file: its writer has ended, an earlier process had the number that this
/// one has now, or it is old.
fn is_abandoned(entry: &fs::DirEntry, (writer, number): (u32, u64)) -> bool {
    if writer == std::process::id() {
        return !writing().contains(&number);
    }
    let modified = entry.metadata().and_then(|of| of.modified());
    let age = modified.map(|at| at.elapsed());
    let is_old = age.is_ok_and(|age| age.is_ok_and(|age| age >= LEFT));
    is_old || !Path::new("/proc").join(writer.to_string()).exists() && is_proc_mounted()
}

/// Whether processes can be seen at all.
fn is_proc_mounted() -> bool {
    Path::new("/proc/self").exists()
}
