//! A worker's whole turn: datagrams are received, answered, sent and counted.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use lachan::load::assemble::Assembler;
use lachan::load::in_force::Current;
use lachan::metrics::counters::{Counters, Totals};
use lachan::overrides::Overrides;
use lachan::resolve::{Finish, Transport, begin};
use lachan::serve::gateway::Gateway;
use lachan::serve::listener::udp::{Worker, open};
use lachan::upstream::Options;

use super::kit::core::{LIMITS, answered, origin};
use super::kit::gateway::gateway;
use super::*;

/// Puts an upstream's answer to `query` into the cache.
fn learn(gateway: &Gateway, query: &[u8], upstream: &[u8]) {
    let (snapshot, now) = (gateway.current.snapshot(), gateway.clock.now());
    let mut out = vec![0; 65_535];
    let step = begin(query, &origin(CLIENT), &snapshot, &gateway.cache, now, &mut out);
    let Begin::Forward(forward) = step else { panic!("answered at once: {step:?}") };
    let step = forward.finish(answered(upstream, now), &gateway.cache, &LIMITS, now, &mut out);
    assert!(matches!(step, Finish::Done(Done::Reply(..))), "{step:?}");
}

#[test]
fn a_turn_allocates_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Asked by its workers alone: upstream is never needed.
    let upstream = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let first = Assembler::new(None).candidate(None).unwrap();
    let current = Current::start(first, Overrides::open(None));
    let gateway = Arc::new(gateway(&runtime, upstream, Options::default(), current));
    let (name, alias, gone) = ("www.example.com", "a.example.com", "gone.example.com");
    let upstream = response(name, rtype::A, Rcode::NOERROR, &[address(QNAME)], false);
    learn(&gateway, &query(name, rtype::A, false), &upstream);
    learn(&gateway, &query(alias, rtype::A, false), &chain(alias, "b.example.net"));
    let upstream = response(gone, rtype::A, Rcode::NXDOMAIN, &[], true);
    learn(&gateway, &query(gone, rtype::A, false), &upstream);
    let kinds = [
        query(BLOCKED, rtype::A, true),
        query(name, rtype::A, true),
        query(alias, rtype::A, false),
        query(gone, rtype::A, false),
        query("localhost", rtype::A, false),
        query(name, rtype::ANY, false),
        // Malformed, and no query at all.
        query(name, rtype::A, false)[..20].to_vec(),
        vec![0; 5],
    ];
    // One address, and all of them with the address asked told and said.
    for listen in ["127.0.0.1:0", "0.0.0.0:0"] {
        let socket = Arc::new(open(listen.parse().unwrap()).unwrap());
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, socket.local_addr().unwrap().port()));
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        client.connect(to).unwrap();
        let counters = Counters::single_writer();
        let mut worker = Worker::new(Arc::clone(&socket), &gateway, &counters);
        // The first turn counts as the last.
        let (rounds, before) = (10, ASKED.get());
        for _ in 0..rounds {
            for query in &kinds {
                client.send(query).unwrap();
            }
            worker.serve_batch(true).unwrap();
        }
        while worker.serve_batch(false).is_ok() {}
        assert_eq!(ASKED.get() - before, 0, "{listen}: memory was asked for");
        let mut reply = [0; 1500];
        for _ in 0..rounds * (kinds.len() - 1) {
            client.recv(&mut reply).unwrap();
        }
        let totals = Totals::of([&counters]);
        assert_eq!(totals.queries(Transport::Udp, 0), (rounds * kinds.len()) as u64);
        assert_eq!(totals.durations(AnswerSource::Cache).count, 3 * rounds as u64);
        assert_eq!(totals.durations(AnswerSource::Blocked).count, rounds as u64);
    }
}
