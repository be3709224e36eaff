//! Report: diagnostics of one file, collected while its values are read.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;

use crate::config::file::syntax::listed;
use crate::diagnostic::{Diagnostic, nearest};
use crate::lang::{Lang, Message, messages};

/// Diagnostics of one file. Reading continues behind a mistake, so that all are reported at once.
pub(crate) struct Report<'a> {
    /// Relative paths are below it.
    pub(in crate::config) base_dir: &'a Path,
    mistakes: Vec<Diagnostic>,
    voids: Vec<Diagnostic>,
}

/// The most mistakes among which further unknown words are kept: each lists what is known.
const MAX_KEPT: usize = 1_000;
/// The most characters of a word in a message.
const MAX_SHOWN: usize = 80;

impl<'a> Report<'a> {
    /// An empty report.
    pub(crate) fn new(base_dir: &'a Path) -> Self {
        Self { base_dir, mistakes: Vec::new(), voids: Vec::new() }
    }

    /// The mistakes in the order of the text.
    pub(crate) fn into_mistakes(self) -> Vec<Diagnostic> {
        match self.into_voids() {
            Ok(_) => Vec::new(),
            Err(mistakes) => mistakes,
        }
    }

    /// The words that are void, in the order of the text.
    ///
    /// # Errors
    ///
    /// The mistakes and the void words, where there is a mistake.
    pub(in crate::config) fn into_voids(mut self) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let has_mistakes = !self.mistakes.is_empty();
        let mut all = self.mistakes;
        all.append(&mut self.voids);
        all.sort_by_cached_key(|one| (one.span.start, one.message.in_lang(Lang::En)));
        // Two groups that share a profile report its locked categories twice.
        all.dedup();
        if has_mistakes { Err(all) } else { Ok(all) }
    }

    /// Adds a word of the school that a lock of the department makes void.
    ///
    /// A mistake for `check` and no reason to stop: another's lock must not take the DNS away.
    pub(in crate::config) fn void(&mut self, word: Diagnostic) {
        self.voids.push(word);
    }

    /// Adds a mistake.
    pub(crate) fn push(&mut self, mistake: Diagnostic) {
        self.mistakes.push(mistake);
    }

    /// Adds a mistake, to which the caller may add a hint.
    pub(crate) fn mistake(&mut self, span: Range<usize>, message: Message) -> &mut Diagnostic {
        self.mistakes.push(Diagnostic::new(span, message));
        let last = self.mistakes.len() - 1;
        &mut self.mistakes[last]
    }

    /// Reports a required key that is absent.
    pub(crate) fn missing<T>(&mut self, span: Range<usize>, table: &str, key: &str) -> Option<T> {
        self.mistake(span, messages::table_without(table, key)).hint =
            Some(messages::add(format!("{key} = \"…\"")));
        None
    }

    /// One word of a closed set.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        kind: Message,
        given: &Spanned<String>,
        all: &[T],
        id: fn(T) -> &'static str,
    ) -> Option<T> {
        let word = given.get_ref().as_str();
        let found = all.iter().copied().find(|&one| id(one) == word);
        if found.is_none() {
            self.unknown(kind, given, all.iter().map(|&one| id(one)));
        }
        found
    }

    /// Reports a word that is none of `known`.
    pub(crate) fn unknown<'w>(
        &mut self,
        kind: Message,
        given: &Spanned<String>,
        known: impl IntoIterator<Item = &'w str>,
    ) {
        let word = given.get_ref();
        let shown: String = word.chars().take(MAX_SHOWN).collect();
        if self.mistakes.len() >= MAX_KEPT {
            return;
        }
        let known: Vec<&str> = known.into_iter().collect();
        let message = match known.as_slice() {
            [] => messages::unknown_undefined(kind, shown),
            known => messages::unknown_word(kind, shown, listed(known.iter().copied())),
        };
        self.mistake(given.span(), message).hint = nearest(word, known).map(messages::did_you_mean);
    }
}
