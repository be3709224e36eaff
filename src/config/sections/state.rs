//! `[state]`: what outlives the process.

use std::path::PathBuf;

use crate::config::file::report::Report;
use crate::config::file::shape::StateFile;

/// What outlives the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateSettings {
    /// The directory it is kept in. Without one the shell takes the directory that the
    /// service manager gives, or keeps nothing.
    pub dir: Option<PathBuf>,
}

impl Report<'_> {
    pub(in crate::config) fn state(&mut self, file: &StateFile) -> StateSettings {
        StateSettings { dir: file.dir.as_ref().and_then(|text| self.path("dir", text)) }
    }
}
