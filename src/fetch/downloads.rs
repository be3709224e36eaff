//! Sources by URL of a config, and the place of their copies.

use std::path::PathBuf;

use crate::config::ListSource;
use crate::fetch::copies::Copies;
use crate::sys::state_dir::{StateDir, StateError};

/// The downloads that a config asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Downloads {
    /// Sources by URL; `path` is the file of the last good copy.
    pub sources: Vec<ListSource>,
    /// The state directory; `None` where there is none.
    pub state: Option<PathBuf>,
    /// A file of certificate authorities to trust besides the built-in ones.
    pub tls_roots: Option<PathBuf>,
}

impl Downloads {
    /// The directory of the copies, created if it does not exist; `None` without a state directory.
    ///
    /// # Errors
    ///
    /// [`StateError`].
    pub fn copies(&self) -> Result<Option<Copies>, StateError> {
        let state = self.state.clone().map(StateDir::at).transpose()?;
        state.map(|state| Copies::open(&state)).transpose()
    }
}

/// The URL of a source that has one.
pub(super) fn url_of(source: &ListSource) -> &str {
    source.fetch.as_ref().map_or("", |fetch| fetch.url.as_str())
}
