//! The gateway's test of itself, through its real listeners.

use std::process::Command;

use serde_json::Value;

use crate::support::api::Api;
use crate::support::gateway::{LACHAN, run, said_in_json};
use crate::support::{Ask, Gateway, PATIENCE, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, within};

/// Families that count what children ask for.
const COUNTED: [&str; 7] = [
    "lachan_queries_total",
    "lachan_responses_total",
    "lachan_response_duration_seconds_count",
    "lachan_blocked_total",
    "lachan_observed_total",
    "lachan_canary_hits_total",
    "lachan_safesearch_rewrites_total",
];

fn config(more: &str) -> String {
    let groups = TWO_GROUPS.replace("\"127.0.0.1:{dns}\"", "\"127.0.0.1:{dns}\", \"[::1]:{dns}\"");
    format!("{groups}{TWO_PROFILES}\n[state]\ndir = \"state\"\n{more}")
}

/// Runs `lachan selftest --json`: its exit code and what it said.
fn selftest(gateway: &Gateway) -> (i32, Value) {
    let mut command = Command::new(LACHAN);
    command.args(["selftest", "--json", "--config"]).arg(gateway.dir().join("gateway.toml"));
    command.arg("--out").arg(gateway.dir().join("selftest.html")).current_dir(gateway.dir());
    let (status, said) = run(command);
    (status.code().unwrap(), said_in_json(&said))
}

fn rows<'a>(run: &'a Value, key: &str, value: &str) -> Vec<&'a Value> {
    run["rows"].as_array().unwrap().iter().filter(|row| row[key] == value).collect()
}

#[test]
fn a_good_school_is_green_by_both_families_and_no_count_changes() {
    let upstream = Upstream::start();
    let more = "[selftest]\nevery = \"off\"\n";
    let config = config(more).replace("starter = false", "starter = true");
    let gateway = Gateway::plan(&config).upstream(&upstream).start();
    gateway.expect_metric("lachan_selftest_rows", &[], 0.0);
    let (code, run) = selftest(&gateway);
    assert_eq!((code, run["failed"].as_u64()), (0, Some(0)), "{run:#}");
    assert_eq!(run["unknown"], 0, "{run:#}");
    assert_eq!(run["passed"].as_u64().unwrap() as usize, run["rows"].as_array().unwrap().len());
    for (key, value) in [
        ("family", "ipv4"),
        ("family", "ipv6"),
        ("transport", "tcp"),
        ("kind", "listener"),
        ("kind", "category"),
        ("kind", "safe-search"),
        ("kind", "canary"),
        ("kind", "essential"),
    ] {
        assert!(!rows(&run, key, value).is_empty(), "no row with {key} {value}");
    }
    // Each group by its own rules: pupils may not play, staff may.
    let games: Vec<(&Value, &Value)> = rows(&run, "name", "games.test.lachan.example")
        .into_iter()
        .map(|row| (&row["group"], &row["found"]))
        .collect();
    assert_eq!(games.len(), 4);
    assert!(
        games.iter().all(|(group, found)| {
            **found == if **group == "pupils" { "blocked" } else { "open" }
        })
    );
    let metrics = gateway.metrics();
    for family in COUNTED {
        assert!(metrics.value(family, &[]).abs() < f64::EPSILON, "{family} counts the self-test");
    }
    assert!(metrics.value("lachan_selftest_last_run_timestamp_seconds", &[]) > 0.0);
    gateway.expect_metric("lachan_selftest_rows", &[("result", "failed")], 0.0);
    // A child's query is counted as ever, after the same name was asked by the test.
    Ask::new("games.test.lachan.example", "A").from(PUPIL).edns(1232).expect(gateway.dns);
    gateway.expect_metric("lachan_queries_total", &[], 1.0);
    gateway.expect_metric("lachan_blocked_total", &[("category", "games")], 1.0);
    let page = std::fs::read_to_string(gateway.dir().join("selftest.html")).unwrap();
    assert!(page.contains("Trường thử nghiệm") && page.contains("class=\"sign\""), "{page}");
    // What a restart needs is kept a moment after the start.
    let mut status = Api::of(&gateway).status();
    let nothing = serde_json::json!([]);
    let settled = within(PATIENCE, || {
        status = Api::of(&gateway).status();
        (status["findings"] == nothing).then_some(())
    });
    assert!(settled.is_some() && status["self_test"]["failed"] == 0, "{status}");
}

#[test]
fn a_missing_list_and_a_silent_upstream_are_told_apart() {
    let sources = "\n[[lists.source]]\ncategory = \"games\"\npath = \"games.txt\"\n\
        [[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\n";
    let today = jiff::Timestamp::now().to_string();
    let dated = format!("{}.list.test.lachan.example", &today[..10]);
    // Nobody answers at this port.
    let gateway = Gateway::plan(&config(sources))
        .fill("upstream", "9")
        .file("adult.txt", &format!("adult.test.lachan.example\n{dated}\n"))
        .start();
    let (code, run) = selftest(&gateway);
    assert_eq!(code, 1, "{run:#}");
    let failed = rows(&run, "result", "failed");
    let asked = failed.iter().filter(|row| row["name"] == "games.test.lachan.example").count();
    let lists: Vec<&Value> = failed.iter().filter(|row| row["kind"] == "list").copied().collect();
    assert_eq!((failed.len(), asked, lists.len()), (3, 2, 1), "{failed:#?}");
    assert_eq!(
        (&lists[0]["name"], &lists[0]["found"]),
        (&"games.txt".into(), &"not-in-force".into())
    );
    let adult = rows(&run, "name", "adult.test.lachan.example");
    assert!(adult.iter().any(|row| row["group"] == "pupils" && row["ok"] == true), "{adult:#?}");
    // The staff's is open, which only a server upstream can show.
    assert!(adult.iter().any(|row| row["group"] == "staff" && row["ok"].is_null()), "{adult:#?}");
    assert!(rows(&run, "kind", "canary").iter().all(|row| row["ok"] == true));
    let fresh = rows(&run, "kind", "freshness");
    assert!(
        fresh.iter().all(|row| row["name"].as_str().unwrap().starts_with(&dated)),
        "{fresh:#?}"
    );
    assert!(fresh.iter().any(|row| row["group"] == "pupils" && row["ok"] == true), "{fresh:#?}");
    gateway.expect_metric("lachan_selftest_rows", &[("result", "failed")], 3.0);
    let status = Api::of(&gateway).status();
    let finding = status["findings"].as_array().unwrap().iter();
    let finding = finding.clone().find(|one| one["id"] == "self_test_failed").unwrap();
    assert!(finding["why"].as_str().unwrap().contains("category/pupils/games@"), "{finding}");
    assert_eq!(status["state"], "degraded");
}
