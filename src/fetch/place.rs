//! Paths of sources by URL: files of the state directory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::fetch::copies::DIRECTORY;
use crate::fetch::downloads::Downloads;
use crate::sys::state_dir::StateDir;

/// Sets the path of each source by URL to that of its copy, and removes those without a copy from
/// the config until their download is stored; returns all of them.
///
/// A copy that is `in_use` stays in the config even where its file is missing: its list then cannot
/// be read, and the policy in force is better than one without it. Nothing is created or fetched
/// here.
pub fn place(config: &mut Config, in_use: &BTreeSet<PathBuf>) -> Downloads {
    let state = StateDir::place(&config.state);
    let directory = state.as_deref().unwrap_or(Path::new("")).join(DIRECTORY);
    let mut sources = Vec::new();
    for source in config.lists.sources.iter_mut().filter(|source| source.fetch.is_some()) {
        source.path = directory.join(&source.path);
        sources.push(source.clone());
    }
    config.lists.sources.retain(|source| {
        source.fetch.is_none()
            || in_use.contains(&source.path)
            || state.is_some() && source.path.is_file()
    });
    Downloads { sources, state, tls_roots: config.lists.tls_roots.clone() }
}
