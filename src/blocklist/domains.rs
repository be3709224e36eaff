//! Plain domain lists: one name a line, with its subtree.
//!
//! `*.x` and `.x` are equivalent to `x`: lists in this form (hagezi's wildcard lists, UT1) omit `x`
//! itself and mean it too. A URL without a path (`http://x/`) names its host. A `*` elsewhere is a wildcard that DNS cannot honour. An address is
//! counted, and never becomes a rule of answers: it is the host of a URL, and other names share
//! the address.

use super::line::without_any_comment;
use super::reject::Reject;
use super::sink::{RuleBody, RuleSink, Wire, kind_of};
use crate::rule::Scope;

/// Reads one line, already trimmed.
pub(super) fn line(line: &str, rules: &mut RuleSink<'_>) {
    line_of(line, Scope::Subtree, true, rules);
}

/// Reads one line, already trimmed; `scope` is that of a bare name, `has_urls` tells whether a URL
/// without a path names its host.
pub(super) fn line_of(line: &str, scope: Scope, has_urls: bool, rules: &mut RuleSink<'_>) {
    let text = without_note(line);
    if text.is_empty() {
        return;
    }
    if text.contains(char::is_whitespace) {
        rules.reject(text, Reject::Syntax);
        return;
    }
    let text = host_of(text).filter(|_| has_urls).unwrap_or(text);
    match text.strip_prefix("*.").or_else(|| text.strip_prefix('.')) {
        // `*.top` is a top-level domain that somebody meant; a bare label is debris.
        Some(name) if !name.contains('.') => match Wire::of(name) {
            Ok(wire) => rules.wire(&wire, RuleBody::add(Scope::Subtree)),
            Err(reject) => rules.reject(text, kind_of(text, reject)),
        },
        Some(name) => rules.host(name, RuleBody::add(Scope::Subtree)),
        None => rules.host(text, RuleBody::add(scope)),
    }
}

/// The host of a URL that has no path, or the text itself.
///
/// Such a URL names the whole host, except in a list of pages, where it is one more page.
pub(super) fn host_of(text: &str) -> Option<&str> {
    let after = ["http://", "https://"].into_iter().find_map(|scheme| {
        let start = text.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| text.get(scheme.len()..))?
    });
    let host = after.unwrap_or(text);
    let host = host.strip_suffix('/').unwrap_or(host);
    (!host.contains(['/', '?', '@'])).then_some(host)
}

/// A line without its comment and without a note behind its name.
///
/// `;` has no place in a name, nor has `!` or `//` behind a blank. What is behind a `,` is a note
/// unless it has a name of its own, which the line could mean as well.
pub(super) fn without_note(line: &str) -> &str {
    let text = without_any_comment(line);
    if text.starts_with(['!', ';']) || text.starts_with("//") {
        return "";
    }
    let text = text.split(';').next().unwrap_or(text).trim_end();
    let marks = [" !", "\t!", " //", "\t//"].iter().filter_map(|mark| text.find(mark)).min();
    let text = marks.and_then(|at| text.get(..at)).unwrap_or(text).trim_end();
    match text.split_once(',') {
        Some((name, note)) if name.contains('.') && !note.contains('.') => name.trim_end(),
        _ => text,
    }
}
