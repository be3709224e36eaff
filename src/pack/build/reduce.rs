//! Rules that a rule for an ancestor says anyway are left out.
//!
//! `www.x.example` need not be listed where `x.example` is with all below it: unless an
//! exception lies between them in the same category, or one is answered otherwise than
//! the other, or one is `$important` and the other is not. Zones are left alone.

use crate::category::CategoryId;
use crate::dns::name::{Folded, MAX_OCTETS};
use crate::pack::hash::SuffixHashes;
use crate::pack::image::Pack;
use crate::pack::symbols::SymbolText;
use crate::rule::{Effect, Rule};

/// What is left out, seen against the pack that leaves nothing out.
pub(crate) struct Reduction<'a> {
    full: &'a Pack,
    kinds: &'a [Rule],
    /// Rules left out, by kind.
    pub(crate) dropped: Vec<u64>,
}

impl<'a> Reduction<'a> {
    pub(crate) fn new(full: &'a Pack, kinds: &'a [Rule]) -> Self {
        Self { full, kinds, dropped: vec![0; kinds.len()] }
    }

    /// Leaves out of the rules of `name`, a wire name without its root octet, what need
    /// not be said.
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

/// The sets of the listed ancestors, nearest first.
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

/// Whether nothing changes without `rule`, one of the rules `here`.
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
