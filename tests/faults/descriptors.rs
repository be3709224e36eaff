//! A gateway that runs out of descriptors.

use std::net::TcpStream;
use std::time::Duration;

use super::load;
use crate::support::ask::try_connect;
use crate::support::{Ask, Gateway, PATIENCE, PUPIL, Upstream, eventually, within};

/// So few that connections use them up: of more, half are left for other sockets.
const LIMIT: &str = "--nofile=36:36";

#[test]
fn without_descriptors_datagrams_are_answered_and_it_recovers() {
    let upstream = Upstream::start();
    let dns = "dns = [\"127.0.0.1:{dns}\"]\n";
    let config = load::config("").replace(dns, &format!("{dns}tcp_idle = \"5m\"\n"));
    let plan = load::with_files(Gateway::plan(&config).upstream(&upstream));
    let gateway = plan.under(&["prlimit", LIMIT]).start();
    // In the cache, as what is asked for all day.
    load::assert_filters(&gateway, "at first");
    let at_rest = load::descriptors(&gateway);
    let ((), seen) = load::asked_by_udp(gateway.dns, || {
        let mut held: Vec<TcpStream> = Vec::new();
        // Many clients, none of them over its own limit.
        let clients = (0..600).map(|n| format!("127.0.10.{}", 10 + n % 200).parse().unwrap());
        for client in clients {
            held.extend(try_connect(client, gateway.dns));
        }
        let mut most = 0;
        let is_full = within(PATIENCE, || {
            most = most.max(load::descriptors(&gateway));
            (most >= 35).then_some(())
        });
        assert!(is_full.is_some(), "only {most} descriptors are in use");
        for _ in 0..200 {
            load::assert_filters(&gateway, "without descriptors");
        }
        // A new client by TCP takes the place of one that idles.
        let ask = Ask::new("adult.example", "A").from(PUPIL).limit(Duration::from_secs(5));
        let answer = eventually("an answer by TCP", || ask.clone().tcp().send(gateway.dns));
        assert_eq!(answer.rcode(), "NXDOMAIN");
        // A reload needs descriptors, and waits for them without harm.
        load::put(&gateway, load::LIST, load::list("more.example"));
        gateway.reload();
        load::assert_filters(&gateway, "a reload without descriptors");
        drop(held);
    });
    seen.assert_answered();
    eventually("the descriptors are back", || {
        (load::descriptors(&gateway) <= at_rest + 1).then_some(())
    });
    gateway.reload();
    load::until_blocked(&gateway, "more.example");
    load::until_whole(&gateway);
    let fresh = Ask::new("new.example", "A").from(PUPIL).expect(gateway.dns);
    assert_eq!(fresh.answers(), ["A 192.0.2.1"]);
}
