//! File → Config: the order in which tables are checked, and every mistake at once.
//!
//! A section starts from its `Default`; each key that is given and right replaces one
//! value. A wrong key adds a mistake to the [`Report`] and leaves the default, so that
//! checking continues. A [`Config`] is built only from a report without mistakes.
//! Sections are in `sections/`, groups and profiles in `layers/`, single values in `file/`.

use std::path::Path;

use crate::category::Taxonomy;
use crate::config::data::released::ReleasedData;
use crate::config::data::safesearch::SafeSearch;
use crate::config::errors::ConfigErrors;
use crate::config::external::Externals;
use crate::config::file::report::Report;
use crate::config::file::shape::File;
use crate::config::layers::group;
use crate::config::layers::known::Known;
use crate::config::layers::words::NameWords;
use crate::config::model::Config;
use crate::config::sections::essential::essential;
use crate::config::sections::local;
use crate::config::sections::upstream::Upstream;
use crate::config::warnings::warnings;
use crate::diagnostic::Diagnostic;

/// Checks every table of a file.
///
/// # Errors
///
/// Every mistake, in the order of the text.
pub(super) fn check(
    file: &File,
    base_dir: &Path,
    taxonomy: Taxonomy,
    safesearch: SafeSearch,
    mut words: NameWords,
    externals: Externals,
) -> Result<Config, Vec<Diagnostic>> {
    let mut report = Report::new(base_dir);
    let Externals { department, mut calendars, files, texts, mistakes, roots, lacks_state } =
        externals;
    for mistake in mistakes {
        report.push(mistake);
    }
    let school = report.school(&file.school);
    let schedules = report.schedules(&file.schedule, &mut calendars, &school.zone());
    words.add_bundles(&mut report, file);
    let known = Known {
        has_portal: file.portal.listen.is_some(),
        taxonomy: &taxonomy,
        safesearch: &safesearch,
        department: &department,
        schedules,
        words,
    };
    let listen = report.listen(&file.listen);
    let admin = report.admin(&file.admin, &file.listen.dns, &listen);
    let upstream = Upstream { roots, ..report.upstream(&file.upstream, &listen) };
    let cache = report.cache(&file.cache);
    let limits = report.limits(&file.limits);
    let block = report.block(&file.block);
    let rebinding = report.rebinding(&file.rebinding);
    let local = local::local(&mut report, &safesearch.engines, &file.local);
    let forwards = local::forwards(&mut report, file, &listen);
    let portal = report.portal(&file.portal, (&listen, &admin), (&local, &forwards));
    let essential = essential(&mut report, &file.essential);
    let fail_closed = report.fail_closed(&taxonomy, file);
    let listeners: Vec<_> = listen.all().collect();
    let (groups, default_group) = group::check(&mut report, &known, file, school.level, &listeners);
    let lists = report.lists(&taxonomy, &file.lists);
    if lacks_state {
        report.refuse_downloads(&file.lists);
    }
    let update = report.update(&file.update, lacks_state);
    let state = report.state(&file.state);
    let evidence = report.evidence(&file.evidence, &known.schedules, (&school, &groups));
    let selftest = report.selftest(&file.selftest);
    let devices = report.devices(&file.devices);
    let Known { schedules, words, .. } = known;
    let void = report.into_voids()?;
    let mut config = Config {
        warned: ConfigErrors::default(),
        void: ConfigErrors::default().and(void),
        school,
        listen,
        admin,
        portal,
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
        evidence,
        selftest,
        devices,
        update,
        data: ReleasedData::default(),
        taxonomy,
        safesearch,
        department,
        schedules,
        unusable: calendars.unusable.into_values().collect(),
        words,
        files,
        texts,
    };
    let found = warnings(file, &config);
    config.warned = config.warned.and(found);
    Ok(config)
}
