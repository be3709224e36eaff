//! Findings of `lists build` that can be worked off: each with its place, accepted one by one.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::gateway::LACHAN;

/// Runs `lachan lists`: its exit code, stdout and stderr.
fn lists(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(LACHAN);
    let output = command.current_dir(dir).arg("lists").args(arguments).output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A build in `dir`: its exit code and its report.
fn build(dir: &Path, more: &[&str]) -> (Option<i32>, Value) {
    let arguments = [&["build", "--json"][..], more].concat();
    let (code, out, complaint) = lists(dir, &arguments);
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{complaint}")))
}

fn keys(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect()
}

const BUILD: [&str; 4] = ["--out", "x.pack", "--source", "gambling=bets.txt"];

#[test]
fn each_finding_has_source_line_and_rule_and_is_accepted_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let bets =
        "! bets\n||bets.example^\n||google.com^\n||edu.me^\n||moet.gov.vn^\n@@||moet.gov.vn^\n";
    fs::write(dir.join("bets.txt"), bets).unwrap();
    let (code, report) = build(dir, &BUILD);
    assert_eq!(code, Some(3), "{report:#}");
    // What an exception frees is no finding.
    assert_eq!(keys(&report), ["guard/gambling/google.com", "public-suffix/gambling/edu.me"]);
    let guard = &report["findings"][0];
    assert_eq!(
        (&guard["source"], guard["line"].as_u64(), &guard["rule"], &guard["name"]),
        (&"bets.txt".into(), Some(3), &"google.com".into(), &"google.com".into()),
        "{guard:#}"
    );
    assert_eq!(report["findings"][1]["places"][0]["line"], 4);
    let (_, text, _) = lists(dir, &[&["build", "--lang", "vi"][..], &BUILD].concat());
    assert!(text.contains("từ chối: guard: `google.com`, "), "{text}");
    assert!(text.contains("bets.txt:3: google.com"), "{text}");

    // One of two accepted is not enough; an exception that meets nothing is told.
    let exception = |finding: &str| {
        format!(
            "[[accept]]\nfinding = \"{finding}\"\nby = \"Cô Lan\"\nreason = \"CV 12\"\ndate = 2026-11-29\n"
        )
    };
    let one = exception("guard/gambling/google.com") + &exception("guard/gambling/gone.example");
    fs::write(dir.join("accepted.toml"), &one).unwrap();
    let with = [&BUILD[..], &["--exceptions", "accepted.toml"]].concat();
    let (code, report) = build(dir, &with);
    assert_eq!((code, dir.join("x.pack").exists()), (Some(3), false));
    assert_eq!(report["findings"][0]["accepted"]["by"], "Cô Lan");
    assert_eq!(report["unmet_exceptions"], serde_json::json!(["guard/gambling/gone.example"]));

    let suffix = exception("public-suffix").replace("by =", "name = \"edu.me\"\nby =");
    fs::write(dir.join("accepted.toml"), one + &suffix).unwrap();
    let (code, report) = build(dir, &with);
    assert_eq!(code, Some(0), "{report:#}");
    // The pack keeps each acceptance and its name.
    let (_, out, _) = lists(dir, &["inspect", "x.pack", "--json"]);
    let inspected: Value = serde_json::from_str(&out).unwrap();
    let kept = inspected["sources"][0]["accepted_findings"].as_array().unwrap();
    assert_eq!(kept.len(), 2, "{inspected:#}");
    assert_eq!(kept[0]["finding"], "guard/gambling/google.com");
    assert_eq!((&kept[1]["reason"], &kept[1]["date"]), (&"CV 12".into(), &"2026-11-29".into()));
    assert!(lists(dir, &["inspect", "x.pack"]).1.contains("Cô Lan, 2026-11-29: CV 12"));
    assert_eq!(lists(dir, &["verify", "x.pack"]).0, Some(0));

    // Nobody, no reason, no day: nothing is accepted.
    for wrong in [
        exception("guard/gambling/google.com").replace("Cô Lan", " "),
        exception("guard/gambling/google.com").replace("2026-11-29", "\"yesterday\""),
        exception("guard/gambling/google.com").replace("reason", "why"),
    ] {
        fs::write(dir.join("accepted.toml"), &wrong).unwrap();
        let (code, _, complaint) = lists(dir, &[&["build"][..], &with].concat());
        assert_eq!(code, Some(3), "{wrong}");
        assert!(complaint.contains("accepted.toml"), "{complaint}");
    }
}

#[test]
fn every_finding_is_in_json_and_a_renamed_source_has_not_shrunk() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let names = |from: usize, to: usize| -> String {
        let lines: Vec<String> = (from..to).map(|n| format!("n{n}.example\n")).collect();
        lines.concat()
    };
    let source = |name: &str, text: String| {
        fs::write(dir.join(name), text).unwrap();
        format!("games={name}")
    };
    let popular = names(0, 60);
    fs::write(dir.join("popular.txt"), popular).unwrap();
    let first = source("old.txt", names(0, 1000));
    let with = ["--out", "1.pack", "--source", &first, "--popular", "popular.txt"];
    let (code, report) = build(dir, &with);
    assert_eq!((code, keys(&report).len()), (Some(0), 60));
    let (_, text, _) = lists(dir, &[&["build"][..], &with].concat());
    assert!(text.contains("40 more findings of kind `popular`"), "{text}");

    // The same names under another name, a little changed; or in two sources.
    let renamed = source("new.txt", names(20, 1050));
    let after = |sources: &[&str]| {
        let mut with = vec!["--out", "2.pack", "--previous", "1.pack"];
        with.extend(sources.iter().flat_map(|source| ["--source", source]));
        build(dir, &with)
    };
    let (code, report) = after(&[&renamed]);
    assert_eq!((code, keys(&report)), (Some(0), Vec::new()));
    let (half, rest) = (source("old.txt", names(0, 300)), source("rest.txt", names(300, 1000)));
    assert_eq!(after(&[&half, &rest]).0, Some(0));
    // Names that are gone are gone, under whatever name.
    let (code, report) = after(&[&half]);
    assert_eq!((code, keys(&report)), (Some(3), vec!["changed/games/old.txt/1000-300"]));
    let other = source("other.txt", names(5000, 6000));
    let (code, report) = after(&[&other]);
    assert_eq!((code, keys(&report)), (Some(3), vec!["changed/games/old.txt/1000-0"]));
}

#[test]
fn answers_that_only_block_have_their_lines() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bets.txt"), "||a.example^\n||b.example^$dnsrewrite=192.0.2.7\n")
        .unwrap();
    let (code, report) = build(dir.path(), &BUILD);
    assert_eq!(code, Some(0));
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["kind"], finding["line"].as_u64()),
        (&"answers".into(), Some(2)),
        "{report:#}"
    );
    assert_eq!(finding["key"], "answers/gambling/bets.txt");
}

#[test]
fn a_build_and_a_gateway_judge_by_one_guard() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("videos.txt"), "||youtube.com^\n||video.example^\n").unwrap();
    let videos = ["--out", "v.pack", "--source", "video=videos.txt"];
    let (code, report) = build(dir, &videos);
    assert_eq!((code, keys(&report)), (Some(0), Vec::new()), "{report:#}");
    // The same list is a mistake in another category, as is a pattern.
    let bets = "||youtube.com^\n||bet.example^\n/goo+gle/\n||bing.com^$dnstype=A\n||com^\n";
    fs::write(dir.join("bets.txt"), bets).unwrap();
    let (code, report) = build(dir, &BUILD);
    assert_eq!(code, Some(3));
    let places = |key: &str| -> Vec<(u64, String)> {
        let all = report["findings"].as_array().unwrap();
        let one = all.iter().find(|one| one["key"] == key).unwrap_or_else(|| panic!("{key}"));
        let places = one["places"].as_array().unwrap().iter();
        let place =
            |one: &Value| (one["line"].as_u64().unwrap(), one["rule"].as_str().unwrap().to_owned());
        places.map(place).collect()
    };
    assert_eq!(places("guard/gambling/youtube.com"), [(1, "youtube.com".into())]);
    assert!(places("guard/gambling/com").contains(&(5, "com".into())));
    assert!(places("guard/gambling/com").contains(&(4, "bing.com$dnstype=A".into())));
    fs::write(dir.join("bets.txt"), "/goo+gle/\n||bet.example^\n").unwrap();
    let (code, report) = build(dir, &BUILD);
    assert_eq!(code, Some(3));
    let first = &report["findings"][0];
    assert_eq!((&first["rule"], &first["line"]), (&"/goo+gle/".into(), &1.into()), "{first:#}");
}
