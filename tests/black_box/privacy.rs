//! Privacy: what a child looked up, and from where, stays out of everything at `info`.
//!
//! A marker name and a marker address go through every path a query can take; then
//! logs, pages and files are searched for them.

use std::path::Path;
use std::time::Duration;

use crate::support::ask::{ask_raw_from, name_to_wire};
use crate::support::{Ask, Canned, Gateway, Upstream, eventually, gateway_blocking};

/// In every name that is asked; nowhere in config or lists.
const MARKER: &str = "zqmarker";
/// Who asks; in no group's prefix.
const CLIENT: &str = "127.0.66.6";

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

/// Every file below a directory, as text with losses.
fn files(dir: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                return files(&path);
            }
            let octets = std::fs::read(&path).unwrap();
            vec![(path.display().to_string(), String::from_utf8_lossy(&octets).into_owned())]
        })
        .collect()
}

#[test]
fn names_and_addresses_are_nowhere_at_info() {
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

    let status = gateway.terminate();
    assert_eq!(status.code(), Some(0));
    assert_clean("the log", &gateway.log());
    for (path, text) in files(gateway.dir()) {
        assert_clean(&path, &text);
    }
}
