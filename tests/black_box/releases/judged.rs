//! `lachan publish lint`: a release against the last one, and who accepts what is found.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::kit::repository::TestRepository;
use crate::support::gateway::{LACHAN, run};

const DAY: u64 = 86_400;

/// Runs the program in `dir`: its exit code, and all that it wrote.
fn lachan(dir: &Path, arguments: &[&str]) -> (i32, String) {
    let mut program = Command::new(LACHAN);
    program.current_dir(dir).args(arguments);
    let (status, text) = run(program);
    (status.code().unwrap(), text)
}

/// Builds `NAME.pack` of one list, whatever is found in it; `more` are further arguments.
fn build(dir: &Path, name: &str, category: &str, list: &str, more: &[&str]) {
    fs::create_dir_all(dir.join(name)).unwrap();
    fs::write(dir.join(name).join("list.txt"), list).unwrap();
    let (pack, source) = (format!("{name}.pack"), format!("{category}={name}/list.txt"));
    let with = ["lists", "build", "--out", &pack, "--source", &source, "--accept", "a test"];
    let (code, said) = lachan(dir, &[&with[..], more].concat());
    assert_eq!(code, 0, "{said}");
}

/// Judges `new.pack` against `old.pack`: the exit code and the report.
fn judge(dir: &Path, more: &[&str]) -> (i32, Value) {
    let with = ["publish", "lint", "--old", "old.pack", "--new", "new.pack", "--json"];
    let (code, said) = lachan(dir, &[&with[..], more].concat());
    (code, serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}")))
}

/// Keys of findings that refuse the release, or of the others.
fn keys(report: &Value, refuses: bool) -> Vec<&str> {
    let all = report["findings"].as_array().unwrap().iter();
    all.filter(|one| one["refuses"] == refuses).map(|one| one["key"].as_str().unwrap()).collect()
}

/// So many harmless names.
pub(super) fn names(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "n{n}.example");
        text
    })
}

#[test]
fn a_source_may_lose_half_and_grow_to_three_times_as_much() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    build(dir, "old", "games", &names(300), &[]);
    for (count, expected) in [
        (150, vec![]),
        (149, vec!["changed/games/list.txt/300-149", "category/games/300-149"]),
        (900, vec![]),
        (901, vec!["changed/games/list.txt/300-901"]),
    ] {
        build(dir, "new", "games", &names(count), &[]);
        let (code, report) = judge(dir, &[]);
        assert_eq!(keys(&report, true), expected, "{count}");
        assert_eq!(code, if expected.is_empty() { 0 } else { 3 }, "{count}");
    }
}

#[test]
fn a_list_that_is_mostly_no_list_is_refused_and_a_web_page_is_never_built() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    build(dir, "old", "games", &names(40), &[]);
    // Few enough bad lines for a build, and more of them than of names.
    let text = format!("{}{}", names(8), "no name\n".repeat(15));
    build(dir, "new", "games", &text, &[]);
    let (code, report) = judge(dir, &[]);
    assert_eq!((code, keys(&report, true)), (3, vec!["garbled/games/list.txt"]), "{report:#}");
    // As it was in the last release: somebody read it then.
    fs::copy(dir.join("new.pack"), dir.join("old.pack")).unwrap();
    assert_eq!(judge(dir, &[]).0, 0);

    for (text, why) in
        [("<!DOCTYPE html>\n<html>\n", "web page"), ("# none\n", "no rule"), ("", "empty")]
    {
        fs::write(dir.join("list.txt"), text).unwrap();
        let with = ["lists", "build", "--out", "x.pack", "--source", "games=list.txt"];
        let (code, said) = lachan(dir, &[&with[..], &["--accept", "anything"]].concat());
        assert_eq!((code, said.contains(why)), (3, true), "{text:?}: {said}");
        assert!(!dir.join("x.pack").exists());
    }
}

#[test]
fn a_source_that_stands_still_is_told_and_passes() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    build(dir, "old", "games", &names(40), &[]);
    build(dir, "new", "games", &names(40), &[]);
    let (code, _) = judge(dir, &["--write", "data"]);
    let path = dir.join("data/sources.json");
    let mut ages: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let since = &mut ages["games/list.txt"]["since"];
    *since = (since.as_u64().unwrap() - 91 * DAY).into();
    fs::write(&path, ages.to_string()).unwrap();
    assert_eq!(code, 0);

    let told = |more: &[&str]| {
        let (code, report) = judge(dir, &[&["--data", "data"][..], more].concat());
        assert_eq!((code, keys(&report, true).len()), (0, 0), "{report:#}");
        keys(&report, false).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told(&[]), ["unchanged/games/list.txt"]);
    assert_eq!(told(&["--days", "92"]), [""; 0]);
    // The day it changed goes from release to release, and is today's for one that did change.
    assert_eq!(told(&["--write", "next"]), ["unchanged/games/list.txt"]);
    assert_eq!(fs::read_to_string(dir.join("next/sources.json")).unwrap().lines().count(), 6);
    build(dir, "new", "games", &names(41), &[]);
    assert_eq!(told(&[]), [""; 0]);
}

#[test]
fn a_keyword_rule_that_hits_a_popular_name_is_refused_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let with = |name: &str, keywords: &str| {
        fs::write(dir.join("keywords.txt"), keywords).unwrap();
        build(dir, name, "gambling", &names(40), &["--keywords", "keywords.txt"]);
    };
    with("old", "block gambling *casino*\n");
    with("new", "block gambling *casino*\nblock gambling *express*\n");
    let (code, report) = judge(dir, &[]);
    assert_eq!((code, keys(&report, true)), (3, vec!["keyword/gambling/*express*"]));
    let finding = &report["findings"][0];
    assert_eq!((finding["line"].as_u64(), &finding["rule"]), (Some(2), &"*express*".into()));
    assert!(finding["names"].as_array().unwrap().contains(&"vnexpress.net".into()), "{finding:#}");
    // An edge and a shield, as the guide has it; and a rule that only counts.
    for keywords in ["block gambling |express|\n", "observe gambling *express*\n"] {
        with("new", keywords);
        assert_eq!(judge(dir, &[]).0, 0, "{keywords}");
    }
    with("new", "block gambling *express*\nshield vnexpress\n");
    let (_, report) = judge(dir, &[]);
    let hit = report["findings"][0]["names"].as_array().unwrap();
    assert!(!hit.contains(&"vnexpress.net".into()), "{report:#}");
    // A name of the department's own sample is told, and refuses nothing.
    fs::write(dir.join("sample.txt"), "truong-tieuhoc.example\n").unwrap();
    with("new", "block gambling *tieuhoc*\n");
    let (code, report) = judge(dir, &["--popular", "sample.txt"]);
    assert_eq!((code, keys(&report, false)), (0, vec!["keyword/gambling/*tieuhoc*"]));
}

#[test]
fn names_that_people_use_are_found_by_themselves_and_by_www() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    build(dir, "old", "malware", &names(40), &[]);
    let list = "raw.githubusercontent.com\nwww.dropbox.com\nwww.danviet.vn\nx.localto.net\n";
    build(dir, "new", "malware", list, &[]);
    let (code, report) = judge(dir, &[]);
    assert_eq!(
        (code, keys(&report, true)),
        (
            3,
            vec![
                "popular/malware/www.dropbox.com",
                "popular/malware/raw.githubusercontent.com",
                "popular/malware/www.danviet.vn",
            ]
        )
    );
    assert_eq!(keys(&report, false), ["public-suffix/malware/x.localto.net"]);
    // Source, line and rule, as long as the list lies where it was read.
    let finding = &report["findings"][1];
    assert_eq!(
        (&finding["source"], finding["line"].as_u64(), &finding["rule"]),
        (&"list.txt".into(), Some(1), &"raw.githubusercontent.com".into()),
        "{finding:#}"
    );
    let text = ["publish", "lint", "--old", "old.pack", "--new", "new.pack"];
    let said = lachan(dir, &text).1;
    assert!(said.contains("list.txt:2: www.dropbox.com"), "{said}");
    fs::write(dir.join("new/list.txt"), "other.example\n".repeat(9)).unwrap();
    let said = lachan(dir, &text).1;
    assert!(said.contains("list.txt: www.dropbox.com"), "{said}");
    // One rule for both is one finding of one name.
    build(dir, "new", "malware", "||danviet.vn^\n", &[]);
    let (_, report) = judge(dir, &[]);
    assert_eq!(report["findings"][0]["names"], serde_json::json!(["danviet.vn"]), "{report:#}");
    // Facebook in a list of social networks is what that list is for.
    build(dir, "new", "social", "||facebook.com^\nwww.instagram.com\n", &[]);
    assert_eq!(keys(&judge(dir, &[]).1, true), [""; 0]);
}

#[test]
fn an_acceptance_has_a_name_and_a_reason_and_the_ledger_only_grows() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    build(dir, "old", "malware", &names(40), &[]);
    build(dir, "new", "malware", &(names(40) + "danviet.vn\n"), &[]);
    let key = "popular/malware/danviet.vn";
    let accept = ["--accept", key, "--by", "Cô Lan", "--reason", "CV 12"];
    // A refused release writes nothing, and a text says what to accept.
    let with = ["publish", "lint", "--old", "old.pack", "--new", "new.pack", "--write", "data"];
    let (code, said) = lachan(dir, &[&with[..], &["--lang", "vi"]].concat());
    assert_eq!((code, dir.join("data").exists()), (3, false));
    assert!(said.contains("từ chối: popular: `danviet.vn`") && said.contains(key), "{said}");
    let (code, report) = judge(dir, &[&accept[..], &["--write", "data"]].concat());
    assert_eq!((code, &report["accepted"][0]["by"]), (0, &"Cô Lan".into()), "{report:#}");
    let ledger = fs::read_to_string(dir.join("data/ledger.jsonl")).unwrap();
    assert!(ledger.contains(key) && ledger.contains("CV 12"), "{ledger}");

    // For that release alone: against the same last release it is refused again.
    assert_eq!(judge(dir, &["--data", "data"]).0, 3);
    // Nobody accepts what is not there, nor without a name or a reason.
    let (code, report) = judge(dir, &["--accept", "guard/x", "--by", "Lan", "--reason", "y"]);
    assert_eq!((code, &report["unmet"][0]), (3, &"guard/x".into()));
    for wrong in [&accept[..2], &accept[..4], &["--accept", key, "--by", " ", "--reason", "y"]] {
        assert_eq!(lachan(dir, &[&with[..], wrong].concat()).0, 2, "{wrong:?}");
    }
    // Until a day, and then no more.
    let until = [&accept[..], &["--until", "2099-12-31", "--data", "data", "--write", "next"]];
    assert_eq!(judge(dir, &until.concat()).0, 0);
    let after = ["--data", "next"];
    assert_eq!(judge(dir, &after).0, 0);
    let second = fs::read_to_string(dir.join("next/ledger.jsonl")).unwrap();
    assert!(second.starts_with(&ledger) && second.lines().count() == 2, "{second}");
    // A line that was changed, or a ledger that starts anew.
    fs::write(dir.join("next/ledger.jsonl"), second.replacen("CV 12", "CV 99", 1)).unwrap();
    let (code, said) = lachan(dir, &[&with[..], &after].concat());
    assert_eq!((code, said.contains("ledger")), (3, true), "{said}");
    fs::write(dir.join("new.jsonl"), "").unwrap();
    let anew = ["--data", "data", "--ledger", "new.jsonl"];
    let (code, said) = lachan(dir, &[&with[..], &anew, &accept].concat());
    assert_eq!((code, said.contains("begin with the ledger")), (3, true), "{said}");
}

#[test]
fn guard_and_popular_names_are_those_of_the_release() {
    let repository = TestRepository::new();
    let dir = repository.file("");
    fs::create_dir(dir.join("tables")).unwrap();
    fs::write(dir.join("tables/guard.txt"), "exam.school.example\n").unwrap();
    fs::write(dir.join("tables/popular.txt"), "popular.example\n").unwrap();
    build(&dir, "old", "games", &names(40), &[]);
    let list = format!("{}exam.school.example\npopular.example\n", names(40));
    build(&dir, "new", "games", &list, &[]);
    let (code, report) = judge(&dir, &[]);
    assert_eq!((code, keys(&report, true).len()), (0, 0), "{report:#}");
    let kinds = |report: &Value| -> Vec<String> {
        let found = keys(report, true);
        found.iter().map(|key| key.split('/').next().unwrap().to_owned()).collect()
    };
    let (code, report) = judge(&dir, &["--tables", "tables"]);
    assert_eq!((code, kinds(&report)), (3, vec!["guard".into(), "popular".into()]), "{report:#}");
    // The tables of a release are those that the next one is judged by.
    repository.release(&dir.join("old.pack"), &["--tables", "tables"]);
    let of = ["publish", "lint", "--repository", "repository", "--new", "new.pack", "--json"];
    let (code, said) = lachan(&dir, &of);
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!((code, kinds(&report)), (3, vec!["guard".into(), "popular".into()]), "{report:#}");
}
