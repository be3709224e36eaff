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
//! place of an answer that could still go out stale.
//!
//! Times are the caller's: seconds of a monotonic clock.
//!
//! The hasher is seeded anew in each process: clients choose the keys.

mod entry;

use std::sync::Arc;

pub use entry::Entry;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

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
        let flags = u8::from(query.dnssec_ok()) | u8::from(query.checking_disabled()) << 1;
        let mut octets = [0; KEY_HEAD + MAX_OCTETS];
        let wire = name.as_wire();
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

/// The weight of an entry: its octets, its key's and the overhead.
#[derive(Debug, Clone)]
struct Octets;

impl Weighter<Box<[u8]>, Arc<Entry>> for Octets {
    fn weight(&self, key: &Box<[u8]>, entry: &Arc<Entry>) -> u64 {
        (key.len() + entry.weight() + OVERHEAD) as u64
    }
}

/// Upstream answers by question.
#[derive(Debug)]
pub struct AnswerCache {
    entries: Cache<Box<[u8]>, Arc<Entry>, Octets>,
    rules: RetentionRules,
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
        Self { entries: Cache::with_weighter(expected, octets, Octets), rules }
    }

    /// Looks a key up.
    #[inline]
    pub fn find(&self, key: &CacheKey, now: u64) -> CacheLookup {
        let Some(entry) = self.entries.get(key.as_octets()) else { return CacheLookup::Nothing };
        let (age, lifetime) = (entry.age(now), entry.lifetime());
        if entry.answer.is_failure() {
            // Lifetimes are whole seconds: the first counts in full however late it began.
            return if age <= lifetime { CacheLookup::Failed(entry) } else { CacheLookup::Nothing };
        }
        if age < lifetime {
            let was_hit = entry.hit();
            if age >= lifetime - lifetime / 10 && was_hit && self.is_due(&entry, now) {
                return CacheLookup::Due(entry);
            }
            return CacheLookup::Fresh(entry);
        }
        if age - lifetime >= self.rules.stale {
            return CacheLookup::Nothing;
        }
        if entry.may_refresh(now) { CacheLookup::Expired(entry) } else { CacheLookup::Stale(entry) }
    }

    /// Whether this query obtains the refresh lease.
    fn is_due(&self, entry: &Entry, now: u64) -> bool {
        self.rules.prefetch
            && entry.lifetime() >= MIN_PREFETCH
            && entry.claim_refresh(now, now + REFRESHING)
    }

    /// Stores an answer, unless its lifetime is 0 or it is a failure.
    pub fn insert(&self, key: &CacheKey, entry: Entry) {
        if entry.lifetime() > 0 && !entry.answer.is_failure() {
            self.entries.insert(key.as_octets().into(), Arc::new(entry));
        }
    }

    /// Stores that upstream failed.
    ///
    /// Law: a failure never replaces an answer that may still be sent stale; that answer's
    /// refresh is put off instead. A failure after a failure lasts twice as long.
    pub fn insert_failure(&self, key: &CacheKey, failure: Answer, now: u64) {
        let mut lifetime = self.rules.failure;
        if let Some(last) = self.entries.peek(key.as_octets()) {
            let (age, lasted) = (last.age(now), last.lifetime());
            if !last.answer.is_failure() && age < lasted.saturating_add(self.rules.stale) {
                last.put_off(now + RECHECK);
                return;
            }
            // A repeated failure, not long after.
            if last.answer.is_failure() && age <= lasted.saturating_add(self.rules.max_failure) {
                // Failures of one second count as one.
                lifetime = if age == 0 { lasted } else { lasted.saturating_mul(2) };
            }
        }
        let entry = Entry::lasting(failure, now, lifetime.min(self.rules.max_failure));
        self.entries.insert(key.as_octets().into(), Arc::new(entry));
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
