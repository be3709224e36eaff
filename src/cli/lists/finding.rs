//! Findings of the lint, each with the sources, lines and rules that it is about.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::blocklist::{ListTarget, Parsed, parse_pieces};
use crate::cli::lists::pack_file::{reach, shown};
use crate::dns::name::{Folded, Name};
use crate::lang::{Lang, Message, messages};
use crate::load::lists::compile_lists::{Input, ListTexts};
use crate::pack::AcceptedFinding;
use crate::pattern::HostPattern;
use crate::rule::{Action, Effect, Subject};
use crate::sys::archive;

/// Most findings of one kind in the text for people; JSON has all.
const SHOWN: usize = 20;
/// Most places of one finding.
const PLACES: usize = 8;

/// One finding of the lint, for the maintainer of the pack.
#[derive(Debug, Serialize)]
pub(super) struct LintFinding {
    /// Kind, category and name or source: the same finding has the same key in each build.
    pub(super) key: String,
    /// `guard`, `public-suffix`, `changed`, `answers`, `popular`.
    pub(super) kind: &'static str,
    /// Whether the pack is refused for it, unless somebody accepts it.
    pub(super) refuses: bool,
    pub(super) message: String,
    pub(super) category: String,
    /// The name that the rule stands at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// The names that it would block.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) names: Vec<String>,
    /// The source of the first of its places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    /// Line and rule of the first of its places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rule: Option<String>,
    /// Every rule that it is about, the first eight.
    pub(super) places: Vec<FindingPlace>,
    /// The person that accepts it, and the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) accepted: Option<AcceptedFinding>,
    /// The rules that it is about: wire names, each with whether it is the name itself.
    #[serde(skip)]
    wanted: Vec<(Vec<u8>, bool)>,
}

/// A rule in a source.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FindingPlace {
    pub(super) source: String,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) rule: String,
}

impl LintFinding {
    /// A finding about the rules of a category for a name: those at `wanted`, each with whether it
    /// is the name itself.
    pub(super) fn of_name(
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
    pub(super) fn blocking(self, names: Vec<String>) -> Self {
        Self { names, ..self }
    }

    /// A finding about a whole source; `key` is what tells it from others of the source.
    pub(super) fn of_source(
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
    pub(super) fn is_open(&self) -> bool {
        self.refuses && self.accepted.is_none()
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
pub(super) fn findings_text(findings: &[LintFinding], lang: Lang) -> String {
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
pub(super) fn find_places(findings: &mut [LintFinding], inputs: &[Input]) {
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
