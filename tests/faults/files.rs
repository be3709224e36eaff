//! Files that change as no editor changes them.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::dice::{Dice, share};
use super::load;
use crate::support::gateway::run;
use crate::support::{Gateway, Upstream, eventually};

#[test]
fn a_storm_of_file_events_ends_in_the_last_state_and_few_reloads() {
    let (upstream, mut dice) = (Upstream::start(), Dice::new());
    let gateway = load::with_files(Gateway::plan(&load::config("")).upstream(&upstream)).start();
    let lists = gateway.dir().join("lists");
    let reloads = || {
        let metrics = gateway.metrics();
        metrics.value("lachan_reloads_total", &[])
    };
    let (before, held) = (reloads(), load::AtRest::now(&gateway));
    let ((), seen) = load::asked(gateway.dns, || {
        let mut made = 0;
        while made < share(10_000) {
            let path = lists.join(format!("storm-{}.txt", dice.below(20)));
            match dice.below(3) {
                0 => fs::write(&path, format!("storm-{made}.example\n")).unwrap(),
                1 => drop(fs::remove_file(&path)),
                _ => drop(fs::rename(&path, lists.join("storm-renamed.txt"))),
            }
            made += 1;
        }
        fs::write(lists.join("last.txt"), "last.example\n").unwrap();
        gateway.reload();
        load::until_blocked(&gateway, "last.example");
    });
    seen.assert_answered();
    let more = reloads() - before;
    // One for each event would be thousands.
    assert!(more < share(10_000) as f64 / 20.0, "{more} reloads");
    held.assert_no_more(&gateway);
}

/// What a mounted `ConfigMap` looks like: names ▸ `..data` ▸ a directory of a generation.
fn generation(dir: &Path, number: usize) {
    let made = dir.join(format!("..{number}"));
    fs::create_dir(&made).unwrap();
    fs::write(made.join("adult.txt"), load::list(&format!("turn-{number}.example"))).unwrap();
    let config = fs::read_to_string(dir.join("plain.toml")).unwrap();
    let denied = format!("\"denied.example\", \"denied-{number}.example\"");
    fs::write(made.join("gateway.toml"), config.replace("\"denied.example\"", &denied)).unwrap();
    symlink(format!("..{number}"), dir.join("..data_tmp")).unwrap();
    fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
    if number > 0 {
        fs::remove_dir_all(dir.join(format!("..{}", number - 1))).unwrap();
    }
}

#[test]
fn a_directory_that_is_swapped_by_its_link_is_read_at_each_swap() {
    let upstream = Upstream::start();
    let gateway = load::with_files(Gateway::plan(&load::config("")).upstream(&upstream)).start();
    let dir = gateway.dir();
    fs::copy(dir.join("gateway.toml"), dir.join("plain.toml")).unwrap();
    generation(dir, 0);
    for name in ["adult.txt", "gateway.toml"] {
        symlink(format!("..data/{name}"), dir.join("link")).unwrap();
        fs::rename(dir.join("link"), dir.join(name)).unwrap();
    }
    load::until_blocked(&gateway, "denied-0.example");
    let ((), seen) = load::asked(gateway.dns, || {
        for turn in 1..=share(1000) {
            generation(dir, turn);
            // Some swaps are seen together with the next.
            if turn % 3 == 0 {
                gateway.reload();
                load::until_blocked(&gateway, &format!("turn-{turn}.example"));
                load::until_blocked(&gateway, &format!("denied-{turn}.example"));
            }
        }
    });
    seen.assert_answered();
    let last = share(1000);
    gateway.reload();
    load::until_blocked(&gateway, &format!("turn-{last}.example"));
    load::until_blocked(&gateway, &format!("denied-{last}.example"));
    load::until_whole(&gateway);
}

/// Puts something in the place of the list that is no list.
fn oddity(path: &Path, kind: &str) {
    let program = |name: &str, word: &str| {
        let mut command = Command::new(name);
        command.arg(word).arg(path);
        assert!(run(command).0.success(), "{name} {word}");
    };
    if kind != "truncated" {
        fs::remove_file(path).unwrap();
    }
    match kind {
        "a directory without lists" => fs::create_dir(path).unwrap(),
        "a FIFO" => program("mkfifo", "--mode=600"),
        "a device" => symlink("/dev/zero", path).unwrap(),
        "a link to itself" => symlink(path, path).unwrap(),
        "a link to nothing" => symlink("nothing", path).unwrap(),
        "truncated" => drop(fs::File::create(path).unwrap()),
        "a hole" => {
            // A hole that is larger than any list.
            fs::File::create(path).unwrap().set_len((1 << 30) + 1).unwrap();
        }
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_no_list_in_the_place_of_a_list_opens_nothing() {
    let upstream = Upstream::start();
    let gateway = load::with_files(Gateway::plan(&load::config("")).upstream(&upstream)).start();
    let path = gateway.dir().join(load::LIST);
    let kinds = [
        "a directory without lists",
        "a FIFO",
        "a device",
        "a link to itself",
        "a link to nothing",
        "truncated",
        "a hole",
    ];
    let ((), seen) = load::asked(gateway.dns, || {
        for kind in kinds {
            oddity(&path, kind);
            gateway.reload();
            eventually(kind, || gateway.get("/readyz").1.contains("degraded").then_some(()));
            load::assert_filters(&gateway, kind);
            let _ = fs::remove_dir(&path);
            load::put(&gateway, load::LIST, load::list(&format!("{}.example", kind.len())));
            gateway.reload();
            load::until_blocked(&gateway, &format!("{}.example", kind.len()));
            load::until_whole(&gateway);
        }
    });
    seen.assert_answered();
    assert!(load::status(&gateway, "VmHWM") < 512 << 10, "a hole of a gigabyte was read");
}

#[test]
fn a_list_that_grows_while_it_is_read_acts_whole_in_the_end() {
    let upstream = Upstream::start();
    let gateway = load::with_files(Gateway::plan(&load::config("")).upstream(&upstream)).start();
    let path = gateway.dir().join(load::LIST);
    let ((), seen) = load::asked(gateway.dns, || {
        let mut file = fs::File::options().append(true).open(&path).unwrap();
        for line in 0..share(20_000) {
            // Half a line at a time, as a slow copy brings it.
            write!(file, "grown-{line}.").unwrap();
            writeln!(file, "example").unwrap();
            if line % 200 == 0 {
                gateway.reload();
                load::assert_filters(&gateway, "it grows");
            }
        }
        gateway.reload();
        load::until_blocked(&gateway, &format!("grown-{}.example", share(20_000) - 1));
        // Written over in place, and so much shorter that nobody means it.
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, load::list("short.example")).unwrap();
        gateway.reload();
        eventually("it is held", || gateway.get("/readyz").1.contains("degraded").then_some(()));
        load::assert_filters(&gateway, "it is cut");
        fs::write(&path, whole + "last.example\n").unwrap();
        gateway.reload();
        load::until_blocked(&gateway, "last.example");
    });
    seen.assert_answered();
    load::until_whole(&gateway);
}
