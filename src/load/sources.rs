//! Config and lists of one reading: the inputs of a policy, besides time and overrides.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::config::data::starter::ShippedEssential;
use crate::dns::name::Name;
use crate::fetch::Downloads;
use crate::load::kept::held::Held;
use crate::load::kept::left_out::LeftOut;
use crate::load::lists::LoadedLists;
use crate::load::lists::sealed::LoadedSealed;
use crate::policy::tables::names::CanaryKind;

/// One reading of the config and of all files that it names.
#[derive(Debug)]
pub struct PolicySources {
    /// The config; a source by URL without a copy is not in it.
    pub config: Config,
    /// Open lists and keyword rules.
    pub lists: LoadedLists,
    /// Files that cannot be used; their kept copies stand in.
    pub held: Vec<Held>,
    /// The moment from which they are so, or none is, in seconds since 1970.
    pub since: u64,
    /// Sources that could not be used.
    pub left_out: Vec<LeftOut>,
    /// Sources by URL.
    pub downloads: Downloads,
    /// Every file and directory to watch, the config first.
    pub watched: Vec<PathBuf>,
    /// The config's text and those of the files that it names: the identity of the config.
    pub(super) text: String,
    /// The config's own text.
    pub(super) own: String,
    /// The texts that it names, by path.
    pub(super) named: BTreeMap<PathBuf, String>,
    /// Sealed lists.
    pub(super) sealed: LoadedSealed,
    /// The identity of all lists, open and sealed.
    pub(super) lists_tag: u64,
    pub(super) essential: Vec<ShippedEssential>,
    pub(super) canaries: Vec<(CanaryKind, Name)>,
}

impl PolicySources {
    /// True where a kept copy stands in for a file, or a source is left out.
    pub fn is_degraded(&self) -> bool {
        !self.held.is_empty() || !self.left_out.is_empty()
    }

    /// BLAKE3 of the config's own text, in hexadecimal.
    pub fn config_digest(&self) -> String {
        blake3::hash(self.own.as_bytes()).to_hex().to_string()
    }

    /// True where a policy of the same text and lists would be the same policy.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let is_left_out = |one: &LeftOut| other.left_out.contains(one);
        self.lists_tag == other.lists_tag
            && self.text == other.text
            && self.held == other.held
            && self.left_out.len() == other.left_out.len()
            && self.left_out.iter().all(is_left_out)
    }

    /// True where the source at a path is one that its category depends on: it was good, or it was
    /// there from the start.
    pub(super) fn has_enrolled(&self, path: &Path) -> bool {
        let lists = &self.config.lists;
        let open = lists.sources.iter().chain(&self.downloads.sources).map(|one| &one.path);
        let sealed = lists.sealed.iter().map(|one| &one.path);
        let left_out = self.left_out.iter().find(|one| one.path == path);
        left_out.map_or_else(
            || open.chain(sealed).any(|known| known == path),
            |left_out| left_out.is_enrolled,
        )
    }

    /// The copies of downloads that are in use: a missing one is a mistake, and not a download that
    /// is still to come.
    pub(super) fn copies(&self) -> BTreeSet<PathBuf> {
        let downloads = self.config.lists.sources.iter().filter(|source| source.fetch.is_some());
        downloads.map(|source| source.path.clone()).collect()
    }
}
