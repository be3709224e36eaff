//! Listed addresses of answers (response-IP), each with the list that says so.
//!
//! A list speaks for its category only, so every rule of every prefix around an address is kept, with
//! its category and source: nested prefixes of two lists are two statements. In a response policy
//! zone the longest prefix decides; among zones and categories the order is that of names.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::category::{CategoryId, CategorySet};
use crate::matcher::spared::Spared;
use crate::matcher::suffix::Passed;
use crate::policy::tables::client::PrefixTable;
use crate::rule::{Action, Effect};

/// A rule of one list about the addresses of a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedAddress {
    /// The number of the list; response policy zones decide in this order.
    pub source: u16,
    /// The category of the list.
    pub category: CategoryId,
    /// [`Effect::Rpz`] of a response policy zone, else [`Effect::Add`].
    pub effect: Effect,
    /// The answer to a name that resolves to one of them.
    pub action: Action,
}

/// The rules of one zone or list for one address: of the longest prefix.
type AddressRules = Vec<(u8, ListedAddress)>;

/// Every listed prefix.
#[derive(Debug)]
pub(crate) struct AddressTable {
    /// Addresses → places in `rules`.
    places: PrefixTable<u32>,
    rules: Vec<AddressRules>,
}

/// The listing of an address for one group, and for one name that leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AddressHit {
    /// The first blocked category, by zone, else by taxonomy.
    pub(crate) category: CategoryId,
    /// The answer that its list asks for.
    pub(crate) action: Action,
    /// The list.
    pub(crate) source: u16,
    /// Whether no other blocked category has the address.
    pub(crate) is_alone: bool,
}

impl AddressTable {
    /// A table of these prefixes; none where there are none.
    pub(crate) fn new(prefixes: Vec<(IpNet, ListedAddress)>) -> Option<Self> {
        let mut nets: BTreeMap<IpNet, AddressRules> = BTreeMap::new();
        for (net, listed) in prefixes {
            nets.entry(net).or_default().push((net.prefix_len(), listed));
        }
        if nets.is_empty() {
            return None;
        }
        let rules = RefCell::new(Vec::with_capacity(nets.len()));
        let put = |of: AddressRules| {
            let mut rules = rules.borrow_mut();
            rules.push(of);
            rules.len() as u32 - 1
        };
        let numbered: Vec<(IpNet, u32)> =
            nets.into_iter().map(|(net, of)| (net, put(nearest(of)))).collect();
        let both = |outer: u32, inner: u32| {
            let joined = {
                let rules = rules.borrow();
                let of = |place: u32| rules.get(place as usize).map_or(&[][..], Vec::as_slice);
                nearest([of(outer), of(inner)].concat())
            };
            put(joined)
        };
        let places = PrefixTable::joined(numbered, both);
        Some(Self { places, rules: rules.into_inner() })
    }

    /// The rules of all prefixes around an address, zones in their order.
    fn around(&self, address: IpAddr) -> &[(u8, ListedAddress)] {
        let place = self.places.get(address);
        place.and_then(|place| self.rules.get(place as usize)).map_or(&[], Vec::as_slice)
    }

    /// Whether any list has an address.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        !self.around(address).is_empty()
    }

    /// The first zone or list that blocks an address in one of the categories `of`, without what is
    /// spared.
    pub(crate) fn blocking(
        &self,
        address: IpAddr,
        of: CategorySet,
        spared: &Spared,
    ) -> Option<AddressHit> {
        let asked = |(_, rule): &&(u8, ListedAddress)| {
            !spared.spares(rule.effect, rule.category, rule.source)
        };
        let mut passed = Passed::default();
        let rules = self.around(address).iter().filter(asked).filter(|(_, rule)| {
            let decides = rule.effect != Effect::Rpz || passed.decides(rule.category, rule.action);
            decides && !rule.action.is_pass() && of.contains(rule.category)
        });
        hit(rules.map(|(_, rule)| rule))
    }

    /// The first zone or list that has an address in one of the categories `of`, passed by another or
    /// not: what passes in one zone opens no lock of another.
    pub(crate) fn locking(&self, address: IpAddr, of: CategorySet) -> Option<AddressHit> {
        let rules = self.around(address).iter().map(|(_, rule)| rule);
        hit(rules.filter(|rule| !rule.action.is_pass() && of.contains(rule.category)))
    }
}

/// The deciding rule of those that block.
fn hit<'a>(rules: impl Iterator<Item = &'a ListedAddress>) -> Option<AddressHit> {
    let (mut first, mut set) = (None::<&ListedAddress>, CategorySet::EMPTY);
    for rule in rules {
        set = set.with(rule.category);
        // Zones come first, in their order; of other lists the first category.
        let key = |one: &ListedAddress| match one.effect {
            Effect::Rpz => (0, usize::from(one.source)),
            _ => (1, one.category.index()),
        };
        if first.is_none_or(|first| key(rule) < key(first)) {
            first = Some(rule);
        }
    }
    first.map(|&ListedAddress { source, category, action, .. }| AddressHit {
        category,
        action,
        source,
        is_alone: set == CategorySet::EMPTY.with(category),
    })
}

/// Of each list the rules of its longest prefix, in the order of lists.
fn nearest(mut rules: AddressRules) -> AddressRules {
    let key = |rule: &ListedAddress| (rule.source, rule.category, rule.effect);
    rules.sort_by(|a, b| key(&a.1).cmp(&key(&b.1)).then(b.0.cmp(&a.0)).then(a.1.cmp(&b.1)));
    rules.dedup_by(|later, kept| key(&later.1) == key(&kept.1));
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(number: usize) -> CategoryId {
        CategoryId::new(number).unwrap()
    }

    fn rule(net: &str, source: u16, of: usize, action: Action) -> (IpNet, ListedAddress) {
        let (category, effect) = (category(of), Effect::Rpz);
        (net.parse().unwrap(), ListedAddress { source, category, effect, action })
    }

    fn all() -> CategorySet {
        (0..4).map(category).collect()
    }

    #[test]
    fn nested_prefixes_of_two_lists_are_two_statements() {
        let table = AddressTable::new(vec![
            rule("10.0.0.0/8", 0, 0, Action::NoData),
            rule("10.1.0.0/16", 1, 1, Action::TcpOnly),
            rule("10.1.1.0/24", 0, 0, Action::Passthru),
            rule("10.1.1.1/32", 0, 0, Action::Drop),
        ])
        .unwrap();
        let found = |address: &str, of: CategorySet| {
            let hit = table.blocking(address.parse().unwrap(), of, &Spared::default())?;
            Some((hit.category.index(), hit.action, hit.is_alone))
        };
        assert_eq!(found("10.9.9.9", all()), Some((0, Action::NoData, true)));
        assert_eq!(found("10.1.9.9", all()), Some((0, Action::NoData, false)));
        let second = CategorySet::EMPTY.with(category(1));
        assert_eq!(found("10.1.9.9", second), Some((1, Action::TcpOnly, true)));
        // The first zone passes it, for its category.
        assert_eq!(found("10.1.1.9", all()), Some((1, Action::TcpOnly, true)));
        assert_eq!(found("10.1.1.1", all()), Some((0, Action::Drop, false)));
        assert_eq!(found("11.0.0.1", all()), None);
        let locked = table.locking("10.1.1.9".parse().unwrap(), all());
        assert_eq!(locked.map(|hit| hit.source), Some(1));
    }

    #[test]
    fn a_pass_of_a_trusted_zone_ends_all_later_ones() {
        let table = AddressTable::new(vec![
            rule("10.0.0.0/24", 2, 2, Action::NxDomain),
            rule("10.0.0.0/8", 1, 1, Action::PassthruAll),
            rule("10.0.0.0/16", 0, 0, Action::NoData),
        ])
        .unwrap();
        let found =
            |of: CategorySet| table.blocking("10.0.0.1".parse().unwrap(), of, &Spared::default());
        assert_eq!(found(all()).map(|hit| hit.source), Some(0));
        assert_eq!(found(CategorySet::EMPTY.with(category(2))), None);
        assert!(table.locking("10.0.0.1".parse().unwrap(), all()).is_some());
    }
}
