//! The record of what `setup` did: a line a thing, so that a package's purge can read it with `sh`.
//!
//! ```text
//! directory PATH           made
//! file SHA256 PATH         written, with these octets
//! before PATH BACKUP       what was there, moved aside; it goes back
//! made PATH                made by an enrolment; it is removed whatever is in it
//! ```
//!
//! Paths are those of the system that was set up, without the root that it was reached by; none has
//! a blank or a line's end.

use std::fmt::Write as _;

/// One thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recorded {
    Directory(String),
    File { digest: String, path: String },
    Before { path: String, backup: String },
    Made(String),
}

/// The record as text.
pub(super) fn text(of: &[Recorded]) -> String {
    let mut out = "# What `lachan setup` did; `lachan setup --undo` takes it back.\n".to_owned();
    for one in of {
        let _ = match one {
            Recorded::Directory(path) => writeln!(out, "directory {path}"),
            Recorded::File { digest, path } => writeln!(out, "file {digest} {path}"),
            Recorded::Before { path, backup } => writeln!(out, "before {path} {backup}"),
            Recorded::Made(path) => writeln!(out, "made {path}"),
        };
    }
    out
}

/// The record of a text. A line that is none of ours is left out: nothing is removed by it.
pub(super) fn parse(text: &str) -> Vec<Recorded> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let owned = |text: &str| text.starts_with('/').then(|| text.to_owned());
        Some(match words.as_slice() {
            ["directory", path] => Recorded::Directory(owned(path)?),
            ["file", digest, path] => {
                Recorded::File { digest: (*digest).to_owned(), path: owned(path)? }
            }
            ["before", path, backup] => {
                Recorded::Before { path: owned(path)?, backup: owned(backup)? }
            }
            ["made", path] => Recorded::Made(owned(path)?),
            _ => return None,
        })
    };
    text.lines().filter_map(line).collect()
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
        ];
        assert_eq!(parse(&text(&all)), all);
        assert_eq!(parse("made relative\nfile x\nnonsense /etc/passwd\n"), []);
    }
}
