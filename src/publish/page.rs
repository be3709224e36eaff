//! The page that a person reads before a release is signed: what is new, what is gone, whom it
//! hits, what the lint found, and who accepted it. Plain text for a printer.
//!
//! Laws: at most [`LINES`] lines of [`WIDTH`] columns, which is one page of A4 at 10 points,
//! whatever the week was; what has no room is counted. No name of a protected category is on it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use crate::category::{CategoryId, CategorySet, DefaultAction, Level, Taxonomy};
use crate::digest::hex;
use crate::dns::name::{Folded, Name};
use crate::lang::{Lang, messages};
use crate::pack::Pack;
use crate::publish::lint::finding::{LintFinding, shown};
use crate::publish::lint::release::categories_by_set;

/// Lines of the page.
pub const LINES: usize = 66;
/// Columns of the page.
pub const WIDTH: usize = 80;
/// Names that are shown of what is new, and of what is gone.
const NAMES: usize = 20;
/// Rows of the tables.
const CATEGORIES: usize = 10;
const SOURCES: usize = 6;
const FINDINGS: usize = 6;
/// Lines for the names of one table.
const NAME_LINES: usize = 6;

/// What the page is about.
pub struct PageContent<'a> {
    /// The categories.
    pub taxonomy: &'a Taxonomy,
    /// The pack of the last release; `None` for the first.
    pub old: Option<&'a Pack>,
    /// The pack of the release.
    pub new: &'a Pack,
    /// Popular names, the most popular first.
    pub popular: &'a [Name],
    /// The findings.
    pub findings: &'a [LintFinding],
    /// The language.
    pub lang: Lang,
}

/// Names that stand in one pack and not, or not so, in the other.
#[derive(Default)]
struct Only {
    by_category: BTreeMap<CategoryId, u64>,
    by_level: BTreeMap<usize, u64>,
    /// The most popular: rank, labels, octets, text.
    first: BTreeSet<(usize, usize, usize, String)>,
    names: u64,
}

impl PageContent<'_> {
    /// The page.
    pub fn text(&self) -> String {
        let new = self.only(self.new, self.old);
        let gone = self.old.map(|old| self.only(old, Some(self.new))).unwrap_or_default();
        let lang = self.lang;
        let mut out = messages::page_title(new.names, gone.names).in_lang(lang) + "\n\n";
        self.categories(&mut out, &new, &gone);
        self.sources(&mut out);
        names(&mut out, &messages::page_new().in_lang(lang), &new);
        names(&mut out, &messages::page_gone().in_lang(lang), &gone);
        self.levels(&mut out, &new, &gone);
        self.findings(&mut out);
        let digest = |pack: &Pack| hex(&pack.digest());
        if let Some(old) = self.old {
            let _ = writeln!(out, "- {}", digest(old));
        }
        let _ = writeln!(out, "+ {}", digest(self.new));
        out
    }

    /// Names that `pack` lists in a category in which `other` does not list them.
    fn only(&self, pack: &Pack, other: Option<&Pack>) -> Only {
        let find = |id: &str| self.taxonomy.find(id);
        let hidden = self.taxonomy.select(|row| row.is_protected || row.is_positive);
        let here = categories_by_set(pack, find);
        let there = other.map(|other| categories_by_set(other, find)).unwrap_or_default();
        let blocked = Level::ALL.map(|level| self.blocked_at(level));
        let ranks: HashMap<&[u8], usize> =
            self.popular.iter().enumerate().map(|(rank, name)| (name.as_wire(), rank)).collect();
        let mut only = Only::default();
        let at = |sets: &[CategorySet], set: u16| {
            sets.get(usize::from(set)).copied().unwrap_or(CategorySet::EMPTY)
        };
        pack.each_name(|wire, set| {
            let Ok((name, _)) = Folded::from_wire(wire) else { return };
            let all = at(&here, set);
            let set = other.and_then(|other| other.set_of(&name));
            let before = set.map_or(CategorySet::EMPTY, |set| at(&there, set));
            let added = all.without(before);
            if added.is_empty() {
                return;
            }
            only.names += 1;
            for category in added.iter() {
                *only.by_category.entry(category).or_default() += 1;
            }
            for (place, level) in blocked.iter().enumerate() {
                let is_hit = |set: CategorySet| !set.intersection(*level).is_empty();
                if is_hit(added) && !is_hit(before) {
                    *only.by_level.entry(place).or_default() += 1;
                }
            }
            if !added.without(hidden).is_empty() {
                let rank = ranks.get(wire).copied().unwrap_or(usize::MAX);
                only.keep(rank, name.label_count(), wire);
            }
        });
        only
    }

    /// The categories that are blocked for a level unless somebody changes it.
    fn blocked_at(&self, level: Level) -> CategorySet {
        let place = Level::ALL.iter().position(|one| *one == level).unwrap_or(0);
        let blocks = |action: Option<&DefaultAction>| {
            matches!(action, Some(DefaultAction::Block | DefaultAction::Lessons))
        };
        let default = self.taxonomy.select(|row| blocks(row.defaults.get(place)));
        default.union(self.taxonomy.locked_for(level))
    }

    fn categories(&self, out: &mut String, new: &Only, gone: &Only) {
        let changed = |id: CategoryId| {
            let of = |only: &Only| only.by_category.get(&id).copied().unwrap_or(0);
            (of(new), of(gone))
        };
        let all: BTreeSet<CategoryId> =
            new.by_category.keys().chain(gone.by_category.keys()).copied().collect();
        let mut rows: Vec<CategoryId> = all.into_iter().collect();
        rows.sort_by_key(|id| std::cmp::Reverse(changed(*id).0 + changed(*id).1));
        let _ = writeln!(out, "{}", messages::page_categories().in_lang(self.lang));
        for id in rows.iter().take(CATEGORIES) {
            let row = self.taxonomy.category(*id);
            let (plus, minus) = changed(*id);
            let text = if self.lang == Lang::Vi { &row.vi } else { &row.en };
            line(out, &format!("  {:<16} +{plus:<9} -{minus:<9} {text}", row.id));
        }
        self.more(out, rows.len(), CATEGORIES);
    }

    fn sources(&self, out: &mut String) {
        let mut rows: Vec<(u64, String)> = Vec::new();
        let before = self.old.map_or(&[][..], Pack::sources);
        let mut seen = BTreeSet::new();
        for note in self.new.sources().iter().chain(before) {
            if !seen.insert((&note.category, &note.name)) {
                continue;
            }
            let rules = |notes: &[crate::pack::SourceNote]| {
                let found = notes
                    .iter()
                    .find(|one| (&one.category, &one.name) == (&note.category, &note.name));
                found.map_or(0, |one| one.rules)
            };
            let (was, is) = (rules(before), rules(self.new.sources()));
            if was != is {
                let text = format!("  {:<16} {was} > {is}  {}", note.category, note.name);
                rows.push((was.abs_diff(is), text));
            }
        }
        rows.sort_by_key(|(difference, _)| std::cmp::Reverse(*difference));
        let _ = writeln!(out, "{}", messages::page_sources().in_lang(self.lang));
        for (_, text) in rows.iter().take(SOURCES) {
            line(out, text);
        }
        self.more(out, rows.len(), SOURCES);
    }

    fn levels(&self, out: &mut String, new: &Only, gone: &Only) {
        let _ = writeln!(out, "{}", messages::page_levels().in_lang(self.lang));
        for (place, level) in Level::ALL.iter().enumerate() {
            let of = |only: &Only| only.by_level.get(&place).copied().unwrap_or(0);
            let _ = writeln!(out, "  {:<16} +{:<9} -{}", level.id(), of(new), of(gone));
        }
    }

    fn findings(&self, out: &mut String) {
        let open = self.findings.iter().filter(|finding| finding.is_open()).count();
        let total = self.findings.len();
        let title = messages::page_findings(total, open).in_lang(self.lang);
        let _ = writeln!(out, "{title}");
        let mut rows: Vec<&LintFinding> = self.findings.iter().collect();
        rows.sort_by_key(|finding| (!finding.is_open(), !finding.refuses));
        for finding in rows.iter().take(FINDINGS) {
            let by = finding.accepted.as_ref().map_or_else(String::new, |accepted| {
                format!(" ({}: {})", accepted.by, accepted.reason)
            });
            let sign = if finding.is_open() { '!' } else { '-' };
            line(out, &format!("{sign} {}{by}", finding.key));
        }
        self.more(out, total, FINDINGS);
    }

    fn more(&self, out: &mut String, all: usize, shown: usize) {
        if all > shown {
            line(out, &format!("  {}", messages::page_more(all - shown).in_lang(self.lang)));
        }
    }
}

impl Only {
    /// Keeps a name if it is among the most popular.
    fn keep(&mut self, rank: usize, labels: usize, wire: &[u8]) {
        let is_beyond = self
            .first
            .last()
            .is_some_and(|last| (rank, labels, wire.len()) > (last.0, last.1, last.2));
        if self.first.len() < NAMES || !is_beyond {
            self.first.insert((rank, labels, wire.len(), shown(wire)));
            if self.first.len() > NAMES {
                self.first.pop_last();
            }
        }
    }
}

/// The first names of a table, in lines.
fn names(out: &mut String, title: &str, only: &Only) {
    let _ = writeln!(out, "{title}");
    let (mut row, mut rows, mut left) = (String::from(" "), 0, only.first.len());
    for (.., name) in &only.first {
        if row.chars().count() + 1 + name.chars().count() > WIDTH && row.trim() != "" {
            line(out, &row);
            rows += 1;
            row = String::from(" ");
            if rows == NAME_LINES {
                break;
            }
        }
        let _ = write!(row, " {name}");
        left -= 1;
    }
    if rows < NAME_LINES && !row.trim().is_empty() {
        line(out, &row);
    }
    let rest = only.names.saturating_sub((only.first.len() - left) as u64);
    if rest > 0 {
        line(out, &format!("  … +{rest}"));
    }
}

/// A line, cut where the page ends; control octets of a name that others wrote never reach paper.
fn line(out: &mut String, text: &str) {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    if text.chars().count() > WIDTH {
        out.extend(text.chars().take(WIDTH - 1));
        out.push('…');
    } else {
        out.push_str(text.trim_end());
    }
    out.push('\n');
}
