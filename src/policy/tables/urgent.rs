//! Urgent entries of a department in policy: categories that they add to a name, and names that
//! they allow.
//!
//! Laws:
//!
//! - Of the entries that are in force for a name the longest decides; one that is over hides no
//!   other.
//! - At an unknown time every block and every warning is in force, and no allow.
//!
//! A block adds its category to what lists say, after exceptions of lists and passes of zones: they
//! do not clear it. The order then decides as for any other name of that category.

use crate::category::{CategoryId, CategorySet};
use crate::dns::name::Name;
use crate::matcher::HashedName;
use crate::matcher::names::NameTable;
use crate::release::emergency::UrgentAction;
use crate::rule::Scope;

/// One urgent entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrgentRule {
    /// Its effect.
    pub action: UrgentAction,
    /// Its category.
    pub category: CategoryId,
    /// Its start, in civil seconds.
    pub from: u64,
    /// Its end, in civil seconds; exclusive.
    pub until: u64,
}

impl UrgentRule {
    /// Whether it is in force at a time; `None` is an unknown one.
    pub fn is_on(&self, at: Option<u64>) -> bool {
        match at {
            Some(civil) => (self.from..self.until).contains(&civil),
            None => self.action != UrgentAction::Allow,
        }
    }
}

/// What urgent entries say of a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct UrgentSaid {
    /// Categories that the name is in.
    pub(crate) blocked: CategorySet,
    /// Categories that it is counted in.
    pub(crate) warned: CategorySet,
    /// Whether it is allowed.
    pub(crate) is_allowed: bool,
}

/// The urgent entries, each for a name and all below it.
#[derive(Debug)]
pub(crate) struct UrgentTable(NameTable<UrgentRule>);

impl UrgentTable {
    /// A table of `rules`, for hashes of `seed`; `None` without rules.
    pub(crate) fn new(rules: Vec<(Name, UrgentRule)>, seed: u64) -> Option<Self> {
        let rows = rules.into_iter().map(|(name, rule)| (name, Scope::Subtree, rule));
        let table = NameTable::new(rows, seed);
        (!table.is_empty()).then_some(Self(table))
    }

    /// The longest entry in force for a name at a time: the index of its first label, and the entry.
    pub(crate) fn longest(
        &self,
        hashed: &HashedName<'_>,
        at: Option<u64>,
    ) -> Option<(usize, UrgentRule)> {
        let mut longest = None;
        self.0.each(hashed.name, &hashed.hashes, |index, rule| {
            if longest.is_none() && rule.is_on(at) {
                longest = Some((index, *rule));
            }
        });
        longest
    }

    /// What is said of a name at a time.
    pub(crate) fn of(&self, hashed: &HashedName<'_>, at: Option<u64>) -> UrgentSaid {
        let Some((_, rule)) = self.longest(hashed, at) else { return UrgentSaid::default() };
        let only = CategorySet::EMPTY.with(rule.category);
        match rule.action {
            UrgentAction::Block => UrgentSaid { blocked: only, ..UrgentSaid::default() },
            UrgentAction::Warn => UrgentSaid { warned: only, ..UrgentSaid::default() },
            UrgentAction::Allow => UrgentSaid { is_allowed: true, ..UrgentSaid::default() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::name::Folded;

    #[test]
    fn the_longest_entry_in_force_decides_and_an_unknown_time_allows_nothing() {
        let name = |text: &str| Name::from_text(text).unwrap();
        let rule = |action, until| {
            let category = CategoryId::new(1).unwrap();
            UrgentRule { action, category, from: 10, until }
        };
        let rules = vec![
            (name("x.example"), rule(UrgentAction::Block, 100)),
            (name("a.x.example"), rule(UrgentAction::Allow, 50)),
            (name("w.x.example"), rule(UrgentAction::Warn, 50)),
        ];
        let table = UrgentTable::new(rules, 7).unwrap();
        let of = |text: &str, at| {
            let folded = Folded::from_name(&name(text));
            let said = table.of(&HashedName::new(&folded, 7), at);
            (!said.blocked.is_empty(), !said.warned.is_empty(), said.is_allowed)
        };
        let (blocked, warned, allowed, nothing) = (
            (true, false, false),
            (false, true, false),
            (false, false, true),
            (false, false, false),
        );
        assert_eq!(of("x.example", Some(9)), nothing);
        assert_eq!(of("b.x.example", Some(10)), blocked);
        assert_eq!(of("b.a.x.example", Some(49)), allowed);
        assert_eq!(of("b.a.x.example", Some(50)), blocked);
        assert_eq!(of("w.x.example", Some(49)), warned);
        assert_eq!(of("x.example", Some(100)), nothing);
        assert_eq!(of("a.x.example", None), blocked);
        assert_eq!(of("w.x.example", None), warned);
        assert_eq!(of("x.example", None), blocked);
        assert!(UrgentTable::new(vec![], 7).is_none());
    }
}
