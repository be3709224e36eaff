//! Lists that are still being written, and lists that lost most of their rules.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use crate::support::gateway::{LACHAN, run};
use crate::support::{Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

fn list(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "n{number}.listed.example");
        text
    })
}

fn gateway(upstream: &Upstream, keys: &str) -> Gateway {
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"{{dir}}/state\"\n[[lists.source]]\n\
         category = \"games\"\npath = \"list.txt\"\n{keys}\n[[lists.source]]\n\
         category = \"games\"\npath = \"own.txt\"\n"
    );
    Gateway::plan(&config)
        .upstream(upstream)
        .file("list.txt", &list(3000))
        .file("own.txt", "own.example\nmore.example\nthird.example\n")
        .start()
}

fn is_blocked(gateway: &Gateway, name: &str) -> Option<()> {
    let rcode = Ask::new(name, "A").from(PUPIL).expect(gateway.dns).rcode();
    (rcode == "NXDOMAIN").then_some(())
}

fn accept(gateway: &Gateway, name: &str) -> (Option<i32>, String) {
    let mut command = Command::new(LACHAN);
    command.args(["lists", "accept"]).arg(gateway.dir().join("gateway.toml")).arg(name);
    let (status, said) = run(command);
    (status.code(), said)
}

#[test]
fn a_stub_is_held_until_somebody_says_that_it_is_meant() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream, "");
    assert!(is_blocked(&gateway, "n2999.listed.example").is_some());
    fs::write(gateway.dir().join("list.txt"), list(3)).unwrap();
    gateway.reload();
    gateway.expect_log("3 rules, where 3000 were");
    // The other list acts, however short it becomes, and a restart forgets nothing.
    fs::write(gateway.dir().join("own.txt"), "other.example\n").unwrap();
    eventually("the other list", || is_blocked(&gateway, "other.example"));
    assert!(is_blocked(&gateway, "n2999.listed.example").is_some());
    gateway.terminate();
    let gateway = gateway.restart();
    assert!(is_blocked(&gateway, "n2999.listed.example").is_some());
    let (code, said) = accept(&gateway, "other.txt");
    assert_eq!(code, Some(2), "{said}");
    let (code, said) = accept(&gateway, "list.txt");
    assert_eq!(code, Some(0), "{said}");
    gateway.reload();
    eventually("the stub", || match is_blocked(&gateway, "n2999.listed.example") {
        Some(()) => None,
        None => is_blocked(&gateway, "n2.listed.example"),
    });
}

#[test]
fn min_percent_says_how_much_may_be_lost() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "min_percent = 0");
    fs::write(gateway.dir().join("list.txt"), list(3)).unwrap();
    gateway.reload();
    eventually("the stub", || match is_blocked(&gateway, "n2999.listed.example") {
        Some(()) => None,
        None => is_blocked(&gateway, "n2.listed.example"),
    });
}

#[test]
fn a_stub_that_is_held_is_taken_once_min_percent_says_so() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "min_percent = 50");
    fs::write(gateway.dir().join("list.txt"), list(3)).unwrap();
    gateway.reload();
    gateway.expect_log("3 rules, where 3000 were");
    let config = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("min_percent = 50", "min_percent = 0")).unwrap();
    eventually("the stub", || match is_blocked(&gateway, "n2999.listed.example") {
        Some(()) => None,
        None => is_blocked(&gateway, "n2.listed.example"),
    });
}

#[test]
fn a_file_that_is_being_written_is_waited_for_alone() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    let text = list(3000).replace("listed", "second");
    let (first, rest) = text.split_at(text.len() / 4 * 3);
    let mut file = fs::File::create(gateway.dir().join("list.txt")).unwrap();
    file.write_all(first.as_bytes()).unwrap();
    file.sync_all().unwrap();
    // Law: a list that is on its way is not in force in part, and holds up no other change.
    let config = gateway.dir().join("gateway.toml");
    let with = fs::read_to_string(&config).unwrap();
    let with = with.replace("[profile.pupils]", "[profile.pupils]\ndeny = [\"urgent.example\"]");
    fs::write(&config, with).unwrap();
    let until = Duration::from_secs(8);
    let mut seen = false;
    for step in 0..16 {
        std::thread::sleep(until / 16);
        seen |= is_blocked(&gateway, "urgent.example").is_some();
        let half = step < 14 && is_blocked(&gateway, "n1.second.example").is_some();
        assert!(!half, "half of the list is in force");
        file.write_all(b"# still on its way\n").unwrap();
    }
    assert!(seen, "the urgent name waits for the list");
    file.write_all(rest.as_bytes()).unwrap();
    drop(file);
    eventually("the whole list", || is_blocked(&gateway, "n2999.second.example"));
    assert!(is_blocked(&gateway, "n1.listed.example").is_none());
    std::thread::sleep(Duration::from_millis(10));
}

#[test]
fn what_was_judged_for_a_sighup_is_not_taken_back_by_the_next_look() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    fs::write(gateway.dir().join("own.txt"), "<!DOCTYPE html>\n<html></html>\n").unwrap();
    gateway.reload();
    let is_held = || gateway.get("/readyz").1.contains("degraded: the kept copy of `own.txt`");
    eventually("it is held", || is_held().then_some(()));
    // Looks follow each second while the file is fresh.
    for _ in 0..15 {
        std::thread::sleep(Duration::from_millis(200));
        assert!(is_held(), "{}", gateway.log());
    }
}
