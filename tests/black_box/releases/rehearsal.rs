//! Rehearsal: what other lists would block is told before they act, and what is remembered for it
//! is no history.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::packs::build;
use crate::support::gateway::{LACHAN, run};
use crate::support::{Ask, Canned, Gateway, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

/// A name that nobody knows; it must be on no disk.
const MARKER: &str = "zqmarker.example";

/// A config whose packs are in `packs`, with a state directory and these sources beside.
fn config(packs: &Path, more: &str) -> String {
    let packs = format!("starter = false\npacks = \"{}\"", packs.display());
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"{{dir}}/state\"\n{more}");
    config.replace("starter = false", &packs)
}

fn rehearse(config: &Path, pack: &Path, more: &[&str]) -> (i32, String) {
    let mut command = Command::new(LACHAN);
    command.args(["lists", "rehearse"]).arg(config).arg("--pack").arg(pack).args(more);
    let (status, text) = run(command);
    (status.code().unwrap(), text)
}

fn rehearse_json(config: &Path, pack: &Path, more: &[&str]) -> Value {
    let (_, text) = rehearse(config, pack, &[more, &["--json"]].concat());
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
}

/// Packs: the one in use, in a directory of its own, and a newer one.
fn two_packs(dir: &Path, old: &[&str], new: &[&str]) -> (PathBuf, PathBuf) {
    let packs = dir.join("packs");
    fs::create_dir(&packs).unwrap();
    build(&packs.join("1.pack"), old);
    let newer = dir.join("new.pack");
    build(&newer, new);
    (packs, newer)
}

#[test]
fn a_pack_is_rehearsed_from_the_command_line_before_it_acts() {
    let dir = tempfile::tempdir().unwrap();
    let old = ["x.example", "poki.com"];
    let (packs, newer) = two_packs(dir.path(), &old, &["x.example", "www.figma.com"]);
    let path = dir.path().join("gateway.toml");
    let state = dir.path().join("state").display().to_string();
    let text = config(&packs, "").replace("{dir}/state", &state);
    let text = text.replace("{dns}", "5353").replace("{admin}", "5380").replace("{upstream}", "9");
    fs::write(&path, text).unwrap();

    let found = rehearse_json(&path, &newer, &[]);
    assert_eq!(found["holds"], false, "{found}");
    assert_eq!(found["newly_blocked"]["adult"], 1);
    assert_eq!(found["unrehearsed_percent"], Value::Null);
    let rows = found["changes"].as_array().unwrap();
    let popular = rows.iter().find(|row| row["set"] == "popular").unwrap();
    assert_eq!((&popular["group"], &popular["category"]), (&"pupils".into(), &"adult".into()));
    assert_eq!((&popular["newly_blocked"], &popular["newly_open"]), (&1.into(), &1.into()));
    assert!(!found.to_string().contains("figma"), "names only where they are asked for");
    let named = rehearse_json(&path, &newer, &["--names"]);
    assert!(named.to_string().contains("figma.com") && named.to_string().contains("poki.com"));

    let (code, text) = rehearse(&path, &newer, &["--lang", "vi"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("tên phổ biến") && text.contains("chưa thử"), "{text}");
    let (code, text) = rehearse(&path, &newer, &["--names"]);
    assert!(code == 0 && text.contains("figma.com") && text.contains("not rehearsed"), "{text}");
    // The same lists change nothing; what is no pack is said.
    let (code, text) = rehearse(&path, &packs.join("1.pack"), &[]);
    assert!(code == 0 && text.contains("no name of these sets changes"), "{text}");
    fs::write(&newer, "nonsense").unwrap();
    let (code, text) = rehearse(&path, &newer, &[]);
    assert!(code == 3 && text.contains("new.pack"), "{text}");
    assert!(!dir.path().join("state").exists(), "nothing is created");
}

#[test]
fn a_guarded_name_that_would_be_blocked_holds() {
    let dir = tempfile::tempdir().unwrap();
    let (packs, _) = two_packs(dir.path(), &["x.example"], &["x.example"]);
    let list = dir.path().join("orders.txt");
    fs::write(&list, "moet.gov.vn\n").unwrap();
    let newer = dir.path().join("orders.pack");
    let mut command = Command::new(LACHAN);
    command.args(["lists", "build", "--accept", "Lan: a test", "--out"]).arg(&newer);
    command.arg("--source").arg(format!("legal_request={}", list.display()));
    let (status, text) = run(command);
    assert_eq!(status.code(), Some(0), "{text}");
    let path = dir.path().join("gateway.toml");
    let text = config(&packs, "").replace("{dir}/state", "state");
    let text = text.replace("{dns}", "5353").replace("{admin}", "5380").replace("{upstream}", "9");
    fs::write(&path, text).unwrap();
    let (code, text) = rehearse(&path, &newer, &[]);
    assert!(code == 3 && text.contains("holds such a release"), "{text}");
    let found = rehearse_json(&path, &newer, &["--names"]);
    assert_eq!((&found["holds"], &found["holding"]), (&true.into(), &3.into()), "{found}");
    assert_eq!(found["groups"], 2);
}

/// Every file below a directory, as text with losses.
fn files(dir: &Path) -> String {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let text = entries.map(|path| {
        if path.is_dir() {
            return files(&path);
        }
        String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()
    });
    text.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_school_asks_for_is_remembered_as_bits_and_rehearsed_after_a_restart() {
    let upstream = Upstream::start();
    for name in ["figma.com", MARKER] {
        let record = format!("{name}. 600 A 192.0.2.9");
        upstream.answer(name, None, Canned { answer: vec![record], ..Canned::default() });
    }
    let dir = tempfile::tempdir().unwrap();
    let (packs, newer) = two_packs(dir.path(), &["x.example"], &["x.example", "figma.com", MARKER]);
    let mut gateway = Gateway::plan(&config(&packs, "")).upstream(&upstream).start();
    // Enough that some answers of many clients are noted.
    for number in 0..6000 {
        let client = format!("127.0.10.{}", number % 61 + 1);
        let name = if number % 3 == 0 { MARKER } else { "figma.com" };
        Ask::new(name, "A").from(&client).expect(gateway.dns);
    }
    // The running gateway knows both names.
    fs::copy(&newer, packs.join("2.pack")).unwrap();
    gateway.reload();
    let blocked = [("category", "adult")];
    eventually("a rehearsal", || {
        let metrics = gateway.metrics();
        metrics.has("lachan_rehearsal_newly_blocked", &blocked).then_some(())
    });
    gateway.expect_metric("lachan_rehearsal_newly_blocked", &blocked, 2.0);
    gateway.expect_metric("lachan_rehearsed", &[("set", "recent")], 2.0);
    let metrics = gateway.metrics();
    assert!(metrics.value("lachan_rehearsal_unrehearsed_ratio", &[]) < 0.05);
    assert!(!gateway.log().contains(MARKER) && !metrics.text.contains(MARKER));
    gateway.terminate();
    let kept = files(&gateway.dir().join("state"));
    assert!(kept.contains("lachan-seen") && !kept.contains("127.0.10."));

    // A new process has the bit, and says what it has not.
    fs::remove_file(packs.join("2.pack")).unwrap();
    let gateway = gateway.restart();
    let path = gateway.dir().join("gateway.toml");
    let found = rehearse_json(&path, &newer, &["--names"]);
    assert_eq!(found["rehearsed"]["recent"], 1, "{found}");
    let unrehearsed = found["unrehearsed_percent"].as_f64().unwrap();
    assert!((20.0..60.0).contains(&unrehearsed), "{found}");
    assert!(!found.to_string().contains(MARKER), "{found}");
}

#[test]
fn what_was_seen_is_forgotten_on_request_and_not_kept_where_nothing_is() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    let (packs, _) = two_packs(dir.path(), &["x.example"], &["x.example"]);
    for keep in [true, false] {
        let text = config(&packs, "").replace("/state\"\n", &format!("/state\"\nkeep = {keep}\n"));
        let mut gateway = Gateway::plan(&text).upstream(&upstream).start();
        for _ in 0..300 {
            Ask::new("zqopen.example", "A").expect(gateway.dns);
        }
        gateway.terminate();
        assert!(!files(&gateway.dir().join("state")).contains("zqopen"));
        let path = gateway.dir().join("gateway.toml");
        let seen = gateway.dir().join("state/kept/seen");
        assert_eq!(seen.exists(), keep);
        let mut command = Command::new(LACHAN);
        command.args(["state", "forget", "--config"]).arg(&path);
        let (status, text) = run(command);
        assert_eq!(status.success(), keep, "{text}");
        assert!(!seen.exists());
    }
}

#[test]
fn a_release_that_blocks_a_guarded_name_is_held() {
    let upstream = Upstream::start();
    let mut gateway = super::plan("", &upstream)
        .made(|dir| {
            super::make(dir, 1, 1, &["one.example"], &[]);
            super::make(dir, 2, 2, &["two.example"], &[]);
            super::point(dir, 2, 2);
            let (list, out) = (dir.join("orders.txt"), dir.join("state/releases/1/release.pack"));
            fs::write(&list, "moet.gov.vn\n").unwrap();
            fs::remove_file(&out).unwrap();
            let mut command = Command::new(LACHAN);
            command.args(["lists", "build", "--accept", "Lan: a test", "--out"]).arg(&out);
            command.arg("--source").arg(format!("legal_request={}", list.display()));
            let (status, text) = run(command);
            assert_eq!(status.code(), Some(0), "{text}");
        })
        .start();
    let path = gateway.dir().join("gateway.toml");
    let (code, text) = super::lists("rollback", &path, &[]);
    assert!(code == 1 && text.contains("no list may block by mistake"), "{text}");
    assert!(super::is_blocked(&gateway, "two.example"));
    assert!(!super::is_blocked(&gateway, "moet.gov.vn"));
    gateway.expect_metric("lachan_release", &[], 2.0);
    gateway.expect_metric("lachan_rehearsal_holding", &[], 3.0);
    // While it does not run, the same.
    gateway.terminate();
    let (code, text) = super::lists("rollback", &path, &["--to", "1"]);
    assert!(code == 1 && text.contains("guarded or essential"), "{text}");
}
