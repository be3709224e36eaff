//! Report on a pack and its sources, for people and for scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::cli::lists::table::table;
use crate::digest::hex;
use crate::lang::{Lang, messages};
use crate::pack::{AcceptedFinding, Pack, SourceNote};
use crate::publish::lint::finding::{LintFinding, findings_text};
use crate::rule::{Effect, Rule};

/// Report on a build.
#[derive(Debug, Serialize)]
pub(super) struct BuildReport {
    /// Path of the pack; not written when it is refused.
    pub(super) pack: String,
    pub(super) refused: bool,
    /// The text of `--accept`: the person that accepted the findings, and the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) accepted_by: Option<String>,
    pub(super) summary: Summary,
    pub(super) sources: Vec<SourceReport>,
    pub(super) findings: Vec<LintFinding>,
    /// Exceptions that met no finding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) unmet_exceptions: Vec<String>,
}

/// Content of a pack, in numbers.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) digest: String,
    pub(super) names: usize,
    pub(super) octets: usize,
    /// Names by category; a name may be in several.
    pub(super) categories: BTreeMap<String, u64>,
    /// Names that two categories share.
    pub(super) overlaps: Vec<(String, String, u64)>,
    pub(super) addresses: usize,
    pub(super) has_keywords: bool,
}

/// One source and its rules.
#[derive(Debug, Serialize)]
pub(super) struct SourceReport {
    pub(super) name: String,
    pub(super) category: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) licence: Option<String>,
    pub(super) formats: BTreeSet<String>,
    pub(super) lines: u64,
    pub(super) rules: u64,
    pub(super) accepted: u64,
    pub(super) duplicate: u64,
    pub(super) subsumed: u64,
    pub(super) rejected: BTreeMap<String, u64>,
    pub(super) examples: Vec<String>,
    /// Findings that somebody accepted when the pack was built.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) accepted_findings: Vec<AcceptedFinding>,
}

impl Summary {
    /// The numbers of a pack.
    pub(super) fn of(pack: &Pack) -> Self {
        let lists = |r: &&Rule| {
            matches!(r.effect, Effect::Add | Effect::AddImportant | Effect::Rpz)
                && !r.action.is_pass()
        };
        let mut categories = BTreeMap::new();
        let mut overlaps: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        for number in 0..pack.set_count() as u16 {
            let (names, rules) = pack.set(number);
            let set: BTreeSet<usize> = rules.filter(lists).map(|r| r.category.index()).collect();
            for &one in &set {
                *categories.entry(id(pack, one)).or_default() += u64::from(names);
                for &other in set.range(one + 1..) {
                    *overlaps.entry((one, other)).or_default() += u64::from(names);
                }
            }
        }
        let overlaps = overlaps.into_iter().filter(|(_, names)| *names > 0);
        Self {
            digest: hex(&pack.digest()),
            names: pack.len(),
            octets: pack.octets(),
            categories,
            overlaps: overlaps.map(|((a, b), names)| (id(pack, a), id(pack, b), names)).collect(),
            addresses: pack.addresses().len(),
            has_keywords: !pack.keywords().is_empty(),
        }
    }

    /// The numbers for people.
    pub(super) fn text(&self) -> String {
        let names = self.names.max(1) as f64;
        let mut out = format!(
            "{} names, {} octets ({:.1} a name), digest {}\n",
            self.names,
            self.octets,
            self.octets as f64 / names,
            self.digest
        );
        if self.addresses > 0 {
            let _ = writeln!(out, "{} prefixes of addresses", self.addresses);
        }
        if self.has_keywords {
            let _ = writeln!(out, "keyword rules");
        }
        let rows = self.categories.iter().map(|(id, names)| vec![id.clone(), names.to_string()]);
        let _ = write!(out, "\n{}", table(&["category", "names"], &rows.collect::<Vec<_>>()));
        if !self.overlaps.is_empty() {
            let rows =
                self.overlaps.iter().map(|(a, b, n)| vec![a.clone(), b.clone(), n.to_string()]);
            let rows: Vec<_> = rows.collect();
            let _ = write!(out, "\n{}", table(&["listed in", "and in", "names"], &rows));
        }
        out
    }
}

/// The id of a category of a pack.
fn id(pack: &Pack, number: usize) -> String {
    pack.categories().get(number).cloned().unwrap_or_default()
}

impl SourceReport {
    /// The report on one source.
    pub(super) fn of(note: &SourceNote) -> Self {
        let mut rejected: BTreeMap<String, u64> = BTreeMap::new();
        for (reason, count) in note.files.iter().flat_map(|file| &file.rejects) {
            *rejected.entry(reason.clone()).or_default() += u64::from(*count);
        }
        Self {
            name: note.name.clone(),
            category: note.category.clone(),
            licence: note.licence.clone(),
            formats: note.files.iter().map(|file| file.format.clone()).collect(),
            lines: note.files.iter().map(|file| u64::from(file.lines)).sum(),
            rules: note.rules,
            accepted: note.rules.saturating_sub(note.duplicate + note.subsumed),
            duplicate: note.duplicate,
            subsumed: note.subsumed,
            rejected,
            examples: note.files.iter().flat_map(|file| file.examples.clone()).take(3).collect(),
            accepted_findings: note.accepted.clone(),
        }
    }
}

/// The sources of a pack as columns, with examples of what was rejected.
pub(super) fn sources_text(sources: &[SourceReport]) -> String {
    let heading =
        ["source", "category", "format", "rules", "accepted", "duplicate", "subsumed", "rejected"];
    let rows: Vec<Vec<String>> = sources
        .iter()
        .map(|s| {
            let rejected: u64 = s.rejected.values().sum();
            let formats: Vec<&str> = s.formats.iter().map(String::as_str).collect();
            let numbers = [s.rules, s.accepted, s.duplicate, s.subsumed, rejected];
            let words = [s.name.clone(), s.category.clone(), formats.join(" ")];
            words.into_iter().chain(numbers.map(|n| n.to_string())).collect()
        })
        .collect();
    let mut out = table(&heading, &rows);
    for source in sources {
        if let Some(licence) = &source.licence {
            let _ = writeln!(out, "\n{}: licence {licence}", source.name);
        }
    }
    for source in sources {
        for AcceptedFinding { finding, by, reason, date } in &source.accepted_findings {
            let _ = writeln!(out, "\n{}: accepted {finding}: {by}, {date}: {reason}", source.name);
        }
    }
    for source in sources.iter().filter(|source| !source.rejected.is_empty()) {
        let reasons = source.rejected.iter().map(|(reason, n)| format!("{n} {reason}"));
        let reasons: Vec<String> = reasons.collect();
        let _ = writeln!(out, "\n{}: rejected {}", source.name, reasons.join(", "));
        for example in &source.examples {
            let _ = writeln!(out, "  {example}");
        }
    }
    out
}

impl BuildReport {
    /// The report on a pack that is not refused.
    pub(super) fn of(path: &Path, pack: &Pack, findings: Vec<LintFinding>) -> Self {
        Self {
            pack: path.display().to_string(),
            refused: false,
            accepted_by: None,
            summary: Summary::of(pack),
            sources: pack.sources().iter().map(SourceReport::of).collect(),
            findings,
            unmet_exceptions: Vec::new(),
        }
    }

    /// The report for people.
    pub(super) fn text(&self, lang: Lang) -> String {
        let mut out = format!("{}\n{}", sources_text(&self.sources), self.summary.text());
        if !self.findings.is_empty() {
            out.push('\n');
        }
        out += &findings_text(&self.findings, lang);
        for exception in &self.unmet_exceptions {
            out += &(messages::exception_unmet(exception).in_lang(lang) + "\n");
        }
        let path = &self.pack;
        let last = match (self.refused, &self.accepted_by) {
            (true, _) => messages::pack_refused(path),
            (false, Some(who)) => messages::pack_accepted(path, who),
            (false, None) => messages::pack_written(path),
        };
        out + "\n" + &last.in_lang(lang) + "\n"
    }
}
