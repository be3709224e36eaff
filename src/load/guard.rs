//! Guarded names in lists, packs and keyword rules: void, and said.
//!
//! Law: no list takes the ministry or a search engine away by mistake, on a first load neither. What a school or its department denies is no list, and is not looked at here.

use std::collections::BTreeMap;

use crate::category::{CategoryId, Taxonomy};
use crate::config::data::guard::{Guard, Judged};
use crate::config::data::released::ReleasedData;
use crate::dns::name::Name;
use crate::matcher::build::WideRule;
use crate::matcher::keyword::{KeywordTrace, Keywords};
use crate::matcher::suffix::SuffixTable;
use crate::rule::{Action, Effect, Rule, SEVERAL_SOURCES, Scope};

/// The most names of one finding.
const SHOWN: usize = 8;
/// The most guarded names that are shown of a rule about more than a name.
const SHOWN_OF_RULE: usize = 3;
/// The source of keyword rules in findings.
const KEYWORDS: &str = "keywords";

/// Rules of one source and category that have no effect on what schools need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardFinding {
    /// The name of the source.
    pub source: String,
    /// The id of the category.
    pub category: String,
    /// Such rules.
    pub count: usize,
    /// The first names that they would block with all that is guarded below, for display; of rules
    /// about more than a name the rule, and the first names that it would block.
    pub names: Vec<String>,
}

impl GuardFinding {
    /// The names for a message.
    pub fn shown(&self) -> String {
        let more = if self.count > self.names.len() { ", …" } else { "" };
        self.names.join(", ") + more
    }
}

/// Findings by source and category: the number of rules, and what is shown of them.
type Found = BTreeMap<(u16, CategoryId), (usize, Vec<String>)>;

/// Rules about more than a name, each with the guarded names that it would block.
type Wide = BTreeMap<(u16, CategoryId, String), Vec<String>>;

/// Takes the rules for guarded names out of `table`; the findings. `accepted` has what the source
/// of a rule may block, `name_of` the name of a source.
pub(super) fn void<'c>(
    (data, taxonomy): (&ReleasedData, &Taxonomy),
    table: &mut SuffixTable,
    accepted: impl Fn(u16) -> &'c [Name],
    name_of: impl Fn(u16) -> Option<String>,
) -> Vec<GuardFinding> {
    let guard = Guard::of(data, taxonomy);
    let mut found = Found::new();
    table.void(guard.suffixes(), |name, rule| {
        let judged = guard.judge(name, rule, accepted(rule.source));
        if judged != Judged::Acts {
            add(&mut found, (rule.source, rule.category), || shown(name));
        }
        judged == Judged::Void
    });
    let mut wide = Wide::new();
    table.spare(guard.names(), |name, one: WideRule<'_>| {
        let rule = one.rule();
        let judged = guard.judge_at(name, rule, accepted(rule.source));
        if judged != Judged::Acts {
            wide.entry((rule.source, rule.category, one.text())).or_default().push(shown(name));
        }
        judged == Judged::Void
    });
    add_wide(&mut found, wide);
    findings(taxonomy, found, name_of)
}

/// Takes the labels of guarded names out of what keyword rules that block look at; the findings.
pub(super) fn void_keywords(
    (data, taxonomy): (&ReleasedData, &Taxonomy),
    keywords: &mut Keywords,
    accepted: &[Name],
) -> Vec<GuardFinding> {
    let guard = Guard::of(data, taxonomy);
    let mut wide = Wide::new();
    keywords.guard(guard.names(), |name, hit: &KeywordTrace<'_>| {
        let (category, source) = (hit.category, SEVERAL_SOURCES);
        let (scope, effect, action) = (Scope::Exact, Effect::Add, Action::Default);
        let rule = Rule { category, scope, effect, action, source };
        let judged = guard.judge_at(name, &rule, accepted);
        if judged != Judged::Acts {
            wide.entry((source, category, hit.pattern.to_owned())).or_default().push(shown(name));
        }
        judged == Judged::Void
    });
    let mut found = Found::new();
    add_wide(&mut found, wide);
    findings(taxonomy, found, |_| Some(KEYWORDS.into()))
}

fn add(found: &mut Found, of: (u16, CategoryId), shown: impl FnOnce() -> String) {
    let (count, names) = found.entry(of).or_default();
    *count += 1;
    if names.len() < SHOWN {
        names.push(shown());
    }
}

fn add_wide(found: &mut Found, wide: Wide) {
    for ((source, category, text), mut names) in wide {
        names.dedup();
        let more = if names.len() > SHOWN_OF_RULE { ", …" } else { "" };
        names.truncate(SHOWN_OF_RULE);
        add(found, (source, category), || format!("{text} ({}{more})", names.join(", ")));
    }
}

fn findings(
    taxonomy: &Taxonomy,
    found: Found,
    name_of: impl Fn(u16) -> Option<String>,
) -> Vec<GuardFinding> {
    let finding =
        |((source, category), (count, names)): ((u16, CategoryId), (usize, Vec<String>))| {
            GuardFinding {
                source: name_of(source).unwrap_or_else(|| "several sources".into()),
                category: taxonomy.category(category).id.clone(),
                count,
                names,
            }
        };
    found.into_iter().map(finding).collect()
}

fn shown(name: &Name) -> String {
    name.to_string().trim_end_matches('.').to_owned()
}
