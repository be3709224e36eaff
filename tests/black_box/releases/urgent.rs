//! An order of an authority: from the office to every school within minutes.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::emergency::now;
use super::refused::enrolled;
use super::{is_blocked, plan};
use crate::kit::repository::TestRepository;
use crate::support::gateway::{LACHAN, Plan, run, said_in_json};
use crate::support::web::Web;
use crate::support::{Gateway, PUPIL, Upstream, eventually, within};

/// Runs `lachan publish emergency …` with the keys that sign: its exit code, and what it said.
fn emergency(office: &TestRepository, action: &str, more: &[&str]) -> (i32, String) {
    let mut command = Command::new(LACHAN);
    command.args(["publish", "emergency", action, &office.text("repository")]);
    command.args(["--officer", &office.text("officer"), "--online", &office.text("online")]);
    let (status, said) = run({
        command.args(more);
        command
    });
    (status.code().unwrap(), said)
}

fn add(office: &TestRepository, name: &str, category: &str, more: &[&str]) -> (i32, String) {
    let order = ["--document", "12/2026", "--authority", "A05", "--reason", "fake bank"];
    emergency(office, "add", &[&[name, "--category", category], &order[..], more].concat())
}

fn published(office: &TestRepository, name: &str, category: &str, more: &[&str]) {
    let (code, said) = add(office, name, category, more);
    assert_eq!(code, 0, "{said}");
}

/// A moment in so many seconds, by RFC 3339.
fn seconds_from_now(seconds: u64) -> String {
    let at = i64::try_from(now() + seconds).unwrap();
    jiff::Timestamp::from_second(at).unwrap().to_string()
}

/// A gateway that is enrolled, and watches the repository where the office writes it.
fn school(office: &TestRepository, upstream: &Upstream) -> Gateway {
    planned(office, upstream).start()
}

fn planned(office: &TestRepository, upstream: &Upstream) -> Plan {
    let watched = format!("directory = \"{}\"", office.path().display());
    plan(&watched, upstream).made(|dir| {
        fs::copy(office.root(), dir.join("root.json")).unwrap();
    })
}

/// What `lachan why NAME --json` says.
fn why(gateway: &Gateway, name: &str) -> serde_json::Value {
    let mut command = Command::new(LACHAN);
    command.args(["why", name, "--json", "--client", PUPIL, "--config"]);
    let (status, said) = run({
        command.arg(gateway.dir().join("gateway.toml"));
        command
    });
    assert!(status.success(), "{said}");
    said_in_json(&said)
}

#[test]
fn an_order_acts_within_seconds_outlives_the_repository_and_ends_by_itself() {
    let (upstream, office) = (Upstream::start(), TestRepository::new());
    let mut gateway = school(&office, &upstream);
    assert!(!is_blocked(&gateway, "scam.example"));
    published(&office, "SCAM.example.", "fraud", &["--days", "2"]);
    eventually("the order", || is_blocked(&gateway, "pay.scam.example").then_some(()));
    let brief = seconds_from_now(20);
    published(&office, "brief.example", "legal_request", &["--until", &brief]);
    eventually("the second order", || is_blocked(&gateway, "brief.example").then_some(()));
    gateway.expect_metric("lachan_emergency_version", &[], 3.0);
    gateway.expect_metric("lachan_emergency_entries", &[("action", "block")], 2.0);
    gateway.expect_metric("lachan_emergency_entries_refused", &[], 0.0);

    let said = why(&gateway, "pay.scam.example");
    assert_eq!((&said["verdict"], &said["category"]), (&"block".into(), &"fraud".into()));
    assert_eq!(said["rule"], "urgent block scam.example", "{said}");
    let order = &said["urgent"];
    assert_eq!((&order["document"], &order["authority"]), (&"12/2026".into(), &"A05".into()));
    assert_eq!(order["decided"], true, "{said}");
    let mut command = Command::new(LACHAN);
    command.args(["status", "--config"]).arg(gateway.dir().join("gateway.toml"));
    let (_, status) = run(command);
    assert!(status.contains("emergency list 3: 2 blocked, 0 warned, 0 allowed now"), "{status}");

    // The repository is gone, and the power as well.
    gateway.terminate();
    fs::rename(office.path(), office.file("gone")).unwrap();
    let gateway = gateway.restart();
    assert!(is_blocked(&gateway, "scam.example"));
    within(Duration::from_secs(60), || (!is_blocked(&gateway, "brief.example")).then_some(()))
        .expect("an order that ended still blocks");
    assert!(is_blocked(&gateway, "scam.example"));
    gateway.expect_metric("lachan_emergency_entries", &[("action", "block")], 1.0);
}

#[test]
fn an_order_is_taken_back_and_a_block_is_undone() {
    let (upstream, office) = (Upstream::start(), TestRepository::new());
    let gateway = school(&office, &upstream);
    published(&office, "scam.example", "fraud", &["--days", "30"]);
    published(&office, "ok.scam.example", "fraud", &["--days", "3", "--action", "allow"]);
    published(&office, "warned.example", "legal_request", &["--days", "3", "--action", "warn"]);
    eventually("the orders", || {
        (gateway.metrics().value("lachan_emergency_version", &[]) > 3.5).then_some(())
    });
    assert!(is_blocked(&gateway, "scam.example") && !is_blocked(&gateway, "ok.scam.example"));
    assert!(!is_blocked(&gateway, "warned.example"));
    let labels = [("group", "pupils"), ("category", "legal_request")];
    gateway.expect_metric("lachan_observed_total", &labels, 1.0);
    assert_eq!(why(&gateway, "ok.scam.example")["rule"], "urgent allow ok.scam.example");
    assert_eq!(why(&gateway, "warned.example")["urgent"]["decided"], true);
    let (code, said) = emergency(&office, "remove", &["scam.example"]);
    assert_eq!(code, 0, "{said}");
    eventually("its end", || (!is_blocked(&gateway, "scam.example")).then_some(()));
    let (code, said) = emergency(&office, "remove", &["scam.example", "--lang", "vi"]);
    assert!(code == 3 && said.contains("không có mục `scam.example`"), "{code} {said}");
    let list = office.publish(&["emergency", "list", &office.text("repository")]);
    assert!(list.contains("allow `ok.scam.example` until") && !list.contains("block"), "{list}");
    let (code, said) = emergency(&office, "renew", &[]);
    assert!(code == 0 && said.contains("emergency list 6, entries: 2"), "{code} {said}");
}

#[test]
fn an_order_acts_though_the_disk_takes_nothing() {
    let (upstream, office) = (Upstream::start(), TestRepository::new());
    // Root writes to read-only directories; a directory in the place of the lock stops it as well. It is
    // there before the gateway, which else may store the order under a lock that it has already.
    let gateway = planned(&office, &upstream)
        .made(|dir| fs::create_dir_all(dir.join("state/releases/lock")).unwrap())
        .start();
    let lock = gateway.dir().join("state/releases/lock");
    published(&office, "scam.example", "fraud", &["--days", "2"]);
    eventually("the order", || is_blocked(&gateway, "scam.example").then_some(()));
    let disk = [("reason", "disk")];
    eventually("the count", || {
        let metrics = gateway.metrics();
        let count = |name| metrics.value(name, &disk) > 0.5;
        (count("lachan_update_rejected_total") && count("lachan_emergency_rejected_total"))
            .then_some(())
    });
    fs::remove_dir(&lock).unwrap();
    office.refresh();
    eventually("its file", || {
        gateway.dir().join("state/releases/emergency.json").exists().then_some(())
    });
}

#[test]
fn an_order_comes_by_polls_and_a_mirror_without_it_does_not_hold_it_up() {
    let (upstream, office) = (Upstream::start(), TestRepository::new());
    let (mirror, web) = (Web::start(), Web::start());
    let copy = office.file("mirror");
    published(&office, "scam.example", "fraud", &["--days", "2"]);
    office.copy_to(&copy);
    fs::remove_dir_all(copy.join("targets/emergency")).unwrap();
    mirror.mount(&copy);
    web.mount(&office.path());
    let urls = [mirror.url("/"), web.url("/")];
    let gateway = enrolled(&office, &format!("urls = {urls:?}\nevery = \"1s\""), &upstream);
    eventually("the order", || is_blocked(&gateway, "scam.example").then_some(()));
    assert!(is_blocked(&gateway, "one.example"), "the release stays");
}

#[test]
fn what_no_signature_can_is_not_published() {
    let office = TestRepository::new();
    let before = fs::read(office.path().join("timestamp.json")).unwrap();
    let refused = [
        ("google.com", "fraud", "30", "essential or guarded name", "được bảo vệ"),
        ("pool.ntp.org", "legal_request", "1", "essential or guarded name", "được bảo vệ"),
        ("vn", "fraud", "1", "top-level domain", "cấp cao nhất"),
        ("scam.example", "social", "1", "legal_request, fraud, malware", "nhóm nội dung"),
        ("scam.example", "csam", "1", "legal_request, fraud, malware", "nhóm nội dung"),
        ("scam.example", "fraud", "31", "at most 30 days", "không quá 30 ngày"),
        ("a b.example", "fraud", "1", "domain name in lower case", "tên miền viết thường"),
    ];
    for (name, category, days, english, vietnamese) in refused {
        for (lang, words) in [("en", english), ("vi", vietnamese)] {
            let (code, said) = add(&office, name, category, &["--days", days, "--lang", lang]);
            assert!(code == 3 && said.contains(words), "{name} {category}: {code} {said}");
        }
    }
    let (code, said) = add(&office, "a.example", "fraud", &["--days", "1", "--action", "warn"]);
    assert!(code == 3 && said.contains("legal_request alone"), "{code} {said}");
    // A stick that is no officer's.
    let (repository, online) = (office.text("repository"), office.text("online"));
    let mut command = Command::new(LACHAN);
    command.args(["publish", "emergency", "renew", &repository, "--officer", &online]);
    let (status, said) = run({
        command.args(["--online", &online]);
        command
    });
    assert!(status.code() == Some(3) && said.contains("no officer's"), "{said}");
    assert_eq!(fs::read(office.path().join("timestamp.json")).unwrap(), before);
    let list = office.publish(&["emergency", "list", &repository]);
    assert!(list.contains("no entry"), "{list}");
}
