//! Repositories that a gateway does not take: each has a reason, and nothing is left behind.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{is_blocked, lists, make, plan, point, published, state};
use crate::kit::repository::{TestRepository, copy};
use crate::support::gateway::{LACHAN, run};
use crate::support::{Gateway, Upstream, eventually, within};

/// A gateway that is enrolled with a repository, and serves what it took by hand long ago.
pub(super) fn enrolled(repository: &TestRepository, more: &str, upstream: &Upstream) -> Gateway {
    plan(more, upstream).made(|dir| prepare(repository, dir)).start()
}

/// Makes what such a gateway has on its disk.
pub(super) fn prepare(repository: &TestRepository, dir: &Path) {
    fs::copy(repository.root(), dir.join("root.json")).unwrap();
    make(dir, 1, 1, &["one.example"], &[]);
    point(dir, 1, 1);
    for memory in ["timestamp.json", "snapshot.json"] {
        fs::remove_file(dir.join("state/releases/1/trust").join(memory)).unwrap();
    }
}

pub(super) fn rejected(gateway: &Gateway, reason: &str) -> f64 {
    gateway.metrics().value("lachan_update_rejected_total", &[("reason", reason)])
}

/// An update from a directory is refused for this reason, and changes nothing.
fn refuse(gateway: &Gateway, from: &Path, reason: &str) -> String {
    let before = rejected(gateway, reason);
    let config = gateway.dir().join("gateway.toml");
    let (code, text) = lists("update", &config, &["--from", from.to_str().unwrap()]);
    assert_eq!(code, 1, "{reason}: {text}");
    assert!((rejected(gateway, reason) - before - 1.0).abs() < 0.1, "{reason}: {text}");
    assert!(is_blocked(gateway, "one.example"), "{reason}");
    let releases = gateway.dir().join("state/releases");
    let mut names = fs::read_dir(releases).unwrap().flatten().map(|one| one.file_name());
    assert!(!names.any(|name| name.to_string_lossy().starts_with("incoming")), "{reason}");
    text
}

fn take(gateway: &Gateway, from: &Path) {
    let config = gateway.dir().join("gateway.toml");
    let (code, text) = lists("update", &config, &["--from", from.to_str().unwrap()]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn an_old_copy_is_a_rollback() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let gateway = enrolled(&repository, "", &upstream);
    let old = gateway.dir().join("old");
    repository.copy_to(&old);
    repository.refresh();
    take(&gateway, &repository.path());
    let text = refuse(&gateway, &old, "rollback");
    assert!(text.contains("older than what this gateway has seen"), "{text}");
    take(&gateway, &repository.path());
}

#[test]
fn what_is_damaged_or_foreign_is_refused() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let other = TestRepository::new();
    let gateway = enrolled(&repository, "", &upstream);
    let damaged = |name: &str, damage: &dyn Fn(&Path)| {
        let place = gateway.dir().join(name);
        repository.copy_to(&place);
        damage(&place);
        place
    };
    let empty = gateway.dir().join("empty");
    fs::create_dir(&empty).unwrap();
    refuse(&gateway, &empty, "unreachable");
    let half = damaged("half", &|place| fs::remove_file(place.join("1.targets.json")).unwrap());
    refuse(&gateway, &half, "unreachable");
    let portal = damaged("portal", &|place| {
        fs::write(place.join("timestamp.json"), "<html>sign in</html>").unwrap();
    });
    refuse(&gateway, &portal, "malformed");
    let truncated = damaged("truncated", &|place| {
        let text = fs::read(place.join("1.targets.json")).unwrap();
        fs::write(place.join("1.targets.json"), &text[..text.len() / 2]).unwrap();
    });
    refuse(&gateway, &truncated, "hash");
    let large = damaged("large", &|place| {
        fs::write(place.join("timestamp.json"), vec![b' '; 2 << 20]).unwrap();
    });
    refuse(&gateway, &large, "size");
    let text = refuse(&gateway, &other.path(), "signature");
    assert!(text.contains("not those of the department"), "{text}");
    let mixed = damaged("mixed", &|place| {
        fs::copy(other.path().join("1.snapshot.json"), place.join("1.snapshot.json")).unwrap();
    });
    refuse(&gateway, &mixed, "hash");
    take(&gateway, &repository.path());
}

#[test]
fn a_store_of_another_repository_is_told_in_the_language_of_the_school() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let mut gateway = enrolled(&repository, "", &upstream);
    take(&gateway, &repository.path());
    gateway.terminate();
    let other = TestRepository::new();
    let config = gateway.dir().join("gateway.toml");
    fs::copy(other.root(), gateway.dir().join("root.json")).unwrap();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[school]", "[school]\nlang = \"vi\"")).unwrap();
    let gateway = gateway.restart();
    let said = refuse(&gateway, &other.path(), "root");
    assert!(said.contains("thuộc kho phát hành khác"), "{said}");
    assert!(gateway.get("/readyz").1.contains("no update"), "{}", gateway.get("/readyz").1);
}

#[test]
fn a_watched_directory_is_followed_and_a_half_made_copy_is_tried_again() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let gateway = enrolled(&repository, "directory = \"watched\"", &upstream);
    let watched = gateway.dir().join("watched");
    fs::create_dir(&watched).unwrap();
    fs::copy(repository.path().join("timestamp.json"), watched.join("timestamp.json")).unwrap();
    eventually("a half copy is refused", || {
        (rejected(&gateway, "unreachable") >= 1.0).then_some(())
    });
    copy(&repository.path(), &watched);
    let last = "lachan_update_last_success_timestamp_seconds";
    eventually("the whole copy is taken", || {
        (gateway.metrics().value(last, &[]) > 0.0).then_some(())
    });
}

#[test]
fn a_mistake_in_the_gateways_own_config_is_not_the_releases() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let gateway = published::enrolled(&repository, "directory = \"watched\"", &upstream);
    let config = gateway.dir().join("gateway.toml");
    let good = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{good}\nbroken = \n")).unwrap();
    published::publish(&repository, 1, &["one.example"]);
    copy(&repository.path(), &gateway.dir().join("watched"));
    eventually("a refusal", || (rejected(&gateway, "config") >= 1.0).then_some(()));
    assert!(!is_blocked(&gateway, "one.example"));
    fs::write(&config, good).unwrap();
    let said = state("releases", &config, &[]);
    assert!(said["reason"].is_null(), "it is not remembered: {said}");
    // Nobody accepts anything: the next attempt takes it.
    within(Duration::from_secs(90), || is_blocked(&gateway, "one.example").then_some(()))
        .expect("the release");
}

#[test]
fn an_enrolled_root_that_is_missing_is_told() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let gateway = enrolled(&repository, "", &upstream);
    fs::remove_file(gateway.dir().join("root.json")).unwrap();
    let text = refuse(&gateway, &repository.path(), "root");
    assert!(text.contains("correct `root` in [update]"), "{text}");
}

#[test]
fn a_memory_that_is_lost_begins_anew_where_somebody_enrols_anew() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let mut gateway = published::enrolled(&repository, "", &upstream);
    let config = gateway.dir().join("gateway.toml");
    published::publish(&repository, 1, &["one.example"]);
    published::update(&gateway, &repository.path());
    gateway.terminate();
    let releases = gateway.dir().join("state/releases");
    fs::remove_dir_all(releases.join("1")).unwrap();
    fs::write(releases.join("mark.json"), "").unwrap();
    let from = repository.text("repository");
    let (code, text) = lists("update", &config, &["--from", &from]);
    assert!(code == 1 && text.contains("--anew"), "{text}");

    let file = repository.text("box.toml");
    let url = ["--url", "https://a.example/r/"];
    let of = ["--school", "test-school", "--box", "1", "--ring", "all", "--out", &file];
    repository.publish(&[&["enrol", "file", &from], &url[..], &of].concat());
    let enrol = |more: &[&str]| {
        let mut command = Command::new(LACHAN);
        command.args(["enrol", &file, "--config"]).arg(&config).args(more);
        let (status, text) = run(command);
        assert!(status.success(), "{text}");
    };
    enrol(&[]);
    let (code, text) = lists("update", &config, &["--from", &from]);
    assert_eq!(code, 1, "it is never given up unasked: {text}");
    enrol(&["--anew"]);
    assert_eq!(state("update", &config, &["--from", &from])["release"], 1);
    // What can be read is never given up.
    let mark = fs::read(releases.join("mark.json")).unwrap();
    enrol(&["--anew"]);
    assert_eq!(fs::read(releases.join("mark.json")).unwrap(), mark);
}
