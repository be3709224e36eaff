//! A state disk that takes nothing more: it costs persistence, and nothing else.

use std::fs;
use std::process::Command;

use crate::support::gateway::run;
use crate::support::mount::Mount;
use crate::support::{Gateway, TWO_GROUPS, TWO_PROFILES, Upstream, eventually, exchange};

use super::{School, assert_as_strict, check, held, is_blocked, lachan, remove, until_whole};

#[test]
fn a_full_state_disk_costs_persistence_and_nothing_else() {
    let upstream = Upstream::start();
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"{{dir}}/state\"\n[[lists.source]]\n\
         category = \"adult\"\npath = \"adult.txt\"\n"
    )
    .replace("starter = false", "starter = true\npacks = \"packs\"");
    let mut mount = None;
    let plan = Gateway::plan(&config)
        .upstream(&upstream)
        .file("adult.txt", "adult.example\n")
        .file("packs/list.txt", "packed.example\n")
        .made(|dir| {
            lachan(dir, "lists build --out packs/1.pack --source adult=packs/list.txt");
            fs::create_dir(dir.join("state")).unwrap();
            mount = Mount::tmpfs(&dir.join("state"), "size=64k,mode=0700");
            // Nothing is left, not one page.
            let _ = fs::write(dir.join("state/filler"), vec![b'x'; 1 << 20]);
        });
    if mount.is_none() {
        return;
    }
    let mut gateway = plan.start();
    let names = ["adult.example", "packed.example", "adult.test.lachan.example"];
    for turn in ["start", "restart"] {
        for name in names {
            assert!(is_blocked(&gateway, name), "{turn}: {name}\n{}", gateway.log());
        }
        assert!(!is_blocked(&gateway, "free.example"));
        gateway.expect_log("kept in memory only");
        assert_eq!(gateway.log().matches("kept in memory only").count(), 1, "{}", gateway.log());
        gateway.expect_metric("lachan_state_kept", &[], 0.0);
        assert!(check(&gateway).0);
        // A lost list is held in memory.
        fs::write(gateway.dir().join("adult.txt"), "<html>").unwrap();
        eventually("the loss", || (held(&gateway) > 0).then_some(()));
        assert!(is_blocked(&gateway, "adult.example"));
        fs::write(gateway.dir().join("adult.txt"), "adult.example\n").unwrap();
        eventually("it is back", || (held(&gateway) == 0).then_some(()));
        gateway.terminate();
        gateway = gateway.restart();
    }
    // Room again: the next look keeps what is in force.
    remove(&gateway.dir().join("state/filler"));
    gateway.reload();
    until_whole(&gateway);
    drop(gateway);
    drop(mount);
}

#[test]
fn what_is_kept_on_a_disk_that_can_only_be_read_stands_in() {
    let school = School::new();
    let mut gateway = school.start();
    gateway.terminate();
    let state = gateway.dir().join("state");
    let aside = gateway.dir().join("written");
    fs::rename(&state, &aside).unwrap();
    fs::create_dir(&state).unwrap();
    let Some(mount) = Mount::tmpfs(&state, "size=16m,mode=0700") else { return };
    let mut copy = Command::new("cp");
    copy.arg("-rp").arg(format!("{}/.", aside.display())).arg(&state);
    assert!(run(copy).0.success());
    assert!(mount.remount("ro"));
    for damaged in ["adult.txt", "department.toml", "exams.ics", "keywords.txt", "packs"] {
        remove(&gateway.dir().join(damaged));
    }
    gateway = gateway.restart();
    assert_as_strict(&gateway, "read-only");
    assert_eq!(held(&gateway), 5, "{}", gateway.get("/readyz").1);
    drop(gateway);
    drop(mount);
}

#[test]
fn what_somebody_removes_of_the_state_is_kept_again() {
    let school = School::new();
    let gateway = school.start();
    let kept = gateway.dir().join("state/kept");
    for what in ["objects", ""] {
        let count = || fs::read_dir(kept.join("objects")).map_or(0, Iterator::count);
        let before = count();
        fs::rename(kept.join(what), gateway.dir().join("gone")).unwrap();
        gateway.reload();
        eventually("all of it", || (count() >= before).then_some(()));
        remove(&gateway.dir().join("gone"));
        assert_as_strict(&gateway, what);
    }
    until_whole(&gateway);
}

#[test]
fn a_list_that_is_lost_with_its_kept_copy_stays_in_force() {
    let school = School::new();
    let gateway = school.start();
    // Whoever removes both at once leaves what is in memory.
    fs::rename(gateway.dir().join("state"), gateway.dir().join("gone")).unwrap();
    fs::write(gateway.dir().join("adult.txt"), "<html>").unwrap();
    gateway.reload();
    gateway.expect_log("its kept copy is lost");
    assert_as_strict(&gateway, "both are lost");
    let says = |what: &str| gateway.get("/readyz").1.contains(what);
    assert!(says("degraded: not reloaded, the old policy stays in force"));
    fs::write(gateway.dir().join("adult.txt"), "adult.example\n").unwrap();
    // The copy of the download went with the directory: it is fetched anew, and seen where it is put.
    until_whole(&gateway);
    assert_as_strict(&gateway, "mended");
}

#[test]
fn a_download_whose_copy_is_lost_stands_in_wherever_the_config_is_named_from() {
    let school = School::new();
    let mut gateway = school.start();
    gateway.terminate();
    let dir = gateway.dir().to_owned();
    remove(&dir.join("state/fetched"));
    let mut command = Command::new(crate::support::gateway::LACHAN);
    // A path from where the program was started, not from the root.
    command.current_dir(&dir).args(["why", "fetched.example", "--config", "gateway.toml"]);
    let (_, said) = run(command);
    assert!(said.contains("blocked"), "{said}");
    gateway = gateway.restart();
    assert_as_strict(&gateway, "the copy is lost");
}

#[test]
fn what_is_kept_and_could_not_be_read_stands_in_without_a_restart() {
    let school = School::new();
    let mut gateway = school.start();
    let kept = gateway.dir().join("state/kept");
    eventually("the download is kept", || {
        fs::read_to_string(kept.join("current.json")).unwrap().contains("/fetched/").then_some(())
    });
    gateway.terminate();
    let objects = || fs::read_dir(kept.join("objects")).unwrap().count();
    let before = objects();
    let text = fs::read_to_string(kept.join("current.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let source = |one: &&serde_json::Value| one["path"].as_str().unwrap().ends_with("/adult.txt");
    let list = manifest["sources"].as_array().unwrap().iter().find(source).unwrap();
    let object = kept.join("objects").join(list["texts"][0][1].as_str().unwrap());
    for unread in [kept.join("current.json"), object] {
        fs::write(gateway.dir().join("adult.txt"), "<html>").unwrap();
        remove(&gateway.dir().join("state/packs"));
        // A directory in its place is a fault of the read, as a worn sector is.
        fs::rename(&unread, kept.join("aside")).unwrap();
        fs::create_dir(&unread).unwrap();
        gateway = gateway.restart();
        assert!(gateway.get("/readyz").1.contains("degraded: without `adult.txt`"));
        gateway.expect_log(&format!("looked at again: {}: it is a directory", unread.display()));
        gateway.expect_metric("lachan_state_kept", &[], 0.0);
        exchange(&kept.join("aside"), &unread);
        fs::remove_dir(kept.join("aside")).unwrap();
        gateway.reload();
        eventually("the copy", || (held(&gateway) > 0).then_some(()));
        assert_as_strict(&gateway, "it can be read again");
        fs::write(gateway.dir().join("adult.txt"), "adult.example\n").unwrap();
        until_whole(&gateway);
        assert_eq!(objects(), before);
        gateway.terminate();
    }
}
