//! The record of what `setup` did: a line a thing, so that a package's purge can read it with `sh`.
//!
//! ```text
//! directory PATH           made
//! file SHA256 PATH         written, with these octets
//! before PATH BACKUP       what was there, moved aside; it goes back
//! made PATH                made by an enrolment; it is removed whatever is in it
//! reply SHA256 PATH        the reply for the department, beside its file: a path of the machine that
//!                          `setup` ran on
//! ```
//!
//! The other paths are those of the system that was set up, without the root that it was reached by. Law: no path
//! has a line break, and none but a reply's has a blank; a record with a line that cannot be parsed takes nothing
//! back, and is never removed.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::cli::setup::place::{below, write};
use crate::digest::sha256;
use crate::lang::{Message, messages};

/// The name of the record, beside the config.
pub(super) const RECORD: &str = "setup.record";
/// The forms of its lines, for people.
const FORMS: &str =
    "`directory PATH`, `file SHA256 PATH`, `before PATH BACKUP`, `made PATH`, `reply SHA256 PATH`";

/// One thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recorded {
    Directory(String),
    File { digest: String, path: String },
    Before { path: String, backup: String },
    Made(String),
    Reply { digest: String, path: String },
}

/// The record as text.
fn text(of: &[Recorded]) -> String {
    let mut out = "# What `lachan setup` did; `lachan setup --undo` takes it back.\n".to_owned();
    for one in of {
        let _ = match one {
            Recorded::Directory(path) => writeln!(out, "directory {path}"),
            Recorded::File { digest, path } => writeln!(out, "file {digest} {path}"),
            Recorded::Before { path, backup } => writeln!(out, "before {path} {backup}"),
            Recorded::Made(path) => writeln!(out, "made {path}"),
            Recorded::Reply { digest, path } => writeln!(out, "reply {digest} {path}"),
        };
    }
    out
}

/// The record of a text.
///
/// # Errors
///
/// The number and the text of a line that is none of a record.
fn parse(text: &str) -> Result<Vec<Recorded>, (usize, String)> {
    let numbered = (1..).zip(text.lines());
    let told = numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    told.map(|(number, line)| parse_line(line).ok_or_else(|| (number, line.to_owned()))).collect()
}

fn parse_line(line: &str) -> Option<Recorded> {
    let owned = |text: &str| text.starts_with('/').then(|| text.to_owned());
    if let Some((digest, path)) = line.strip_prefix("reply ").and_then(|rest| rest.split_once(' '))
    {
        return Some(Recorded::Reply { digest: digest.to_owned(), path: owned(path)? });
    }
    let words: Vec<&str> = line.split(' ').collect();
    Some(match words.as_slice() {
        ["directory", path] => Recorded::Directory(owned(path)?),
        ["file", digest, path] => {
            Recorded::File { digest: (*digest).to_owned(), path: owned(path)? }
        }
        ["before", path, backup] => Recorded::Before { path: owned(path)?, backup: owned(backup)? },
        ["made", path] => Recorded::Made(owned(path)?),
        _ => return None,
    })
}

/// Whether these octets of a file are some that `setup` wrote, or was about to write: where it is run again with
/// other answers, the record has both until the file is written.
pub(super) fn is_own(record: &[Recorded], path: &str, octets: &[u8]) -> bool {
    let found = sha256(octets);
    record.iter().any(|one| match one {
        Recorded::File { digest, path: of } | Recorded::Reply { digest, path: of } => {
            of == path && *digest == found
        }
        _ => false,
    })
}

/// Whether a recorded file is still what was there before: the record is written first, and the power may
/// be cut before the file is moved aside.
pub(super) fn is_untouched(root: &Path, record: &[Recorded], path: &str) -> bool {
    record.iter().any(|one| match one {
        Recorded::Before { path: of, backup } => {
            of == path && !below(root, Path::new(backup)).exists()
        }
        _ => false,
    })
}

/// The path of the record beside a config, without the root.
pub(super) fn record_path(config: &Path) -> PathBuf {
    config.with_file_name(RECORD)
}

/// The record beside a config; empty where there is none.
///
/// # Errors
///
/// It cannot be read, or a line of it cannot be parsed: nothing may be done by the others then.
pub(super) fn read_record(root: &Path, config: &Path) -> Result<Vec<Recorded>, Message> {
    let path = record_path(config);
    match fs::read_to_string(below(root, &path)) {
        Ok(text) => parse(&text).map_err(|(line, text)| {
            messages::setup_bad_record(path.display(), line, text.escape_debug(), FORMS)
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(messages::setup_failed(path.display(), error)),
    }
}

/// Replaces the record beside a config.
///
/// # Errors
///
/// It cannot be written; the old one is untouched then.
pub(super) fn write_record(root: &Path, config: &Path, record: &[Recorded]) -> Result<(), Message> {
    let path = record_path(config);
    let written = write(root, &below(root, &path), text(record).as_bytes());
    written.map_err(|error| messages::setup_failed(path.display(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_as_it_was_written() {
        let path = |text: &str| text.to_owned();
        let all = [
            Recorded::Directory(path("/etc/lachan")),
            Recorded::File { digest: path("ab"), path: path("/etc/lachan/gateway.toml") },
            Recorded::Before { path: path("/a"), backup: path("/a.before-setup") },
            Recorded::Made(path("/var/lib/lachan/enrolment/box.key")),
            Recorded::Reply { digest: path("cd"), path: path("/media/USB DISK/a.reply.json") },
        ];
        assert_eq!(parse(&text(&all)).unwrap(), all);
    }

    #[test]
    fn a_line_that_is_none_of_a_record_is_named() {
        for line in ["made relative", "file x", "nonsense /etc/passwd", "file ab /etc/my school/a"]
        {
            let text = format!("# A comment.\ndirectory /etc/lachan\n{line}\nmade /a\n");
            assert_eq!(parse(&text), Err((3, line.to_owned())));
        }
    }
}
