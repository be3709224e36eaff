//! Reduction: drops rules that a rule of an ancestor implies.
//!
//! `www.x.example` is redundant where `x.example` is listed with its subtree, unless an exception
//! in the same category lies between them, their actions differ, or only the longer one is
//! `$important`. Response policy zones are not reduced. **A look-up gives the same result with and
//! without the reduction.**

use crate::category::CategoryId;
use crate::dns::name::{Folded, MAX_OCTETS};
use crate::pack::hash::SuffixHashes;
use crate::pack::image::Pack;
use crate::pack::symbols::SymbolText;
use crate::rule::{Effect, Rule};

/// Redundant rules, judged by the pack that has all rules.
pub(crate) struct Reduction<'a> {
    full: &'a Pack,
    kinds: &'a [Rule],
    /// Dropped rules by kind.
    pub(crate) dropped: Vec<u64>,
}

impl<'a> Reduction<'a> {
    pub(crate) fn new(full: &'a Pack, kinds: &'a [Rule]) -> Self {
        Self { full, kinds, dropped: vec![0; kinds.len()] }
    }

    /// Removes redundant rules from those of `name`, a wire name without its root octet.
    pub(crate) fn retain(&mut self, name: &[u8], rules: &mut Vec<u16>) {
        let full = self.full;
        let mut wire = [0; MAX_OCTETS];
        let Some(to) = wire.get_mut(..name.len()) else { return };
        to.copy_from_slice(name);
        let Ok((folded, _)) = Folded::from_wire(&wire) else { return };
        let ancestors = ancestors(full, &folded);
        if ancestors.is_empty() {
            return;
        }
        let here: Vec<Rule> = rules.iter().filter_map(|id| self.kind(*id)).collect();
        let mut dropped = Vec::new();
        rules.retain(|&id| {
            let drops = self
                .kinds
                .get(usize::from(id))
                .is_some_and(|rule| is_implied_above(full, rule, &here, &ancestors));
            if drops {
                dropped.push(id);
            }
            !drops
        });
        for id in dropped {
            if let Some(count) = self.dropped.get_mut(usize::from(id)) {
                *count += 1;
            }
        }
    }

    fn kind(&self, id: u16) -> Option<Rule> {
        self.kinds.get(usize::from(id)).copied()
    }
}

/// The sets of listed ancestors, nearest first.
fn ancestors(full: &Pack, name: &Folded) -> Vec<u16> {
    let hashes = SuffixHashes::of(name, full.seed());
    let view = full.view();
    let mut passing = full.filter().passing(hashes.all()) & !1;
    if passing == 0 {
        return Vec::new();
    }
    let text = SymbolText::of(name);
    let mut sets = Vec::new();
    while passing != 0 {
        let index = passing.trailing_zeros() as usize;
        sets.extend(view.find(hashes.at(index), name, &text, index));
        passing &= passing - 1;
    }
    sets
}

/// Whether `rule`, one of the rules `here`, is redundant.
fn is_implied_above(full: &Pack, rule: &Rule, here: &[Rule], ancestors: &[u16]) -> bool {
    let lists = |effect| matches!(effect, Effect::Add | Effect::AddImportant);
    let frees = |effect| matches!(effect, Effect::Clear | Effect::ClearImportant);
    let category = |of: CategoryId| move |other: &&Rule| other.category == of;
    let of_category = || here.iter().filter(category(rule.category));
    if !lists(rule.effect)
        || of_category().any(|r| frees(r.effect) || lists(r.effect) && r.action != rule.action)
    {
        return false;
    }
    for &set in ancestors {
        let (_, above) = full.set(set);
        let above = above.filter(category(rule.category));
        if above.clone().any(|r| frees(r.effect)) {
            return false;
        }
        let covering = above.filter(|r| lists(r.effect) && r.scope.covers(false));
        let Some(action) = covering.clone().map(|r| r.action).max() else { continue };
        let is_as_strong = rule.effect == Effect::Add
            || covering.clone().any(|r| r.effect == Effect::AddImportant);
        return is_as_strong && action == rule.action;
    }
    false
}
