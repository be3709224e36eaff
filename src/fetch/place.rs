//! Sources by URL in a config → files of the state directory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Downloads;
use super::copies::DIRECTORY;
use crate::config::Config;
use crate::sys::state_dir::StateDir;

/// Copies that were in use: one that is gone is a mistake, and no reason to go on without it.
#[derive(Debug, Default)]
pub struct KnownCopies(BTreeSet<PathBuf>);

/// Gives every source by URL the place of its copy, and leaves out those without a copy, whose
/// download is still to come; returns what is to be downloaded.
///
/// Nothing is made and nothing is fetched here.
pub fn place(config: &mut Config, seen: &mut KnownCopies) -> Downloads {
    let state = StateDir::place(&config.state);
    let directory = state.as_deref().unwrap_or(Path::new("")).join(DIRECTORY);
    let mut sources = Vec::new();
    for source in config.lists.sources.iter_mut().filter(|source| source.fetch.is_some()) {
        source.path = directory.join(&source.path);
        sources.push(source.clone());
    }
    config.lists.sources.retain(|source| {
        if source.fetch.is_none() || seen.0.contains(&source.path) {
            return true;
        }
        let is_there = state.is_some() && source.path.is_file();
        if is_there {
            seen.0.insert(source.path.clone());
        }
        is_there
    });
    Downloads { sources, state, tls_roots: config.lists.tls_roots.clone() }
}
