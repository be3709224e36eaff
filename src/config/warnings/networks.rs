//! Unions of networks, to be searched.

use ipnet::IpNet;

/// Networks as ranges that do not overlap, to be searched: there may be as many clients as networks.
pub(super) struct Networks([Vec<(u128, u128)>; 2]);

impl Networks {
    /// The union of networks.
    pub(super) fn new(networks: &[IpNet]) -> Self {
        let mut all = [Vec::new(), Vec::new()];
        for network in networks {
            let (family, first, last) = ends(network);
            all[family].push((first, last));
        }
        for ranges in &mut all {
            ranges.sort_unstable();
            // A network is inside another or apart from it.
            let mut end = None;
            ranges.retain(|&(first, last)| {
                let is_apart = end.is_none_or(|end| first > end);
                end = end.max(Some(last));
                is_apart
            });
        }
        Self(all)
    }

    /// Whether an address of the network is in one of them.
    pub(super) fn meets(&self, network: &IpNet) -> bool {
        let (family, first, last) = ends(network);
        let after = self.0[family].partition_point(|&(start, _)| start <= last);
        after.checked_sub(1).and_then(|at| self.0[family].get(at)).is_some_and(|one| one.1 >= first)
    }
}

/// The family of a network, as a place, and its first and last address.
fn ends(network: &IpNet) -> (usize, u128, u128) {
    match network {
        IpNet::V4(net) => (0, net.network().to_bits().into(), net.broadcast().to_bits().into()),
        IpNet::V6(net) => (1, net.network().to_bits(), net.broadcast().to_bits()),
    }
}
