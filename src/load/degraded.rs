//! Lists that cannot be used and have no kept copy.
//!
//! Law: a torn list must never stop the gateway from answering, nor hold up what is beside it. A
//! source that cannot be used and was never kept is left out, with an error in the log, and its
//! category fails as configured ([`crate::policy::tables::categories`]). A source that was never
//! downloaded is missing in the same way. At a reload a source that is new fails no category: it
//! was open before, and a typing mistake must not take the DNS away.

use std::path::Path;

use tracing::warn;

use crate::category::CategorySet;
use crate::config::{Config, ListSource};
use crate::fetch::Downloads;
use crate::lang::{Lang, messages};
use crate::load::kept::left_out::LeftOut;
use crate::load::lists::LoadedLists;
use crate::policy::SealedList;
use crate::policy::tables::categories::FailMode;
use crate::sys::clock::system_time;

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
    config.unusable.iter().map(|one| LeftOut::new(&one.label, &one.path, one.why.clone(), None))
}

/// The sources that have never been downloaded: the config is without them already.
pub(crate) fn not_downloaded(
    config: &Config,
    downloads: &Downloads,
) -> impl Iterator<Item = LeftOut> {
    let has_copy = |wanted: &ListSource| config.lists.sources.iter().any(|s| s.path == wanted.path);
    let without = downloads.sources.iter().filter(move |wanted| !has_copy(wanted));
    without.map(|source| {
        LeftOut::source(source, messages::list_still_to_come().in_lang(config.school.lang))
    })
}

/// The categories without a list.
pub(crate) fn fail_mode(
    config: &Config,
    left_out: &[LeftOut],
    lists: &LoadedLists,
    sealed: &[SealedList],
) -> FailMode {
    let enrolled = left_out.iter().filter(|one| one.is_enrolled);
    let torn: CategorySet =
        enrolled.flat_map(|one| one.lacking(config.fail_closed).iter()).collect();
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
