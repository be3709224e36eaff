//! Per-worker reply cache. An entry is valid for one policy generation, group and schedule
//! interval ([`PolicyEpoch`]); under any other it is not found.
//!
//! A hit takes no lock, writes nothing that another worker reads, and does not consult policy:
//! the outcome is stored with the reply. Everything that is absent, or not fresh beyond doubt,
//! takes the whole way through policy and the [`crate::cache::AnswerCache`]. An answer that was
//! evicted or replaced there may be used here until nine tenths of its TTL are over.
//!
//! ```text
//! hash of name and type ─▶ set: 4 tags ─▶ slot: epoch, name, records    two lines of memory
//! ```
//!
//! A table of fixed size. A short answer lies in its slot, so that nothing else is read for it;
//! a longer one stays in the cache's entry. Of four slots one that was not used lately is
//! replaced: names that are asked for once push out each other, not those in use.
//!
//! [`ReplyCache::prefetch`] prefetches the memory of a question, so that a batch of questions
//! waits for memory once, together.

use std::sync::Arc;

use crate::cache::Entry;
use crate::cpu_prefetch;
use crate::dns::message::answer::Body;
use crate::dns::message::query::Query;

use crate::dns::message::{HEADER, Rcode, u16_at};
use crate::dns::name::Folded;
use crate::policy::{Group, GroupId};
use crate::resolve::{AnswerSource, Now, Outcome};

/// Slots of a set.
const WAYS: usize = 4;
/// Sets; a power of two. A worker's table takes 8 MiB when all are in use.
const SETS: usize = 1 << 13;
/// Octets of a slot for name, records, and the positions of their TTLs.
const ROOM: usize = 168;
/// The largest entry that is stored here: a slot keeps its entry in memory after eviction.
const MAX_WEIGHT: usize = 2048;

/// The validity of a reply: policy generation, group and schedule interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyEpoch {
    /// The number of the policy in force.
    pub generation: u64,
    /// The client's group.
    pub group: GroupId,
    /// The interval between two edges of the group's timetable.
    pub interval: u32,
}

impl PolicyEpoch {
    /// The epoch of a group now.
    #[inline]
    pub fn of(generation: u64, rules: &Group, group: GroupId, now: Now) -> Self {
        Self { generation, group, interval: rules.rules.interval(now) }
    }
}

/// The outcome that policy gave, and its validity.
#[derive(Debug, Clone, Copy)]
pub struct Admission {
    /// Its epoch.
    pub under: PolicyEpoch,
    /// The outcome, for the counters.
    pub outcome: Outcome,
    /// The instant, in civil seconds, from which policy would answer otherwise.
    pub until: u64,
}

/// The look-up of one question in a worker's reply cache.
#[derive(Debug)]
pub struct Lookup<'a> {
    /// The reply cache.
    pub near: &'a mut ReplyCache,
    /// The question's probe.
    pub probe: Probe,
    /// The number of the policy in force.
    pub generation: u64,
}

/// A reply that can be sent.
#[derive(Debug)]
pub struct CachedReply<'a> {
    /// The answer.
    pub body: Body<'a>,
    /// The outcome, for the counters.
    pub outcome: Outcome,
    /// Seconds since the answer's arrival.
    pub age: u32,
    /// The instant, in civil seconds, from which policy would answer otherwise.
    pub until: u64,
}

/// The tags of four slots, and which were used lately.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct Set {
    /// A part of each hash, never 0; 0 is a free slot.
    tags: [u32; WAYS],
    /// One bit for each slot.
    recent: u8,
}

/// One reply.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
struct Slot {
    under: PolicyEpoch,
    until: u64,
    stored: u64,
    outcome: Outcome,
    lifetime: u32,
    qtype: u16,
    rcode: Rcode,
    answers: u16,
    authorities: u16,
    /// RD, DO and CD.
    flags: u8,
    is_authentic: bool,
    name: u8,
    records: u8,
    ttls: u8,
    octets: [u8; ROOM],
    /// The entry of an answer that the octets have no room for.
    entry: Option<Arc<Entry>>,
}

const EMPTY: Slot = Slot {
    under: PolicyEpoch { generation: 0, group: GroupId(0), interval: 0 },
    until: 0,
    stored: 0,
    outcome: Outcome::plain(Rcode::NOERROR, AnswerSource::Cache),
    lifetime: 0,
    qtype: 0,
    rcode: Rcode::NOERROR,
    answers: 0,
    authorities: 0,
    flags: 0,
    is_authentic: false,
    name: 0,
    records: 0,
    ttls: 0,
    octets: [0; ROOM],
    entry: None,
};

/// One worker's replies in use.
#[derive(Debug)]
pub struct ReplyCache {
    sets: Box<[Set]>,
    slots: Box<[[Slot; WAYS]]>,
    seed: u64,
}

/// The probe of a question: a hash of its name and type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Probe(u64);

impl Probe {
    #[inline]
    fn set(self) -> usize {
        (self.0 >> 32) as usize % SETS
    }

    #[inline]
    fn tag(self) -> u32 {
        self.0 as u32 | 1
    }
}

impl ReplyCache {
    /// An empty cache. `seed` is a random number: clients choose the names.
    pub fn new(seed: u64) -> Self {
        let slots = (0..SETS).map(|_| [EMPTY; WAYS]);
        Self {
            sets: vec![Set { tags: [0; WAYS], recent: 0 }; SETS].into(),
            slots: slots.collect(),
            seed: seed | 1,
        }
    }

    /// The probe of the question in these octets; a fixed one for octets without a question.
    #[inline]
    pub fn probe(&self, octets: &[u8]) -> Probe {
        Probe(hash(octets, self.seed).unwrap_or_default())
    }

    /// Prefetches the slots of a question; returns whether one may have its reply.
    #[inline]
    pub fn prefetch(&self, probe: Probe) -> bool {
        let (Some(set), Some(slots)) = (self.sets.get(probe.set()), self.slots.get(probe.set()))
        else {
            return false;
        };
        let mut is_here = false;
        for (slot, &tag) in slots.iter().zip(&set.tags) {
            if tag == probe.tag() {
                cpu_prefetch::fetch(slot, 2);
                is_here = true;
            }
        }
        is_here
    }

    /// Prefetches the tags that [`ReplyCache::prefetch`] reads.
    #[inline]
    pub fn prefetch_set(&self, probe: Probe) {
        if let Some(set) = self.sets.get(probe.set()) {
            cpu_prefetch::fetch(set, 1);
        }
    }

    /// The reply to a question under an epoch, within nine tenths of its TTL.
    #[inline]
    pub fn get(
        &mut self,
        probe: Probe,
        query: &Query<'_>,
        under: PolicyEpoch,
        now: u64,
    ) -> Option<CachedReply<'_>> {
        let set = self.sets.get_mut(probe.set())?;
        let slots = self.slots.get(probe.set())?;
        let name = query.wire_name();
        let flags = flags(query);
        let is_it = |slot: &Slot| {
            slot.under == under
                && slot.qtype == query.qtype
                && slot.flags == flags
                && slot.is_named(name)
        };
        let tags = set.tags;
        let mut ways = slots.iter().zip(tags).enumerate();
        let (way, (slot, _)) = ways.find(|(_, (p, tag))| *tag == probe.tag() && is_it(p))?;
        let age = now.saturating_sub(slot.stored).min(u64::from(u32::MAX)) as u32;
        if !is_fresh(age, slot.lifetime) {
            return None;
        }
        set.touch(way);
        let (outcome, until) = (slot.outcome, slot.until);
        Some(CachedReply { body: slot.body()?, outcome, age, until })
    }

    /// Stores an answer that policy let through.
    pub fn put(
        &mut self,
        probe: Probe,
        (query, name): (&Query<'_>, &Folded),
        admission: Admission,
        entry: &Arc<Entry>,
        now: u64,
    ) {
        let Admission { under, outcome, until } = admission;
        let wire = name.as_wire();
        if entry.weight() > MAX_WEIGHT || !is_fresh(entry.age(now), entry.lifetime()) {
            return;
        }
        let (Some(set), Some(slots)) =
            (self.sets.get_mut(probe.set()), self.slots.get_mut(probe.set()))
        else {
            return;
        };
        let is_same = |slot: &Slot| {
            slot.under.group == under.group
                && slot.qtype == query.qtype
                && slot.flags == flags(query)
                && slot.is_named(query.wire_name())
        };
        let same = (0..WAYS).find(|&way| {
            set.tags.get(way) == Some(&probe.tag()) && slots.get(way).is_some_and(is_same)
        });
        let way = same.unwrap_or_else(|| set.victim());
        let body = entry.answer.body();
        let mut slot = Slot {
            under,
            until,
            // Not derived from its age: another worker's second may be ahead of this one's.
            stored: entry.stored(),
            outcome,
            lifetime: entry.lifetime(),
            qtype: query.qtype,
            rcode: body.rcode,
            answers: body.answers,
            authorities: body.authorities,
            flags: flags(query),
            is_authentic: body.is_authentic,
            name: wire.len() as u8,
            ..EMPTY
        };
        let Some(to) = slot.octets.get_mut(..wire.len()) else { return };
        to.copy_from_slice(wire);
        if slot.take(&body).is_none() {
            slot.entry = Some(Arc::clone(entry));
        }
        if let (Some(to), Some(tag)) = (slots.get_mut(way), set.tags.get_mut(way)) {
            *to = slot;
            *tag = probe.tag();
        }
    }
}

impl Set {
    /// Marks a slot as used.
    #[inline]
    fn touch(&mut self, way: usize) {
        let bit = 1 << way;
        if self.recent & bit == 0 {
            self.recent |= bit;
            if self.recent == (1 << WAYS) - 1 {
                self.recent = bit;
            }
        }
    }

    /// The slot to reslot: a free one, or the first that was not used lately.
    fn victim(&self) -> usize {
        let free = self.tags.iter().position(|&tag| tag == 0);
        free.unwrap_or(self.recent.trailing_ones() as usize % WAYS)
    }
}

impl Slot {
    /// Whether it is for this name, in any case of letters.
    #[inline]
    fn is_named(&self, name: &[u8]) -> bool {
        self.octets
            .get(..usize::from(self.name))
            .is_some_and(|own| own == name || own.eq_ignore_ascii_case(name))
    }

    /// The answer.
    #[inline]
    fn body(&self) -> Option<Body<'_>> {
        if let Some(entry) = &self.entry {
            return Some(entry.answer.body());
        }
        let rest = self.octets.get(usize::from(self.name)..)?;
        let (records, rest) = rest.split_at_checked(self.records.into())?;
        Some(Body {
            rcode: self.rcode,
            is_authentic: self.is_authentic,
            answers: self.answers,
            authorities: self.authorities,
            records,
            ttls: rest.as_chunks().0.get(..usize::from(self.ttls))?,
            ede: None,
        })
    }

    /// Copies records and TTL positions; `None` where they have no room.
    fn take(&mut self, body: &Body<'_>) -> Option<()> {
        let rest = self.octets.get_mut(usize::from(self.name)..)?;
        let (records, rest) = rest.split_at_mut_checked(body.records.len())?;
        let ttls = rest.as_chunks_mut().0.get_mut(..body.ttls.len())?;
        if body.ede.is_some() {
            return None;
        }
        records.copy_from_slice(body.records);
        ttls.copy_from_slice(body.ttls);
        (self.records, self.ttls) = (body.records.len() as u8, body.ttls.len() as u8);
        Some(())
    }
}

/// Whether no refresh is due yet: within nine tenths of the lifetime.
#[inline]
fn is_fresh(age: u32, lifetime: u32) -> bool {
    age < lifetime - lifetime / 10
}

#[inline]
fn flags(query: &Query<'_>) -> u8 {
    u8::from(query.dnssec_ok())
        | u8::from(query.checking_disabled()) << 1
        | u8::from(query.recursion_desired()) << 2
}

/// A hash of name and type of a question, read from the octets of a query; the case of letters
/// does not count. It only finds a slot: octets are compared afterwards.
#[inline]
fn hash(octets: &[u8], seed: u64) -> Option<u64> {
    const CASE: u64 = 0x2020_2020_2020_2020;
    let mut at = HEADER;
    loop {
        let length = *octets.get(at)?;
        if length == 0 {
            break;
        }
        at += 1 + usize::from(length);
    }
    let mut state = seed ^ u64::from(u16_at(octets, at + 1)?) << 48;
    let mut rest = octets.get(HEADER..at)?;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        state = mix(state ^ (u64::from_le_bytes(*chunk) | CASE));
        rest = tail;
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    Some(mix(state ^ (u64::from_le_bytes(last) | CASE)))
}

#[inline]
fn mix(value: u64) -> u64 {
    let product = u128::from(value) * 0x9e37_79b9_7f4a_7c15;
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests;
