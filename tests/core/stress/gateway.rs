//! The whole way of a miss: many ask a few names at one time, of a gateway and its upstream.

use std::collections::{HashMap, HashSet};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use arc_swap::ArcSwap;
use lachan::clients::budget::ClientLimits;
use lachan::clients::inflight::InFlight;
use lachan::dns::message::Rcode;
use lachan::dns::message::query::Query;
use lachan::dns::name::Folded;
use lachan::metrics::counters::{Event, Totals};
use lachan::policy::tables::client::PrefixTable;
use lachan::resolve::{Begin, Done, UpstreamFailure, begin};
use lachan::serve::gateway::Gateway;
use lachan::upstream::Options;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};

use super::*;
use crate::kit;

const NAMES: usize = 24;
const ASKERS: u8 = 6;
const QUERIES: usize = 2_000;
/// Queries of one asker that wait at one time.
const OUTSTANDING: usize = 60;
/// Queries that may wait in all, and of one client: fewer than there will be.
const ROOM: usize = 150;
const CLIENT_ROOM: usize = 50;
/// No try is given up, and none is made twice: the machine may be slow.
const FOREVER: Duration = Duration::from_secs(300);

/// Octets of room for questions that the server has not read yet: for all of them.
const BUFFER: usize = 8 << 20;

/// What the server upstream has seen.
#[derive(Debug, Default)]
struct Upstream {
    questions: u64,
    /// Questions that came while the same one waited.
    twice: Vec<String>,
}

/// Answers questions, late and out of order, with answers that may not be kept.
fn answer_on(socket: &UdpSocket, stop: &AtomicBool) -> Upstream {
    let (mut seen, mut random) = (Upstream::default(), Random(3));
    let mut open = HashSet::new();
    let mut waiting: Vec<(Asked, Vec<u8>, SocketAddr)> = Vec::new();
    let mut buffer = [0; 1500];
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    while !stop.load(SeqCst) {
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let octets = &buffer[..length];
            let query = Query::parse(octets).unwrap();
            let mut name = Folded::ROOT;
            query.fold_into(&mut name).unwrap();
            let text = name.to_name().to_string();
            let number = text.trim_start_matches('n').split('.').next().unwrap();
            let asked = Asked {
                name: number.parse().unwrap(),
                qtype: query.qtype,
                dnssec_ok: query.dnssec_ok(),
                checking_disabled: query.checking_disabled(),
            };
            seen.questions += 1;
            if !open.insert(asked) {
                seen.twice.push(format!("{asked:?}"));
            }
            waiting.push((asked, octets.to_vec(), from));
            if waiting.len() < 12 && !random.once_in(6) {
                continue;
            }
        }
        while !waiting.is_empty() {
            let place = random.next() as usize % waiting.len();
            let (asked, query, from) = waiting.swap_remove(place);
            // From now on another one may be on its way.
            open.remove(&asked);
            socket.send_to(&asked.said(&query, 0, 0), from).unwrap();
        }
    }
    seen
}

pub(super) fn gateway(
    runtime: &tokio::runtime::Runtime,
    upstream: SocketAddr,
    current: Current,
) -> Gateway {
    // No question is sent twice, however slow the machine is.
    let options =
        Options { timeout: FOREVER, deadline: FOREVER, server_in_flight: 1, ..Options::default() };
    let clients = ClientLimits { rate: None, in_flight: CLIENT_ROOM, exempt: PrefixTable::new([]) };
    Gateway {
        limits: LIMITS,
        stale_after: FOREVER,
        clients: ArcSwap::from_pointee(clients),
        flights: InFlight::new(ROOM),
        ..kit::gateway::gateway(runtime, upstream, options, current)
    }
}

/// What became of the queries of an asker.
struct Tally {
    /// Replies to each.
    replies: Vec<AtomicU8>,
    outstanding: AtomicUsize,
    /// Replies that say that too many wait.
    busy: AtomicU64,
    mistakes: std::sync::Mutex<Vec<String>>,
}

impl Tally {
    fn take(&self, number: usize, asked: Asked, is_blocked: bool, reply: &[u8]) {
        self.replies[number].fetch_add(1, SeqCst);
        let rcode = Rcode(u16::from(reply[3] & 15));
        if rcode == Rcode::SERVFAIL {
            self.busy.fetch_add(1, SeqCst);
            return;
        }
        let expected = if is_blocked { Rcode::NXDOMAIN } else { Rcode::NOERROR };
        let address = last_record(reply).map(|(_, rdata)| rdata.to_vec());
        let wanted = (!is_blocked).then(|| asked.address(0));
        if rcode != expected || address != wanted || reply[..2] != (number as u16).to_be_bytes() {
            self.mistakes.lock().unwrap().push(format!("{number}: {asked:?}: {rcode:?}"));
        }
    }
}

/// Waits for what must come, on however slow a machine.
#[expect(clippy::disallowed_methods, reason = "tests wait in real time")]
fn wait_until(what: &str, mut is_there: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !is_there() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}: it does not come");
        std::thread::yield_now();
    }
}

/// Ends the server, however the test ends: a scope waits for all that is in it.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// What an asker has done.
#[derive(Debug, Default)]
struct Asking {
    at_once: u64,
    waited: u64,
    no_place: u64,
}

fn ask_on(gateway: &Arc<Gateway>, asker: u8, tally: &Arc<Tally>) -> Asking {
    let (mut random, mut done) = (Random(u64::from(asker)), Asking::default());
    let mut out = vec![0; 65_535];
    for number in 0..QUERIES {
        wait_until("a reply", || tally.outstanding.load(SeqCst) < OUTSTANDING);
        let asked = Asked::of(random.next(), NAMES);
        let query = asked.to_query(number as u16, random.once_in(2));
        let (policy, now) = (gateway.current.snapshot(), gateway.clock.now());
        // Two askers share a client.
        let client = [1, 2, STAFF][usize::from(asker / 2)];
        let is_blocked = asked.is_blocked(client, policy.facts_tag());
        let step = begin(&query, &meta(client), &policy, &gateway.cache, now, &mut out);
        let forward = match step {
            Begin::Forward(forward) => forward,
            Begin::Done(Done::Reply(length, _)) => {
                done.at_once += 1;
                tally.take(number, asked, is_blocked, &out[..length]);
                continue;
            }
            other => panic!("{asked:?}: {other:?}"),
        };
        let Some(place) = gateway.flights.enter() else {
            done.no_place += 1;
            let step = forward.give_up(UpstreamFailure::Busy, now, &mut out);
            let Done::Reply(length, _) = step else { panic!("{asked:?}: {step:?}") };
            tally.take(number, asked, is_blocked, &out[..length]);
            // A client that is refused comes again later. Else askers that never wait leave the others
            // no core, and all they see is refusals.
            std::thread::sleep(Duration::from_millis(1));
            continue;
        };
        done.waited += 1;
        tally.outstanding.fetch_add(1, SeqCst);
        let tally = Arc::clone(tally);
        let send = move |reply: &[u8]| {
            tally.take(number, asked, is_blocked, reply);
            tally.outstanding.fetch_sub(1, SeqCst);
        };
        gateway.forward(place, forward, 0, Box::new(send));
    }
    done
}

#[test]
fn each_query_has_one_reply_and_upstream_one_question_a_flight() {
    let _machine = alone();
    let mut lists = Lists::new(NAMES);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    // On a busy machine all questions may come before one is read, and one that the kernel drops is never asked
    // again. Root may have more than others.
    set_socket_recv_buffer_size_force(&socket, BUFFER)
        .or_else(|_| set_socket_recv_buffer_size(&socket, BUFFER))
        .unwrap();
    let gateway = Arc::new(gateway(&runtime, socket.local_addr().unwrap(), lists.start()));
    let tallies: Vec<Arc<Tally>> = (0..ASKERS)
        .map(|_| {
            Arc::new(Tally {
                replies: (0..QUERIES).map(|_| AtomicU8::new(0)).collect(),
                outstanding: AtomicUsize::new(0),
                busy: AtomicU64::new(0),
                mistakes: std::sync::Mutex::default(),
            })
        })
        .collect();
    let stop = AtomicBool::new(false);
    let (done, upstream) = std::thread::scope(|scope| {
        let upstream = scope.spawn(|| answer_on(&socket, &stop));
        let _end = End(&stop);
        let askers: Vec<_> = tallies
            .iter()
            .zip(0..)
            .map(|(tally, asker)| {
                let gateway = &gateway;
                scope.spawn(move || ask_on(gateway, asker, tally))
            })
            .collect();
        // Other lists all the while: each query is answered by those that it was begun with.
        while !askers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            lists.adopt_next(&gateway.current);
        }
        let done: Vec<Asking> = askers.into_iter().filter_map(|asker| asker.join().ok()).collect();
        wait_until("the last reply", || gateway.flights.waiting() == 0);
        stop.store(true, SeqCst);
        (done, upstream.join().unwrap())
    });
    for tally in &tallies {
        let counts: HashMap<u8, usize> =
            tally.replies.iter().fold(HashMap::new(), |mut all, one| {
                *all.entry(one.load(SeqCst)).or_default() += 1;
                all
            });
        assert_eq!(counts, HashMap::from([(1, QUERIES)]), "replies to a query, and how often");
        assert_eq!(*tally.mistakes.lock().unwrap(), Vec::<String>::new());
    }
    let totals = Totals::of([&*gateway.counters]);
    let [coalesced, over_client, over_question, evicted] =
        [Event::Coalesced, Event::OverClient, Event::OverQuestion, Event::OverAll]
            .map(|event| totals.events(event));
    // A question that was evicted is no longer ours, though the server still has it.
    let twice = upstream.twice.len() as u64;
    assert!(twice <= evicted, "asked twice at one time: {:?}", upstream.twice);
    let sum = |of: fn(&Asking) -> u64| done.iter().map(of).sum::<u64>();
    let (waited, no_place) = (sum(|done| done.waited), sum(|done| done.no_place));
    // Each who waited led, followed, or was one too many; and each who led asked once.
    let told = upstream.questions + coalesced + over_client + over_question;
    // One that is evicted may be so before it is sent.
    assert!(told <= waited && told + evicted >= waited, "{told} and {evicted} of {waited}");
    let busy: u64 = tallies.iter().map(|tally| tally.busy.load(SeqCst)).sum();
    assert_eq!(busy, no_place + over_client + over_question + evicted);
    let happened = [upstream.questions, coalesced, over_client, no_place, sum(|done| done.at_once)];
    println!("{happened:?}, {} lists", lists.number);
    assert!(happened.iter().all(|&count| count > 20), "too little happened: {happened:?}");
}
