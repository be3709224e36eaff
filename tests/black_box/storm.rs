//! Overrides that begin and end at any moment while large lists are read again and again.
//!
//! `LACHAN_LONG=1` makes it the storm of 1.5 M names and 300 changes; else it is a breeze of
//! 30,000 names and 30 changes, with the same laws.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::in_force::NOT_OVERRIDES;
use crate::support::api::Api;
use crate::support::gateway::{LACHAN, run, said_in_json};
use crate::support::{Ask, Gateway, PUPIL, STAFF, TWO_GROUPS, Upstream};

/// The groups, each with a client of it.
const GROUPS: [(&str, &str); 2] = [("pupils", PUPIL), ("staff", STAFF)];

/// The most changes, as a multiple of those that are wanted.
const MOST: usize = 20;

/// How large the storm is.
struct Size {
    names: usize,
    files: usize,
    changes: usize,
    /// The longest pause between two changes.
    pause: Duration,
    /// The longest that a start, or one reply, may take.
    limit: Duration,
}

impl Size {
    fn chosen() -> Self {
        let is_long = std::env::var_os("LACHAN_LONG").is_some_and(|value| value == "1");
        let short = Self {
            names: 30_000,
            files: 900,
            changes: 30,
            pause: Duration::from_millis(300),
            limit: Duration::from_secs(30),
        };
        let long = Self {
            names: 1_500_000,
            files: 900,
            changes: 300,
            pause: Duration::from_secs(2),
            limit: Duration::from_secs(300),
        };
        if is_long { long } else { short }
    }
}

/// Numbers that look random, the same in every run (Steele, Lea, Flood: splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn gateway(size: &Size, upstream: &Upstream) -> Gateway {
    let config = format!(
        "{TWO_GROUPS}\n[profile.pupils]\nlevel = \"primary\"\n[profile.staff]\nlevel = \"staff\"\n\
         [[lists.source]]\ncategory = \"games\"\npath = \"large.txt\"\n\
         [[lists.source]]\ncategory = \"adult\"\npath = \"lists\"\n[state]\ndir = \"state\"\n"
    );
    let mut large = String::new();
    for name in 0..size.names {
        let _ = writeln!(large, "n{name}.large.example");
    }
    let plan = Gateway::plan(&config).upstream(upstream).file("large.txt", &large);
    let name = |n| format!("lists/a-list-with-a-name-that-fills-a-line-{n}.txt");
    let files = (0..size.files).map(|n| (name(n), format!("n{n}.small.example\n")));
    let plan = files.fold(plan, |plan, (name, text)| plan.file(&name, &text));
    plan.log_filter(NOT_OVERRIDES).start_within(size.limit)
}

/// Which groups have an exam: as it is listed, and as their queries get it.
fn listed_and_met(gateway: &Gateway, listed: &[Value]) -> [[bool; 2]; 2] {
    let is_listed = |group| listed.iter().any(|one| one["group"] == group);
    let is_met = |client| {
        Ask::new("plain.example", "A").from(client).expect(gateway.dns).rcode() == "NXDOMAIN"
    };
    [GROUPS.map(|(group, _)| is_listed(group)), GROUPS.map(|(_, client)| is_met(client))]
}

/// Reads the lists again and again until `stop`: their files are new each time.
fn reload_on(gateway: &Gateway, stop: &AtomicBool) {
    let large = File::options().append(true).open(gateway.dir().join("large.txt")).unwrap();
    let mut turn = 0;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        // A name more, and a time of its own: never the file that was read last.
        writeln!(&large, "turn{turn}.large.example").unwrap();
        large.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(turn)).unwrap();
        gateway.reload();
        // Its log is read now and then, so that reloads which log much take their time.
        let log = gateway.hold_log();
        std::thread::sleep(Duration::from_millis(100));
        drop(log);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Reloads that came into force.
fn reloads(gateway: &Gateway) -> f64 {
    gateway.metrics().value("lachan_reloads_total", &[("result", "ok")])
}

/// Sets `stop` however it ends, so that a failure does not wait for ever.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Begins or ends an exam of this group.
fn change(api: &Api, group: &str) {
    let reply = match api.id_for(group) {
        None => api.exam(group, "other.example"),
        Some(id) => api.end(id),
    };
    let (status, body) = reply.expect("a reply");
    assert!(matches!(status, 200 | 201), "{status} {body}");
}

#[test]
fn what_is_listed_is_what_a_query_gets_throughout_a_storm_of_overrides_and_reloads() {
    let (size, upstream) = (Size::chosen(), Upstream::start());
    let gateway = gateway(&size, &upstream);
    let api = Api::of(&gateway).limit(size.limit);
    let (stop, mut random) = (AtomicBool::new(false), Random(10));
    let mut wrong = String::new();
    std::thread::scope(|scope| {
        let end = StopAtEnd(&stop);
        scope.spawn(|| reload_on(&gateway, &stop));
        for number in 0..MOST * size.changes {
            // On a busy machine reloads are slower than changes: then there are more changes.
            let is_storm = number < size.changes || reloads(&gateway) < 2.0;
            if !wrong.is_empty() || !is_storm {
                break;
            }
            let (group, _) = GROUPS[random.below(GROUPS.len() as u64) as usize];
            change(&api, group);
            let pause = random.below(size.pause.as_millis() as u64);
            // At once, and when a reload may have ended since.
            for after in [0, pause] {
                std::thread::sleep(Duration::from_millis(after));
                let [listed, met] = listed_and_met(&gateway, &api.list());
                if listed != met {
                    let _ = write!(
                        wrong,
                        "\n  change {number}, {after} ms after: listed {listed:?}, in force {met:?}"
                    );
                }
            }
        }
        drop(end);
    });
    assert_eq!(wrong, "", "what is listed is not what a query gets");
    let mut command = Command::new(LACHAN);
    command.current_dir(gateway.dir()).args(["override", "list", "--json"]);
    command.args(["--config", "gateway.toml"]);
    let (_, said) = run(command);
    let said = said_in_json(&said);
    let [listed, met] = listed_and_met(&gateway, said["overrides"].as_array().unwrap());
    assert_eq!(listed, met, "at the end, by `lachan override list`: {said}");
    let reloads = reloads(&gateway);
    assert!(reloads >= 2.0, "{reloads} reloads are no storm");
}
