//! Quota: so many acts of a client in any hour. In memory only, and of a bounded size.
//!
//! For what a person does in a page, where [`budget`](crate::clients::budget) is for queries. A client
//! is what it is there. Where the table is full the client that acted least recently is forgotten.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::clients::client_id::ClientId;

/// Clients that are remembered.
const CLIENTS: usize = 4096;
/// Seconds of the interval.
const HOUR: u64 = 3600;

/// Acts in the last hour by client.
#[derive(Debug)]
pub struct Quota {
    /// Acts of a client in any hour.
    most: usize,
    /// The seconds of each client's acts, oldest first.
    acts: Mutex<HashMap<ClientId, Vec<u64>>>,
}

impl Quota {
    /// A quota of `most` acts an hour, of which nothing is used.
    pub fn an_hour(most: usize) -> Self {
        Self { most, acts: Mutex::default() }
    }

    /// Whether a client may act at `mono`, in seconds of a monotonic clock; if so, it has.
    pub fn take(&self, client: IpAddr, mono: u64) -> bool {
        let client = ClientId::of(client);
        let mut all = self.acts.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(&client) && all.len() >= CLIENTS {
            all.retain(|_, acts| acts.last().is_some_and(|&last| last + HOUR > mono));
            let oldest = all.iter().min_by_key(|(_, acts)| acts.last());
            let oldest = oldest.map(|(&client, _)| client).filter(|_| all.len() >= CLIENTS);
            oldest.map(|oldest| all.remove(&oldest));
        }
        let acts = all.entry(client).or_default();
        acts.retain(|&at| at + HOUR > mono);
        let may = acts.len() < self.most;
        if may {
            acts.push(mono);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_in_any_hour_and_neighbours_are_not_concerned() {
        let quota = Quota::an_hour(3);
        let [one, other] = [IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
        let taken: Vec<bool> = [0, 10, 3000, 3001, 3599].map(|at| quota.take(one, at)).into();
        assert_eq!(taken, [true, true, true, false, false]);
        assert!(quota.take(other, 3599));
        // The first one is an hour ago.
        assert_eq!([3600, 3601, 3610].map(|at| quota.take(one, at)), [true, false, true]);
    }

    #[test]
    fn a_flood_of_clients_takes_no_more_memory() {
        let quota = Quota::an_hour(3);
        for number in 0..CLIENTS as u32 + 300 {
            quota.take(IpAddr::V4((0x0a00_0000 + number).into()), u64::from(number) / 100);
        }
        assert!(quota.acts.lock().unwrap().len() <= CLIENTS);
    }
}
