//! Why an open list, a pack or the keyword rules cannot be used.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::blocklist::ListRefusal;
use crate::config::ConfigErrors;
use crate::lang::{Lang, messages, os_error};
use crate::pack::BuildError;

/// Why the lists cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListError {
    /// A list cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// A file that is not a list, or too little of one.
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: ListRefusal,
    },
    /// A list that would not fit into memory.
    Unfitting {
        /// The file or directory.
        path: PathBuf,
        /// What reading it takes, in MiB.
        needs: u64,
        /// What is left, in MiB.
        room: u64,
    },
    /// A list of which most is lost. `check` calls it a mistake; what is left is used.
    Lost {
        /// The file.
        path: PathBuf,
        /// How much is lost, and what to do.
        why: ListRefusal,
    },
    /// A source without a rule that had some: a directory without its files.
    Emptied {
        /// The file or directory.
        path: PathBuf,
        /// The rules that it had.
        before: u64,
    },
    /// A list that lost most of its rules: half a file, or a stub.
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
    Unkept(String),
    /// A list in force that cannot be used any more, with a kept copy that cannot be read now.
    Unread(String),
    /// No pack can be used.
    NoPack(String),
    /// The keyword rules have mistakes.
    Keywords(ConfigErrors),
    /// The table cannot hold the lists.
    Build(BuildError),
}

impl ListError {
    /// The path, what is wrong, and what to do, in a language; of keyword rules in that of their config.
    pub fn in_lang(&self, lang: Lang) -> String {
        let message = match self {
            Self::Read { path, error } => messages::list_unread(path.display(), os_error(error)),
            Self::Refused { path, why } => {
                messages::list_refused(path.display(), why.in_lang(lang))
            }
            Self::Unfitting { path, needs, room } => {
                messages::list_unfitting(path.display(), needs, room)
            }
            Self::Lost { path, why } => messages::list_lost(path.display(), why.in_lang(lang)),
            Self::Emptied { path, before } => messages::list_emptied(path.display(), before),
            Self::Shrunken { path, rules, before, name } => {
                messages::list_shrunken(path.display(), rules, before, name)
            }
            Self::Unkept(why) => messages::list_unkept(why),
            Self::Unread(why) => messages::list_unread_twice(why),
            Self::NoPack(why) => messages::no_pack(why),
            Self::Keywords(errors) => return errors.to_string(),
            Self::Build(error) => return error.to_string(),
        };
        message.in_lang(lang)
    }
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_lang(Lang::En))
    }
}

impl std::error::Error for ListError {}

impl From<BuildError> for ListError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}
