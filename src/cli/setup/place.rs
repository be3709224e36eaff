//! Files below a root: where each is, and how one is written.
//!
//! Law: a file is replaced whole or not at all; no link leads a write out of the root.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::process;
use std::time::Duration;

/// The age from which an unfinished file is abandoned though a process has the number of its writer: after a
/// boot another one may have it.
const LEFT: Duration = Duration::from_secs(3600);

/// A path of the system below the root that it is reached by.
pub(super) fn below(root: &Path, path: &Path) -> PathBuf {
    let parts = path.components().filter(|part| matches!(part, Component::Normal(_)));
    root.join(parts.collect::<PathBuf>())
}

/// The folders of a path that are not there, the uppermost first.
pub(super) fn missing(root: &Path, folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = folder
        .ancestors()
        .take_while(|folder| !below(root, folder).exists())
        .map(Path::to_owned)
        .collect();
    found.reverse();
    found
}

/// Moves a file aside; one that was moved aside before stays what was there first.
pub(super) fn keep_aside(place: &Path, aside: &Path) -> io::Result<()> {
    if aside.exists() { Ok(()) } else { fs::rename(place, aside) }
}

/// Writes a file whole or not at all, for everybody to read; its folder must be below the root.
pub(super) fn write(root: &Path, place: &Path, octets: &[u8]) -> io::Result<()> {
    let folder = place.parent().ok_or(ErrorKind::InvalidInput)?;
    DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    // A link in an image must not lead to this machine's own files.
    if !folder.canonicalize()?.starts_with(root.canonicalize()?) {
        return Err(io::Error::other("a link leads out of the root"));
    }
    write_whole(place, octets)
}

/// Writes a file whole or not at all, for everybody to read; its folder is there.
pub(super) fn write_whole(place: &Path, octets: &[u8]) -> io::Result<()> {
    let folder = place.parent().ok_or(ErrorKind::InvalidInput)?;
    let name = place.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
    sweep(place);
    let beside = folder.join(format!(".{name}.{}.new", process::id()));
    let put = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&beside)?;
        file.write_all(octets)?;
        file.sync_all()?;
        fs::rename(&beside, place)?;
        File::open(folder)?.sync_all()
    };
    let written = put();
    if written.is_err() {
        // It must not fill a full disk further.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Removes what a process that has ended left unfinished of a file.
pub(super) fn sweep(place: &Path) {
    let (Some(folder), Some(name)) = (place.parent(), place.file_name()) else { return };
    let beginning = format!(".{}.", name.to_string_lossy());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let file = entry.file_name();
        let writer = || file.to_str()?.strip_prefix(&beginning)?.strip_suffix(".new")?.parse().ok();
        if writer().is_some_and(|writer| is_abandoned(&entry, writer)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether nobody finishes a file: its writer has ended, an earlier process had the number that this one has
/// now, which writes one file at a time, or it is old.
fn is_abandoned(entry: &fs::DirEntry, writer: u32) -> bool {
    let has_ended = || !Path::new("/proc").join(writer.to_string()).exists();
    let is_old = || {
        let modified = entry.metadata().and_then(|of| of.modified());
        modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= LEFT))
    };
    let sees_processes = Path::new("/proc/self").exists();
    writer == process::id() || sees_processes && has_ended() || is_old()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_ended_writer_left_is_swept_and_what_another_writes_is_not() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: String| root.path().join(name);
        let alive = std::os::unix::process::parent_id();
        let dead = [u32::MAX, process::id()].map(|writer| at(format!(".a.toml.{writer}.new")));
        let others = [
            at(format!(".a.toml.{alive}.new")),
            at(format!(".b.toml.{}.new", u32::MAX)),
            at(".a.toml.x.new".to_owned()),
        ];
        for path in dead.iter().chain(&others) {
            fs::write(path, "half").unwrap();
        }
        write(root.path(), &at("a.toml".to_owned()), b"whole").unwrap();
        assert_eq!(fs::read(at("a.toml".to_owned())).unwrap(), b"whole");
        assert!(dead.iter().all(|path| !path.exists()));
        assert!(others.iter().all(|path| path.exists()));
    }
}
