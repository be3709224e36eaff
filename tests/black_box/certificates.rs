//! Certificates and the clock (decision 0006): while the clock is not trusted, chain and name are
//! checked and dates are not; from then on all three. DoT, DoH and lists by HTTPS alike.

use std::process::Command;

use lachan::sys::clock::system_time;

use crate::kit::server::{self, Authority, Certificate, says};
use crate::support::gateway::{LACHAN, Plan, run};
use crate::support::web::{Page, Web};
use crate::support::{Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

/// The name that servers are known by.
const NAME: &str = "dns.school.example";
/// What servers show, and whether that is taken under a trusted and an untrusted clock.
const KINDS: [(&str, [bool; 2]); 5] = [
    ("good", [true, true]),
    ("expired", [false, true]),
    ("early", [false, true]),
    ("misnamed", [false, false]),
    ("stranger", [false, false]),
];

/// A certificate of each kind, in the order of [`KINDS`].
fn certificates(authority: &Authority) -> [Certificate; 5] {
    [
        authority.signs(NAME, [1975, 4096]),
        authority.signs(NAME, [2001, 2020]),
        authority.signs(NAME, [2090, 2095]),
        authority.signs("dns.other.example", [1975, 4096]),
        Authority::new().signs(NAME, [1975, 4096]),
    ]
}

/// `192.0.2.7` for every question.
fn answer(query: &[u8]) -> Vec<u8> {
    let mut end = 12;
    while query[end] != 0 {
        end += 1 + usize::from(query[end]);
    }
    let mut reply = query[..end + 5].to_vec();
    reply[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
    reply
}

/// Servers of every way and kind: the sections that name them, with the lists' URLs.
struct Servers {
    sections: String,
    lists: Vec<Web>,
    _runtime: tokio::runtime::Runtime,
}

fn servers(authority: &Authority) -> Servers {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (mut sections, mut lists) = (Vec::new(), Vec::new());
    for ((kind, _), certificate) in KINDS.iter().zip(certificates(authority)) {
        // A connection for each question: a kept one would show no certificate again.
        let tls = runtime.block_on(server::tls(says(answer), &certificate, 1)).address;
        let https = runtime.block_on(server::https(says(answer), &certificate)).address;
        for server in [format!("tls://{tls}"), format!("https://{https}")] {
            let way = if server.starts_with("tls") { "dot" } else { "doh" };
            sections.push(format!(
                "\n[[forward]]\nzone = \"{way}-{kind}.example\"\nservers = [\"{server}#{NAME}\"]\n"
            ));
        }
        let web = Web::serve(Some(certificate.config(&[b"http/1.1"])));
        web.put(&format!("/{kind}"), Page::text(&format!("{kind}.listed.example\n")));
        sections.push(format!(
            "\n[[lists.source]]\ncategory = \"games\"\nurl = \"https://{NAME}:{}/{kind}\"\n",
            web.port()
        ));
        lists.push(web);
    }
    Servers { sections: sections.concat(), lists, _runtime: runtime }
}

/// A gateway that trusts `authority`, and was last right at this time.
fn plan(authority: &Authority, upstream: &Upstream, sections: &str, was_right: u64) -> Plan {
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"state\"\n{sections}");
    let config = config
        .replace("[upstream]\n", "[upstream]\ntls_roots = \"roots.pem\"\n")
        .replace("[lists]\n", "[lists]\ntls_roots = \"roots.pem\"\n");
    Gateway::plan(&config)
        .upstream(upstream)
        .file("roots.pem", &authority.pem)
        .file("state/clock", &was_right.to_string())
}

/// An upstream that knows where the list servers are.
fn upstream() -> Upstream {
    let upstream = Upstream::start();
    let here = vec![format!("{NAME}. 3600 A 127.0.0.1")];
    upstream.answer(NAME, Some(1), crate::support::Canned { answer: here, ..Default::default() });
    let none = crate::support::Canned::default();
    upstream.answer(NAME, Some(28), none);
    upstream
}

fn resolves(gateway: &Gateway, name: &str) -> bool {
    let answer = Ask::new(name, "A").from(PUPIL).expect(gateway.dns);
    answer.answers() == ["A 192.0.2.7"] || {
        assert_eq!(answer.rcode(), "SERVFAIL", "{name}");
        false
    }
}

/// Which state the clock is in.
fn clock(gateway: &Gateway) -> String {
    let metrics = gateway.metrics();
    let is_it = |state: &&str| metrics.value("lachan_clock_state", &[("state", state)]) > 0.5;
    let found = ["untrusted", "plausible", "synced"].into_iter().find(is_it);
    found.unwrap_or_default().to_owned()
}

/// What is taken by a gateway whose clock was last right at a time, by DNS and by download.
fn expect(was_right: u64, is_trusted: bool) {
    let (authority, upstream) = (Authority::new(), upstream());
    let servers = servers(&authority);
    let plan = plan(&authority, &upstream, &servers.sections, was_right);
    drop(plan.command());
    let mut by_hand = Command::new(LACHAN);
    by_hand.args(["lists", "fetch", "--json"]).arg(plan.config_path());
    let gateway = plan.start();
    assert_eq!(clock(&gateway) != "untrusted", is_trusted);
    for (kind, taken) in KINDS {
        let is_taken = taken[usize::from(!is_trusted)];
        for way in ["dot", "doh"] {
            let name = format!("www.{way}-{kind}.example");
            assert_eq!(resolves(&gateway, &name), is_taken, "{name}\n{}", gateway.log());
        }
        let line = if is_taken { ": downloaded" } else { ": not downloaded" };
        eventually(&format!("{kind}{line}"), || {
            let log = gateway.log();
            log.lines().find(|l| l.contains(&format!("/{kind}{line}"))).map(|_| ())
        });
    }
    assert_eq!(servers.lists.len(), KINDS.len());
    let warnings = gateway.log().matches("checked without dates").count();
    assert!(if is_trusted { warnings == 0 } else { warnings > 0 }, "{}", gateway.log());
    // By hand it is as in the background.
    let (_, said) = run(by_hand);
    let json = said.get(said.find('[').unwrap()..=said.rfind(']').unwrap()).unwrap();
    let said: serde_json::Value = serde_json::from_str(json).unwrap();
    for (place, (kind, taken)) in KINDS.iter().enumerate() {
        let is_taken = said[place]["result"] != "failed";
        assert_eq!(is_taken, taken[usize::from(!is_trusted)], "{kind}: {said}");
    }
}

#[test]
fn dates_are_checked_while_the_clock_is_trusted() {
    expect(system_time() - 60, true);
}

#[test]
fn without_a_trusted_clock_chain_and_name_are_checked_and_dates_are_not() {
    expect(system_time() + 86_400, false);
}

#[test]
fn dates_are_checked_as_soon_as_the_clock_is_trusted_without_a_restart() {
    let (authority, upstream) = (Authority::new(), upstream());
    let servers = servers(&authority);
    // The gateway cannot be told the time; it comes to the time when it was last right.
    for ahead in [5, 20, 80] {
        let was_right = system_time() + ahead;
        let gateway = plan(&authority, &upstream, &servers.sections, was_right).start();
        let was_taken = resolves(&gateway, "a.dot-expired.example");
        if clock(&gateway) != "untrusted" {
            continue;
        }
        assert!(was_taken, "{}", gateway.log());
        eventually("the clock is trusted", || (clock(&gateway) != "untrusted").then_some(()));
        assert!(!resolves(&gateway, "b.dot-expired.example"));
        assert!(resolves(&gateway, "b.dot-good.example"));
        return;
    }
    panic!("the machine is too slow to see a clock untrusted");
}
