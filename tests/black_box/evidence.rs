//! Evidence of a running gateway: counts and seconds over restarts, and why there was no life.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::gateway::{LACHAN, run, said_in_json};
use crate::support::{Ask, Gateway, PUPIL, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

/// The record of the gateway, where there is one.
fn record(gateway: &Gateway) -> Option<Value> {
    let directory = fs::read_dir(gateway.dir().join("state/evidence")).ok()?;
    let newest = directory.flatten().map(|entry| entry.path()).max()?;
    serde_json::from_str(&fs::read_to_string(newest).ok()?).ok()
}

/// Seconds of a cause.
fn gap(gateway: &Gateway, cause: &str) -> Option<u64> {
    record(gateway)?["enforcement"]["gaps"][cause].as_u64()
}

fn status(gateway: &Gateway, arguments: &[&str]) -> String {
    let mut command = Command::new(LACHAN);
    command.current_dir(gateway.dir()).arg("status").args(arguments);
    command.args(["--config", "gateway.toml"]);
    let (code, said) = run(command);
    assert!(code.success(), "{said}");
    said
}

/// One gateway for all: lives are what it is about.
#[test]
fn a_record_goes_on_over_every_end_of_the_program_and_says_why_there_was_none() {
    let upstream = Upstream::start();
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"state\"\n\
         [evidence]\nhours = \"always\"\nflush = \"1s\"\n\
         [[lists.source]]\ncategory = \"games\"\npath = \"games.txt\"\n"
    );
    let old = json!({"at": 1_790_000_000, "action": "begin", "who": "Mai"}).to_string() + "\n";
    let plan = Gateway::plan(&config)
        .upstream(&upstream)
        .file("games.txt", "marker.example\n")
        .made(|dir| {
            fs::create_dir(dir.join("state")).unwrap();
            fs::write(dir.join("state/ledger.jsonl"), &old).unwrap();
        });
    let mut gateway = plan.start();
    eventually("a record", || record(&gateway));
    for _ in 0..3 {
        Ask::new("marker.example", "A").from(PUPIL).expect(gateway.dns);
    }
    let metrics = gateway.metrics();
    assert!(metrics.value("lachan_state_written_bytes_total", &[]) > 1_000.0);
    assert!(metrics.has("lachan_enforcement_month_seconds", &[("state", "enforced")]));

    // A change of this month does not stand in the file of an earlier one.
    assert_eq!(Api::of(&gateway).lesson("pupils", "free.example").unwrap().0, 201);
    let ledger = fs::read_to_string(gateway.dir().join("state/ledger.jsonl")).unwrap();
    assert!(ledger.contains("free.example") && !ledger.contains("Mai"), "{ledger}");

    let end = |gateway: &mut Gateway| {
        gateway.terminate();
        record(gateway).unwrap()
    };
    sleep(Duration::from_secs(2));
    let first = end(&mut gateway);
    assert_eq!(first["groups"]["pupils"]["categories"]["games"]["blocked"], 3, "{first}");
    // One site within a minute, and the list that names it.
    assert_eq!(first["groups"]["pupils"]["categories"]["games"]["merged"], 1, "{first}");
    assert_eq!(first["sources"], json!({"games.txt": 3}), "{first}");
    assert_eq!(first["written"]["clean"], true);
    assert_eq!(first["school"]["id"], "test-school");
    assert!(first["enforcement"]["enforced"].as_u64() > Some(0), "{first}");
    assert_eq!(first["enforcement"]["gaps"], json!({}));
    for secret in ["marker", "free", "127.0.10.5"] {
        assert!(!first.to_string().contains(secret), "{first}");
    }

    sleep(Duration::from_secs(2));
    gateway = gateway.restart();
    eventually("it was stopped", || gap(&gateway, "stopped"));
    let stopped = [("state", "stopped")];
    eventually("as a metric", || {
        let metrics = gateway.metrics();
        let seconds = metrics.value("lachan_enforcement_seconds_total", &stopped);
        (seconds >= 1.0).then_some(())
    });
    assert_eq!(record(&gateway).unwrap()["written"]["clean"], false);

    gateway.kill();
    sleep(Duration::from_secs(2));
    gateway = gateway.restart();
    eventually("it ended by itself", || gap(&gateway, "program"));
    let told = said_in_json(&status(&gateway, &["--json"]));
    assert!(told["evidence"]["gaps_s"]["program"].as_u64() > Some(0), "{told}");
    let words = status(&gateway, &["--lang", "vi"]);
    assert!(
        words.contains("tháng này: lọc đủ") && words.contains("chương trình tự dừng"),
        "{words}"
    );

    // The next life has another boot of the kernel.
    let mut last = end(&mut gateway);
    last["written"]["boot"] = "another".into();
    let month = last["month"].as_str().unwrap().to_owned();
    fs::write(gateway.dir().join(format!("state/evidence/{month}.json")), last.to_string())
        .unwrap();
    sleep(Duration::from_secs(2));
    gateway = gateway.restart();
    let last = end(&mut gateway);
    assert!(last["enforcement"]["gaps"]["power"].as_u64() > Some(0), "{last}");
    assert_eq!(last["groups"], first["groups"], "counted once");
}
