//! Lists that an exception for a question's name keeps from its aliases.
//!
//! `@@||x^` says that a list lets x through: the aliases in x's answer are not checked against that
//! list, and against every other as ever. PASSTHRU of a response policy zone ends the later zones of
//! its category for the aliases too; it opens no lock, for them as for the name itself.

use std::collections::BTreeMap;

use crate::category::CategoryId;
use crate::dns::name::Folded;
use crate::matcher::SuffixHashes;
use crate::matcher::suffix::{Listed, RuleChange, State, SuffixTable, ZoneHit};
use crate::rule::{Action, Effect, Rule, SEVERAL_SOURCES};

/// What is not asked about the aliases of a name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Spared {
    /// Sources with an exception for the name.
    sources: Vec<u16>,
    /// The first zone that has the name, if it passes it, and the zone's category.
    zone: Option<(u16, CategoryId)>,
}

impl Spared {
    /// Whether every list is asked.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn spares(&self, rule: &Rule) -> bool {
        match (rule.effect, self.zone) {
            (Effect::Rpz, Some((zone, category))) => {
                rule.source > zone && rule.category == category
            }
            (Effect::Rpz, None) => false,
            _ => self.sources.contains(&rule.source),
        }
    }
}

impl SuffixTable {
    /// What the lists say of the aliases of `name` by what they say of itself.
    #[cold]
    pub fn spared(&self, name: &Folded, hashes: &SuffixHashes) -> Spared {
        let mut sources = Vec::new();
        for listing in &self.listings {
            self.nodes(listing, name, hashes, |index, value| {
                let clears = |rule: &&Rule| {
                    matches!(rule.effect, Effect::Clear | Effect::ClearImportant)
                        && rule.scope.covers(index == 0)
                        && rule.source != SEVERAL_SOURCES
                };
                sources.extend(value.rules.iter().filter(clears).map(|rule| rule.source));
            });
        }
        let first = self.zone_rules(name, hashes).into_values().next();
        let zone = first.filter(|rule| rule.action == Action::Passthru);
        Spared { sources, zone: zone.map(|rule| (rule.source, rule.category)) }
    }

    /// As [`SuffixTable::lookup`], without the rules that are spared.
    #[cold]
    pub fn lookup_without(&self, name: &Folded, hashes: &SuffixHashes, spared: &Spared) -> Listed {
        let mut listed =
            Listed { any_zone: self.lookup(name, hashes).any_zone, ..Listed::default() };
        for listing in &self.listings {
            let mut state = State::default();
            self.nodes(listing, name, hashes, |index, value| {
                let is_asked = |rule: &Rule| !spared.spares(rule);
                state = state.apply(&RuleChange::of(&value.rules, index == 0, is_asked));
            });
            listed.set = listed.set.union(state.plain).union(state.important);
        }
        let zones = self.zone_rules(name, hashes).into_values();
        let hit = zones.into_iter().find(|rule| !spared.spares(rule));
        listed.zone = hit.map(|rule| ZoneHit { category: rule.category, action: rule.action });
        if let Some(hit) = listed.zone.filter(|hit| hit.action != Action::Passthru) {
            listed.set = listed.set.with(hit.category);
        }
        listed
    }

    /// The rule of each zone that has the name, of the longest name, in the order of zones: sources
    /// are numbered in it.
    fn zone_rules(&self, name: &Folded, hashes: &SuffixHashes) -> BTreeMap<u16, Rule> {
        let mut nearest = BTreeMap::new();
        for listing in &self.listings {
            self.nodes(listing, name, hashes, |index, value| {
                let covers =
                    |rule: &&Rule| rule.effect == Effect::Rpz && rule.scope.covers(index == 0);
                nearest.extend(value.rules.iter().filter(covers).rev().map(|r| (r.source, *r)));
            });
        }
        nearest
    }
}
