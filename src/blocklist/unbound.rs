//! Unbound configurations (unbound.conf(5)): `local-zone:`.
//!
//! A local zone is a name with its subtree. Types that answer locally block: lists use them
//! interchangeably, so the group decides the answer, except for types of REFUSED, NODATA or no
//! answer. `transparent` and related types resolve a name below a blocked one, and are exceptions.
//! `local-data:` and every other option is counted.

use super::line::without_comment;
use super::reject::Reject;
use super::sink::{RuleBody, RuleSink};
use crate::rule::{Action, Effect, Scope};

/// Whether a line is a statement of a list.
pub(super) fn looks_like(line: &str) -> bool {
    ["local-zone:", "local-data:", "server:"].iter().any(|start| line.starts_with(start))
}

/// Reads one line, already trimmed.
pub(super) fn line(line: &str, rules: &mut RuleSink<'_>) {
    let text = without_comment(line);
    if text.is_empty() {
        return;
    }
    let Some((key, value)) = text.split_once(':').map(|(k, v)| (k.trim_end(), v.trim_start()))
    else {
        rules.reject(text, Reject::Syntax);
        return;
    };
    if key != "local-zone" {
        let is_key = key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        match (is_key, value) {
            (true, "") => {}
            (true, _) => rules.reject(text, Reject::Unsupported),
            (false, _) => rules.reject(text, Reject::Syntax),
        }
        return;
    }
    let Some((name, rest)) = word(value) else {
        rules.reject(text, Reject::Syntax);
        return;
    };
    let Some((kind, "")) = word(rest) else {
        rules.reject(text, Reject::Syntax);
        return;
    };
    let mut body = RuleBody::add(Scope::Subtree);
    match kind {
        "static" | "redirect" | "inform_redirect" | "always_nxdomain" | "always_null" => {}
        "always_nodata" => body.action = Action::NoData,
        "refuse" | "always_refuse" => body.action = Action::Refused,
        "deny" | "inform_deny" | "always_deny" => body.action = Action::Drop,
        "transparent" | "typetransparent" | "always_transparent" | "inform" => {
            body.effect = Effect::Clear;
        }
        "nodefault" | "noview" | "ipset" | "block_a" => {
            rules.reject(text, Reject::Unsupported);
            return;
        }
        _ => {
            rules.reject(text, Reject::Syntax);
            return;
        }
    }
    if name == "." {
        rules.reject(text, Reject::Wildcard);
        return;
    }
    rules.name(name, body);
}

/// The first word of a value, quoted or not, and the rest.
fn word(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''));
    let (word, rest) = match quote {
        Some(quote) => text.get(1..)?.split_once(quote)?,
        None => text.split_at(text.find([' ', '\t']).unwrap_or(text.len())),
    };
    Some((word, rest.trim_start()))
}
