//! Why a pack file cannot be used.

use std::fmt;
use std::io;

use crate::lang::{Lang, messages, os_error};
use crate::pack::PackError;

/// Why a pack cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The file, or the copy of it.
    Read(io::Error),
    /// Its octets.
    Pack(PackError),
    /// It begins as a pack that is known does, and goes on otherwise.
    Fragment,
}

impl OpenError {
    /// What is wrong, and what to do, in a language.
    pub fn in_lang(&self, lang: Lang) -> String {
        match self {
            Self::Read(error) => messages::pack_unread(os_error(error)).in_lang(lang),
            Self::Pack(error) => error.in_lang(lang),
            Self::Fragment => messages::pack_fragment().in_lang(lang),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_lang(Lang::En))
    }
}

impl std::error::Error for OpenError {}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl From<PackError> for OpenError {
    fn from(error: PackError) -> Self {
        Self::Pack(error)
    }
}
