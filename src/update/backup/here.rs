//! What a state directory has already of what a backup would put there.
//!
//! Law: what was done is never wound back. The ledger is one text, whatever files it is in: months turn, and old ones go.

use std::io;
use std::path::Path;

use crate::overrides::ledger;
use crate::sys::read;
use crate::update::backup::MOST_OF_FILE;

/// The files of a ledger, the oldest first.
pub(super) type LedgerFiles<'a> = Vec<(&'a str, &'a [u8])>;

/// What a ledger is to that of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LedgerHere {
    /// The same.
    Same,
    /// It has what the backup has, and more.
    Newer,
    /// The backup has what it has, and more; also where there is none.
    Older,
    /// Each has what the other has not.
    Other,
}

/// The files of the ledger in a state directory, the oldest first.
pub(super) fn ledger_files(state: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for name in ledger::all_names(state)? {
        if let Some(octets) = octets(&state.join(&name))? {
            files.push((name, octets));
        }
    }
    Ok(files)
}

/// The octets of a file; none where there is none.
pub(super) fn octets(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match read::octets(path, MOST_OF_FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => {
            let told = |error: io::Error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            };
            read.map(Some).map_err(told)
        }
    }
}

impl LedgerHere {
    /// Compares the files here with those of a backup. Of either the oldest may be gone.
    pub(super) fn of(here: &LedgerFiles<'_>, backup: &LedgerFiles<'_>) -> Self {
        let is_newer = extends(here, backup);
        match (is_newer, extends(backup, here)) {
            (true, true) => Self::Same,
            (true, false) => Self::Newer,
            (false, true) => Self::Older,
            (false, false) => Self::Other,
        }
    }
}

/// Whether a ledger goes on where another ends, which may be nothing.
fn extends(longer: &LedgerFiles<'_>, shorter: &LedgerFiles<'_>) -> bool {
    let text =
        |files: &[(&str, &[u8])]| files.iter().flat_map(|(_, octets)| *octets).copied().collect();
    let longer: Vec<u8> = text(longer);
    let (whole, mut is_begin): (Vec<u8>, bool) = (text(shorter), false);
    if whole.is_empty() {
        return true;
    }
    for first in 0..shorter.len() {
        let rest: Vec<u8> = text(shorter.get(first..).unwrap_or_default());
        is_begin |= !rest.is_empty() && longer.starts_with(&rest);
    }
    is_begin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_one_text_in_whatever_files_it_is() {
        let backup: LedgerFiles<'_> =
            vec![("ledger-2026-10.jsonl", b"1\n2\n"), ("ledger.jsonl", b"3\n")];
        let of = |here: &[(&'static str, &'static str)]| {
            let here = here.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
            LedgerHere::of(&here, &backup)
        };
        let (old, month, new) = ("ledger-2026-10.jsonl", "ledger-2026-11.jsonl", "ledger.jsonl");
        assert_eq!(of(&[(old, "1\n2\n"), (new, "3\n")]), LedgerHere::Same);
        assert_eq!(of(&[(old, "1\n2\n"), (new, "3\n4\n")]), LedgerHere::Newer);
        assert_eq!(of(&[(old, "1\n2\n"), (month, "3\n4\n"), (new, "5\n")]), LedgerHere::Newer);
        assert_eq!(of(&[(month, "3\n4\n"), (new, "5\n")]), LedgerHere::Newer, "the oldest went");
        assert_eq!(of(&[]), LedgerHere::Older);
        assert_eq!(of(&[(new, "")]), LedgerHere::Older);
        assert_eq!(of(&[(new, "1\n")]), LedgerHere::Older);
        assert_eq!(of(&[(old, "1\n2\n"), (new, "9\n")]), LedgerHere::Other);
        assert_eq!(of(&[(new, "9\n")]), LedgerHere::Other);
    }
}
