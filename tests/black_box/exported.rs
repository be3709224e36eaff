//! What the metrics say of lists and of protection, and how many series there are.

use std::fmt::Write as _;

use crate::support::ports::free_port;
use crate::support::{Gateway, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

#[test]
fn each_list_has_state_digest_and_age_and_one_series_says_whether_all_is_well() {
    let upstream = Upstream::start();
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"state\"\n\
         [[lists.source]]\ncategory = \"adult\"\npath = \"adult.txt\"\n\
         [[lists.source]]\ncategory = \"games\"\npath = \"games.txt\"\n"
    );
    let gateway = Gateway::plan(&config)
        .upstream(&upstream)
        .file("adult.txt", "a.example\nb.example\n")
        .file("games.txt", "g.example\n")
        .start();
    let source = |name: &'static str| ("source", name);
    gateway.expect_metric("lachan_protected", &[("reason", "ok")], 1.0);
    gateway.expect_metric("lachan_list_info", &[source("adult.txt"), ("state", "ok")], 1.0);
    gateway.expect_metric("lachan_list_rules", &[source("adult.txt")], 2.0);
    assert!(gateway.metrics().has("lachan_list_age_seconds", &[source("games.txt")]));
    let digest = |gateway: &Gateway| {
        let text = gateway.metrics().text;
        let line = text.lines().find(|line| {
            line.starts_with("lachan_list_info") && line.contains("source=\"adult.txt\"")
        });
        let (_, rest) = line.unwrap().split_once("digest=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let before = digest(&gateway);
    assert_eq!(before.len(), 12, "{before}");
    std::fs::write(gateway.dir().join("adult.txt"), "a.example\nb.example\nc.example\n").unwrap();
    eventually("another digest", || (digest(&gateway) != before).then_some(()));

    // A list that is lost: its kept copy stands in, and that is told.
    std::fs::remove_file(gateway.dir().join("games.txt")).unwrap();
    gateway.reload();
    gateway.expect_metric("lachan_protected", &[("reason", "held")], 1.0);
    gateway.expect_metric("lachan_list_info", &[source("games.txt"), ("state", "held")], 1.0);
    assert!(!gateway.metrics().has("lachan_protected", &[("reason", "ok")]));
    // Without a copy its names pass, and that is no protection.
    let without_copies = |gateway: Gateway| {
        let mut gateway = gateway;
        gateway.terminate();
        std::fs::remove_dir_all(gateway.dir().join("state")).unwrap();
        gateway.restart()
    };
    let gateway = without_copies(gateway);
    gateway.expect_metric("lachan_list_info", &[source("games.txt"), ("state", "left_out")], 1.0);
    gateway.expect_metric("lachan_protected", &[("reason", "list_missing")], 0.0);
    // A category that is closed without its list lets nothing of it pass.
    std::fs::write(gateway.dir().join("games.txt"), "g.example\n").unwrap();
    std::fs::remove_file(gateway.dir().join("adult.txt")).unwrap();
    let gateway = without_copies(gateway);
    gateway.expect_metric("lachan_protected", &[("reason", "fail_closed")], 1.0);
}

/// A whole school: its series are held to a budget, since a province scrapes thousands.
#[test]
fn a_whole_school_has_at_most_four_hundred_series() {
    let (upstream, second) = (Upstream::start(), Upstream::start());
    let categories = [
        "adult",
        "gambling",
        "malware",
        "fraud",
        "bypass",
        "games",
        "social",
        "ai_chat",
        "drugs",
        "violence",
        "dating",
        "ads_trackers",
    ];
    let both = format!("{{upstream}}\", \"udp://127.0.0.1:{}", second.port());
    let two = TWO_GROUPS.replace("{upstream}", &both);
    let rest = [
        "csam",
        "nudify",
        "self_harm",
        "extremism",
        "hacking",
        "video",
        "piracy",
        "crypto",
        "cheating",
        "risky_infra",
        "fake_news",
        "unsafe_search",
    ];
    let all: Vec<&str> = categories.into_iter().chain(rest).collect();
    assert_eq!(all.len(), 24);
    let all = format!("{all:?}");
    let mut config = format!(
        "{two}\n[[group]]\nname = \"guests\"\nclients = [\"127.0.30.0/24\"]\n\
         profile = \"guests\"\n\
         [profile.pupils]\nlevel = \"lower-secondary\"\nblock = {all}\n\
         [profile.guests]\nlevel = \"upper-secondary\"\nblock = {all}\n\
         [profile.staff]\nlevel = \"staff\"\nblock = {all}\n[state]\ndir = \"state\"\n\
         [portal]\nlisten = [\"127.0.0.1:{{portal}}\"]\naddresses = [\"127.0.0.1\"]\n"
    );
    for category in categories {
        let path = format!("{category}.txt");
        writeln!(config, "[[lists.source]]\ncategory = \"{category}\"\npath = \"{path}\"").unwrap();
    }
    let plan = Gateway::plan(&config).upstream(&upstream);
    let plan = plan.fill("portal", &free_port().to_string());
    let plan = categories.iter().fold(plan, |plan, category| {
        plan.file(&format!("{category}.txt"), &format!("{category}-list.example\n"))
    });
    let gateway = plan.start();
    let metrics = gateway.metrics();
    assert!(metrics.series_count() <= 400, "{} series\n{}", metrics.series_count(), metrics.text);
    assert_eq!(metrics.text.matches("\nlachan_upstream_up{").count(), 2, "{}", metrics.text);
    assert_eq!(metrics.text.matches("\nlachan_list_info{").count(), 12, "{}", metrics.text);
    assert_eq!(metrics.text.matches("\nlachan_protected{").count(), 1, "{}", metrics.text);
    // What the sum is made of: each group has a series for nearly each of 24 categories and more, each
    // source, the starter's lists among them, three or four; the portal is on.
    let count = |family: &str| metrics.text.matches(&format!("\n{family}{{")).count();
    // Protected categories share one.
    let verdicts = count("lachan_blocked_total") + count("lachan_observed_total");
    assert!(verdicts >= 3 * 23, "{verdicts}: {}", metrics.text);
    assert!(count("lachan_list_entries") >= 24);
    assert!(count("lachan_source_matches_total") >= 12, "{}", metrics.text);
    assert_eq!(count("lachan_portal_replies_total"), 3, "{}", metrics.text);
    eprintln!("{} series of a whole school", metrics.series_count());
}
