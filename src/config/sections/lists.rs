//! `[lists]`: sources of listed names.

use std::path::PathBuf;

use crate::category::Taxonomy;
use crate::config::file::report::Report;
use crate::config::file::shape::ListsFile;
use crate::config::sections::source::{ListSource, MIN_PERCENT, Sealed};
use crate::dns::name::Name;

/// Sources of listed names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSettings {
    /// Whether the built-in starter lists are used.
    pub starter: bool,
    /// Whether keyword rules are used.
    pub use_keywords: bool,
    /// File of keyword rules; by default those of the pack, or the built-in ones.
    pub keywords: Option<PathBuf>,
    /// Directory of compiled packs: the newest that verifies is used.
    pub packs: Option<PathBuf>,
    /// Directories of older packs, the newest first, where none of `packs` can be used; of releases
    /// alone.
    pub older_packs: Vec<PathBuf>,
    /// Guarded names that packs may block, each with all below it.
    pub accept: Vec<Name>,
    /// The least of the names in force, and of those of a category, that a new pack has, in percent.
    pub min_percent: u8,
    /// Sources of names, in the order of the config.
    pub sources: Vec<ListSource>,
    /// Sealed lists, in the order of the config.
    pub sealed: Vec<Sealed>,
    /// PEM file of certificate authorities for downloads, beside the built-in ones.
    pub tls_roots: Option<PathBuf>,
}

impl Default for ListSettings {
    fn default() -> Self {
        Self {
            starter: true,
            use_keywords: true,
            keywords: None,
            packs: None,
            older_packs: Vec::new(),
            accept: Vec::new(),
            min_percent: MIN_PERCENT,
            sources: Vec::new(),
            sealed: Vec::new(),
            tls_roots: None,
        }
    }
}

impl Report<'_> {
    /// Checks `[lists]`.
    pub(in crate::config) fn lists(
        &mut self,
        taxonomy: &Taxonomy,
        file: &ListsFile,
    ) -> ListSettings {
        let mut lists = ListSettings::default();
        lists.starter = file.starter.unwrap_or(lists.starter);
        lists.use_keywords = file.use_keywords.unwrap_or(lists.use_keywords);
        lists.keywords = file.keywords.as_ref().and_then(|text| self.path("keywords", text));
        lists.packs = file.packs.as_ref().and_then(|text| self.path("packs", text));
        lists.accept = self.names("accept", &file.accept);
        let mut percent = usize::from(MIN_PERCENT);
        self.number("min_percent", &file.min_percent, 0..=100, &mut percent);
        lists.min_percent = percent as u8;
        lists.tls_roots = file.tls_roots.as_ref().and_then(|text| self.path("tls_roots", text));
        (lists.sources, lists.sealed) = self.sources(taxonomy, file);
        lists
    }
}
