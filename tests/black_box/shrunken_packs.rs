//! Packs that lost most of their names, or of those of a category: held until somebody means it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::gateway::{LACHAN, run};
use crate::support::{Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

fn names(kind: &str, count: usize) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "n{number}.{kind}.example");
        text
    })
}

/// Puts a pack there with so many names of adult and of games.
fn build(packs: &Path, name: &str, adult: usize, games: usize) {
    let apart = packs.with_extension("build");
    fs::create_dir_all(&apart).unwrap();
    let mut command = Command::new(LACHAN);
    command.args(["lists", "build", "--out"]).arg(apart.join(name));
    for (kind, count) in [("adult", adult), ("games", games)] {
        let path = apart.join(kind);
        fs::write(&path, names(kind, count)).unwrap();
        command.arg("--source").arg(format!("{kind}={}", path.display()));
    }
    let (status, text) = run(command);
    assert!(status.success(), "{text}");
    fs::create_dir_all(packs).unwrap();
    fs::rename(apart.join(name), packs.join(name)).unwrap();
}

fn gateway(packs: &Path, keys: &str, upstream: &Upstream) -> Gateway {
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"{{dir}}/state\"\n").replace(
        "starter = false",
        &format!("starter = false\npacks = \"{}\"\n{keys}", packs.display()),
    );
    Gateway::plan(&config).upstream(upstream).start()
}

fn is_blocked(gateway: &Gateway, name: &str) -> bool {
    Ask::new(name, "A").from(PUPIL).expect(gateway.dns).rcode() == "NXDOMAIN"
}

fn lachan(arguments: &[&str], gateway: &Gateway, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(LACHAN);
    command.args(arguments).arg(gateway.dir().join("gateway.toml")).args(more);
    let (status, said) = run(command);
    (status.code(), said)
}

#[test]
fn a_pack_that_lost_most_of_a_category_is_held_until_somebody_means_it() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    let packs = dir.path().join("packs");
    build(&packs, "1.pack", 1000, 3000);
    let mut gateway = gateway(&packs, "", &upstream);
    assert!(is_blocked(&gateway, "n999.adult.example"));
    // In all it has most of its names.
    build(&packs, "2.pack", 3, 3100);
    gateway.reload();
    let told = "2.pack: refused: 3 names of `adult`, where 1000 were";
    gateway.expect_log(told);
    assert!(is_blocked(&gateway, "n999.adult.example"));
    assert!(!is_blocked(&gateway, "n3050.games.example"));
    let held = gateway.metrics().value("lachan_files_held", &[("file", "pack")]);
    assert!((held - 1.0).abs() < 0.5, "{held}");
    assert!(!gateway.log().contains("2.pack: the pack in use"));
    let (code, said) = lachan(&["check"], &gateway, &[]);
    assert!(code == Some(3) && said.contains(told), "{said}");
    // Neither a restart nor the loss of the older file forgets it.
    gateway.terminate();
    fs::remove_file(packs.join("1.pack")).unwrap();
    let gateway = gateway.restart();
    assert!(is_blocked(&gateway, "n999.adult.example"));
    gateway.expect_log(told);

    let (code, said) = lachan(&["lists", "accept"], &gateway, &["packs"]);
    assert_eq!(code, Some(0), "{said}");
    gateway.reload();
    eventually("the new pack", || is_blocked(&gateway, "n3050.games.example").then_some(()));
    assert!(is_blocked(&gateway, "n2.adult.example"));
    assert!(!is_blocked(&gateway, "n999.adult.example"));
    let held = gateway.metrics().value("lachan_files_held", &[("file", "pack")]);
    assert!(held < 0.5, "{held}");
    // A later loss is held again, whether of a category or of all names.
    build(&packs, "3.pack", 3, 100);
    gateway.reload();
    let told = "3.pack: refused: 103 names, where 3103 were";
    gateway.expect_log(told);
    assert!(is_blocked(&gateway, "n3050.games.example"));
}

#[test]
fn a_pack_may_lose_what_the_config_says_and_a_few_names() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    for (keys, first, then) in [("min_percent = 0", 1000, 3), ("", 20, 3), ("", 100, 60)] {
        let packs = dir.path().join(format!("packs-{first}"));
        build(&packs, "1.pack", first, 50);
        let gateway = gateway(&packs, keys, &upstream);
        let last = format!("n{}.adult.example", first - 1);
        assert!(is_blocked(&gateway, &last));
        build(&packs, "2.pack", then, 50);
        gateway.reload();
        eventually("the new pack", || (!is_blocked(&gateway, &last)).then_some(()));
        assert!(is_blocked(&gateway, "n2.adult.example"));
    }
}

#[test]
fn keys_and_words_that_are_wrong_are_told() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    let packs = dir.path().join("packs");
    build(&packs, "1.pack", 5, 5);
    let gateway = gateway(&packs, "", &upstream);
    assert_eq!(lachan(&["lists", "accept"], &gateway, &["other"]).0, Some(2));
    let path = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("starter = false", "starter = false\nmin_percent = 101"))
        .unwrap();
    let (code, said) = lachan(&["check"], &gateway, &[]);
    assert!(code == Some(3) && said.contains("min_percent"), "{said}");
}
