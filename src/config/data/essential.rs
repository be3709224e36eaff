//! Lint of essential names: the built-in ones, those of a release, and `[essential] names`.
//!
//! A name of search, video, chat, storage or a CDN must never be essential: it would be
//! open in every mode, exams included.

use std::ops::Range;
use std::sync::LazyLock;

use crate::config::file::syntax::listed;
use crate::config::file::wire_error::name_error;
use crate::diagnostic::Diagnostic;
use crate::dns::name::{Folded, Name};
use crate::lang::messages;
use crate::rule::Scope;

/// Names that may not be essential.
pub const NOT_ESSENTIAL: &str = include_str!("../../../blocklists/not-essential.txt");

/// Kinds of refused names, in the order of the file.
const KINDS: [&str; 5] = ["search", "video", "chat", "storage", "cdn"];

/// The embedded refused names, each with its kind.
static REFUSED: LazyLock<Vec<(&'static str, Name)>> =
    LazyLock::new(|| parse(NOT_ESSENTIAL).unwrap_or_default());

/// Reads `not-essential.txt`: `## kind` headings and names.
///
/// # Errors
///
/// Every line that is neither, or whose kind is unknown.
pub fn parse(text: &str) -> Result<Vec<(&'static str, Name)>, Vec<Diagnostic>> {
    let (mut found, mut mistakes, mut kind) = (Vec::new(), Vec::new(), None);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let span = at..at + line.trim_end().len();
        at += line.len();
        let line = line.trim();
        if let Some(heading) = line.strip_prefix("## ") {
            kind = KINDS.into_iter().find(|known| *known == heading.trim());
            if kind.is_none() {
                let known = listed(KINDS);
                mistakes.push(Diagnostic::new(span, messages::unknown_kind(known)));
            }
        } else if !line.is_empty() && !line.starts_with('#') {
            match (kind, Name::from_text(line)) {
                (Some(kind), Ok(name)) => found.push((kind, name)),
                (None, Ok(_)) => {
                    mistakes.push(Diagnostic::new(span, messages::before_heading()));
                }
                (_, Err(error)) => {
                    mistakes
                        .push(Diagnostic::new(span, messages::no_name(line, name_error(&error))));
                }
            }
        }
    }
    if mistakes.is_empty() { Ok(found) } else { Err(mistakes) }
}

/// Why a name must not be essential: the refused name that it would open, and its kind.
pub fn refusal(name: &Name, scope: Scope) -> Option<(&'static str, &'static Name)> {
    let folded = Folded::from_name(name);
    let opens = |refused: &Name| {
        folded.is_at_or_below(refused.as_wire())
            || scope != Scope::Exact && Folded::from_name(refused).is_at_or_below(name.as_wire())
    };
    REFUSED.iter().find(|(_, refused)| opens(refused)).map(|(kind, refused)| (*kind, refused))
}

/// The mistake of a name that must not be essential.
pub(crate) fn lint(span: Range<usize>, name: &Name, scope: Scope) -> Option<Diagnostic> {
    let (kind, refused) = refusal(name, scope)?;
    let message = messages::not_essential(name, refused, kind);
    let hint = messages::essential_is_one_job();
    Some(Diagnostic::new(span, message).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::data::starter;

    #[test]
    fn the_embedded_names_pass_their_own_lint() {
        assert!(parse(NOT_ESSENTIAL).unwrap().len() > 80);
        for one in starter::essential().unwrap() {
            let scope = if one.is_exact { Scope::Exact } else { Scope::Subtree };
            assert_eq!(refusal(&one.name, scope), None, "{}", one.name);
        }
    }

    #[test]
    fn what_opens_a_door_is_refused() {
        let kind = |name: &str, scope| {
            refusal(&Name::from_text(name).unwrap(), scope).map(|(kind, _)| kind)
        };
        for (name, expected) in [
            ("www.google.com", "search"),
            ("google.com", "search"),
            ("m.youtube.com", "video"),
            ("web.telegram.org", "chat"),
            ("files.drive.google.com", "storage"),
            ("d1.cloudfront.net", "cdn"),
            ("com", "search"),
        ] {
            assert_eq!(kind(name, Scope::Subtree), Some(expected), "{name}");
        }
        assert_eq!(kind("google.com", Scope::Exact), None);
        assert_eq!(kind("clients3.google.com", Scope::Exact), None);
        assert_eq!(kind("d1.cloudfront.net", Scope::Exact), Some("cdn"));
    }
}
