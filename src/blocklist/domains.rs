//! Plain domain lists: one name a line, the name and all below it.
//!
//! `*.x` and `.x` mean the same as `x`: lists that are published in this form
//! (hagezi's wildcard lists, UT1) leave out `x` itself and mean it too. A `*`
//! anywhere else is a wildcard that cannot be honoured. An address is counted
//! and not made a rule about answers: such lists name the host of a URL, and
//! other names live at the same address.

use super::line::without_comment;
use super::reject::Reject;
use super::sink::{Deed, RuleSink};
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
    rules.host(name, Deed::add(Scope::Subtree));
}
