//! Lint of packs: findings that people review before a pack or a release is published.
//!
//! | kind | what | refuses | asked of |
//! |---|---|---|---|
//! | `guard` | a guarded or essential name would be blocked, as a gateway judges it | yes | both |
//! | `public-suffix` | a suffix below which others register is listed with all below it | yes, but for one by a company's wildcard | both |
//! | `changed` | a source shrank or grew more than is usual | yes | both |
//! | `answers` | a source that is not trusted has answers of its own: such names are blocked | no | pack |
//! | `popular` | names that many people use would be blocked | release | both |
//! | `sample` | names of a sample that the department brings would be blocked | no | release |
//! | `keyword` | a keyword rule hits names that many people use | yes | release |
//! | `category` | a category lost most of its names | yes | release |
//! | `empty` | a source has no rule | yes | release |
//! | `garbled` | most lines of a file are no rules | yes | release |
//! | `unchanged` | a source is the same for many days | no | release |
//!
//! A pack is judged by itself. A release is judged by what it *newly* blocks, against the release
//! before it ([`release`]); [`gate`] has what is accepted. A name in a list of good names is no
//! finding, nor one that an exception (`@@`) frees, nor a source that has another name now.

pub mod ages;
pub mod finding;
pub mod gate;
mod keywords;
pub mod places;
pub mod popular;
pub mod release;
mod sources;
mod suffixes;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::category::{CategoryId, CategorySet, Taxonomy};
use crate::config::data::guard::{Guard, Judged};
use crate::config::data::released::ReleasedData;
use crate::dns::name::{Folded, Name};
use crate::lang::{Lang, Message, messages};
use crate::matcher::SuffixHashes;
use crate::matcher::build::join;
use crate::matcher::suffix::SuffixTable;
use crate::pack::{BuildError, Pack, SourceNote};
use crate::publish::lint::finding::{LintFinding, shown};
use crate::publish::lint::popular::with_www;
use crate::rule::{Action, EVERY_NAME, Effect, Rule, Scope};
use crate::sys::read;

/// Kinds, each with whether it refuses the pack.
const GUARD: (&str, bool) = ("guard", true);
const SUFFIX: (&str, bool) = ("public-suffix", true);
/// A suffix by a company's wildcard: most are the name of one customer.
const SUFFIX_OF_ONE: (&str, bool) = ("public-suffix", false);
const CHANGED: (&str, bool) = ("changed", true);
const ANSWERS: (&str, bool) = ("answers", false);
const POPULAR: (&str, bool) = ("popular", false);
const SAMPLE: (&str, bool) = ("sample", false);
const KEYWORD: (&str, bool) = ("keyword", true);
const CATEGORY: (&str, bool) = ("category", true);
const EMPTY: (&str, bool) = ("empty", true);
const GARBLED: (&str, bool) = ("garbled", true);
const UNCHANGED: (&str, bool) = ("unchanged", false);
/// Names that nobody may block unasked: a release is refused for them.
const POPULAR_OURS: (&str, bool) = ("popular", true);
/// Most names of one finding in its message; JSON has all.
const SHOWN: usize = 5;
/// A label that no list has a rule for.
const BELOW: &str = "lachan-lint";
/// The most octets of a list of popular names.
const MOST: u64 = 1 << 30;

/// By how many percent a source may change.
#[derive(Debug, Clone, Copy)]
pub struct SourceLimits {
    /// May shrink by.
    pub shrink: u32,
    /// May grow by.
    pub grow: u32,
}

/// Data of the lint beside the pack.
pub struct Lint<'a> {
    /// The tables in effect on gateways: guard, essential and popular names.
    pub data: &'a ReleasedData,
    /// Their categories.
    pub taxonomy: &'a Taxonomy,
    /// The pack before.
    pub previous: Option<Arc<Pack>>,
    /// Names that many people use, the most popular first.
    pub popular: Vec<Name>,
    /// Most change of a source.
    pub limits: SourceLimits,
    /// The language of findings.
    pub lang: Lang,
}

/// Names, one a line; where there are several words or columns, the last.
///
/// # Errors
///
/// The file cannot be read.
pub fn names(path: &Path) -> Result<Vec<Name>, String> {
    let text = read::octets(path, MOST)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    let word = |line: &str| {
        let line = line.split('#').next()?.trim();
        Name::from_text(line.rsplit([',', ' ', '\t']).next()?).ok()
    };
    Ok(String::from_utf8_lossy(&text).lines().filter_map(word).collect())
}

impl Lint<'_> {
    /// The categories that block a name, those of good names apart.
    fn blocking(&self, table: &SuffixTable, name: &Name) -> CategorySet {
        listing(table, name).without(self.taxonomy.select(|row| row.is_positive))
    }

    /// All findings of a pack with every rule of its sources.
    ///
    /// # Errors
    ///
    /// [`BuildError`] where the pack cannot be joined.
    pub fn of(&self, pack: &Arc<Pack>) -> Result<Vec<LintFinding>, BuildError> {
        let joined = join([Arc::clone(pack)], |id| self.taxonomy.find(id))?;
        let blocking = &|name: &Name| self.blocking(&joined.table, name);
        let mut findings = Vec::new();
        let guard = Guard::of(self.data, self.taxonomy);
        // What a gateway judges, but for its `accept`.
        let guarded = against(&guard, blocking);
        findings.extend(self.about(GUARD, pack, guarded, messages::guard_finding));
        findings.extend(self.suffixes(pack, blocking));
        let popular = with_www(self.popular.iter(), |_, asked| blocking(asked));
        findings.extend(self.about(POPULAR, pack, popular, messages::popular_finding));
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
        names: Vec<(Name, CategorySet)>,
        message: fn(String, String) -> Message,
    ) -> Vec<LintFinding> {
        let mut rules: Vec<(CategoryId, Vec<u8>)> = Vec::new();
        let mut blocked: HashMap<(CategoryId, Vec<u8>), (Vec<String>, bool)> = HashMap::new();
        for (name, categories) in names {
            for category in categories.iter() {
                let id = &self.taxonomy.category(category).id;
                // A rule about more than names is told by the name that it blocks.
                let itself = || (name.as_wire().to_vec(), true);
                let (wire, is_self) = listed_at(pack, &name, id).unwrap_or_else(itself);
                let key = (category, wire);
                if !blocked.contains_key(&key) {
                    rules.push(key.clone());
                }
                let of = blocked.entry(key).or_default();
                let name = shown(name.as_wire());
                // The same rule blocks `www` below it: nothing new.
                let is_www = |last: &String| name.strip_prefix("www.") == Some(last.as_str());
                if !of.0.last().is_some_and(is_www) {
                    of.0.push(name);
                }
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

/// Guarded names, with the categories of `blocking` that must not block them.
fn against(guard: &Guard, blocking: impl Fn(&Name) -> CategorySet) -> Vec<(Name, CategorySet)> {
    let of = |name: &Name| -> CategorySet {
        blocking(name).iter().filter(|category| is_against(guard, name, *category)).collect()
    };
    let all = guard.names().map(|name| (name.clone(), of(name)));
    all.filter(|(_, categories)| !categories.is_empty()).collect()
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
fn listing(table: &SuffixTable, name: &Name) -> CategorySet {
    let folded = Folded::from_name(name);
    table.lookup(&folded, &SuffixHashes::of(&folded, table.seed())).set
}
