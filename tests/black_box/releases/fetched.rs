//! Releases from a web server: downloaded once, in parts, and not again where they are not taken.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::refused::{prepare, rejected};
use super::{is_blocked, plan};
use crate::kit::repository::TestRepository;
use crate::support::api::Api;
use crate::support::gateway::{LACHAN, run};
use crate::support::web::Web;
use crate::support::{Gateway, Upstream, eventually};

/// Publishes a release of these names, games, for every school at once.
fn publish(office: &TestRepository, serial: u64, names: &[&str]) {
    let (list, pack, path) =
        (office.file("new.txt"), office.text("new.pack"), office.text("repository"));
    fs::write(&list, names.join("\n")).unwrap();
    let mut command = Command::new(LACHAN);
    command.args(["lists", "build", "--out", &pack, "--source"]);
    let (status, said) = run({
        command.arg(format!("games={}", list.display()));
        command
    });
    assert!(status.success(), "{said}");
    let (key, online) = (office.text("officer"), office.text("online"));
    office.publish(&["release", &path, "--officer", &key, "--online", &online, "--new", &pack]);
    let (serial, ring) = (serial.to_string(), "all=now:100%");
    office.publish(&["rollout", &path, "--online", &online, "--release", &serial, "--ring", ring]);
}

fn school(office: &TestRepository, web: &Web, upstream: &Upstream) -> Gateway {
    let url = web.url("/");
    plan(&format!("urls = [{url:?}]\nevery = \"1s\""), upstream)
        .made(|dir| assert!(fs::copy(office.root(), dir.join("root.json")).is_ok()))
        .start()
}

/// Blocks a name within some polls.
fn blocked(gateway: &Gateway, name: &str) {
    eventually(name, || is_blocked(gateway, name).then_some(()));
}

/// The path of the one target whose name ends so.
fn target(repository: &Path, end: &str) -> String {
    let lists = fs::read_dir(repository.join("targets/lists")).unwrap();
    let names = lists.map(|one| one.unwrap().file_name().into_string().unwrap());
    let name = names.filter(|name| name.ends_with(end)).max().unwrap();
    format!("/targets/lists/{name}")
}

#[test]
fn a_release_comes_in_parts_where_the_link_is_cut_and_the_next_one_as_a_difference() {
    let (upstream, office, web) = (Upstream::start(), TestRepository::new(), Web::start());
    let names: Vec<String> = (0..3000_u64).map(|n| format!("n{}.example", n * n * 7919)).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    publish(&office, 1, &names);
    web.mount(&office.path());
    let full = target(&office.path(), ".1.full.zst");
    let octets = fs::metadata(office.path().join(full.trim_start_matches('/'))).unwrap().len();
    web.cut(&full, usize::try_from(octets / 3 + 1).unwrap());
    let gateway = school(&office, &web, &upstream);
    blocked(&gateway, "n0.example");
    let parts: Vec<String> =
        web.requests().into_iter().filter(|head| head.contains(&full)).collect();
    assert_eq!(parts.len(), 3, "{parts:?}");
    assert!(parts.iter().all(|head| head.to_lowercase().contains("accept-encoding: identity")));

    names.push("new.example");
    publish(&office, 2, &names);
    blocked(&gateway, "new.example");
    let paths = web.paths();
    assert!(paths.contains(&target(&office.path(), ".2.delta.zst")), "{paths:?}");
    assert!(!paths.iter().any(|path| path.ends_with(".2.full.zst")), "{paths:?}");
    let agents = |has: &str| web.requests().iter().any(|head| head.contains(has));
    eventually("the gateway says so", || agents(" release=2 ring=all state=ok\r\n").then_some(()));
    gateway.expect_metric("lachan_release", &[], 2.0);
}

#[test]
fn a_release_that_waits_for_a_person_is_not_downloaded_again_and_the_next_one_is_taken() {
    let (upstream, office, web) = (Upstream::start(), TestRepository::new(), Web::start());
    publish(&office, 1, &["one.example"]);
    publish(&office, 2, &["two.example"]);
    web.mount(&office.path());
    let url = web.url("/");
    let made = plan(&format!("urls = [{url:?}]\nevery = \"1s\""), &upstream).made(|dir| {
        prepare(&office, dir);
        let mark = dir.join("state/releases/mark.json");
        let text = fs::read_to_string(&mark).unwrap();
        let held = r#"{"serial": 2, "reason": "rehearsal", "why": "7 names", "at": 1}"#;
        assert!(text.contains("\"rejected\":null"), "{text}");
        fs::write(&mark, text.replace("null", held)).unwrap();
    });
    let gateway = made.start();
    let state = || Api::of(&gateway).status()["update"]["state"].as_str().unwrap().to_owned();
    eventually("it is refused", || (rejected(&gateway, "rehearsal") >= 1.0).then_some(()));
    let before = web.paths().len();
    eventually("two polls", || (web.paths().len() >= before + 2).then_some(()));
    let polls = web.paths().split_off(before);
    assert!(polls.iter().all(|path| path == "/timestamp.json"), "{polls:?}");
    assert!(!web.paths().iter().any(|path| path.contains("/lists/")), "{:?}", web.paths());
    let last = web.requests().pop().unwrap();
    assert!(last.contains(" release=1 ring=all state=held\r\n"), "{last}");
    assert_eq!((state(), is_blocked(&gateway, "one.example")), ("held".to_owned(), true));
    publish(&office, 3, &["one.example", "three.example"]);
    blocked(&gateway, "three.example");
    eventually("it is told", || (state() == "ok").then_some(()));
}
