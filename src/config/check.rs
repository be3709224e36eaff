//! File → Config: the meaning of each key, every mistake at once.
//!
//! A section starts from its `Default` and each key that is given and right
//! replaces one value. A key that is wrong leaves a mistake and the default
//! behind, so that checking goes on; the [`Config`] is built only if no mistake
//! was left. Groups and profiles are in `group.rs`, single values in `value.rs`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::category::Taxonomy;
use crate::config::data::essential;
use crate::config::data::safesearch::SafeSearch;
use crate::config::external::Externals;
use crate::config::file::shape::File;
use crate::config::file::value::Checker;
use crate::config::layers::group;
use crate::config::model::Config;
use crate::config::sections::local;
use crate::diagnostic::Diagnostic;
use crate::dns::name::Name;

/// Says what a file means, or all that is wrong with it.
///
/// # Errors
///
/// Every mistake, in the order of the text.
pub(super) fn check(
    file: &File,
    base_dir: &Path,
    taxonomy: Taxonomy,
    safesearch: SafeSearch,
    bundles: BTreeMap<String, Vec<Name>>,
    externals: Externals,
) -> Result<Config, Vec<Diagnostic>> {
    let mut checker = Checker::new(base_dir, &taxonomy, &safesearch);
    checker.bundles = bundles;
    checker.externals = externals;
    for mistake in std::mem::take(&mut checker.externals.mistakes) {
        checker.push(mistake);
    }
    let school = checker.school(&file.school);
    checker.schedules = checker.schedules(&file.schedule, &school.zone());
    checker.read_bundles(file);
    let listen = checker.listen(&file.listen);
    let admin = checker.admin(&file.admin, &listen);
    let upstream = checker.upstream(&file.upstream, &listen);
    let cache = checker.cache(&file.cache);
    let limits = checker.limits(&file.limits);
    let block = checker.block(&file.block);
    let rebinding = checker.rebinding(&file.rebinding);
    let local = local::local(&mut checker, &file.local);
    let forwards = local::forwards(&mut checker, file, &listen);
    let essential = essential::check(&mut checker, &file.essential);
    let fail_closed = checker.fail_closed(file);
    let (groups, default_group) = group::check(&mut checker, file, school.level, &listen.dns);
    let lists = checker.lists(&file.lists);
    let state = checker.state(&file.state);
    let schedules = std::mem::take(&mut checker.schedules);
    let bundles = std::mem::take(&mut checker.bundles);
    let Externals { department, files, texts, .. } = std::mem::take(&mut checker.externals);
    let mistakes = checker.into_mistakes();
    if mistakes.is_empty() {
        return Ok(Config {
            school,
            listen,
            admin,
            upstream,
            cache,
            limits,
            block,
            rebinding,
            local,
            forwards,
            essential,
            fail_closed,
            groups,
            default_group,
            lists,
            state,
            taxonomy,
            safesearch,
            department,
            schedules,
            bundles,
            files,
            texts,
        });
    }
    Err(mistakes)
}
