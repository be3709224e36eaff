//! One worker's own replies: what it answered from the cache before, ready to go out again.
//!
//! A hit here takes no lock, writes nothing that another worker reads, and asks policy nothing:
//! what policy said is kept with the reply, and with it *under what* it was said ([`PolicyEpoch`]): the
//! generation of policy, the asker's group, and the stretch of time between two edges in which
//! that group's rules do not change. Under anything else the reply is not there.
//!
//! It never has the last word. What it does not have, or what is not fresh beyond doubt, goes the
//! whole way through policy and the [`crate::cache::AnswerCache`]. What was evicted or replaced
//! there may live on here until nine tenths of its TTL are over.
//!
//! ```text
//! hash of name and type ─▶ set: 4 tags ─▶ place: what it is, name, records    two lines of memory
//! ```
//!
//! A table of fixed size. A short answer stands in its place, so that nothing else is read for
//! it; a longer one stays in the cache's entry. Of four places the one goes that was not asked
//! for lately: names that are asked for once push out each other, not those in use.
//!
//! [`ReplyCache::prefetch`] asks the processor for the memory of a question before it is needed, so that
//! a batch of questions waits for memory once, together.

use std::sync::Arc;

use crate::cache::Entry;
use crate::cpu_prefetch;
use crate::dns::message::answer::Body;
use crate::dns::message::query::Query;

use crate::dns::message::{HEADER, Rcode, u16_at};
use crate::dns::name::Folded;
use crate::policy::{Group, GroupId};
use crate::resolve::{AnswerSource, Now, Outcome};

/// Places of a set.
const WAYS: usize = 4;
/// Sets; a power of two. A worker's table takes 8 MiB when all are in use.
const SETS: usize = 1 << 13;
/// Octets of a place for name, records, and where their TTLs are.
const ROOM: usize = 168;
/// Answers that take more are not kept here: they would live on after their eviction.
const MAX_WEIGHT: usize = 2048;

/// Under what policy let a reply through: it holds for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyEpoch {
    /// The number of the policy in force.
    pub generation: u64,
    /// The asker's group.
    pub group: GroupId,
    /// The stretch of time, by [`crate::policy::group::timeline::Timeline::interval`].
    pub stretch: u32,
}

impl PolicyEpoch {
    /// Now, for a group.
    #[inline]
    pub fn of(generation: u64, rules: &Group, group: GroupId, now: Now) -> Self {
        Self { generation, group, stretch: rules.rules.interval(now) }
    }
}

/// What policy said, and for how long it will.
#[derive(Debug, Clone, Copy)]
pub struct Admission {
    /// Under what it was said.
    pub under: PolicyEpoch,
    /// What is counted.
    pub outcome: Outcome,
    /// From this instant on, in civil seconds, it would say otherwise.
    pub until: u64,
}

/// A worker's look at its own replies, for one question.
#[derive(Debug)]
pub struct Lookup<'a> {
    /// The replies.
    pub near: &'a mut ReplyCache,
    /// Where the question is looked for.
    pub spot: Probe,
    /// The number of the policy in force.
    pub generation: u64,
}

/// A reply that can go out.
#[derive(Debug)]
pub struct CachedReply<'a> {
    /// The answer.
    pub body: Body<'a>,
    /// What is counted.
    pub outcome: Outcome,
    /// Seconds since the answer came.
    pub age: u32,
    /// From this instant on, in civil seconds, policy would answer otherwise.
    pub until: u64,
}

/// Four places: who is there, and who was asked for lately.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct Set {
    /// A part of each hash, never 0; 0 is a free place.
    tags: [u32; WAYS],
    /// One bit for each place.
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
    /// Holds the answer where the octets have no room for it.
    entry: Option<Arc<Entry>>,
}

const EMPTY: Slot = Slot {
    under: PolicyEpoch { generation: 0, group: GroupId(0), stretch: 0 },
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
    places: Box<[[Slot; WAYS]]>,
    seed: u64,
}

/// Finds the places of a question: a hash of its name and type.
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
    /// Nothing is in use. `seed` is a random number: clients choose the names.
    pub fn new(seed: u64) -> Self {
        let places = (0..SETS).map(|_| [EMPTY; WAYS]);
        Self {
            sets: vec![Set { tags: [0; WAYS], recent: 0 }; SETS].into(),
            places: places.collect(),
            seed: seed | 1,
        }
    }

    /// Where the question in these octets is looked for, if it is one.
    #[inline]
    pub fn spot(&self, octets: &[u8]) -> Probe {
        Probe(hash(octets, self.seed).unwrap_or_default())
    }

    /// Asks the processor for the memory that a question will need; says whether it may be here.
    #[inline]
    pub fn prefetch(&self, spot: Probe) -> bool {
        let (Some(set), Some(places)) = (self.sets.get(spot.set()), self.places.get(spot.set()))
        else {
            return false;
        };
        let mut is_here = false;
        for (place, &tag) in places.iter().zip(&set.tags) {
            if tag == spot.tag() {
                cpu_prefetch::fetch(place, 2);
                is_here = true;
            }
        }
        is_here
    }

    /// Asks the processor for the words that [`ReplyCache::prefetch`] reads.
    #[inline]
    pub fn prefetch_set(&self, spot: Probe) {
        if let Some(set) = self.sets.get(spot.set()) {
            cpu_prefetch::fetch(set, 1);
        }
    }

    /// The reply to a question, if it can go out under this, while nine tenths of its TTL last.
    #[inline]
    pub fn get(
        &mut self,
        spot: Probe,
        query: &Query<'_>,
        under: PolicyEpoch,
        now: u64,
    ) -> Option<CachedReply<'_>> {
        let set = self.sets.get_mut(spot.set())?;
        let places = self.places.get(spot.set())?;
        let name = query.wire_name();
        let flags = flags(query);
        let is_it = |place: &Slot| {
            place.under == under
                && place.qtype == query.qtype
                && place.flags == flags
                && place.is_named(name)
        };
        let tags = set.tags;
        let mut ways = places.iter().zip(tags).enumerate();
        let (way, (place, _)) = ways.find(|(_, (p, tag))| *tag == spot.tag() && is_it(p))?;
        let age = now.saturating_sub(place.stored).min(u64::from(u32::MAX)) as u32;
        if !is_fresh(age, place.lifetime) {
            return None;
        }
        set.touch(way);
        let (outcome, until) = (place.outcome, place.until);
        Some(CachedReply { body: place.body()?, outcome, age, until })
    }

    /// Keeps an answer that policy let through.
    pub fn put(
        &mut self,
        spot: Probe,
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
        let (Some(set), Some(places)) =
            (self.sets.get_mut(spot.set()), self.places.get_mut(spot.set()))
        else {
            return;
        };
        let is_same = |place: &Slot| {
            place.under.group == under.group
                && place.qtype == query.qtype
                && place.flags == flags(query)
                && place.is_named(query.wire_name())
        };
        let same = (0..WAYS).find(|&way| {
            set.tags.get(way) == Some(&spot.tag()) && places.get(way).is_some_and(is_same)
        });
        let way = same.unwrap_or_else(|| set.victim());
        let body = entry.answer.body();
        let mut place = Slot {
            under,
            until,
            // Not reckoned from its age: another worker's second may be ahead of this one's.
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
        let Some(to) = place.octets.get_mut(..wire.len()) else { return };
        to.copy_from_slice(wire);
        if place.take(&body).is_none() {
            place.entry = Some(Arc::clone(entry));
        }
        if let (Some(to), Some(tag)) = (places.get_mut(way), set.tags.get_mut(way)) {
            *to = place;
            *tag = spot.tag();
        }
    }
}

impl Set {
    /// Notes that a place was asked for.
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

    /// The place that goes: a free one, or the first that was not asked for lately.
    fn victim(&self) -> usize {
        let free = self.tags.iter().position(|&tag| tag == 0);
        free.unwrap_or(self.recent.trailing_ones() as usize % WAYS)
    }
}

impl Slot {
    /// Whether it is for this name, whatever the case of its letters.
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

    /// Takes records and the places of their TTLs in; `None` where they have no room.
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

/// Whether nobody need be asked to have it fetched anew yet.
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

/// A number for name and type of a question, read from the octets of a query; letters count as
/// one whatever their case. It only finds a place: octets are compared afterwards.
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
