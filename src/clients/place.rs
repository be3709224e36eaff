//! The place of one connection: since when it is idle, and the octets that it has reserved.
//!
//! Octets are reserved before they are needed. A [`Room`] is taken at the size of the longest
//! message before a query is answered or asked upstream, and shrinks to the reply's own when
//! that is known. Law: what waits on streams never exceeds the budget, whoever sends what.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use crate::clients::client_id::ClientId;
use crate::dns::message::MAX_MESSAGE;

/// The longest message with its length in front (RFC 1035 §4.2.2).
pub const MOST: usize = MAX_MESSAGE + 2;

/// Stands for the time since which a busy connection is idle.
pub const BUSY: u64 = u64::MAX;

/// The place of a connection.
#[derive(Debug)]
pub struct ConnectionState {
    client: ClientId,
    own: Arc<Account>,
    all: Arc<Account>,
    /// Octets that this connection may reserve.
    most: usize,
    /// Octets that this connection has reserved.
    reserved: AtomicUsize,
    /// In microseconds of the caller's clock; [`BUSY`] while a query or a reply waits.
    idle_since: AtomicU64,
    is_evicted: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl ConnectionState {
    pub(super) fn new(
        client: ClientId,
        [own, all]: [Arc<Account>; 2],
        most: usize,
        now: u64,
    ) -> Self {
        Self {
            client,
            own,
            all,
            most,
            reserved: AtomicUsize::new(0),
            idle_since: AtomicU64::new(now),
            is_evicted: AtomicBool::new(false),
            waker: Mutex::default(),
        }
    }

    /// The client.
    pub(super) fn client(&self) -> ClientId {
        self.client
    }

    /// Since when the connection is idle; [`BUSY`] if it is not. A time to come is the earliest
    /// at which it may have to make room.
    pub fn set_idle_since(&self, micros: u64) {
        self.idle_since.store(micros, Ordering::Relaxed);
    }

    pub(super) fn idle_since(&self) -> u64 {
        self.idle_since.load(Ordering::Relaxed)
    }

    /// Whether another connection has been given the place: this one must end as soon as no
    /// query and no reply waits on it.
    pub fn is_evicted(&self) -> bool {
        self.is_evicted.load(Ordering::Acquire)
    }

    pub(super) fn evict(&self) {
        self.is_evicted.store(true, Ordering::Release);
        self.wake();
    }

    /// Sets the task that serves the connection.
    pub fn set_waker(&self, waker: &Waker) {
        let mut own = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if !own.as_ref().is_some_and(|own| own.will_wake(waker)) {
            *own = Some(waker.clone());
        }
    }

    /// Wakes the task that serves the connection.
    pub fn wake(&self) {
        if let Some(waker) = &*self.waker.lock().unwrap_or_else(PoisonError::into_inner) {
            waker.wake_by_ref();
        }
    }

    /// Whether one more message would exceed the bound of one connection.
    pub fn is_full(&self) -> bool {
        self.reserved.load(Ordering::Relaxed) + MOST > self.most
    }

    /// Room for one message, if client and all have it now.
    ///
    /// Law: no client takes more than a third of what is left in all (dynamic thresholds), so a
    /// quarter of the budget at most; of n greedy ones each has 1 / (n + 3), and one that has
    /// nothing finds room.
    pub fn try_room(self: &Arc<Self>) -> Option<Room> {
        let own = self.own.add(MOST);
        let all = self.all.add(MOST);
        let left = (self.all.most + MOST).saturating_sub(all);
        let room = {
            self.reserved.fetch_add(MOST, Ordering::Relaxed);
            Room { place: Arc::clone(self), octets: MOST }
        };
        // What is too much is given back with the room.
        (own <= self.own.most && all <= self.all.most && own <= left / 3).then_some(room)
    }

    fn give_back(&self, octets: usize) {
        self.reserved.fetch_sub(octets, Ordering::Relaxed);
        self.own.used.fetch_sub(octets, Ordering::Relaxed);
        self.all.used.fetch_sub(octets, Ordering::Relaxed);
    }
}

/// Octets that are reserved: by one client, or by all.
#[derive(Debug)]
pub(super) struct Account {
    used: AtomicUsize,
    most: usize,
}

impl Account {
    /// An account of which nothing is used.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), most })
    }

    /// The octets that are reserved.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed).min(self.most)
    }

    /// Adds octets; returns how many there are then.
    fn add(&self, octets: usize) -> usize {
        self.used.fetch_add(octets, Ordering::Relaxed) + octets
    }
}

/// Octets that are reserved for a message, given back when this is dropped.
#[derive(Debug)]
pub struct Room {
    place: Arc<ConnectionState>,
    octets: usize,
}

impl Room {
    /// Gives back all but `octets`.
    pub fn shrink(&mut self, octets: usize) {
        let spare = self.octets.saturating_sub(octets);
        self.octets -= spare;
        self.place.give_back(spare);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.place.give_back(self.octets);
    }
}
