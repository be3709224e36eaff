//! Single-flight: upstream is asked a question once, however many queries wait for it.
//!
//! A miss takes a [`Permit`] first; the number of permits is bounded, so that queries of a dead
//! upstream cannot pile up. Then it joins the pending question, or leads it. Each waiter gets its
//! own reply: with its own id and case, by the policy that it was begun with.
//!
//! Everything here is bounded: waiting queries in all, of one client, and of one question. No
//! worker takes a lock of this file: it raises one number and leaves the rest to the runtime.
//!
//! In unit tests locks and numbers are loom's, which tries every order in which threads can
//! meet here (`inflight/model.rs`); only a model can make an [`InFlight`] there.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::mem::take;
use std::sync::{Arc, PoisonError};

use self::sync::{AtomicU64, Mutex, MutexGuard, Ordering};
use crate::dns::message::Question;
use crate::resolve::Forward;
use crate::serve::budget::ClientId;

/// The most queries that wait for one answer; one more ends as busy.
const MAX_WAITERS: usize = 1024;

/// Sends a reply, once.
pub type SendReply = Box<dyn FnOnce(&[u8]) + Send>;

/// The queries that wait for upstream.
#[derive(Debug)]
pub struct InFlight {
    /// The most that may wait.
    room: u64,
    waiting: AtomicU64,
    by_question: Mutex<HashMap<Question, Pending>>,
    by_client: Mutex<HashMap<ClientId, usize>>,
}

/// The queries that wait for one answer.
#[derive(Debug, Default)]
struct Pending {
    waiters: Vec<Waiter>,
    /// Whether the waiters with an expired answer have got it.
    is_stale: bool,
}

/// The permit of one waiting query, released when it is dropped.
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
    /// Its arrival, in microseconds.
    pub came: u64,
    /// The way of its reply; none where it has been answered already.
    pub send: Option<SendReply>,
    /// Its permit.
    pub permit: Permit,
}

impl std::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiter").field("forward", &self.forward).finish_non_exhaustive()
    }
}

/// The role of a query that is to wait.
#[derive(Debug)]
pub enum Join {
    /// It is the first: it asks upstream.
    Leader,
    /// It waits for the leader's answer.
    Follower,
    /// The leader has waited for long, and this query has an expired answer: send it at once.
    AnswerStale(Waiter),
    /// The question has as many waiters as it may.
    QueueFull(Waiter),
    /// It needs no reply, and upstream is being asked already.
    Redundant,
}

impl InFlight {
    /// The table without waiting queries, for at most `room` of them.
    pub fn new(room: usize) -> Arc<Self> {
        Arc::new(Self {
            room: room as u64,
            waiting: AtomicU64::new(0),
            by_question: Mutex::default(),
            by_client: Mutex::default(),
        })
    }

    /// The number of waiting queries.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A permit for one more query, if there is one.
    pub fn enter(self: &Arc<Self>) -> Option<Permit> {
        let permit = Permit { flights: Arc::clone(self), client: None };
        // Counted first and released by the drop: of two at once only one can be the last.
        (self.waiting.fetch_add(1, Ordering::Relaxed) < self.room).then_some(permit)
    }

    /// A permit for a question without a waiting client: only while half of them are free.
    pub fn enter_unhurried(self: &Arc<Self>) -> Option<Permit> {
        if self.waiting() < self.room / 2 { self.enter() } else { None }
    }

    /// Counts a permit as one of `client`'s, which may have `most`; returns whether it may.
    pub fn count(&self, permit: &mut Permit, client: ClientId, most: usize) -> bool {
        let mut clients = lock(&self.by_client);
        let count = clients.entry(client).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        permit.client = Some(client);
        true
    }

    /// Joins the pending question of a query, or leads it.
    pub fn join(&self, waiter: Waiter) -> Join {
        let mut flights = lock(&self.by_question);
        let Some(pending) = flights.get_mut(waiter.forward.question()) else {
            let question = waiter.forward.question().clone();
            flights.insert(question, Pending { waiters: vec![waiter], is_stale: false });
            return Join::Leader;
        };
        if waiter.send.is_none() {
            return Join::Redundant;
        }
        if pending.is_stale && waiter.forward.has_stale() {
            return Join::AnswerStale(waiter);
        }
        if pending.waiters.len() >= MAX_WAITERS {
            return Join::QueueFull(waiter);
        }
        pending.waiters.push(waiter);
        Join::Follower
    }

    /// Removes and returns the waiters that have an expired answer. Later queries with one are
    /// answered at once ([`Join::AnswerStale`]).
    ///
    /// Law: one waiter stays until the end, to take the upstream answer in; the flag is set on
    /// the one to put back.
    pub fn take_stale(&self, question: &Question) -> Vec<(Waiter, bool)> {
        let mut flights = lock(&self.by_question);
        let Some(pending) = flights.get_mut(question) else { return Vec::new() };
        pending.is_stale = true;
        let (stale, rest): (Vec<_>, _) =
            take(&mut pending.waiters).into_iter().partition(|waiter| waiter.forward.has_stale());
        let is_last = rest.is_empty();
        pending.waiters = rest;
        stale.into_iter().enumerate().map(|(n, waiter)| (waiter, is_last && n == 0)).collect()
    }

    /// Puts an answered waiter back, to take the upstream answer in.
    pub fn put_back(&self, waiter: Waiter) {
        if let Some(pending) = lock(&self.by_question).get_mut(waiter.forward.question()) {
            pending.waiters.push(waiter);
        }
    }

    /// The guard of a question that its leader asks.
    pub fn started(self: &Arc<Self>, question: Question) -> Started {
        Started { flights: Arc::clone(self), question: Some(question) }
    }

    fn end(&self, question: &Question) -> Vec<Waiter> {
        let pending = lock(&self.by_question).remove(question);
        pending.map_or_else(Vec::new, |pending| pending.waiters)
    }
}

/// The guard of a pending question: it ends with this value, whatever happens to its task.
#[derive(Debug)]
pub struct Started {
    flights: Arc<InFlight>,
    /// None once it has ended: the next of the same question has its own guard.
    question: Option<Question>,
}

impl Started {
    /// Ends it; the waiters are to be answered.
    pub fn end(mut self) -> Vec<Waiter> {
        let question = self.question.take();
        question.map_or_else(Vec::new, |question| self.flights.end(&question))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // After a panic the clients retry.
        if let Some(question) = self.question.take() {
            drop(self.flights.end(&question));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The primitives that threads share.
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
