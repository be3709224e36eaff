//! Modifiers: the part of an Adblock rule behind `$`.

use super::rewrite::{self, RuleAnswer};
use crate::blocklist::reject::Reject;
use crate::dns::rtype;
use crate::rule::QueryTypes;

/// The modifiers of one rule, all supported.
#[derive(Debug)]
pub(super) struct Modifiers<'a> {
    /// `important`.
    pub(super) is_important: bool,
    /// The names of `denyallow=`.
    pub(super) spared: Vec<&'a str>,
    /// The types of `dnstype=`.
    pub(super) types: QueryTypes,
    /// The answer of `dnsrewrite=`.
    pub(super) answer: Option<RuleAnswer>,
}

impl Default for Modifiers<'_> {
    fn default() -> Self {
        Self { is_important: false, spared: Vec::new(), types: QueryTypes::All, answer: None }
    }
}

impl<'a> Modifiers<'a> {
    /// Parses the modifiers of a rule.
    ///
    /// One unsupported modifier rejects the whole rule: each narrows it.
    pub(super) fn of(text: &'a str) -> Result<Self, Reject> {
        let mut modifiers = Self::default();
        for modifier in each(text) {
            match modifier.split_once('=').map_or((modifier, None), |(k, v)| (k, Some(v))) {
                ("important", None) => modifiers.is_important = true,
                ("all", None) => {}
                ("denyallow", Some(names)) if !names.is_empty() => {
                    modifiers.spared.extend(names.split('|'));
                }
                ("dnstype", Some(names)) => {
                    modifiers.types = types(names).ok_or(Reject::Modifier)?;
                }
                ("dnsrewrite", value) => {
                    let answer = rewrite::answer(value.unwrap_or(""));
                    modifiers.answer = Some(answer.ok_or(Reject::Modifier)?);
                }
                _ => return Err(Reject::Modifier),
            }
        }
        Ok(modifiers)
    }
}

/// The modifiers, split at commas that have no backslash in front.
pub(super) fn each(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text
            .match_indices(',')
            .map(|(at, _)| at)
            .find(|&at| !text.get(..at).is_some_and(|before| before.ends_with('\\')));
        let (first, after) = match end {
            Some(at) => (text.get(..at).unwrap_or(text), text.get(at + 1..)),
            None => (text, None),
        };
        rest = after;
        Some(first.trim())
    })
}

/// The types of `dnstype=`: those that are named, else all but those with `~` in front.
///
/// AdGuard reads `~A|AAAA` as `AAAA`. One unknown name rejects the rule.
fn types(names: &str) -> Option<QueryTypes> {
    let (mut only, mut except) = (Vec::new(), Vec::new());
    for name in names.split('|') {
        match name.trim().strip_prefix('~') {
            Some(name) => except.push(rtype::from_name(name)?),
            None => only.push(rtype::from_name(name.trim())?),
        }
    }
    let in_order = |mut types: Vec<u16>| {
        types.sort_unstable();
        types.dedup();
        types.into_boxed_slice()
    };
    Some(if only.is_empty() {
        QueryTypes::Except(in_order(except))
    } else {
        QueryTypes::Only(in_order(only))
    })
}
