//! Hot reload: however files change, and never a moment without a policy.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{
    Answer, Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually, gateway_blocking,
    now, within,
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

fn until_free(gateway: &Gateway, name: &str) {
    eventually(name, || (!is_blocked(gateway, name)).then_some(()));
}

fn reloads(gateway: &Gateway, result: &str) -> f64 {
    gateway.metrics().value("lachan_reloads_total", &[("result", result)])
}

/// A gateway whose adult list is `path`, made by `make` in its directory first.
fn gateway_on(path: &str, upstream: &Upstream, files: &[(&str, &str)]) -> Gateway {
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[[lists.source]]\ncategory = \"adult\"\npath = \"{path}\"\n"
    );
    let plan = Gateway::plan(&config).upstream(upstream);
    files.iter().fold(plan, |plan, (name, text)| plan.file(name, text)).start()
}

/// Puts `text` in place of a file in one step, as careful programs do.
fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

#[test]
fn an_edit_a_rename_and_a_return_are_seen() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["one.example"], &upstream);
    let list = gateway.dir().join("adult.txt");
    fs::write(&list, "two.example\n").unwrap();
    until_blocked(&gateway, "two.example");
    assert!(!is_blocked(&gateway, "one.example"));

    replace(&list, "three.example\n");
    until_blocked(&gateway, "three.example");

    // Gone: the last good list stays, and the alarm says so.
    fs::remove_file(&list).unwrap();
    eventually("the alarm", || {
        (gateway.metrics().value("lachan_config_last_reload_success", &[]) == 0.0).then_some(())
    });
    assert!(is_blocked(&gateway, "three.example"));
    // The log is read by a thread of its own.
    gateway.expect_log("cannot be read");

    fs::write(&list, "four.example\n").unwrap();
    until_blocked(&gateway, "four.example");
    gateway.expect_metric("lachan_config_last_reload_success", &[], 1.0);
}

#[test]
fn swapped_links_are_seen() {
    let upstream = Upstream::start();
    let gateway =
        gateway_on("lists/adult.txt", &upstream, &[("lists/adult.txt", "zero.example\n")]);
    let dir = gateway.dir().to_owned();

    // A link to a file, swapped by rename.
    for (number, name) in ["one.example", "two.example"].into_iter().enumerate() {
        let target = dir.join(format!("target-{number}.txt"));
        fs::write(&target, format!("{name}\n")).unwrap();
        let link = dir.join("lists/link");
        symlink(&target, &link).unwrap();
        fs::rename(&link, dir.join("lists/adult.txt")).unwrap();
        until_blocked(&gateway, name);
    }

    // As Kubernetes does it: file → ..data/file, and `..data` is the link that is swapped.
    fs::create_dir(dir.join("lists/..v1")).unwrap();
    fs::write(dir.join("lists/..v1/adult.txt"), "three.example\n").unwrap();
    symlink("..v1", dir.join("lists/..data")).unwrap();
    let link = dir.join("lists/link");
    symlink("..data/adult.txt", &link).unwrap();
    fs::rename(&link, dir.join("lists/adult.txt")).unwrap();
    until_blocked(&gateway, "three.example");
    fs::create_dir(dir.join("lists/..v2")).unwrap();
    fs::write(dir.join("lists/..v2/adult.txt"), "four.example\n").unwrap();
    symlink("..v2", dir.join("lists/..data_tmp")).unwrap();
    fs::rename(dir.join("lists/..data_tmp"), dir.join("lists/..data")).unwrap();
    until_blocked(&gateway, "four.example");
    assert!(!is_blocked(&gateway, "three.example"));
}

#[test]
fn a_directory_of_lists_follows_its_files() {
    let upstream = Upstream::start();
    let gateway = gateway_on("lists", &upstream, &[("lists/a.txt", "one.example\n")]);
    let dir = gateway.dir().join("lists");
    assert!(is_blocked(&gateway, "one.example"));
    fs::write(dir.join("b.hosts"), "0.0.0.0 two.example\n").unwrap();
    until_blocked(&gateway, "two.example");
    assert!(is_blocked(&gateway, "one.example"));
    fs::rename(dir.join("b.hosts"), dir.join("c.hosts")).unwrap();
    fs::remove_file(dir.join("a.txt")).unwrap();
    until_free(&gateway, "one.example");
    assert!(is_blocked(&gateway, "two.example"));
}

#[test]
fn a_schools_own_change_reads_no_list_again() {
    let upstream = Upstream::start();
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[[lists.source]]\ncategory = \"games\"\npath = \"games.txt\"\n"
    );
    let plan = Gateway::plan(&config).upstream(&upstream);
    let gateway = plan.file("games.txt", "listed.example\n").start();
    let path = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(is_blocked(&gateway, "www.listed.example"));
    let changed = text.replace(
        "block = [\"adult\", \"games\"]",
        "block = [\"adult\", \"games\"]\nallow = [\"listed.example\"]\ndeny = [\"denied.example\"]",
    );
    assert_ne!(changed, text);
    replace(&path, &changed);
    until_free(&gateway, "www.listed.example");
    assert!(is_blocked(&gateway, "x.denied.example"));
    replace(&path, &text);
    until_blocked(&gateway, "www.listed.example");
    gateway.expect_metric("lachan_list_readings_total", &[], 1.0);
    // And a changed list is read.
    replace(&gateway.dir().join("games.txt"), "listed.example\nmore.example\n");
    until_blocked(&gateway, "more.example");
    gateway.expect_metric("lachan_list_readings_total", &[], 2.0);
}

#[test]
fn a_mistake_keeps_the_old_policy_and_is_told_once() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["one.example"], &upstream);
    let path = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&path).unwrap();
    replace(&path, &text.replace("\"games\"", "\"gaems\""));
    gateway.expect_log("gaems");
    // Another change of another file: the mistake is still there, and was told.
    let other = gateway.dir().join("unrelated");
    for _ in 0..3 {
        fs::write(&other, "x").unwrap();
        let refused = reloads(&gateway, "refused");
        eventually("another look", || (reloads(&gateway, "refused") > refused).then_some(()));
    }
    assert_eq!(gateway.log().matches("unknown category `gaems`").count(), 1, "{}", gateway.log());
    assert!(is_blocked(&gateway, "one.example"));

    // What is no list is refused whole.
    replace(&path, &text);
    let list = gateway.dir().join("adult.txt");
    for not_a_list in ["<!DOCTYPE html>\n<html><body>404</body></html>\n", "", "?? !! ??\n"] {
        let held = reloads(&gateway, "held");
        replace(&list, not_a_list);
        eventually("the refusal", || (reloads(&gateway, "held") > held).then_some(()));
        assert!(is_blocked(&gateway, "one.example"), "{not_a_list:?}");
    }
}

#[test]
fn a_list_that_is_written_slowly_is_never_missing() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["one.example"], &upstream);
    let list = gateway.dir().join("adult.txt");
    fs::write(&list, "").unwrap();
    let is_over =
        within(Duration::from_millis(700), || (!is_blocked(&gateway, "one.example")).then_some(()));
    assert!(is_over.is_none(), "an empty file acted");
    fs::write(&list, "one.example\ntwo.example\n").unwrap();
    until_blocked(&gateway, "two.example");
    assert!(is_blocked(&gateway, "one.example"));
}

/// What cannot be changed while it runs is named, and holds nothing else up.
#[test]
fn what_needs_a_restart_is_said_and_the_rest_is_in_force() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["one.example"], &upstream);
    let path = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(gateway.dir().join("adult.txt"), "two.example\n").unwrap();
    replace(&path, &format!("{text}\n[cache]\nmax_ttl = \"60s\"\n"));
    until_blocked(&gateway, "two.example");
    let said = "[cache]: the old values stay in use until a restart";
    gateway.expect_log(said);
    assert!(!gateway.log().contains("[upstream]"), "{}", gateway.log());
    assert_eq!(Ask::new("free.example", "A").expect(gateway.dns).ttls(), [3600], "the old value");
    // Of [admin] alone the address is bound at the start.
    let admin = gateway.admin_address().to_string();
    replace(&path, &text.replace(&admin, "127.0.0.1:1"));
    gateway.expect_log("[admin] listen: the old values stay in use until a restart");
}

#[test]
fn a_storm_of_events_costs_a_reload_a_second_and_the_last_state_wins() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["one.example"], &upstream);
    let list = gateway.dir().join("adult.txt");
    let start = now();
    let mut changes = 0;
    while now() - start < Duration::from_secs(4) {
        replace(&list, &format!("n{changes}.example\n"));
        changes += 1;
    }
    let last = format!("n{}.example", changes - 1);
    until_blocked(&gateway, &last);
    assert!(changes > 1000, "only {changes} changes");
    let reloads = reloads(&gateway, "ok") + reloads(&gateway, "refused");
    let seconds = (now() - start).as_secs_f64();
    assert!(reloads <= seconds + 2.0, "{reloads} reloads in {seconds} s");
}

#[test]
fn a_group_keeps_its_counters_when_it_moves() {
    let upstream = Upstream::start();
    let gateway = gateway_blocking(&["one.example"], &upstream);
    assert!(is_blocked(&gateway, "one.example"));
    let labels = [("group", "pupils"), ("category", "adult"), ("source", "list")];
    gateway.expect_metric("lachan_blocked_total", &labels, 1.0);
    let path = gateway.dir().join("gateway.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (head, groups) = text.split_once("[[group]]\nname = \"pupils\"").unwrap();
    let first =
        "[[group]]\nname = \"office\"\nclients = [\"127.0.30.0/24\"]\nprofile = \"staff\"\n";
    replace(&path, &format!("{head}{first}\n[[group]]\nname = \"pupils\"{groups}"));
    gateway.expect_log("groups=3");
    assert!(is_blocked(&gateway, "one.example"));
    gateway.expect_metric("lachan_blocked_total", &labels, 2.0);
}

#[test]
fn a_cached_answer_is_reviewed_by_the_policy_of_the_moment() {
    let upstream = Upstream::start();
    upstream.answer(
        "front.example",
        None,
        crate::support::Canned {
            answer: vec![
                "front.example. 300 CNAME back.example.".into(),
                "back.example. 300 A 192.0.2.9".into(),
            ],
            ..crate::support::Canned::default()
        },
    );
    let gateway = gateway_blocking(&["one.example"], &upstream);
    let list = gateway.dir().join("adult.txt");
    assert!(!is_blocked(&gateway, "front.example"));
    replace(&list, "one.example\nback.example\n");
    until_blocked(&gateway, "front.example");
    replace(&list, "one.example\n");
    until_free(&gateway, "front.example");
    assert_eq!(upstream.count("front.example", None), 1, "it was in the cache all along");
}

/// What asking again and again has seen.
#[derive(Default)]
struct Seen {
    sent: u64,
    lost: u64,
    wrong: Vec<String>,
}

/// Says stop when it goes, however that comes about: a test that fails must end too.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Asks `names` in turn, 64 at a time, until `stop`; each with what it must be: blocked,
/// free, or either.
fn ask_on(gateway: SocketAddr, names: &[(String, Option<bool>)], stop: &AtomicBool) -> Seen {
    const WINDOW: usize = 64;
    let socket = UdpSocket::bind((PUPIL, 0)).unwrap();
    socket.connect(gateway).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let queries: Vec<Vec<u8>> =
        names.iter().map(|(name, _)| Ask::new(name, "A").to_wire()).collect();
    let mut seen = Seen::default();
    let mut next = 0;
    let mut buffer = [0; 1500];
    while !stop.load(Ordering::Relaxed) {
        let mut waiting = Vec::new();
        for place in 0..WINDOW {
            let mut query = queries[next].clone();
            query[..2].copy_from_slice(&u16::try_from(place).unwrap().to_be_bytes());
            socket.send(&query).unwrap();
            waiting.push(Some(next));
            next = (next + 1) % queries.len();
        }
        seen.sent += WINDOW as u64;
        for _ in 0..WINDOW {
            let Ok(length) = socket.recv(&mut buffer) else { break };
            let answer = Answer::decode(buffer[..length].to_vec());
            let Some(asked) = waiting[usize::from(answer.id())].take() else { continue };
            let (name, expected) = &names[asked];
            let is_blocked = answer.rcode() == "NXDOMAIN";
            if !is_blocked && answer.rcode() != "NOERROR"
                || expected.is_some_and(|e| e != is_blocked)
            {
                seen.wrong.push(format!("{name}: {}", answer.rcode()));
            }
        }
        seen.lost += waiting.iter().flatten().count() as u64;
        // Some 20,000 queries a second: the reload, which steps aside, needs a core now and then.
        std::thread::sleep(Duration::from_millis(3));
    }
    seen
}

#[test]
fn no_query_is_lost_or_answered_by_neither_policy_while_lists_change() {
    let upstream = Upstream::start();
    let many: Vec<String> = (0..50_000).map(|n| format!("n{n}.filler.example\n")).collect();
    let many = many.concat();
    let both = "always.example\n";
    let gateway = gateway_blocking(&["always.example", "odd.example"], &upstream);
    let list = gateway.dir().join("adult.txt");
    let mut names: Vec<(String, Option<bool>)> = vec![
        ("www.always.example".into(), Some(true)),
        ("odd.example".into(), None),
        ("even.example".into(), None),
    ];
    names.extend((0..20).map(|n| (format!("free{n}.example"), Some(false))));
    // Cached, so that no answer waits for upstream.
    for (name, _) in &names {
        is_blocked(&gateway, name);
    }
    let stop = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let end = StopAtEnd(&stop);
        let asking = scope.spawn(|| ask_on(gateway.dns, &names, &stop));
        for turn in 0..5 {
            let changing = if turn % 2 == 0 { "even.example" } else { "odd.example" };
            replace(&list, &format!("{many}{both}{changing}\n"));
            until_blocked(&gateway, changing);
        }
        drop(end);
        asking.join().unwrap()
    });
    assert_eq!((seen.lost, &seen.wrong), (0, &vec![]), "of {}", seen.sent);
    assert!(seen.sent > 1000 && reloads(&gateway, "ok") >= 5.0);
}
