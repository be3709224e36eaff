//! Lists that cannot be used, and a start without them.
//!
//! Law: a torn list must never stop the gateway from answering. After a power cut a source that
//! cannot be used is left out, with an error in the log, and its category fails as configured
//! ([`crate::policy::tables::categories`]). The law applies at the start, and to a source that the
//! policy in force lacks already. In all other cases the policy in force is better than one without
//! the list, and a reload is refused. A source that was never downloaded is missing in the same
//! way. Mistakes of the config itself stop the start.

use std::path::{Path, PathBuf};

use tracing::warn;

use crate::category::CategorySet;
use crate::config::{Config, ListSource};
use crate::fetch::Downloads;
use crate::lang::Lang;
use crate::load::list_error::ListError;
use crate::load::lists::LoadedLists;
use crate::load::sealed::SealedError;
use crate::policy::SealedList;
use crate::policy::tables::categories::FailMode;
use crate::sys::clock::system_time;

/// A source that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its path or URL in the config.
    pub label: String,
    /// The fault, and its remedy.
    pub why: String,
    path: PathBuf,
    /// None for keyword rules, whose place the built-in rules take, and for calendars, whose
    /// schedules run in their stricter meaning.
    category: Option<crate::category::CategoryId>,
}

/// A config without the sources that cannot be used.
#[derive(Debug)]
pub(crate) struct Usable<'a> {
    /// With a source that has no path where one was left out, so that their numbers stay.
    pub(crate) config: Config,
    pub(crate) left_out: Vec<LeftOut>,
    /// The sources that the policy in force is without; none where there is no policy yet, and
    /// then any source may be left out.
    before: Option<&'a [LeftOut]>,
}

impl<'a> Usable<'a> {
    pub(crate) fn new(config: &Config, before: Option<&'a [LeftOut]>) -> Self {
        Self { config: config.clone(), left_out: Vec::new(), before }
    }

    fn may_miss(&self, path: &Path) -> bool {
        may_miss(self.before, path)
    }

    /// Leaves out the open list that `error` is about; returns the error if that is not allowed.
    pub(crate) fn without_list(&mut self, error: ListError) -> Result<(), ListError> {
        let path = match &error {
            ListError::Read { path, .. } | ListError::Refused { path, .. } => path.clone(),
            ListError::Keywords(errors) => PathBuf::from(errors.path()),
            _ => return Err(error),
        };
        if self.config.lists.keywords.as_ref() == Some(&path) {
            if !self.may_miss(&path) {
                return Err(error);
            }
            self.config.lists.keywords = None;
            let (label, why) = (path.display().to_string(), error.to_string());
            self.left_out.push(LeftOut { label, why, path, category: None });
            return Ok(());
        }
        let is_of = |source: &&ListSource| {
            !source.path.as_os_str().is_empty() && path.starts_with(&source.path)
        };
        let Some(source) = self.config.lists.sources.iter().find(is_of) else { return Err(error) };
        let whole = source.path.clone();
        if !self.may_miss(&whole) {
            return Err(error);
        }
        // The same file may be a source of two categories.
        for source in &mut self.config.lists.sources {
            if source.path == whole {
                source.path = PathBuf::new();
                let (why, category) = (error.to_string(), Some(source.category));
                let label = source.label.clone();
                self.left_out.push(LeftOut { label, why, path: whole.clone(), category });
            }
        }
        Ok(())
    }

    /// The same for a sealed list. A key that others can read is a mistake, and no accident.
    pub(crate) fn without_sealed(&mut self, error: SealedError) -> Result<(), SealedError> {
        let sealed = &self.config.lists.sealed;
        let is_of = |path: &Path| sealed.iter().position(|one| one.path == path || one.key == path);
        let is_accident = !matches!(error, SealedError::Exposed { .. });
        let Some(place) = is_of(error.path()).filter(|_| is_accident) else { return Err(error) };
        let path = sealed.get(place).map(|one| one.path.clone()).unwrap_or_default();
        if !self.may_miss(&path) {
            return Err(error);
        }
        let gone = self.config.lists.sealed.remove(place);
        let (label, category) = (gone.label, Some(gone.category));
        self.left_out.push(LeftOut { label, why: error.to_string(), path, category });
        Ok(())
    }
}

/// Logs the warnings of a config, a line each.
pub fn warn_of(config: &Config) {
    let warnings = config.warnings(system_time());
    for one in warnings.mistakes() {
        let (line, column) = warnings.place_of(one);
        warn!("{}:{line}:{column}: {}", warnings.path(), one.message.in_lang(Lang::En));
    }
}

/// Whether the file at a path may be unusable: at a start, or where the policy in force is without
/// it already.
pub(crate) fn may_miss(before: Option<&[LeftOut]>, path: &Path) -> bool {
    before.is_none_or(|before| before.iter().any(|one| one.path == path))
}

/// The calendars that cannot be used.
pub(crate) fn calendars(config: &Config) -> impl Iterator<Item = LeftOut> {
    config.unusable.iter().map(|calendar| LeftOut {
        label: calendar.label.clone(),
        why: calendar.why.clone(),
        path: calendar.path.clone(),
        category: None,
    })
}

/// The sources that have never been downloaded: the config is without them already.
pub(crate) fn not_downloaded(
    config: &Config,
    downloads: &Downloads,
) -> impl Iterator<Item = LeftOut> {
    let has_copy = |wanted: &ListSource| config.lists.sources.iter().any(|s| s.path == wanted.path);
    let without = downloads.sources.iter().filter(move |wanted| !has_copy(wanted));
    without.map(|source| LeftOut {
        label: source.label.clone(),
        why: "it has not been downloaded yet".into(),
        path: source.path.clone(),
        category: Some(source.category),
    })
}

/// The categories without a list.
pub(crate) fn fail_mode(
    config: &Config,
    left_out: &[LeftOut],
    lists: &LoadedLists,
    sealed: &[SealedList],
) -> FailMode {
    let torn: CategorySet = left_out.iter().filter_map(|one| one.category).collect();
    let open = config.lists.sources.iter().map(|source| source.category);
    let sealed_too = open.chain(config.lists.sealed.iter().map(|one| one.category));
    let enrolled = sealed_too.chain(torn.iter()).collect();
    let supplied: CategorySet = torn
        .iter()
        .filter(|&category| {
            // The test name of a starter list is no list.
            let names = lists.table.listed_in(category.index());
            names > u64::from(config.lists.starter)
                || lists.addresses.iter().any(|(_, listed)| listed.category == category)
                || sealed.iter().any(|list| list.category == category)
        })
        .collect();
    FailMode {
        enrolled,
        missing: torn.without(supplied),
        fails_closed: config.fail_closed,
        left_out: left_out.len() as u32,
    }
}
