//! Reader of an Adblock list, rule by rule.

use std::collections::{HashMap, HashSet};

use super::modifier::{self, ModifierAnswer, Modifiers};
use crate::blocklist::hosts;
use crate::blocklist::line::{Lines, without_comment};
use crate::blocklist::local::ListRecord;
use crate::blocklist::reject::Reject;
use crate::blocklist::sink::{RuleBody, RuleSink, Wire};
use crate::dns::name::Labels;
use crate::rule::{Action, Effect, Scope};

/// Markers of cosmetic rules, at any place in a line.
const COSMETIC: [&str; 9] = ["##", "#@#", "#?#", "#@?#", "#$#", "#@$#", "#$?#", "#%#", "#@%#"];

/// Reader of one list.
#[derive(Debug)]
pub(in crate::blocklist) struct AdblockReader {
    /// Rules that `$badfilter` disables, in canonical spelling.
    disabled: HashSet<String>,
    /// Names that `$denyallow` excludes, each with its line.
    spared: Vec<(Box<[u8]>, Effect, u32)>,
}

/// Whether a line is a rule of this syntax and of no other.
pub(in crate::blocklist) fn looks_like(line: &str) -> bool {
    line.starts_with("||")
        || line.starts_with("@@")
        || line.starts_with('|')
        || line.ends_with(['|', '^'])
        || line.starts_with("://")
        || line.len() > 2 && line.starts_with('/') && line.ends_with('/')
        || is_cosmetic(line)
        || line.split_once('$').is_some_and(|(_, modifiers)| {
            modifiers.starts_with(|c: char| c.is_ascii_lowercase() || c == '~')
        })
}

impl AdblockReader {
    /// Scans the whole text for `$badfilter`, which may come after its rule.
    pub(in crate::blocklist) fn new(text: &[u8]) -> Self {
        let mut disabled = HashSet::new();
        for line in Lines(text).filter(|line| line.windows(9).any(|part| part == b"badfilter")) {
            let Ok(line) = std::str::from_utf8(line) else { continue };
            let (pattern, modifiers) = split(line.trim());
            let modifiers = modifiers.unwrap_or("");
            if modifier::each(modifiers).any(|name| name == "badfilter") {
                disabled.insert(one_spelling(pattern, modifiers));
            }
        }
        Self { disabled, spared: Vec::new() }
    }

    /// Reads one line, already trimmed.
    pub(in crate::blocklist) fn line(&mut self, line: &str, rules: &mut RuleSink<'_>) {
        if line.is_empty() || line.starts_with('!') {
            return;
        }
        if hosts::looks_like(line) {
            hosts::line(line, rules);
            return;
        }
        if line.starts_with('[') && line.ends_with(']') {
            return;
        }
        if is_cosmetic(line) {
            rules.reject(line, Reject::Cosmetic);
            return;
        }
        let line = without_comment(line);
        if line.is_empty() {
            return;
        }
        if let Err(reject) = self.rule(line, rules) {
            rules.reject(line, reject);
        }
    }

    fn rule(&mut self, line: &str, rules: &mut RuleSink<'_>) -> Result<(), Reject> {
        let (pattern, modifiers) = split(line);
        if let Some(modifiers) = modifiers
            && modifier::each(modifiers).any(|name| name == "badfilter")
        {
            return Ok(());
        }
        let (target, is_exception) =
            pattern.strip_prefix("@@").map_or((pattern, false), |rest| (rest, true));
        let (name, scope) = host_of(target, is_exception || modifiers.is_some())?;
        let modifiers_of_rule =
            modifiers.map_or_else(|| Ok(Modifiers::default()), Modifiers::of)?;
        let is_off = !self.disabled.is_empty()
            && self.disabled.contains(&one_spelling(pattern, modifiers.unwrap_or("")));
        if is_off {
            return Err(Reject::Disabled);
        }
        // A bare label is debris; one between anchors is a rule if the registry has it.
        let is_bare = scope == Scope::Exact && target == name;
        let wire = if is_bare { Wire::of_host(name) } else { Wire::of_zone(name) };
        let wire = wire.map_err(|reject| match reject {
            Reject::BadName if name.contains(char::is_whitespace) => Reject::Syntax,
            reject => reject,
        })?;
        self.take(&wire, scope, is_exception, &modifiers_of_rule, rules)
    }

    fn take(
        &mut self,
        wire: &Wire,
        scope: Scope,
        is_exception: bool,
        modifiers: &Modifiers<'_>,
        rules: &mut RuleSink<'_>,
    ) -> Result<(), Reject> {
        let effect = match (is_exception, modifiers.is_important) {
            (false, false) => Effect::Add,
            (false, true) => Effect::AddImportant,
            (true, false) => Effect::Clear,
            (true, true) => Effect::ClearImportant,
        };
        if is_exception && (modifiers.answer.is_some() || !modifiers.spared.is_empty()) {
            return Err(Reject::Modifier);
        }
        self.spare(wire, effect, &modifiers.spared, rules.line())?;
        let body = RuleBody { scope, effect, action: Action::Default };
        match &modifiers.answer {
            None => rules.wire(wire, body),
            Some(ModifierAnswer::Action(action)) => {
                rules.wire(wire, RuleBody { action: *action, ..body });
            }
            Some(ModifierAnswer::Local(record)) => {
                rules.local(wire, body, ListRecord::clone(record));
            }
        }
        Ok(())
    }

    /// Records the names that `$denyallow` excludes from a rule.
    ///
    /// All names must parse, or the rule would cover more than was written.
    fn spare(
        &mut self,
        wire: &Wire,
        effect: Effect,
        names: &[&str],
        line: u32,
    ) -> Result<(), Reject> {
        let effect =
            if effect == Effect::AddImportant { Effect::ClearImportant } else { Effect::Clear };
        let mut spared = Vec::new();
        for name in names {
            let name = Wire::of(name).map_err(|_| Reject::Modifier)?;
            if is_at_or_below(wire.octets(), name.octets()) {
                // The exclusion covers the whole rule.
                return Err(Reject::Modifier);
            }
            if is_at_or_below(name.octets(), wire.octets()) {
                spared.push((name.octets().into(), effect, line));
            }
        }
        self.spared.extend(spared);
        Ok(())
    }

    /// Adds exceptions for excluded names, except where another rule lists the same name.
    pub(in crate::blocklist) fn finish(self, rules: &mut RuleSink<'_>) {
        if self.spared.is_empty() {
            return;
        }
        // By name: whether another rule lists it, and whether one lists names below it.
        let mut listed: HashMap<Box<[u8]>, (bool, bool)> =
            self.spared.iter().map(|(name, ..)| (name.clone(), (false, false))).collect();
        for rule in rules.rules() {
            if matches!(rule.effect, Effect::Add | Effect::AddImportant)
                && let Some((at, below)) = listed.get_mut(rule.name)
            {
                *at |= rule.scope.covers(true);
                *below |= rule.scope.covers(false);
            }
        }
        for (name, effect, line) in &self.spared {
            let scope = match listed.get(name) {
                None | Some((false, false)) => Scope::Subtree,
                Some((true, false)) => Scope::Below,
                Some((false, true)) => Scope::Exact,
                Some((true, true)) => continue,
            };
            rules.spare(name, RuleBody { scope, effect: *effect, action: Action::Default }, *line);
        }
    }
}

/// The pattern of a rule, and its modifiers.
fn split(line: &str) -> (&str, Option<&str>) {
    match line.split_once('$') {
        Some((pattern, modifiers)) => (pattern, Some(modifiers)),
        None => (line, None),
    }
}

/// The name and scope of a pattern.
///
/// `is_pattern`: it has `@@` or modifiers, so that a bare `x` is a substring of any name, and not
/// a line of the domains-only syntax.
fn host_of(pattern: &str, is_pattern: bool) -> Result<(&str, Scope), Reject> {
    if pattern.is_empty() {
        return Err(Reject::Modifier);
    }
    if pattern.len() > 1 && pattern.starts_with('/') && pattern.ends_with('/') {
        return Err(Reject::Regex);
    }
    // `://x` begins a name as `|x` does; `||x/*` and `||x^*` are all of the host x.
    let from_start = pattern.strip_prefix("://").or_else(|| pattern.strip_prefix('|'));
    let is_begun = from_start.is_some();
    let below = pattern.strip_prefix("||*.").or_else(|| pattern.strip_prefix("*."));
    let (rest, scope) = match (below, pattern.strip_prefix("||"), from_start) {
        (Some(rest), ..) => (rest, Scope::Below),
        (None, Some(rest), _) => (rest, Scope::Subtree),
        (None, None, rest) => (rest.unwrap_or(pattern), Scope::Exact),
    };
    let whole = ["/*", "^*", "/"].iter().find_map(|end| rest.strip_suffix(end));
    let rest = whole.filter(|_| scope == Scope::Subtree).unwrap_or(rest);
    if rest.contains(['/', '?', '=', '&', ':']) {
        return Err(Reject::PathRule);
    }
    if rest.contains('*') {
        return Err(Reject::Wildcard);
    }
    let ended = rest.strip_suffix('|').unwrap_or(rest);
    let ended = ended.strip_suffix('^').unwrap_or(ended);
    let is_ended = ended.len() < rest.len() || whole.is_some();
    let is_piece = ended.starts_with('.')
        || ended.starts_with('-') && !is_begun
        || ended.ends_with(['.', '^']);
    let has_labels = ended.contains('.');
    match (is_begun || below.is_some(), is_ended) {
        _ if is_piece => Err(Reject::Prefix),
        (true, true) => Ok((ended, scope)),
        // `*.x` is the wildcard of lists of names, and x a top-level domain or more.
        (true, false) if below.is_some() && !pattern.starts_with('|') && !is_pattern => {
            Ok((ended, scope))
        }
        // Of the names that begin or end with x, those are rules that have x as whole labels.
        (true, false) if scope == Scope::Exact && has_labels => Ok((ended, Scope::Exact)),
        (false, true) if has_labels => Ok((ended, Scope::Subtree)),
        (false, false) if !is_pattern => Ok((ended, Scope::Exact)),
        _ => Err(Reject::Prefix),
    }
}

/// The canonical spelling of a rule.
fn one_spelling(pattern: &str, modifiers: &str) -> String {
    let mut names: Vec<&str> = modifier::each(modifiers).filter(|n| *n != "badfilter").collect();
    names.sort_unstable();
    format!("{}${}", pattern.to_lowercase(), names.join(","))
}

fn is_cosmetic(line: &str) -> bool {
    if line.starts_with('#') {
        return COSMETIC.iter().any(|mark| line.starts_with(mark));
    }
    line.contains('#') && COSMETIC.iter().any(|mark| line.contains(mark))
        || line.contains("$$")
        || line.contains("$@$")
}

/// Whether the wire name `name` is `ancestor` or lies below it.
fn is_at_or_below(name: &[u8], ancestor: &[u8]) -> bool {
    let mut labels = Labels(name);
    loop {
        if labels.0 == ancestor {
            return true;
        }
        if labels.next().is_none() {
            return false;
        }
    }
}
