//! Copies of downloads that are damaged, and servers that lie or are slow: what is on disk is what
//! its note says, or it is asked for anew; one server holds up its own list alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::downloads::{copy, fetch, list, plan, rcode, source};
use crate::packs::{build, deliver, gateway};
use crate::support::gateway::Plan;
use crate::support::web::{Page, Web};
use crate::support::{Upstream, eventually};

/// A page with an entity tag, which is not sent again to whom has it.
fn tagged(count: usize) -> Page {
    Page {
        head: vec!["ETag: \"one\"".into()],
        unchanged_for: Some("\"one\"".into()),
        ..Page::text(&list(count))
    }
}

fn fetched(plan: &Plan) -> PathBuf {
    plan.config_path().parent().unwrap().join("state/fetched")
}

/// The files of copies, with or without their notes.
fn files(plan: &Plan, extension: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(fetched(plan)).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

/// Whether the last request had conditions.
fn is_conditional(web: &Web) -> bool {
    web.requests().last().unwrap().to_lowercase().contains("\r\nif-")
}

#[test]
fn a_damaged_copy_is_asked_for_without_conditions() {
    let (upstream, web) = (Upstream::start(), Web::start());
    let plan = plan(&upstream, &source(&web.url("/list"), ""));
    web.put("/list", tagged(50));
    let good = list(50).into_bytes();
    let mut flipped = good.clone();
    flipped[7] ^= 1;
    for damaged in [&good[..100], b"", &flipped, b"other.example\n"] {
        fetch(&plan, &[]);
        assert_eq!(fetch(&plan, &[]).1["result"], "unchanged");
        assert!(is_conditional(&web));
        fs::write(&files(&plan, "txt")[0], damaged).unwrap();
        let (code, said) = fetch(&plan, &[]);
        assert_eq!((code, said["rules"].as_u64()), (0, Some(50)), "{said}");
        assert!(!is_conditional(&web), "{:?}", web.requests().last());
        assert_eq!(copy(&plan), Some(good.clone()));
    }
    // Its server is gone: nothing is said of a copy that is not there.
    fs::write(&files(&plan, "txt")[0], &good[..100]).unwrap();
    web.put("/list", Page::status(500));
    let (code, said) = fetch(&plan, &[]);
    assert_eq!((code, said["rules"].as_u64()), (1, None), "{said}");
    // What was good last is the measure for what comes.
    web.put("/list", Page::text(&list(3)));
    assert_eq!(fetch(&plan, &[]).1["result"], "refused");
}

#[test]
fn a_copy_that_was_read_otherwise_is_asked_for_without_conditions() {
    let (upstream, web) = (Upstream::start(), Web::start());
    let first = plan(&upstream, &source(&web.url("/list"), ""));
    web.put("/list", tagged(10));
    fetch(&first, &[]);
    let other = plan(&upstream, &source(&web.url("/list"), "scope = \"subtree\""));
    drop(other.command());
    let to = fetched(&other);
    fs::create_dir_all(&to).unwrap();
    for file in fs::read_dir(fetched(&first)).unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
    assert_eq!(fetch(&other, &[]).1["result"], "unchanged");
    assert!(!is_conditional(&web));
    assert_eq!(fetch(&other, &[]).1["result"], "unchanged");
    assert!(is_conditional(&web));
}

#[test]
fn unchanged_of_another_copy_is_no_answer() {
    let (upstream, web) = (Upstream::start(), Web::start());
    let plan = plan(&upstream, &source(&web.url("/list"), ""));
    web.put("/list", tagged(10));
    fetch(&plan, &[]);
    let lying = |tag: &str| Page { says_unchanged: Some(tag.to_owned()), ..tagged(12) };
    web.put("/list", Page { unchanged_for: None, ..lying("W/\"one\"") });
    assert_eq!(fetch(&plan, &[]).1["result"], "unchanged");
    web.put("/list", Page { unchanged_for: None, ..lying("\"two\"") });
    let (_, said) = fetch(&plan, &[]);
    assert_eq!((&said["result"], &said["rules"]), (&"new".into(), &12.into()), "{said}");
    assert!(!is_conditional(&web));
}

#[test]
fn a_gateway_never_takes_a_fragment_for_the_list_and_mends_it() {
    let (upstream, web) = (Upstream::start(), Web::start());
    let plan = plan(&upstream, &source(&web.url("/list"), ""));
    web.put("/list", tagged(50));
    fetch(&plan, &[]);
    let copy = files(&plan, "txt").remove(0);
    let cut = &list(50).into_bytes()[..100];
    fs::write(&copy, cut).unwrap();
    let gateway = plan.start();
    let is_blocked = |name| (rcode(&gateway, name) == "NXDOMAIN").then_some(());
    eventually("the list", || is_blocked("n49.listed.example"));
    assert_eq!(fs::read(&copy).unwrap(), list(50).into_bytes());
    // While it runs: the policy in force is whole, and so is the copy soon.
    fs::write(&copy, cut).unwrap();
    eventually("the copy", || {
        assert!(is_blocked("n49.listed.example").is_some());
        (fs::read(&copy).unwrap() == list(50).into_bytes()).then_some(())
    });
}

#[test]
fn slow_servers_hold_up_nobody_else() {
    let (upstream, web) = (Upstream::start(), Web::start());
    let drip = Some(Duration::from_secs(1));
    let slow = Page { drip, ..Page::text(&list(500)) };
    let silent = Page { is_silent: true, ..Page::default() };
    let mut sources = String::new();
    for number in 0..6 {
        let path = format!("/slow{number}");
        web.put(&path, if number % 2 == 0 { slow.clone() } else { silent.clone() });
        sources += &source(&web.url(&path), "");
    }
    web.put("/good", Page::text(&list(5)));
    sources += &source(&web.url("/good"), "timeout = \"20s\"");
    let gateway = plan(&upstream, &sources).start();
    eventually("the list", || (rcode(&gateway, "n4.listed.example") == "NXDOMAIN").then_some(()));
    gateway.expect_metric("lachan_list_fetch_missing", &[], 6.0);
}

/// Sets the time of modification of a file to a day long ago.
fn age(path: &Path) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
}

#[test]
fn a_pack_that_was_put_there_last_is_used_whatever_its_age_and_never_a_fragment() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    let (packs, archive) = (dir.path().join("packs"), dir.path().join("archive"));
    fs::create_dir_all(&packs).unwrap();
    fs::create_dir_all(&archive).unwrap();
    let (old, new) = (archive.join("old.pack"), packs.join("new.pack"));
    build(&old, &["old.example"]);
    age(&old);
    build(&new, &["new.example"]);
    let gateway = gateway(&packs, true, &upstream);
    assert_eq!(rcode(&gateway, "new.example"), "NXDOMAIN");
    let is_old = || (rcode(&gateway, "old.example") == "NXDOMAIN").then_some(());
    let is_new = || (rcode(&gateway, "new.example") == "NXDOMAIN").then_some(());
    // Back to the pack before, as `cp -p` does it.
    let back = packs.join("back.pack");
    std::thread::sleep(Duration::from_millis(200));
    let cp = Command::new("cp").arg("-p").args([&old, &back]).status().unwrap();
    assert!(cp.success());
    eventually("the old pack", is_old);
    eventually("what is not in use", || {
        gateway.log().contains("new.pack: was modified later").then_some(())
    });
    fs::remove_file(&back).unwrap();
    eventually("the new pack", is_new);

    // Half of a pack that is known, under another name: nothing changes.
    let whole = fs::read(&old).unwrap();
    deliver(&gateway, &back, &whole[..whole.len() / 2]);
    assert!(is_new().is_some());
    // The log follows the swap.
    let is_logged = |text: &str| gateway.log().contains(text).then_some(());
    eventually("the fragment in the log", || is_logged("back.pack: the pack is not whole"));
    assert!(!gateway.log().contains("back.pack: the pack in use\u{1b}"), "{}", gateway.log());
    // And in the place of the one in use: its copy stays, and is not called that file.
    fs::remove_file(&back).unwrap();
    let whole = fs::read(&new).unwrap();
    deliver(&gateway, &new, &whole[..whole.len() - 1]);
    assert!(is_new().is_some());
    let told = "new.pack: the pack is not whole: it is damaged, or it is still being copied";
    eventually("the damage in the log", || is_logged(told));
}
