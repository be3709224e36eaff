//! A card that cannot be read for a moment, at a start: what people did is neither lost nor written over.

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::load;
use crate::kit::data::skipped;
use crate::support::api::{Api, Reply};
use crate::support::gateway::{LACHAN, run};
use crate::support::{Ask, Gateway, STAFF, Upstream, eventually, exchange, within};

/// The files that an exam and codes are in.
const FILES: [&str; 3] = ["overrides.json", "ledger.jsonl", "codes.json"];

fn gateway(upstream: &Upstream) -> Gateway {
    load::with_files(Gateway::plan(&load::config("")).upstream(upstream)).start()
}

/// Whether an exam leaves staff nothing but one name.
fn has_exam(gateway: &Gateway) -> bool {
    let ask = Ask::new("free.example", "A").from(STAFF);
    ask.expect(gateway.dns).rcode() == "NXDOMAIN"
}

/// Issues a code for pupils, good for an hour.
#[expect(clippy::disallowed_methods, reason = "a test: the end of a code is by the clock")]
fn issue_code(gateway: &Gateway) -> Reply {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let wish = json!({"room": "pupils", "until": now + 3600});
    Api::of(gateway).send("POST", "/api/codes", &wish.to_string()).unwrap()
}

fn codes(gateway: &Gateway) -> usize {
    let (status, body) = Api::of(gateway).send("GET", "/api/codes", "").unwrap();
    assert_eq!(status, 200, "{body}");
    body["codes"].as_array().unwrap().len()
}

/// A gateway that has ended while an exam was on.
fn after_an_exam_began(upstream: &Upstream) -> Gateway {
    let mut gateway = gateway(upstream);
    assert_eq!(Api::of(&gateway).exam("staff", "only.example").unwrap().0, 201);
    assert!(has_exam(&gateway));
    let (status, body) = issue_code(&gateway);
    assert_eq!(status, 201, "{body}");
    gateway.terminate();
    gateway
}

/// It answers and filters, and says of each file that it cannot be read.
#[track_caller]
fn assert_told(gateway: &Gateway) {
    load::assert_filters(gateway, "a card that cannot be read");
    let (status, text) = gateway.get("/readyz");
    assert_eq!(status, 200, "{text}");
    for file in FILES {
        let is_told = |line: &str| line.starts_with("degraded: ") && line.contains(file);
        assert!(text.lines().any(is_told), "{file}: {text}\n{}", gateway.log());
    }
    let api = Api::of(gateway).status();
    assert_eq!(api["state"], "degraded", "{api}");
}

#[test]
fn an_exam_outlives_a_start_at_which_its_files_cannot_be_read() {
    let upstream = Upstream::start();
    let gateway = after_an_exam_began(&upstream);
    let state = gateway.dir().join("state");
    // The gateway stays the process that was started: the tracer is its grandchild.
    let mut trace = ["strace", "-D", "-f", "-qq", "-o", "/dev/null"].map(str::to_owned).to_vec();
    trace.extend(
        FILES.iter().flat_map(|file| ["-P".into(), state.join(file).display().to_string()]),
    );
    trace.extend(["-e", "trace=openat", "-e", "inject=openat:error=EIO"].map(str::to_owned));
    let mut probe = Command::new(&trace[0]);
    probe.args(&trace[1..]).args([LACHAN, "--version"]);
    if !run(probe).0.success() {
        return skipped("a card that cannot be read: no strace, or no right to trace");
    }
    let kept = || [FILES[0], FILES[2]].map(|file| fs::read(state.join(file)).unwrap());
    let before = kept();
    let words: Vec<&str> = trace.iter().map(String::as_str).collect();
    let mut gateway = gateway.restart_under(&words);
    assert_told(&gateway);
    gateway.expect_log("Input/output error");
    // What is done meanwhile acts where it can be kept apart, and writes over nothing.
    let (status, body) = issue_code(&gateway);
    assert!(status >= 400 && body.to_string().contains(FILES[2]), "{status} {body}");
    let (status, body) = Api::of(&gateway).lesson("pupils", "later.example").unwrap();
    assert_eq!((status, &body["is_kept"]), (201, &false.into()), "{body}");
    assert_eq!(kept(), before, "it was written over");
    gateway.terminate();
    assert_eq!(kept(), before, "it was written over");
    let gateway = gateway.restart();
    assert!(has_exam(&gateway), "the exam is lost\n{}", gateway.log());
    assert_eq!(codes(&gateway), 1, "the code is lost\n{}", gateway.log());
    load::until_whole(&gateway);
}

#[test]
fn an_exam_comes_back_within_the_run_in_which_its_files_can_be_read_again() {
    let upstream = Upstream::start();
    let gateway = after_an_exam_began(&upstream);
    let state = gateway.dir().join("state");
    let aside = gateway.dir().join("aside");
    fs::create_dir(&aside).unwrap();
    for file in FILES {
        fs::rename(state.join(file), aside.join(file)).unwrap();
        fs::create_dir(state.join(file)).unwrap();
    }
    let gateway = gateway.restart();
    assert_told(&gateway);
    assert!(!has_exam(&gateway), "nobody can know of it yet");
    let (status, body) = Api::of(&gateway).lesson("pupils", "later.example").unwrap();
    assert_eq!(status, 201, "{body}");
    for file in FILES {
        exchange(&aside.join(file), &state.join(file));
    }
    // Twice as long as it waits for its next look.
    let is_on = within(Duration::from_secs(60), || has_exam(&gateway).then_some(()));
    assert!(is_on.is_some(), "the exam is lost\n{}", gateway.log());
    assert!(Api::of(&gateway).id_for("pupils").is_some(), "the lesson is lost\n{}", gateway.log());
    eventually("the code is back", || (codes(&gateway) == 1).then_some(()));
    load::until_whole(&gateway);
    let mut gateway = gateway;
    gateway.kill();
    let gateway = gateway.restart();
    assert!(has_exam(&gateway), "the exam is lost\n{}", gateway.log());
    assert!(Api::of(&gateway).id_for("pupils").is_some(), "the lesson is lost\n{}", gateway.log());
}
