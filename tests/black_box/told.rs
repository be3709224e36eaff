//! `lachan status`: each state in words, in both languages, and in JSON, with what to do about it.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::kit::repository::TestRepository;
use crate::support::gateway::{LACHAN, run};
use crate::support::{Ask, Gateway, STAFF, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

/// What `lachan status` says.
fn told(gateway: &Gateway, more: &[&str]) -> String {
    let mut command = Command::new(LACHAN);
    command.current_dir(gateway.dir()).args(["status", "--config", "gateway.toml"]).args(more);
    let (status, said) = run(command);
    assert!(status.success(), "{said}");
    said
}

/// The same as JSON.
fn json(gateway: &Gateway) -> Value {
    let said = told(gateway, &["--json"]);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// The finding of a kind, once there is one.
fn finding(gateway: &Gateway, id: &str) -> Value {
    eventually(id, || {
        let findings = json(gateway)["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|one| one["id"] == id)
    })
}

#[test]
fn each_state_is_told_in_words_with_its_remedy() {
    let upstream = Upstream::start();
    let config = format!(
        "{TWO_GROUPS}{TWO_PROFILES}\n[state]\ndir = \"state\"\n\n[[lists.source]]\n\
         category = \"adult\"\npath = \"adult.txt\"\nformat = \"domains\"\n"
    );
    let gateway = Gateway::plan(&config).upstream(&upstream).file("adult.txt", "adult.example\n");
    let mut gateway = gateway.start();

    // All is well, once what is in force is kept.
    let ok = eventually("all is well", || {
        let status = json(&gateway);
        status["is_kept"].as_bool().unwrap().then_some(status)
    });
    assert_eq!((&ok["state"], &ok["findings"]), (&"ok".into(), &Value::Array(Vec::new())), "{ok}");
    assert_eq!(ok["filtering"]["state"], "on");
    for key in ["since", "lists", "upstreams", "clock", "held"] {
        assert!(!ok[key].is_null(), "{key}: {ok}");
    }
    assert!(ok["release"].is_null() && ok["lists"][0]["rules"] == 1, "{ok}");
    let words = told(&gateway, &["--lang", "en"]);
    assert!(words.starts_with("filtering: on since 20"), "{words}");
    assert!(words.contains("all is as it should be") && !words.contains("what to do"), "{words}");
    assert!(words.contains("adult.txt: ok, 1 rules"), "{words}");
    let words = told(&gateway, &["--lang", "vi"]);
    assert!(
        words.starts_with("đang lọc: từ 20") && words.contains("mọi thứ bình thường"),
        "{words}"
    );

    // A list is damaged: its copy stands in.
    fs::write(gateway.dir().join("adult.txt"), "<!DOCTYPE html>\n<html></html>\n").unwrap();
    let held = finding(&gateway, "held");
    assert_eq!((&held["subject"], &held["gravity"]), (&"adult.txt".into(), &"fault".into()));
    let status = json(&gateway);
    assert_eq!(
        (&status["state"], &status["lists"][0]["state"]),
        (&"degraded".into(), &"held".into())
    );
    // Its line is logged beside that.
    eventually("the line", || {
        let status = json(&gateway);
        let line = status["errors"][0]["text"].as_str();
        line.is_some_and(|line| line.contains("adult.txt")).then_some(())
    });
    let words = told(&gateway, &["--lang", "en"]);
    assert!(words.contains("! `adult.txt` cannot be used: its kept copy stands in"), "{words}");
    assert!(words.contains("what to do: repair the file"), "{words}");
    assert!(words.contains("! adult.txt: kept copy stands in, 1 rules"), "{words}");
    let words = told(&gateway, &["--lang", "vi"]);
    assert!(words.contains("cần làm: sửa lại tệp"), "{words}");
    fs::write(gateway.dir().join("adult.txt"), "adult.example\n").unwrap();
    eventually("it is mended", || (json(&gateway)["state"] == "ok").then_some(()));

    // No upstream server answers.
    drop(upstream);
    for number in 0..4 {
        let name = format!("n{number}.example");
        Ask::new(&name, "A").from(STAFF).expect(gateway.dns);
    }
    let dead = finding(&gateway, "no_upstream");
    assert_eq!(dead["gravity"], "fault");
    let status = json(&gateway);
    assert!(status["upstreams"][0]["down_s"].is_u64() && status["state"] == "degraded", "{status}");
    let words = told(&gateway, &["--lang", "en"]);
    assert!(words.contains("what to do: look whether the line and the router work"), "{words}");

    // The clock is behind what was seen, and the department has published nothing yet.
    let office = TestRepository::new();
    gateway.terminate();
    fs::copy(office.root(), gateway.dir().join("root.json")).unwrap();
    fs::write(gateway.dir().join("state/clock"), "9999999999").unwrap();
    let path = gateway.dir().join("gateway.toml");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{config}\n[update]\nroot = \"root.json\"\n")).unwrap();
    let gateway = gateway.restart();
    assert_eq!(finding(&gateway, "clock")["gravity"], "fault");
    assert_eq!(finding(&gateway, "no_release")["gravity"], "fault");
    let status = json(&gateway);
    assert_eq!((&status["clock"], &status["release"]), (&"untrusted".into(), &"0".into()));
    let words = told(&gateway, &["--lang", "vi"]);
    for text in ["cần làm: chỉnh đồng hồ", "chưa nhận được bản phát hành của Sở", "đồng hồ: SAI"]
    {
        assert!(words.contains(text), "{text}: {words}");
    }
}
