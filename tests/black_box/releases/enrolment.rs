//! Enrolment: a box follows a department whose root it was told of, and has a key that the department
//! pins.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::upgrade::is_root;
use crate::support::gateway::{LACHAN, run};

/// A department and a box, in one directory.
struct Place(TempDir);

impl Place {
    /// A repository in `department`, and a config of the school `thcs-a` in `box`.
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let keys = ["r1", "r2", "r3", "o1", "o2", "online"];
        for key in keys {
            place.expect(0, &["publish", "key", key]);
        }
        let roots = ["--root", "r1", "--root", "r2", "--root", "r3.pub"];
        let others = ["--officer", "o1", "--officer", "o2.pub", "--online", "online"];
        place.expect(0, &[&["publish", "init", "department"], &roots[..], &others].concat());
        fs::create_dir(place.path("box")).unwrap();
        place.config("box", "thcs-a");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn config(&self, folder: &str, school: &str) {
        let text = format!("[school]\nid = \"{school}\"\n[state]\ndir = \"state\"\n");
        fs::create_dir_all(self.path(folder)).unwrap();
        fs::write(self.path(folder).join("gateway.toml"), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(LACHAN);
        command.args(arguments).current_dir(self.0.path());
        let (status, text) = run(command);
        (status.code().unwrap(), text)
    }

    #[track_caller]
    fn expect(&self, code: i32, arguments: &[&str]) -> String {
        let (found, text) = self.run(arguments);
        assert_eq!(found, code, "{arguments:?}\n{text}");
        text
    }

    /// The file for a box, and the fingerprint of its root.
    fn file(&self, unit: &str, out: &str) -> String {
        let url = ["--url", "https://a.example/r/", "--url", "https://b.example/r/"];
        let of = ["--school", "thcs-a", "--box", unit, "--ring", "lab", "--out", out];
        let arguments = [&["publish", "enrol", "file", "department"], &url[..], &of].concat();
        let text = self.expect(0, &arguments);
        let root = text.lines().find_map(|line| line.strip_prefix("root ")).unwrap();
        root.to_owned()
    }

    fn enrol(&self, more: &[&str]) -> (i32, String) {
        let base = ["enrol", "1.toml", "--config", "box/gateway.toml"];
        self.run(&[&base, more].concat())
    }

    fn state(&self) -> String {
        let mut entries: Vec<String> = fs::read_dir(self.path("box/state/enrolment"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        entries.sort_unstable();
        entries.join(" ")
    }

    fn key(&self) -> String {
        fs::read_to_string(self.path("box/state/enrolment/box.key")).unwrap()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_box_is_enrolled_with_the_root_it_was_told_of_and_no_other() {
    let place = Place::new();
    let root = place.file("1", "1.toml");
    let wrong = "ab".repeat(32);
    let (code, text) = place.enrol(&["--fingerprint", &wrong]);
    assert!(code == 3 && text.contains(&root) && text.contains(&wrong), "{text}");
    let (code, text) = place.enrol(&["--fingerprint", &wrong, "--lang", "vi"]);
    assert!(code == 3 && text.contains("dấu vân tay"), "{text}");
    let (code, text) = place.enrol(&["--fingerprint", "abab"]);
    assert!(code == 3 && text.contains("64"), "{text}");
    assert_eq!(place.state(), "", "nothing is written");

    // A root that somebody changed, with the fingerprint that it then has, is not signed any more.
    let text = fs::read_to_string(place.path("1.toml")).unwrap();
    fs::write(place.path("1.toml"), text.replace("consistent_snapshot", "consistent_snapshoT"))
        .unwrap();
    let (code, said) = place.enrol(&[]);
    assert!(code == 3 && said.contains(&root), "the file is not of one piece: {said}");
    let found = said.split("the fingerprint ").nth(1).unwrap().split(',').next().unwrap();
    let forged = fs::read_to_string(place.path("1.toml")).unwrap().replace(&root, found);
    fs::write(place.path("1.toml"), forged).unwrap();
    let (code, said) = place.enrol(&[]);
    assert!(code == 3 && said.contains("not signed"), "{said}");
    fs::write(place.path("1.toml"), &text).unwrap();

    // Another school's.
    place.config("box", "thcs-b");
    let (code, said) = place.enrol(&["--fingerprint", &root]);
    assert!(code == 3 && said.contains("`thcs-a`") && said.contains("`thcs-b`"), "{said}");
    place.config("box", "thcs-a");
    assert_eq!(place.state(), "");

    let typed = root.to_uppercase();
    let (code, said) = place.enrol(&["--fingerprint", &typed]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("[update]") && said.contains("https://b.example/r/"), "{said}");
    assert!(!said.contains("compared with nothing"), "{said}");
    assert_eq!(place.state(), "box.key box.key.pub enrolment.json root.json");
    assert_eq!(mode(&place.path("box/state/enrolment/box.key")), 0o600);
    let enrolled = fs::read(place.path("box/state/enrolment/root.json")).unwrap();
    assert_eq!(enrolled, fs::read(place.path("department/1.root.json")).unwrap());
    // Again it is the same box with the same key.
    let key = place.key();
    let (code, said) = place.enrol(&[]);
    assert!(code == 0 && said.contains("compared with nothing"), "{said}");
    assert_eq!(place.key(), key);
}

/// Nothing that the account of the service can remove or replace chooses the root that upgrades trust.
#[test]
fn upgrades_trust_the_root_that_root_enrolled_the_box_with() {
    let (place, other) = (Place::new(), Place::new());
    let root = place.file("1", "1.toml");
    let other_root = other.file("1", "1.toml");
    fs::copy(other.path("1.toml"), place.path("other.toml")).unwrap();
    assert_eq!(place.enrol(&["--fingerprint", &root]).0, 0);
    let mark = place.path("box/state-upgrade/releases/mark.json");
    if !is_root("whom upgrades trust") {
        return assert!(!mark.exists());
    }
    let trusted = fs::read(&mark).unwrap();
    let enrol_other = |more: &[&str]| {
        fs::remove_dir_all(place.path("box/state/enrolment")).unwrap();
        place.run(&[&["enrol", "other.toml", "--config", "box/gateway.toml"], more].concat())
    };
    let (code, said) = enrol_other(&[]);
    assert!(code == 0 && said.contains("does not trust this root yet"), "{said}");
    assert!(said.contains("--trust") && said.contains(&other_root), "{said}");
    assert_eq!(fs::read(&mark).unwrap(), trusted);
    // What a person was told another way is trusted; a reply that has no place costs no more than that.
    let told = ["--fingerprint", &other_root, "--reply", "nowhere/reply.json"];
    let (code, said) = enrol_other(&told);
    assert!(
        code == 1 && said.contains("the box is enrolled") && said.contains("[update]"),
        "{said}"
    );
    assert_ne!(fs::read(&mark).unwrap(), trusted);
}

#[test]
fn a_key_is_pinned_revoked_and_enrolled_anew() {
    let place = Place::new();
    place.file("1", "1.toml");
    assert_eq!(place.enrol(&[]).0, 0);
    fs::write(place.path("org.toml"), "name = \"Sở\"\n[contact]\nphone = \"1\"\n").unwrap();
    let pin = ["publish", "enrol", "pin", "department", "1.reply.json", "--org", "org.toml"];
    assert!(place.expect(0, &pin).contains("pinned"));
    assert!(place.expect(0, &pin).contains("already"));
    let org = || fs::read_to_string(place.path("org.toml")).unwrap();
    assert!(org().contains("phone = \"1\"") && org().contains("thcs-a"), "{}", org());

    // The box was stolen: another key is refused until the first one is revoked.
    let old = fs::read(place.path("1.reply.json")).unwrap();
    let key = place.key();
    assert_eq!(place.enrol(&["--anew"]).0, 0);
    assert_ne!(place.key(), key);
    assert!(place.expect(3, &pin).contains("revoke"));
    let revoke = ["publish", "enrol", "revoke", "--org", "org.toml", "--school", "thcs-a"];
    let reason = [&revoke[..], &["--reason", "stolen"]].concat();
    place.expect(0, &reason);
    place.expect(3, &reason);
    place.expect(0, &pin);
    assert_eq!(org().matches("[[box]]").count(), 2, "{}", org());
    assert!(org().contains("revoked_for = \"stolen\""), "{}", org());
    // The old key never counts again.
    fs::write(place.path("1.reply.json"), old).unwrap();
    assert!(place.expect(3, &pin).contains("revoked"));

    // A reply of a box of another department, and what is no reply.
    let text = fs::read_to_string(place.path("1.reply.json")).unwrap();
    let fingerprint = text.split("\"fingerprint\": \"").nth(1).unwrap();
    let other = text.replace(&fingerprint[..64], &"ab".repeat(32));
    fs::write(place.path("1.reply.json"), other).unwrap();
    assert!(place.expect(3, &pin).contains("none of this repository"));
    fs::write(place.path("1.reply.json"), "{}").unwrap();
    assert!(place.expect(3, &pin).contains("malformed"));
}

#[test]
fn a_second_box_is_another_box_and_another_enrolment_is_meant() {
    let place = Place::new();
    place.file("1", "1.toml");
    assert_eq!(place.enrol(&[]).0, 0);
    let key = place.key();
    place.file("2", "1.toml");
    let (code, said) = place.enrol(&[]);
    assert!(code == 3 && said.contains("`1` of `thcs-a`") && said.contains("--anew"), "{said}");
    assert_eq!(place.key(), key);
    // Another department, while releases of the first one are in use.
    let other = Place::new();
    other.file("1", "1.toml");
    fs::copy(other.path("1.toml"), place.path("1.toml")).unwrap();
    fs::create_dir(place.path("box/state/releases")).unwrap();
    fs::write(place.path("box/state/releases/mark.json"), "{}").unwrap();
    let (code, said) = place.enrol(&["--anew"]);
    assert!(code == 3 && said.contains("changing its root"), "{said}");
    fs::remove_dir_all(place.path("box/state/releases")).unwrap();
    assert_eq!(place.enrol(&["--anew"]).0, 0);
    let enrolled = fs::read(place.path("box/state/enrolment/root.json")).unwrap();
    assert_eq!(enrolled, fs::read(other.path("department/1.root.json")).unwrap());
}

#[test]
fn a_box_on_a_new_card_is_the_same_box() {
    let place = Place::new();
    place.file("1", "1.toml");
    assert_eq!(place.enrol(&[]).0, 0);
    let state = place.path("box/state");
    fs::create_dir(state.join("releases")).unwrap();
    fs::write(state.join("releases/mark.json"), "{\"seen\": 7}").unwrap();
    fs::write(state.join("overrides.json"), "[]").unwrap();
    // What a gateway writes that has run for some months.
    let evidence =
        ["ledger.jsonl", "ledger-2026-10.jsonl", "evidence/2026-10.json", "evidence/held.json"];
    fs::create_dir(state.join("evidence")).unwrap();
    for name in evidence {
        fs::write(state.join(name), name).unwrap();
    }
    fs::create_dir(place.path("box/lists")).unwrap();
    fs::write(place.path("box/lists/own.txt"), "own.example\n").unwrap();
    fs::write(place.path("elsewhere.txt"), "else.example\n").unwrap();
    let config = place.path("box/gateway.toml");
    let text = fs::read_to_string(&config).unwrap();
    let source =
        |path: &str| format!("[[lists.source]]\ncategory = \"games\"\npath = \"{path}\"\n");
    let outside = place.path("elsewhere.txt").display().to_string();
    let text = format!("{text}{}{}", source("lists/own.txt"), source(&outside));
    fs::write(&config, &text).unwrap();
    let said = place.expect(0, &["backup", "box.backup", "--config", "box/gateway.toml"]);
    assert!(said.contains("not in it") && said.contains("elsewhere.txt"), "{said}");
    assert_eq!(mode(&place.path("box.backup")), 0o600);
    let said = place.expect(1, &["backup", "box.backup", "--config", "box/gateway.toml"]);
    assert!(said.contains("give a new name"), "{said}");

    // A new card: nothing is there.
    let key = place.key();
    fs::rename(place.path("box"), place.path("dead")).unwrap();
    let restore = ["restore", "box.backup", "--config", "box/gateway.toml"];
    place.expect(0, &restore);
    assert_eq!(fs::read_to_string(&config).unwrap(), text);
    assert_eq!(place.key(), key);
    assert_eq!(mode(&place.path("box/state/enrolment/box.key")), 0o600);
    assert_eq!(fs::read_to_string(state.join("releases/mark.json")).unwrap(), "{\"seen\": 7}");
    assert!(place.path("box/lists/own.txt").exists() && state.join("overrides.json").exists());
    for name in evidence {
        assert_eq!(fs::read_to_string(state.join(name)).unwrap(), name);
    }
    let trusted = |of: &str| fs::read(place.path(of).join("state-upgrade/releases/mark.json")).ok();
    assert_eq!(trusted("box"), trusted("dead"));
    // It is enrolled: the same file gives the same key.
    assert_eq!(place.enrol(&[]).0, 0);
    assert_eq!(place.key(), key);

    // Over a box that is there only where that is meant; what it has seen since is not lowered.
    assert!(place.expect(3, &restore).contains("--replace"));
    fs::write(state.join("releases/mark.json"), "{\"seen\": 9}").unwrap();
    let said = place.expect(0, &[&restore[..], &["--replace"]].concat());
    assert!(said.contains("never lowered"), "{said}");
    assert_eq!(fs::read_to_string(state.join("releases/mark.json")).unwrap(), "{\"seen\": 9}");

    // Never over another school's, unless told.
    fs::write(&config, text.replace("thcs-a", "thcs-b")).unwrap();
    let said = place.expect(3, &[&restore[..], &["--replace"]].concat());
    assert!(said.contains("`thcs-a`") && said.contains("`thcs-b`"), "{said}");
    assert!(fs::read_to_string(&config).unwrap().contains("thcs-b"));
    let said = place.expect(3, &[&restore[..], &["--replace", "--lang", "vi"]].concat());
    assert!(said.contains("bản sao lưu"), "{said}");
    place.expect(0, &[&restore[..], &["--replace", "--other-school"]].concat());
    assert!(fs::read_to_string(&config).unwrap().contains("thcs-a"));

    // Half a backup is none, and changes nothing.
    let whole = fs::read(place.path("box.backup")).unwrap();
    fs::write(place.path("box.backup"), &whole[..whole.len() / 2]).unwrap();
    fs::write(&config, "[school]\nid = \"thcs-a\"\n").unwrap();
    place.expect(3, &[&restore[..], &["--replace"]].concat());
    assert_eq!(fs::read_to_string(&config).unwrap(), "[school]\nid = \"thcs-a\"\n");
}

/// A new card must not take encrypted DNS from devices that may not ask otherwise.
#[test]
fn a_backup_has_what_encrypted_dns_needs_and_goes_over_an_untouched_config() {
    let place = Place::new();
    let config = place.path("box/gateway.toml");
    let name = ["--name", "dns.school.example", "--address", "192.168.1.2"];
    place.expect(0, &[&["certs", "self", "--out", "box/certs"], &name[..]].concat());
    place.expect(0, &[&["certs", "self", "--out", "elsewhere"], &name[..]].concat());
    let tls = |at: &str| {
        format!("[[listen.tls]]\ncertificate = \"{at}/cert.pem\"\nkey = \"{at}/key.pem\"\n")
    };
    let text = fs::read_to_string(&config).unwrap() + "[admin]\nlisten = \"127.0.0.1:9153\"\n";
    let sealed = "[[lists.source]]\ncategory = \"csam\"\nformat = \"sealed\"\npath = \"csam.sealed\"\nkey = \"csam.key\"\n";
    let text = text + &tls("certs") + &tls("../elsewhere") + sealed;
    fs::write(&config, &text).unwrap();
    // A key that does not say so.
    fs::write(place.path("box/csam.key"), [7; 32]).unwrap();
    fs::write(place.path("box/csam.sealed"), "").unwrap();
    let said = place.expect(0, &["backup", "box.backup", "--config", "box/gateway.toml"]);
    let left_out = said.lines().filter(|line| line.contains("not in it")).count();
    assert!(left_out == 3 && said.contains("elsewhere/key.pem"), "{said}");
    let names = ["certs/cert.pem", "certs/key.pem", "certs/ca.pem", "csam.key"];
    let before = names.map(|name| fs::read(place.path("box").join(name)).unwrap());

    // Cut between two files it is no backup.
    let whole = fs::read(place.path("box.backup")).unwrap();
    fs::write(place.path("cut.backup"), &whole[..whole.len() - 1024]).unwrap();
    let said = place.expect(3, &["restore", "cut.backup", "--config", "new/gateway.toml"]);
    assert!(said.contains("cut short") && !place.path("new").exists(), "{said}");

    // What a package has put on the new card is no school's.
    fs::remove_dir_all(place.path("box")).unwrap();
    place.config("box", "school");
    let restore = ["restore", "box.backup", "--config", "box/gateway.toml"];
    assert!(place.expect(3, &restore).contains("--replace"));
    let said = place.expect(0, &[&restore[..], &["--replace"]].concat());
    assert_eq!(names.map(|name| fs::read(place.path("box").join(name)).unwrap()), before);
    for key in ["certs/key.pem", "csam.key"] {
        assert!(said.contains(&format!("{key}: a private key")), "{said}");
        assert_eq!(mode(&place.path("box").join(key)), 0o640, "{key}");
    }
    assert_eq!(mode(&place.path("box/certs/cert.pem")) & 0o644, 0o644);
}
