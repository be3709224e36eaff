//! Keyword rules that hit names that many people use.

use std::collections::BTreeMap;

use crate::category::CategoryId;
use crate::config::data::guard::Guard;
use crate::dns::name::{Folded, Name};
use crate::lang::messages;
use crate::matcher::keyword::Tier;
use crate::publish::lint::finding::{LintFinding, shown};
use crate::publish::lint::popular::PopularNames;
use crate::publish::lint::release::Compiled;
use crate::publish::lint::{KEYWORD, Lint, first_of, is_against};

/// The source of keyword rules in findings.
const KEYWORDS: &str = "keywords";

/// The names that one rule hits, whether one of them is ours, and the line of the rule.
#[derive(Default)]
struct Hits {
    names: Vec<String>,
    refuses: bool,
    line: u32,
}

impl Lint<'_> {
    /// Keyword rules that newly block a popular name. A name of the department's own sample alone
    /// refuses nothing.
    pub(super) fn keyword_findings(
        &self,
        now: &Compiled,
        before: Option<&Compiled>,
        guard: &Guard,
        ours: &PopularNames,
    ) -> Vec<LintFinding> {
        let mut found: BTreeMap<(CategoryId, String), Hits> = BTreeMap::new();
        let mut look = |name: &Name, refuses: bool, is_meant: &dyn Fn(CategoryId) -> bool| {
            let folded = Folded::from_name(name);
            let old = before.map(|one| one.keywords.lookup(&folded).block).unwrap_or_default();
            for hit in now.keywords.trace(&folded) {
                if hit.tier != Tier::Block || old.contains(hit.category) || is_meant(hit.category) {
                    continue;
                }
                let hits = found.entry((hit.category, hit.pattern.to_owned())).or_default();
                hits.refuses |= refuses;
                hits.line = hit.line;
                let name = shown(name.as_wire());
                if !hits.names.contains(&name) {
                    hits.names.push(name);
                }
            }
        };
        for name in guard.names() {
            look(name, true, &|category| !is_against(guard, name, category));
        }
        for name in ours.names() {
            look(name, true, &|category| ours.purpose(name).contains(category));
        }
        for name in &self.popular {
            look(name, false, &|_| false);
        }
        let finding = |((category, pattern), hits): ((CategoryId, String), Hits)| {
            let id = &self.taxonomy.category(category).id;
            let message = messages::keyword_finding(&pattern, first_of(&hits.names), id);
            let source = Some((KEYWORDS, ""));
            let kind = (KEYWORD.0, hits.refuses);
            let mut one = LintFinding::of_source(kind, id, source, &message, self.lang);
            one.key = format!("{}/{id}/{pattern}", KEYWORD.0);
            (one.line, one.rule) = (Some(hits.line), Some(pattern));
            one.blocking(hits.names)
        };
        found.into_iter().map(finding).collect()
    }
}
