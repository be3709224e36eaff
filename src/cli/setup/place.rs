//! Files below a root: where each is, and how one is written.
//!
//! Law: a file is replaced whole or not at all; no link leads a write out of the root.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Component, Path, PathBuf};

use crate::sys::state_dir::whole;

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
    whole::replace(place, 0o644, octets)
}
