//! `lachan lists seal`: names → a sealed list and its key, on the authority's side.
//!
//! A name must never be written: not to the terminal, and not in a mistake, which has the
//! number of its line only.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zeroize::Zeroizing;

use crate::cli::output::{CommandFailure, finish};
use crate::dns::name::Name;
use crate::load::lists::sealed::read_key;
use crate::matcher::sealed::{SealedKey, SealedTable, seal, sealable};
use crate::sys::os::leave_no_image;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// Most lines with a mistake in a message.
const SHOWN: usize = 20;
/// Most octets of names that are read.
const MAX_TEXT: u64 = 512 << 20;

/// Arguments of `lists seal`.
#[derive(Debug, clap::Args)]
pub struct SealArguments {
    /// A file of names, one a line; `-` is standard input.
    #[arg(default_value = "-")]
    names: PathBuf,
    /// The key; made, for its owner alone, if it is not there.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The sealed list to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Seals a list; exits 0, 1 when it cannot be written, or 3 when a line is no name to seal.
pub fn run(arguments: &SealArguments) -> ExitCode {
    leave_no_image();
    finish(write(arguments))
}

/// Seals the names and writes the list; returns the message for people.
fn write(arguments: &SealArguments) -> Result<String, CommandFailure> {
    let text = content(&arguments.names)
        .map_err(|error| (1, format!("{}: cannot be read: {error}", arguments.names.display())))?;
    let names = names(&text).map_err(|complaint| (3, complaint))?;
    let (key, note) = key(&arguments.key)?;
    let octets = seal(&names, &key);
    // The list must open as the gateway will open it, before it is handed on.
    let table = SealedTable::open(&octets, &key).map_err(|error| (1, error.to_string()))?;
    let out = arguments.out.as_path();
    let unwritten = |error| (1, format!("{}: cannot be written: {error}", out.display()));
    replace(out, &octets).map_err(unwritten)?;
    let (entries, id, shown) = (table.len(), table.id(), arguments.key.display());
    Ok(format!("{}: {entries} names sealed, csam#{id}\n{shown}: {note}", out.display()))
}

/// The octets of a file, or of standard input; wiped on drop.
fn content(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::new());
    if path == Path::new("-") {
        io::stdin().lock().take(MAX_TEXT).read_to_end(&mut text)?;
    } else {
        read::open(path)?.take(MAX_TEXT).read_to_end(&mut text)?;
    }
    Ok(text)
}

/// The names of a text, or a message about the lines without one.
fn names(text: &[u8]) -> Result<Vec<Name>, String> {
    let (mut names, mut mistakes) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.split(|&octet| octet == b'\n')) {
        let line = std::str::from_utf8(line).unwrap_or("\0");
        let line = line.strip_prefix('\u{feff}').unwrap_or(line).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match name(line) {
            Ok(name) => names.push(name),
            Err(why) => mistakes.push(format!("line {number}: {why}")),
        }
    }
    if mistakes.is_empty() && names.is_empty() {
        return Err("no name to seal".into());
    }
    if mistakes.is_empty() {
        return Ok(names);
    }
    let more = mistakes.len().saturating_sub(SHOWN);
    mistakes.truncate(SHOWN);
    if more > 0 {
        mistakes.push(format!("and {more} lines more"));
    }
    mistakes.push("nothing was sealed".into());
    Err(mistakes.join("\n"))
}

/// A name; the message must never contain the line.
fn name(line: &str) -> Result<Name, String> {
    if line.parse::<std::net::IpAddr>().is_ok() {
        return Err("an address, not a name".into());
    }
    let name = Name::from_text(line).map_err(|_| "not a name: write one a line".to_owned())?;
    sealable(&name).map_err(|why| why.to_string())?;
    Ok(name)
}

/// The key at `path`, made if absent, and a note about it.
fn key(path: &Path) -> Result<(SealedKey, &'static str), CommandFailure> {
    let unwritten = |error| (1, format!("{}: cannot be written: {error}", path.display()));
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let key = read_key(path).map_err(|error| (3, error.to_string()))?;
            return Ok((key, "was there and was used; give each list a key of its own"));
        }
        Err(error) => return Err(unwritten(error)),
    };
    let mut make = || -> io::Result<SealedKey> {
        let mut octets = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(octets.as_mut_slice())
            .map_err(|_| io::Error::other("the system gives no random octets"))?;
        let key = SealedKey::new(*octets);
        file.write_all(key.to_text().as_bytes())?;
        file.sync_all()?;
        Ok(key)
    };
    make().map(|key| (key, "made; hand it on apart from the list")).map_err(|error| {
        let _ = fs::remove_file(path);
        unwritten(error)
    })
}

/// Replaces the file at `path`, whole or not at all.
fn replace(path: &Path, octets: &[u8]) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::other("not the name of a file"))?;
    fs::metadata(parent)?;
    let dir = StateDir::at(parent.to_owned()).map_err(io::Error::other)?;
    dir.replace(name, octets)
}
