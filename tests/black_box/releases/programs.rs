//! Versions of the program: officers sign them, the rollout chooses among them, and a gateway tells
//! which is chosen for it.

use std::fs;

use super::published::{enrolled, pack, publish, update};
use super::refused::rejected;
use super::{is_blocked, lists};
use crate::kit::repository::TestRepository;
use crate::support::Upstream;

const PACKAGE: &[u8] = b"!<arch>\ndebian-binary   rest of a package";

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[test]
fn a_signed_program_is_chosen_by_the_rollout_and_told_by_the_gateway() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let gateway = enrolled(&repository, "", &upstream);
    let path = repository.text("repository");
    let (officer, online) = (repository.text("officer"), repository.text("online"));
    let file = format!("lachan_7.0.0-1_{}.deb", architecture());
    fs::write(repository.file(&file), PACKAGE).unwrap();
    let keys = ["--officer", &officer, "--online", &online];
    let added = repository.publish(&[&["program", "add", &path, &file][..], &keys].concat());
    assert!(added.contains("lachan 7.0.0-1") && added.contains("SHA-256"), "{added}");
    publish(&repository, 1, &["one.example"]);
    update(&gateway, &repository.path());
    let chosen = "lachan_program_chosen_info";
    assert!(gateway.metrics().value(chosen, &[]) < 0.5, "none is chosen yet");
    repository.publish(&[
        "rollout",
        &path,
        "--online",
        &online,
        "--release",
        "1",
        "--ring",
        "all=now:100%",
        "--program",
        "7.0.0-1",
    ]);
    let status = update(&gateway, &repository.path());
    assert_eq!(status["program"]["version"], "7.0.0-1", "{status}");
    assert_eq!(status["program"]["octets"], PACKAGE.len());
    assert!(gateway.metrics().value(chosen, &[("version", "7.0.0-1")]) > 0.5);
    // It stays signed with the next release.
    publish(&repository, 2, &["one.example", "two.example"]);
    let listed = repository.publish(&["program", "list", &path, "--json"]);
    assert!(listed.contains("7.0.0-1"), "{listed}");
}

#[test]
fn a_release_that_needs_a_newer_program_is_refused_and_the_old_one_stays() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let gateway = enrolled(&repository, "", &upstream);
    publish(&repository, 1, &["one.example"]);
    update(&gateway, &repository.path());
    let pack = pack(&repository, 2, &["one.example", "two.example"]);
    repository.release(&pack, &["--min-program", "999.0.0"]);
    repository.rollout(2);
    let config = gateway.dir().join("gateway.toml");
    let (code, said) = lists("update", &config, &["--from", repository.path().to_str().unwrap()]);
    assert_ne!(code, 0, "{said}");
    assert!(said.contains("needs a newer program") && said.contains("999.0.0"), "{said}");
    assert!(rejected(&gateway, "program") > 0.5);
    assert!(is_blocked(&gateway, "one.example") && !is_blocked(&gateway, "two.example"));
}
