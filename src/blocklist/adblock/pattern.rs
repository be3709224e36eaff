//! The pattern of an Adblock rule → a name with a scope, a pattern of host names, or all names.
//!
//! A pattern that anchors whole labels is a name: names cost nothing, however many. What matches
//! parts of labels is a [glob](crate::pattern), exactly as AdGuard matches it.

use crate::blocklist::reject::Reject;
use crate::blocklist::sink::Wire;
use crate::dns::name::Name;
use crate::dns::public_suffix::is_top_level;
use crate::pattern::HostPattern;
use crate::rule::Scope;

/// The fewest octets of a glob, anchors included (AdGuard's limit): fewer are in most names.
const MIN_GLOB: usize = 3;

/// The names that a pattern matches.
#[derive(Debug)]
pub(super) enum Matched {
    /// A name.
    Name(Wire, Scope),
    /// Those that match this.
    Pattern(HostPattern),
    /// Every name.
    All,
}

/// The place where a pattern must begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Anywhere,
    /// `||`: at a label.
    Label,
    /// `|`, `://`: at the name.
    Name,
}

/// A pattern in its parts.
#[derive(Debug, Clone, Copy)]
struct Parts<'a> {
    start: Start,
    rest: &'a str,
    is_ended: bool,
}

/// Whether a text is a regular expression.
pub(super) fn is_expression(text: &str) -> bool {
    text.len() > 2 && text.starts_with('/') && text.ends_with('/') && !text.starts_with("//")
}

/// Whether a text can only be a glob: a `*` that is not the whole first label, among letters of names.
pub(super) fn is_glob(text: &str) -> bool {
    let inner = text.strip_prefix("*.").unwrap_or(text);
    inner.contains('*')
        && text.len() >= MIN_GLOB
        && text.chars().any(char::is_alphanumeric)
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '*' | '.' | '-' | '_'))
}

/// What a pattern matches.
///
/// `is_rule`: it has `@@` or modifiers, so that a bare `x` is a part of any name, and not a line of
/// the domains-only syntax.
pub(super) fn matched(pattern: &str, is_rule: bool) -> Result<Matched, Reject> {
    if is_expression(pattern) {
        return Ok(Matched::Pattern(HostPattern::parse(pattern)?));
    }
    let lower = pattern.to_lowercase();
    let is_bare = !is_rule && !lower.contains(['|', '^', '*', '/', ':']) && is_host_like(&lower);
    if is_bare {
        // A single label is debris, far more often than it is meant.
        return Ok(Matched::Name(name(&lower, Wire::of_host)?, Scope::Exact));
    }
    let parts = Parts::of(&lower);
    if parts.rest.contains(['/', '?', '=', '&', ':', '%']) {
        return Err(Reject::PathRule);
    }
    if parts.rest.contains(['^', '|']) {
        return Err(Reject::Prefix);
    }
    if let Some(below) = below(&lower, parts, is_rule) {
        return Ok(Matched::Name(name(below, Wire::of_zone)?, Scope::Below));
    }
    if parts.rest.contains('*') || !parts.is_ended {
        return parts.glob_or_host();
    }
    match parts.start {
        Start::Label => Ok(Matched::Name(name(parts.rest, Wire::of_zone)?, Scope::Subtree)),
        Start::Name => Ok(Matched::Name(name(parts.rest, Wire::of_zone)?, Scope::Exact)),
        Start::Anywhere => parts.glob(),
    }
}

/// x of `*.x`, `*.x^`, `||*.x^`, `.x^`: names that end with it and have more in front.
fn below<'a>(pattern: &str, parts: Parts<'a>, is_rule: bool) -> Option<&'a str> {
    let rest = parts.rest.strip_prefix('*').unwrap_or(parts.rest).strip_prefix('.')?;
    // `*.x` without an end is the wildcard of lists of names.
    let is_wildcard = !is_rule && pattern.starts_with("*.") && is_host_like(rest);
    let is_below = parts.start != Start::Name || parts.rest.starts_with('*');
    let is_label = parts.start != Start::Label || parts.rest.starts_with('*');
    (is_below && is_label && !rest.contains('*') && (parts.is_ended || is_wildcard)).then_some(rest)
}

/// Parses a name; one with a dot at its end, which no host name has, is none.
fn name(text: &str, wire: impl Fn(&str) -> Result<Wire, Reject>) -> Result<Wire, Reject> {
    if text.ends_with('.') {
        return Err(Reject::Prefix);
    }
    wire(text).map_err(|reject| match reject {
        Reject::BadName if text.contains(char::is_whitespace) => Reject::Syntax,
        reject => reject,
    })
}

/// Whether a text has the shape of a name, and not of a part of one.
pub(in crate::blocklist) fn is_host_like(text: &str) -> bool {
    !text.starts_with(['.', '-']) && !text.ends_with(['.', '-'])
}

impl<'a> Parts<'a> {
    fn of(pattern: &'a str) -> Self {
        let starts = [("||", Start::Label), ("://", Start::Name), ("|", Start::Name)];
        let begun = starts
            .into_iter()
            .find_map(|(anchor, start)| pattern.strip_prefix(anchor).map(|rest| (start, rest)));
        let (start, rest) = begun.unwrap_or((Start::Anywhere, pattern));
        // What a browser's list says of all paths of a host, it says of the host.
        let whole = ["^*", "/*", "/"].iter().find_map(|end| rest.strip_suffix(end));
        if let Some(rest) = whole.filter(|_| start != Start::Anywhere) {
            return Self { start, rest, is_ended: true };
        }
        let ended = rest.strip_suffix('|').unwrap_or(rest);
        let ended = ended.strip_suffix('^').unwrap_or(ended);
        Self { start, rest: ended, is_ended: ended.len() < rest.len() }
    }

    /// `||x` of a registered top-level domain is x and all below it: of what it matches beside, as
    /// `x.evil.example`, no list speaks, and some lists write all their names so. All else is a glob.
    fn glob_or_host(self) -> Result<Matched, Reject> {
        let is_host = self.start == Start::Label
            && !self.rest.contains('*')
            && is_host_like(self.rest)
            && self.rest.contains('.')
            && self.rest.rsplit('.').next().is_some_and(|top| is_top_level(top.as_bytes()));
        if !is_host {
            return self.glob();
        }
        Ok(Matched::Name(name(self.rest, Wire::of_host)?, Scope::Subtree))
    }

    /// The glob in one spelling, in A-labels.
    fn glob(self) -> Result<Matched, Reject> {
        let mut rest = self.rest;
        let (mut start, mut is_ended) = (self.start, self.is_ended);
        // A name has any start in front of `*`, and any end behind it.
        if let Some(inner) = rest.strip_prefix('*') {
            (rest, start) = (inner.trim_start_matches('*'), Start::Anywhere);
        }
        if let Some(inner) = rest.strip_suffix('*') {
            (rest, is_ended) = (inner.trim_end_matches('*'), false);
        }
        if rest.is_empty() {
            return Ok(Matched::All);
        }
        if rest.contains(char::is_whitespace) {
            return Err(Reject::Syntax);
        }
        let anchor = match start {
            Start::Anywhere => "",
            Start::Label => "||",
            Start::Name => "|",
        };
        let glob = format!("{anchor}{}{}", a_labels(rest)?, if is_ended { "|" } else { "" });
        if glob.len() < MIN_GLOB {
            return Err(Reject::TooWide);
        }
        if is_ended && rest.ends_with('.') || rest.contains("..") {
            return Err(Reject::Prefix);
        }
        Ok(Matched::Pattern(HostPattern::parse(&glob)?))
    }
}

/// The labels of a glob as A-labels; a label with a `*` has none.
fn a_labels(text: &str) -> Result<String, Reject> {
    if text.is_ascii() {
        return Ok(text.to_owned());
    }
    let label = |label: &str| -> Result<String, Reject> {
        if label.is_ascii() {
            return Ok(label.to_owned());
        }
        if label.contains('*') {
            return Err(Reject::Idna);
        }
        Ok(Name::from_text(label)?.to_string().trim_end_matches('.').to_owned())
    };
    let labels: Result<Vec<String>, Reject> = text.split('.').map(label).collect();
    Ok(labels?.join("."))
}
