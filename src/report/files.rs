//! Files of reports: those that are named, and those in directories that are named.

use std::io;
use std::path::{Path, PathBuf};

use crate::sys::read;

/// The most files of one merge.
pub const MAX_FILES: usize = 20_000;
/// How deep directories are looked through: a folder a school is usual.
const MAX_DEPTH: usize = 4;

/// The JSON files of these paths, each once, in order.
///
/// # Errors
///
/// A path that is not there, a directory that cannot be read, or more than [`MAX_FILES`].
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut found = Vec::new();
    for path in paths {
        let metadata = read::metadata(path).map_err(|error| (path.clone(), error))?;
        if metadata.is_dir() {
            look(path, 0, &mut found).map_err(|error| (path.clone(), error))?;
        } else {
            found.push(path.clone());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn look(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for (path, metadata) in read::directory(directory)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if metadata.is_dir() {
            if depth < MAX_DEPTH {
                look(&path, depth + 1, found)?;
            }
        } else if path.extension().is_some_and(|end| end == "json") {
            found.push(path);
        }
        if found.len() > MAX_FILES {
            return Err(io::Error::other(format!("more than {MAX_FILES} files")));
        }
    }
    Ok(())
}
