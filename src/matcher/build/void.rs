//! Rules that are void: listed names that keep their other rules.
//!
//! The packs stay as they are, mapped and shared. A name with a void rule gets a value of its own,
//! which stands in for that of its set, so that look-ups, traces and zones never see the rule.

use crate::dns::name::{Folded, Name};
use crate::matcher::SuffixHashes;
use crate::matcher::suffix::{Listing, RuleChange, SuffixTable, Value, Voided};
use crate::rule::{Effect, Rule};

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
