//! The answer cache: what upstream said, ready to send. Never a verdict.
//!
//! Keyed by the name asked for, its type, and the DO and CD bits; one entry for
//! all groups, because what upstream says does not depend on who asks. Bounded
//! in octets. Times are the caller's: seconds of a clock that only goes forward.
//!
//! The hasher is seeded anew in each process: clients choose the keys.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::message::answer::Answer;
use crate::name::{Folded, MAX_OCTETS};

/// What a key costs beside its octets: the map's own books.
const OVERHEAD: usize = 96;
/// Octets of a key in front of the name: flags and type.
const KEY_HEAD: usize = 3;

/// A key on the stack.
pub struct Key {
    octets: [u8; KEY_HEAD + MAX_OCTETS],
    length: usize,
}

impl Key {
    /// The key of a question.
    #[inline]
    pub fn new(name: &Folded, qtype: u16, dnssec_ok: bool, checking_disabled: bool) -> Self {
        let mut octets = [0; KEY_HEAD + MAX_OCTETS];
        let wire = name.as_wire();
        let length = KEY_HEAD + wire.len();
        let [high, low] = qtype.to_be_bytes();
        let (head, rest) = octets.split_at_mut(KEY_HEAD);
        head.copy_from_slice(&[u8::from(dnssec_ok) | u8::from(checking_disabled) << 1, high, low]);
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
}

impl Entry {
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
        (key.len() + entry.answer.weight() + OVERHEAD) as u64
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
    pub fn insert(&self, key: &Key, answer: Answer, now: u64) {
        if answer.lifetime() > 0 && !answer.is_failure() {
            self.entries.insert(key.as_octets().into(), Arc::new(Entry { answer, stored: now }));
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
