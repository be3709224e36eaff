//! The department's office: keys, a repository, its daily refresh, what a doctor sees.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::kit::repository::TestRepository;
use crate::support::gateway::{LACHAN, run};

/// Runs `lachan publish …`: its exit code, and what it said.
fn publish(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(LACHAN);
    command.arg("publish").args(arguments);
    let (status, said) = run(command);
    (status.code().unwrap(), said)
}

#[test]
fn a_key_that_others_can_read_is_refused_with_a_way_out() {
    let office = TestRepository::new();
    let (repository, online) = (office.text("repository"), office.text("online"));
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(&online, fs::Permissions::from_mode(mode)).unwrap();
        let (code, said) = publish(&["refresh", &repository, "--online", &online]);
        assert!(code == 3 && said.contains("chmod 600"), "{mode:o}: {code} {said}");
    }
    fs::set_permissions(&online, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(publish(&["refresh", &repository, "--online", &online]).0, 0);
}

#[test]
fn a_key_inside_the_repository_is_refused() {
    let office = TestRepository::new();
    let (repository, online) = (office.text("repository"), office.text("online"));
    let inside = office.text("repository/online");
    let (code, said) = publish(&["key", &inside]);
    assert!(code == 3 && said.contains("inside the repository"), "{code} {said}");
    assert!(!office.file("repository/online").exists());
    fs::copy(&online, &inside).unwrap();
    let (code, said) = publish(&["refresh", &repository, "--online", &inside]);
    assert!(code == 3 && said.contains("inside the repository"), "{code} {said}");
    fs::remove_file(&inside).unwrap();
    // A web server follows links.
    std::os::unix::fs::symlink(&online, &inside).unwrap();
    let (code, said) = publish(&["refresh", &repository, "--online", &inside]);
    assert!(code == 3 && said.contains("inside the repository"), "{code} {said}");
}

#[test]
fn a_repository_is_not_made_around_its_keys() {
    let office = TestRepository::new();
    let [a, b, c, officer, second, online] =
        ["a", "b", "c.pub", "officer", "second.pub", "online"].map(|name| office.text(name));
    let around = office.text("");
    let (code, said) = publish(&[
        "init",
        &around,
        "--root",
        &a,
        "--root",
        &b,
        "--root",
        &c,
        "--officer",
        &officer,
        "--officer",
        &second,
        "--online",
        &online,
    ]);
    assert!(code == 3 && said.contains("inside the repository"), "{code} {said}");
    assert!(!office.file("1.root.json").exists());
}

#[test]
fn a_stranger_refreshes_nothing_and_a_rollout_needs_a_release() {
    let office = TestRepository::new();
    let (repository, officer) = (office.text("repository"), office.text("officer"));
    let before = fs::read(office.file("repository/timestamp.json")).unwrap();
    let (code, said) = publish(&["refresh", &repository, "--online", &officer]);
    assert!(code == 3 && said.contains("not the online key"), "{code} {said}");
    let online = office.text("online");
    let (code, said) = publish(&["rollout", &repository, "--online", &online, "--release", "1"]);
    assert!(code == 3 && said.contains("officers signed"), "{code} {said}");
    let (code, _) = publish(&["rollout", &repository, "--online", &online]);
    assert_eq!(code, 2, "one of --release, --halt and --back");
    assert_eq!(fs::read(office.file("repository/timestamp.json")).unwrap(), before);
}

#[test]
fn a_doctor_tells_days_signers_and_a_second_copy_that_is_behind() {
    let office = TestRepository::new();
    let (repository, copy) = (office.text("repository"), office.text("copy"));
    office.copy_to(&office.file("copy"));
    let examine = |more: &[&str]| {
        let (code, said) = publish(&[&["doctor", &repository, "--json"], more].concat());
        (code, serde_json::from_str::<Value>(&said).unwrap())
    };
    let (code, found) = examine(&["--mirror", &copy]);
    assert_eq!(code, 0, "{found}");
    let roles = found["roles"].as_array().unwrap();
    let role = |name: &str| roles.iter().find(|role| role["role"] == name).unwrap();
    assert_eq!((&role("root")["keys"], &role("root")["threshold"]), (&3.into(), &2.into()));
    assert_eq!((&role("targets")["keys"], &role("targets")["threshold"]), (&2.into(), &1.into()));
    assert!(role("timestamp")["days"].as_i64().unwrap() >= 29, "{found}");
    office.refresh();
    let (code, found) = examine(&["--mirror", &copy]);
    assert!(code == 1 && found["faults"].to_string().contains("behind"), "{found}");
    fs::remove_file(office.file("repository/1.targets.json")).unwrap();
    let (code, said) = publish(&["doctor", &repository]);
    assert!(code == 3 && said.contains("targets"), "{code} {said}");
}
