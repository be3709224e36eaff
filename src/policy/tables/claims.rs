//! What groups name of their devices: server names, hardware addresses, and the networks in which a
//! claim acts.
//!
//! A look-up is one hash and a comparison of the whole value; it allocates nothing. Groups are places
//! in the snapshot.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::matcher::scale;
use crate::policy::claims::{GroupClaims, Mac};
use crate::policy::tables::client::PrefixTable;

/// A set of groups, by their places; the 17th group and later ones are in no set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupSet(u16);

impl GroupSet {
    /// The set with another group.
    #[must_use]
    pub fn with(self, place: u8) -> Self {
        Self(self.0 | 1_u16.checked_shl(u32::from(place)).unwrap_or(0))
    }

    /// The groups of both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a group is in it.
    #[inline]
    pub fn has(self, place: u8) -> bool {
        self.0 & 1_u16.checked_shl(u32::from(place)).unwrap_or(0) != 0
    }
}

/// What one group names: its name, its clients, its claims.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NamedBy<'a> {
    pub(crate) group: &'a str,
    pub(crate) clients: &'a [IpNet],
    pub(crate) claims: &'a GroupClaims,
}

/// What all groups name.
#[derive(Debug)]
pub(crate) struct ClaimTable {
    groups: HashMap<Box<str>, u8>,
    server_names: HashMap<Box<str>, u8>,
    macs: MacTable,
    /// The groups that name a network around an address as that of their clients.
    clients: PrefixTable<GroupSet>,
    /// The groups whose tokens act at an address.
    tokens: PrefixTable<GroupSet>,
}

impl ClaimTable {
    /// A table of what these groups name, in their order; of equal values the last wins.
    pub(crate) fn new<'a>(groups: &(impl Iterator<Item = NamedBy<'a>> + Clone)) -> Self {
        let numbered = || groups.clone().zip(0..=u8::MAX);
        let names = |(one, n): (NamedBy<'a>, u8)| {
            one.claims.server_names.iter().map(move |name| (name.as_str().into(), n))
        };
        let macs = |(one, n): (NamedBy<'a>, u8)| one.claims.macs.iter().map(move |&mac| (mac, n));
        let networks = |of: fn(NamedBy<'a>) -> &'a [IpNet]| {
            let each = numbered().flat_map(move |(one, n)| {
                of(one).iter().map(move |&net| (net, GroupSet::default().with(n)))
            });
            PrefixTable::joined(each, GroupSet::union)
        };
        Self {
            groups: numbered().map(|(one, n)| (one.group.into(), n)).collect(),
            server_names: numbered().flat_map(names).collect(),
            macs: MacTable::new(numbered().flat_map(macs).collect()),
            clients: networks(|one| one.clients),
            tokens: networks(|one| match one.claims.tokens_from.as_slice() {
                [] => one.clients,
                named => named,
            }),
        }
    }

    /// The group with this name.
    pub(crate) fn group(&self, name: &str) -> Option<u8> {
        self.groups.get(name).copied()
    }

    /// The group that names a server name, in lower case.
    pub(crate) fn server_name(&self, name: &str) -> Option<u8> {
        self.server_names.get(name).copied()
    }

    /// The group that names a hardware address.
    #[inline]
    pub(crate) fn mac(&self, mac: Mac) -> Option<u8> {
        self.macs.get(mac)
    }

    /// The groups whose clients' networks an address is in, whatever longer prefix another group has.
    pub(crate) fn at(&self, address: IpAddr) -> GroupSet {
        self.clients.get(address).unwrap_or_default()
    }

    /// The groups whose tokens act at an address.
    pub(crate) fn tokens_at(&self, address: IpAddr) -> GroupSet {
        self.tokens.get(address).unwrap_or_default()
    }
}

/// Hardware addresses → groups, in open addressing: at most a quarter of the slots is taken.
///
/// The config alone fills it, so a device that draws its address chooses where it is looked for, and
/// makes no chain longer.
#[derive(Debug)]
struct MacTable(Box<[Option<(Mac, u8)>]>);

impl MacTable {
    fn new(macs: Vec<(Mac, u8)>) -> Self {
        if macs.is_empty() {
            return Self(Box::default());
        }
        let mut table = Self(vec![None; (macs.len() * 4).next_power_of_two()].into_boxed_slice());
        for (mac, group) in macs {
            let place = table.place(mac);
            if let Some(slot) = table.0.get_mut(place) {
                *slot = Some((mac, group));
            }
        }
        table
    }

    /// The slot of an address, or the free one where it would stand.
    #[inline]
    fn place(&self, mac: Mac) -> usize {
        let number = mac.0.iter().fold(0_u64, |number, &octet| number << 8 | u64::from(octet));
        // Fibonacci hashing: the high bits depend on all octets.
        let mut place = scale(number.wrapping_mul(0x9e37_79b9_7f4a_7c15), self.0.len());
        while let Some(Some((other, _))) = self.0.get(place)
            && *other != mac
        {
            place = (place + 1) % self.0.len();
        }
        place
    }

    #[inline]
    fn get(&self, mac: Mac) -> Option<u8> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(self.place(mac)).copied().flatten().map(|(_, group)| group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_value_leads_to_its_group() {
        let nets = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let pupils = GroupClaims {
            server_names: vec!["pupils.dns.example".into()],
            macs: vec!["a0:36:9f:00:00:01".parse().unwrap()],
            tokens_from: vec![],
        };
        let staff = GroupClaims { tokens_from: nets(&["10.9.0.0/16"]), ..GroupClaims::default() };
        let (wide, narrow): (Vec<IpNet>, Vec<IpNet>) =
            (nets(&["10.0.0.0/8"]), nets(&["10.1.0.0/16"]));
        let named = [
            NamedBy { group: "pupils", clients: &narrow, claims: &pupils },
            NamedBy { group: "staff", clients: &wide, claims: &staff },
        ];
        let table = ClaimTable::new(&named.into_iter());
        assert_eq!(table.group("staff"), Some(1));
        assert_eq!(table.group("nobody"), None);
        assert_eq!(table.server_name("pupils.dns.example"), Some(0));
        assert_eq!(table.server_name("dns.example"), None);
        assert_eq!(table.mac("a0:36:9f:00:00:01".parse().unwrap()), Some(0));
        assert_eq!(table.mac("a0:36:9f:00:00:02".parse().unwrap()), None);
        let at = |set: GroupSet| [set.has(0), set.has(1), set.has(16), set.has(255)];
        let address = |text: &str| text.parse().unwrap();
        // A longer prefix of another group takes nothing from a shorter one.
        assert_eq!(at(table.at(address("10.1.0.1"))), [true, true, false, false]);
        assert_eq!(at(table.at(address("10.2.0.1"))), [false, true, false, false]);
        assert_eq!(at(table.at(address("192.0.2.1"))), [false; 4]);
        // Tokens act in the networks named for them, else in those of the clients.
        assert_eq!(at(table.tokens_at(address("10.1.0.1"))), [true, false, false, false]);
        assert_eq!(at(table.tokens_at(address("10.9.0.1"))), [false, true, false, false]);
    }

    proptest! {
        #[test]
        fn the_table_of_hardware_addresses_equals_a_map(
            macs in proptest::collection::vec((any::<[u8; 6]>(), 0..16_u8), 0..40),
            close in proptest::collection::vec((0..40_u8, 0..16_u8), 0..40),
            asked: [u8; 6],
        ) {
            let close = close.into_iter().map(|(last, group)| ([0xa0, 0, 0, 0, 0, last], group));
            let macs: Vec<(Mac, u8)> =
                macs.into_iter().chain(close).map(|(mac, group)| (Mac(mac), group)).collect();
            let map: HashMap<Mac, u8> = macs.iter().copied().collect();
            let table = MacTable::new(macs);
            for mac in map.keys().copied().chain([Mac(asked)]) {
                prop_assert_eq!(table.get(mac), map.get(&mac).copied());
            }
        }
    }
}
