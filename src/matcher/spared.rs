//! Lists that an exception for a name keeps from what the name leads to.
//!
//! `@@||x^` says that a list lets x through: the aliases and addresses in x's answer are not checked
//! against that list, and against every other as ever. PASSTHRU of a response policy zone ends that
//! zone and the later ones of its category for them too, and of a trusted source all later ones; it
//! opens no lock, for them as for the name itself.

use crate::category::CategoryId;
use crate::dns::name::Folded;
use crate::dns::rtype::CNAME;
use crate::matcher::SuffixHashes;
use crate::matcher::suffix::{Listed, Passed, RuleChange, State, SuffixTable, ZoneHit};
use crate::rule::{Action, Effect, Rule, SEVERAL_SOURCES, source_bit};

/// What is not asked about the aliases and addresses of some names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Spared {
    /// Sources with an exception for the name, or with a rule about more than a name that spares it
    /// since it is guarded.
    sources: Vec<u16>,
    /// For each category that is passed, the first zone that does so.
    zones: Vec<(CategoryId, u16)>,
    /// The first zone that passes all categories.
    all: Option<u16>,
}

impl Spared {
    /// Whether every list is asked.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what zones pass for another name, which leads to the same.
    pub fn pass(&mut self, other: Self) {
        self.zones.extend(other.zones);
        self.all = self.all.into_iter().chain(other.all).min();
    }

    /// Whether a rule of this effect, category and source is not asked.
    pub fn spares(&self, effect: Effect, category: CategoryId, source: u16) -> bool {
        if effect != Effect::Rpz || self.sources.contains(&source) {
            return self.sources.contains(&source);
        }
        self.all.is_some_and(|zone| source >= zone)
            || self.zones.iter().any(|&(of, zone)| of == category && source >= zone)
    }
}

impl SuffixTable {
    /// What the lists say of the aliases and addresses of `name` by what they say of itself.
    #[cold]
    pub fn spared(&self, name: &Folded, hashes: &SuffixHashes) -> Spared {
        let mut spared = Spared::default();
        for listing in &self.listings {
            self.nodes(listing, name, hashes, |index, value| {
                let clears = |rule: &&Rule| {
                    matches!(rule.effect, Effect::Clear | Effect::ClearImportant)
                        && rule.scope.covers(index == 0)
                        && rule.source != SEVERAL_SOURCES
                };
                spared.sources.extend(value.rules.iter().filter(clears).map(|rule| rule.source));
            });
        }
        spared.sources.extend(self.sparing_targets(name, hashes));
        spared.sources.extend(self.guarding(name));
        let mut passed = Passed::default();
        self.zone_rules(name, hashes, |rule| {
            if passed.decides(rule.category, rule.action) {
                match rule.action {
                    Action::PassthruAll => spared.all = Some(rule.source),
                    Action::Passthru => spared.zones.push((rule.category, rule.source)),
                    _ => {}
                }
            }
        });
        spared
    }

    /// As [`SuffixTable::lookup`], without the rules that are spared.
    #[cold]
    pub fn lookup_without(&self, name: &Folded, hashes: &SuffixHashes, spared: &Spared) -> Listed {
        let mut listed = Listed {
            any_zone: self.lookup_of(name, hashes, Some(CNAME)).any_zone,
            ..Listed::default()
        };
        for listing in &self.listings {
            let mut state = State::default();
            let is_asked = |rule: &Rule| !spared.spares(rule.effect, rule.category, rule.source);
            self.nodes(listing, name, hashes, |index, value| {
                state = state.apply(&RuleChange::of(&&*value.rules, index == 0, is_asked));
            });
            if let Some(table) = &listing.targets {
                let targeted =
                    self.targeted_by(listing, table, (name, hashes), Some(CNAME), is_asked);
                state = targeted.unwrap_or(state);
            }
            listed.set = listed.set.union(state.plain).union(state.important);
            listed.named |= state.named;
        }
        let mut passed = Passed::default();
        self.zone_rules(name, hashes, |rule| {
            if !spared.spares(Effect::Rpz, rule.category, rule.source) && passed.blocks(rule) {
                listed.set = listed.set.with(rule.category);
                listed.named |= source_bit(rule.source);
                listed.zone.get_or_insert(ZoneHit::of(rule));
            }
        });
        listed
    }

    /// The listing of a name for a query of this type, as if the zone of this match let it through.
    #[cold]
    pub fn lookup_past(
        &self,
        name: &Folded,
        hashes: &SuffixHashes,
        qtype: u16,
        hit: ZoneHit,
    ) -> Listed {
        let mut spared = Spared::default();
        self.zone_rules(name, hashes, |rule| {
            if spared.zones.is_empty() && ZoneHit::of(rule) == hit {
                spared.zones.push((rule.category, rule.source));
            }
        });
        let all = self.lookup_of(name, hashes, Some(qtype));
        let before = self.lookup_without(name, hashes, &Spared::default());
        let after = self.lookup_without(name, hashes, &spared);
        Listed { set: all.set.without(before.set.without(after.set)), ..after }
    }
}
