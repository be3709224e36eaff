//! Reader of an Adblock list, rule by rule.

use std::collections::HashSet;

use super::modifier::{self, Modifiers};
use super::pattern::{self, Matched};
use super::rewrite::{RewriteExceptions, RuleAnswer};
use crate::blocklist::domains::without_note;
use crate::blocklist::hosts;
use crate::blocklist::line::{Lines, without_comment};
use crate::blocklist::reject::Reject;
use crate::blocklist::sink::{RuleBody, RuleSink, Wire};
use crate::dns::name::Labels;
use crate::pattern::HostPattern;
use crate::rule::{Action, Effect, QueryTypes, Scope, Subject, Target};

/// Markers of cosmetic rules, at any place in a line.
const COSMETIC: [&str; 9] = ["##", "#@#", "#?#", "#@?#", "#$#", "#@$#", "#$?#", "#%#", "#@%#"];

/// The most patterns of one text: a pass over a name looks for the literals of all.
const MAX_PATTERNS: usize = 5_000;
/// The most octets of their automata.
const MAX_PATTERN_OCTETS: usize = 8 << 20;

/// Reader of one list.
#[derive(Debug)]
pub(in crate::blocklist) struct AdblockReader {
    /// Rules that `$badfilter` disables, in canonical spelling.
    disabled: HashSet<String>,
    /// Rules that take back answers of others.
    exceptions: RewriteExceptions,
    /// Number of patterns so far, and octets of their automata.
    patterns: (usize, usize),
}

/// Whether a line is a rule of this syntax and of no other.
pub(in crate::blocklist) fn looks_like(line: &str) -> bool {
    line.starts_with("||")
        || line.starts_with("@@")
        || line.starts_with('|')
        || line.ends_with(['|', '^'])
        || line.starts_with("://")
        || has_expression(line)
        || pattern::is_glob(line)
        || is_cosmetic(line)
        || line.split_once('$').is_some_and(|(_, modifiers)| {
            modifiers.starts_with(|c: char| c.is_ascii_lowercase() || c == '~')
        })
}

impl AdblockReader {
    /// Scans the whole text for `$badfilter` and `@@…$dnsrewrite`, which may come after their rules.
    pub(in crate::blocklist) fn new(text: &[u8]) -> Self {
        let (mut disabled, mut exceptions) = (HashSet::new(), Vec::new());
        for line in Lines(text).filter(|line| is_of_others(line)) {
            let Ok(line) = std::str::from_utf8(line) else { continue };
            let (pattern, modifiers) = split(without_comment(line.trim()));
            let modifiers = modifiers.unwrap_or("");
            if modifier::each(modifiers).any(|name| name == "badfilter") {
                disabled.insert(one_spelling(pattern, modifiers));
            } else if is_rewrite(modifiers) && pattern.starts_with("@@") {
                exceptions.push((pattern, modifiers));
            }
        }
        let mut reader =
            Self { disabled, exceptions: RewriteExceptions::default(), patterns: (0, 0) };
        for (pattern, modifiers) in exceptions {
            if !reader.is_off(pattern, modifiers) {
                // Those that cannot be honoured are counted where they are read.
                let _ = reader
                    .exceptions
                    .add(pattern.trim_start_matches("@@"), modifier::each(modifiers));
            }
        }
        reader
    }

    /// Whether `$badfilter` disables a rule.
    fn is_off(&self, pattern: &str, modifiers: &str) -> bool {
        !self.disabled.is_empty() && self.disabled.contains(&one_spelling(pattern, modifiers))
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
        if is_cosmetic(line) && !has_expression(line) {
            rules.reject(line, Reject::Cosmetic);
            return;
        }
        let line = match line {
            expression if has_expression(expression) => expression,
            // A value may have any character.
            modified if modified.contains('$') => without_comment(modified),
            plain => without_note(plain),
        };
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
        let of_rule = modifiers.map_or_else(|| Ok(Modifiers::default()), Modifiers::of);
        if self.is_off(pattern, modifiers.unwrap_or("")) {
            return Err(Reject::Disabled);
        }
        if is_exception && modifiers.is_some_and(is_rewrite) {
            return RewriteExceptions::default()
                .add(target, modifier::each(modifiers.unwrap_or("")));
        }
        if self.patterns.0 == MAX_PATTERNS && pattern::is_expression(target) {
            // Not compiled: a list of a million takes no longer than its text.
            return Err(Reject::TooLarge);
        }
        let matched = pattern::matched(target, is_exception || modifiers.is_some())?;
        self.take(matched, is_exception, of_rule?, rules)
    }

    fn take(
        &mut self,
        matched: Matched,
        is_exception: bool,
        modifiers: Modifiers<'_>,
        rules: &mut RuleSink<'_>,
    ) -> Result<(), Reject> {
        // An answer is given whatever plain exceptions say.
        let effect = match (is_exception, modifiers.is_important || modifiers.answer.is_some()) {
            (false, false) => Effect::Add,
            (false, true) => Effect::AddImportant,
            (true, false) => Effect::Clear,
            (true, true) => Effect::ClearImportant,
        };
        let mut spared = spared(&matched, &modifiers.spared)?;
        if let (Matched::Name(wire, scope), Some(answer)) = (&matched, &modifiers.answer) {
            let of_rule = (wire.octets(), *scope);
            spared.extend(self.exceptions.spared(of_rule, answer, modifiers.is_important)?);
        }
        spared.sort_unstable();
        spared.dedup();
        let spared: Box<[Box<[u8]>]> = spared.into();
        let (action, record) = match modifiers.answer {
            None => (Action::Default, None),
            Some(RuleAnswer::Action(action)) => (action, None),
            Some(RuleAnswer::Local(record)) => (Action::Default, Some(record)),
        };
        let is_narrowed = modifiers.types != QueryTypes::All || !spared.is_empty();
        let (subject, scope) = match matched {
            Matched::Name(wire, scope) if !is_narrowed => {
                let body = RuleBody { scope, effect, action };
                match record {
                    None => rules.wire(&wire, body),
                    Some(record) => rules.local(&wire, body, record),
                }
                return Ok(());
            }
            Matched::Name(wire, scope) => (Subject::Name(wire.octets().into()), scope),
            Matched::Pattern(pattern) => {
                self.count(&pattern)?;
                (Subject::Pattern(pattern.text().into()), Scope::Exact)
            }
            Matched::All if is_narrowed => (Subject::All, Scope::Exact),
            Matched::All => return Err(Reject::TooWide),
        };
        let target = Target { subject, types: modifiers.types, spared };
        rules.target(target, RuleBody { scope, effect, action }, record);
        Ok(())
    }

    /// Counts a pattern towards the limits of the text.
    fn count(&mut self, pattern: &HostPattern) -> Result<(), Reject> {
        let (count, octets) = (self.patterns.0 + 1, self.patterns.1 + pattern.octets());
        if count > MAX_PATTERNS || octets > MAX_PATTERN_OCTETS {
            return Err(Reject::TooLarge);
        }
        self.patterns = (count, octets);
        Ok(())
    }
}

/// The names that `$denyallow` excludes from a rule; those left out that it is not about.
///
/// All names must parse, or the rule would cover more than was written.
fn spared(matched: &Matched, names: &[&str]) -> Result<Vec<Box<[u8]>>, Reject> {
    let mut spared = Vec::new();
    for name in names {
        let name = Wire::of(name).map_err(|_| Reject::Modifier)?;
        if let Matched::Name(wire, _) = matched {
            if is_at_or_below(wire.octets(), name.octets()) {
                // The exclusion covers the whole rule.
                return Err(Reject::Modifier);
            }
            if !is_at_or_below(name.octets(), wire.octets()) {
                continue;
            }
        }
        spared.push(name.octets().into());
    }
    Ok(spared)
}

/// Whether a line may change what others mean.
fn is_of_others(line: &[u8]) -> bool {
    let has = |part: &[u8]| line.windows(part.len()).any(|window| window == part);
    has(b"badfilter") || line.trim_ascii_start().starts_with(b"@@") && has(b"dnsrewrite")
}

/// Whether modifiers set an answer, or take one back.
fn is_rewrite(modifiers: &str) -> bool {
    modifier::each(modifiers).any(|one| one == "dnsrewrite" || one.starts_with("dnsrewrite="))
}

/// The pattern of a rule, and its modifiers.
///
/// A `$` inside a regular expression is its own.
fn split(line: &str) -> (&str, Option<&str>) {
    let text = line.strip_prefix("@@").unwrap_or(line);
    if text.starts_with('/') {
        if pattern::is_expression(text) {
            return (line, None);
        }
        if let Some((pattern, modifiers)) = text.rsplit_once("/$")
            && !pattern.is_empty()
        {
            let end = line.len() - modifiers.len() - 1;
            return (line.get(..end).unwrap_or(line), Some(modifiers));
        }
    }
    match line.split_once('$') {
        Some((pattern, modifiers)) => (pattern, Some(modifiers)),
        None => (line, None),
    }
}

/// Whether the pattern of a line is a regular expression.
pub(in crate::blocklist) fn has_expression(line: &str) -> bool {
    let (pattern, _) = split(line);
    pattern::is_expression(pattern.strip_prefix("@@").unwrap_or(pattern))
}

/// The canonical spelling of a rule.
fn one_spelling(pattern: &str, modifiers: &str) -> String {
    let mut names: Vec<&str> = modifier::each(modifiers).filter(|n| *n != "badfilter").collect();
    names.sort_unstable();
    let pattern = if has_expression(pattern) { pattern.to_owned() } else { pattern.to_lowercase() };
    format!("{pattern}${}", names.join(","))
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
