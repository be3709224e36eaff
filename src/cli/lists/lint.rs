//! Lint of a pack: findings that its maintainer reviews before it is published.
//!
//! | kind | what | refuses |
//! |---|---|---|
//! | `guard` | a guarded or essential name would be blocked | yes |
//! | `public-suffix` | a suffix below which others register is listed with all below it | yes |
//! | `changed` | a source shrank or grew more than is usual | yes |
//! | `answers` | a source that is not trusted has answers of its own: such names are blocked | no |
//! | `popular` | names that many people use would be blocked | no |
//!
//! A name in a list of good names is no finding.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use psl::Psl as _;

use crate::category::{CategorySet, Taxonomy};
use crate::cli::lists::pack_file::shown;
use crate::cli::lists::report::LintFinding;
use crate::config::data::starter;
use crate::dns::name::{Folded, Labels, Name};
use crate::matcher::SuffixHashes;
use crate::matcher::build::join;
use crate::matcher::suffix::SuffixTable;
use crate::pack::{BuildError, Pack, SourceNote};
use crate::rule::{Effect, Rule};
use crate::sys::read;

/// The most octets of a list of popular names.
const MOST: u64 = 1 << 30;
/// Most names of one finding in its message.
const SHOWN: usize = 20;
/// A change of fewer rules than this is never a finding.
const SMALL: u64 = 100;

/// Data of the lint beside the pack.
pub(super) struct Lint<'a> {
    pub(super) taxonomy: &'a Taxonomy,
    pub(super) previous: Option<Arc<Pack>>,
    pub(super) popular: Vec<Name>,
    /// Most change of a source, in percent.
    pub(super) max_change: u32,
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
    /// All findings of a pack.
    pub(super) fn of(&self, pack: &Arc<Pack>) -> Result<Vec<LintFinding>, BuildError> {
        let joined = join([Arc::clone(pack)], |id| self.taxonomy.find(id))?;
        let positive = self.taxonomy.select(|row| row.is_positive);
        let blocking = |name: &Name| blocking(&joined.table, name).without(positive);
        let mut findings = Vec::new();
        let guard = starter::guard().unwrap_or_default();
        let essential = starter::essential().unwrap_or_default();
        for name in guard.into_iter().chain(essential.into_iter().map(|e| e.name)) {
            let set = blocking(&name);
            if !set.is_empty() {
                let name = shown(name.as_wire());
                let message = format!("`{name}` would be blocked as {}", self.ids(set));
                findings.push(LintFinding { kind: "guard", refuses: true, message });
            }
        }
        findings.extend(self.suffixes(pack, positive));
        findings.extend(self.popular(blocking));
        findings.extend(self.changes(pack));
        findings.extend(answers(pack));
        Ok(findings)
    }

    /// Ids of a set, for a message.
    fn ids(&self, set: CategorySet) -> String {
        let ids = set.iter().map(|category| format!("`{}`", self.taxonomy.category(category).id));
        ids.collect::<Vec<_>>().join(", ")
    }

    /// Public suffixes that are listed with all below them.
    fn suffixes(&self, pack: &Pack, positive: CategorySet) -> Option<LintFinding> {
        let is_positive = |rule: &Rule| {
            let id = pack.categories().get(rule.category.index());
            let category = id.and_then(|id| self.taxonomy.find(id));
            category.is_some_and(|category| positive.contains(category))
        };
        let lists = |rule: &Rule| {
            matches!(rule.effect, Effect::Add | Effect::AddImportant | Effect::Rpz)
                && !rule.action.is_pass()
                && rule.scope.covers(false)
                && !is_positive(rule)
        };
        let mut found = Vec::new();
        pack.each_name(|wire, set| {
            let labels: Vec<&[u8]> = Labels(wire).collect();
            let info = psl::List.find(labels.iter().rev().copied());
            // Only by a rule of the list: its default rule makes a suffix of any last label.
            let is_suffix = info.typ.is_some()
                && info.len + 1 == wire.len() - 1
                && pack.set(set).1.clone().any(lists);
            if is_suffix {
                found.push(shown(wire));
            }
        });
        found.sort_unstable();
        let message = format!("{} listed with all below: {}", found.len(), first_of(&found));
        let kind = "public-suffix";
        (!found.is_empty()).then_some(LintFinding { kind, refuses: true, message })
    }

    /// Popular names that would be blocked, by category.
    fn popular(&self, blocking: impl Fn(&Name) -> CategorySet) -> Vec<LintFinding> {
        let mut hits: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in &self.popular {
            if let Some(category) = blocking(name).first() {
                let id = self.taxonomy.category(category).id.clone();
                hits.entry(id).or_default().push(shown(name.as_wire()));
            }
        }
        let finding = |(id, names): (String, Vec<String>)| {
            let message = format!("{} blocked as `{id}`: {}", names.len(), first_of(&names));
            LintFinding { kind: "popular", refuses: false, message }
        };
        hits.into_iter().map(finding).collect()
    }

    /// Sources that are much smaller or larger than in the pack before.
    fn changes(&self, pack: &Pack) -> Vec<LintFinding> {
        let Some(previous) = &self.previous else { return Vec::new() };
        let same = |one: &SourceNote, other: &SourceNote| {
            (&one.category, &one.name) == (&other.category, &other.name)
        };
        let mut findings = Vec::new();
        for before in previous.sources() {
            let now =
                pack.sources().iter().find(|now| same(now, before)).map_or(0, |now| now.rules);
            let difference = now.abs_diff(before.rules);
            let is_large = difference * 100 > before.rules * u64::from(self.max_change);
            if is_large && difference > SMALL {
                let word = if now < before.rules { "shrank" } else { "grew" };
                let message = format!(
                    "`{}` of `{}` {word} from {} rules to {now}",
                    before.name, before.category, before.rules
                );
                findings.push(LintFinding { kind: "changed", refuses: true, message });
            }
        }
        findings
    }
}

/// Sources with answers that are not given.
fn answers(pack: &Pack) -> Vec<LintFinding> {
    let finding = |note: &SourceNote| {
        let count: u64 = note.files.iter().map(|file| file.answers).sum();
        let message = format!(
            "`{}` of `{}` has {count} answers of its own, which only block; `--trusted {}` gives them",
            note.name, note.category, note.name
        );
        (count > 0).then_some(LintFinding { kind: "answers", refuses: false, message })
    };
    pack.sources().iter().filter_map(finding).collect()
}

/// The categories that list a name.
fn blocking(table: &SuffixTable, name: &Name) -> CategorySet {
    let folded = Folded::from_name(name);
    table.lookup(&folded, &SuffixHashes::of(&folded, table.seed())).set
}

/// The first names, for a message.
fn first_of(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    shown.join(", ") + more
}
