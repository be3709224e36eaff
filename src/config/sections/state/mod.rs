//! `[state]`: state that outlives the process.

pub(crate) mod evidence;

use std::path::PathBuf;

use crate::config::file::report::Report;
use crate::config::file::shape::StateFile;

/// State that outlives the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateSettings {
    /// State directory. By default the service manager's (`STATE_DIRECTORY`); without either
    /// nothing outlives the process.
    pub dir: Option<PathBuf>,
    /// Whether what was adopted is kept there, to stand in for files that are lost.
    pub keep: bool,
}

impl Default for StateSettings {
    fn default() -> Self {
        Self { dir: None, keep: true }
    }
}

impl Report<'_> {
    /// Checks `[state]`.
    pub(in crate::config) fn state(&mut self, file: &StateFile) -> StateSettings {
        let default = StateSettings::default();
        StateSettings {
            dir: file.dir.as_ref().and_then(|text| self.path("dir", text)),
            keep: file.keep.unwrap_or(default.keep),
        }
    }
}
