//! Diagnostics of one file, rendered in the configured language.

use std::fmt;

use crate::diagnostic::{Diagnostic, place};
use crate::lang::{Lang, messages};

/// The most mistakes that are told: a person mends some, and looks again.
const MAX_TOLD: usize = 100;

/// The configured language, found without a parser: a text with mistakes has one too.
pub(super) fn lang_of(text: &str) -> Lang {
    let value_of = |line: &str| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "lang").then(|| value.trim().trim_matches('"').to_owned())
    };
    let written = text.lines().find_map(value_of);
    Lang::ALL.into_iter().find(|lang| written.as_deref() == Some(lang.id())).unwrap_or_default()
}

/// Diagnostics of one file, each displayed with its place.
#[derive(Debug, Clone, Default)]
pub struct ConfigErrors {
    path: String,
    text: String,
    mistakes: Vec<Diagnostic>,
    lang: Lang,
}

/// Two are equal that say the same, of whatever text: a config is what it means.
impl PartialEq for ConfigErrors {
    fn eq(&self, other: &Self) -> bool {
        (&self.mistakes, self.lang) == (&other.mistakes, other.lang)
    }
}

impl Eq for ConfigErrors {}

impl ConfigErrors {
    /// The mistakes of `text`, which came from `path`.
    ///
    /// Of very many the first are told: each shows its line, and all lines together may be long.
    pub fn new(path: &str, text: &str, mut mistakes: Vec<Diagnostic>) -> Self {
        let more = mistakes.len().saturating_sub(MAX_TOLD);
        if more > 0 {
            mistakes.truncate(MAX_TOLD);
            let last = mistakes.last().map_or(0, |last| last.span.start);
            mistakes.push(Diagnostic::new(last..last, messages::more_mistakes(more)));
        }
        Self { path: path.to_owned(), text: text.to_owned(), mistakes, lang: Lang::En }
    }

    /// The same diagnostics, rendered in `lang`.
    #[must_use]
    pub fn in_lang(self, lang: Lang) -> Self {
        Self { lang, ..self }
    }

    /// The same with more diagnostics, in the order of the text.
    #[must_use]
    pub(super) fn and(mut self, more: impl IntoIterator<Item = Diagnostic>) -> Self {
        self.mistakes.extend(more);
        self.mistakes.sort_by_key(|one| one.span.start);
        self
    }

    /// The same diagnostics, of this text.
    #[must_use]
    pub(super) fn of(self, path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), ..self }
    }

    /// The language of rendering.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// The file that was read.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Line and column of a mistake, both from 1.
    pub fn place_of(&self, mistake: &Diagnostic) -> (usize, usize) {
        let (line, column, _) = place(&self.text, mistake.span.start);
        (line, column)
    }

    /// The mistakes in the order of the text.
    pub fn mistakes(&self) -> &[Diagnostic] {
        &self.mistakes
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> = self
            .mistakes
            .iter()
            .map(|mistake| mistake.render_in(self.lang, &self.path, &self.text))
            .collect();
        f.write_str(shown.concat().trim_end())
    }
}

impl std::error::Error for ConfigErrors {}
