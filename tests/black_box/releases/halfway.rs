//! Publications that were interrupted, that met another one, or that would break a repository.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::published::{enrolled, pack, update};
use super::rotated::{rotate, tried};
use crate::kit::repository::TestRepository;
use crate::support::Upstream;
use crate::support::gateway::{LACHAN, run, spawn};

/// What `publish doctor` says; whether all is well.
fn doctor(repository: &TestRepository) -> (bool, String) {
    let (code, text) = tried(&["doctor", &repository.text("repository")]);
    (code == 0, text)
}

#[test]
fn a_root_that_was_changed_after_it_was_signed_counts_no_signature() {
    let repository = TestRepository::new();
    for name in ["d", "e", "f"] {
        repository.publish(&["key", &repository.text(name)]);
    }
    let heirs = "--new-root @d.pub --new-root @e.pub --new-root @f.pub --out @staged";
    assert_eq!(rotate(&repository, &format!("{heirs} --sign @a --sign @b")).0, 0);
    let staged = repository.file("staged");
    let text = fs::read_to_string(&staged).unwrap();
    fs::write(&staged, text.replacen("\"expires\":\"20", "\"expires\":\"21", 1)).unwrap();
    let end = "--staged @staged --sign @d --sign @e --officer @officer --online @online";
    let (code, said) = rotate(&repository, end);
    assert!(said.contains("0 of 2"), "{code}: {said}");
    assert!(!repository.path().join("2.root.json").exists());
    assert!(doctor(&repository).0);
    // Nor is a key written over by what is left for the next person.
    let key = fs::read(repository.file("b")).unwrap();
    assert_ne!(rotate(&repository, "--sign @a --out @b").0, 0);
    assert_eq!(fs::read(repository.file("b")).unwrap(), key);
}

#[test]
fn a_rotation_that_was_interrupted_is_not_published_by_the_timer_and_is_run_again() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let gateway = enrolled(&repository, "", &upstream);
    repository.publish(&["key", &repository.text("third")]);
    let copy = repository.file("copy");
    repository.copy_to(&copy);
    let change = "--new-officer @second.pub --new-officer @third.pub --sign @a --sign @b \
                  --officer @third --online @online";
    assert_eq!(rotate(&repository, change).0, 0);
    // As if power had been cut before the root: only what the new officer signed is there.
    for left in ["2.targets.json", "2.rollout.json", "2.emergency.json"] {
        fs::copy(repository.path().join(left), copy.join(left)).unwrap();
    }
    fs::remove_dir_all(repository.path()).unwrap();
    fs::rename(&copy, repository.path()).unwrap();
    let (path, online) = (repository.text("repository"), repository.text("online"));
    let (code, said) = tried(&["refresh", &path, "--online", &online]);
    assert!(code == 3 && said.contains("run it again"), "{code}: {said}");
    assert_eq!(update(&gateway, &repository.path())["state"], "ok");
    let (is_well, said) = doctor(&repository);
    assert!(!is_well && said.contains("run it again"), "{said}");
    let (code, said) = rotate(&repository, change);
    assert_eq!(code, 0, "{said}");
    assert!(doctor(&repository).0, "{}", doctor(&repository).1);
    assert_eq!(update(&gateway, &repository.path())["state"], "ok");
}

#[test]
fn a_version_whose_file_is_lost_is_not_used_twice() {
    let repository = TestRepository::new();
    repository.release(&pack(&repository, 1, &["one.example"]), &[]);
    repository.rollout(1);
    let (path, online) = (repository.text("repository"), repository.text("online"));
    let files = || {
        let names = fs::read_dir(repository.path()).unwrap().flatten().map(|one| one.file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    for role in ["targets", "rollout", "emergency", "snapshot"] {
        let newest = (1..20).rev().find_map(|version| {
            let file = repository.path().join(format!("{version}.{role}.json"));
            file.exists().then_some(file)
        });
        let newest = newest.unwrap();
        let kept = fs::read(&newest).unwrap();
        fs::remove_file(&newest).unwrap();
        let before = files();
        let (code, said) = tried(&["refresh", &path, "--online", &online]);
        assert!(code == 3 && said.contains("second copy"), "{role}: {code}: {said}");
        assert_eq!(files(), before, "{role}");
        assert!(!doctor(&repository).0, "{role}");
        fs::write(&newest, kept).unwrap();
    }
    repository.refresh();
    assert!(doctor(&repository).0, "{}", doctor(&repository).1);
}

#[test]
fn the_doctor_reads_as_a_gateway_does() {
    let repository = TestRepository::new();
    assert!(doctor(&repository).0);
    let timestamp = repository.path().join("timestamp.json");
    let text = fs::read_to_string(&timestamp).unwrap();
    fs::write(&timestamp, text.replacen("\"expires\":\"20", "\"expires\":\"21", 1)).unwrap();
    let (is_well, said) = doctor(&repository);
    assert!(!is_well && said.contains("timestamp"), "{said}");
}

#[test]
fn two_publications_at_once_follow_one_another() {
    let repository = TestRepository::new();
    repository.release(&pack(&repository, 1, &["one.example"]), &[]);
    let (path, online) = (repository.text("repository"), repository.text("online"));
    for round in 0..6 {
        let mut refresh = Command::new(LACHAN);
        refresh.args(["publish", "refresh", &path, "--online", &online]);
        let (mut child, _) = spawn(refresh);
        let ring = format!("r{round}=now:100%");
        repository.publish(&[
            "rollout",
            &path,
            "--online",
            &online,
            "--release",
            "1",
            "--ring",
            &ring,
        ]);
        assert!(child.wait().unwrap().success());
        let (is_well, said) = doctor(&repository);
        assert!(is_well, "round {round}: {said}");
        let newest = (1..99).rev().find_map(|version| {
            fs::read_to_string(repository.path().join(format!("{version}.rollout.json"))).ok()
        });
        let digest = newest.unwrap();
        let current = fs::read_dir(repository.path().join("targets/rollout")).unwrap().flatten();
        let of_round = current.map(|one| one.path()).find(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            digest.contains(name.split('.').next().unwrap())
        });
        let rollout = fs::read_to_string(of_round.unwrap()).unwrap();
        assert!(rollout.contains(&format!("r{round}")), "round {round}: {rollout}");
    }
}

#[test]
fn a_web_server_can_read_it_whatever_the_mask_of_the_officer_is() {
    let dir = tempfile::tempdir().unwrap();
    let script = "umask 077; for key in a b c o s h; do \"$L\" publish key $key; done; \
        \"$L\" publish init r --root a --root b --root c.pub --officer o --officer s.pub --online h; \
        true";
    let mut shell = Command::new("bash");
    shell.args(["-euc", script]).current_dir(dir.path()).env("L", LACHAN);
    let (status, said) = run(shell);
    assert!(status.success(), "{said}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path().join("r")), 0o755);
    assert_eq!(mode(&dir.path().join("r/1.root.json")), 0o644);
    assert_eq!(mode(&dir.path().join("r/timestamp.json")), 0o644);
    // What was begun and not ended is said, not taken for a second publication.
    fs::remove_file(dir.path().join("r/timestamp.json")).unwrap();
    fs::remove_file(dir.path().join("r/1.root.json")).unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let again = tried(&[
        "init",
        &path("r"),
        "--root",
        &path("a"),
        "--root",
        &path("b"),
        "--root",
        &path("c.pub"),
        "--officer",
        &path("o"),
        "--officer",
        &path("s.pub"),
        "--online",
        &path("h"),
    ]);
    assert!(again.0 != 0 && again.1.contains("interrupted"), "{}", again.1);
}
