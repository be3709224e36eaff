//! The hardware addresses of clients: read for each query, replaced whole.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

use crate::policy::Mac;

/// Address → hardware address. A reader takes no lock; without entries it reads one number.
#[derive(Debug)]
pub struct DeviceTable(HashMap<u128, Mac, Folding>);

impl DeviceTable {
    /// A table of these; of equal addresses the last counts.
    pub fn new(entries: impl IntoIterator<Item = (IpAddr, Mac)>) -> Self {
        let mut table = HashMap::with_hasher(Folding::fresh());
        table.extend(entries.into_iter().map(|(address, mac)| (number(address), mac)));
        Self(table)
    }

    /// The hardware address of a client, if a group names it and it was seen there.
    #[inline]
    pub fn mac_of(&self, client: IpAddr) -> Option<Mac> {
        if self.0.is_empty() { None } else { self.0.get(&number(client)).copied() }
    }

    /// Whether it has no address.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many addresses it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl Default for DeviceTable {
    fn default() -> Self {
        Self::new([])
    }
}

/// An address as one number; one of IPv4 is its mapped one (RFC 4291 §2.5.5.2).
#[inline]
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// A hash of one number, by a multiplication with a random key. The key is not for adversaries: the
/// addresses are those of devices that the school has named.
#[derive(Debug, Clone, Copy)]
struct Folding([u64; 2]);

impl Folding {
    fn fresh() -> Self {
        Self(rand::random())
    }
}

impl BuildHasher for Folding {
    type Hasher = FoldState;

    #[inline]
    fn build_hasher(&self) -> FoldState {
        FoldState { key: self.0, folded: 0 }
    }
}

/// The state of a [`Folding`].
struct FoldState {
    key: [u64; 2],
    folded: u64,
}

impl Hasher for FoldState {
    #[inline]
    fn write_u128(&mut self, number: u128) {
        let (high, low) = ((number >> 64) as u64 ^ self.key[0], number as u64 ^ self.key[1]);
        let product = u128::from(high) * u128::from(low);
        self.folded ^= (product >> 64) as u64 ^ product as u64;
    }

    /// Numbers are all that is hashed here; other octets are taken one by one.
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.write_u128(u128::from(*octet));
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.folded
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn each_client_has_its_own() {
        let mac = |number: u32| {
            let [a, b, c, d] = number.to_be_bytes();
            Mac([0xa0, 0, a, b, c, d])
        };
        let v4 =
            (0..3000_u32).map(|n| (IpAddr::from(Ipv4Addr::from_bits(0x0a14_0000 + n)), mac(n)));
        let v6 = (0..3000_u32).map(|n| {
            let address = Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) + u128::from(n));
            (IpAddr::from(address), mac(n))
        });
        let all: Vec<_> = v4.chain(v6).collect();
        let table = DeviceTable::new(all.clone());
        assert_eq!(table.len(), 6000);
        for (address, mac) in all {
            assert_eq!(table.mac_of(address), Some(mac), "{address}");
        }
        assert_eq!(table.mac_of([10, 19, 0, 1].into()), None);
        let mapped = Ipv4Addr::new(10, 20, 0, 7).to_ipv6_mapped();
        assert_eq!(table.mac_of(mapped.into()), Some(mac(7)));
        assert_eq!(DeviceTable::default().mac_of([10, 20, 0, 7].into()), None);
    }
}
