//! A gateway whose clock is synchronised, by real polls: the time of an order, and files past their date.

use std::fs;
use std::path::Path;

use super::refused::{prepare, rejected};
use super::{is_blocked, plan};
use crate::kit::data::skipped;
use crate::kit::repository::TestRepository;
use crate::support::gateway::has_mounts;
use crate::support::web::Web;
use crate::support::{Gateway, Upstream, eventually};

fn gateway(office: &TestRepository, web: &Web, upstream: &Upstream) -> Gateway {
    let more = format!("urls = [{:?}]\nevery = \"1s\"", web.url("/"));
    plan(&more, upstream).made(|dir: &Path| prepare(office, dir)).synced().start()
}

#[test]
fn an_order_says_how_long_it_took_and_a_repository_past_its_date_is_frozen() {
    if !has_mounts() {
        return skipped("no mounts here (root is needed): what a synchronised clock changes");
    }
    let (upstream, office, web) = (Upstream::start(), TestRepository::new(), Web::start());
    web.mount(&office.path());
    let gateway = gateway(&office, &web, &upstream);
    gateway.expect_metric("lachan_clock_state", &[("state", "synced")], 1.0);
    office.order("scam.example");
    eventually("the order", || is_blocked(&gateway, "scam.example").then_some(()));
    let name = "lachan_emergency_apply_seconds";
    let (_, text) = gateway.get("/metrics");
    assert!(text.lines().any(|line| line.starts_with(name)), "{text}");
    let seconds = gateway.metrics().value(name, &[]);
    assert!((0.0..=60.0).contains(&seconds), "{seconds}");

    office.ends_in(4);
    eventually("it is frozen", || (rejected(&gateway, "frozen") >= 1.0).then_some(()));
    assert!(is_blocked(&gateway, "one.example") && is_blocked(&gateway, "scam.example"));
    let last = web.requests().pop().unwrap();
    assert!(last.to_lowercase().contains("if-none-match"), "it is what 304 says: {last}");
    office.refresh();
    let ok = || web.requests().pop().is_some_and(|head| head.contains(" state=ok\r\n"));
    eventually("it goes on", || ok().then_some(()));
}

#[test]
fn an_order_that_a_thief_signed_is_refused_at_a_poll() {
    let (upstream, office, web) = (Upstream::start(), TestRepository::new(), Web::start());
    let thief = TestRepository::new();
    thief.order("scam.example");
    web.mount(&office.path());
    let more = format!("urls = [{:?}]\nevery = \"1s\"", web.url("/"));
    let gateway = super::refused::enrolled(&office, &more, &upstream);
    let last = "lachan_update_last_success_timestamp_seconds";
    eventually("a poll", || (gateway.metrics().value(last, &[]) > 0.0).then_some(()));
    // Whoever broke into the publishing host has its key, and no officer's.
    let role = "2.emergency.json";
    fs::copy(thief.path().join(role), office.path().join(role)).unwrap();
    crate::kit::repository::copy(
        &thief.path().join("targets/emergency"),
        &office.path().join("targets/emergency"),
    );
    office.ends_in(30 * 86_400);
    eventually("it is refused", || (rejected(&gateway, "signature") >= 1.0).then_some(()));
    assert!(!is_blocked(&gateway, "scam.example") && is_blocked(&gateway, "one.example"));
    gateway.expect_metric("lachan_emergency_entries", &[("action", "block")], 0.0);
}
