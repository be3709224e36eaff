//! Repositories on web servers: what a poll asks, what it takes, and what it says of the gateway.
//!
//! The interval is the shortest that a config may have, so that a poll comes within seconds.

use std::fs;

use super::refused::{enrolled, prepare, rejected};
use crate::downloads::gzip;
use crate::kit::repository::TestRepository;
use crate::support::ports::free_port;
use crate::support::web::{Page, Web};
use crate::support::{Canned, Gateway, TWO_GROUPS, Upstream, eventually};

/// A gateway that polls these URLs.
fn polling(repository: &TestRepository, urls: &[&str], upstream: &Upstream) -> Gateway {
    enrolled(repository, &format!("urls = {urls:?}\nevery = \"10s\""), upstream)
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
    let octets = web.octets();
    assert_eq!(after(&web, 2), ["/timestamp.json", "/timestamp.json"]);
    let octets = (web.octets() - octets) / 2;
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
    let more = format!("urls = [{url:?}]\nevery = \"10s\"");
    let lists = format!("starter = false\ntls_roots = {root:?}");
    let groups = TWO_GROUPS.replace("starter = false", &lists);
    let plan = super::plan_with(&groups, &more, &upstream);
    let gateway = plan.made(|dir| prepare(&repository, dir)).start();
    taken(&gateway);
    after(&web, 1);
    let octets = web.octets();
    after(&web, 2);
    let octets = (web.octets() - octets) / 2;
    eprintln!("octets of a poll without news, with TLS: {octets}");
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

#[test]
fn where_the_first_server_is_dead_the_second_one_is_asked() {
    let (upstream, repository, web) = (Upstream::start(), TestRepository::new(), Web::start());
    web.mount(&repository.path());
    let dead = format!("http://127.0.0.1:{}/", free_port());
    let gateway = polling(&repository, &[&dead, &web.url("/")], &upstream);
    taken(&gateway);
    assert!(rejected(&gateway, "unreachable") >= 1.0);
}
