//! One worker's own look at the cache: answers in use, with what the lists say of their names.
//!
//! A hit here takes no lock and writes nothing that another worker reads, and the lists need not
//! be asked: their facts stand beside the answer, with the tag of those lists, and are worth
//! nothing under another. Policy judges each asker by them, as it would by fresh ones.
//!
//! A table of fixed size, two places for each hash. It never has the last word: what it does not
//! have, or what is not fresh beyond doubt, is asked of the [`super::AnswerCache`]. What was
//! evicted or replaced there may live on here until nine tenths of its TTL are over.
//!
//! [`Near::warm`] asks the processor for the memory of a question before it is needed, so
//! that a batch of questions waits for memory once, together.

use std::sync::Arc;

use super::{Entry, Route};
use crate::message::query::Query;
use crate::message::{HEADER, u16_at};
use crate::policy::Facts;

/// Places; a power of two. A worker's table takes 6 MiB when all are in use.
const PLACES: usize = 1 << 15;
/// The longest name that is kept here, as octets; longer ones are rare.
const MAX_NAME: usize = 72;
/// Answers that take more are not kept here: they would live on after their eviction.
const MAX_WEIGHT: usize = 2048;

/// An answer in use.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Place {
    hash: u64,
    entry: Option<Arc<Entry>>,
    note: Note,
    qtype: u16,
    /// The DO and CD bits.
    flags: u8,
    length: u8,
    name: [u8; MAX_NAME],
}

const EMPTY: Place = Place {
    hash: 0,
    entry: None,
    note: Note { tag: 0, route: Route::Plain, facts: Facts::SILENT },
    qtype: 0,
    flags: 0,
    length: 0,
    name: [0; MAX_NAME],
};

/// What is known of a question.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The answer.
    pub entry: &'a Entry,
    /// What is noted beside it.
    pub note: &'a Note,
}

/// What is noted beside an answer.
#[derive(Debug, Clone, Copy)]
pub struct Note {
    /// Of which lists the facts are.
    pub tag: u64,
    /// What they say of the name.
    pub facts: Facts,
    /// Where the answer came from.
    pub route: Route,
}

/// One worker's answers in use.
#[derive(Debug)]
pub struct Near {
    places: Box<[Place]>,
    seed: u64,
}

impl Near {
    /// Nothing is in use. `seed` is a random number: clients choose the names.
    pub fn new(seed: u64) -> Self {
        Self { places: vec![EMPTY; PLACES].into(), seed: seed | 1 }
    }

    /// Asks the processor for the memory that the question in these octets will need, if it
    /// is one.
    #[inline]
    pub fn warm(&self, octets: &[u8]) {
        if let Some(hash) = hash(octets, self.seed)
            && let Some(place) = self.places.get(first(hash)..)
        {
            prefetch(place, 0);
            prefetch(place, 64);
            prefetch(place, 128);
        }
    }

    /// The same, a moment later: now the place can be read, and says where the answer is.
    #[inline]
    pub fn warm_answer(&self, octets: &[u8]) {
        let Some(hash) = hash(octets, self.seed) else { return };
        for place in self.places.iter().skip(first(hash)).take(2) {
            if let Some(entry) = place.entry.as_deref().filter(|_| place.hash == hash) {
                let entry = std::slice::from_ref(entry);
                for line in [0, 64, 128, 192] {
                    prefetch(entry, line);
                }
            }
        }
    }

    /// The answer to a question and the facts of its name, by the lists with this tag, while
    /// nine tenths of its TTL last.
    #[inline]
    pub fn get(&self, query: &Query<'_>, tag: u64, now: u64) -> Option<Known<'_>> {
        let hash = hash(query.octets(), self.seed)?;
        let wire = query.name.as_wire();
        let place = self.places.get(first(hash)..first(hash) + 2)?.iter().find(|place| {
            place.hash == hash
                && place.note.tag == tag
                && place.qtype == query.qtype
                && place.flags == flags(query)
                && place.name.get(..usize::from(place.length)) == Some(wire)
        })?;
        let entry = place.entry.as_deref()?;
        is_fresh(entry, now).then_some(Known { entry, note: &place.note })
    }

    /// Keeps an answer that is in use.
    pub fn put(&mut self, query: &Query<'_>, now: u64, entry: &Arc<Entry>, note: Note) {
        let wire = query.name.as_wire();
        let Some(hash) = hash(query.octets(), self.seed) else { return };
        if wire.len() > MAX_NAME || entry.weight() > MAX_WEIGHT || !is_fresh(entry, now) {
            return;
        }
        let Some([one, other]) = self.places.get_mut(first(hash)..first(hash) + 2) else { return };
        let is_free = |place: &Place| {
            place.hash == hash || place.entry.as_ref().is_none_or(|entry| !is_fresh(entry, now))
        };
        // Else the one that a bit of the hash names: no worse than any, and nothing is noted.
        let to = match (is_free(one), is_free(other)) {
            (true, _) => one,
            (_, true) => other,
            _ if hash >> 63 == 0 => one,
            _ => other,
        };
        to.hash = hash;
        to.entry = Some(Arc::clone(entry));
        to.note = note;
        to.qtype = query.qtype;
        to.flags = flags(query);
        to.length = wire.len() as u8;
        if let Some(name) = to.name.get_mut(..wire.len()) {
            name.copy_from_slice(wire);
        }
    }
}

/// Whether nobody need be asked to have it fetched anew yet.
#[inline]
fn is_fresh(entry: &Entry, now: u64) -> bool {
    entry.age(now) < entry.lifetime() - entry.lifetime() / 10
}

#[inline]
fn flags(query: &Query<'_>) -> u8 {
    u8::from(query.dnssec_ok()) | u8::from(query.checking_disabled()) << 1
}

/// Where the two places of a hash begin.
#[inline]
fn first(hash: u64) -> usize {
    (hash >> 32) as usize % (PLACES / 2) * 2
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

/// Asks the processor for a line of memory; nothing is read.
#[inline]
#[expect(unsafe_code, reason = "a hint to the processor has no safe form")]
fn prefetch<T>(from: &[T], octets: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing and never faults, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(from.as_ptr().cast::<i8>().wrapping_add(octets));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, octets);
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, octets};
    use super::*;

    const NOTE: Note = Note { tag: 1, facts: Facts::SILENT, route: Route::Plain };

    fn near() -> Near {
        Near::new(7)
    }

    #[test]
    fn what_is_put_in_is_there_in_any_case_of_letters_until_nine_tenths_are_over() {
        let mut near = near();
        let asked = octets("www.example");
        let query = Query::parse(&asked).unwrap();
        let entry = Arc::new(Entry::new(answer("www.example", 100), 10));
        near.put(&query, 10, &entry, NOTE);
        let shouted: Vec<u8> = asked
            .iter()
            .enumerate()
            .map(|(n, o)| if n > 12 { o.to_ascii_uppercase() } else { *o })
            .collect();
        let shouted = Query::parse(&shouted).unwrap();
        for query in [&query, &shouted] {
            near.warm(query.octets());
            near.warm_answer(query.octets());
            assert!(near.get(query, 1, 99).is_some());
            assert!(near.get(query, 1, 100).is_none(), "the cache must see who asks now");
            assert!(near.get(query, 2, 11).is_none(), "other lists, other facts");
        }
    }

    #[test]
    fn another_name_type_or_bit_is_another_question() {
        let mut near = near();
        let asked = octets("w_w.example");
        let query = Query::parse(&asked).unwrap();
        let entry = Arc::new(Entry::new(answer("w_w.example", 100), 10));
        near.put(&query, 10, &entry, NOTE);
        let mut others =
            vec![octets("ww.example"), octets("w_w.exampl"), asked.clone(), asked.clone()];
        let type_at = asked.len() - 3;
        others[2][type_at] = 28;
        others[3][3] |= 0x10;
        // An octet that differs from another only in the bit that is a letter's case.
        others.push(octets("w_w.example"));
        others[4][HEADER + 2] = b'_' | 0x20;
        for other in &others {
            if let Ok(query) = Query::parse(other) {
                assert!(near.get(&query, 1, 11).is_none(), "{other:?}");
            }
        }
        assert!(near.get(&query, 1, 11).is_some());
    }

    #[test]
    fn more_names_than_places_take_no_more_memory() {
        let mut near = near();
        for number in 0..2 * PLACES {
            let name = format!("n{number}.example");
            let asked = octets(&name);
            let entry = Arc::new(Entry::new(answer(&name, 100), 10));
            let query = Query::parse(&asked).unwrap();
            near.put(&query, 10, &entry, NOTE);
        }
        assert_eq!(near.places.len(), PLACES);
        let used = near.places.iter().filter(|place| place.entry.is_some()).count();
        assert!(used > PLACES / 2, "{used}");
    }

    #[test]
    fn octets_that_are_no_question_are_nothing() {
        for octets in [&[][..], &[0; 12], &[1; 20], &[63; 40]] {
            near().warm(octets);
            near().warm_answer(octets);
        }
    }
}
