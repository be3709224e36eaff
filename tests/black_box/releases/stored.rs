//! Releases that are stored: used, gone back from, given up.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::process::Command;

use super::published::{enrolled, publish, update};
use super::{is_blocked, lists, make, plan, point, state};
use crate::kit::data::skipped;
use crate::kit::repository::TestRepository;
use crate::support::gateway::{LACHAN, run};
use crate::support::{Gateway, Upstream, eventually};

const ESSENTIAL: (&str, &str) = ("essential.txt", "## time\ntime.example\n");
const GUARD: (&str, &str) = ("guard.txt", "guarded.example\n");
const KEYWORDS: (&str, &str) = ("keywords.txt", "block adult zqreleased\n");

#[test]
fn its_pack_and_its_tables_are_in_force() {
    let upstream = Upstream::start();
    let names = ["one.example", "guarded.example", "time.example"];
    let gateway = plan("", &upstream)
        .made(|dir| {
            make(dir, 1, 1, &names, &[ESSENTIAL, GUARD]);
            point(dir, 1, 1);
        })
        .start();
    assert!(is_blocked(&gateway, "www.one.example"));
    assert!(!is_blocked(&gateway, "guarded.example"), "its guard");
    assert!(!is_blocked(&gateway, "time.example"), "its essential names");
    gateway.expect_metric("lachan_release", &[], 1.0);
    gateway.expect_metric("lachan_rollback_memory_lost", &[], 0.0);
    let config = gateway.dir().join("gateway.toml");
    assert_eq!(state("releases", &config, &[])["release"], 1);
}

/// A gateway with the releases 1 and 2, of which 2 is in use.
fn with_two(upstream: &Upstream) -> Gateway {
    plan("", upstream)
        .made(|dir| {
            make(dir, 1, 1, &["one.example"], &[]);
            make(dir, 2, 2, &["two.example"], &[]);
            point(dir, 2, 2);
        })
        .start()
}

#[test]
fn somebody_goes_back_while_it_runs_and_while_it_does_not() {
    let upstream = Upstream::start();
    let mut gateway = with_two(&upstream);
    assert!(is_blocked(&gateway, "two.example") && !is_blocked(&gateway, "one.example"));
    let config = gateway.dir().join("gateway.toml");
    let (code, text) = lists("rollback", &config, &["--to", "7"]);
    assert!(code == 1 && text.contains("kept are: 1, 2"), "{text}");
    let back = state("rollback", &config, &[]);
    assert_eq!(back["release"], 1, "{back}");
    assert!(is_blocked(&gateway, "one.example") && !is_blocked(&gateway, "two.example"));
    gateway.expect_metric("lachan_release", &[], 1.0);
    gateway.terminate();
    // The pointer's generation is a new one: metadata versions stay those of the newest.
    assert_eq!(state("rollback", &config, &["--to", "2"])["release"], 2);
    let generation = gateway.dir().join("state/releases/4/generation.json");
    let text = fs::read_to_string(generation).unwrap();
    assert!(text.contains("\"timestamp\": 2"), "{text}");
    let gateway = gateway.restart();
    assert!(is_blocked(&gateway, "two.example") && !is_blocked(&gateway, "one.example"));
}

/// The service must be able to read and to remove what an administrator did while it was stopped.
#[test]
fn what_root_does_in_a_state_directory_belongs_to_its_owner() {
    let upstream = Upstream::start();
    let mut gateway = with_two(&upstream);
    gateway.terminate();
    let place = gateway.dir().join("state");
    let mut own = Command::new("chown");
    own.args(["-R", "12345:12345"]).arg(&place);
    if !run(own).0.success() {
        return skipped("root acts as the owner of a state directory: no right to give one away");
    }
    // The account of a service reaches its config and its lists.
    fs::set_permissions(gateway.dir(), fs::Permissions::from_mode(0o755)).unwrap();
    let config = gateway.dir().join("gateway.toml");
    // Its releases elsewhere, by a link: root writes nothing where the account could not.
    let (releases, moved) = (place.join("releases"), gateway.dir().join("moved"));
    fs::rename(&releases, &moved).unwrap();
    chown(&moved, Some(0), Some(0)).unwrap();
    symlink(&moved, &releases).unwrap();
    let names = || fs::read_dir(&moved).unwrap().count();
    let before = names();
    let (code, text) = lists("rollback", &config, &[]);
    assert!(code != 0 && text.contains("Permission denied"), "{text}");
    assert_eq!(names(), before);
    fs::remove_file(&releases).unwrap();
    fs::rename(&moved, &releases).unwrap();
    chown(&releases, Some(12_345), Some(12_345)).unwrap();
    // Nor does it read what the account could not: a backup is given back to the account.
    let (secret, codes) = (gateway.dir().join("secret"), place.join("codes.json"));
    fs::write(&secret, "root's").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    symlink(&secret, &codes).unwrap();
    let made = gateway.dir().join("backup.tar");
    let mut backup = Command::new(LACHAN);
    backup.arg("backup").arg(&made).arg("--config").arg(&config);
    let (status, text) = run(backup);
    assert!(!status.success() && text.contains("codes.json: Permission denied"), "{text}");
    fs::remove_file(codes).unwrap();
    assert!(!made.exists());
    assert_eq!(state("rollback", &config, &[])["release"], 1);
    let mut left = vec![place];
    let mut seen = 0;
    while let Some(path) = left.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        if found.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        seen += 1;
        assert_eq!((found.uid(), found.gid()), (12_345, 12_345), "{}", path.display());
    }
    assert!(seen > 6, "{seen}");
}

#[test]
fn what_ends_the_process_twice_is_given_up() {
    let upstream = Upstream::start();
    let mut gateway = plan("", &upstream)
        .made(|dir| {
            make(dir, 1, 1, &["one.example"], &[]);
            make(dir, 2, 2, &["two.example"], &[]);
            point(dir, 2, 2);
            let trying = "{\"number\": 2, \"serial\": 2, \"lives\": 1}";
            fs::write(dir.join("state/releases/trying.json"), trying).unwrap();
        })
        .start();
    // A planned end is no death, nor is a start that finds its port in use.
    gateway.terminate();
    let taken = TcpListener::bind(gateway.admin_address()).unwrap();
    for _ in 0..3 {
        let mut program = Command::new(LACHAN);
        program.args(["serve", "--config"]).arg(gateway.dir().join("gateway.toml"));
        let (status, text) = run(program);
        assert!(!status.success() && text.contains("in use"), "{text}");
    }
    drop(taken);
    let mut gateway = gateway.restart();
    assert!(is_blocked(&gateway, "two.example"));
    gateway.kill();
    let gateway = gateway.restart();
    assert!(is_blocked(&gateway, "one.example") && !is_blocked(&gateway, "two.example"));
    gateway.expect_log("release 2 is given up");
    let config = gateway.dir().join("gateway.toml");
    assert_eq!(state("releases", &config, &[])["reason"], "died");
    let (code, text) = lists("accept", &config, &["release"]);
    assert!(code == 0 && !text.contains("died"), "{text}");
    assert!(state("releases", &config, &[])["reason"].is_null());
}

#[test]
fn where_a_kept_file_stands_in_a_bad_release_is_the_releases_fault() {
    let upstream = Upstream::start();
    let gateway = plan("[[lists.source]]\ncategory = \"adult\"\npath = \"own.txt\"\n", &upstream)
        .file("own.txt", "own.example\n")
        .made(|dir| {
            make(dir, 1, 1, &["one.example"], &[("categories.toml", "broken\n")]);
            make(dir, 2, 2, &["two.example"], &[]);
            make(dir, 3, 3, &["three.example"], &[]);
            point(dir, 3, 3);
        })
        .start();
    fs::write(gateway.dir().join("own.txt"), "<html>\n".repeat(100)).unwrap();
    eventually("a kept copy stands in", || {
        gateway.get("/readyz").1.contains("own.txt").then_some(())
    });
    let config = gateway.dir().join("gateway.toml");
    let (code, text) = lists("rollback", &config, &["--to", "1"]);
    assert_ne!(code, 0, "a table that nobody can use: {text}");
    let mark = fs::read(gateway.dir().join("state/releases/mark.json")).unwrap();
    let mark: serde_json::Value = serde_json::from_slice(&mark).unwrap();
    assert_eq!(mark["rejected"]["serial"], 1, "it is not tried for ever: {text}");
    assert!(is_blocked(&gateway, "three.example"));
    assert_eq!(state("rollback", &config, &["--to", "2"])["release"], 2);
}

#[test]
fn a_damaged_release_is_followed_by_one_that_is_whole() {
    let upstream = Upstream::start();
    let faults: [(&str, &str); 4] = [
        ("2/release.pack", "torn"),
        ("current", ""),
        ("mark.json", "{"),
        ("2/data/guard.txt", "a..b\n"),
    ];
    for (file, text) in faults {
        let gateway = plan("", &upstream)
            .made(|dir| {
                make(dir, 1, 1, &["both.example"], &[]);
                make(dir, 2, 2, &["both.example"], &[GUARD]);
                point(dir, 2, 2);
                fs::write(dir.join("state/releases").join(file), text).unwrap();
            })
            .start();
        assert!(is_blocked(&gateway, "both.example"), "{file}");
        let lost = f64::from(u8::from(file == "mark.json"));
        gateway.expect_metric("lachan_rollback_memory_lost", &[], lost);
    }
}

#[test]
fn a_bad_way_back_leaves_what_is_in_force() {
    let upstream = Upstream::start();
    let gateway = plan("", &upstream)
        .made(|dir| {
            make(dir, 1, 1, &["one.example"], &[("essential.txt", "no heading\n")]);
            make(dir, 2, 2, &["one.example", "two.example"], &[KEYWORDS]);
            point(dir, 2, 2);
        })
        .start();
    let config = gateway.dir().join("gateway.toml");
    let (code, text) = lists("rollback", &config, &[]);
    assert!(code == 1 && text.contains("essential.txt"), "{text}");
    assert!(is_blocked(&gateway, "two.example"));
    gateway.expect_metric("lachan_release", &[], 2.0);
    let releases = gateway.dir().join("state/releases");
    let left = || fs::read_dir(&releases).unwrap().flatten().map(|one| one.file_name());
    eventually("nothing is left behind", || {
        (!left().any(|name| name == "3" || name.to_string_lossy().starts_with("incoming")))
            .then_some(())
    });
}

#[test]
fn a_pointer_that_is_gone_takes_no_release_away() {
    let upstream = Upstream::start();
    let gateway = plan("", &upstream)
        .made(|dir| {
            make(dir, 1, 1, &["one.example"], &[]);
            make(dir, 2, 2, &["two.example"], &[]);
            // A power cut came between its trial and the pointer: it was never in use.
            make(dir, 3, 3, &["three.example"], &[]);
            point(dir, 2, 2);
            fs::remove_file(dir.join("state/releases/current")).unwrap();
        })
        .start();
    assert!(is_blocked(&gateway, "two.example") && !is_blocked(&gateway, "three.example"));
    gateway.expect_log("current is lost");
    gateway.expect_metric("lachan_release", &[], 2.0);
    let config = gateway.dir().join("gateway.toml");
    let said = state("releases", &config, &[]);
    assert_eq!((&said["release"], &said["kept"][0]), (&2.into(), &1.into()), "{said}");
    // The way back writes the pointer again, and sweeps.
    assert_eq!(state("rollback", &config, &["--to", "1"])["release"], 1);
    let pointer = fs::read_to_string(gateway.dir().join("state/releases/current"));
    assert_eq!(pointer.unwrap(), "4\n");
}

#[test]
fn what_a_command_puts_in_use_has_its_two_lives_still() {
    let upstream = Upstream::start();
    let mut gateway = with_two(&upstream);
    let config = gateway.dir().join("gateway.toml");
    gateway.terminate();
    // No gateway runs: the command serves nobody, and its end is no death.
    assert_eq!(state("rollback", &config, &[])["release"], 1);
    let mut gateway = gateway.restart();
    gateway.kill();
    let mut gateway = gateway.restart();
    assert!(is_blocked(&gateway, "one.example"), "one death");
    gateway.kill();
    let gateway = gateway.restart();
    assert!(is_blocked(&gateway, "two.example"), "two deaths");
}

#[test]
fn the_way_back_leads_to_a_lower_release_unless_it_is_named() {
    let upstream = Upstream::start();
    let gateway = plan("", &upstream)
        .made(|dir| {
            make(dir, 1, 1, &["one.example"], &[]);
            make(dir, 2, 3, &["three.example"], &[]);
            // The department took release 3 back.
            make(dir, 3, 2, &["two.example"], &[]);
            point(dir, 3, 3);
        })
        .start();
    let config = gateway.dir().join("gateway.toml");
    assert_eq!(state("rollback", &config, &[])["release"], 1);
    let (code, text) = lists("rollback", &config, &[]);
    assert!(code == 1 && text.contains("not kept here"), "{text}");
    assert!(is_blocked(&gateway, "one.example"));
    assert_eq!(state("rollback", &config, &["--to", "3"])["release"], 3);
}

#[test]
fn a_damaged_pack_is_made_anew_by_the_next_update() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let mut gateway = enrolled(&repository, "", &upstream);
    publish(&repository, 1, &["one.example"]);
    update(&gateway, &repository.path());
    publish(&repository, 2, &["one.example", "two.example"]);
    update(&gateway, &repository.path());
    gateway.terminate();
    let releases = gateway.dir().join("state/releases");
    let pack = fs::read(releases.join("2/release.pack")).unwrap();
    fs::write(releases.join("2/release.pack"), &pack[..100]).unwrap();
    let gateway = gateway.restart();
    assert!(is_blocked(&gateway, "one.example"));
    assert_eq!(update(&gateway, &repository.path())["release"], 2);
    assert!(is_blocked(&gateway, "two.example"));
    assert_eq!(fs::read(releases.join("3/release.pack")).unwrap(), pack);
}

/// A card that rots takes them all: the gateway must be there for the update that brings them back.
#[test]
fn a_start_without_any_pack_of_any_release_answers_and_takes_one() {
    let (upstream, repository) = (Upstream::start(), TestRepository::new());
    let mut gateway = enrolled(&repository, "", &upstream);
    publish(&repository, 1, &["one.example"]);
    update(&gateway, &repository.path());
    gateway.terminate();
    let state = gateway.dir().join("state");
    fs::write(state.join("releases/1/release.pack"), "rotten").unwrap();
    for copy in fs::read_dir(state.join("packs")).unwrap() {
        fs::write(copy.unwrap().path(), "rotten").unwrap();
    }
    let gateway = gateway.restart();
    let (status, said) = gateway.get("/readyz");
    assert!(status == 200 && said.contains("no pack can be used"), "{said}");
    assert_eq!(update(&gateway, &repository.path())["release"], 1);
    assert!(is_blocked(&gateway, "one.example"));
    assert!(!gateway.get("/readyz").1.contains("degraded"));
}
