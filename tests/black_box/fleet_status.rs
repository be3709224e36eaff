//! `lachan fleet status`: a registry, a Prometheus that says what it is told, and access logs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use lachan::sys::clock::system_time;
use serde_json::Value;
use tempfile::TempDir;

use crate::releases::watch::prometheus::{Prometheus, Said};
use crate::support::gateway::{LACHAN, run, said_in_json};

/// The registry of the example, and a school that nobody ever heard of.
fn registry(scratch: &TempDir) -> String {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/config/org.example.toml");
    let more = "\n[[school]]\nid = \"thcs-moi\"\nname = \"THCS Mới\"\nlevel = \"lower-secondary\"\nunit = \"xa-song-xanh\"\n";
    let path = scratch.path().join("org.toml");
    fs::write(&path, fs::read_to_string(example).unwrap() + more).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Series of gateways: labels beside school and address, and the value.
fn rows(all: &[(&str, &str, String)]) -> String {
    let mut text = String::new();
    for (school, labels, value) in all {
        let (comma, at) = (if text.is_empty() { "" } else { "," }, system_time());
        let _ = write!(
            text,
            r#"{comma}{{"metric":{{"school":"{school}","instance":"{school}:9153"{labels}}},"value":[{at},"{value}"]}}"#
        );
    }
    text
}

/// A fleet of three: one well, one without a list for a while, one silent for two hours.
fn three() -> Said {
    let now = system_time();
    let number = |value: u64| value.to_string();
    let up =
        [("thcs-thuong", "", number(1)), ("th-song-xanh", "", number(1)), ("pilot", "", number(0))];
    let protected = [
        ("thcs-thuong", r#","reason":"list_missing""#, number(0)),
        ("th-song-xanh", r#","reason":"held""#, number(1)),
    ];
    let seconds = [
        ("thcs-thuong", r#","state":"enforced""#, number(36_000)),
        ("thcs-thuong", r#","state":"lists""#, number(3_600)),
        ("th-song-xanh", r#","state":"enforced""#, number(39_000)),
        ("th-song-xanh", r#","state":"uplink""#, number(600)),
    ];
    let seen = [("thcs-thuong", "", number(now)), ("pilot", "", number(now - 7_200))];
    let release = [("thcs-thuong", "", number(8)), ("th-song-xanh", "", number(7))];
    let upstream =
        format!(r#"{{"metric":{{"upstream":"udp://192.0.2.53"}},"value":[{now},"0.5"]}}"#);
    let blocked = format!(r#"{{"metric":{{"category":"adult"}},"value":[{now},"1234.4"]}}"#);
    Said::Series(vec![
        ("instance%3Alachan_silent", rows(&[("pilot", "", number(60))])),
        ("instance%3Alachan_seen", rows(&seen)),
        ("instance%3Alachan_protected", rows(&[("thcs-thuong", "", number(now - 600))])),
        ("instance%3Alachan_unprotected", String::new()),
        ("lachan_enforcement_seconds_total", rows(&seconds)),
        ("lachan_protected", rows(&protected)),
        ("lachan_release", rows(&release)),
        ("lachan_blocked_total", blocked),
        ("by+%28upstream%29+%28lachan_upstream_up", upstream),
        ("lachan_upstream_up", rows(&[("thcs-thuong", "", number(1))])),
        ("up%7B", rows(&up)),
    ])
}

/// Asks; the exit code, and what was written.
fn status(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(LACHAN);
    command.args(["fleet", "status"]).args(arguments);
    let (status, text) = run(command);
    (status.code().unwrap(), text)
}

fn school<'a>(fleet: &'a Value, id: &str) -> &'a Value {
    let schools = fleet["schools"].as_array().unwrap();
    schools.iter().find(|one| one["school"] == id).unwrap()
}

#[test]
fn every_school_is_shown_the_worst_first_with_its_cause() {
    let scratch = tempfile::tempdir().unwrap();
    let (org, prometheus) = (registry(&scratch), Prometheus::start(three()));
    let url = prometheus.url();
    let from = ["--prometheus", &url, "--org", &org];
    let (code, text) = status(&[&from[..], &["--json"]].concat());
    let fleet = said_in_json(&text);
    assert_eq!((code, &fleet["is_protected"]), (1, &Value::Bool(false)), "{text}");
    let order: Vec<&str> = fleet["schools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["school"].as_str().unwrap())
        .collect();
    // A school that is closed is not due.
    assert_eq!(order, ["thcs-thuong", "pilot", "thcs-moi", "th-song-xanh"]);
    let thuong = school(&fleet, "thcs-thuong");
    assert_eq!(
        (&thuong["protected"], &thuong["causes"][0]),
        (&"no".into(), &"list_missing".into())
    );
    assert_eq!(
        (&thuong["commune"], &thuong["old_unit"]),
        (&"Xã Sông Xanh".into(), &"Huyện Sông Xanh".into())
    );
    assert_eq!(
        (&thuong["not_enforced_minutes"], &thuong["due_minutes"]),
        (&60.into(), &660.into())
    );
    let pilot = school(&fleet, "pilot");
    assert_eq!((&pilot["protected"], &pilot["causes"][0]), (&"unknown".into(), &"silent".into()));
    assert_eq!(
        (&pilot["not_enforced_minutes"], &pilot["is_registered"]),
        (&1.into(), &false.into())
    );
    let new = school(&fleet, "thcs-moi");
    assert_eq!((&new["protected"], &new["causes"][0]), (&"unknown".into(), &"never_heard".into()));
    let well = school(&fleet, "th-song-xanh");
    assert_eq!((&well["protected"], &well["not_enforced_minutes"]), (&"yes".into(), &0.into()));
    assert_eq!(fleet["blocked"][0], serde_json::json!(["adult", 1234]));
    assert_eq!(fleet["communes"][0]["counts"]["no"], 1, "{text}");

    // In words, in both languages, and as a page that needs nothing beside itself.
    let (_, text) = status(&from);
    assert!(text.contains("a list is not in force: its names pass"), "{text}");
    let page = scratch.path().join("fleet.html");
    let more = ["--lang", "vi", "--html", page.to_str().unwrap()];
    let (code, said) = status(&[&from[..], &more].concat());
    let html = fs::read_to_string(&page).unwrap();
    assert_eq!((code, said.as_str()), (1, ""));
    for part in ["THCS Thượng", "KHÔNG", "các tên trong đó lọt qua", "<svg", "Huyện Sông Xanh"]
    {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("src=") && !html.contains("href="), "a page of its own");

    // What is not answered is told, and is no sign of protection.
    prometheus
        .says(Said::Raw("HTTP/1.1 503 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".into()));
    let (code, text) = status(&from);
    assert!(code == 1 && text.contains("not answered: up"), "{text}");
    assert!(text.contains("not protected: 0; unknown: 3;"), "{text}");
    assert!(!text.contains("ever heard of"), "nobody was asked: {text}");
}

#[test]
fn a_log_reports_and_is_no_evidence() {
    let scratch = tempfile::tempdir().unwrap();
    let now = jiff_line(system_time());
    let line = |school: &str, state: &str| {
        format!(
            "203.0.113.7 - - [{now}] \"GET /timestamp.json HTTP/1.1\" 304 0 \"-\" \
             \"lachan/0.1.0 school={school} box=1 release=8 ring=all state={state}\"\n"
        )
    };
    let log = scratch.path().join("access.log");
    let write = |path: &Path, lines: &[String]| fs::write(path, lines.concat()).unwrap();
    write(&log, &[line("thcs-thuong", "ok"), line("th-song-xanh", "rejected:hash"), "x\n".into()]);
    let from = ["--access-log", log.to_str().unwrap()];
    // Without a registry nobody is missed.
    let (code, text) = status(&from);
    assert!(code == 0 && text.contains("anybody can send such a line"), "{text}");
    assert!(text.contains("refused a release (hash); the one before is in force"), "{text}");
    // Of a school that is in no registry anybody can send a line: it is told apart. A line of a day to
    // come hides none.
    let ahead = line("thcs-thuong", "held").replace(&now, &jiff_line(system_time() + 3 * 86_400));
    let more = [line("thcs-thuong", "ok"), line("made-up", "ok"), ahead];
    fs::OpenOptions::new()
        .append(true)
        .open(&log)
        .and_then(|mut file| std::io::Write::write_all(&mut file, more.concat().as_bytes()))
        .unwrap();
    let org = registry(&scratch);
    let (_, text) = status(&[&from[..], &["--org", &org]].concat());
    assert!(text.contains("1 reported schools are not in the registry"), "{text}");
    assert!(text.contains("as reported: 2;"), "{text}");
    let (code, text) = status(&[&from[..], &["--org", &org, "--json"]].concat());
    let fleet = said_in_json(&text);
    assert_eq!((code, &school(&fleet, "thcs-moi")["protected"]), (1, &"unknown".into()));
    assert_eq!(school(&fleet, "thcs-thuong")["protected"], "reported");
    assert_eq!(school(&fleet, "thcs-thuong")["release"], 8);
    assert_eq!((&fleet["not_registered"], &fleet["passed_over"]), (&1.into(), &2.into()));

    // What Prometheus says wins; the log fills in what is not known.
    let prometheus = Prometheus::start(three());
    let url = prometheus.url();
    let both = ["--prometheus", &url, "--json"];
    let (_, text) = status(&[&from[..], &both].concat());
    let fleet = said_in_json(&text);
    assert_eq!(school(&fleet, "thcs-thuong")["protected"], "no");
    assert_eq!(school(&fleet, "th-song-xanh")["protected"], "yes");
    let versions = &school(&fleet, "th-song-xanh")["versions"];
    assert_eq!(versions, &serde_json::json!(["0.1.0"]));

    // A registry with a mistake is none, and usage is told.
    fs::write(&org, "[[school]]\nid = \"a b\"\n").unwrap();
    let (code, text) = status(&[&from[..], &["--org", &org]].concat());
    assert!(code == 3 && text.contains("org.toml:1:"), "{text}");
    assert_eq!(status(&["--org", &org]).0, 2);
}

/// A second as logs in the combined format have it.
fn jiff_line(second: u64) -> String {
    let at = jiff::Timestamp::from_second(i64::try_from(second).unwrap()).unwrap();
    at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}
