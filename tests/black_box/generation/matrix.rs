//! The fault matrix: each file that a config names, damaged in each way, while a gateway serves
//! and before it starts. It filters as strictly as before, the rest acts, and log, metrics, status
//! and `check` agree.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Gateway, eventually};

use super::{
    BLOCKED, Original, School, assert_as_strict, check, held, is_blocked, remove, until_whole,
};

/// A way in which a file is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Missing,
    Empty,
    Torn,
    Garbage,
    /// Of another kind: a directory for a file, a file for a directory.
    OtherKind,
    /// For other users only; root reads all, and skips it.
    Unreadable,
}

const FAULTS: [Fault; 6] = [
    Fault::Missing,
    Fault::Empty,
    Fault::Torn,
    Fault::Garbage,
    Fault::OtherKind,
    Fault::Unreadable,
];

impl Fault {
    /// Damages a file, or all files of a directory; false where it cannot be done here.
    fn inflict(self, path: &Path) -> bool {
        let files = || -> Vec<_> {
            let inside = fs::read_dir(path).into_iter().flatten().flatten();
            let inside: Vec<_> = inside.map(|entry| entry.path()).collect();
            if path.is_dir() { inside } else { vec![path.to_owned()] }
        };
        match self {
            Self::Missing => remove(path),
            Self::Empty if path.is_dir() => files().iter().for_each(|file| remove(file)),
            Self::Empty => fs::write(path, "").unwrap(),
            Self::Torn => {
                for file in files() {
                    let octets = fs::read(&file).unwrap();
                    // Nulls are what some file systems leave after a power cut.
                    let half = octets.len() / 2;
                    let torn = [&octets[..half], &vec![0; octets.len() - half]].concat();
                    fs::write(&file, torn).unwrap();
                }
            }
            Self::Garbage => {
                for file in files() {
                    fs::write(&file, "<!DOCTYPE html>\n<html><body>Not Found</body></html>\n")
                        .unwrap();
                }
            }
            Self::OtherKind if path.is_dir() => {
                remove(path);
                fs::write(path, "a file\n\u{0}\u{1}").unwrap();
            }
            Self::OtherKind => {
                remove(path);
                fs::create_dir(path).unwrap();
                fs::write(path.join(".hidden"), "").unwrap();
            }
            Self::Unreadable => {
                fs::set_permissions(path, fs::Permissions::from_mode(0o0)).unwrap();
                if fs::File::open(path).is_ok() {
                    return false;
                }
            }
        }
        true
    }
}

/// What must hold while `file` is damaged.
fn assert_degraded(gateway: &Gateway, file: &str, when: &str) {
    assert_as_strict(gateway, when);
    let (code, body) = gateway.get("/readyz");
    assert_eq!(code, 200, "{when}");
    assert!(body.contains("degraded: the kept copy of"), "{when}: {body}");
    assert!(held(gateway) >= 1, "{when}");
    // The log follows the swap.
    let is_logged = || gateway.log().contains("degraded: the kept copy of").then_some(());
    eventually(when, is_logged);
    let (is_fine, said) = check(gateway);
    // A download that is still to come is no mistake.
    if file != "fetched" {
        assert!(!is_fine && said.contains("kept copies of files"), "{when}: {said}");
    }
}

/// One file through all faults.
fn through_all(file: &str) {
    let school = School::new();
    let mut gateway = school.start();
    assert_as_strict(&gateway, "whole");
    assert!(check(&gateway).0);
    let original = Original::of(&gateway, file);
    let config = gateway.dir().join("gateway.toml");
    for fault in FAULTS {
        let when = format!("{file}, {fault:?}, at a reload");
        if !fault.inflict(&original.path) {
            eprintln!("{when}: skipped, this user reads every file");
            original.restore();
            continue;
        }
        gateway.reload();
        if file == "gateway.toml" {
            eventually(&when, || {
                (gateway.metrics().value("lachan_config_last_reload_success", &[]) == 0.0)
                    .then_some(())
            });
            eventually(&when, || (held(&gateway) >= 1).then_some(()));
            assert_degraded(&gateway, file, &when);
            // The rest acts: a list, under the config in force.
            let list = gateway.dir().join("games.txt");
            fs::write(&list, "exam.example\nurgent.example\n").unwrap();
            eventually(&when, || is_blocked(&gateway, "urgent.example").then_some(()));
            assert_degraded(&gateway, file, &when);
            fs::write(&list, "exam.example\n").unwrap();
            eventually(&when, || (!is_blocked(&gateway, "urgent.example")).then_some(()));
        } else {
            eventually(&when, || (held(&gateway) >= 1).then_some(()));
            assert_degraded(&gateway, file, &when);
            // The rest acts: an urgent deny, beside the damaged file.
            let text = fs::read_to_string(&config).unwrap();
            let urgent = text.replace("deny = [\"denied", "deny = [\"urgent.example\", \"denied");
            fs::write(&config, urgent).unwrap();
            eventually(&when, || is_blocked(&gateway, "urgent.example").then_some(()));
            assert_degraded(&gateway, file, &when);
            fs::write(&config, text).unwrap();
            eventually(&when, || (!is_blocked(&gateway, "urgent.example")).then_some(()));
        }
        let when = format!("{file}, {fault:?}, at a start");
        gateway.terminate();
        gateway = gateway.restart();
        assert_degraded(&gateway, file, &when);
        original.restore();
        gateway.reload();
        until_whole(&gateway);
        assert_eq!(held(&gateway), 0, "{when}");
        assert_as_strict(&gateway, "mended");
    }
}

macro_rules! rows {
    ($($name:ident: $file:literal;)*) => {
        $(
            #[test]
            fn $name() {
                through_all($file);
            }
        )*

        #[test]
        fn every_file_has_a_row() {
            let rows = [$($file),*];
            assert!(BLOCKED.iter().all(|(file, _)| rows.contains(file)));
        }
    };
}

rows! {
    the_config: "gateway.toml";
    the_departments_policy: "department.toml";
    a_list: "adult.txt";
    a_directory_of_lists: "lists";
    a_directory_of_packs: "packs";
    a_calendar: "exams.ics";
    keyword_rules: "keywords.txt";
    a_sealed_list: "csam.sealed";
    a_key: "csam.key";
    a_download: "fetched";
}

/// The token lets people act on the gateway; without it the gateway filters as before.
#[test]
fn a_token() {
    let school = School::new();
    let mut gateway = school.start();
    let token = gateway.dir().join("state/admin-token");
    let text = fs::read_to_string(&token).unwrap();
    for fault in FAULTS {
        if !fault.inflict(&token) {
            fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
            continue;
        }
        gateway.terminate();
        gateway = gateway.restart();
        assert_as_strict(&gateway, &format!("token, {fault:?}"));
        let is_new = fault == Fault::Missing;
        let told = ["no admin-token", "admin-token: it cannot be read now"];
        let is_told = told.iter().any(|words| gateway.log().contains(words));
        assert_eq!(!is_told, is_new, "{}", gateway.log());
        remove(&token);
        fs::write(&token, &text).unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    }
}
