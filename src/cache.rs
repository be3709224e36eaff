//! The answer cache: what upstream said, ready to send. Never a verdict.
//!
//! Keyed by route, the name asked for, its type, and the DO and CD bits; one entry for
//! all groups, because what upstream says does not depend on who asks. Bounded
//! in octets. Beside an answer stands what the lists say of the names it points
//! to, with a tag of those lists: after a swap it is found out again, before use.
//!
//! Times are the caller's: seconds of a clock that only goes forward.
//!
//! The hasher is seeded anew in each process: clients choose the keys.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::message::answer::Answer;
use crate::message::query::Query;
use crate::name::MAX_OCTETS;
use crate::policy::Facts;

/// What a key costs beside its octets: the map's own books.
const OVERHEAD: usize = 96;
/// Octets of a key in front of the name: route, flags and type.
const KEY_HEAD: usize = 7;

/// Where the answer to a name is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Upstream, for the name itself.
    Plain,
    /// Upstream, for another name: a number of that name.
    Rewritten(u32),
}

/// A key on the stack.
pub struct Key {
    octets: [u8; KEY_HEAD + MAX_OCTETS],
    length: usize,
}

impl Key {
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

/// An answer and when it came.
#[derive(Debug)]
pub struct Entry {
    /// What upstream said.
    pub answer: Answer,
    /// When, in seconds.
    stored: u64,
    /// What the lists say of the names it points to.
    facts: ArcSwapOption<TargetFacts>,
}

/// What the lists said of the names an answer points to, in their order.
#[derive(Debug)]
struct TargetFacts {
    /// Of which lists; facts of others are worth nothing.
    tag: u64,
    facts: Box<[Facts]>,
}

impl Entry {
    /// An answer that came `now`, in seconds.
    pub fn new(answer: Answer, now: u64) -> Self {
        Self { answer, stored: now, facts: ArcSwapOption::empty() }
    }

    /// Whether the facts of all targets, by the lists with this tag, satisfy `is_fine`;
    /// `None` where they are not known.
    #[inline]
    pub fn targets_are(&self, tag: u64, is_fine: impl Fn(&Facts) -> bool) -> Option<bool> {
        let known = self.facts.load();
        let known = known.as_deref().filter(|known| known.tag == tag)?;
        Some(known.facts.iter().all(is_fine))
    }

    /// Keeps what the lists with this tag say of the targets.
    pub fn note(&self, tag: u64, facts: Box<[Facts]>) {
        self.facts.store(Some(Arc::new(TargetFacts { tag, facts })));
    }

    /// Seconds since it came.
    #[inline]
    pub fn age(&self, now: u64) -> u32 {
        now.saturating_sub(self.stored).min(u64::from(u32::MAX)) as u32
    }
}

/// Counts the octets of an entry and its key.
#[derive(Debug, Clone)]
struct Octets;

impl Weighter<Box<[u8]>, Arc<Entry>> for Octets {
    fn weight(&self, key: &Box<[u8]>, entry: &Arc<Entry>) -> u64 {
        let facts = entry.answer.target_count() * size_of::<Facts>();
        (key.len() + entry.answer.weight() + facts + OVERHEAD) as u64
    }
}

/// Upstream answers by question.
#[derive(Debug)]
pub struct AnswerCache {
    entries: Cache<Box<[u8]>, Arc<Entry>, Octets>,
}

impl AnswerCache {
    /// An empty cache that holds at most `octets`.
    pub fn new(octets: u64) -> Self {
        // An answer of one address takes about 300 octets.
        let expected = usize::try_from(octets / 300).unwrap_or(usize::MAX).max(16);
        Self { entries: Cache::with_weighter(expected, octets, Octets) }
    }

    /// The answer to a question, while its TTL lasts.
    #[inline]
    pub fn get(&self, key: &Key, now: u64) -> Option<Arc<Entry>> {
        let entry = self.entries.get(key.as_octets())?;
        (entry.age(now) < entry.answer.lifetime()).then_some(entry)
    }

    /// Keeps an answer, if it may be kept at all.
    pub fn insert(&self, key: &Key, entry: Entry) {
        if entry.answer.lifetime() > 0 && !entry.answer.is_failure() {
            self.entries.insert(key.as_octets().into(), Arc::new(entry));
        }
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
