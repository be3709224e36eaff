//! Loom model of the in-flight table: its laws, in every order in which threads can meet in it.
//!
//! Each test is a few threads that loom runs again and again, switching between them at every
//! lock and every atomic, until it has tried all orders with at most [`PREEMPTIONS`] preemptions.
//! Results are counted with plain atomics, which loom does not see: threads of a model never run
//! at the same time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use loom::thread;

use super::*;
use crate::cache::AnswerCache;
use crate::dns::message::answer::TtlLimits;
use crate::dns::name::Name;
use crate::load::assemble::Assembler;
use crate::policy::Snapshot;
use crate::resolve::{Answered, Begin, Now, Origin, Transport, Trust, begin};

/// The most preemptions in one run of a model: switches at a place where the thread could go on.
const PREEMPTIONS: usize = 3;
const NAME: &str = "asked.example";

static SNAPSHOT: LazyLock<Arc<Snapshot>> =
    LazyLock::new(|| Arc::new(Assembler::new(None).assemble().unwrap().snapshot));

/// The results of the queries of one run.
#[derive(Debug, Default)]
struct Tally {
    /// Replies, by query.
    answers: [AtomicUsize; 5],
    /// Whether upstream is being asked.
    asking: AtomicBool,
    /// Questions that upstream saw.
    questions: AtomicUsize,
    /// Queries that joined a pending question, and did not lead it.
    joined: AtomicUsize,
}

/// Tries all orders.
fn model(run: impl Fn(Arc<InFlight>, Arc<Tally>) + Send + Sync + 'static, room: usize) {
    LazyLock::force(&SNAPSHOT);
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(PREEMPTIONS);
    model.check(move || {
        let (flights, tally) = (InFlight::new(room), Arc::<Tally>::default());
        run(Arc::clone(&flights), tally);
        assert_eq!(flights.waiting(), 0, "every place is given back");
        assert!(lock(&flights.table).by_question.is_empty(), "no flight is left");
        assert!(lock(&flights.by_client).is_empty(), "no client is counted");
    });
}

fn octets(name: &str) -> Vec<u8> {
    let name = Name::from_text(name).unwrap();
    [&[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], name.as_wire(), &[0, 1, 0, 1]].concat()
}

/// A query that must wait; with an expired answer in the cache, if `has_stale`.
fn forward(name: &str, has_stale: bool) -> Box<Forward> {
    let cache = AnswerCache::new(1 << 16);
    let at = |mono| Now { mono, civil: 1_800_000_000 + mono, trust: Trust::Synced };
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let meta = Origin::plain(client, local, Transport::Udp);
    let (query, mut out) = (octets(name), vec![0; 1500]);
    let mut begin_at = |mono| match begin(&query, &meta, &SNAPSHOT, &cache, at(mono), &mut out) {
        Begin::Forward(forward) => forward,
        other => panic!("answered at once: {other:?}"),
    };
    let first = begin_at(0);
    if !has_stale {
        return first;
    }
    let mut said = query.clone();
    said[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1]);
    said.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 0, 2, 1]);
    let limits = TtlLimits { min: 0, max: 86_400, max_negative: 10_800 };
    first.finish(Answered { message: Ok(&said), asked: 0 }, &cache, &limits, at(0), &mut [0; 1500]);
    let late = begin_at(9);
    assert!(late.has_stale());
    late
}

/// The waiter of query number `who`.
fn waiter(who: usize, forward: Box<Forward>, permit: Permit, tally: &Arc<Tally>) -> Waiter {
    let tally = Arc::clone(tally);
    let send: SendReply = Box::new(move |_| {
        tally.answers[who].fetch_add(1, SeqCst);
    });
    Waiter { forward, came: 0, send: Some(send), permit }
}

fn answer(mut waiter: Waiter) {
    if let Some(send) = waiter.send.take() {
        send(&[]);
    }
}

/// Runs one query as the gateway does: it follows, or leads and answers all waiters.
fn ask(flights: &Arc<InFlight>, tally: &Arc<Tally>, waiter: Waiter) {
    match flights.join(waiter) {
        Join::Leader(started) => {
            assert!(!tally.asking.swap(true, SeqCst), "upstream is asked twice at one time");
            tally.questions.fetch_add(1, SeqCst);
            thread::yield_now();
            tally.asking.store(false, SeqCst);
            started.end().into_iter().for_each(answer);
        }
        Join::Follower | Join::Redundant => {
            tally.joined.fetch_add(1, SeqCst);
        }
        Join::AnswerStale(waiter) | Join::QueueFull(waiter) => answer(waiter),
    }
}

fn client(number: u8) -> ClientId {
    ClientId::of(IpAddr::from([10, 0, 0, number]))
}

#[test]
fn each_who_asks_is_answered_once_and_a_flight_asks_upstream_once() {
    static ORDERS: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];
    model(
        |flights, tally| {
            let one = |who| {
                let (flights, tally) = (Arc::clone(&flights), Arc::clone(&tally));
                move || {
                    let mut place = flights.enter().unwrap();
                    assert!(flights.count(&mut place, client(who), 2));
                    let forward = forward(NAME, false);
                    ask(&flights, &tally, waiter(usize::from(who), forward, place, &tally));
                }
            };
            // Two of one client, one of another.
            let others = [thread::spawn(one(1)), thread::spawn(one(2))];
            one(0)();
            for other in others {
                other.join().unwrap();
            }
            for who in 0..3 {
                assert_eq!(tally.answers[who].load(SeqCst), 1, "answers to {who}");
            }
            let (asked, joined) = (tally.questions.load(SeqCst), tally.joined.load(SeqCst));
            assert_eq!(asked + joined, 3);
            ORDERS[asked].fetch_add(1, SeqCst);
        },
        8,
    );
    let seen = ORDERS.each_ref().map(|orders| orders.load(SeqCst) > 0);
    assert_eq!(seen, [false, true, true, true], "all together, two and one, one by one");
}

#[test]
fn other_questions_are_other_flights() {
    model(
        |flights, tally| {
            let one = |who: usize, name: &'static str| {
                let (flights, tally) = (Arc::clone(&flights), Arc::clone(&tally));
                move || {
                    let waiter =
                        waiter(who, forward(name, false), flights.enter().unwrap(), &tally);
                    let Join::Leader(started) = flights.join(waiter) else {
                        panic!("{name} did not lead")
                    };
                    for waiter in started.end() {
                        assert_eq!(waiter.forward.question().name, Name::from_text(name).unwrap());
                        answer(waiter);
                    }
                }
            };
            let other = thread::spawn(one(1, "other.example"));
            one(0, NAME)();
            other.join().unwrap();
            let answers = [0, 1].map(|who| tally.answers[who].load(SeqCst));
            assert_eq!(answers, [1, 1]);
        },
        8,
    );
}

/// Expired answers are sent while upstream is silent. A later query with one is answered at once,
/// and no query gets two replies.
#[test]
fn who_has_a_stale_answer_gets_it_once() {
    model(
        |flights, tally| {
            let follower = {
                let (flights, tally) = (Arc::clone(&flights), Arc::clone(&tally));
                move |who: usize, has_stale: bool| {
                    let place = flights.enter().unwrap();
                    ask(&flights, &tally, waiter(who, forward(NAME, has_stale), place, &tally));
                }
            };
            let other = follower.clone();
            let threads =
                [thread::spawn(move || follower(1, true)), thread::spawn(move || other(2, false))];
            let leader = waiter(0, forward(NAME, true), flights.enter().unwrap(), &tally);
            let question = leader.forward.question().clone();
            if let Join::Leader(started) = flights.join(leader) {
                for (mut waiter, stays) in flights.take_stale(&question) {
                    if let Some(send) = waiter.send.take() {
                        send(&[]);
                    }
                    if stays {
                        flights.put_back(waiter);
                    }
                }
                let ended = started.end();
                assert!(!ended.is_empty(), "somebody takes the answer in");
                ended.into_iter().for_each(answer);
            }
            for other in threads {
                other.join().unwrap();
            }
            for who in 0..3 {
                assert_eq!(tally.answers[who].load(SeqCst), 1, "answers to {who}");
            }
        },
        8,
    );
}

/// A cache refresh has no waiting client, and answers the queries that joined it meanwhile.
#[test]
fn a_refresh_answers_those_who_came_and_nobody_twice() {
    model(
        |flights, tally| {
            let asker = {
                let (flights, tally) = (Arc::clone(&flights), Arc::clone(&tally));
                move || {
                    let place = flights.enter().unwrap();
                    ask(&flights, &tally, waiter(1, forward(NAME, false), place, &tally));
                }
            };
            let asker = thread::spawn(asker);
            let permit = flights.enter_unhurried().unwrap();
            let refresh = Waiter { forward: forward(NAME, false), came: 0, send: None, permit };
            ask(&flights, &tally, refresh);
            asker.join().unwrap();
            assert_eq!(tally.answers[1].load(SeqCst), 1);
            assert_eq!(tally.questions.load(SeqCst) + tally.joined.load(SeqCst), 2);
        },
        8,
    );
}

/// The leader's task may end at any time: its clients retry, and the next query leads.
#[test]
fn a_flight_that_is_dropped_leaves_nothing_behind() {
    model(
        |flights, tally| {
            let other = {
                let (flights, tally) = (Arc::clone(&flights), Arc::clone(&tally));
                move || {
                    let place = flights.enter().unwrap();
                    ask(&flights, &tally, waiter(1, forward(NAME, false), place, &tally));
                }
            };
            let other = thread::spawn(other);
            let first = waiter(0, forward(NAME, false), flights.enter().unwrap(), &tally);
            if let Join::Leader(started) = flights.join(first) {
                drop(started);
            }
            other.join().unwrap();
            let answers = [0, 1].map(|who| tally.answers[who].load(SeqCst));
            assert!(answers.iter().all(|&count| count <= 1), "{answers:?}");
        },
        8,
    );
}

/// Over the room the oldest question of the client with the most goes, and its leader ends without
/// a waiter.
#[test]
fn the_oldest_question_of_the_client_with_the_most_is_evicted() {
    model(
        |flights, tally| {
            let lead = |who: usize, name, number| {
                let mut place = flights.enter().unwrap();
                assert!(flights.count(&mut place, client(number), 9));
                let joined = flights.join(waiter(who, forward(name, false), place, &tally));
                let Join::Leader(started) = joined else { panic!("{name} did not lead") };
                started
            };
            let others = lead(0, "a.example", 1);
            let oldest = lead(1, "b.example", 2);
            let younger = lead(2, "c.example", 2);
            assert!(flights.evict(UpstreamId::MAIN).is_empty());
            let last = [lead(3, "d.example", 3), lead(4, "e.example", 4)];
            let evicted = thread::spawn({
                let flights = Arc::clone(&flights);
                move || flights.evict(UpstreamId::MAIN).into_iter().for_each(answer)
            });
            let early = oldest.end();
            evicted.join().unwrap();
            early.into_iter().for_each(answer);
            for started in [others, younger].into_iter().chain(last) {
                started.end().into_iter().for_each(answer);
            }
            for who in 0..5 {
                assert_eq!(tally.answers[who].load(SeqCst), 1, "answers to {who}");
            }
        },
        4,
    );
}

#[test]
fn no_more_wait_than_there_is_room_for_and_of_a_client_than_it_may() {
    model(
        |flights, tally| {
            let inside = Arc::new([const { AtomicUsize::new(0) }; 2]);
            let one = || {
                let (flights, inside) = (Arc::clone(&flights), Arc::clone(&inside));
                move || {
                    let Some(mut place) = flights.enter() else { return };
                    let all = inside[0].fetch_add(1, SeqCst) + 1;
                    assert!(all <= 2, "{all} wait where there is room for two");
                    if flights.count(&mut place, client(1), 1) {
                        let own = inside[1].fetch_add(1, SeqCst) + 1;
                        assert!(own <= 1, "{own} of a client that may have one");
                        thread::yield_now();
                        inside[1].fetch_sub(1, SeqCst);
                    }
                    inside[0].fetch_sub(1, SeqCst);
                    drop(place);
                }
            };
            let others = [thread::spawn(one()), thread::spawn(one())];
            one()();
            for other in others {
                other.join().unwrap();
            }
            drop(tally);
        },
        2,
    );
}
