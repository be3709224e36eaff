//! Sources that changed: shrunk, grown, empty, garbled.

use std::sync::Arc;

use crate::dns::name::Folded;
use crate::lang::messages;
use crate::matcher::SuffixHashes;
use crate::matcher::build::join;
use crate::matcher::suffix::SuffixTable;
use crate::pack::{BuildError, Pack, SourceNote};
use crate::publish::lint::finding::LintFinding;
use crate::publish::lint::{CHANGED, EMPTY, GARBLED, Lint};
use crate::rule::Rule;

/// A change of fewer rules than this is never a finding.
const SMALL: u64 = 100;

impl Lint<'_> {
    /// Sources that are much smaller or larger than in the pack before. A source with names that are
    /// all there under another name, or were, has not changed.
    pub(super) fn changes(
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
            let has_shrunk = now < before.rules;
            let limit = if has_shrunk { self.limits.shrink } else { self.limits.grow };
            let is_large = difference * 100 > before.rules * u64::from(limit);
            if !is_large || difference <= SMALL {
                continue;
            }
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

    /// Whether of the names of a source all but the share that it may shrink by are in a table, in its category.
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
        all > 0 && (all - kept) * 100 <= all * u64::from(self.limits.shrink)
    }

    /// Sources that say nothing, or of which most lines are no rules, where it was not so before.
    pub(super) fn broken(&self, pack: &Pack) -> Vec<LintFinding> {
        let before = self.previous.as_deref().map_or(&[][..], Pack::sources);
        let was = |note: &SourceNote, is_so: fn(&SourceNote) -> bool| {
            before
                .iter()
                .any(|one| one.category == note.category && one.name == note.name && is_so(one))
        };
        let mut findings = Vec::new();
        for note in pack.sources() {
            let (name, category) = (&note.name, &note.category);
            let source = Some((name.as_str(), ""));
            if is_empty(note) && !was(note, is_empty) {
                let message = messages::source_empty(name, category);
                findings.push(LintFinding::of_source(EMPTY, category, source, &message, self.lang));
            } else if is_garbled(note) && !was(note, is_garbled) {
                let message = messages::source_garbled(name, category, lost(note), note.rules);
                findings
                    .push(LintFinding::of_source(GARBLED, category, source, &message, self.lang));
            }
        }
        findings
    }
}

/// Lines and names that gave no rule.
fn lost(note: &SourceNote) -> u64 {
    note.files.iter().map(|file| u64::from(file.rejected())).sum()
}

fn is_empty(note: &SourceNote) -> bool {
    note.rules == 0 && note.files.iter().all(|file| file.rules == 0)
}

fn is_garbled(note: &SourceNote) -> bool {
    lost(note) > note.rules.max(note.files.iter().map(|file| file.rules).sum())
}
