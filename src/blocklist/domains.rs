//! Plain domain lists: one name a line, the name and all below it.

use super::{Reject, RuleSink, without_comment};
use crate::rule::{Effect, Scope};

/// Reads one line, already trimmed.
pub(super) fn line(line: &str, number: u32, rules: &mut RuleSink<'_>) {
    let text = without_comment(line);
    if text.is_empty() {
        return;
    }
    if text.split_whitespace().nth(1).is_some() {
        rules.reject(number, text, Reject::BadName);
        return;
    }
    rules.name(number, text, Scope::Subtree, Effect::Add);
}
