//! Why an open list, a pack or the keyword rules cannot be used.

use std::io;
use std::path::PathBuf;

use crate::blocklist::ListRefusal;
use crate::config::ConfigErrors;
use crate::pack::BuildError;

/// Why the lists cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// A list cannot be read.
    #[error("{path}: the list cannot be read: {error}; check its path in [lists]")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// A file that is not a list, or too little of one.
    #[error("{path}: refused: {why}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: ListRefusal,
    },
    /// A list that would not fit into memory.
    #[error(
        "{path}: refused: it would take {needs} MiB of memory or so, and {room} MiB are left; make the \
         list shorter, or give the gateway more memory"
    )]
    Unfitting {
        /// The file or directory.
        path: PathBuf,
        /// What reading it takes, in MiB.
        needs: u64,
        /// What is left, in MiB.
        room: u64,
    },
    /// A list of which most is lost. `check` calls it a mistake; what is left is used.
    #[error("{path}: {why}")]
    Lost {
        /// The file.
        path: PathBuf,
        /// How much is lost, and what to do.
        why: ListRefusal,
    },
    /// A source without a rule that had some: a directory without its files.
    #[error("{path}: no list is there any more, where {before} rules were")]
    Emptied {
        /// The file or directory.
        path: PathBuf,
        /// The rules that it had.
        before: u64,
    },
    /// A list that lost most of its rules: half a file, or a stub.
    #[error(
        "{path}: refused: {rules} rules, where {before} were; if that is meant, \
         `lachan lists accept CONFIG {name}`, or set `min_percent`"
    )]
    Shrunken {
        /// The file or directory.
        path: PathBuf,
        /// Its rules.
        rules: u64,
        /// The rules that it had.
        before: u64,
        /// The name of the source.
        name: String,
    },
    /// A list in force that cannot be used any more, with a kept copy that is lost too.
    #[error(
        "{0}; its kept copy is lost, so nothing is reloaded until it is mended; \
         `lachan state forget` says that it may go"
    )]
    Unkept(String),
    /// A list in force that cannot be used any more, with a kept copy that cannot be read now.
    #[error("{0}; nothing is reloaded until one of them can be used")]
    Unread(String),
    /// No pack can be used.
    #[error("no pack can be used: {0}; check `packs` in [lists]")]
    NoPack(String),
    /// The keyword rules have mistakes.
    #[error("{0}")]
    Keywords(ConfigErrors),
    /// The table cannot hold the lists.
    #[error(transparent)]
    Build(#[from] BuildError),
}
