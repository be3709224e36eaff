//! Single-flight: upstream is asked a question once, however many queries wait for it.
//!
//! A miss takes a [`Permit`] first; then it joins the pending question, or leads it. Each waiter
//! gets its own reply: with its own id and case, by the policy that it was begun with. A question
//! may outlive those that asked: its last waiter stays, answered already, to take the answer in.
//!
//! Everything here is bounded: waiting queries in all, of one client, of one question, and the
//! questions of one forward zone. Law: over the bound the oldest question that nobody waits for is
//! evicted, or else the oldest of the client with the most waiting. A living server answers in a
//! moment, so the questions of a silent one never take the places of its names.
//!
//! No worker takes a lock of this file: it raises one number and leaves the rest to the runtime.
//!
//! In unit tests locks and numbers are loom's, which tries every order in which threads can
//! meet here (`inflight/model.rs`); only a model can make an [`InFlight`] there.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

use tokio::sync::Notify;

use self::sync::{AtomicU64, Mutex, MutexGuard, Ordering};
use crate::clients::client_id::ClientId;
use crate::dns::message::Question;
use crate::dns::route::UpstreamId;
use crate::resolve::Forward;

/// The most queries that wait for one answer; one more ends as busy.
const MAX_WAITERS: usize = 1024;
/// Of the room for waiting queries, the share that the questions of one forward zone may have.
const ZONE_SHARE: u64 = 8;
/// The same for queries that have a permit while others are evicted.
const SLACK: u64 = 4;

/// Sends a reply, once.
pub type SendReply = Box<dyn FnOnce(&[u8]) + Send>;

/// The queries that wait for upstream.
#[derive(Debug)]
pub struct InFlight {
    /// The most that may wait.
    room: u64,
    waiting: AtomicU64,
    /// Of these, those that have their reply and wait for the cache's sake.
    answered: AtomicU64,
    table: Mutex<Table>,
    by_client: Mutex<HashMap<ClientId, usize>>,
}

/// The pending questions.
#[derive(Debug, Default)]
struct Table {
    by_question: HashMap<Arc<Question>, Pending>,
    /// The same by their serials: the oldest first.
    by_age: BTreeMap<u64, (Arc<Question>, Option<ClientId>)>,
    /// Of these, those whose waiters have their replies: the first to go.
    late: BTreeMap<u64, Arc<Question>>,
    /// The number of questions to each forward zone.
    by_zone: HashMap<UpstreamId, u64>,
    begun: u64,
}

/// The queries that wait for one answer.
#[derive(Debug)]
struct Pending {
    serial: u64,
    waiters: Vec<Waiter>,
    /// Whether the waiters with an expired answer have got it.
    is_stale: bool,
    /// Tells the leader that the question was evicted.
    evicted: Arc<Notify>,
}

impl Table {
    fn remove(&mut self, question: &Question, serial: u64) -> Vec<Waiter> {
        if self.by_question.get(question).is_none_or(|pending| pending.serial != serial) {
            return Vec::new();
        }
        self.by_age.remove(&serial);
        self.late.remove(&serial);
        if let Entry::Occupied(mut count) = self.by_zone.entry(question.upstream) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        let pending = self.by_question.remove(question);
        pending.map_or_else(Vec::new, |pending| pending.waiters)
    }

    /// Evicts the oldest question of those that may be.
    fn evict(&mut self, may_be: impl Fn(&Question, Option<ClientId>) -> bool) -> Vec<Waiter> {
        let victim = self.by_age.iter().find(|(_, (question, client))| may_be(question, *client));
        let Some((&serial, (question, _))) = victim else { return Vec::new() };
        let question = Arc::clone(question);
        self.evict_one(&question, serial)
    }

    /// Evicts the oldest question that nobody waits for.
    fn evict_late(&mut self) -> Vec<Waiter> {
        while let Some((serial, question)) = self.late.pop_first() {
            // Somebody may have come since.
            let waiters = self.by_question.get(&question).map(|pending| &pending.waiters);
            if waiters.is_some_and(|waiters| waiters.iter().all(|waiter| waiter.send.is_none())) {
                return self.evict_one(&question, serial);
            }
        }
        Vec::new()
    }

    fn evict_one(&mut self, question: &Question, serial: u64) -> Vec<Waiter> {
        if let Some(pending) = self.by_question.get(question) {
            pending.evicted.notify_one();
        }
        self.remove(question, serial)
    }
}

/// The permit of one waiting query, released when it is dropped.
#[derive(Debug)]
pub struct Permit {
    flights: Arc<InFlight>,
    client: Option<ClientId>,
    is_answered: bool,
}

impl Permit {
    /// The query has its reply: it no longer counts as its client's.
    fn answered(&mut self) {
        self.is_answered = true;
        self.flights.answered.fetch_add(1, Ordering::Relaxed);
        self.release_client();
    }

    fn release_client(&mut self) {
        let Some(client) = self.client.take() else { return };
        let mut clients = lock(&self.flights.by_client);
        if let Entry::Occupied(mut count) = clients.entry(client) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.is_answered {
            self.flights.answered.fetch_sub(1, Ordering::Relaxed);
        }
        self.flights.waiting.fetch_sub(1, Ordering::Relaxed);
        self.release_client();
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
    Leader(Started),
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
            answered: AtomicU64::new(0),
            table: Mutex::default(),
            by_client: Mutex::default(),
        })
    }

    /// The number of waiting queries, answered ones among them.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Whether more wait than may.
    pub fn is_full(&self) -> bool {
        self.waiting() > self.room
    }

    /// The number of those that have no reply yet.
    pub fn unanswered(&self) -> u64 {
        self.waiting().saturating_sub(self.answered.load(Ordering::Relaxed))
    }

    /// A permit for one more query. Over the room there are some while others are evicted.
    pub fn enter(self: &Arc<Self>) -> Option<Permit> {
        let permit = Permit { flights: Arc::clone(self), client: None, is_answered: false };
        let most = self.room + self.room / SLACK;
        // Counted first and released by the drop: of two at once only one can be the last.
        (self.waiting.fetch_add(1, Ordering::Relaxed) < most).then_some(permit)
    }

    /// A permit for a question without a waiting client: only while half of them are free.
    pub fn enter_unhurried(self: &Arc<Self>) -> Option<Permit> {
        if self.waiting() < self.room / 2 { self.enter() } else { None }
    }

    /// Counts a permit as one of `client`'s, which may have `most`; returns whether it may.
    ///
    /// A permit that is counted stays so: its query asks for the next link of its chain.
    pub fn count(&self, permit: &mut Permit, client: ClientId, most: usize) -> bool {
        if permit.client.is_some() {
            return true;
        }
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
    pub fn join(self: &Arc<Self>, waiter: Waiter) -> Join {
        let mut table = lock(&self.table);
        let Some(pending) = table.by_question.get_mut(waiter.forward.question()) else {
            let question = Arc::new(waiter.forward.question().clone());
            let evicted = Arc::new(Notify::new());
            table.begun += 1;
            let serial = table.begun;
            table.by_age.insert(serial, (Arc::clone(&question), waiter.permit.client));
            if question.upstream != UpstreamId::MAIN {
                *table.by_zone.entry(question.upstream).or_default() += 1;
            }
            let started = Started {
                flights: Arc::clone(self),
                question: Arc::clone(&question),
                serial,
                evicted: Arc::clone(&evicted),
            };
            let pending = Pending { serial, waiters: vec![waiter], is_stale: false, evicted };
            table.by_question.insert(question, pending);
            return Join::Leader(started);
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

    /// Evicts a question if there are too many, of `upstream` or in all; its waiters are to be
    /// told so.
    pub fn evict(&self, upstream: UpstreamId) -> Vec<Waiter> {
        let is_full = self.is_full();
        if !is_full && upstream == UpstreamId::MAIN {
            return Vec::new();
        }
        let most = is_full.then(|| {
            let clients = lock(&self.by_client);
            clients.iter().max_by_key(|(_, count)| **count).map(|(client, _)| *client)
        });
        let mut table = lock(&self.table);
        let share = (self.room / ZONE_SHARE).max(16);
        if table.by_zone.get(&upstream).is_some_and(|&count| count > share) {
            return table.evict(|question, _| question.upstream == upstream);
        }
        most.map_or_else(Vec::new, |most| {
            let late = table.evict_late();
            if !late.is_empty() {
                return late;
            }
            let evicted = table.evict(|_, client| client == most);
            // The client with the most may follow others' questions only.
            if evicted.is_empty() { table.evict(|_, _| true) } else { evicted }
        })
    }

    /// Removes and returns the waiters that have an expired answer. Later queries with one are
    /// answered at once ([`Join::AnswerStale`]).
    pub fn take_stale(&self, question: &Question) -> Vec<(Waiter, bool)> {
        self.take(question, |pending| {
            pending.is_stale = true;
            pending.waiters.extract_if(.., |waiter| waiter.forward.has_stale()).collect()
        })
    }

    /// Removes and returns the waiters without a reply that came at `until` or before.
    pub fn take_unanswered(&self, question: &Question, until: u64) -> Vec<(Waiter, bool)> {
        let is_due = |waiter: &mut Waiter| waiter.send.is_some() && waiter.came <= until;
        self.take(question, |pending| pending.waiters.extract_if(.., is_due).collect())
    }

    /// Law: one waiter stays until the end, to take the upstream answer in; the flag is set on
    /// the one to put back.
    fn take(
        &self,
        question: &Question,
        some: impl FnOnce(&mut Pending) -> Vec<Waiter>,
    ) -> Vec<(Waiter, bool)> {
        let mut table = lock(&self.table);
        let Some(pending) = table.by_question.get_mut(question) else { return Vec::new() };
        let taken = some(pending);
        let is_last = pending.waiters.is_empty();
        taken.into_iter().enumerate().map(|(n, waiter)| (waiter, is_last && n == 0)).collect()
    }

    /// Puts an answered waiter back, to take the upstream answer in.
    pub fn put_back(&self, mut waiter: Waiter) {
        waiter.permit.answered();
        let question = waiter.forward.question().clone();
        let mut table = lock(&self.table);
        if let Some(pending) = table.by_question.get_mut(&question) {
            let serial = pending.serial;
            pending.waiters.push(waiter);
            table.late.insert(serial, Arc::new(question));
        }
    }
}

/// The guard of a pending question: it ends with this value, whatever happens to its task.
#[derive(Debug)]
pub struct Started {
    flights: Arc<InFlight>,
    question: Arc<Question>,
    /// The next of the same question has its own guard.
    serial: u64,
    evicted: Arc<Notify>,
}

impl Started {
    /// The question.
    pub fn question(&self) -> &Arc<Question> {
        &self.question
    }

    /// Waits until the question is evicted: its waiters are another's then.
    pub async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// Ends it; the waiters are to be answered.
    pub fn end(self) -> Vec<Waiter> {
        lock(&self.flights.table).remove(&self.question, self.serial)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // After a panic the clients retry. Waiters are dropped without the lock: their permits
        // take another.
        let waiters = lock(&self.flights.table).remove(&self.question, self.serial);
        drop(waiters);
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
