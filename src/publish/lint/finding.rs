//! Findings of the lint, each with the sources, lines and rules that it is about.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::blocklist::{ListTarget, Parsed, parse_pieces};
use crate::dns::name::{Folded, Name, write_presentation};
use crate::lang::{Lang, Message, messages};
use crate::load::lists::compile_lists::{Input, ListTexts};
use crate::pack::AcceptedFinding;
use crate::pattern::HostPattern;
use crate::rule::{Action, Effect, Scope, Subject};
use crate::sys::archive;

/// Most findings of one kind in the text for people; JSON has all.
const SHOWN: usize = 20;
/// Most places of one finding.
const PLACES: usize = 8;

/// One finding of the lint, for the maintainer of the pack.
#[derive(Debug, Serialize)]
pub struct LintFinding {
    /// Kind, category and name or source: the same finding has the same key in each build.
    pub key: String,
    /// Its kind, as in the tables of [`super`].
    pub kind: &'static str,
    /// Whether the pack is refused for it, unless somebody accepts it.
    pub refuses: bool,
    /// The finding for people.
    pub message: String,
    /// The id of its category; empty where it is about none.
    pub category: String,
    /// The name that the rule stands at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The names that it would block.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The source of the first of its places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Line and rule of the first of its places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The rule as lists have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Every rule that it is about, the first eight.
    pub places: Vec<FindingPlace>,
    /// The person that accepts it, and the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<AcceptedFinding>,
    /// The rules that it is about: wire names, each with whether it is the name itself.
    #[serde(skip)]
    wanted: Vec<(Vec<u8>, bool)>,
}

/// A rule in a source.
#[derive(Debug, Clone, Serialize)]
pub struct FindingPlace {
    /// The name of the source.
    pub source: String,
    /// Its file.
    pub file: String,
    /// The line in it.
    pub line: u32,
    /// The rule as lists have it.
    pub rule: String,
}

impl LintFinding {
    /// A finding about the rules of a category for a name: those at `wanted`, each with whether it
    /// is the name itself.
    pub fn of_name(
        (kind, refuses): (&'static str, bool),
        category: &str,
        wire: &[u8],
        wanted: Vec<(Vec<u8>, bool)>,
        message: &Message,
        lang: Lang,
    ) -> Self {
        let name = shown(wire);
        Self {
            key: format!("{kind}/{category}/{name}"),
            name: Some(name),
            wanted,
            ..Self::of_source((kind, refuses), category, None, message, lang)
        }
    }

    /// The same finding with the names that it blocks.
    #[must_use]
    pub fn blocking(self, names: Vec<String>) -> Self {
        Self { names, ..self }
    }

    /// A finding about a whole source; `key` is what tells it from others of the source.
    pub fn of_source(
        (kind, refuses): (&'static str, bool),
        category: &str,
        source: Option<(&str, &str)>,
        message: &Message,
        lang: Lang,
    ) -> Self {
        Self {
            key: source.map_or_else(String::new, |(source, more)| {
                format!("{kind}/{category}/{source}{more}")
            }),
            kind,
            refuses,
            message: message.in_lang(lang),
            category: category.to_owned(),
            name: None,
            names: Vec::new(),
            source: source.map(|(source, _)| source.to_owned()),
            line: None,
            rule: None,
            places: Vec::new(),
            accepted: None,
            wanted: Vec::new(),
        }
    }

    /// Whether the pack is refused for it: nobody has accepted it.
    pub fn is_open(&self) -> bool {
        self.refuses && self.accepted.is_none()
    }

    /// Whether it is about rules of a category.
    pub fn is_about_rules(&self, category: &str) -> bool {
        self.category == category && !self.wanted.is_empty()
    }

    fn add(&mut self, input: &Input, file: &Path, line: u32, rule: String) {
        let is_same = |last: &FindingPlace| last.line == line && Path::new(&last.file) == file;
        if self.places.len() >= PLACES || self.places.last().is_some_and(is_same) {
            return;
        }
        if self.places.is_empty() {
            self.source = Some(input.name.clone());
            (self.line, self.rule) = (Some(line), Some(rule.clone()));
        }
        let (source, file) = (input.name.clone(), file.display().to_string());
        self.places.push(FindingPlace { source, file, line, rule });
    }

    /// The finding on one line, for people.
    fn text(&self, lang: Lang) -> String {
        let word = match (&self.accepted, self.refuses, lang) {
            (Some(_), _, Lang::En) => "accepted",
            (Some(_), _, Lang::Vi) => "đã chấp nhận",
            (None, true, Lang::En) => "refuses",
            (None, true, Lang::Vi) => "từ chối",
            (None, false, Lang::En) => "note",
            (None, false, Lang::Vi) => "ghi chú",
        };
        let mut out = format!("{word}: {}: {}", self.kind, self.message);
        for FindingPlace { source, line, rule, .. } in self.places.iter().take(3) {
            let _ = write!(out, "\n  {source}:{line}: {rule}");
        }
        if let (true, Some(source), Some(rule)) = (self.places.is_empty(), &self.source, &self.rule)
        {
            let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
            let _ = write!(out, "\n  {source}{line}: {rule}");
        }
        if self.refuses {
            let _ = write!(out, "\n  [{}]", self.key);
        }
        if let Some(AcceptedFinding { by, reason, date, .. }) = &self.accepted {
            let _ = write!(out, "\n  {by}, {date}: {reason}");
        }
        out
    }
}

/// Findings for people: the first of each kind, and how many more there are.
pub fn findings_text(findings: &[LintFinding], lang: Lang) -> String {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    let mut out = String::new();
    // Those that refuse the pack first: nobody must miss one.
    let (open, rest): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.is_open());
    for finding in open.into_iter().chain(rest) {
        let count = count.entry(finding.kind).or_default();
        *count += 1;
        if *count <= SHOWN {
            let _ = writeln!(out, "{}", finding.text(lang));
        }
    }
    for (kind, count) in count.into_iter().filter(|(_, count)| *count > SHOWN) {
        let message = messages::more_findings(count - SHOWN, kind);
        let _ = writeln!(out, "{}", message.in_lang(lang));
    }
    out
}

/// Adds the place of a rule about more than a name to the findings about names that it blocks, where
/// no rule about a name is the cause.
fn add_target(findings: &mut [LintFinding], input: &Input, file: &Path, rule: &ListTarget) {
    let mut pattern = None;
    if !matches!(rule.effect, Effect::Add | Effect::AddImportant) {
        return;
    }
    let of_it = |one: &&mut LintFinding| one.refuses && one.category == input.category.1;
    for finding in findings.iter_mut().filter(of_it).filter(|one| one.places.len() < PLACES) {
        let is_hit =
            finding.names.iter().filter_map(|name| Name::from_text(name).ok()).any(|name| {
                let name = Folded::from_name(&name);
                let is_about = match &rule.target.subject {
                    Subject::All => true,
                    Subject::Name(wire) => {
                        name.is_at_or_below(wire) && rule.scope.covers(name.suffix(0) == &**wire)
                    }
                    Subject::Pattern(text) => pattern
                        .get_or_insert_with(|| HostPattern::parse(text).ok())
                        .as_ref()
                        .is_some_and(|pattern| pattern.matches(&name)),
                };
                is_about && !rule.target.spares(&name)
            });
        if is_hit {
            finding.add(input, file, rule.line, rule.target.text(rule.scope));
        }
    }
}

/// Reads the sources again for the lines of each finding.
pub fn find_places(findings: &mut [LintFinding], inputs: &[Input]) {
    let mut wanted: HashMap<Vec<u8>, Vec<(usize, bool)>> = HashMap::new();
    for (number, finding) in findings.iter().enumerate() {
        for (name, is_self) in &finding.wanted {
            wanted.entry(name.clone()).or_default().push((number, *is_self));
        }
    }
    for input in inputs {
        let answers = findings.iter().position(|finding| {
            finding.kind == "answers"
                && finding.source.as_ref() == Some(&input.name)
                && finding.category == input.category.1
        });
        let is_met = |finding: &LintFinding| {
            finding.category == input.category.1 && !finding.wanted.is_empty()
        };
        if answers.is_none() && !findings.iter().any(is_met) {
            continue;
        }
        let mut look = |file: &Path, text: &[u8]| {
            let mut take = |piece: &Parsed| {
                for rule in piece.rules() {
                    if let Some(finding) = answers.and_then(|at| findings.get_mut(at))
                        && matches!(rule.action, Action::Local(_))
                    {
                        finding.add(input, file, rule.line, reach(rule.scope, &shown(rule.name)));
                    }
                    let lists =
                        matches!(rule.effect, Effect::Add | Effect::AddImportant | Effect::Rpz)
                            && !rule.action.is_pass();
                    for (number, is_self) in wanted.get(rule.name).into_iter().flatten() {
                        let finding = findings.get_mut(*number);
                        let finding = finding.filter(|one| one.category == input.category.1);
                        if let Some(finding) =
                            finding.filter(|_| lists && rule.scope.covers(*is_self))
                        {
                            let text = reach(rule.scope, &shown(rule.name));
                            finding.add(input, file, rule.line, text);
                        }
                    }
                }
                for rule in &piece.targets {
                    add_target(findings, input, file, rule);
                }
                for rule in &piece.addresses {
                    if let Some(finding) = answers.and_then(|at| findings.get_mut(at))
                        && matches!(rule.action, Action::Local(_))
                    {
                        finding.add(input, file, rule.line, rule.net.to_string());
                    }
                }
            };
            parse_pieces(text, input.format, input.scope, &mut take);
        };
        match &input.texts {
            // A file that changed meanwhile costs the places, not the findings.
            ListTexts::Files(files) => files.iter().for_each(|file| {
                let _ = archive::each_text(file, |path, text| look(&path, &text));
            }),
            ListTexts::Here(name, text) => look(name, text),
            // A build reads no kept copy.
            ListTexts::Kept(..) => {}
        }
    }
}

/// `name` with the scope of a rule, as written in lists: `=x`, `x`, `*.x`.
pub fn reach(scope: Scope, name: &str) -> String {
    match scope {
        Scope::Exact => format!("={name}"),
        Scope::Subtree => name.to_owned(),
        Scope::Below => format!("*.{name}"),
    }
}

/// A wire name in presentation form, without the final dot.
pub fn shown(wire: &[u8]) -> String {
    let mut text = String::new();
    let _ = write_presentation(wire, &mut text);
    text.trim_end_matches('.').to_owned()
}
