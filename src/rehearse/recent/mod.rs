//! What this school asked for lately, without a history of it.
//!
//! ```text
//! an allowed answer ─┬─ a name of the sample ▶ a sketch of its clients (memory) ─10 of them─▶ one bit (kept)
//!  (1 of 64; each    └─ any other name       ▶ a table of names (memory)
//!   that upstream gave)
//! ```
//!
//! Laws:
//!
//! - What is kept is one bit a name of the popular sample, and two sums. Names of the table, sketches
//!   and their key are in memory only, and a new process begins without them: a key and hashes on
//!   one disk would be a history.
//! - A bit says that at least ten clients asked. A sketch has 32 bits, and a client sets one of
//!   them, chosen by a hash under a key of this process; so ten bits are ten clients or more, and no
//!   sketch says which.
//! - Names of a protected category, of help for children, reverse names, and what was blocked or
//!   does not exist are never noted.
//! - Noting neither waits nor allocates: cells are atomic, and two writers of one cell spoil it. A
//!   spoilt cell does not match its hash, and is no name.

use std::hash::Hasher as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use arc_swap::ArcSwap;
use siphasher::sip::SipHasher13;

use crate::dns::message::Rcode;
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::policy::Snapshot;
use crate::rehearse::sample::PopularSample;
use crate::resolve::{AnswerSource, Outcome};

/// Clients that must have asked for a name before its bit is set.
pub const CLIENTS: u32 = 10;
/// One of this many answers from the cache is noted.
pub const ONE_IN: u32 = 64;

/// Cells of the table.
const CELLS: usize = 4096;
/// Cells in which one name can be.
const WAYS: usize = 4;
/// Words of a name; longer ones are not remembered.
const WORDS: usize = 9;
/// Sums above this are halved, so that old weeks fade.
const MOST_ASKED: u64 = 1 << 32;
/// Seconds between two writings of what is kept.
const KEEP_EVERY: u64 = 3600;
/// The format of what is kept.
const FORMAT: &str = "lachan-seen 1";
/// Names of addresses: each has a client's.
const REVERSE: &[u8] = b"\x04arpa\x00";

/// A name that was allowed lately.
#[derive(Debug, Default)]
struct Cell {
    /// The keyed hash of the name in `words`; 0 for none.
    mark: AtomicU64,
    weight: AtomicU32,
    words: [AtomicU64; WORDS],
}

/// The sample, with what was seen of it.
#[derive(Debug)]
struct Seen {
    sample: Arc<PopularSample>,
    /// A bit a name: at least [`CLIENTS`] asked for it.
    bits: Vec<AtomicU64>,
    /// A sketch a name.
    sketches: Vec<AtomicU32>,
}

/// Names that were allowed lately.
#[derive(Debug)]
pub struct RecentNames {
    key: (u64, u64),
    seen: ArcSwap<Seen>,
    cells: Box<[Cell]>,
    /// Queries that passed, and those of them for names of the sample with a bit.
    asked: AtomicU64,
    in_sample: AtomicU64,
    /// When it is to be kept next, in seconds of the gateway's clock.
    due: AtomicU64,
}

impl Seen {
    fn new(sample: Arc<PopularSample>) -> Self {
        let count = sample.names().len();
        let bits = (0..count.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { bits, sketches: (0..count).map(|_| AtomicU32::new(0)).collect(), sample }
    }

    fn has(&self, place: usize) -> bool {
        self.bits.get(place / 64).is_some_and(|word| word.load(Relaxed) >> (place % 64) & 1 == 1)
    }

    fn set(&self, place: usize) {
        if let Some(word) = self.bits.get(place / 64) {
            word.fetch_or(1 << (place % 64), Relaxed);
        }
    }
}

impl RecentNames {
    /// Nothing, under a key that no other process has.
    pub fn new(sample: Arc<PopularSample>, key: (u64, u64)) -> Self {
        Self {
            key,
            seen: ArcSwap::from_pointee(Seen::new(sample)),
            cells: (0..CELLS).map(|_| Cell::default()).collect(),
            asked: AtomicU64::new(0),
            in_sample: AtomicU64::new(0),
            due: AtomicU64::new(KEEP_EVERY),
        }
    }

    /// Takes another sample, of which nothing was seen; what was seen of the same one stays.
    pub fn follow(&self, sample: &Arc<PopularSample>) {
        if self.seen.load().sample.digest() != sample.digest() {
            self.seen.store(Arc::new(Seen::new(Arc::clone(sample))));
            self.in_sample.store(0, Relaxed);
        }
    }

    /// Forgets all.
    pub fn forget(&self) {
        let sample = Arc::clone(&self.seen.load().sample);
        self.seen.store(Arc::new(Seen::new(sample)));
        for cell in &self.cells {
            cell.mark.store(0, Relaxed);
            cell.weight.store(0, Relaxed);
        }
        self.asked.store(0, Relaxed);
        self.in_sample.store(0, Relaxed);
    }

    /// Whether it is to be kept now; if so, the next time is an hour later.
    pub fn is_due(&self, now: u64) -> bool {
        let is_due = now >= self.due.load(Relaxed);
        if is_due {
            self.due.store(now + KEEP_EVERY, Relaxed);
        }
        is_due
    }

    /// Notes an answer that stands for `weight` of its kind; `client` is any number of the client.
    pub fn note(
        &self,
        snapshot: &Snapshot,
        (name, qtype): (&Folded, u16),
        client: u64,
        outcome: &Outcome,
        weight: u32,
    ) {
        if !is_wanted(outcome)
            || !matches!(qtype, rtype::A | rtype::AAAA | rtype::HTTPS)
            || name.label_count() < 2
            || name.as_wire().ends_with(REVERSE)
        {
            return;
        }
        let protected = snapshot.taxonomy().select(|row| row.is_protected);
        let listed = snapshot.listed(&snapshot.hashed(name), qtype);
        let all = listed.set.union(listed.any_zone).union(outcome.observed);
        if !all.intersection(protected).is_empty() {
            return;
        }
        self.count(&self.seen.load(), name, client, weight);
    }

    fn count(&self, seen: &Seen, name: &Folded, client: u64, weight: u32) {
        self.asked.fetch_add(u64::from(weight), Relaxed);
        match seen.sample.place(name) {
            None => self.remember(name, weight),
            Some(place) if seen.has(place) => {
                self.in_sample.fetch_add(u64::from(weight), Relaxed);
            }
            Some(place) => {
                self.remember(name, weight);
                self.sketch(seen, place, client);
            }
        }
    }

    /// Notes that a client asked for a name of the sample.
    fn sketch(&self, seen: &Seen, place: usize, client: u64) {
        let Some(sketch) = seen.sketches.get(place) else { return };
        let mut hasher = SipHasher13::new_with_keys(self.key.0, self.key.1);
        hasher.write_u64(client);
        hasher.write_u64(place as u64);
        let bit = 1 << (hasher.finish() % u64::from(u32::BITS));
        let bits = sketch.fetch_or(bit, Relaxed) | bit;
        if bits.count_ones() >= CLIENTS {
            seen.set(place);
            // Nothing is to be learnt of it any more.
            sketch.store(0, Relaxed);
        }
    }

    /// Puts a name into the table, in the place of one that was asked for less.
    fn remember(&self, name: &Folded, weight: u32) {
        let wire = name.as_wire();
        if wire.len() > WORDS * 8 {
            return;
        }
        let mark = self.mark(wire);
        let first = (mark as usize / WAYS * WAYS) % CELLS;
        let Some(cells) = self.cells.get(first..first + WAYS) else { return };
        if let Some(cell) = cells.iter().find(|cell| cell.mark.load(Relaxed) == mark) {
            let more = cell.weight.load(Relaxed).saturating_add(weight);
            cell.weight.store(more, Relaxed);
            return;
        }
        let Some(cell) = cells.iter().min_by_key(|cell| cell.weight.load(Relaxed)) else { return };
        cell.mark.store(0, Relaxed);
        let mut octets = [0; WORDS * 8];
        for (octet, of_name) in octets.iter_mut().zip(wire) {
            *octet = *of_name;
        }
        let (words, _) = octets.as_chunks::<8>();
        for (word, octets) in cell.words.iter().zip(words) {
            word.store(u64::from_le_bytes(*octets), Relaxed);
        }
        cell.weight.store(weight, Relaxed);
        cell.mark.store(mark, Relaxed);
    }

    fn mark(&self, wire: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.key.1, self.key.0);
        hasher.write(wire);
        hasher.finish() | 1
    }

    /// The names of the table that are whole, each with its weight.
    fn remembered(&self) -> Vec<(Name, u32)> {
        let read = |cell: &Cell| {
            let mark = cell.mark.load(Relaxed);
            if mark == 0 {
                return None;
            }
            let mut octets = [0; WORDS * 8];
            let (words, _) = octets.as_chunks_mut::<8>();
            for (octets, word) in words.iter_mut().zip(&cell.words) {
                *octets = word.load(Relaxed).to_le_bytes();
            }
            let (name, _) = Name::from_wire(&octets).ok()?;
            let is_whole = self.mark(name.as_wire()) == mark;
            is_whole.then(|| (name, cell.weight.load(Relaxed)))
        };
        self.cells.iter().filter_map(read).collect()
    }

    /// Names that were allowed lately: those of the sample with a bit, and those of the table.
    pub fn names(&self) -> Vec<Name> {
        let seen = self.seen.load();
        let of_sample = seen.sample.names().iter().enumerate();
        let of_sample = of_sample.filter(|(place, _)| seen.has(*place)).map(|(_, name)| name);
        let mut names: Vec<Name> = of_sample.cloned().collect();
        names.extend(self.remembered().into_iter().map(|(name, _)| name));
        names
    }

    /// Of a thousand queries that passed, those for names that are not among [`RecentNames::names`];
    /// none where no query passed.
    pub fn unknown_permille(&self) -> Option<u32> {
        let asked = self.asked.load(Relaxed);
        let table: u64 = self.remembered().iter().map(|(_, weight)| u64::from(*weight)).sum();
        let known = self.in_sample.load(Relaxed).saturating_add(table).min(asked);
        let unknown = (asked - known).saturating_mul(1000).checked_div(asked)?;
        u32::try_from(unknown).ok()
    }

    /// What is kept on a disk: the bits, bound to the sample, and the sums. Old weeks fade here.
    pub fn kept(&self) -> String {
        if self.asked.load(Relaxed) > MOST_ASKED {
            for sum in [&self.asked, &self.in_sample] {
                sum.store(sum.load(Relaxed) / 2, Relaxed);
            }
            for cell in &self.cells {
                cell.weight.store(cell.weight.load(Relaxed) / 2, Relaxed);
            }
        }
        let seen = self.seen.load();
        let bits = seen.bits.iter().map(|word| format!("{:016x}", word.load(Relaxed)));
        let (asked, in_sample) = (self.asked.load(Relaxed), self.in_sample.load(Relaxed));
        let (digest, bits) = (seen.sample.digest(), bits.collect::<String>());
        format!("{FORMAT}\n{digest}\n{asked} {in_sample}\n{bits}\n")
    }

    /// Takes what an earlier process kept; false for what is of another sample or no such text.
    pub fn take(&self, text: &str) -> bool {
        let seen = self.seen.load();
        let lines: Vec<&str> = text.lines().collect();
        let &[format, digest, sums, bits] = lines.as_slice() else { return false };
        if format != FORMAT || digest != seen.sample.digest() || bits.len() != seen.bits.len() * 16
        {
            return false;
        }
        let sum = |text: &str| text.parse::<u64>().ok().map(|sum| sum.min(MOST_ASKED));
        let sums = sums.split_once(' ').and_then(|(all, of)| Some((sum(all)?, sum(of)?)));
        let words = (0..seen.bits.len()).map(|n| bits.get(n * 16..n * 16 + 16));
        let words = words.map(|word| u64::from_str_radix(word?, 16).ok());
        let (Some((asked, in_sample)), Some(words)) = (sums, words.collect::<Option<Vec<_>>>())
        else {
            return false;
        };
        for (word, kept) in seen.bits.iter().zip(words) {
            word.fetch_or(kept, Relaxed);
        }
        self.asked.fetch_add(asked, Relaxed);
        self.in_sample.fetch_add(in_sample.min(asked), Relaxed);
        true
    }
}

/// Whether an answer is one that rehearsal may learn from. Help for children has no group here.
fn is_wanted(outcome: &Outcome) -> bool {
    let is_upstreams = matches!(
        outcome.source,
        AnswerSource::Cache | AnswerSource::Stale | AnswerSource::Upstream
    );
    is_upstreams
        && outcome.rcode == Rcode::NOERROR
        && outcome.blocked.is_none()
        && outcome.group.is_some()
}

#[cfg(test)]
mod tests;
