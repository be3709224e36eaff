//! Sources that cannot be used and have no kept copy.

use std::path::{Path, PathBuf};

use crate::category::{CategoryId, CategorySet};
use crate::config::{ListSource, Sealed};
use crate::load::kept::held::printable;

/// A source that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its path or URL in the config.
    pub label: String,
    /// The fault, and its remedy.
    pub why: String,
    pub(in crate::load) path: PathBuf,
    /// None for keyword rules (the built-in ones take their place), for calendars (their schedules
    /// run in the stricter meaning), and for packs.
    category: Option<CategoryId>,
    /// True for a directory of packs: what they had is not known.
    is_pack: bool,
    /// False for a source that was added while the gateway ran and has not been good since: its
    /// category was open without it, and does not fail for it.
    pub(in crate::load) is_enrolled: bool,
}

impl LeftOut {
    pub(in crate::load) fn new(
        label: &str,
        path: &Path,
        why: String,
        category: Option<CategoryId>,
    ) -> Self {
        let (label, path) = (label.to_owned(), path.to_owned());
        Self { label, why: printable(why), path, category, is_pack: false, is_enrolled: true }
    }

    /// A source of listed names.
    pub(in crate::load) fn source(source: &ListSource, why: String) -> Self {
        Self::new(&source.label, &source.path, why, Some(source.category))
    }

    /// A sealed list.
    pub(in crate::load) fn sealed(sealed: &Sealed, why: String) -> Self {
        Self::new(&sealed.label, &sealed.path, why, Some(sealed.category))
    }

    /// A file without a category.
    pub(in crate::load) fn file(path: &Path, why: String) -> Self {
        Self::new(&path.display().to_string(), path, why, None)
    }

    /// A directory of packs.
    pub(in crate::load) fn pack(directory: &Path, why: String) -> Self {
        Self { is_pack: true, ..Self::file(directory, why) }
    }

    /// The categories that lack its names. A pack may have had names of any: those lack them that are
    /// closed without a list.
    pub(in crate::load) fn lacking(&self, fails_closed: CategorySet) -> CategorySet {
        let of_pack = if self.is_pack { fails_closed } else { CategorySet::default() };
        self.category.map_or(of_pack, |category| of_pack.with(category))
    }
}
