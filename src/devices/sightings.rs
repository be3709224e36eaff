//! Where named devices are: what leases say, and what was seen on the wire.
//!
//! The wire wins: a lease says what was given, a neighbour what is used now. An address stays a device's
//! until another hardware address is seen there, or the device has been seen at [`MOST_OF_ONE`] others
//! since: the kernel forgets a silent neighbour within a minute, and a query that comes then must not
//! get the group of the network.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::devices::table::DeviceTable;
use crate::policy::Mac;

/// The most addresses of one device: a host that changes its IPv6 addresses every day has a few.
const MOST_OF_ONE: usize = 64;

/// What is known of the devices that the config names.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    /// Of each lease file, in the order of the config.
    leases: Vec<HashMap<IpAddr, Mac>>,
    seen: HashMap<IpAddr, Mac>,
    /// The addresses of `seen` by device, the newest last.
    by_device: HashMap<Mac, Vec<IpAddr>>,
    /// Addresses of leases at which the wire has shown another device.
    taken: HashSet<IpAddr>,
}

impl Sightings {
    /// Forgets the devices that nobody names any more, and all leases, of which there will be `files`.
    pub(super) fn restart(&mut self, is_wanted: impl Fn(Mac) -> bool, files: usize) {
        self.by_device.retain(|mac, _| is_wanted(*mac));
        self.seen.retain(|_, mac| is_wanted(*mac));
        self.leases = vec![HashMap::new(); files];
        self.taken.clear();
    }

    /// Replaces what a file says; whether that is another thing.
    pub(super) fn read_leases(&mut self, file: usize, found: HashMap<IpAddr, Mac>) -> bool {
        let Some(leases) = self.leases.get_mut(file).filter(|leases| **leases != found) else {
            return false;
        };
        *leases = found;
        let (leases, taken) = (&self.leases, &mut self.taken);
        taken.retain(|address| leases.iter().any(|one| one.contains_key(address)));
        true
    }

    /// A neighbour was seen: at a device that is named, or at another; whether that is another thing.
    pub(super) fn see(&mut self, address: IpAddr, device: Option<Mac>) -> bool {
        if device.is_some() && self.seen.get(&address) == device.as_ref() {
            return self.taken.remove(&address);
        }
        let before = self.seen.remove(&address);
        if let Some(before) = before
            && let Some(addresses) = self.by_device.get_mut(&before)
        {
            addresses.retain(|one| *one != address);
        }
        let Some(device) = device else {
            let is_leased = self.leases.iter().any(|one| one.contains_key(&address));
            return is_leased && self.taken.insert(address) || before.is_some();
        };
        self.taken.remove(&address);
        let addresses = self.by_device.entry(device).or_default();
        if addresses.len() == MOST_OF_ONE {
            self.seen.remove(&addresses.remove(0));
        }
        addresses.push(address);
        self.seen.insert(address, device);
        true
    }

    /// The table that queries read.
    pub(super) fn table(&self) -> DeviceTable {
        let leased =
            self.leases.iter().flatten().filter(|(address, _)| !self.taken.contains(*address));
        DeviceTable::new(leased.chain(&self.seen).map(|(address, mac)| (*address, *mac)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Mac = Mac([0xa0, 0, 0, 0, 0, 1]);
    const TWO: Mac = Mac([0xa0, 0, 0, 0, 0, 2]);

    fn at(last: u8) -> IpAddr {
        [10, 20, 0, last].into()
    }

    #[test]
    fn the_wire_wins_over_a_lease() {
        let mut sightings = Sightings::default();
        sightings.restart(|_| true, 1);
        assert!(sightings.read_leases(0, HashMap::from([(at(5), ONE), (at(6), TWO)])));
        assert!(!sightings.read_leases(0, HashMap::from([(at(5), ONE), (at(6), TWO)])));
        assert!(sightings.see(at(5), Some(TWO)));
        // A device that nobody names has the leased address, and another one.
        assert!(sightings.see(at(6), None));
        assert!(!sightings.see(at(6), None) && !sightings.see(at(7), None));
        let table = sightings.table();
        assert_eq!([5, 6, 7].map(|last| table.mac_of(at(last))), [Some(TWO), None, None]);
        // The owner of the lease is back.
        assert!(sightings.see(at(6), Some(TWO)));
        assert_eq!(sightings.table().mac_of(at(6)), Some(TWO));
    }

    #[test]
    fn an_address_is_a_devices_until_another_is_seen_there() {
        let mut sightings = Sightings::default();
        assert!(sightings.see(at(5), Some(ONE)) && !sightings.see(at(5), Some(ONE)));
        assert!(sightings.see(at(5), None));
        assert_eq!(sightings.table().len(), 0);
        assert!(sightings.see(at(5), Some(ONE)) && sightings.see(at(6), Some(TWO)));
        sightings.restart(|mac| mac == TWO, 0);
        let table = sightings.table();
        assert_eq!((table.len(), table.mac_of(at(6))), (1, Some(TWO)));
    }

    #[test]
    fn a_device_that_takes_every_address_drives_no_other_one_out() {
        let mut sightings = Sightings::default();
        sightings.see(at(1), Some(ONE));
        for last in 2..=255 {
            assert!(sightings.see(at(last), Some(TWO)));
        }
        let table = sightings.table();
        assert_eq!(table.len(), 1 + MOST_OF_ONE);
        assert_eq!([1, 2, 255].map(|last| table.mac_of(at(last))), [Some(ONE), None, Some(TWO)]);
    }
}
