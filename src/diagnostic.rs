//! Diagnostics: a mistake in a text with its place, what was found, what is allowed, and a hint.
//!
//! Config and keyword rules render them alike:
//!
//! ```text
//! gateway.toml:2:10: unknown category `adlut`
//!   |
//! 2 | block = ["adlut", "malware"]
//!   |          ^^^^^^^
//! hint: did you mean `adult`?
//! ```

use std::fmt::Write as _;
use std::ops::Range;

use crate::lang::{Lang, Message};

/// One mistake in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The octets of the text at fault; empty without a place.
    pub span: Range<usize>,
    /// What was found and what is allowed, without a final stop.
    pub message: Message,
    /// The remedy.
    pub hint: Option<Message>,
}

impl Diagnostic {
    /// A mistake at `span`.
    pub fn new(span: Range<usize>, message: Message) -> Self {
        Self { span, message, hint: None }
    }

    /// The same mistake with a remedy.
    #[must_use]
    pub fn hint(mut self, hint: Message) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Renders the mistake with its line of `text`, the content of `path`; ends with a newline.
    pub fn render(&self, path: &str, text: &str) -> String {
        self.render_in(Lang::En, path, text)
    }

    /// [`Diagnostic::render`] in a language.
    pub fn render_in(&self, lang: Lang, path: &str, text: &str) -> String {
        let (line, column, shown) = place(text, self.span.start);
        let (shown, column_shown) = around(shown, column);
        let mut out = format!("{path}:{line}:{column}: {}\n", self.message.in_lang(lang));
        if !shown.trim().is_empty() {
            let number = line.to_string();
            let gutter = " ".repeat(number.len());
            let width = text
                .get(self.span.clone())
                .map_or(1, |s| s.lines().next().unwrap_or("").chars().count())
                .clamp(1, MAX_LINE);
            let pad: String = shown
                .chars()
                .take(column_shown - 1)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            let _ = write!(
                out,
                "{gutter} |\n{number} | {shown}\n{gutter} | {pad}{}\n",
                "^".repeat(width)
            );
        }
        if let Some(hint) = &self.hint {
            let word = if lang == Lang::Vi { "gợi ý" } else { "hint" };
            let _ = writeln!(out, "{word}: {}", hint.in_lang(lang));
        }
        out
    }
}

/// The most characters of a line that are shown.
const MAX_LINE: usize = 200;
/// The characters that are shown before the place in a longer line.
const BEFORE: usize = 60;

/// The part of a line around a column, and the column in it: a line may be as long as its file.
fn around(line: &str, column: usize) -> (String, usize) {
    if line.chars().nth(MAX_LINE).is_none() {
        return (line.to_owned(), column);
    }
    let skipped = column.saturating_sub(BEFORE + 1);
    (line.chars().skip(skipped).take(MAX_LINE).collect(), column - skipped)
}

/// Line and column (both from 1, columns in characters) of an octet, and the line itself.
pub fn place(text: &str, offset: usize) -> (usize, usize, &str) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let (before, after) = text.split_at(offset);
    let start = before.rfind('\n').map_or(0, |n| n + 1);
    let end = after.find('\n').map_or(text.len(), |n| offset + n);
    let line = before.matches('\n').count() + 1;
    let column = before[start..].chars().count() + 1;
    (line, column, text[start..end].trim_end_matches('\r'))
}

/// The longest word that a candidate is suggested for.
const MAX_WORD: usize = 100;

/// The candidate with the smallest edit distance to `word`, if within a third of its length. More than half of the
/// letters must stay, or all of the candidate's: `off` is no spelling of `on`, and `sec` is one of `s`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().nth(MAX_WORD).is_some() {
        return None;
    }
    let word = word.to_lowercase();
    let limit = (word.chars().count() / 3).max(1) + 1;
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, candidate)| {
            let letters = word.chars().count().max(candidate.chars().count());
            let is_longer = word.starts_with(&candidate.to_lowercase());
            distance <= limit && (distance * 2 < letters || is_longer)
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Edits between two words; a swap of neighbours is one edit.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = usize::from(a[i - 1] != b[j - 1]);
                let mut best =
                    (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_shows_its_place() {
        let text = "[profile.pupil]\nblock = [\"adlut\", \"malware\"]\n";
        let shown = Diagnostic::new(25..32, Message::english("unknown category `adlut`"))
            .hint(Message::english("did you mean `adult`?"))
            .render("gateway.toml", text);
        insta::assert_snapshot!(shown, @r#"
        gateway.toml:2:10: unknown category `adlut`
          |
        2 | block = ["adlut", "malware"]
          |          ^^^^^^^
        hint: did you mean `adult`?
        "#);
    }

    #[test]
    fn only_near_words_are_suggested() {
        assert_eq!(nearest("adlut", ["adult", "malware"]), Some("adult"));
        assert_eq!(nearest("Gamblng", ["gambling"]), Some("gambling"));
        assert_eq!(nearest("xyzzy", ["adult", "malware"]), None);
        assert_eq!(nearest("on", ["off", "strict"]), None);
        assert_eq!(nearest("vn", ["en", "vi"]), None);
        assert_eq!(nearest("of", ["off", "strict"]), Some("off"));
    }

    #[test]
    fn places_past_the_end_and_inside_characters_are_clamped() {
        assert_eq!(place("", 5), (1, 1, ""));
        assert_eq!(place("ầ", 1), (1, 1, "ầ"));
        assert_eq!(place("a\nb", 3), (2, 2, "b"));
    }
}
