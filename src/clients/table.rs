//! All connections: admission, and eviction at a limit.
//!
//! At a limit the connection that is idle longest makes room: of the same client at the limit
//! of one, of the client with the most at the limit of all. Laws: a connection on which a query
//! or a reply waits never makes room (RFC 7766 §6.2.3), and neither does one of a client that
//! has no more of them than the newcomer's.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::warn;

use crate::clients::client_id::ClientId;
use crate::clients::limits::StreamLimits;
use crate::clients::place::{Account, BUSY, ConnectionState};
use crate::metrics::counters::{Counters, Event};
use crate::metrics::{Sample, families};

/// The least time between two lines in the log on the limits, in microseconds.
const BETWEEN_LINES: u64 = 60_000_000;

/// All stream connections of the process.
#[derive(Debug)]
pub struct Connections {
    limits: StreamLimits,
    counters: Arc<Counters>,
    octets: Arc<Account>,
    table: Mutex<Table>,
    /// The time of the last line in the log; 0 before the first.
    logged: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    count: usize,
    clients: HashMap<ClientId, Client>,
}

/// The connections of one client.
#[derive(Debug)]
struct Client {
    octets: Arc<Account>,
    places: Vec<Arc<ConnectionState>>,
}

/// A taken place, left when this is dropped.
#[derive(Debug)]
pub struct Seat {
    table: Arc<Connections>,
    place: Arc<ConnectionState>,
}

impl Deref for Seat {
    type Target = Arc<ConnectionState>;

    fn deref(&self) -> &Self::Target {
        &self.place
    }
}

impl Connections {
    /// The table without connections.
    pub fn new(limits: StreamLimits, counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self {
            limits,
            counters,
            octets: Account::new(limits.octets),
            table: Mutex::default(),
            logged: AtomicU64::new(0),
        })
    }

    /// The limits.
    pub fn limits(&self) -> &StreamLimits {
        &self.limits
    }

    /// A place for a connection from `address`, if there is one or an idle connection makes room.
    pub fn enter(self: &Arc<Self>, address: IpAddr, now: u64) -> Option<Seat> {
        let client = ClientId::of(address);
        let mut table = self.lock();
        let own = table.clients.get(&client).map_or(0, |client| client.places.len());
        let is_at_own = own >= self.limits.per_client;
        let is_at_limit = is_at_own || table.count >= self.limits.connections;
        let victim = is_at_limit.then(|| {
            table.take_idlest(now, |other, count| other == client || !is_at_own && count > own)
        });
        if matches!(victim, Some(None)) {
            drop(table);
            self.at_limit(Event::ConnectionRefused, now);
            return None;
        }
        table.count += 1;
        let row = table.clients.entry(client).or_insert_with(|| Client {
            octets: Account::new(self.limits.octets_per_client),
            places: Vec::new(),
        });
        let octets = [&row.octets, &self.octets].map(Arc::clone);
        let most = self.limits.octets_per_connection;
        let place = Arc::new(ConnectionState::new(client, octets, most, now));
        row.places.push(Arc::clone(&place));
        table.forget_the_gone();
        drop(table);
        if let Some(victim) = victim.flatten() {
            victim.evict();
            self.at_limit(Event::ConnectionEvicted, now);
        }
        Some(Seat { table: Arc::clone(self), place })
    }

    /// Ends the connection that is idle longest, where the system has no more descriptors.
    pub fn make_room(&self, now: u64) {
        let victim = self.lock().take_idlest(now, |_, _| true);
        if let Some(victim) = victim {
            victim.evict();
            self.at_limit(Event::ConnectionEvicted, now);
        }
    }

    /// Counts what happened at a limit; logs it, once a minute at most.
    fn at_limit(&self, event: Event, now: u64) {
        self.counters.event(event);
        let logged = self.logged.load(Ordering::Relaxed);
        let is_due = logged == 0 || now.saturating_sub(logged) >= BETWEEN_LINES;
        let ours = || {
            let now = now.max(1);
            self.logged.compare_exchange(logged, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        if is_due && ours() {
            let open = self.lock().count;
            let result = event.id();
            warn!(
                open,
                result,
                "connections are at a limit: idle ones make room, and where none is idle new ones \
                 are closed (`tcp_connections` and `tcp_per_client` in [listen]; \
                 lachan_connections_ended_total counts them)"
            );
        }
    }

    /// Open connections and reserved octets.
    pub fn samples(&self) -> Vec<Sample> {
        vec![
            families::CONNECTIONS.sample((), self.lock().count as f64),
            families::CONNECTION_OCTETS.sample((), self.octets.used() as f64),
        ]
    }

    fn leave(&self, place: &Arc<ConnectionState>) {
        let mut table = self.lock();
        let Some(row) = table.clients.get_mut(&place.client()) else { return };
        // One that was evicted has left.
        let Some(at) = row.places.iter().position(|other| Arc::ptr_eq(other, place)) else {
            return;
        };
        row.places.swap_remove(at);
        table.count -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Takes out the connection that is idle longest of the client with the most, of the clients
    /// that `may` make room, which is told the client and its count.
    fn take_idlest(
        &mut self,
        now: u64,
        may: impl Fn(ClientId, usize) -> bool,
    ) -> Option<Arc<ConnectionState>> {
        let mut best: Option<(usize, Reverse<u64>, ClientId, usize)> = None;
        for (&client, row) in &self.clients {
            let count = row.places.len();
            if !may(client, count) || best.is_some_and(|best| best.0 > count) {
                continue;
            }
            let idle = row.places.iter().map(|place| place.idle_since()).enumerate();
            let idlest = idle.filter(|&(_, since)| since != BUSY && since <= now);
            if let Some((at, since)) = idlest.min_by_key(|&(_, since)| since)
                && best.is_none_or(|best| (best.0, best.1) < (count, Reverse(since)))
            {
                best = Some((count, Reverse(since), client, at));
            }
        }
        let (.., client, at) = best?;
        let place = self.clients.get_mut(&client)?.places.swap_remove(at);
        self.count -= 1;
        Some(place)
    }

    /// Forgets clients without connections and without reserved octets, now and then.
    fn forget_the_gone(&mut self) {
        if self.clients.len() > 64 + 2 * self.count {
            self.clients
                .retain(|_, row| !row.places.is_empty() || Arc::strong_count(&row.octets) > 1);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Nobody serves it any more.
        self.place.set_idle_since(BUSY);
        self.table.leave(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clients::place::{MOST, Room};

    fn table(connections: usize, per_client: usize) -> Arc<Connections> {
        let limits = StreamLimits {
            connections,
            per_client,
            idle: Duration::from_secs(10),
            in_flight: 64,
            octets: 100 * MOST,
            octets_per_client: 40 * MOST,
            octets_per_connection: 10 * MOST,
        };
        Connections::new(limits, Arc::new(Counters::shared()))
    }

    fn enter(table: &Arc<Connections>, address: &str, now: u64) -> Option<Seat> {
        table.enter(address.parse().unwrap(), now)
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_client() {
        let table = table(100, 2);
        let seats = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "10.0.0.1"]
            .map(|address| enter(&table, address, 1).unwrap());
        for seat in &seats {
            seat.set_idle_since(BUSY);
        }
        assert!(enter(&table, "2001:db8::ffff:3", 2).is_none());
        assert!(enter(&table, "::ffff:10.0.0.1", 2).is_some());
        drop(seats);
        assert!(enter(&table, "2001:db8::ffff:3", 3).is_some());
    }

    #[test]
    fn the_idlest_of_the_client_with_the_most_makes_room_and_no_busy_one() {
        let table = table(5, 3);
        let one = enter(&table, "10.0.0.1", 1).unwrap();
        let many = [2, 3, 4].map(|now| enter(&table, "10.0.0.2", now).unwrap());
        let two = enter(&table, "10.0.0.3", 5).unwrap();
        many[0].set_idle_since(BUSY);
        // Not before this time.
        many[1].set_idle_since(50);
        let new = enter(&table, "10.0.0.4", 10).unwrap();
        assert!(many[2].is_evicted());
        // Of the others nobody has more than the newcomer, but the one with two.
        let again = enter(&table, "10.0.0.4", 11).unwrap();
        assert!(new.is_evicted());
        let last = enter(&table, "10.0.0.5", 60).unwrap();
        assert!(many[1].is_evicted());
        for stays in [&one, &two, &many[0], &again, &last] {
            assert!(!stays.is_evicted());
        }
        assert_eq!(table.lock().count, 5);
        drop((one, many, two, new, again, last));
        assert_eq!(table.lock().count, 0);
    }

    #[test]
    fn greedy_clients_leave_room_for_one_without_any() {
        let table = table(1000, 100);
        let mut rooms: Vec<Room> = Vec::new();
        let mut seats = Vec::new();
        for client in 0..7 {
            for _ in 0..10 {
                let seat = enter(&table, &format!("10.0.0.{client}"), 1).unwrap();
                while !seat.is_full() {
                    let Some(room) = seat.try_room() else { break };
                    rooms.push(room);
                }
                seats.push(seat);
            }
        }
        assert!(table.octets.used() <= 100 * MOST);
        let late = enter(&table, "10.0.1.1", 1).unwrap();
        let room = late.try_room();
        assert!(room.is_some(), "{} are reserved", table.octets.used() / MOST);
        drop((rooms, room));
        assert_eq!(table.octets.used(), 0);
    }
}
