//! Longest-prefix match: the group of a client, access, listed addresses.
//!
//! Prefixes are laid out once as disjoint ranges in order; a look-up is one
//! binary search.

use std::net::IpAddr;

use ipnet::IpNet;

/// Addresses → values of type `T`: the value of the longest prefix.
#[derive(Debug, Clone)]
pub struct PrefixTable<T> {
    /// Range starts in ascending order, each with the value up to the next start.
    v4: Vec<(u32, Option<T>)>,
    v6: Vec<(u128, Option<T>)>,
}

impl<T: Copy + PartialEq> PrefixTable<T> {
    /// A table of these prefixes; of equal prefixes the last wins.
    pub fn new(prefixes: impl IntoIterator<Item = (IpNet, T)>) -> Self {
        Self::joined(prefixes, |_, inner| inner)
    }

    /// A table where the value of a prefix is joined with those around it,
    /// outermost first; of equal prefixes the later is the inner one.
    pub fn joined(
        prefixes: impl IntoIterator<Item = (IpNet, T)>,
        join: impl Fn(T, T) -> T,
    ) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (prefix, value) in prefixes {
            match prefix {
                IpNet::V4(net) => v4.push((
                    u128::from(u32::from(net.network())),
                    u128::from(u32::from(net.broadcast())),
                    value,
                )),
                IpNet::V6(net) => {
                    v6.push((u128::from(net.network()), u128::from(net.broadcast()), value));
                }
            }
        }
        let v4 = ranges(v4, u128::from(u32::MAX), &join);
        Self {
            v4: v4.into_iter().map(|(start, value)| (start as u32, value)).collect(),
            v6: ranges(v6, u128::MAX, &join),
        }
    }

    /// The value of the longest prefix that covers `address`.
    ///
    /// An IPv4 address mapped into IPv6 is looked up as IPv4.
    #[inline]
    pub fn get(&self, address: IpAddr) -> Option<T> {
        match address.to_canonical() {
            IpAddr::V4(address) => at(&self.v4, u32::from(address)),
            IpAddr::V6(address) => at(&self.v6, u128::from(address)),
        }
    }
}

#[inline]
fn at<K: Ord + Copy, T: Copy>(ranges: &[(K, Option<T>)], key: K) -> Option<T> {
    let after = ranges.partition_point(|&(start, _)| start <= key);
    ranges.get(after.checked_sub(1)?)?.1
}

/// Nested ranges → disjoint ones; `last` is the greatest address.
fn ranges<T: Copy + PartialEq>(
    mut nested: Vec<(u128, u128, T)>,
    last: u128,
    join: &impl Fn(T, T) -> T,
) -> Vec<(u128, Option<T>)> {
    // Wider first where both start alike, so that the longer prefix is opened later.
    nested.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    let mut flat: Vec<(u128, Option<T>)> = vec![(0, None)];
    let mut open: Vec<(u128, T)> = Vec::new();
    let mut put = |start: u128, value: Option<T>| {
        if flat.last().is_some_and(|&(s, _)| s == start) {
            flat.pop();
        }
        if flat.last().is_none_or(|&(_, v)| v != value) {
            flat.push((start, value));
        }
    };
    for (start, end, value) in nested {
        close(&mut open, start, last, &mut put);
        let value = open.last().map_or(value, |&(_, outer)| join(outer, value));
        open.push((end, value));
        put(start, Some(value));
    }
    close(&mut open, last, last, &mut put);
    flat
}

/// Closes the ranges that end before `start`.
fn close<T: Copy>(
    open: &mut Vec<(u128, T)>,
    start: u128,
    last: u128,
    put: &mut impl FnMut(u128, Option<T>),
) {
    while let Some(&(end, _)) = open.last().filter(|&&(end, _)| end < start) {
        open.pop();
        if end < last {
            put(end + 1, open.last().map(|&(_, value)| value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(prefixes: &[(&str, u8)]) -> PrefixTable<u8> {
        PrefixTable::new(prefixes.iter().map(|(net, value)| (net.parse().unwrap(), *value)))
    }

    #[test]
    fn the_longest_prefix_wins() {
        let table = table(&[
            ("10.0.0.0/8", 1),
            ("10.2.0.0/16", 2),
            ("10.2.3.0/24", 3),
            ("10.2.3.4/32", 4),
            ("2001:db8::/32", 5),
            ("255.255.255.255/32", 6),
        ]);
        let get = |address: &str| table.get(address.parse().unwrap());
        assert_eq!(get("10.1.1.1"), Some(1));
        assert_eq!(get("10.2.3.4"), Some(4));
        assert_eq!(get("10.2.3.5"), Some(3));
        assert_eq!(get("10.2.4.0"), Some(2));
        assert_eq!(get("10.3.0.0"), Some(1));
        assert_eq!(get("11.0.0.0"), None);
        assert_eq!(get("9.255.255.255"), None);
        assert_eq!(get("255.255.255.255"), Some(6));
        assert_eq!(get("2001:db8:ffff::1"), Some(5));
        assert_eq!(get("2001:db9::"), None);
        assert_eq!(get("::ffff:10.2.3.4"), Some(4));
    }

    #[test]
    fn a_default_route_covers_everything() {
        let table = table(&[("0.0.0.0/0", 1), ("::/0", 2), ("10.0.0.0/8", 3)]);
        assert_eq!(table.get("255.255.255.255".parse().unwrap()), Some(1));
        assert_eq!(table.get("10.255.255.255".parse().unwrap()), Some(3));
        assert_eq!(table.get("::1".parse().unwrap()), Some(2));
    }

    proptest! {
        #[test]
        fn the_table_equals_a_scan(
            prefixes in proptest::collection::vec((any::<u8>(), 24..=32_u8, any::<u8>()), 0..20),
            host: u8,
        ) {
            let nets: Vec<(IpNet, u8)> = prefixes
                .iter()
                .map(|&(host, length, value)| {
                    let net: IpNet = format!("10.0.0.{host}/{length}").parse().unwrap();
                    (net.trunc(), value)
                })
                .collect();
            let address: IpAddr = format!("10.0.0.{host}").parse().unwrap();
            let expected = nets
                .iter()
                .filter(|(net, _)| net.contains(&address))
                .max_by_key(|(net, _)| net.prefix_len())
                .map(|(net, _)| net.prefix_len());
            let unique: std::collections::BTreeMap<IpNet, u8> = nets.iter().copied().collect();
            let table = PrefixTable::new(unique.clone());
            let expected = expected.and_then(|length| {
                unique.iter().find(|(net, _)| net.contains(&address) && net.prefix_len() == length)
            });
            prop_assert_eq!(table.get(address), expected.map(|(_, &value)| value));
        }
    }
}
