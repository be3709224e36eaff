//! Paths of sources by URL: files of the state directory.

use std::io;
use std::path::Path;

use crate::config::Config;
use crate::fetch::copies::DIRECTORY;
use crate::fetch::downloads::Downloads;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// Sets the path of each source by URL to that of its copy, and removes those without a copy from
/// the config until their download is stored; returns all of them.
///
/// A copy of which `is_in_use` holds stays in the config even where its file is missing: its list then cannot
/// be read, and the policy in force is better than one without it. So does one that cannot be looked at now. Nothing is created or fetched
/// here.
pub fn place(config: &mut Config, is_in_use: &dyn Fn(&Path) -> bool) -> Downloads {
    let state = StateDir::place(&config.state);
    let directory = state.as_deref().unwrap_or(Path::new("")).join(DIRECTORY);
    let mut sources = Vec::new();
    for source in config.lists.sources.iter_mut().filter(|source| source.fetch.is_some()) {
        source.path = directory.join(&source.path);
        sources.push(source.clone());
    }
    config.lists.sources.retain(|source| {
        source.fetch.is_none()
            || is_in_use(&source.path)
            || state.is_some() && may_be_there(&source.path)
    });
    Downloads { sources, state, tls_roots: config.lists.tls_roots.clone() }
}

/// True but where there is no file.
fn may_be_there(path: &Path) -> bool {
    match read::metadata(path) {
        Ok(found) => found.is_file(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}
