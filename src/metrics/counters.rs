//! Counters: plain numbers in one block per worker, written by that worker alone.
//!
//! No lock, no shared write, no label look-up per query: the enums of an [`Outcome`] are the
//! places of the cells to raise. Blocks are summed for a scrape.
//!
//! Law: each combination of labels has a cell of its own; label sets know their own size.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::category::{self, CategoryId, MAX_CATEGORIES};
use crate::dns::message::Rcode;
use crate::policy::tables::rewrite::MAX_ENGINES;
use crate::policy::tables::sources::{MAX_PLACES, OTHER, PROTECTED, SourcePlaces};
use crate::policy::{CanaryKind, GroupCounters};
use crate::resolve::labels::label_set;
use crate::resolve::{AnswerSource, BlockedBy, DropReason, Outcome, Transport};

/// Groups that can be counted apart in the life of the process.
pub const MAX_GROUPS: usize = 16;
/// Upper bounds of the duration buckets, in seconds.
pub const BUCKETS: [f64; 10] = [0.000_05, 0.000_2, 0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 2.5];
/// The same in microseconds.
const BUCKET_MICROS: [u64; 10] =
    [50, 200, 1_000, 5_000, 20_000, 50_000, 100_000, 500_000, 1_000_000, 2_500_000];

/// The response codes that are counted by name; the last takes all others.
pub const RCODES: [Rcode; 8] = [
    Rcode::NOERROR,
    Rcode::FORMERR,
    Rcode::SERVFAIL,
    Rcode::NXDOMAIN,
    Rcode::NOTIMP,
    Rcode::REFUSED,
    Rcode::BADVERS,
    Rcode(u16::MAX),
];

/// Address families: a label set of its own.
pub const FAMILIES: [&str; 2] = ["ipv4", "ipv6"];

label_set! {
    /// What is counted beside the answers.
    Event {
        /// A query joined the upstream question of another query.
        Coalesced => "coalesced",
        /// A cache entry near the end of its TTL was refreshed.
        CacheRefresh => "cache_refresh",
        /// A query found as many waiting for upstream as may.
        OverAll => "all",
        /// A query found as many of its client waiting as may.
        OverClient => "client",
        /// A query found as many waiting for the same answer as may.
        OverQuestion => "question",
        /// A question found as many waiting for every upstream server as may.
        OverUpstream => "upstream",
        /// The kernel refused a UDP reply.
        NotSent => "not_sent",
        /// An idle connection made room for another one at a limit.
        ConnectionEvicted => "evicted",
        /// A connection was closed at once: no idle one could make room.
        ConnectionRefused => "refused",
        /// A connection was closed because no whole query came in time.
        ConnectionIdle => "idle",
        /// A connection was closed because its client took no reply in time.
        ConnectionStalled => "stalled",
        /// The TLS handshake of a connection failed.
        HandshakeFailed => "handshake_failed",
        /// The TLS handshake of a connection did not end in time.
        HandshakeTimeout => "handshake_timeout",
        /// A request's path is none of DNS over HTTPS.
        DohPath => "path",
        /// A request's method is neither GET nor POST.
        DohMethod => "method",
        /// A request's body is of another media type.
        DohMediaType => "media_type",
        /// A request has no message, or one that cannot be read.
        DohMalformed => "malformed",
        /// A request's message is longer than a message can be.
        DohTooLong => "too_long",
        /// A request did not come in time, or no place for it became free.
        DohTimeout => "timeout",
        /// The token in a request's path is none of ours.
        TokenRefused => "token",
    }
}

/// Categories and, last, "listed nowhere".
const ROWS: usize = MAX_CATEGORIES + 1;

/// Counts and the sum of durations by source.
const DURATION_CELLS: usize = BUCKETS.len() + 2;

/// The first cell of each family.
const QUERIES: usize = 0;
const RESPONSES: usize = QUERIES + Transport::COUNT * FAMILIES.len();
const DROPPED: usize = RESPONSES + RCODES.len() * AnswerSource::COUNT;
const CANARIES: usize = DROPPED + DropReason::COUNT;
const DURATIONS: usize = CANARIES + CanaryKind::ALL.len();
const EVENTS: usize = DURATIONS + AnswerSource::COUNT * DURATION_CELLS;
const OBSERVED: usize = EVENTS + Event::COUNT;
const BLOCKED: usize = OBSERVED + MAX_GROUPS * MAX_CATEGORIES;
const SAFE: usize = BLOCKED + MAX_GROUPS * ROWS * BlockedBy::COUNT;
const MERGED: usize = SAFE + MAX_ENGINES;
const MATCHES: usize = MERGED + MAX_GROUPS * ROWS;
const CELLS: usize = MATCHES + MAX_PLACES;

/// Cells of a line.
const LINE: usize = 16;

/// Two lines of the processor's cache, which are fetched together: no two workers write to
/// one.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line([AtomicU64; LINE]);

/// One block of cells.
#[derive(Debug)]
pub struct Counters {
    lines: Box<[Line]>,
    /// Whether one thread alone writes here: no locked instruction is needed then.
    is_single_writer: bool,
}

impl Counters {
    /// A block that one thread alone writes to.
    pub fn single_writer() -> Self {
        Self::new(true)
    }

    /// A block that any thread may write to.
    pub fn shared() -> Self {
        Self::new(false)
    }

    fn new(is_single_writer: bool) -> Self {
        let lines = (0..CELLS.div_ceil(LINE)).map(|_| Line::default());
        Self { lines: lines.collect(), is_single_writer }
    }

    #[inline]
    fn add(&self, cell: usize, amount: u64) {
        let Some(Line(line)) = self.lines.get(cell / LINE) else { return };
        let cell = &line[cell % LINE];
        if self.is_single_writer {
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
        } else {
            cell.fetch_add(amount, Ordering::Relaxed);
        }
    }

    /// Counts a received query.
    #[inline]
    pub fn query(&self, transport: Transport, is_ipv6: bool) {
        self.add(queries(transport, usize::from(is_ipv6)), 1);
    }

    /// Counts queries that were received together.
    #[inline]
    pub fn queries(&self, transport: Transport, is_ipv6: bool, count: u64) {
        self.add(queries(transport, usize::from(is_ipv6)), count);
    }

    /// Counts an event.
    pub fn event(&self, event: Event) {
        self.events(event, 1);
    }

    /// Counts an event that happened `count` times.
    pub fn events(&self, event: Event, count: u64) {
        self.add(EVENTS + event.index(), count);
    }

    /// Counts the outcomes of queries that were received and answered together.
    #[inline]
    pub fn outcomes(&self, outcomes: &[Outcome], micros: u64) {
        let bucket = bucket(micros);
        for outcome in outcomes {
            self.outcome_in(outcome, bucket, micros);
        }
    }

    /// Counts the outcome of a query, `micros` microseconds after its arrival.
    pub fn outcome(&self, outcome: &Outcome, micros: u64) {
        self.outcome_in(outcome, bucket(micros), micros);
    }

    #[inline]
    fn outcome_in(&self, outcome: &Outcome, bucket: usize, micros: u64) {
        let rcode = RCODES.iter().position(|&r| r == outcome.rcode).unwrap_or(RCODES.len() - 1);
        self.add(responses(rcode, outcome.source), 1);
        let first = durations(outcome.source);
        self.add(first + bucket, 1);
        self.add(first + DURATION_CELLS - 1, micros);
        let Some(group) = outcome.group else { return };
        let group = usize::from(group.0) % MAX_GROUPS;
        if let Some((category, by)) = outcome.blocked {
            let row = category.map_or(MAX_CATEGORIES, CategoryId::index);
            self.add(blocked(group, row, by), 1);
            let mut lists = outcome.lists;
            while lists != 0 {
                self.add(matches(lists.trailing_zeros() as usize), 1);
                lists &= lists - 1;
            }
        }
        if !outcome.observed.is_empty() {
            for category in outcome.observed.iter() {
                self.add(observed(group, category.index()), 1);
            }
        }
        if let Some(kind) = outcome.canary {
            self.add(canaries(kind), 1);
        }
        if let Some(engine) = outcome.safe {
            self.add(safe(usize::from(engine.0)), 1);
        }
    }

    /// Counts a blocked query that no other one of the same group and site came before, in the time
    /// that [`crate::metrics::merged`] says.
    #[inline]
    pub fn merged(&self, group: GroupCounters, category: Option<CategoryId>) {
        let row = category.map_or(MAX_CATEGORIES, CategoryId::index);
        self.add(merged(usize::from(group.0) % MAX_GROUPS, row), 1);
    }

    /// Counts a dropped query.
    #[inline]
    pub fn dropped(&self, reason: DropReason) {
        self.add(dropped(reason), 1);
    }
}

/// The bucket of a duration.
#[inline]
fn bucket(micros: u64) -> usize {
    BUCKET_MICROS.iter().position(|&bound| micros <= bound).unwrap_or(BUCKETS.len())
}

fn queries(transport: Transport, family: usize) -> usize {
    QUERIES + transport.index() * FAMILIES.len() + family
}

fn responses(rcode: usize, source: AnswerSource) -> usize {
    RESPONSES + rcode * AnswerSource::COUNT + source.index()
}

fn dropped(reason: DropReason) -> usize {
    DROPPED + reason.index()
}

fn canaries(kind: CanaryKind) -> usize {
    CANARIES + kind as usize
}

fn durations(source: AnswerSource) -> usize {
    DURATIONS + source.index() * DURATION_CELLS
}

fn observed(group: usize, category: usize) -> usize {
    OBSERVED + group * MAX_CATEGORIES + category
}

fn blocked(group: usize, row: usize, by: BlockedBy) -> usize {
    BLOCKED + (group * ROWS + row) * BlockedBy::COUNT + by.index()
}

fn merged(group: usize, row: usize) -> usize {
    MERGED + group * ROWS + row
}

fn matches(place: usize) -> usize {
    MATCHES + place % MAX_PLACES
}

fn safe(engine: usize) -> usize {
    SAFE + engine % MAX_ENGINES
}

/// All blocks, summed at one moment; nothing by default.
#[derive(Debug, Default)]
pub struct Totals(Vec<u64>);

/// The durations of answers.
#[derive(Debug, Clone, PartialEq)]
pub struct DurationCounts {
    /// Answers up to each bound of [`BUCKETS`].
    pub cumulative: [u64; BUCKETS.len()],
    /// All answers.
    pub count: u64,
    /// Seconds in all.
    pub sum: f64,
}

impl Totals {
    /// Sums the blocks.
    pub fn of<'a>(blocks: impl IntoIterator<Item = &'a Counters>) -> Self {
        let mut totals = vec![0_u64; CELLS];
        for block in blocks {
            for (total, cell) in totals.iter_mut().zip(block.lines.iter().flat_map(|l| &l.0)) {
                *total = total.wrapping_add(cell.load(Ordering::Relaxed));
            }
        }
        Self(totals)
    }

    /// What was counted since an earlier moment.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let counted = |(cell, now): (usize, &u64)| now.saturating_sub(earlier.at(cell));
        Self(self.0.iter().enumerate().map(counted).collect())
    }

    fn at(&self, cell: usize) -> u64 {
        self.0.get(cell).copied().unwrap_or(0)
    }

    /// Queries over `transport` and a family of [`FAMILIES`].
    pub fn queries(&self, transport: Transport, family: usize) -> u64 {
        self.at(queries(transport, family))
    }

    /// Answers with a code of [`RCODES`] from `source`.
    pub fn responses(&self, rcode: usize, source: AnswerSource) -> u64 {
        self.at(responses(rcode, source))
    }

    /// Dropped queries.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.at(dropped(reason))
    }

    /// Events beside the answers.
    pub fn events(&self, event: Event) -> u64 {
        self.at(EVENTS + event.index())
    }

    /// Queries for canaries.
    pub fn canaries(&self, kind: CanaryKind) -> u64 {
        self.at(canaries(kind))
    }

    /// Queries answered with the safe name of an engine.
    pub fn safe(&self, engine: usize) -> u64 {
        self.at(safe(engine))
    }

    /// Queries let through that were in a category.
    pub fn observed(&self, group: usize, category: usize) -> u64 {
        self.at(observed(group, category))
    }

    /// Blocked queries; `category` none for names that only the school denies.
    pub fn blocked(&self, group: usize, category: Option<usize>, by: BlockedBy) -> u64 {
        self.at(blocked(group, category.unwrap_or(MAX_CATEGORIES), by))
    }

    /// The same, where one group and one site count once in a minute.
    pub fn merged(&self, group: usize, category: Option<usize>) -> u64 {
        self.at(merged(group, category.unwrap_or(MAX_CATEGORIES)))
    }

    /// Blocked queries that the sources at a place name.
    pub fn matches(&self, place: u8) -> u64 {
        self.at(matches(usize::from(place)))
    }

    /// The same by the name of each source in force, from 0; `protected` and `other` where there are any.
    pub fn by_source(&self, sources: &SourcePlaces) -> BTreeMap<String, u64> {
        let own = sources.names().iter().map(|(place, name)| (name.clone(), self.matches(*place)));
        let (protected, other) = (self.matches(PROTECTED), self.matches(OTHER));
        let protected = (protected > 0).then(|| (category::PROTECTED.to_owned(), protected));
        let other = (other > 0 || sources.has_other()).then(|| ("other".to_owned(), other));
        own.chain(protected).chain(other).collect()
    }

    /// The durations of answers from `source`.
    pub fn durations(&self, source: AnswerSource) -> DurationCounts {
        let first = durations(source);
        let mut cumulative = [0; BUCKETS.len()];
        let mut count = 0;
        for (bucket, total) in cumulative.iter_mut().enumerate() {
            count += self.at(first + bucket);
            *total = count;
        }
        count += self.at(first + BUCKETS.len());
        DurationCounts {
            cumulative,
            count,
            sum: self.at(first + DURATION_CELLS - 1) as f64 / 1_000_000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: each combination of labels has a cell of its own, and no cell is without one.
    #[test]
    fn no_two_label_combinations_share_a_cell() {
        let mut cells = Vec::new();
        for transport in Transport::ALL {
            cells.extend((0..FAMILIES.len()).map(|family| queries(transport, family)));
        }
        for rcode in 0..RCODES.len() {
            cells.extend(AnswerSource::ALL.map(|source| responses(rcode, source)));
        }
        cells.extend(DropReason::ALL.map(dropped));
        cells.extend(CanaryKind::ALL.map(canaries));
        for source in AnswerSource::ALL {
            cells.extend((0..DURATION_CELLS).map(|cell| durations(source) + cell));
        }
        cells.extend(Event::ALL.map(|event| EVENTS + event.index()));
        for group in 0..MAX_GROUPS {
            cells.extend((0..MAX_CATEGORIES).map(|category| observed(group, category)));
        }
        for (group, row) in (0..MAX_GROUPS).flat_map(|g| (0..ROWS).map(move |row| (g, row))) {
            cells.extend(BlockedBy::ALL.map(|by| blocked(group, row, by)));
            cells.push(merged(group, row));
        }
        cells.extend((0..MAX_PLACES).map(matches));
        cells.extend((0..MAX_ENGINES).map(safe));
        cells.sort_unstable();
        assert!(cells.into_iter().eq(0..CELLS), "cells are shared or unused");
    }

    #[test]
    fn a_query_of_any_transport_is_counted_as_a_query_of_it_alone() {
        for counted in Transport::ALL {
            let block = Counters::shared();
            block.query(counted, true);
            let totals = Totals::of([&block]);
            for transport in Transport::ALL {
                let found = [0, 1].map(|family| totals.queries(transport, family));
                assert_eq!(found, [0, u64::from(transport == counted)], "{transport:?}");
            }
            let responses = (0..RCODES.len())
                .flat_map(|rcode| AnswerSource::ALL.map(|source| totals.responses(rcode, source)));
            assert_eq!(responses.sum::<u64>(), 0, "{counted:?} is counted as a response");
        }
    }
}
