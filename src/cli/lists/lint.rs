//! Lint of a pack: findings that its maintainer reviews before it is published.
//!
//! | kind | what | refuses |
//! |---|---|---|
//! | `guard` | a guarded or essential name would be blocked, as a gateway judges it | yes |
//! | `public-suffix` | a suffix below which others register is listed with all below it | yes |
//! | `changed` | a source shrank or grew more than is usual | yes |
//! | `answers` | a source that is not trusted has answers of its own: such names are blocked | no |
//! | `popular` | names that many people use would be blocked | no |
//!
//! A name in a list of good names is no finding, nor one that an exception (`@@`) frees, nor a source
//! that has another name now.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use psl::Psl as _;

use crate::category::{CategoryId, CategorySet, Taxonomy};
use crate::cli::lists::finding::LintFinding;
use crate::cli::lists::pack_file::shown;
use crate::config::data::guard::{Guard, Judged};
use crate::dns::name::{Folded, Labels, Name};
use crate::lang::{Lang, Message, messages};
use crate::matcher::SuffixHashes;
use crate::matcher::build::join;
use crate::matcher::suffix::SuffixTable;
use crate::pack::{BuildError, Pack, SourceNote};
use crate::rule::{Action, EVERY_NAME, Effect, Rule, Scope};
use crate::sys::read;

/// Kinds, each with whether it refuses the pack.
const GUARD: (&str, bool) = ("guard", true);
const SUFFIX: (&str, bool) = ("public-suffix", true);
const CHANGED: (&str, bool) = ("changed", true);
const ANSWERS: (&str, bool) = ("answers", false);
const POPULAR: (&str, bool) = ("popular", false);
/// Most names of one finding in its message; JSON has all.
const SHOWN: usize = 5;
/// A label that no list has a rule for.
const BELOW: &str = "lachan-lint";
/// The most octets of a list of popular names.
const MOST: u64 = 1 << 30;
/// A change of fewer rules than this is never a finding.
const SMALL: u64 = 100;

/// Data of the lint beside the pack.
pub(super) struct Lint<'a> {
    pub(super) taxonomy: &'a Taxonomy,
    pub(super) previous: Option<Arc<Pack>>,
    pub(super) popular: Vec<Name>,
    /// Most change of a source, in percent.
    pub(super) max_change: u32,
    /// The language of findings.
    pub(super) lang: Lang,
}

/// Names, one a line; where there are several words or columns, the last.
pub(super) fn names(path: &Path) -> Result<Vec<Name>, String> {
    let text = read::octets(path, MOST)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    let word = |line: &str| {
        let line = line.split('#').next()?.trim();
        Name::from_text(line.rsplit([',', ' ', '\t']).next()?).ok()
    };
    Ok(String::from_utf8_lossy(&text).lines().filter_map(word).collect())
}

impl Lint<'_> {
    /// All findings of a pack with every rule of its sources.
    pub(super) fn of(&self, pack: &Arc<Pack>) -> Result<Vec<LintFinding>, BuildError> {
        let joined = join([Arc::clone(pack)], |id| self.taxonomy.find(id))?;
        let positive = self.taxonomy.select(|row| row.is_positive);
        let blocking = |name: &Name| blocking(&joined.table, name).without(positive);
        let blocking = &blocking;
        let mut findings = Vec::new();
        let guard = Guard::embedded(self.taxonomy);
        let guarded: Vec<Name> = guard.names().cloned().collect();
        // What a gateway judges, but for its `accept`.
        let against = |name: &Name| -> CategorySet {
            blocking(name).iter().filter(|category| is_against(&guard, name, *category)).collect()
        };
        findings.extend(self.about(GUARD, pack, &guarded, against, messages::guard_finding));
        findings.extend(self.suffixes(pack, blocking));
        findings.extend(self.about(
            POPULAR,
            pack,
            &self.popular,
            blocking,
            messages::popular_finding,
        ));
        findings.extend(self.changes(pack, &joined.table)?);
        findings.extend(self.answers(pack));
        Ok(findings)
    }

    /// Findings about names that are blocked: one for each category and name with a rule, since that
    /// rule is what is mended or accepted.
    fn about(
        &self,
        kind: (&'static str, bool),
        pack: &Pack,
        names: &[Name],
        blocking: impl Fn(&Name) -> CategorySet,
        message: fn(String, String) -> Message,
    ) -> Vec<LintFinding> {
        let mut rules: Vec<(CategoryId, Vec<u8>)> = Vec::new();
        let mut blocked: HashMap<(CategoryId, Vec<u8>), (Vec<String>, bool)> = HashMap::new();
        for name in names {
            for category in blocking(name).iter() {
                let id = &self.taxonomy.category(category).id;
                // A rule about more than names is told by the name that it blocks.
                let itself = || (name.as_wire().to_vec(), true);
                let (wire, is_self) = listed_at(pack, name, id).unwrap_or_else(itself);
                let key = (category, wire);
                if !blocked.contains_key(&key) {
                    rules.push(key.clone());
                }
                let of = blocked.entry(key).or_default();
                of.0.push(shown(name.as_wire()));
                of.1 |= is_self;
            }
        }
        let mut finding = |(category, wire): (CategoryId, Vec<u8>)| {
            let (names, is_self) = blocked.remove(&(category, wire.clone())).unwrap_or_default();
            let id = &self.taxonomy.category(category).id;
            let below = (wire.clone(), false);
            let mut wanted = vec![below, (EVERY_NAME.to_vec(), false)];
            wanted.extend(is_self.then(|| (wire.clone(), true)));
            let message = message(first_of(&names), id.clone());
            let finding = LintFinding::of_name(kind, id, &wire, wanted, &message, self.lang);
            finding.blocking(names)
        };
        rules.into_iter().map(&mut finding).collect()
    }

    /// Public suffixes that are listed with all below them, and that no exception frees.
    fn suffixes(&self, pack: &Pack, blocking: impl Fn(&Name) -> CategorySet) -> Vec<LintFinding> {
        let lists = |rule: &Rule| {
            matches!(rule.effect, Effect::Add | Effect::AddImportant | Effect::Rpz)
                && !rule.action.is_pass()
                && rule.scope.covers(false)
        };
        let mut suffixes = Vec::new();
        pack.each_name(|wire, set| {
            let labels: Vec<&[u8]> = Labels(wire).collect();
            let info = psl::List.find(labels.iter().rev().copied());
            // Only by a rule of the list: its default rule makes a suffix of any last label.
            let is_suffix = info.typ.is_some()
                && info.len + 1 == wire.len() - 1
                && pack.set(set).1.clone().any(lists);
            if is_suffix {
                suffixes.push(wire.to_vec());
            }
        });
        suffixes.sort_by_key(|wire| shown(wire));
        let mut found = Vec::new();
        for wire in suffixes {
            // Some name below it; what an exception frees there is not blocked.
            let below = Name::from_text(&format!("{BELOW}.{}", shown(&wire)));
            for category in below.map(|name| blocking(&name)).unwrap_or_default().iter() {
                let id = &self.taxonomy.category(category).id;
                let message = messages::suffix_finding(shown(&wire));
                let wanted = vec![(wire.clone(), false)];
                found.push(LintFinding::of_name(SUFFIX, id, &wire, wanted, &message, self.lang));
            }
        }
        found
    }

    /// Sources that are much smaller or larger than in the pack before. A source with names that are
    /// all there under another name, or were, has not changed.
    fn changes(
        &self,
        pack: &Pack,
        now_table: &SuffixTable,
    ) -> Result<Vec<LintFinding>, BuildError> {
        let Some(previous) = &self.previous else { return Ok(Vec::new()) };
        let before_table = join([Arc::clone(previous)], |id| self.taxonomy.find(id))?.table;
        let same = |one: &SourceNote, other: &SourceNote| {
            (&one.category, &one.name) == (&other.category, &other.name)
        };
        let mut findings = Vec::new();
        for (place, before) in previous.sources().iter().enumerate() {
            let found = pack.sources().iter().enumerate().find(|(_, now)| same(now, before));
            let now = found.map_or(0, |(_, now)| now.rules);
            let difference = now.abs_diff(before.rules);
            let is_large = difference * 100 > before.rules * u64::from(self.max_change);
            if !is_large || difference <= SMALL {
                continue;
            }
            let has_shrunk = now < before.rules;
            let is_moved = match found {
                Some((now, _)) if !has_shrunk => {
                    self.are_listed((pack, now), &before.category, &before_table)
                }
                _ => self.are_listed((previous, place), &before.category, now_table),
            };
            if is_moved {
                continue;
            }
            let (name, category) = (&before.name, &before.category);
            let message = if has_shrunk {
                messages::source_shrank(name, category, before.rules, now)
            } else {
                messages::source_grew(name, category, before.rules, now)
            };
            // The numbers are in the key: nobody accepts what comes next year.
            let more = format!("/{}-{now}", before.rules);
            let source = Some((name.as_str(), more.as_str()));
            findings.push(LintFinding::of_source(CHANGED, category, source, &message, self.lang));
        }
        Ok(findings)
    }

    /// Whether of the names of a source all but `max_change` percent are in a table, in its category.
    fn are_listed(&self, (pack, source): (&Pack, usize), id: &str, table: &SuffixTable) -> bool {
        let Some(category) = self.taxonomy.find(id) else { return false };
        let (mut all, mut kept) = (0_u64, 0_u64);
        pack.each_name(|wire, set| {
            let is_of = |rule: &Rule| usize::from(rule.source) == source;
            if !pack.set(set).1.clone().any(is_of) {
                return;
            }
            all += 1;
            let name = Folded::from_wire(wire);
            let lists = |name: &Folded| {
                let hashes = SuffixHashes::of(name, table.seed());
                table.lookup(name, &hashes).set.contains(category)
            };
            kept += u64::from(name.is_ok_and(|(name, _)| lists(&name)));
        });
        all > 0 && (all - kept) * 100 <= all * u64::from(self.max_change)
    }

    /// Sources with answers that are not given.
    fn answers(&self, pack: &Pack) -> Vec<LintFinding> {
        let finding = |note: &SourceNote| {
            let count: u64 = note.files.iter().map(|file| file.answers).sum();
            let option = format!("--trusted {}", note.name);
            let message = messages::answers_finding(&note.name, &note.category, count, option);
            let source = Some((note.name.as_str(), ""));
            let finding =
                LintFinding::of_source(ANSWERS, &note.category, source, &message, self.lang);
            (count > 0).then_some(finding)
        };
        pack.sources().iter().filter_map(finding).collect()
    }
}

/// The nearest name at or above `name` with a rule of a category that covers it, and whether that is
/// the name itself.
fn listed_at(pack: &Pack, name: &Name, id: &str) -> Option<(Vec<u8>, bool)> {
    let folded = Folded::from_name(name);
    let covers = |rule: &Rule, is_self: bool| {
        matches!(rule.effect, Effect::Add | Effect::AddImportant | Effect::Rpz)
            && !rule.action.is_pass()
            && rule.scope.covers(is_self)
            && pack.categories().get(rule.category.index()).is_some_and(|other| other == id)
    };
    let is_listed = |at: &usize| {
        let ancestor = Folded::from_wire(folded.suffix(*at)).ok();
        let set = ancestor.and_then(|(ancestor, _)| pack.set_of(&ancestor));
        set.is_some_and(|set| pack.set(set).1.clone().any(|rule| covers(rule, *at == 0)))
    };
    let at = (0..folded.label_count()).find(is_listed)?;
    Some((folded.suffix(at).to_vec(), at == 0))
}

/// Whether a rule of a category must not block a name.
fn is_against(guard: &Guard, name: &Name, category: CategoryId) -> bool {
    let (scope, effect, action) = (Scope::Exact, Effect::Add, Action::Default);
    let rule = Rule { category, scope, effect, action, source: 0 };
    guard.judge_at(name, &rule, &[]) != Judged::Acts
}

/// The first names, for a message.
fn first_of(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(SHOWN);
    shown.join(", ") + &if more > 0 { format!(", … (+{more})") } else { String::new() }
}

/// The categories that list a name.
fn blocking(table: &SuffixTable, name: &Name) -> CategorySet {
    let folded = Folded::from_name(name);
    table.lookup(&folded, &SuffixHashes::of(&folded, table.seed())).set
}
