//! The answer cache: what upstream said, ready to send. Never a verdict.
//!
//! Keyed by route, the name asked for, its type, and the DO and CD bits; one entry for
//! all groups, because what upstream says does not depend on who asks. Bounded
//! in octets. Beside an answer stands what the lists say of the names it points
//! to, with a tag of those lists: after a swap it is found out again, before use.
//!
//! ```text
//! 0 ─────────── fresh ──────────┬─ due ─┤ TTL ├───────── stale ─────────┤ gone
//!                      last tenth: who asks          kept for when upstream
//!                      has it fetched anew           says nothing (RFC 8767)
//! ```
//!
//! Failures are kept as well, shortly and longer each time (RFC 9520), and never in the
//! place of an answer that could still go out stale.
//!
//! Times are the caller's: seconds of a clock that only goes forward.
//!
//! The hasher is seeded anew in each process: clients choose the keys.

mod entry;

use std::sync::Arc;

pub use entry::Entry;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::dns::message::answer::Answer;
use crate::dns::message::query::Query;
use crate::dns::name::MAX_OCTETS;
use crate::dns::route::UpstreamId;

/// What an answer takes beside its octets: the map's own books, names that it remembers after
/// they went included, and what the allocator adds to an answer's five pieces. Measured
/// (`benches/memory.sh`), so that a full cache takes what it may and not half as much again.
const OVERHEAD: usize = 248;
/// Octets of a key in front of the name: route, flags and type.
const KEY_HEAD: usize = 7;
/// Seconds in which a stale answer is not tried to be refreshed again (RFC 8767 §5).
const RECHECK: u64 = 30;
/// Seconds that the asker who has an answer fetched anew has for it.
const REFRESHING: u64 = 4;
/// Answers of fewer seconds are not fetched before their time is over.
const MIN_PREFETCH: u32 = 10;

/// How long answers are of use beyond their TTL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionRules {
    /// Seconds after its TTL in which an answer may go out stale; 0 is never.
    pub stale: u32,
    /// Whether names in use are fetched anew in the last tenth of their TTL.
    pub prefetch: bool,
    /// Seconds that a first failure is remembered; it doubles.
    pub failure: u32,
    /// The longest that it grows to.
    pub max_failure: u32,
}

impl Default for RetentionRules {
    fn default() -> Self {
        Self { stale: 86_400, prefetch: true, failure: 1, max_failure: 30 }
    }
}

/// Where the answer to a name is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Upstream, for the name itself.
    Plain,
    /// Upstream, for another name: a number of that name.
    Rewritten(u32),
    /// The servers of a forward zone, for the name itself.
    Zone(u16),
}

impl Route {
    /// The route to who is asked for a name.
    #[inline]
    pub fn to(upstream: UpstreamId) -> Self {
        if upstream == UpstreamId::MAIN { Self::Plain } else { Self::Zone(upstream.0) }
    }
}

/// A key on the stack.
pub struct CacheKey {
    octets: [u8; KEY_HEAD + MAX_OCTETS],
    length: usize,
}

impl CacheKey {
    /// The key of a question.
    #[inline]
    pub fn new(route: Route, query: &Query<'_>) -> Self {
        let (name, qtype) = (&query.name, query.qtype);
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

/// What the cache has for a question.
#[derive(Debug)]
pub enum CacheLookup {
    /// An answer whose TTL lasts.
    Fresh(Arc<Entry>),
    /// The same, and the asker is to have it fetched anew: its time is nearly over.
    Due(Arc<Entry>),
    /// An answer whose TTL is over, for when upstream has none.
    Expired(Arc<Entry>),
    /// The same, and upstream failed for it a moment ago.
    Stale(Arc<Entry>),
    /// Upstream failed for it a moment ago, and nothing is known.
    Failed(Arc<Entry>),
    /// Nothing of use.
    Nothing,
}

/// Counts the octets of an entry and its key.
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

    /// What there is for a question.
    #[inline]
    pub fn find(&self, key: &CacheKey, now: u64) -> CacheLookup {
        let Some(entry) = self.entries.get(key.as_octets()) else { return CacheLookup::Nothing };
        let (age, lifetime) = (entry.age(now), entry.lifetime());
        if entry.answer.is_failure() {
            // Its seconds are whole ones, however late in the first it came.
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

    /// Whether the asker is the one who has it fetched anew.
    fn is_due(&self, entry: &Entry, now: u64) -> bool {
        self.rules.prefetch
            && entry.lifetime() >= MIN_PREFETCH
            && entry.claim_refresh(now, now + REFRESHING)
    }

    /// Keeps an answer, if it may be kept at all.
    pub fn insert(&self, key: &CacheKey, entry: Entry) {
        if entry.lifetime() > 0 && !entry.answer.is_failure() {
            self.entries.insert(key.as_octets().into(), Arc::new(entry));
        }
    }

    /// Remembers that upstream failed.
    ///
    /// An answer that may still go out stale stays, and is not asked for again for a
    /// while; else the failure takes its place, for twice as long as the last one.
    pub fn insert_failure(&self, key: &CacheKey, failure: Answer, now: u64) {
        let mut lifetime = self.rules.failure;
        if let Some(last) = self.entries.peek(key.as_octets()) {
            let (age, lasted) = (last.age(now), last.lifetime());
            if !last.answer.is_failure() && age < lasted.saturating_add(self.rules.stale) {
                last.put_off(now + RECHECK);
                return;
            }
            // Failing again, not long after.
            if last.answer.is_failure() && age <= lasted.saturating_add(self.rules.max_failure) {
                // Those who failed together failed once.
                lifetime = if age == 0 { lasted } else { lasted.saturating_mul(2) };
            }
        }
        let entry = Entry::lasting(failure, now, lifetime.min(self.rules.max_failure));
        self.entries.insert(key.as_octets().into(), Arc::new(entry));
    }

    /// Entries now held, expired ones that nobody asked for again included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Octets now held.
    pub fn octets(&self) -> u64 {
        self.entries.weight()
    }
}

#[cfg(test)]
mod tests;
