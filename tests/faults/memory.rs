//! Little memory, with the real lists: a limit of the address space, as there is no memory controller
//! for a cgroup everywhere.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::dice::is_long;
use super::load;
use crate::kit::data;
use crate::support::gateway::{get, spawn};
use crate::support::{Gateway, Upstream, eventually, within};

/// The real lists, each with the category it is of.
const LISTS: [(&str, &str); 3] = [
    ("adult", "categories/adult.txt.zst"),
    ("gambling", "categories/gambling.txt.zst"),
    ("malware", "categories/malware-phishing.txt.zst"),
];
/// A limit under which a gateway with these lists starts, in MiB; what is less is looked for with
/// `LACHAN_LONG`.
const ENOUGH: usize = 1024;
/// How long it may take to compile the real lists: a gateway that serves does it at the lowest priority,
/// so that other tests have the cores before it, and the build is not optimised.
const LIMIT: Duration = Duration::from_secs(300);

/// The config with the real lists beside the school's own, and their files.
fn plan(upstream: &Upstream) -> Option<crate::support::gateway::Plan> {
    let dir = data::lists("a limit of memory", &LISTS.map(|(_, file)| file))?;
    let source = |(category, _): &(&str, &str)| {
        format!("[[lists.source]]\ncategory = \"{category}\"\npath = \"real-{category}.txt\"\n")
    };
    let sources: String = LISTS.iter().map(source).collect();
    let plan = load::with_files(Gateway::plan(&load::config(&sources)).upstream(upstream));
    Some(LISTS.iter().fold(plan, |plan, (category, file)| {
        plan.file(&format!("real-{category}.txt"), &data::text(&dir.join(file)))
    }))
}

fn limit(mebibytes: usize) -> String {
    format!("--as={}", mebibytes << 20)
}

/// Whether a gateway starts under a limit; it is ended again.
fn starts(gateway: &Gateway, mebibytes: usize) -> bool {
    let mut command = Command::new("prlimit");
    command.arg(limit(mebibytes)).arg(crate::support::gateway::LACHAN);
    command.args(["serve", "--config", "gateway.toml"]).current_dir(gateway.dir());
    let (mut child, log) = spawn(command);
    let is_ready = within(LIMIT, || {
        if child.try_wait().unwrap().is_some() {
            return Some(false);
        }
        let page = get(gateway.admin_address(), "/readyz");
        page.is_some_and(|(status, _)| status == 200).then_some(true)
    });
    let _ = child.kill();
    let _ = child.wait();
    let log = log.lock().unwrap();
    is_ready == Some(true) && !log.contains("memory allocation of")
}

#[test]
fn a_list_that_does_not_fit_into_memory_leaves_the_old_one_in_force() {
    let upstream = Upstream::start();
    let Some(plan) = plan(&upstream) else { return };
    let mut gateway = plan.under(&["prlimit", &limit(ENOUGH)]).start_within(LIMIT);
    load::assert_filters(&gateway, "under a limit");
    let list = gateway.dir().join("real-malware.txt");
    let whole = fs::read(&list).unwrap();
    let ((), seen) = load::asked(gateway.dns, || {
        // Names at its beginning, and a hole of 900 MiB behind them.
        let file = fs::File::options().write(true).open(&list).unwrap();
        file.set_len(900 << 20).unwrap();
        gateway.reload();
        eventually("it is refused", || {
            gateway.get("/readyz").1.contains("of memory").then_some(())
        });
        load::assert_filters(&gateway, "a list that does not fit");
        // Other lists act meanwhile.
        load::put(&gateway, load::LIST, load::list("more.example"));
        gateway.reload();
        let acts = within(LIMIT, || load::is_blocked(&gateway, "more.example").then_some(()));
        assert!(acts.is_some(), "{}", gateway.log());
    });
    seen.assert_answered();
    assert!(gateway.is_running());
    // A start does without it, too.
    gateway.kill();
    let gateway = gateway.restart_under(&["prlimit", &limit(ENOUGH)]);
    load::assert_filters(&gateway, "a start with a list that does not fit");
    assert!(gateway.get("/readyz").1.contains("of memory"));
    fs::write(&list, whole).unwrap();
    gateway.reload();
    let is_whole = within(LIMIT, || load::is_whole(&gateway).then_some(()));
    assert!(is_whole.is_some(), "{}", gateway.log());
}

#[test]
fn the_smallest_limit_of_memory_is_found() {
    if !is_long() {
        return;
    }
    let upstream = Upstream::start();
    let Some(plan) = plan(&upstream) else { return };
    let mut gateway = plan.start_within(LIMIT);
    gateway.terminate();
    let (mut less, mut enough) = (32, ENOUGH);
    assert!(starts(&gateway, enough));
    while enough - less > 16 {
        let middle = usize::midpoint(less, enough);
        if starts(&gateway, middle) {
            enough = middle;
        } else {
            less = middle;
        }
    }
    eprintln!("the smallest limit of the address space with its lists compiled: {enough} MiB");
}
