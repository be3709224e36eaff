//! The same with all of policy on: schedules that run and edges near enough to shorten TTLs,
//! a lesson and an exam, a department with locks, an allow-list, keywords, listed addresses,
//! zones of other servers, a category that is closed.

use lachan::overrides::StoredOverride;
use lachan::policy::Claims;
use lachan::resolve::Origin;

use super::kit::core::origin;
use super::kit::folder::stored;
use super::*;

/// The moment is 2027-01-15T08:01:01 in UTC: `now` runs until 08:02, lessons begin at 08:03.
const CONFIG: &str = r#"
default_group = "staff"
[block]
ttl = "5m"
[rebinding]
allow = ["school.example"]
[local]
records = ["nas.school.lan A 10.0.0.1"]
[[forward]]
zone = "zone.example"
servers = ["udp://192.0.2.53"]
[department]
policy = "department.toml"
[[schedule]]
name = "lessons"
times = ["08:03-09:00"]
[[schedule]]
name = "now"
times = ["08:00-08:02"]
[[group]]
name = "staff"
level = "staff"
[[group]]
name = "pupils"
clients = ["10.1.0.0/16"]
profile = "pupils"
[[group]]
name = "exam"
clients = ["10.2.0.0/16"]
profile = "pupils"
[[group]]
name = "small"
clients = ["10.3.0.0/16"]
level = "preschool"
[profile.pupils]
level = "lower-secondary"
allow = ["own.example"]
deny = ["denied.example"]
[profile.pupils.during.now]
block = ["crypto", "social"]
[[lists.source]]
category = "social"
path = "social.txt"
[[lists.source]]
category = "games"
path = "games.txt"
[[lists.source]]
category = "gambling"
path = "gambling.txt"
[[lists.source]]
category = "safe"
path = "safe.txt"
[[lists.source]]
category = "malware"
format = "addresses"
path = "addresses.txt"
"#;

const DEPARTMENT: &str = r#"
allow = ["lms.example"]
deny = ["never.example"]
[[lock]]
safesearch = "all"
youtube = "moderate"
canaries = "all"
"#;

fn core(config: &str) -> Counted {
    let files = [
        ("department.toml", DEPARTMENT),
        ("social.txt", "chat.example\n"),
        ("games.txt", "games.example\nopen.example\n"),
        ("gambling.txt", "bet.example\n"),
        ("safe.txt", "good.example\n"),
        ("addresses.txt", "203.0.113.0/24\n"),
    ];
    let start = at(0).civil;
    let times = [start, start + 150];
    let overrides = vec![
        stored("lesson", "pupils", &["lesson.example"], times),
        StoredOverride { id: 2, ..stored("exam", "exam", &["paper.example"], times) },
        StoredOverride {
            id: 3,
            categories: vec!["games".into()],
            ..stored("lesson", "small", &[], times)
        },
    ];
    Counted::new(Folder::new(config, &files).policy_around(start, overrides).unwrap())
}

const PUPIL: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 5);
const EXAM: Ipv4Addr = Ipv4Addr::new(10, 2, 0, 5);
const SMALL: Ipv4Addr = Ipv4Addr::new(10, 3, 0, 5);

#[test]
fn a_blocked_answer_allocates_nothing_under_a_full_policy() {
    let mut core = core(CONFIG);
    for (client, name) in [
        // By the school, the department, a lock, a schedule, a word; for an exam; by a list of
        // what is allowed.
        (PUPIL, "www.denied.example"),
        (PUPIL, "www.never.example"),
        (PUPIL, "www.bet.example"),
        (PUPIL, "www.chat.example"),
        (PUPIL, "taixiu-x.example"),
        (EXAM, "www.lesson.example"),
        (EXAM, "www.chat.example"),
        (SMALL, "www.plain.example"),
    ] {
        for qtype in [rtype::A, rtype::HTTPS, rtype::ANY] {
            core.expect(name, qtype, client, Rcode::NXDOMAIN, AnswerSource::Blocked);
        }
    }
    core.expect("mask.icloud.com", rtype::A, PUPIL, Rcode::NXDOMAIN, AnswerSource::Local);
}

#[test]
fn a_cached_answer_allocates_nothing_under_a_full_policy() {
    let mut core = core(CONFIG);
    for (client, name) in [
        (PUPIL, "www.lesson.example"),
        (PUPIL, "www.own.example"),
        (PUPIL, "www.lms.example"),
        (PUPIL, "www.good.example"),
        (PUPIL, "www.plain.example"),
        (PUPIL, "pool.ntp.org"),
        (PUPIL, "dc.zone.example"),
        // Until lessons begin, in two minutes.
        (PUPIL, "www.games.example"),
        (EXAM, "www.paper.example"),
        (SMALL, "www.open.example"),
        (SMALL, "x.good.example"),
    ] {
        let upstream = response(name, rtype::A, Rcode::NOERROR, &[address(QNAME)], false);
        core.learn(&query(name, rtype::A, false), &upstream);
        core.expect(name, rtype::A, client, Rcode::NOERROR, AnswerSource::Cache);
    }
    let (clean, alias) = (chain("a.plain.example", "b.plain.example"), "c.plain.example");
    core.learn(&query("a.plain.example", rtype::A, false), &clean);
    core.expect("a.plain.example", rtype::A, PUPIL, Rcode::NOERROR, AnswerSource::Cache);
    // What the school denies, behind an alias.
    core.learn(&query(alias, rtype::A, false), &chain(alias, "www.denied.example"));
    core.expect(alias, rtype::A, PUPIL, Rcode::NXDOMAIN, AnswerSource::Blocked);
}

#[test]
fn a_search_engine_in_safe_mode_allocates_nothing_once_it_is_known() {
    let mut core = core(CONFIG);
    let (host, safe) = ("www.google.com", "forcesafesearch.google.com");
    let octets = query(host, rtype::A, false);
    let upstream = response(safe, rtype::A, Rcode::NOERROR, &[address(QNAME)], false);
    core.core.learn(&octets, PUPIL, at(1), &upstream);
    core.expect(host, rtype::A, PUPIL, Rcode::NOERROR, AnswerSource::Cache);
}

#[test]
fn a_closed_category_allocates_nothing() {
    let source = "[[lists.source]]\ncategory = \"adult\"\npath = \"gone.txt\"\n";
    let mut core = core(&format!("{CONFIG}[lists]\nstarter = false\n{source}"));
    core.expect("www.plain.example", rtype::A, PUPIL, Rcode::NXDOMAIN, AnswerSource::Blocked);
    core.expect("www.bet.example", rtype::A, PUPIL, Rcode::NXDOMAIN, AnswerSource::Blocked);
}

#[test]
fn a_claim_allocates_nothing_accepted_or_ignored() {
    let small = "[[group]]\nname = \"small\"\n";
    let claims = "macs = [\"a0:36:9f:00:00:01\"]\nserver_names = [\"small.dns.example\"]\n";
    let core = core(&CONFIG.replace(small, &format!("{small}{claims}")));
    let small = Claims {
        token: Some("small".into()),
        server_name: Some("small.dns.example".into()),
        mac: "a0:36:9f:00:00:01".parse().ok(),
    };
    let unknown = Claims { mac: "a0:36:9f:00:00:02".parse().ok(), ..Claims::NONE };
    let by_mac = Claims { mac: small.mac, ..Claims::NONE };
    for claims in [&small, &by_mac, &unknown] {
        for client in [PUPIL, EXAM, SMALL] {
            let origin = Origin { claims: claims.clone(), ..origin(client) };
            let before = ASKED.get();
            core.core.snapshot.group_of(origin.identity(), at(61));
            assert_eq!(ASKED.get() - before, 0, "{claims:?} {client}");
        }
    }
}
