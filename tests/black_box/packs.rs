//! Packs: built by the command line, served, swapped, and never lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::support::gateway::{LACHAN, run};
use crate::support::{
    Ask, Gateway, PATIENCE, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually,
};

fn is_blocked(gateway: &Gateway, name: &str) -> bool {
    match Ask::new(name, "A").from(PUPIL).expect(gateway.dns).rcode().as_str() {
        "NXDOMAIN" => true,
        "NOERROR" => false,
        other => panic!("{name}: {other}"),
    }
}

fn until_blocked(gateway: &Gateway, name: &str) {
    eventually(name, || is_blocked(gateway, name).then_some(()));
}

/// Runs `lachan lists …`: the exit code, and all that was written.
fn lists(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(LACHAN);
    command.arg("lists").args(arguments);
    let (status, text) = run(command);
    (status.code().unwrap(), text)
}

fn json(arguments: &[&str]) -> Value {
    let (code, text) = lists(&[arguments, &["--json"]].concat());
    assert!(code == 0 || code == 3, "{text}");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
}

/// Builds a pack of `names` as adult, beside `path`, and puts it there in one step.
pub(crate) fn build(path: &Path, names: &[&str]) {
    let list = path.with_extension("txt");
    fs::write(&list, names.join("\n")).unwrap();
    let source = format!("adult={}", list.display());
    let (code, text) = lists(&["build", "--out", path.to_str().unwrap(), "--source", &source]);
    assert_eq!(code, 0, "{text}");
}

/// The same, of names that somebody has to accept, with the reason.
pub(crate) fn build_with_reason(path: &Path, names: &[&str], reason: &str) {
    let list = path.with_extension("txt");
    fs::write(&list, names.join("\n")).unwrap();
    let source = format!("adult={}", list.display());
    let out = path.to_str().unwrap();
    let (code, text) = lists(&["build", "--out", out, "--source", &source, "--accept", reason]);
    assert_eq!(code, 0, "{text}");
}

/// A gateway with packs in `packs`, a list of its own and, if wanted, a state directory.
pub(crate) fn gateway(packs: &Path, keeps: bool, upstream: &Upstream) -> Gateway {
    let state = if keeps { "[state]\ndir = \"{dir}/state\"\n" } else { "" };
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}\n{state}").replace(
        "starter = false",
        &format!(
            "starter = false\npacks = \"{}\"\n[[lists.source]]\ncategory = \"games\"\n\
             path = \"own.txt\"\n",
            packs.display()
        ),
    );
    Gateway::plan(&config).upstream(upstream).file("own.txt", "own.example\n").start()
}

fn reloads(gateway: &Gateway) -> f64 {
    ["ok", "held", "refused"]
        .map(|result| gateway.metrics().value("lachan_reloads_total", &[("result", result)]))
        .iter()
        .sum()
}

/// Puts a file there, and makes sure that somebody looked at it.
pub(crate) fn deliver(gateway: &Gateway, path: &Path, octets: &[u8]) {
    let before = reloads(gateway);
    fs::write(path, octets).unwrap();
    gateway.reload();
    eventually("a reload", || (reloads(gateway) > before).then_some(()));
}

#[test]
fn the_newest_pack_that_verifies_is_served_beside_texts() {
    for keeps in [true, false] {
        let upstream = Upstream::start();
        let dir = tempfile::tempdir().unwrap();
        let packs = dir.path();
        build(&packs.join("1.pack"), &["one.example"]);
        let gateway = gateway(packs, keeps, &upstream);
        assert!(is_blocked(&gateway, "www.one.example"));
        assert!(is_blocked(&gateway, "own.example"));
        assert!(!is_blocked(&gateway, "two.example"));

        // Cut short, in its own name and over the one that is served.
        let good = fs::read(packs.join("1.pack")).unwrap();
        deliver(&gateway, &packs.join("2.pack"), &good[..good.len() / 2]);
        assert!(is_blocked(&gateway, "one.example"));
        let mut flipped = good.clone();
        *flipped.last_mut().unwrap() ^= 1;
        deliver(&gateway, &packs.join("1.pack"), &flipped);
        assert!(is_blocked(&gateway, "one.example"));
        deliver(&gateway, &packs.join("1.pack"), b"not a pack");
        assert!(is_blocked(&gateway, "one.example"));
        gateway.expect_log("2.pack");

        let newer = dir.path().join("newer");
        fs::create_dir(&newer).unwrap();
        build(&newer.join("3.pack"), &["two.example"]);
        fs::rename(newer.join("3.pack"), packs.join("3.pack")).unwrap();
        until_blocked(&gateway, "two.example");
        assert!(!is_blocked(&gateway, "one.example"));
        assert!(is_blocked(&gateway, "own.example"));
    }
}

/// A card that rots takes the pack and its copy: the school's DNS must not go with them.
#[test]
fn a_start_without_a_good_pack_answers_and_is_closed_for_what_must_not_be_open() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    let packs = dir.path().join("packs");
    fs::create_dir(&packs).unwrap();
    build(&packs.join("1.pack"), &["bad.example"]);
    let mut gateway = gateway(&packs, true, &upstream);
    until_blocked(&gateway, "bad.example");
    gateway.terminate();
    for directory in [&packs, &gateway.dir().join("state/packs")] {
        for file in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            fs::write(file, "nonsense").unwrap();
        }
    }
    let mut check = Command::new(LACHAN);
    check.arg("check").arg(gateway.dir().join("gateway.toml"));
    let (status, said) = run(check);
    assert!(status.code() == Some(3) && said.contains("no pack can be used"), "{said}");

    let mut gateway = gateway.restart();
    let ask = |gateway: &Gateway, name: &str| {
        Ask::new(name, "A").from(PUPIL).edns(1232).expect(gateway.dns)
    };
    assert_eq!(ask(&gateway, "www.example.com").ede().map(|(code, _)| code), Some(14));
    assert!(!is_blocked(&gateway, "pool.ntp.org"));
    assert!(is_blocked(&gateway, "own.example"), "what is there is in force");
    let (_, said) = gateway.get("/readyz");
    assert!(said.contains("degraded") && said.contains("not a pack"), "{said}");
    gateway.expect_metric("lachan_list_sources_left_out", &[], 1.0);
    // A reload and a restart find it as it was.
    gateway.reload();
    gateway.terminate();
    gateway = gateway.restart();
    assert_eq!(ask(&gateway, "www.example.com").ede().map(|(code, _)| code), Some(14));

    build(&packs.join("2.pack"), &["bad.example"]);
    eventually("the pack acts", || (!is_blocked(&gateway, "www.example.com")).then_some(()));
    assert!(is_blocked(&gateway, "www.bad.example"));
    gateway.expect_metric("lachan_list_sources_left_out", &[], 0.0);
}

/// The pack files that a process has mapped.
fn mapped(gateway: &Gateway) -> Vec<String> {
    let maps = fs::read_to_string(format!("/proc/{}/maps", gateway.id())).unwrap();
    let files = maps.lines().filter_map(|line| line.split_once('/').map(|(_, file)| file));
    files.filter(|file| file.contains("state/packs")).map(str::to_owned).collect()
}

#[test]
fn a_swap_loses_no_query_and_frees_the_old_mapping() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    let packs = dir.path().to_owned();
    build(&packs.join("0.pack"), &["always.example", "pack0.example"]);
    let gateway = gateway(&packs, true, &upstream);
    let before = mapped(&gateway);
    // One of the texts, one of the pack.
    assert_eq!(before.len(), 2, "{before:?}");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let ask = Ask::new("www.always.example", "A").from(PUPIL).limit(PATIENCE);
            while !done.load(Ordering::Relaxed) {
                let answer = ask.send(gateway.dns).expect("an answer to every query");
                assert_eq!(answer.rcode(), "NXDOMAIN");
            }
        });
        for round in 1..=4 {
            let pack = format!("pack{round}.example");
            let new = packs.join(format!("new/{round}.pack"));
            fs::create_dir_all(new.parent().unwrap()).unwrap();
            build(&new, &["always.example", &pack]);
            fs::rename(&new, packs.join(format!("{round}.pack"))).unwrap();
            until_blocked(&gateway, &pack);
        }
        done.store(true, Ordering::Relaxed);
        asking.join().unwrap();
    });
    // Workers look at the new policy with their next query; asked a few times, all have.
    eventually("the old mapping goes", || {
        is_blocked(&gateway, "always.example");
        let after = mapped(&gateway);
        (after.len() == 2 && before.iter().filter(|old| after.contains(old)).count() == 1)
            .then_some(())
    });
}

#[test]
fn a_restart_reads_no_text_again() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let list = dir.path().join("adult.txt");
    fs::write(&list, "one.example\n").unwrap();
    let start = || {
        let config = format!(
            "{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"{}\"\n[[lists.source]]\n\
             category = \"adult\"\npath = \"{}\"\n",
            state.display(),
            list.display()
        );
        Gateway::plan(&config).upstream(&upstream).start()
    };
    let mut first = start();
    first.expect_metric("lachan_list_readings_total", &[], 1.0);
    assert!(is_blocked(&first, "one.example"));
    first.terminate();

    let mut second = start();
    second.expect_metric("lachan_list_readings_total", &[], 0.0);
    assert!(is_blocked(&second, "one.example"));
    second.expect_log("adult.txt");
    second.terminate();

    // Another text is read; a damaged copy is made anew, whatever its stamp says.
    fs::write(&list, "two.example\n").unwrap();
    let mut third = start();
    third.expect_metric("lachan_list_readings_total", &[], 1.0);
    assert!(is_blocked(&third, "two.example"));
    third.terminate();
    for file in fs::read_dir(state.join("packs")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "pack") {
            fs::write(&path, "broken").unwrap();
        }
    }
    let fourth = start();
    fourth.expect_metric("lachan_list_readings_total", &[], 1.0);
    assert!(is_blocked(&fourth, "two.example"));
}

/// Writes sources of three kinds into a directory: their `--source` arguments.
fn sources(dir: &Path) -> Vec<String> {
    let files = [
        ("adult", "adult.txt", "a.example\nwww.a.example\nb.example\nb.example\nbad line!\ncom\n"),
        ("games", "games.hosts", "0.0.0.0 games.example\n0.0.0.0 b.example\n192.0.2.1\n"),
        (
            "adult",
            "more.txt",
            "||b.example^\n||c.example^\n@@||free.a.example^\n||x.free.a.example^\n",
        ),
    ];
    let write = |(category, name, text): (&str, &str, &str)| {
        fs::write(dir.join(name), text).unwrap();
        format!("{category}={}", dir.join(name).display())
    };
    files.into_iter().map(write).collect()
}

fn build_with(dir: &Path, out: &str, sources: &[String], more: &[&str]) -> (PathBuf, Value) {
    let out = dir.join(out);
    let mut arguments = vec!["build", "--out", out.to_str().unwrap()];
    arguments.extend(sources.iter().flat_map(|source| ["--source", source]));
    arguments.extend(more);
    let report = json(&arguments);
    (out, report)
}

#[test]
fn a_build_says_what_became_of_every_source() {
    let dir = tempfile::tempdir().unwrap();
    let licence = ["--licence", "adult.txt=CC BY-SA 4.0"];
    let (pack, report) = build_with(dir.path(), "all.pack", &sources(dir.path()), &licence);
    let source = |name: &str| {
        let all = report["sources"].as_array().unwrap();
        all.iter().find(|source| source["name"] == name).unwrap().clone()
    };
    let adult = source("adult.txt");
    assert_eq!((adult["rules"].as_u64(), adult["duplicate"].as_u64()), (Some(4), Some(1)));
    assert_eq!((adult["subsumed"].as_u64(), adult["accepted"].as_u64()), (Some(1), Some(2)));
    assert_eq!(adult["rejected"]["single-label"], 1);
    assert_eq!(adult["licence"], "CC BY-SA 4.0");
    let more = source("more.txt");
    // `b.example` was said before; `x.free.a.example` is not, an exception lies between.
    assert_eq!((more["duplicate"].as_u64(), more["subsumed"].as_u64()), (Some(1), Some(0)));
    assert_eq!(report["summary"]["overlaps"][0][2], 1);
    assert_eq!(report["refused"], false);

    let pack = pack.to_str().unwrap();
    let inspected = json(&["inspect", pack, "--names"]);
    assert_eq!(inspected["categories"]["adult"], 4);
    let rules: Vec<&str> = inspected["listed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|listed| listed["rule"].as_str().unwrap())
        .collect();
    assert!(rules.contains(&"=games.example") && rules.contains(&"free.a.example"), "{rules:?}");
    let found = json(&["lookup", "deep.www.b.example", pack]);
    assert_eq!(found["categories"], serde_json::json!(["adult"]));
    assert_eq!(found["rules"][0]["rule"], "b.example");
    assert_eq!(json(&["lookup", "y.free.a.example", pack])["categories"], serde_json::json!([]));
    let verified = json(&["verify", pack]);
    assert_eq!(verified["digest"], report["summary"]["digest"]);
    let (code, text) = lists(&["inspect", pack]);
    assert!(code == 0 && text.contains("games.hosts"), "{text}");
    assert!(text.contains("adult.txt: licence CC BY-SA 4.0"), "{text}");
}

#[test]
fn the_order_of_sources_and_the_threads_do_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let mut sources = sources(dir.path());
    let names: Vec<String> = (0..40_000).map(|n| format!("n{n}.example{}.org", n % 7)).collect();
    fs::write(dir.path().join("many.txt"), names.join("\n")).unwrap();
    sources.push(format!("games={}", dir.path().join("many.txt").display()));
    let (one, first) = build_with(dir.path(), "one.pack", &sources, &["--threads", "1"]);
    let (again, second) = build_with(dir.path(), "again.pack", &sources, &["--threads", "2"]);
    assert_eq!(fs::read(&one).unwrap(), fs::read(&again).unwrap());
    sources.reverse();
    let (_, third) = build_with(dir.path(), "turned.pack", &sources, &["--threads", "2"]);
    for other in [second, third] {
        assert_eq!(first["summary"]["digest"], other["summary"]["digest"]);
    }
    let same = json(&["diff", one.to_str().unwrap(), again.to_str().unwrap()]);
    assert_eq!(same["is_same"], true);
}

#[test]
fn a_build_refuses_what_somebody_should_look_at() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        fs::write(dir.path().join(name), text).unwrap();
        format!("ads_trackers={}", dir.path().join(name).display())
    };
    let kinds = |report: &Value| -> Vec<String> {
        let findings = report["findings"].as_array().unwrap().iter();
        let mut kinds: Vec<String> =
            findings.map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect();
        kinds.dedup();
        kinds
    };
    let out = dir.path().join("x.pack");
    let bad = file("list.txt", "moet.gov.vn\nco.uk\nads.example\n");
    let popular = dir.path().join("popular.txt");
    fs::write(&popular, "1,ads.example\n2,www.example.com\n").unwrap();
    let more = ["--popular", popular.to_str().unwrap()];
    let (_, report) = build_with(dir.path(), "x.pack", std::slice::from_ref(&bad), &more);
    assert_eq!(report["refused"], true);
    assert_eq!(kinds(&report), ["guard", "public-suffix", "popular"]);
    assert!(!out.exists());
    let leftovers = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(leftovers, 2, "scratch files stay behind");
    let accepted = [more.as_slice(), &["--accept", "An, decision 12"]].concat();
    let (_, report) = build_with(dir.path(), "x.pack", &[bad], &accepted);
    assert!(report["refused"] == false && out.exists());

    // A source that is a fraction of what it was.
    let names: Vec<String> = (0..1000).map(|n| format!("n{n}.example")).collect();
    let whole = file("shrinks.txt", &names.join("\n"));
    let (before, _) = build_with(dir.path(), "before.pack", &[whole], &[]);
    let part = file("shrinks.txt", &names[..300].join("\n"));
    let previous = ["--previous", before.to_str().unwrap()];
    let (after, report) = build_with(dir.path(), "after.pack", &[part], &previous);
    assert_eq!(kinds(&report), ["changed"]);
    assert!(!after.exists());
}

#[test]
fn wrong_arguments_and_files_have_their_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("x.pack");
    let out = out.to_str().unwrap();
    let list = dir.path().join("list.txt");
    fs::write(&list, "a.example\n").unwrap();
    let source = |category: &str, path: &Path| format!("{category}={}", path.display());
    let build = |source: &str| lists(&["build", "--out", out, "--source", source]).0;
    assert_eq!(build("no-equals-sign"), 2);
    assert_eq!(build(&source("nonsense", &list)), 2);
    let unknown = ["build", "--out", out, "--source", &source("adult", &list)];
    assert_eq!(lists(&[&unknown[..], &["--licence", "other.txt=MIT"]].concat()).0, 2);
    assert_eq!(build(&source("adult", Path::new("/nowhere"))), 3);
    fs::write(&list, "<!doctype html><p>Sign in").unwrap();
    assert_eq!(build(&source("adult", &list)), 3);
    assert_eq!(lists(&["verify", list.to_str().unwrap()]).0, 3);
    assert_eq!(lists(&["lookup", "a..b", out]).0, 2);
    assert_eq!(lists(&["inspect", out]).0, 3);
}

#[test]
fn a_difference_is_told_in_names() {
    let dir = tempfile::tempdir().unwrap();
    let (before, after) = (dir.path().join("1.pack"), dir.path().join("2.pack"));
    build(&before, &["one.example", "two.example"]);
    build(&after, &["two.example", "three.example"]);
    let (code, text) = lists(&["diff", before.to_str().unwrap(), after.to_str().unwrap()]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(text, @r"
    category  added  removed
    adult         1        1

    adult
    + three.example
    - one.example

    2 names before, 2 after
    ");
}
