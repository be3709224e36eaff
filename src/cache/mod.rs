//! The answer cache: upstream answers, ready to send. Never a verdict.
//!
//! Keyed by route, name, type, and the DO and CD bits; one entry for all groups, because an
//! upstream answer does not depend on the client. Bounded in octets. An entry also stores the
//! lists' facts about the names it points to, tagged with those lists: facts of other lists
//! are never used.
//!
//! ```text
//! 0 ─────────── fresh ──────────┬─ due ─┤ TTL ├───────── stale ─────────┤ gone
//!                      last tenth: one client        for use while upstream
//!                      refreshes the entry           does not answer (RFC 8767)
//! ```
//!
//! Failures are cached as well, shortly and longer each time (RFC 9520), and never in the
//! place of an answer that could still go out stale. Those of an outage end with it
//! (`cache/outage.rs`).
//!
//! Law: never older than the last word. An answer that may not be stored (TTL 0, NXDOMAIN without
//! SOA) takes the place of the older one all the same, and no answer takes the place of one that
//! was asked for later. An empty NOERROR without SOA is no word: home routers strip the SOA, and
//! portals answer so.
//!
//! Times are the caller's: seconds of a monotonic clock.
//!
//! The hasher is seeded anew in each process: clients choose the keys.

mod entry;
mod outage;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use entry::{AskedAt, Entry};
use outage::Outages;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::dns::message::Question;
use crate::dns::message::answer::Answer;
use crate::dns::message::query::Query;
use crate::dns::name::{Folded, MAX_OCTETS};
use crate::dns::route::UpstreamId;

/// Octets of an entry beside its own: the map's bookkeeping (keys it remembers after eviction
/// included) and the allocator's overhead on an answer's five allocations. Measured by
/// `benches/memory.sh`, so that a full cache takes its bound and not half as much again.
const OVERHEAD: usize = 248;
/// Octets of a key in front of the name: route, flags and type.
const KEY_HEAD: usize = 7;
/// Seconds after a failed refresh in which a stale entry is not refreshed (RFC 8767 §5).
const RECHECK: u64 = 30;
/// Seconds that a failure lasts whatever becomes of its upstream (RFC 9520 §3.2).
const MIN_FAILURE: u32 = 1;
/// Refresh lease, in seconds: how long one client alone may refresh an entry.
const REFRESHING: u64 = 4;
/// Entries of shorter lifetimes are not refreshed before they expire.
const MIN_PREFETCH: u32 = 10;

/// Retention of entries beyond their TTL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionRules {
    /// Seconds after its TTL in which an answer may be sent stale; 0 is never.
    pub stale: u32,
    /// Whether entries in use are refreshed in the last tenth of their TTL.
    pub prefetch: bool,
    /// Lifetime of a first failure, in seconds; repeated failures double it.
    pub failure: u32,
    /// The longest lifetime of a failure.
    pub max_failure: u32,
}

impl Default for RetentionRules {
    fn default() -> Self {
        Self { stale: 86_400, prefetch: true, failure: 1, max_failure: 30 }
    }
}

/// The origin of the answer to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Upstream, for the name itself.
    Plain,
    /// Upstream, for another name: a hash of that name.
    Rewritten(u32),
    /// The servers of a forward zone, for the name itself.
    Zone(u16),
}

impl Route {
    /// The route to an upstream.
    #[inline]
    pub fn to(upstream: UpstreamId) -> Self {
        if upstream == UpstreamId::MAIN { Self::Plain } else { Self::Zone(upstream.0) }
    }
}

/// The key of an entry, on the stack.
pub struct CacheKey {
    octets: [u8; KEY_HEAD + MAX_OCTETS],
    length: usize,
}

impl CacheKey {
    /// The key of a query for `name`, its name in lower case.
    #[inline]
    pub fn new(route: Route, query: &Query<'_>, name: &Folded) -> Self {
        let qtype = query.qtype;
        let flags = [query.dnssec_ok(), query.checking_disabled()];
        Self::of(route, qtype, flags, name.as_wire())
    }

    /// The key of an upstream question that is asked for its own name's sake.
    pub fn of_question(question: &Question) -> Self {
        let flags = [question.dnssec_ok, question.checking_disabled];
        Self::of(Route::to(question.upstream), question.qtype, flags, question.name.as_wire())
    }

    #[inline]
    fn of(
        route: Route,
        qtype: u16,
        [dnssec_ok, checking_disabled]: [bool; 2],
        wire: &[u8],
    ) -> Self {
        let flags = u8::from(dnssec_ok) | u8::from(checking_disabled) << 1;
        let mut octets = [0; KEY_HEAD + MAX_OCTETS];
        let length = KEY_HEAD + wire.len();
        let [high, low] = qtype.to_be_bytes();
        let (head, rest) = octets.split_at_mut(KEY_HEAD);
        let (route, target) = match route {
            Route::Plain => (0, 0_u32),
            Route::Rewritten(target) => (4, target),
            Route::Zone(number) => (8, u32::from(number)),
        };
        let [a, b, c, d] = target.to_be_bytes();
        head.copy_from_slice(&[route | flags, high, low, a, b, c, d]);
        if let Some(to) = rest.get_mut(..wire.len()) {
            to.copy_from_slice(wire);
        }
        Self { octets, length }
    }

    /// The keys of the same question with other DO and CD bits.
    fn siblings(&self) -> [Self; 3] {
        [1, 2, 3].map(|flags| {
            let mut octets = self.octets;
            octets[0] ^= flags;
            Self { octets, length: self.length }
        })
    }

    fn as_octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or(&[])
    }
}

/// The state of a key in the cache.
#[derive(Debug)]
pub enum CacheLookup {
    /// An answer within its TTL.
    Fresh(Arc<Entry>),
    /// The same near the end of its TTL: this query holds the refresh lease.
    Due(Arc<Entry>),
    /// An answer past its TTL, to be sent only if upstream gives none.
    Expired(Arc<Entry>),
    /// The same while its refresh is put off: upstream failed a moment ago.
    Stale(Arc<Entry>),
    /// A cached failure: upstream failed a moment ago, and there is no answer.
    Failed(Arc<Entry>),
    /// No entry that can be used.
    Nothing,
}

impl CacheLookup {
    /// The answer that may be sent.
    #[inline]
    pub fn sendable(&self) -> Option<&Entry> {
        match self {
            Self::Fresh(entry) | Self::Due(entry) | Self::Stale(entry) => Some(entry),
            Self::Expired(_) | Self::Failed(_) | Self::Nothing => None,
        }
    }

    /// Whether it is an answer that ends in a name to be asked elsewhere.
    #[inline]
    pub fn leads_on(&self) -> bool {
        match self {
            Self::Fresh(entry) | Self::Due(entry) | Self::Expired(entry) | Self::Stale(entry) => {
                entry.answer.next().is_some()
            }
            Self::Failed(_) | Self::Nothing => false,
        }
    }
}

/// The weight of an entry: its octets, its key's and the overhead.
#[derive(Debug, Clone)]
struct Octets;

impl Weighter<Box<[u8]>, Arc<Entry>> for Octets {
    fn weight(&self, key: &Box<[u8]>, entry: &Arc<Entry>) -> u64 {
        (key.len() + entry.weight() + OVERHEAD) as u64
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureCause {
    /// Upstream said so.
    Answered,
    /// Nobody answered in time.
    Silence,
}

/// Upstream answers by question.
#[derive(Debug)]
pub struct AnswerCache {
    entries: Cache<Box<[u8]>, Arc<Entry>, Octets>,
    rules: RetentionRules,
    outages: Outages,
    /// One lock for each shard of the map: of two writers to one key the later question must win.
    writers: Box<[Mutex<()>]>,
}

impl AnswerCache {
    /// An empty cache that holds at most `octets`.
    pub fn new(octets: u64) -> Self {
        Self::with_rules(octets, RetentionRules::default())
    }

    /// An empty cache that holds at most `octets`, by these rules.
    pub fn with_rules(octets: u64, rules: RetentionRules) -> Self {
        // An answer of one address takes about 450 octets.
        let expected = usize::try_from(octets / 450).unwrap_or(usize::MAX).max(16);
        let entries = Cache::with_weighter(expected, octets, Octets);
        let writers = (0..entries.num_shards()).map(|_| Mutex::default()).collect();
        Self { entries, rules, outages: Outages::new(), writers }
    }

    /// Looks a key up.
    #[inline]
    pub fn find(&self, key: &CacheKey, now: u64) -> CacheLookup {
        let Some(entry) = self.entries.get(key.as_octets()) else { return CacheLookup::Nothing };
        let (age, lifetime) = (entry.age(now), entry.lifetime());
        if entry.answer.is_failure() {
            // Lifetimes are whole seconds: the first counts in full however late it began.
            let is_over = age > lifetime || age > MIN_FAILURE && self.may_ask(&entry, now);
            return if is_over { CacheLookup::Nothing } else { CacheLookup::Failed(entry) };
        }
        if age < lifetime {
            let was_hit = entry.hit();
            if age >= lifetime - lifetime / 10 && was_hit && self.is_due(&entry, now) {
                return CacheLookup::Due(entry);
            }
            return CacheLookup::Fresh(entry);
        }
        if !self.may_go_stale(key, &entry, now) {
            return CacheLookup::Nothing;
        }
        let since = entry.refresh_from().saturating_sub(RECHECK);
        let is_short = now <= since.saturating_add(u64::from(MIN_FAILURE));
        if entry.may_refresh(now) || !is_short && self.may_ask(&entry, now) {
            CacheLookup::Expired(entry)
        } else {
            CacheLookup::Stale(entry)
        }
    }

    /// The answer to a key, within its TTL or else within the time in which it may go out stale;
    /// nobody is to refresh it.
    pub fn peek(&self, key: &CacheKey, now: u64) -> Option<Arc<Entry>> {
        let entry = self.entries.get(key.as_octets())?;
        let is_fresh = entry.age(now) < entry.lifetime();
        let is_answer = !entry.answer.is_failure();
        (is_answer && (is_fresh || self.may_go_stale(key, &entry, now))).then_some(entry)
    }

    /// Whether an answer past its TTL may still be sent.
    ///
    /// Upstream may have taken it back in the answer to the same question with other DO and CD
    /// bits: that one has a key of its own.
    fn may_go_stale(&self, key: &CacheKey, entry: &Entry, now: u64) -> bool {
        let past = entry.age(now).saturating_sub(entry.lifetime());
        let is_revoked = |key: &CacheKey| {
            let other = self.entries.peek(key.as_octets());
            other.is_some_and(|other| other.is_revoked() && other.word() > entry.word())
        };
        !entry.is_revoked() && past < self.rules.stale && !key.siblings().iter().any(is_revoked)
    }

    /// Whether a question that failed in an outage may be asked again.
    fn may_ask(&self, entry: &Entry, now: u64) -> bool {
        entry.lost().is_some_and(|asked| self.outages.may_be_over(asked, now))
    }

    /// Whether this query obtains the refresh lease.
    fn is_due(&self, entry: &Entry, now: u64) -> bool {
        self.rules.prefetch
            && entry.lifetime() >= MIN_PREFETCH
            && entry.claim_refresh(now, now + REFRESHING)
    }

    /// Notes that an upstream answered a question, whatever it said.
    pub fn note_answer(&self, asked: AskedAt) {
        self.outages.note_answer(asked);
    }

    /// Stores an answer, unless it is a failure or no word on the question.
    ///
    /// An answer without a lifetime is stored as well, as the mark that upstream has taken back
    /// what it said before; it is never found.
    pub fn insert(&self, key: &CacheKey, entry: impl Into<Arc<Entry>>) {
        let entry = entry.into();
        if entry.answer.is_failure() || entry.answer.says_nothing() {
            return;
        }
        let _writer = self.writer(key);
        let last = self.entries.peek(key.as_octets());
        if last.is_none_or(|last| last.word() <= entry.word()) {
            let entry = entry.marked().map_or(entry, Arc::new);
            self.entries.insert(key.as_octets().into(), entry);
        }
    }

    /// Stores that upstream failed to answer a question.
    ///
    /// Law: a failure never replaces an answer that may still be sent stale; that answer's
    /// refresh is put off instead. A failure after a failure lasts twice as long; those of an
    /// outage are not held against the name once it is over.
    pub fn insert_failure(
        &self,
        key: &CacheKey,
        failure: Answer,
        (asked, cause): (AskedAt, FailureCause),
        now: u64,
    ) {
        let is_lost = cause == FailureCause::Silence && self.outages.note_silence(asked);
        let mut lifetime = self.rules.failure;
        let _writer = self.writer(key);
        let last = self.entries.peek(key.as_octets());
        if let Some(last) = &last {
            let (age, lasted) = (last.age(now), last.lifetime());
            if last.answer.is_failure() {
                // A repeated failure of the same kind, not long after.
                if last.lost().is_some() == is_lost
                    && age <= lasted.saturating_add(self.rules.max_failure)
                {
                    // Failures of one second count as one.
                    lifetime = if age == 0 { lasted } else { lasted.saturating_mul(2) };
                }
            } else if last.word() > asked.at {
                return;
            } else if age < lasted || self.may_go_stale(key, last, now) {
                last.put_off(now + RECHECK, is_lost.then_some(asked));
                return;
            }
        }
        let entry = Entry::lasting(failure, now, lifetime.min(self.rules.max_failure));
        let entry = Arc::new(entry.to(asked).behind(last.as_deref(), is_lost));
        self.entries.insert(key.as_octets().into(), entry);
    }

    fn writer(&self, key: &CacheKey) -> Option<MutexGuard<'_, ()>> {
        let lock = self.writers.get(self.entries.shard_index(key.as_octets()))?;
        Some(lock.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of entries, expired ones included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The weight of all entries, in octets.
    pub fn octets(&self) -> u64 {
        self.entries.weight()
    }
}

#[cfg(test)]
mod tests;
