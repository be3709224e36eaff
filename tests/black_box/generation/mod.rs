//! What was in force stays in force: files that are lost, torn or mistaken while a gateway serves,
//! and before its next start.
//!
//! One school has every kind of file. Each test damages one, and asks a name that only this file
//! blocks.

mod disk;
mod matrix;
mod restarts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::gateway::{LACHAN, run};
use crate::support::web::{Page, Web};
use crate::support::{Ask, Gateway, PUPIL, TWO_GROUPS, Upstream, eventually};

/// What each file of the school blocks.
const BLOCKED: &[(&str, &str)] = &[
    ("gateway.toml", "denied.example"),
    ("department.toml", "department.example"),
    ("adult.txt", "adult.example"),
    ("lists", "directory.example"),
    ("packs", "packed.example"),
    ("exams.ics", "exam.example"),
    ("keywords.txt", "www.zqkeyword.example"),
    ("csam.sealed", "sealed.example"),
    ("csam.key", "sealed.example"),
    ("fetched", "fetched.example"),
];

const SCHOOL: &str = r#"
[state]
dir = "state"

[department]
policy = "department.toml"

[profile.pupils]
level = "lower-secondary"
block = ["adult", "malware", "gambling"]
observe = ["games"]
deny = ["denied.example"]

[profile.staff]
level = "staff"

[profile.pupils.during.exam]
block = ["games"]

[[schedule]]
name = "exam"
calendar = "exams.ics"

[[lists.source]]
category = "adult"
path = "adult.txt"

[[lists.source]]
category = "gambling"
path = "lists"

[[lists.source]]
category = "games"
path = "games.txt"

[[lists.source]]
category = "malware"
url = "http://127.0.0.1:{web}/list.txt"

[[lists.source]]
category = "csam"
format = "sealed"
path = "csam.sealed"
key = "csam.key"
"#;

/// An exam that is on, and stays on.
const EXAM: &str = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20200101\n\
    DTEND;VALUE=DATE:20900101\nEND:VEVENT\nEND:VCALENDAR\n";

/// A school with every kind of file, and its servers.
struct School {
    upstream: Upstream,
    _web: Web,
    config: String,
}

impl School {
    fn new() -> Self {
        let web = Web::start();
        web.put("/list.txt", Page::text("fetched.example\n"));
        let lists = "starter = false\nkeywords = \"keywords.txt\"\npacks = \"packs\"";
        let config = format!("{TWO_GROUPS}{SCHOOL}")
            .replace("starter = false", lists)
            .replace("{web}", &web.port().to_string());
        Self { upstream: Upstream::start(), _web: web, config }
    }

    /// A gateway of this school, when all that it has is in force and kept.
    fn start(&self) -> Gateway {
        let gateway = Gateway::plan(&self.config)
            .upstream(&self.upstream)
            .file("department.toml", "name = \"Department\"\ndeny = [\"department.example\"]\n")
            .file("adult.txt", "adult.example\n")
            .file("games.txt", "exam.example\n")
            .file("lists/a.txt", "directory.example\n")
            .file("exams.ics", EXAM)
            .file("keywords.txt", "block gambling *zqkeyword*\n")
            .file("packs/list.txt", "packed.example\n")
            .made(|dir| {
                lachan(dir, "lists build --out packs/1.pack --source adult=packs/list.txt");
                fs::write(dir.join("names.txt"), "sealed.example\n").unwrap();
                lachan(dir, "lists seal --key csam.key --out csam.sealed names.txt");
            })
            .start();
        until_whole(&gateway);
        gateway
    }
}

/// Runs `lachan`, which must do as it is told.
fn lachan(dir: &Path, arguments: &str) -> String {
    let mut command = Command::new(LACHAN);
    command.current_dir(dir).args(arguments.split_whitespace());
    let (status, said) = run(command);
    assert!(status.success(), "{arguments}: {said}");
    said
}

/// Waits until all is in force and kept.
fn until_whole(gateway: &Gateway) {
    eventually("all is in force and kept", || {
        // In this order: what is adopted between two looks is not kept yet.
        let is_ready = gateway.get("/readyz") == (200, "ready\n".to_owned());
        let is_kept = gateway.metrics().value("lachan_state_kept", &[]) > 0.0;
        (is_ready && is_kept).then_some(())
    });
}

fn is_blocked(gateway: &Gateway, name: &str) -> bool {
    Ask::new(name, "A").from(PUPIL).edns(1232).expect(gateway.dns).rcode() == "NXDOMAIN"
}

/// All that a whole school blocks is blocked, and nothing else is.
fn assert_as_strict(gateway: &Gateway, when: &str) {
    for (file, name) in BLOCKED {
        assert!(is_blocked(gateway, name), "{when}: {name} of {file} is open\n{}", gateway.log());
    }
    assert!(!is_blocked(gateway, "free.example"), "{when}: all is closed\n{}", gateway.log());
}

/// Files that kept copies stand in for, by the metrics.
fn held(gateway: &Gateway) -> i64 {
    let roles = ["config", "text", "keywords", "list", "sealed", "pack"];
    let metrics = gateway.metrics();
    roles.iter().map(|role| metrics.value("lachan_files_held", &[("file", role)]) as i64).sum()
}

/// `lachan status --json`.
fn status(gateway: &Gateway) -> Value {
    let said = lachan(gateway.dir(), "status --json --config gateway.toml");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// `lachan check`: whether it finds no mistake, and what it says.
fn check(gateway: &Gateway) -> (bool, String) {
    let mut command = Command::new(LACHAN);
    command.current_dir(gateway.dir()).args(["check", "gateway.toml"]);
    let (status, said) = run(command);
    (status.success(), said)
}

/// The file or directory of a row of [`BLOCKED`].
fn place_of(gateway: &Gateway, file: &str) -> PathBuf {
    if file != "fetched" {
        return gateway.dir().join(file);
    }
    let copies = fs::read_dir(gateway.dir().join("state/fetched")).unwrap();
    let is_copy = |path: &PathBuf| path.extension().is_some_and(|end| end == "txt");
    copies.flatten().map(|entry| entry.path()).find(is_copy).unwrap()
}

/// A file or directory as it was, to be put back.
struct Original {
    path: PathBuf,
    aside: PathBuf,
}

impl Original {
    /// Copies it aside.
    fn of(gateway: &Gateway, file: &str) -> Self {
        let path = place_of(gateway, file);
        let aside = gateway.dir().join("aside").join(file);
        fs::create_dir_all(aside.parent().unwrap()).unwrap();
        copy(&path, &aside);
        Self { path, aside }
    }

    /// Puts it back in one step.
    fn restore(&self) {
        remove(&self.path);
        let beside = self.path.with_extension("back");
        remove(&beside);
        copy(&self.aside, &beside);
        fs::rename(beside, &self.path).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    let mut command = Command::new("cp");
    command.arg("-rp").arg(from).arg(to);
    assert!(run(command).0.success());
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path);
    let _ = fs::remove_dir_all(path);
}

#[test]
fn what_is_kept_is_for_its_owner_and_written_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let school = School::new();
    let mut gateway = school.start();
    let kept = gateway.dir().join("state/kept");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&kept), mode(&kept.join("current.json"))), (0o700, 0o600));
    let objects = || -> Vec<(PathBuf, std::time::SystemTime)> {
        let files = fs::read_dir(kept.join("objects")).unwrap().flatten();
        let mut all: Vec<_> =
            files.map(|f| (f.path(), f.metadata().unwrap().modified().unwrap())).collect();
        all.sort();
        all
    };
    eventually("the download is kept", || {
        fs::read_to_string(kept.join("current.json")).unwrap().contains("/fetched/").then_some(())
    });
    let before = objects();
    for (path, _) in &before {
        assert_eq!(mode(path), 0o600);
        let packed = fs::read(path).unwrap();
        assert!(!packed.windows(6).any(|part| part == b"sealed"), "a sealed name in clear");
    }
    // One list changes: one object comes, one goes, the others are not written again.
    fs::write(gateway.dir().join("adult.txt"), "adult.example\nmore.example\n").unwrap();
    eventually("the new list", || is_blocked(&gateway, "more.example").then_some(()));
    eventually("it is kept", || {
        (objects() != before && objects().len() == before.len()).then_some(())
    });
    let same = objects().iter().filter(|one| before.contains(one)).count();
    assert_eq!(same, before.len() - 1);
    let after = objects();
    gateway.terminate();
    let gateway = gateway.restart();
    until_whole(&gateway);
    assert_eq!(objects(), after);
}

#[test]
fn a_bad_list_holds_up_nothing_else_and_status_names_it() {
    let school = School::new();
    let mut gateway = school.start();
    let config = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(gateway.dir().join("adult.txt"), "<!DOCTYPE html>\n<html></html>\n").unwrap();
    fs::write(gateway.dir().join("games.txt"), "exam.example\nnew.example\n").unwrap();
    fs::write(&config, text.replace("deny = [\"denied", "deny = [\"urgent.example\", \"denied"))
        .unwrap();
    eventually("the urgent deny", || is_blocked(&gateway, "urgent.example").then_some(()));
    for turn in ["reload", "start"] {
        eventually("the other list", || is_blocked(&gateway, "new.example").then_some(()));
        assert_as_strict(&gateway, turn);
        let (code, body) = gateway.get("/readyz");
        assert_eq!(code, 200);
        assert!(body.contains("degraded: the kept copy of `adult.txt` stands in"), "{body}");
        gateway.expect_metric("lachan_files_held", &[("file", "list")], 1.0);
        eventually("the log", || {
            gateway.log().contains("degraded: the kept copy of `adult.txt`").then_some(())
        });
        let status = status(&gateway);
        assert_eq!(status["state"], "degraded", "{status}");
        assert_eq!(status["held"][0]["name"], "adult.txt");
        let list = |name: &str| {
            let lists = status["lists"].as_array().unwrap();
            lists.iter().find(|list| list["name"] == name).unwrap().clone()
        };
        assert_eq!(
            (&list("adult.txt")["state"], &list("adult.txt")["rules"]),
            (&"held".into(), &1.into())
        );
        assert_eq!(
            (&list("games.txt")["state"], &list("games.txt")["rules"]),
            (&"ok".into(), &2.into())
        );
        assert!(status["upstreams"][0]["up"].is_boolean() && status["clock"].is_string());
        if turn == "reload" {
            gateway.terminate();
            gateway = gateway.restart();
        }
    }
    // What was kept is dropped by a command: then the list is missing, and its category closed.
    lachan(gateway.dir(), "state forget --config gateway.toml");
    let (_, body) = gateway.get("/readyz");
    assert!(body.contains("degraded: without `adult.txt`"), "{body}");
    fs::write(gateway.dir().join("adult.txt"), "adult.example\n").unwrap();
    until_whole(&gateway);
    assert_as_strict(&gateway, "mended");
    assert_eq!(status(&gateway)["state"], "ok");
}

#[test]
fn a_valid_config_wins_with_what_it_removed_and_another_school_has_nothing() {
    let school = School::new();
    let mut gateway = school.start();
    gateway.terminate();
    // The source is gone from the config and from the disk: nothing stands in for it.
    let config = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&config).unwrap();
    let source = "[[lists.source]]\ncategory = \"gambling\"\npath = \"lists\"\n";
    assert!(text.contains(source));
    fs::write(&config, text.replace(source, "")).unwrap();
    remove(&gateway.dir().join("lists"));
    gateway = gateway.restart();
    assert!(!is_blocked(&gateway, "directory.example"));
    until_whole(&gateway);
    gateway.terminate();
    // Another school's config on the same disk: its own files alone count.
    fs::write(&config, text.replace(source, "").replace("test-school", "other-school")).unwrap();
    fs::write(gateway.dir().join("games.txt"), "<html>").unwrap();
    gateway = gateway.restart();
    assert!(gateway.get("/readyz").1.contains("degraded: without `games.txt`"));
    assert!(!is_blocked(&gateway, "exam.example"));
}

#[test]
fn nothing_is_kept_where_the_config_says_so() {
    let school = School::new();
    let mut gateway = school.start();
    let config = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("dir = \"state\"", "dir = \"state\"\nkeep = false")).unwrap();
    eventually("the change", || {
        (gateway.metrics().value("lachan_state_kept", &[]) == 0.0).then_some(())
    });
    // While the process lives, a lost list is held all the same.
    remove(&gateway.dir().join("adult.txt"));
    eventually("the loss", || (held(&gateway) > 0).then_some(()));
    assert_as_strict(&gateway, "without a kept generation");
    gateway.terminate();
    let gateway = gateway.restart();
    assert!(gateway.get("/readyz").1.contains("degraded: without `adult.txt`"));
}

#[test]
fn a_calendar_without_events_holds_up_nothing_else() {
    let school = School::new();
    let gateway = school.start();
    // It is a calendar, and a mistake of the config: its schedule never runs.
    let empty = "BEGIN:VCALENDAR\nEND:VCALENDAR\n";
    fs::write(gateway.dir().join("exams.ics"), empty).unwrap();
    eventually("it is held", || (held(&gateway) >= 1).then_some(()));
    let config = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("deny = [\"denied", "deny = [\"urgent.example\", \"denied"))
        .unwrap();
    eventually("the urgent deny", || is_blocked(&gateway, "urgent.example").then_some(()));
    assert_as_strict(&gateway, "an empty calendar");
}

#[test]
fn a_forward_zone_that_cannot_be_set_up_ends_no_start() {
    let school = School::new();
    let mut gateway = school.start();
    let config = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&config).unwrap();
    let zone = "\n[[forward]]\nzone = \"school.example\"\nservers = [\"https://[2001:db8::1]\"]\n";
    fs::write(&config, text + zone).unwrap();
    eventually("it is held", || (held(&gateway) >= 1).then_some(()));
    gateway.terminate();
    gateway = gateway.restart();
    assert_as_strict(&gateway, "a restart");
}

#[test]
fn what_is_refused_is_told_until_it_is_mended() {
    let school = School::new();
    let gateway = school.start();
    until_whole(&gateway);
    let ready = || gateway.get("/readyz");
    let is_told = || ready().1.contains("degraded: ").then_some(());
    // A mistake of the config alone.
    let config = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\nno_such_table = 1\n")).unwrap();
    eventually("the refusal", is_told);
    assert_eq!(ready().0, 200);
    fs::write(&config, &text).unwrap();
    until_whole(&gateway);
    // A list that is lost together with its kept copy.
    let kept = gateway.dir().join("state").join("kept");
    let adult = fs::read(gateway.dir().join("adult.txt")).unwrap();
    let refused = || {
        remove(&kept.join("objects"));
        remove(&gateway.dir().join("adult.txt"));
        ready().1.contains("degraded: not reloaded, the old policy stays").then_some(())
    };
    eventually("the double loss", refused);
    assert_as_strict(&gateway, "a double loss");
    let status = status(&gateway);
    assert_eq!(status["state"], "degraded", "{status}");
    assert!(status["refused"].as_str().unwrap().contains("adult.txt"), "{status}");
    fs::write(gateway.dir().join("adult.txt"), adult).unwrap();
    until_whole(&gateway);
}
