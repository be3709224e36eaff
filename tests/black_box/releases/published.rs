//! Releases from the officer's stick to a blocked name, with the real program at both ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{is_blocked, lists, plan, state};
use crate::kit::repository::TestRepository;
use crate::packs::build;
use crate::support::gateway::{LACHAN, run};
use crate::support::{Gateway, Upstream, eventually};

/// A gateway that is enrolled with a repository and has no release yet.
pub(super) fn enrolled(repository: &TestRepository, more: &str, upstream: &Upstream) -> Gateway {
    let enrol = |dir: &Path| {
        fs::copy(repository.root(), dir.join("root.json")).unwrap();
    };
    plan(more, upstream).made(enrol).start()
}

/// A pack of these names, at a path of its own.
pub(super) fn pack(repository: &TestRepository, serial: u64, names: &[&str]) -> PathBuf {
    // A source has the name of its file, which stays the same from release to release.
    let room = repository.file(&serial.to_string());
    fs::create_dir_all(&room).unwrap();
    let path = room.join("lists.pack");
    build(&path, names);
    path
}

/// Publishes a release to every school.
pub(super) fn publish(repository: &TestRepository, serial: u64, names: &[&str]) -> String {
    let said = repository.release(&pack(repository, serial, names), &[]);
    repository.rollout(serial);
    said
}

pub(super) fn update(gateway: &Gateway, from: &Path) -> serde_json::Value {
    let config = gateway.dir().join("gateway.toml");
    state("update", &config, &["--from", from.to_str().unwrap()])
}

/// The target whose name ends so.
fn target(repository: &Path, room: &str, end: &str) -> PathBuf {
    let room = repository.join("targets").join(room);
    let found = fs::read_dir(room).unwrap().flatten().map(|one| one.path());
    found.into_iter().find(|path| path.to_string_lossy().ends_with(end)).unwrap()
}

#[test]
fn a_release_is_taken_whole_then_by_differences() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let mut gateway = enrolled(&repository, "", &upstream);
    // A difference is shorter than a list only where the list has some length.
    let many: Vec<String> = (0..3000).map(|n| format!("n{}.example", n * n * 7 % 99_991)).collect();
    let with = |more: &[&'static str]| -> Vec<&str> {
        more.iter().copied().chain(many.iter().map(String::as_str)).collect()
    };
    publish(&repository, 1, &with(&["one.example", "two.example"]));
    let status = update(&gateway, &repository.path());
    assert_eq!((status["release"].as_u64(), status["ring"].as_str()), (Some(1), Some("all")));
    assert!(is_blocked(&gateway, "one.example") && is_blocked(&gateway, "a.two.example"));
    assert!(!is_blocked(&gateway, "three.example"));
    let digest_checked =
        |gateway: &Gateway| gateway.metrics().value("lachan_pack_digest_checked", &[]);
    assert!(digest_checked(&gateway) > 0.5);
    // Two releases on, from differences alone: the full lists are not there.
    let said = publish(&repository, 2, &with(&["one.example", "three.example"]));
    assert!(said.contains("for a gateway that has release 1"), "{said}");
    publish(&repository, 3, &with(&["one.example", "three.example", "four.example"]));
    let copy = gateway.dir().join("copy");
    repository.copy_to(&copy);
    for serial in [2, 3] {
        fs::remove_file(target(&copy, "lists", &format!(".{serial}.full.zst"))).unwrap();
    }
    assert_eq!(update(&gateway, &copy)["release"], 3);
    assert!(is_blocked(&gateway, "four.example") && is_blocked(&gateway, "three.example"));
    assert!(!is_blocked(&gateway, "two.example"));
    assert!(digest_checked(&gateway) > 0.5);
    gateway.terminate();
    let again = gateway.restart();
    assert!(is_blocked(&again, "four.example"), "without a network, from what is stored");
}

#[test]
fn a_damaged_list_here_is_replaced_by_the_full_one() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let gateway = enrolled(&repository, "", &upstream);
    publish(&repository, 1, &["one.example"]);
    update(&gateway, &repository.path());
    fs::write(gateway.dir().join("state/releases/1/list.zst"), "rotten").unwrap();
    publish(&repository, 2, &["one.example", "two.example"]);
    assert_eq!(update(&gateway, &repository.path())["release"], 2);
    assert!(is_blocked(&gateway, "two.example"));
}

#[test]
fn a_way_back_is_the_rollouts_and_then_a_new_release() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let gateway = enrolled(&repository, "directory = \"watched\"", &upstream);
    let watched = gateway.dir().join("watched");
    let carry = || {
        repository.copy_to(&watched);
    };
    publish(&repository, 1, &["one.example"]);
    carry();
    eventually("release 1", || is_blocked(&gateway, "one.example").then_some(()));
    publish(&repository, 2, &["one.example", "wrong.example"]);
    carry();
    eventually("release 2", || is_blocked(&gateway, "wrong.example").then_some(()));
    let (path, online) = (repository.text("repository"), repository.text("online"));
    repository.publish(&["rollout", &path, "--online", &online, "--back"]);
    carry();
    eventually("back", || (!is_blocked(&gateway, "wrong.example")).then_some(()));
    assert!(is_blocked(&gateway, "one.example"));
    // The next release is compared with what schools have, and comes after the one that was left.
    let said = publish(&repository, 3, &["one.example", "good.example"]);
    assert!(said.contains("release 3 is signed"), "{said}");
    carry();
    eventually("release 3", || is_blocked(&gateway, "good.example").then_some(()));
    let config = gateway.dir().join("gateway.toml");
    eventually("back by hand, once the update has ended", || {
        (lists("rollback", &config, &["--to", "1"]).0 == 0).then_some(())
    });
    assert!(!is_blocked(&gateway, "good.example"));
}

#[test]
fn a_release_that_the_gate_refuses_is_not_signed() {
    let repository = TestRepository::new();
    repository.release(&pack(&repository, 1, &["one.example"]), &[]);
    let refused = |names: &[&str], more: &[&str]| {
        let new = repository.file("new.pack");
        let list = repository.file("new.txt");
        fs::write(&list, names.join("\n")).unwrap();
        let source = format!("adult={}", list.display());
        let (new, exceptions) = (new.display().to_string(), ["--accept", "test"]);
        let mut program = Command::new(LACHAN);
        program.args(["lists", "build", "--out", &new, "--source", &source]).args(exceptions);
        assert!(run(program).0.success());
        let mut program = Command::new(LACHAN);
        let (path, officer) = (repository.text("repository"), repository.text("officer"));
        program
            .args(["publish", "release", &path, "--officer", &officer, "--new", &new])
            .args(more);
        let (status, text) = run(program);
        (status.code(), text)
    };
    let before = fs::read_dir(repository.path()).unwrap().count();
    let (code, text) = refused(&["one.example", "youtube.com"], &[]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("youtube.com") && text.contains("--accept"), "{text}");
    assert_eq!(fs::read_dir(repository.path()).unwrap().count(), before, "nothing was written");
    let keys = text.split_whitespace().filter_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
    let mut consent = vec!["--by", "Lan", "--reason", "phishing on a page"];
    consent.extend(keys.flat_map(|key| ["--accept", key]));
    let (code, text) = refused(&["one.example", "youtube.com"], &consent);
    assert_eq!(code, Some(0), "{text}");
    // It is in the manifest for all to see, and the next release is compared with this one.
    let manifest = fs::read_to_string(target(&repository.path(), "releases", ".2.json")).unwrap();
    assert!(manifest.contains("Lan") && manifest.contains("phishing on a page"), "{manifest}");
    let (code, text) = refused(&["one.example", "youtube.com", "new.example"], &[]);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn tables_of_a_release_are_judged_and_go_on() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let gateway = enrolled(&repository, "", &upstream);
    let tables = repository.file("tables");
    fs::create_dir(&tables).unwrap();
    let one = pack(&repository, 1, &["one.example"]);
    let (path, officer) = (repository.text("repository"), repository.text("officer"));
    let arguments = ["--tables", tables.to_str().unwrap()];
    let refuse = |wanted: &str| {
        let mut program = Command::new(LACHAN);
        let pack = one.to_str().unwrap();
        program.args(["publish", "release", &path, "--officer", &officer, "--new", pack]);
        let (status, text) = run({
            program.args(arguments);
            program
        });
        assert_eq!(status.code(), Some(3), "{text}");
        assert!(text.contains(wanted), "{text}");
    };
    fs::write(tables.join("essential.txt"), "## nonsense\nhelp.example\n").unwrap();
    refuse("essential.txt");
    fs::write(tables.join("essential.txt"), "## help\nhelp.example\n").unwrap();
    fs::write(tables.join("notes.docx"), "").unwrap();
    refuse("notes.docx");
    fs::remove_file(tables.join("notes.docx")).unwrap();
    repository.release(&one, &arguments);
    repository.release(&pack(&repository, 2, &["one.example", "two.example"]), &[]);
    repository.rollout(2);
    update(&gateway, &repository.path());
    let data = gateway.dir().join("state/releases/1/data/essential.txt");
    assert_eq!(fs::read_to_string(data).unwrap(), "## help\nhelp.example\n");
    let config = gateway.dir().join("gateway.toml");
    let (_, text) = lists("releases", &config, &[]);
    assert!(text.contains('2'), "{text}");
}
