//! The answer cache with the workers' own tables, beside swaps, evictions, expiry and failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use lachan::cache::{AnswerCache, RetentionRules};
use lachan::dns::message::Rcode;
use lachan::load::in_force::{Current, PolicyReader};
use lachan::resolve::prepared::PreparedBatch;
use lachan::resolve::reply_cache::{Lookup, ReplyCache};
use lachan::resolve::{
    AnswerSource, Answered, Begin, Done, Finish, Forward, Now, Outcome, Stores, Trust,
    UpstreamFailure, begin_with,
};

use super::*;
use crate::kit::core::answered;

const NAMES: usize = 300;
const TTL: u32 = 20;
/// Less than a third of what the answers to all questions take.
const OCTETS: u64 = 192 << 10;
const WORKERS: u8 = 4;
/// Queries of a worker; more, until there were enough swaps.
const QUERIES: u64 = 60_000;
const SWAPS: u64 = 40;

/// What the workers share.
struct Shared {
    current: Current,
    cache: AnswerCache,
    /// Seconds.
    clock: AtomicU64,
    /// The number of the lists that are in force for certain.
    in_force: AtomicU64,
    is_enough: AtomicBool,
}

/// What happened to a worker's queries.
#[derive(Debug, Default)]
struct Seen {
    queries: u64,
    cached: u64,
    /// Names that the lists before would have answered in the other way.
    blocked_anew: u64,
    passed_anew: u64,
    upstream: u64,
    refreshed: u64,
    stale: u64,
    failed: u64,
    blocked: u64,
}

/// A query, as it was begun.
struct Case<'a> {
    client: u8,
    asked: Asked,
    query: &'a [u8],
    /// The number of the lists.
    lists: u64,
    now: Now,
}

struct Worker<'a> {
    shared: &'a Shared,
    policy: PolicyReader<'a>,
    near: ReplyCache,
    prepared: PreparedBatch,
    random: Random,
    /// Queries that wait for upstream, each with who asked what.
    waiting: Vec<(u8, Asked, Box<Forward>)>,
    out: Vec<u8>,
    seen: Seen,
}

impl Worker<'_> {
    fn work(mut self) -> Seen {
        while self.seen.queries < QUERIES || !self.shared.is_enough.load(SeqCst) {
            if self.seen.queries.is_multiple_of(500) {
                self.shared.clock.fetch_add(1, SeqCst);
            }
            self.ask();
            // Answers come late, in another order, and under other lists than the question.
            if self.waiting.len() > 40 || !self.waiting.is_empty() && self.random.once_in(4) {
                let place = self.random.next() as usize % self.waiting.len();
                let (client, asked, forward) = self.waiting.swap_remove(place);
                self.finish(client, asked, *forward);
            }
            let octets = self.shared.cache.octets();
            assert!(octets <= OCTETS, "{octets} octets in a cache of {OCTETS}");
        }
        for (client, asked, forward) in std::mem::take(&mut self.waiting) {
            self.finish(client, asked, *forward);
        }
        self.seen
    }

    fn now(&self) -> Now {
        let mono = self.shared.clock.load(SeqCst);
        Now { mono, civil: 1_800_000_000 + mono, trust: Trust::Synced }
    }

    fn ask(&mut self) {
        // Some names are asked for much more often than others.
        let names = if self.random.once_in(2) { 20 } else { NAMES };
        let asked = Asked::of(self.random.next(), names);
        let query = asked.to_query(self.random.next() as u16, self.random.once_in(2));
        let now = self.now();
        let at_least = self.shared.in_force.load(SeqCst);
        let (generation, policy) = self.policy.get();
        let policy = Arc::clone(policy);
        let lists = policy.facts_tag();
        assert!(lists >= at_least, "lists {lists} are asked while {at_least} are in force");
        let probe = self.near.probe(&query);
        // With names that were prepared, and names that the answer prepares.
        self.prepared.clear();
        if self.random.once_in(2) {
            self.prepared.add(0, &query, &policy);
            self.prepared.prefetch(&policy);
        }
        let slot = self.prepared.slot(0);
        let near = Some(Lookup { near: &mut self.near, probe, generation });
        let cache = &self.shared.cache;
        self.seen.queries += 1;
        // Two of each group ask every worker.
        let client = [1, 2, STAFF, STAFF + 1][self.random.next() as usize % 4];
        let step = begin_with(
            &query,
            slot,
            &meta(client),
            &policy,
            Stores { cache, near },
            now,
            &mut self.out,
        );
        let case = Case { client, asked, query: &query, lists, now };
        match step {
            Begin::Done(Done::Reply(length, outcome)) => self.judge(&case, length, &outcome),
            Begin::Refresh(Done::Reply(length, outcome), forward) => {
                self.judge(&case, length, &outcome);
                self.seen.refreshed += 1;
                let said = asked.said(&query, TTL, now.mono);
                forward.refresh(answered(&said, now), cache, &LIMITS, now);
            }
            Begin::Forward(forward) => {
                assert!(!is_blocked_at_once(&case), "a listed name is forwarded: {asked:?}");
                self.waiting.push((client, asked, forward));
            }
            other => panic!("{asked:?}: {other:?}"),
        }
    }

    fn finish(&mut self, client: u8, asked: Asked, forward: Forward) {
        let now = self.now();
        let query = asked.to_query(0, false);
        let lists = forward.asked_for().snapshot.facts_tag();
        let said = asked.said(&query, TTL, now.mono);
        let said = Answered {
            message: if self.random.once_in(50) {
                Err(UpstreamFailure::Unreachable)
            } else {
                Ok(&said)
            },
            ..answered(&said, now)
        };
        let step = forward.finish(said, &self.shared.cache, &LIMITS, now, &mut self.out);
        let Finish::Done(Done::Reply(length, outcome)) = step else {
            panic!("{asked:?}: {step:?}")
        };
        self.judge(&Case { client, asked, query: &query, lists, now }, length, &outcome);
    }

    /// Looks at a reply: whether it is that question's, of those lists, and of its age.
    fn judge(&mut self, case: &Case<'_>, length: usize, outcome: &Outcome) {
        let Case { client, asked, query, lists, now } = *case;
        let reply = &self.out[..length];
        let end = question_end(query);
        assert!(
            reply[12..end].eq_ignore_ascii_case(&query[12..end]),
            "another question: {asked:?}"
        );
        let is_blocked = asked.is_blocked(client, lists);
        if outcome.rcode == Rcode::SERVFAIL && !is_blocked_at_once(case) {
            assert!(
                matches!(outcome.source, AnswerSource::Cache | AnswerSource::Error),
                "{outcome:?}"
            );
            self.seen.failed += 1;
            return;
        }
        let blocked = (outcome.rcode, outcome.blocked.is_some()) == (Rcode::NXDOMAIN, true);
        assert_eq!(blocked, is_blocked, "{asked:?} of {client} by lists {lists}: {outcome:?}");
        if blocked {
            assert_eq!(last_record(reply), None, "{asked:?}");
            self.seen.blocked += 1;
            self.seen.blocked_anew += u64::from(!asked.is_blocked(client, lists - 1));
            return;
        }
        let (ttl, rdata) = last_record(reply).unwrap();
        let given = match asked.qtype {
            rtype::A => now.mono,
            _ => u64::from_be_bytes(*rdata.last_chunk().unwrap()),
        };
        assert_eq!(rdata, asked.address(given), "the answer of another question: {asked:?}");
        let age = now.mono.saturating_sub(given) as u32;
        match outcome.source {
            AnswerSource::Upstream => self.seen.upstream += 1,
            AnswerSource::Stale => {
                assert_eq!(ttl, 30);
                assert!(asked.qtype == rtype::A || age >= TTL, "fresh, and said to be stale");
                self.seen.stale += 1;
            }
            AnswerSource::Cache => {
                assert!(ttl > 0 && ttl <= TTL, "{ttl}");
                assert!(asked.qtype == rtype::A || ttl == TTL - age, "{ttl} s left after {age}");
                self.seen.cached += 1;
            }
            other => panic!("{asked:?}: from {other:?}"),
        }
        self.seen.passed_anew += u64::from(asked.is_blocked(client, lists - 1));
    }
}

/// Whether a query is blocked by its own name.
fn is_blocked_at_once(case: &Case<'_>) -> bool {
    case.client < STAFF && lists_name(case.asked.name, case.lists)
}

#[test]
fn askers_beside_swaps_and_evictions_get_their_own_answer_by_the_lists_in_force() {
    let _machine = alone();
    let mut lists = Lists::new(NAMES);
    let rules = RetentionRules { stale: 40, prefetch: true, failure: 1, max_failure: 4 };
    let shared = Shared {
        current: lists.start(),
        cache: AnswerCache::with_rules(OCTETS, rules),
        clock: AtomicU64::new(0),
        in_force: AtomicU64::new(1),
        is_enough: AtomicBool::new(false),
    };
    let worker = |number| Worker {
        shared: &shared,
        policy: shared.current.reader(),
        near: ReplyCache::new(u64::from(number)),
        prepared: PreparedBatch::new(1),
        random: Random(u64::from(number)),
        waiting: Vec::new(),
        out: vec![0; 65_535],
        seen: Seen::default(),
    };
    let seen: Vec<Seen> = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..WORKERS).map(|number| scope.spawn(move || worker(number).work())).collect();
        // Swaps as fast as lists can be read, until the workers are done; if one of them fails,
        // so does this.
        for number in 2.. {
            lists.adopt_next(&shared.current);
            shared.in_force.store(number, SeqCst);
            drop(shared.current.let_go());
            let is_over = workers.iter().any(std::thread::ScopedJoinHandle::is_finished);
            if number >= SWAPS || is_over {
                shared.is_enough.store(true, SeqCst);
            }
            if is_over {
                break;
            }
        }
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let sum = |of: fn(&Seen) -> u64| seen.iter().map(of).sum::<u64>();
    let counts = [
        sum(|seen| seen.cached),
        sum(|seen| seen.upstream),
        sum(|seen| seen.blocked),
        sum(|seen| seen.refreshed),
        sum(|seen| seen.stale),
        sum(|seen| seen.failed),
        sum(|seen| seen.passed_anew),
        sum(|seen| seen.blocked_anew),
    ];
    assert!(counts.iter().all(|&count| count > 20), "too little happened: {counts:?}");
    println!("{counts:?} of {}, {} lists", sum(|seen| seen.queries), lists.number);
    // Policies of the past are gone with their last reader.
    drop(shared.current.let_go());
    assert_eq!(shared.current.let_go().len(), 0);
    // Bounded, and in use.
    assert!(shared.cache.octets() > OCTETS / 2, "{}", shared.cache.octets());
}
