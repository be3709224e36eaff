//! Rules that are void: listed names that keep their other rules.
//!
//! The packs stay as they are, mapped and shared. A name with a void rule gets a value of its own,
//! which stands in for that of its set, so that look-ups, traces and zones never see the rule. A rule
//! about more than a name keeps its effect elsewhere, and has the names beside it that it spares.

use crate::dns::name::{Folded, Name};
use crate::matcher::SuffixHashes;
use crate::matcher::suffix::{EveryRule, Listing, RpzRule, RuleChange, SuffixTable, Value, Voided};
use crate::matcher::targeted::{TargetRule, TargetTable};
use crate::rule::{Effect, Rule, SEVERAL_SOURCES, is_at_or_below_any};

impl SuffixTable {
    /// Takes the rules at `names` that `is_void` refuses out of the table. Law: the number of the
    /// table changes with them.
    pub fn void<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n Name>,
        mut is_void: impl FnMut(&Name, &Rule) -> bool,
    ) {
        for name in names {
            let folded = Folded::from_name(name);
            for listing in &mut self.listings {
                let Some(set) = listing.pack.set_of(&folded) else { continue };
                let Some(value) = listing.values.get(usize::from(set)) else { continue };
                let void: Vec<bool> = value.rules.iter().map(|rule| is_void(name, rule)).collect();
                if !void.contains(&true) {
                    continue;
                }
                let hash = SuffixHashes::of(&folded, listing.pack.seed()).at(0);
                let count = void.iter().filter(|void| **void).count() as u64;
                self.digest = self.digest.rotate_left(1) ^ hash ^ count;
                listing.put(Voided {
                    hash,
                    wire: folded.suffix(0).into(),
                    value: left(value, &void),
                });
            }
        }
    }
}

/// A rule about more than one name.
#[derive(Debug, Clone, Copy)]
pub enum WideRule<'a> {
    /// About a pattern, or a name with query types or names that it spares.
    Target(&'a TargetRule),
    /// About every name of a zone.
    Every(&'a Rule),
}

impl WideRule<'_> {
    /// The rule.
    pub fn rule(&self) -> &Rule {
        match self {
            Self::Target(targeted) => &targeted.rule,
            Self::Every(rule) => rule,
        }
    }

    /// Its text, as lists have it.
    pub fn text(&self) -> String {
        match self {
            Self::Target(targeted) => targeted.target.text(targeted.rule.scope),
            Self::Every(_) => "*".into(),
        }
    }
}

impl SuffixTable {
    /// Takes `names`, each with all below it, out of the rules about more than a name that
    /// `is_void` refuses for them. Law: the number of the table changes with them.
    pub fn spare<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n Name>,
        mut is_void: impl FnMut(&Name, WideRule<'_>) -> bool,
    ) {
        let Self { listings, seed, digest, .. } = self;
        let is_wide = |one: &Listing| one.targets.is_some() || !one.every.is_empty();
        if !listings.iter().any(is_wide) {
            return;
        }
        for name in names {
            let folded = Folded::from_name(name);
            let hashes = SuffixHashes::of(&folded, *seed);
            let mut is_changed = false;
            for listing in listings.iter_mut() {
                if let Some(table) = &mut listing.targets {
                    let is_void = |rule: &TargetRule| is_void(name, WideRule::Target(rule));
                    is_changed |= table.guard(&folded, &hashes, is_void);
                }
                for every in &mut listing.every {
                    is_changed |= every.spare(&folded, |rule| is_void(name, WideRule::Every(rule)));
                }
            }
            if is_changed {
                *digest = digest.rotate_left(1) ^ hashes.at(0);
            }
        }
    }
}

impl SuffixTable {
    /// The sources with a rule about more than a name that has no effect on `name`, since it is
    /// guarded. What it leads to is not checked against them: it would be gone all the same.
    pub(in crate::matcher) fn guarding(&self, name: &Folded) -> impl Iterator<Item = u16> {
        let of_targets = self.target_tables().flat_map(TargetTable::rules);
        let of_targets = of_targets.map(|one| (one.rule.source, &*one.guarded));
        let every = self.listings.iter().flat_map(|listing| &listing.every);
        let every = every.map(|one| (one.rule.source, &*one.guarded));
        let is_of = |(source, guarded): &(u16, &[Box<[u8]>])| {
            *source != SEVERAL_SOURCES && is_at_or_below_any(name, guarded)
        };
        of_targets.chain(every).filter(is_of).map(|(source, _)| source)
    }
}

impl EveryRule {
    fn spare(&mut self, name: &Folded, is_void: impl FnOnce(&Rule) -> bool) -> bool {
        let RpzRule { source, category, scope, action, .. } = self.rule;
        let rule = Rule { category, scope, effect: Effect::Rpz, action, source };
        if is_at_or_below_any(name, &self.guarded) || !is_void(&rule) {
            return false;
        }
        let mut guarded = std::mem::take(&mut self.guarded).into_vec();
        let place = guarded.partition_point(|one| **one < *name.suffix(0));
        guarded.insert(place, name.suffix(0).into());
        self.guarded = guarded.into();
        true
    }
}

impl Listing {
    fn put(&mut self, voided: Voided) {
        let place = self.voided.partition_point(|one| one.hash < voided.hash);
        self.voided.insert(place, voided);
    }
}

/// A value without the rules that are void.
fn left(value: &Value, void: &[bool]) -> Value {
    let kept = || value.rules.iter().zip(void).filter(|(_, void)| !**void).map(|(rule, _)| *rule);
    let rules: Box<[Rule]> = kept().collect();
    // The triggers of zones stand in the order of their rules.
    let of_zones = value.rules.iter().zip(void).filter(|(rule, _)| rule.effect == Effect::Rpz);
    let rpz = value.rpz.iter().zip(of_zones).filter(|(_, (_, void))| !**void);
    Value {
        here: RuleChange::of(&&*rules, true, |_| true),
        below: RuleChange::of(&&*rules, false, |_| true),
        rpz: rpz.map(|(trigger, _)| *trigger).collect(),
        rules,
    }
}
