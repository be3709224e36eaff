//! `lachan upgrade`, as far as it needs no machine: what people signed decides, and what another account could
//! have written does not.
//!
//! What dpkg does, and what comes after, is tried by `.ci/upgrades` on a machine that boots. All but looks need root.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::published::publish;
use crate::kit::data::skipped;
use crate::kit::repository::{TestRepository, copy};
use crate::support::gateway::{LACHAN, run};

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Whether this is root; else the test is skipped, loudly.
pub(super) fn is_root(test: &str) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        skipped(&format!("{test}: only root upgrades"));
    }
    is_root
}

/// How a run ended.
#[derive(Debug)]
struct Ended {
    code: i32,
    state: String,
    text: String,
    /// The log.
    log: String,
}

/// A gateway that does not run, a dpkg-query that says what is installed, and a dpkg that fails.
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
        let made = Self(dir);
        let asked = made.0.path().join("dpkg.log").display().to_string();
        let at_work = format!(
            "[ \"$1\" != --compare-versions ] || exec /usr/bin/dpkg \"$@\"\necho \"$@\" >>{asked}\nexit 1"
        );
        made.program("dpkg", &at_work);
        made
    }

    fn program(&self, name: &str, script: &str) {
        let program = self.0.path().join("bin").join(name);
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn installed(&self, version: &str) {
        self.installed_as("ii ", version);
    }

    /// The same with dpkg's letters.
    fn installed_as(&self, status: &str, version: &str) {
        self.program("dpkg-query", &format!("printf '{status}|{version}'"));
    }

    /// What dpkg was to change.
    fn changed(&self) -> String {
        fs::read_to_string(self.0.path().join("dpkg.log")).unwrap_or_default()
    }

    /// Runs it: the exit code, and the last end with its text.
    fn upgrade(&self, from: &Path, more: &[&str]) -> (i32, String, String) {
        let ended = self.ended(from, &[&["--lang", "en"], more].concat());
        (ended.code, ended.state, ended.text)
    }

    fn ended(&self, from: &Path, more: &[&str]) -> Ended {
        let path = format!("{}/bin:{}", self.0.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(LACHAN);
        command.arg("upgrade").arg("--config").arg(self.0.path().join("gateway.toml"));
        command.arg("--from").arg(from).arg("--json").args(more);
        command.env("PATH", path).env_remove("STATE_DIRECTORY");
        let (status, said) = run(command);
        // The log is a line an event, and JSON has none like it.
        let is_event = |line: &&str| line.contains(" WARN ") || line.contains(" INFO ");
        let (log, json): (Vec<&str>, Vec<&str>) = said.lines().partition(is_event);
        let ends: Value =
            serde_json::from_str(&json.join("\n")).unwrap_or_else(|_| panic!("{said}"));
        let end = ends.as_array().unwrap().last().unwrap().clone();
        let word = |key: &str| end[key].as_str().unwrap().to_owned();
        let (state, text) = (word("state"), word("text"));
        Ended { code: status.code().unwrap(), state, text, log: log.join("\n") }
    }

    fn file(&self, name: &str) -> PathBuf {
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

/// A machine with 0.1.0-1, a repository whose rollout chooses `version`, and the path of its copy.
fn choosing(version: &str) -> (TestRepository, Machine, PathBuf) {
    let (repository, path) = signed();
    let (machine, from) = (Machine::new(&repository.root()), repository.path());
    machine.installed("0.1.0-1");
    choose(&repository, &path, version);
    (repository, machine, from)
}

#[test]
fn the_rollout_chooses_and_only_officers_lead_back() {
    if !is_root("the rollout chooses") {
        return;
    }
    let (repository, path) = signed();
    let (machine, from) = (Machine::new(&repository.root()), repository.path());
    let look = || machine.upgrade(&from, &["--check"]);
    machine.installed("0.2.0-1");
    assert_eq!(look().1, "none_chosen");
    choose(&repository, &path, "0.10.0-1");
    let (code, state, text) = look();
    assert_eq!((code, state.as_str()), (0, "would_install"), "{text}");
    assert!(text.contains("0.10.0-1") && text.contains("in the place of 0.2.0-1"), "{text}");
    assert!(!machine.file("").exists(), "a look makes nothing");
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
    let (repository, machine, from) = choosing("0.2.0-1");
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
    if !is_root("another root") {
        return;
    }
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
    let (_, state, text) = machine.upgrade(&thief.path(), &["--trust", "abcd"]);
    assert!(state == "fault" && text.contains("`abcd` is no fingerprint"), "{text}");
    // As a letter has it.
    let groups: Vec<&str> = (0..16).map(|at| &found[4 * at..4 * at + 4]).collect();
    let letter = groups.join(" ").to_uppercase();
    let (_, state, text) = machine.upgrade(&thief.path(), &["--trust", &letter]);
    assert_eq!(state, "none_chosen", "{text}");
}

#[test]
fn a_root_that_is_trusted_stays_the_one_though_nothing_could_be_verified_yet() {
    if !is_root("a trusted root") {
        return;
    }
    let (repository, _) = signed();
    let root = repository.file("enrolled.json");
    fs::copy(repository.root(), &root).unwrap();
    let machine = Machine::new(&root);
    machine.installed("0.1.0-1");
    let nowhere = repository.file("nowhere");
    let (_, _, text) = machine.upgrade(&nowhere, &["--trust", &"0".repeat(64)]);
    let found = text.split("fingerprint ").nth(1).unwrap().get(..64).unwrap().to_owned();
    let (code, state, text) = machine.upgrade(&nowhere, &["--trust", &found]);
    assert_eq!((code, state.as_str()), (1, "fault"), "{text}");
    assert!(text.contains("cannot be reached"), "{text}");
    let (thief, _) = signed();
    fs::copy(thief.root(), &root).unwrap();
    let (_, state, text) = machine.upgrade(&thief.path(), &[]);
    assert!(state == "fault" && text.contains("is not the one that upgrades trust"), "{text}");
    // The memory is damaged: the way out is that of upgrades, in the language of the school.
    fs::copy(repository.root(), &root).unwrap();
    fs::write(machine.file("releases/mark.json"), "{").unwrap();
    for (lang, words) in [("en", "begins anew"), ("vi", "để bắt đầu lại")] {
        let text = machine.ended(&repository.path(), &["--lang", lang]).text;
        assert!(text.contains("lachan upgrade --trust") && text.contains(words), "{text}");
    }
    let vietnamese = machine.ended(&nowhere, &["--lang", "vi", "--trust", &found]).text;
    assert!(vietnamese.contains("không tới được kho phát hành"), "{vietnamese}");
    assert_eq!(machine.upgrade(&repository.path(), &[]).1, "none_chosen");
}

#[test]
fn a_directory_that_the_service_could_replace_is_not_used() {
    if !is_root("a directory of the service") {
        return;
    }
    let (_repository, machine, from) = choosing("0.1.0-1");
    // `[state] dir` in a directory of the service: what is beside it is the service's as well.
    std::os::unix::fs::chown(machine.0.path(), Some(65_534), Some(65_534)).unwrap();
    for more in [&[][..], &["--check"]] {
        let (code, state, text) = machine.upgrade(&from, more);
        assert_eq!((code, state.as_str()), (1, "fault"), "{text}");
        let place = format!("{} belongs to one", machine.0.path().display());
        assert!(text.contains(&place), "{text}");
        assert!(!machine.file("").exists(), "{text}");
    }
    std::os::unix::fs::chown(machine.0.path(), Some(0), Some(0)).unwrap();
    assert_eq!(machine.upgrade(&from, &[]).1, "up_to_date");
    // The service made it first, and something in it.
    for made in ["", "packages", "releases/mark.json"] {
        std::os::unix::fs::chown(machine.file(made), Some(65_534), None).unwrap();
        let (_, state, text) = machine.upgrade(&from, &[]);
        assert!(state == "fault" && text.contains("another account could replace"), "{text}");
        std::os::unix::fs::chown(machine.file(made), Some(0), None).unwrap();
    }
    assert_eq!(machine.upgrade(&from, &[]).1, "up_to_date");
}

#[test]
fn the_package_before_is_compared_again_before_dpkg_has_it() {
    if !is_root("the package before") {
        return;
    }
    let (_repository, machine, from) = choosing("0.1.0-1");
    assert_eq!(machine.upgrade(&from, &[]).1, "up_to_date");
    let file = machine.file("upgrade.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let before = record["installed"].clone();
    assert!(before["sha256"].is_string(), "{record}");
    record["attempt"] = serde_json::json!({
        "program": {"version": "0.2.0-1", "sha256": "ab", "octets": 1}, "from": before, "times": 1,
    });
    fs::write(&file, record.to_string()).unwrap();
    let package = machine.file(&format!("packages/lachan_0.1.0-1_{}.deb", architecture()));
    let octets = fs::read(&package).unwrap();
    // A cut in the middle of dpkg, and other octets in the place of the way back.
    machine.installed_as("iF ", "0.2.0-1");
    fs::write(&package, "other octets").unwrap();
    let (code, state, text) = machine.upgrade(&from, &[]);
    assert_eq!((code, state.as_str()), (1, "fault"), "{text}");
    assert!(text.contains("is not lachan 0.1.0-1 as officers signed it"), "{text}");
    assert!(machine.changed().contains("--configure"), "{}", machine.changed());
    assert!(!machine.changed().contains("--install"), "{}", machine.changed());
    // As it was, dpkg has it.
    fs::write(&package, octets).unwrap();
    machine.upgrade(&from, &[]);
    assert!(machine.changed().contains("--install"), "{}", machine.changed());
}

#[test]
fn a_held_package_is_whole() {
    if !is_root("a held package") {
        return;
    }
    let (_repository, machine, from) = choosing("0.1.0-1");
    machine.installed_as("hi ", "0.1.0-1");
    let (code, state, text) = machine.upgrade(&from, &[]);
    assert_eq!((code, state.as_str()), (0, "up_to_date"), "{text}");
    assert_eq!(machine.changed(), "", "nothing was interrupted");
}

#[test]
fn a_damaged_record_stops_the_run_and_stays() {
    if !is_root("a damaged record") {
        return;
    }
    let (_repository, machine, from) = choosing("0.1.0-1");
    assert_eq!(machine.upgrade(&from, &[]).1, "up_to_date");
    let damaged = "{\"rejected\": [{\"version\": \"0.2";
    fs::write(machine.file("upgrade.json"), damaged).unwrap();
    for more in [&[][..], &["--check"], &["--again"]] {
        let (code, state, text) = machine.upgrade(&from, more);
        assert_eq!((code, state.as_str()), (1, "fault"), "{text}");
        assert!(
            text.contains("state-upgrade/upgrade.json") && text.contains("remove it"),
            "{text}"
        );
        assert_eq!(fs::read_to_string(machine.file("upgrade.json")).unwrap(), damaged);
    }
}

#[test]
fn a_way_back_that_cannot_be_fetched_is_logged_and_named() {
    if !is_root("a way back") {
        return;
    }
    let (_repository, machine, from) = choosing("0.2.0-1");
    // It is signed, and its octets are lost.
    let is_it =
        |file: &Path| fs::read(file).is_ok_and(|octets| octets.ends_with(b"package 0.1.0-1"));
    let mut places = vec![from.clone()];
    while let Some(place) = places.pop() {
        for entry in fs::read_dir(&place).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                places.push(file);
            } else if is_it(&file) {
                fs::remove_file(&file).unwrap();
            }
        }
    }
    let ended = machine.ended(&from, &["--lang", "en"]);
    assert_eq!((ended.code, ended.state.as_str()), (1, "fault"), "{ended:?}");
    assert!(ended.text.contains("the way back, cannot be fetched"), "{ended:?}");
    assert!(ended.log.contains("WARN lachan 0.1.0-1 cannot be had"), "{ended:?}");
    assert_eq!(machine.changed(), "");
    // What nobody signed has no way back for another reason.
    machine.installed("0.0.9-1");
    let (_, _, text) = machine.upgrade(&from, &[]);
    assert!(text.contains("the department signs it"), "{text}");
}

#[test]
fn a_user_is_sent_to_root_and_may_look() {
    if !is_root("a user") {
        return;
    }
    let (repository, path) = signed();
    let (machine, from) = (Machine::new(&repository.root()), repository.path());
    machine.installed("0.1.0-1");
    choose(&repository, &path, "0.2.0-1");
    for place in [machine.0.path(), from.parent().unwrap()] {
        fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let user = |more: &[&str]| {
        let path = format!("{}/bin:{}", machine.0.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--clear-groups", "--"]).arg(LACHAN).arg("upgrade");
        command.arg("--config").arg(machine.0.path().join("gateway.toml")).arg("--from").arg(&from);
        command.args(["--lang", "en"]).args(more).env("PATH", path).env_remove("STATE_DIRECTORY");
        run(command)
    };
    let (_, said) = user(&[]);
    assert!(said.contains("installs as root") && !said.contains("[state]"), "{said}");
    let (status, said) = user(&["--check"]);
    assert!(status.success() && said.contains("would be tried and installed"), "{said}");
    assert!(!machine.file("").exists());
    // The memory is root's once it is there.
    choose(&repository, &path, "0.1.0-1");
    assert_eq!(machine.upgrade(&from, &[]).1, "up_to_date");
    let (status, said) = user(&["--check"]);
    assert!(!status.success() && said.contains("sudo lachan upgrade --check"), "{said}");
    assert_eq!(machine.upgrade(&from, &["--check"]).1, "up_to_date");
}
