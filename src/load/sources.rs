//! Config and lists of one reading: the inputs of a policy, besides time and overrides.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Config;
use crate::config::data::starter::ShippedEssential;
use crate::dns::name::Name;
use crate::fetch::Downloads;
use crate::load::degraded::LeftOut;
use crate::load::lists::LoadedLists;
use crate::policy::SealedList;
use crate::policy::tables::names::CanaryKind;

/// One reading of the config and of all files that it names.
#[derive(Debug)]
pub struct PolicySources {
    /// The config; a source by URL without a copy is not in it.
    pub config: Config,
    /// Open lists and keyword rules.
    pub lists: LoadedLists,
    /// Sources that could not be used.
    pub left_out: Vec<LeftOut>,
    /// Sources by URL.
    pub downloads: Downloads,
    /// Every file and directory to watch, the config first.
    pub watched: Vec<PathBuf>,
    /// The config's text and those of the files that it names: the identity of the config.
    pub(super) text: String,
    /// Sealed lists.
    pub(super) sealed: Arc<[SealedList]>,
    /// The identity of all lists, open and sealed.
    pub(super) lists_tag: u64,
    pub(super) essential: Vec<ShippedEssential>,
    pub(super) canaries: Vec<(CanaryKind, Name)>,
}

impl PolicySources {
    /// True where a policy of the same text and lists would be the same policy.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.lists_tag == other.lists_tag && self.text == other.text
    }

    /// The copies of downloads that are in use: a missing one is a mistake, and not a download that
    /// is still to come.
    pub(super) fn copies(&self) -> BTreeSet<PathBuf> {
        let downloads = self.config.lists.sources.iter().filter(|source| source.fetch.is_some());
        downloads.map(|source| source.path.clone()).collect()
    }
}
