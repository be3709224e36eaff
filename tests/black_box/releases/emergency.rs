//! Urgent entries of a department: in force from the start, over by themselves, and within limits
//! that no signature lifts.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::{Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

/// Seconds since 1970: orders have dates.
#[expect(clippy::disallowed_methods, reason = "tests wait in real time")]
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// One entry, in force since a minute ago.
fn entry(name: &str, action: &str, category: &str, seconds: u64) -> String {
    format!(
        r#"{{"name":"{name}","action":"{action}","category":"{category}","document":"12/2026","authority":"A05","reason":"test","from":{},"until":{}}}"#,
        now() - 60,
        now() + seconds
    )
}

/// The file that a gateway keeps of a verified document.
fn kept(entries: &[String]) -> String {
    let signed_at = now() - 60;
    let entries = entries.join(",");
    let document = format!(r#"{{"format":1,"signed_at":{signed_at},"entries":[{entries}]}}"#);
    let document = document.replace('"', "\\\"");
    format!(r#"{{"version":3,"document":"{document}"}}"#)
}

fn start(upstream: &Upstream, entries: &[String]) -> Gateway {
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"{{dir}}/state\"\n\
         [[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\nformat = \"domains\"\n"
    );
    Gateway::plan(&config)
        .upstream(upstream)
        .file("adult.txt", "adult.example\n")
        .file("state/releases/emergency.json", &kept(entries))
        .start()
}

fn is_blocked(gateway: &Gateway, name: &str) -> bool {
    Ask::new(name, "A").from(PUPIL).edns(1232).expect(gateway.dns).rcode() == "NXDOMAIN"
}

#[test]
fn entries_block_allow_and_warn_and_outlive_a_restart() {
    let upstream = Upstream::start();
    let day = 86_400;
    let mut gateway = start(
        &upstream,
        &[
            entry("order.example", "block", "legal_request", day),
            entry("adult.example", "allow", "fraud", day),
            entry("warned.example", "warn", "legal_request", day),
            entry("google.com", "block", "legal_request", day),
            entry("late.example", "block", "fraud", 31 * day),
        ],
    );
    for turn in ["start", "restart"] {
        assert!(is_blocked(&gateway, "order.example"), "{turn}");
        assert!(is_blocked(&gateway, "below.order.example"), "{turn}");
        for name in ["adult.example", "warned.example", "google.com", "late.example"] {
            assert!(!is_blocked(&gateway, name), "{turn}: {name}");
        }
        let labels = [("group", "pupils"), ("category", "legal_request")];
        gateway.expect_metric("lachan_observed_total", &labels, 1.0);
        let log = gateway.log();
        assert!(log.contains("entry 4: it would block an essential or guarded name"), "{log}");
        assert!(log.contains("entry 5: it must be valid"), "{log}");
        gateway.terminate();
        gateway = gateway.restart();
    }
    // A reload is under the same entries.
    fs::write(gateway.dir().join("adult.txt"), "adult.example\nmore.example\n").unwrap();
    eventually("the reload", || is_blocked(&gateway, "more.example").then_some(()));
    assert!(is_blocked(&gateway, "order.example"));
    assert!(!is_blocked(&gateway, "adult.example"));
}

#[test]
fn an_entry_ends_by_itself() {
    let upstream = Upstream::start();
    let gateway = start(&upstream, &[entry("order.example", "block", "legal_request", 8)]);
    let reply = Ask::new("order.example", "A").from(PUPIL).edns(1232).expect(gateway.dns);
    assert_eq!(reply.rcode(), "NXDOMAIN");
    eventually("its end", || (!is_blocked(&gateway, "order.example")).then_some(()));
}

#[test]
fn a_torn_document_is_dropped_loudly_and_lists_stay() {
    let upstream = Upstream::start();
    let mut gateway = start(&upstream, &[]);
    let file = gateway.dir().join("state/releases/emergency.json");
    fs::write(&file, r#"{"version":3,"docu"#).unwrap();
    gateway.terminate();
    let gateway = gateway.restart();
    assert!(is_blocked(&gateway, "adult.example"));
    let log = gateway.log();
    assert!(log.contains("the emergency list is not in force: it is torn"), "{log}");
}
