//! Known: everything that a profile or a group can refer to.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use crate::category::Taxonomy;
use crate::config::data::safesearch::SafeSearch;
use crate::config::file::report::Report;
use crate::config::file::shape::{File, SpannedTexts};
use crate::config::file::value::each;
use crate::config::layers::department::Department;
use crate::config::layers::schedule::Schedule;
use crate::dns::name::Name;
use crate::lang::messages;
use crate::policy::AnswerMode;

/// What stands before the name of a bundle in a list of names.
pub(crate) const BUNDLE: &str = "bundle:";

/// Everything that groups and profiles refer to; read before them.
pub(crate) struct Known<'a> {
    /// Whether there is a portal, which blocked names may lead to.
    pub(crate) has_portal: bool,
    /// The categories.
    pub(crate) taxonomy: &'a Taxonomy,
    /// The search engines.
    pub(crate) safesearch: &'a SafeSearch,
    /// The department's policy; the default without one.
    pub(crate) department: &'a Department,
    /// The schedules, in the order of the file.
    pub(crate) schedules: Vec<Schedule>,
    /// Bundles of names, by the bundle's name.
    pub(crate) bundles: BTreeMap<String, Vec<Name>>,
}

impl Known<'_> {
    /// The index of a schedule by its name.
    pub(crate) fn schedule(
        &self,
        report: &mut Report<'_>,
        given: &Spanned<String>,
    ) -> Option<usize> {
        let found = self.schedules.iter().position(|schedule| schedule.name == *given.get_ref());
        if found.is_none() {
            let known: Vec<String> = self.schedules.iter().map(|one| one.name.clone()).collect();
            report.unknown(messages::schedule(), given, known.iter().map(String::as_str));
        }
        found
    }

    /// A form of blocked answers by its id.
    pub(crate) fn answer(
        &self,
        report: &mut Report<'_>,
        given: &Spanned<String>,
    ) -> Option<AnswerMode> {
        let mode = report.choice(messages::answer(), given, &AnswerMode::ALL, AnswerMode::id)?;
        if mode == AnswerMode::Portal && !self.has_portal {
            let message = messages::portal_needs_listen("answer = \"portal\"", "[portal] listen");
            report.mistake(given.span(), message).hint =
                Some(messages::add("[portal] listen = [\"10.20.0.1:80\"]"));
        }
        Some(mode)
    }

    /// The index of the schedule `lessons`.
    pub(crate) fn lessons(&self) -> Option<usize> {
        self.schedules.iter().position(|schedule| schedule.name == "lessons")
    }

    /// Names with their places; a bundle stands for all of its names.
    pub(crate) fn names(
        &self,
        report: &mut Report<'_>,
        key: &str,
        given: &SpannedTexts,
    ) -> Vec<(Name, Range<usize>)> {
        let mut found = Vec::new();
        for text in each(given) {
            if let Some(bundle) = text.get_ref().strip_prefix(BUNDLE) {
                if let Some(names) = self.bundles.get(bundle) {
                    found.extend(names.iter().map(|name| (name.clone(), text.span())));
                } else {
                    let known: Vec<String> = self.bundles.keys().cloned().collect();
                    let bundle = Spanned::new(text.span(), bundle.to_owned());
                    report.unknown(messages::bundle(), &bundle, known.iter().map(String::as_str));
                }
            } else if let Some(name) = report.name(key, text) {
                found.push((name, text.span()));
            }
        }
        found
    }
}

/// Adds the bundles of a file to `bundles`, the built-in ones; one of the same name replaces.
pub(crate) fn read_bundles(
    report: &mut Report<'_>,
    file: &File,
    bundles: &mut BTreeMap<String, Vec<Name>>,
) {
    for (name, table) in &file.bundle {
        report.label(messages::bundle(), name);
        if table.names.is_none() {
            report.missing::<()>(name.span(), "[bundle]", "names");
        }
        let names = report.names("names", &table.names);
        bundles.insert(name.get_ref().clone(), names);
    }
}
