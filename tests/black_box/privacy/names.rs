//! P3, P8, P9: every way that a query can take, and what is said of it in the log and to upstream.

use std::time::Duration;

use super::{CLIENT, MARKER, files};
use crate::support::ask::{ask_raw_from, name_to_wire};
use crate::support::{
    Ask, Canned, Gateway, TWO_GROUPS, TWO_PROFILES, Upstream, eventually, gateway_blocking,
};

/// An upstream that answers, fails and says nothing.
fn every_answer() -> Upstream {
    let upstream = Upstream::start();
    let front = "zqmarker.front.example. 300 CNAME x.badname.example.".to_owned();
    let answers = [
        ("zqmarker.front.example", Canned { answer: vec![front], ..Canned::default() }),
        ("zqmarker.fail.example", Canned { rcode: 2, ..Canned::default() }),
        ("zqmarker.silent.example", Canned { is_silent: true, ..Canned::default() }),
    ];
    for (name, canned) in answers {
        upstream.answer(name, None, canned);
    }
    upstream
}

/// Every path: blocked, allowed, cached, reviewed, failed, silent, refused, broken.
fn ask_in_every_way(gateway: &Gateway) {
    for name in [
        "zqmarker.badname.example",
        "zqmarker.good.example",
        "zqmarker.good.example",
        "zqmarker.nx.example",
        "zqmarker.front.example",
        "zqmarker.fail.example",
        "zqmarker.test",
        "zqmarker.onion",
    ] {
        for qtype in ["A", "HTTPS", "ANY"] {
            let ask = Ask::new(name, qtype).from(CLIENT).edns(1232);
            ask.expect(gateway.dns);
            ask.clone().tcp().expect(gateway.dns);
        }
    }
    let silent = Ask::new("zqmarker.silent.example", "A").from(CLIENT);
    let answer = silent.limit(Duration::from_secs(10)).expect(gateway.dns);
    assert_eq!(answer.rcode(), "SERVFAIL");
    let refused = Ask::new("zqmarker.version.bind", "TXT").class(3).from(CLIENT);
    assert_eq!(refused.expect(gateway.dns).rcode(), "REFUSED");
    let ask = Ask::new("zqmarker.good.example", "A").from(CLIENT);
    assert_eq!(ask.opcode(4).expect(gateway.dns).rcode(), "NOTIMP");

    let question = [name_to_wire("zqmarker.good.example"), vec![0, 1, 0, 1]].concat();
    for (flags, rest) in [(1, &question[..question.len() - 3]), (0x81, &question), (1, &[0xc0, 12])]
    {
        let octets = [&[7, 7, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0], rest].concat();
        let from = CLIENT.parse().unwrap();
        let _ = ask_raw_from(from, gateway.dns, &octets, Duration::from_millis(300));
    }
}

fn assert_clean(place: &str, text: &str) {
    let folded = text.to_lowercase();
    for secret in [MARKER, CLIENT] {
        assert!(!folded.contains(secret), "{secret} is in {place}:\n{text}");
    }
}

#[test]
fn p9_names_and_addresses_are_nowhere_at_info() {
    let upstream = every_answer();
    let mut gateway = gateway_blocking(&["badname.example"], &upstream);

    ask_in_every_way(&gateway);
    gateway.expect_metric("lachan_responses_total", &[("rcode", "NOTIMP")], 1.0);
    for path in ["/metrics", "/healthz", "/readyz", "/", "/zq"] {
        assert_clean(path, &gateway.get(path).1);
    }
    gateway.reload();
    let again = Ask::new("zqmarker.good.example", "A").from(CLIENT);
    eventually("an answer after the reload", || again.send(gateway.dns));
    assert_clean("/metrics", &gateway.metrics().text);

    gateway.terminate();
    assert_clean("the log", &gateway.log());
    for (path, text) in files(gateway.dir()) {
        assert_clean(&path, &text);
    }
}

/// At `debug` the libraries beneath may name what is asked of upstream; nothing ever names the client.
#[test]
fn p3_no_address_is_in_the_log_at_any_level() {
    for (filter, secrets) in [("lachan=trace", &[MARKER, CLIENT][..]), ("debug", &[CLIENT])] {
        let upstream = every_answer();
        let config = format!("{TWO_GROUPS}{TWO_PROFILES}");
        let plan = Gateway::plan(&config).upstream(&upstream).log_filter(filter);
        let mut gateway = plan.start();
        ask_in_every_way(&gateway);
        gateway.reload();
        gateway.terminate();
        let log = gateway.log().to_lowercase();
        for secret in secrets {
            assert!(!log.contains(secret), "{secret} is in the log at {filter}:\n{log}");
        }
    }
}

/// A client that says which network it speaks for (RFC 7871) is not repeated to anybody.
#[test]
fn p8_no_client_subnet_goes_upstream() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["badname.example"], &upstream);
    let subnet = [0, 1, 24, 0, 198, 51, 100];
    for number in 0..3 {
        let mut octets = Ask::new(&format!("{MARKER}{number}.example"), "A").edns(1232).to_wire();
        octets.truncate(octets.len() - 2);
        octets.extend([0, 11, 0, 8, 0, 7]);
        octets.extend(subnet);
        let from = CLIENT.parse().unwrap();
        let reply = ask_raw_from(from, gateway.dns, &octets, Duration::from_secs(5)).unwrap();
        assert!(!reply.windows(subnet.len()).any(|one| one == subnet), "it is sent back");
    }
    let asked = upstream.asked();
    assert!(asked.len() >= 3, "{asked:?}");
    assert!(asked.iter().all(|one| !one.options.contains(&8)), "{asked:?}");
}
