//! Known: everything that a profile or a group can refer to.

use toml::Spanned;

use crate::category::Taxonomy;
use crate::config::data::safesearch::SafeSearch;
use crate::config::file::report::Report;
use crate::config::layers::department::Department;
use crate::config::layers::schedule::Schedule;
use crate::config::layers::words::NameWords;
use crate::lang::messages;
use crate::policy::AnswerMode;

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
    /// Words that stand for many names.
    pub(crate) words: NameWords,
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
}
