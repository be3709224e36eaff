//! Guarded names in lists and packs: void, and said.
//!
//! Law: no list takes the ministry or a search engine away by mistake, on a first load neither. What a school or its department denies is no list, and is not looked at here.

use std::collections::BTreeMap;

use crate::category::{CategoryId, Taxonomy};
use crate::config::data::guard::{Guard, Judged};
use crate::dns::name::Name;
use crate::matcher::suffix::SuffixTable;

/// The most names of one finding.
const SHOWN: usize = 8;

/// Rules of one source and category that have no effect on what schools need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardFinding {
    /// The name of the source.
    pub source: String,
    /// The id of the category.
    pub category: String,
    /// Such rules.
    pub count: usize,
    /// The first names that they would block with all that is guarded below, for display.
    pub names: Vec<String>,
}

impl GuardFinding {
    /// The names for a message.
    pub fn shown(&self) -> String {
        let more = if self.count > self.names.len() { ", …" } else { "" };
        self.names.join(", ") + more
    }
}

/// Takes the rules for guarded names out of `table`; the findings. `accepted` has what the source
/// of a rule may block, `name_of` the name of a source.
pub(super) fn void<'c>(
    taxonomy: &Taxonomy,
    table: &mut SuffixTable,
    accepted: impl Fn(u16) -> &'c [Name],
    name_of: impl Fn(u16) -> Option<String>,
) -> Vec<GuardFinding> {
    let guard = Guard::embedded(taxonomy);
    let mut found: BTreeMap<(u16, CategoryId), (usize, Vec<String>)> = BTreeMap::new();
    table.void(guard.suffixes(), |name, rule| {
        let judged = guard.judge(name, rule, accepted(rule.source));
        if judged != Judged::Acts {
            let (count, names) = found.entry((rule.source, rule.category)).or_default();
            *count += 1;
            if names.len() < SHOWN {
                names.push(name.to_string().trim_end_matches('.').to_owned());
            }
        }
        judged == Judged::Void
    });
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
