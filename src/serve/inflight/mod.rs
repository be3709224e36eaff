//! Questions in flight: upstream is asked once, however many wait for the answer.
//!
//! A query that cannot be answered here takes a [`Permit`] first: there are so many and no
//! more, so that queries of a dead upstream cannot pile up. Then it joins the flight of its
//! question, or starts one. Each who waits is answered for itself: under its own id, in its
//! own letters, by the policy that it was begun with.
//!
//! Everything here is bounded: queries in all, of one client, and of one question. No worker
//! takes a lock of this file: they raise one number and leave the rest to the runtime.
//!
//! In unit tests locks and numbers are loom's, which tries every order in which threads can
//! meet here (`flight/model.rs`); only a model can make a [`InFlight`] there.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::mem::take;
use std::sync::{Arc, PoisonError};

use self::sync::{AtomicU64, Mutex, MutexGuard, Ordering};
use crate::dns::message::Question;
use crate::resolve::Forward;
use crate::serve::budget::ClientId;

/// Queries that wait for one answer; one more gets what there is.
const MAX_WAITERS: usize = 1024;

/// Sends a reply, once.
pub type SendReply = Box<dyn FnOnce(&[u8]) + Send>;

/// All queries that wait for upstream.
#[derive(Debug)]
pub struct InFlight {
    /// How many may wait.
    room: u64,
    waiting: AtomicU64,
    by_question: Mutex<HashMap<Question, Pending>>,
    by_client: Mutex<HashMap<ClientId, usize>>,
}

/// The queries that wait for one answer.
#[derive(Debug, Default)]
struct Pending {
    waiters: Vec<Waiter>,
    /// Whether those with a stale answer have had it.
    is_late: bool,
}

/// A place among the waiting queries, given back when dropped.
#[derive(Debug)]
pub struct Permit {
    flights: Arc<InFlight>,
    client: Option<ClientId>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.flights.waiting.fetch_sub(1, Ordering::Relaxed);
        let Some(client) = self.client else { return };
        let mut clients = lock(&self.flights.by_client);
        if let Entry::Occupied(mut count) = clients.entry(client) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// A query that waits.
pub struct Waiter {
    /// The query.
    pub forward: Box<Forward>,
    /// When it came, in microseconds.
    pub came: u64,
    /// How to answer it; none where it was answered already.
    pub send: Option<SendReply>,
    /// Its place.
    pub place: Permit,
}

impl std::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiter").field("forward", &self.forward).finish_non_exhaustive()
    }
}

/// What became of a query that wants to wait.
#[derive(Debug)]
pub enum Join {
    /// It is the first: it asks.
    Leads,
    /// Another one asks, and this one waits with it.
    Follows,
    /// Another one has asked for long, and there is a stale answer to give at once.
    Late(Waiter),
    /// As many wait as may.
    Full(Waiter),
    /// It has its reply, and another one asks already.
    NotNeeded,
}

impl InFlight {
    /// No query waits; `room` of them may.
    pub fn new(room: usize) -> Arc<Self> {
        Arc::new(Self {
            room: room as u64,
            waiting: AtomicU64::new(0),
            by_question: Mutex::default(),
            by_client: Mutex::default(),
        })
    }

    /// Queries that wait now.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A place for one more query, if there is one.
    pub fn enter(self: &Arc<Self>) -> Option<Permit> {
        let place = Permit { flights: Arc::clone(self), client: None };
        // Taken first and given back by the drop: two that come at once cannot both be the last.
        (self.waiting.fetch_add(1, Ordering::Relaxed) < self.room).then_some(place)
    }

    /// A place for a question that no client waits for: only while there is plenty.
    pub fn enter_unhurried(self: &Arc<Self>) -> Option<Permit> {
        if self.waiting() < self.room / 2 { self.enter() } else { None }
    }

    /// Counts a place as one of `client`'s, who may have `most`; says whether it may.
    pub fn count(&self, place: &mut Permit, client: ClientId, most: usize) -> bool {
        let mut clients = lock(&self.by_client);
        let count = clients.entry(client).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        place.client = Some(client);
        true
    }

    /// Joins the flight of a query's question, or starts it.
    pub fn join(&self, waiter: Waiter) -> Join {
        let mut flights = lock(&self.by_question);
        let Some(flight) = flights.get_mut(waiter.forward.question()) else {
            let question = waiter.forward.question().clone();
            flights.insert(question, Pending { waiters: vec![waiter], is_late: false });
            return Join::Leads;
        };
        if waiter.send.is_none() {
            return Join::NotNeeded;
        }
        if flight.is_late && waiter.forward.has_stale() {
            return Join::Late(waiter);
        }
        if flight.waiters.len() >= MAX_WAITERS {
            return Join::Full(waiter);
        }
        flight.waiters.push(waiter);
        Join::Follows
    }

    /// Takes those out of a flight who can have a stale answer; later ones get it at once.
    ///
    /// The first stays until the end, to take the answer in.
    pub fn late(&self, question: &Question) -> Vec<(Waiter, bool)> {
        let mut flights = lock(&self.by_question);
        let Some(flight) = flights.get_mut(question) else { return Vec::new() };
        flight.is_late = true;
        let (stale, rest): (Vec<_>, _) =
            take(&mut flight.waiters).into_iter().partition(|waiter| waiter.forward.has_stale());
        let is_last = rest.is_empty();
        flight.waiters = rest;
        stale.into_iter().enumerate().map(|(n, waiter)| (waiter, is_last && n == 0)).collect()
    }

    /// Puts one back who has been answered, to take the answer in.
    pub fn keep(&self, waiter: Waiter) {
        if let Some(flight) = lock(&self.by_question).get_mut(waiter.forward.question()) {
            flight.waiters.push(waiter);
        }
    }

    /// The flight that a query of this question has started.
    pub fn started(self: &Arc<Self>, question: Question) -> Started {
        Started { flights: Arc::clone(self), question: Some(question) }
    }

    fn end(&self, question: &Question) -> Vec<Waiter> {
        let flight = lock(&self.by_question).remove(question);
        flight.map_or_else(Vec::new, |flight| flight.waiters)
    }
}

/// A flight under way. It ends with this value, whatever happens to its task.
#[derive(Debug)]
pub struct Started {
    flights: Arc<InFlight>,
    /// None once it has ended: the next flight of the question is another's.
    question: Option<Question>,
}

impl Started {
    /// Ends it; those who waited are to be answered.
    pub fn end(mut self) -> Vec<Waiter> {
        let question = self.question.take();
        question.map_or_else(Vec::new, |question| self.flights.end(&question))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // After a panic the clients ask again.
        if let Some(question) = self.question.take() {
            drop(self.flights.end(&question));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What threads meet at.
mod sync {
    #[cfg(test)]
    pub(super) use loom::sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    };
    #[cfg(not(test))]
    pub(super) use std::sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    };
}

#[cfg(test)]
mod model;
