//! List texts of a source's path: of a file, a directory, `.gz`, `.tar.gz`.
//!
//! Archives are unpacked in memory only, so the path of a member can never reach the disk; the
//! size of unpacked texts is bounded. In an archive, and in a directory with the layout of UT1,
//! only files named `domains` are read: `urls` has paths, which DNS cannot see, and the other
//! files describe the list.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::blocklist::ut1::{Member, member};
use crate::sys::read;

/// The most octets of one text: 1 GiB, more than any list has.
const MAX_TEXT: u64 = 1 << 30;
/// The most octets that one packed octet may become: lists of names pack to a fifth, a file that
/// packs to a fiftieth holds the same line over and over.
const MOST_GROWTH: u64 = 50;
/// The octets that a packed file may become in any case.
const MIN_UNPACKED: u64 = 16 << 20;
/// The most files of one directory, and the most members of one archive, that are read.
const MAX_TEXTS: usize = 1000;

/// The files of a source: the one at `path`, or those of a directory; none for an empty path.
///
/// # Errors
///
/// The error of the system.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if path.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    if !read::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for (file, found) in read::directory(path)? {
        let is_hidden = file.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && found.is_file() {
            files.push(file);
        }
    }
    let is_list = |file: &PathBuf| file.file_name().is_some_and(|n| is_ut1_list(Path::new(n)));
    if files.iter().any(is_list) {
        files.retain(is_list);
    }
    files.sort();
    if files.len() > MAX_TEXTS {
        return Err(io::Error::other(format!("more than {MAX_TEXTS} files; split the directory")));
    }
    Ok(files)
}

/// The texts of one file, each with its name in messages.
///
/// # Errors
///
/// The error of the system, or a file that grows beyond what a list can be.
pub fn texts(path: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut texts = Vec::new();
    each_text(path, |path, text| texts.push((path, text)))?;
    Ok(texts)
}

/// Calls `take` with each text of one file and its name in messages, one at a time.
///
/// # Errors
///
/// The error of the system, or a file that grows beyond what a list can be.
pub fn each_text(path: &Path, take: impl FnMut(PathBuf, Vec<u8>)) -> io::Result<()> {
    let mut file = read::bounded(path)?;
    let size = file.size()?;
    if packing(path) != Packing::Plain {
        // Before any of it takes room: three megabytes may unpack to gigabytes.
        let most = most_of(size);
        let most = if packing(path) == Packing::Archive { 2 * most } else { most };
        if grown(&mut file, most)? > most {
            return Err(too_large(most));
        }
        file.rewind()?;
    }
    unpack(path, file, size, take)
}

/// The texts in `octets`, the content of a file named `path`, if they unpack to at most `most`
/// octets.
///
/// # Errors
///
/// The packing is not that of the name, or the texts unpack to too many octets.
pub fn texts_in(path: &Path, octets: &[u8], most: u64) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    if packing(path) != Packing::Plain && grown(octets, most)? > most {
        return Err(io::Error::other("it unpacks to more than it may have"));
    }
    let mut texts = Vec::new();
    unpack(path, octets, octets.len() as u64, |path, text| texts.push((path, text)))?;
    Ok(texts)
}

/// The packing of a file, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Archive,
}

fn packing(path: &Path) -> Packing {
    let is = |path: &Path, extension: &str| {
        path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
    };
    let is_gzip = is(path, "gz");
    if is(path, "tgz") || is_gzip && path.file_stem().is_some_and(|s| is(Path::new(s), "tar")) {
        Packing::Archive
    } else if is_gzip {
        Packing::Gzip
    } else {
        Packing::Plain
    }
}

fn unpack(
    path: &Path,
    from: impl Read,
    size: u64,
    mut take: impl FnMut(PathBuf, Vec<u8>),
) -> io::Result<()> {
    let most = most_of(size);
    let text = match packing(path) {
        Packing::Archive => return members(path, from, most, take),
        Packing::Gzip => bounded(MultiGzDecoder::new(from), 0, most)?,
        Packing::Plain => bounded(from, size, MAX_TEXT)?,
    };
    take(path.to_owned(), text);
    Ok(())
}

fn members(
    path: &Path,
    from: impl Read,
    most: u64,
    mut take: impl FnMut(PathBuf, Vec<u8>),
) -> io::Result<()> {
    let mut archive = tar::Archive::new(MultiGzDecoder::new(from).take(2 * most));
    let mut is_empty = true;
    for member in archive.entries()?.take(MAX_TEXTS) {
        let member = member?;
        let name = member.path()?.into_owned();
        if member.header().entry_type().is_file() && is_ut1_list(&name) {
            let size = member.size();
            is_empty = false;
            take(path.join(name), bounded(member, size, most)?);
        }
    }
    if is_empty {
        return Err(io::Error::other("the archive holds no file named `domains`"));
    }
    Ok(())
}

fn is_ut1_list(file: &Path) -> bool {
    file.to_str().is_some_and(|path| matches!(member(path), Member::Domains { .. }))
}

/// All octets, at most `most` of them. What is said to be larger is not read at all.
fn bounded(from: impl Read, size: u64, most: u64) -> io::Result<Vec<u8>> {
    if size > most {
        return Err(too_large(most));
    }
    let mut text = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    from.take(most + 1).read_to_end(&mut text)?;
    if text.len() as u64 > most {
        return Err(too_large(most));
    }
    Ok(text)
}

/// The most octets to which a packed file of this size may unpack.
fn most_of(size: u64) -> u64 {
    size.saturating_mul(MOST_GROWTH).clamp(MIN_UNPACKED, MAX_TEXT)
}

/// The octets to which a packed file unpacks, counted up to one beyond `most`; none is kept.
fn grown(from: impl Read, most: u64) -> io::Result<u64> {
    io::copy(&mut MultiGzDecoder::new(from).take(most + 1), &mut io::sink())
}

fn too_large(most: u64) -> io::Error {
    io::Error::other(if most < MAX_TEXT {
        format!("it unpacks to more than {} MiB; no list packs so well", most >> 20)
    } else {
        "larger than 1 GiB; no list is".to_owned()
    })
}
