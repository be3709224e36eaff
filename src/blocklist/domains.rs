//! Plain domain lists: one name a line, with its subtree.
//!
//! `*.x` and `.x` are equivalent to `x`: lists in this form (hagezi's wildcard lists, UT1) omit `x`
//! itself and mean it too. A `*` elsewhere is a wildcard that DNS cannot honour. An address is
//! counted, and never becomes a rule of answers: it is the host of a URL, and other names share
//! the address.

use super::line::without_comment;
use super::reject::Reject;
use super::sink::{RuleBody, RuleSink};
use crate::rule::Scope;

/// Reads one line, already trimmed.
pub(super) fn line(line: &str, rules: &mut RuleSink<'_>) {
    let text = without_comment(line);
    if text.is_empty() || text.starts_with(['!', ';']) {
        return;
    }
    if text.contains(char::is_whitespace) {
        rules.reject(text, Reject::Syntax);
        return;
    }
    let name = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    rules.host(name, RuleBody::add(Scope::Subtree));
}
