//! Report: diagnostics of one file, collected while its values are read.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;

use crate::config::file::syntax::listed;
use crate::diagnostic::{Diagnostic, nearest};

/// Diagnostics of one file. Reading continues behind a mistake, so that all are reported at once.
pub(crate) struct Report<'a> {
    /// Relative paths are below it.
    pub(super) base_dir: &'a Path,
    mistakes: Vec<Diagnostic>,
}

impl<'a> Report<'a> {
    /// An empty report.
    pub(crate) fn new(base_dir: &'a Path) -> Self {
        Self { base_dir, mistakes: Vec::new() }
    }

    /// The mistakes in the order of the text.
    pub(crate) fn into_mistakes(mut self) -> Vec<Diagnostic> {
        self.mistakes.sort_by(|a, b| (a.span.start, &a.message).cmp(&(b.span.start, &b.message)));
        // Two groups that share a profile report its locked categories twice.
        self.mistakes.dedup();
        self.mistakes
    }

    /// Adds a mistake.
    pub(crate) fn push(&mut self, mistake: Diagnostic) {
        self.mistakes.push(mistake);
    }

    /// Adds a mistake, to which the caller may add a hint.
    pub(crate) fn mistake(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.mistakes.push(Diagnostic::new(span, message));
        let last = self.mistakes.len() - 1;
        &mut self.mistakes[last]
    }

    /// Reports a required key that is absent.
    pub(crate) fn missing<T>(&mut self, span: Range<usize>, table: &str, key: &str) -> Option<T> {
        self.mistake(span, format!("this `{table}` has no `{key}`")).hint =
            Some(format!("add `{key} = \"…\"`"));
        None
    }

    /// One word of a closed set.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        what: &str,
        given: &Spanned<String>,
        all: &[T],
        id: fn(T) -> &'static str,
    ) -> Option<T> {
        let word = given.get_ref().as_str();
        let found = all.iter().copied().find(|&one| id(one) == word);
        if found.is_none() {
            self.unknown(what, given, all.iter().map(|&one| id(one)));
        }
        found
    }

    /// Reports a word that is none of `known`.
    pub(crate) fn unknown<'w>(
        &mut self,
        what: &str,
        given: &Spanned<String>,
        known: impl IntoIterator<Item = &'w str>,
    ) {
        let word = given.get_ref();
        let known: Vec<&str> = known.into_iter().collect();
        let allowed = match known.as_slice() {
            [] => "this file defines none".to_owned(),
            known => format!("known are {}", listed(known.iter().copied())),
        };
        let hint = nearest(word, known).map(|meant| format!("did you mean `{meant}`?"));
        self.mistake(given.span(), format!("unknown {what} `{word}`; {allowed}")).hint = hint;
    }
}
