//! `[state]`: state that outlives the process.

use std::path::PathBuf;

use crate::config::file::report::Report;
use crate::config::file::shape::StateFile;

/// State that outlives the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateSettings {
    /// State directory. By default the service manager's (`STATE_DIRECTORY`); without either
    /// nothing outlives the process.
    pub dir: Option<PathBuf>,
}

impl Report<'_> {
    /// Checks `[state]`.
    pub(in crate::config) fn state(&mut self, file: &StateFile) -> StateSettings {
        StateSettings { dir: file.dir.as_ref().and_then(|text| self.path("dir", text)) }
    }
}
