//! `lachan upgrade`, as far as it needs neither root nor a machine: what people signed decides.
//!
//! What dpkg does, and what comes after, is tried by `.ci/upgrades` on a machine that boots.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::published::publish;
use crate::kit::repository::{TestRepository, copy};
use crate::support::gateway::{LACHAN, run, said_in_json};

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// A gateway that does not run, and a dpkg-query that says what is installed.
struct Machine(TempDir);

impl Machine {
    fn new(root: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (state, root) = (dir.path().join("state").display().to_string(), root.display());
        let config = format!(
            "[school]\nid = \"thcs-a\"\n[state]\ndir = \"{state}\"\n[update]\nroot = \"{root}\"\n"
        );
        fs::write(dir.path().join("gateway.toml"), config).unwrap();
        fs::create_dir(dir.path().join("bin")).unwrap();
        Self(dir)
    }

    fn installed(&self, version: &str) {
        let program = self.0.path().join("bin/dpkg-query");
        fs::write(&program, format!("#!/bin/sh\nprintf 'ii |{version}'\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs it: the exit code, and the last end with its text.
    fn upgrade(&self, from: &Path, more: &[&str]) -> (i32, String, String) {
        let path = format!("{}/bin:{}", self.0.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(LACHAN);
        command.arg("upgrade").arg("--config").arg(self.0.path().join("gateway.toml"));
        command.arg("--from").arg(from).args(["--json", "--lang", "en"]).args(more);
        command.env("PATH", path).env_remove("STATE_DIRECTORY");
        let (status, said) = run(command);
        let ends: Value = said_in_json(&said);
        let end = ends.as_array().unwrap().last().unwrap().clone();
        let word = |key: &str| end[key].as_str().unwrap().to_owned();
        (status.code().unwrap(), word("state"), word("text"))
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join("state-upgrade").join(name)
    }
}

/// Signs packages of these versions.
fn sign(repository: &TestRepository, path: &str, versions: &[&str]) {
    let (officer, online) = (repository.text("officer"), repository.text("online"));
    for version in versions {
        let file = format!("lachan_{version}_{}.deb", architecture());
        let octets = format!("!<arch>\ndebian-binary   package {version}");
        fs::write(repository.file(&file), octets).unwrap();
        let keys = ["--officer", &officer, "--online", &online];
        repository.publish(&[&["program", "add", path, &file][..], &keys].concat());
    }
}

fn choose(repository: &TestRepository, path: &str, version: &str) {
    let online = repository.text("online");
    let rings = ["--release", "1", "--ring", "all=now:100%", "--program", version];
    repository.publish(&[&["rollout", path, "--online", &online][..], &rings].concat());
}

fn signed() -> (TestRepository, String) {
    let repository = TestRepository::new();
    publish(&repository, 1, &["one.example"]);
    let path = repository.text("repository");
    sign(&repository, &path, &["0.1.0-1", "0.2.0-1", "0.10.0-1"]);
    (repository, path)
}

#[test]
fn the_rollout_chooses_and_only_officers_lead_back() {
    let (repository, path) = signed();
    let (machine, from) = (Machine::new(&repository.root()), repository.path());
    let look = || machine.upgrade(&from, &["--check"]);
    machine.installed("0.2.0-1");
    assert_eq!(look().1, "none_chosen");
    choose(&repository, &path, "0.10.0-1");
    let (code, state, text) = look();
    assert_eq!((code, state.as_str()), (0, "would_install"), "{text}");
    assert!(text.contains("0.10.0-1") && text.contains("in the place of 0.2.0-1"), "{text}");
    assert!(!machine.file("upgrade.json").exists(), "a look changes nothing");
    // What is installed is kept: the way back.
    choose(&repository, &path, "0.2.0-1");
    assert_eq!(machine.upgrade(&from, &[]).1, "up_to_date");
    let kept = machine.file(&format!("packages/lachan_0.2.0-1_{}.deb", architecture()));
    assert!(fs::read_to_string(kept).unwrap().ends_with("package 0.2.0-1"));
    // Whoever has the rollout's key.
    choose(&repository, &path, "0.1.0-1");
    let (code, state, text) = look();
    assert_eq!((code, state.as_str()), (1, "older"), "{text}");
    // An officer takes the installed version out.
    let (officer, online) = (repository.text("officer"), repository.text("online"));
    let keys = ["--officer", &officer, "--online", &online];
    repository.publish(&[&["program", "remove", &path, "0.2.0-1"][..], &keys].concat());
    assert_eq!(look().1, "would_install");
    // What officers never signed was never withdrawn.
    machine.installed("0.3.0-1");
    assert_eq!(look().1, "older");
}

#[test]
fn a_stolen_rollout_key_installs_no_foreign_program() {
    let (repository, path) = signed();
    let (machine, from) = (Machine::new(&repository.root()), repository.path());
    machine.installed("0.1.0-1");
    choose(&repository, &path, "0.2.0-1");
    assert_eq!(machine.upgrade(&from, &["--check"]).1, "would_install");
    // A rollout of the thief, signed by the stolen key, over what officers signed.
    let other = repository.text("other");
    copy(&from, Path::new(&other));
    sign(&repository, &other, &["9.0.0-1"]);
    choose(&repository, &other, "9.0.0-1");
    for room in ["", "targets/rollout"] {
        for entry in fs::read_dir(Path::new(&other).join(room)).unwrap() {
            let file = entry.unwrap().path();
            let name = file.file_name().unwrap().to_str().unwrap();
            if file.is_file() && (!room.is_empty() || name.ends_with(".rollout.json")) {
                fs::copy(&file, from.join(room).join(name)).unwrap();
            }
        }
    }
    repository.refresh();
    let (code, state, text) = machine.upgrade(&from, &["--check"]);
    assert_eq!((code, state.as_str()), (1, "fault"), "{text}");
    assert!(text.contains("9.0.0-1") && text.contains("no officer signed"), "{text}");
}

#[test]
fn another_root_is_trusted_by_its_fingerprint_alone() {
    let (repository, path) = signed();
    let root = repository.file("enrolled.json");
    fs::copy(repository.root(), &root).unwrap();
    let (machine, from) = (Machine::new(&root), repository.path());
    machine.installed("0.1.0-1");
    choose(&repository, &path, "0.1.0-1");
    assert_eq!(machine.upgrade(&from, &[]).1, "up_to_date");
    // The account of the service can write to the enrolled root.
    let (thief, _) = signed();
    fs::copy(thief.root(), &root).unwrap();
    let (code, state, text) = machine.upgrade(&thief.path(), &["--check"]);
    assert_eq!((code, state.as_str()), (1, "fault"), "{text}");
    assert!(text.contains("is not the one that upgrades trust"), "{text}");
    let (_, state, text) = machine.upgrade(&thief.path(), &["--trust", &"0".repeat(64)]);
    assert_eq!(state, "fault", "{text}");
    let found = text.split("fingerprint ").nth(1).unwrap().get(..64).unwrap().to_owned();
    let (_, state, text) = machine.upgrade(&thief.path(), &["--trust", &found]);
    assert_eq!(state, "none_chosen", "{text}");
}
