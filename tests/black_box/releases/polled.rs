//! Repositories on web servers: what a poll asks, what it takes, and what it says of the gateway.
//!
//! The intervals are the shortest that a config may have, so that a poll comes within a second or two.

use std::fs;
use std::time::Duration;

use super::refused::{enrolled, prepare, rejected};
use crate::downloads::gzip;
use crate::kit::repository::TestRepository;
use crate::support::api::Api;
use crate::support::ports::free_port;
use crate::support::web::{Page, Web};
use crate::support::{Canned, Gateway, TWO_GROUPS, Upstream, eventually, within};

/// A gateway that polls these URLs.
fn polling(repository: &TestRepository, urls: &[&str], upstream: &Upstream) -> Gateway {
    enrolled(repository, &format!("urls = {urls:?}\nevery = \"1s\""), upstream)
}

/// The moment of the last update that ended well; 0 before.
fn last(gateway: &Gateway) -> f64 {
    gateway.metrics().value("lachan_update_last_success_timestamp_seconds", &[])
}

fn taken(gateway: &Gateway) {
    eventually("the repository is trusted", || (last(gateway) > 0.0).then_some(()));
}

/// Waits for `more` requests, and returns the paths of all since then.
fn after(web: &Web, more: usize) -> Vec<String> {
    let before = web.paths().len();
    eventually("a poll", || (web.paths().len() >= before + more).then_some(()));
    web.paths().split_off(before)
}

/// Octets of a poll that brings nothing, both ways.
fn octets_of_a_poll(web: &Web) -> usize {
    let before = (web.octets(), web.paths().len());
    let polls = after(web, 2);
    assert!(polls.iter().all(|path| path.ends_with("/timestamp.json")), "{polls:?}");
    (web.octets() - before.0) / (web.paths().len() - before.1)
}

fn refused(gateway: &Gateway, reason: &str) {
    eventually(reason, || (rejected(gateway, reason) >= 1.0).then_some(()));
    assert!(super::is_blocked(gateway, "one.example"), "{reason}: the old state is in force");
}

#[test]
fn a_poll_without_news_is_one_request_that_says_what_the_gateway_has() {
    let (upstream, repository, web) = (Upstream::start(), TestRepository::new(), Web::start());
    web.mount(&repository.path());
    let gateway = polling(&repository, &[&web.url("/")], &upstream);
    taken(&gateway);
    let first = web.paths();
    assert_eq!(first.iter().filter(|path| *path == "/timestamp.json").count(), 1, "{first:?}");
    let octets = octets_of_a_poll(&web);
    assert!(octets <= 1500, "{octets} octets for a poll without news");
    let agent = "user-agent: lachan/";
    for head in web.requests() {
        let line = head.lines().find(|line| line.to_lowercase().starts_with(agent));
        let line = line.unwrap_or_else(|| panic!("{head}")).split_once(": ").unwrap().1;
        assert!(line.contains(" school=test-school box=- release=1 ring="), "{line}");
        assert!(line.ends_with(" state=ok"), "{line}");
    }
    // What is new comes, and no file that is there already.
    repository.refresh();
    let news = after(&web, 4);
    assert_eq!(news.iter().filter(|path| path.contains("targets.json")).count(), 0, "{news:?}");
    assert_eq!(after(&web, 1), ["/timestamp.json"]);
    eprintln!("octets of a poll without news, over HTTP: {octets}");
}

#[test]
fn a_repository_over_https_is_trusted_by_the_authorities_of_the_config() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let here =
        Canned { answer: vec!["releases.example. 60 A 127.0.0.1".into()], ..Canned::default() };
    upstream.answer("releases.example", Some(1), here);
    upstream.answer("releases.example", Some(28), Canned::default());
    let root = repository.file("tls.pem");
    let web = Web::start_tls("releases.example", &root);
    let copy = repository.file("www/lachan");
    repository.copy_to(&copy);
    web.mount(&repository.file("www"));
    // A base without a final slash is a directory as well.
    let url = format!("https://releases.example:{}/lachan", web.port());
    let more = format!("urls = [{url:?}]\nevery = \"1s\"");
    let lists = format!("starter = false\ntls_roots = {root:?}");
    let groups = TWO_GROUPS.replace("starter = false", &lists);
    let plan = super::plan_with(&groups, &more, &upstream);
    let gateway = plan.made(|dir| prepare(&repository, dir)).start();
    taken(&gateway);
    after(&web, 1);
    let octets = octets_of_a_poll(&web);
    eprintln!("octets of a poll without news, with TLS: {octets}");
    eventually("a session goes on", || (web.resumed() >= 2).then_some(()));
    assert!(octets <= 6000, "{octets} octets for a poll without news");
}

#[test]
fn what_is_no_repository_is_refused_with_its_reason_until_it_is_one() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let other = TestRepository::new();
    let foreign = fs::read(other.path().join("timestamp.json")).unwrap();
    let endless = Page { body: vec![b' '; 4 << 20], until_close: true, ..Page::default() };
    // Packed, it is far shorter than it may be.
    let bomb = Page {
        head: vec!["Content-Encoding: gzip".into()],
        body: gzip(&vec![b' '; 4 << 20]),
        ..Page::default()
    };
    let wrong = [
        ("portal", Page::text("<!DOCTYPE html><title>Sign in</title>")),
        ("size", endless),
        ("size", bomb),
        ("malformed", Page::text("{\"signed\": ")),
        ("signature", Page { body: foreign, ..Page::default() }),
        ("unreachable", Page::status(503)),
        ("unreachable", Page::to("http://127.0.0.1:1/timestamp.json")),
        ("unreachable", Page { missing: 9, ..Page::text("{\"signed\": ") }),
    ];
    let polled = wrong.map(|(reason, page)| {
        let web = Web::start();
        web.mount(&repository.path());
        web.put("/timestamp.json", page);
        let gateway = polling(&repository, &[&web.url("/")], &upstream);
        (reason, web, gateway)
    });
    let own = fs::read(repository.path().join("timestamp.json")).unwrap();
    for (reason, web, gateway) in &polled {
        refused(gateway, reason);
        assert!(last(gateway) < 1.0, "{reason}");
        web.put("/timestamp.json", Page { body: own.clone(), ..Page::default() });
    }
    for (_, _, gateway) in &polled {
        taken(gateway);
    }
}

/// The state of each server by its place in the config, as `lachan status --json` has it.
fn servers(gateway: &Gateway, urls: &[&str]) -> Vec<Option<String>> {
    let status = Api::of(gateway).status();
    let all = status["update"]["servers"].as_array().unwrap();
    let one = |url: &&str| {
        let server = all.iter().find(|server| server["url"] == **url)?;
        Some(server["reason"].as_str().unwrap_or("ok").to_owned())
    };
    urls.iter().map(one).collect()
}

fn expect_servers(gateway: &Gateway, urls: &[&str], expected: &[&str]) {
    // Three polls, as each server has its turn.
    let found = within(Duration::from_secs(120), || {
        let found: Vec<_> = servers(gateway, urls).into_iter().flatten().collect();
        (found == expected).then_some(())
    });
    assert!(found.is_some(), "{expected:?}: {:?}", servers(gateway, urls));
    assert_eq!(Api::of(gateway).status()["update"]["state"], "ok");
}

#[test]
fn where_the_first_server_is_dead_the_second_one_is_asked() {
    let (upstream, repository, web) = (Upstream::start(), TestRepository::new(), Web::start());
    web.mount(&repository.path());
    let dead = format!("http://127.0.0.1:{}/", free_port());
    let urls = [dead.as_str(), &web.url("/")];
    let gateway = polling(&repository, &urls, &upstream);
    taken(&gateway);
    expect_servers(&gateway, &urls, &["unreachable", "ok"]);
    after(&web, 2);
    let log = gateway.log();
    assert_eq!(log.matches("no update from it").count(), 1, "it is told once: {log}");
}

#[test]
fn a_mirror_that_is_frozen_is_found_out_by_the_other_server() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let (first, second) = (Web::start(), Web::start());
    let frozen = repository.file("frozen");
    repository.copy_to(&frozen);
    first.mount(&frozen);
    second.mount(&repository.path());
    let urls = [first.url("/"), second.url("/")];
    let urls = [urls[0].as_str(), &urls[1]];
    let gateway = polling(&repository, &urls, &upstream);
    expect_servers(&gateway, &urls, &["ok", "ok"]);
    repository.refresh();
    // The newer one is taken, and the older one then is a rollback that costs one small request.
    expect_servers(&gateway, &urls, &["rollback", "ok"]);
    let news = second.paths();
    assert!(news.iter().any(|path| path.ends_with("2.snapshot.json")), "{news:?}");
    // What both have is downloaded from one of them.
    let all = [first.paths(), second.paths()].concat();
    assert_eq!(all.iter().filter(|path| path.ends_with("1.targets.json")).count(), 1, "{all:?}");
}

#[test]
fn servers_that_disagree_under_one_number_are_told() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let (first, second) = (Web::start(), Web::start());
    let other = repository.file("other");
    repository.copy_to(&other);
    // The same keys sign another timestamp of the same version.
    let other_text = other.display().to_string();
    repository.refresh();
    std::thread::sleep(Duration::from_millis(1100));
    repository.publish(&["refresh", &other_text, "--online", &repository.text("online")]);
    first.mount(&repository.path());
    second.mount(&other);
    let urls = [first.url("/"), second.url("/")];
    let urls = [urls[0].as_str(), &urls[1]];
    let gateway = polling(&repository, &urls, &upstream);
    expect_servers(&gateway, &urls, &["ok", "disagreeing"]);
    assert!(rejected(&gateway, "disagreeing") >= 1.0);
    // It is the department's own again once it says something newer.
    repository.refresh();
    second.mount(&repository.path());
    expect_servers(&gateway, &urls, &["ok", "ok"]);
}

#[test]
fn a_download_that_is_cut_goes_on_where_it_was() {
    let (upstream, repository, web) = (Upstream::start(), TestRepository::new(), Web::start());
    web.mount(&repository.path());
    let octets = fs::read(repository.path().join("1.targets.json")).unwrap().len();
    let after = octets / 3 + 1;
    web.cut("/1.targets.json", after);
    let gateway = polling(&repository, &[&web.url("/")], &upstream);
    taken(&gateway);
    let requests = web.requests();
    let range = |head: &String| {
        let head = head.to_lowercase();
        let line = head.lines().find(|line| line.starts_with("range: ")).map(ToOwned::to_owned);
        line.unwrap_or_default()
    };
    let ranges: Vec<String> =
        requests.iter().filter(|head| head.contains("/1.targets.json ")).map(range).collect();
    let second = format!("range: bytes={after}-");
    let third = format!("range: bytes={}-", 2 * after);
    assert_eq!(ranges, [String::new(), second, third]);
}

#[test]
fn a_server_that_says_nothing_is_given_up_and_the_other_one_is_asked() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let (silent, web) = (Web::start(), Web::start());
    silent.put("/timestamp.json", Page { is_silent: true, ..Page::default() });
    web.mount(&repository.path());
    let urls = [silent.url("/"), web.url("/")];
    let urls = [urls[0].as_str(), &urls[1]];
    let more = format!("urls = {urls:?}\nevery = \"1s\"\nsilence = \"2s\"");
    let gateway = enrolled(&repository, &more, &upstream);
    taken(&gateway);
    expect_servers(&gateway, &urls, &["unreachable", "ok"]);
}

#[test]
fn a_record_that_changes_brings_a_poll_before_it_is_due() {
    let (upstream, repository, web) = (Upstream::start(), TestRepository::new(), Web::start());
    web.mount(&repository.path());
    let record = |text: &str| Canned {
        answer: vec![format!("nudge.example. 30 TXT \"{text}\"")],
        ..Canned::default()
    };
    upstream.answer("nudge.example", Some(16), Canned { times: Some(1), ..record("1") });
    upstream.answer("nudge.example", Some(16), record("2"));
    let url = web.url("/");
    let more = format!(
        "urls = [{url:?}]\nevery = \"7d\"\nnudge = \"nudge.example\"\nnudge_every = \"1s\""
    );
    let gateway = enrolled(&repository, &more, &upstream);
    eventually("the record is asked for", || {
        (upstream.count("nudge.example", Some(16)) > 0).then_some(())
    });
    let before = web.paths().len();
    eventually("a poll", || (web.paths().len() > before).then_some(()));
    taken(&gateway);
}
