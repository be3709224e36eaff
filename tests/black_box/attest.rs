//! What a box says of a month, from the record that the gateway kept to the department's verdict.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::gateway::{LACHAN, run};
use crate::support::{Gateway, TWO_GROUPS, TWO_PROFILES, Upstream, eventually};

fn lachan(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(LACHAN);
    command.args(arguments).current_dir(directory);
    let (status, said) = run(command);
    (status.code().unwrap(), said)
}

/// The only record of a directory: its month, and the record.
fn record(directory: &Path) -> (String, Value) {
    let files = fs::read_dir(directory.join("state/evidence")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let name = names
        .into_iter()
        .find(|name| name.strip_suffix(".json").is_some_and(|stem| stem.starts_with("20")));
    let name = name.expect("a record");
    let text = fs::read_to_string(directory.join("state/evidence").join(&name)).unwrap();
    (name.trim_end_matches(".json").to_owned(), serde_json::from_str(&text).unwrap())
}

/// Enrols the box of a directory by hand; the text of an `org.toml` that pins its key.
fn enrol(directory: &Path) -> String {
    let enrolment = directory.join("state/enrolment");
    fs::create_dir_all(&enrolment).unwrap();
    let key = enrolment.join("box.key");
    let made = lachan(directory, &["publish", "key", key.to_str().unwrap()]);
    assert_eq!(made.0, 0, "{}", made.1);
    let document = json!({
        "format": 1, "school": "test-school", "box": "1", "urls": ["https://a.example/"],
        "fingerprint": "00", "root": "{}",
    });
    fs::write(enrolment.join("enrolment.json"), document.to_string()).unwrap();
    let public = fs::read_to_string(enrolment.join("box.key.pub")).unwrap();
    let public: Value = serde_json::from_str(&public).unwrap();
    let public = public["keyval"]["public"].as_str().unwrap();
    format!("[[box]]\nschool = \"test-school\"\nbox = \"1\"\nkey = \"{public}\"\npinned_at = 1\n")
}

/// The school in a registry.
const REGISTRY: &str = r#"
[[unit]]
id = "xa-a"
name = "Xã A"
kind = "commune"

[[school]]
id = "test-school"
name = "Trường A"
level = "lower-secondary"
kind = "công lập"
unit = "xa-a"
"#;

/// The merge of all schools says which box vouches for its figures, and which does not.
fn merge_says_who_vouches(directory: &Path, old: &mut Value) {
    let org = fs::read_to_string(directory.join("org.toml")).unwrap();
    fs::write(directory.join("registry.toml"), org + REGISTRY).unwrap();
    let report = |to: &str| {
        let from = ["report", "--config", "gateway.toml", "--period", "2026-01", "--out", to];
        let (code, said) = lachan(directory, &from);
        assert_eq!(code, 0, "{said}");
    };
    let merged = || {
        let inbox = ["report", "merge", "inbox", "--org", "registry.toml", "--out", "merged"];
        let (code, said) = lachan(directory, &[&inbox[..], &["--lang", "en"]].concat());
        let summary = fs::read_to_string(directory.join("merged/summary.json")).unwrap();
        (code, said, summary)
    };
    report("inbox");
    let name = "attestation-test-school-2026-01.json";
    fs::copy(directory.join("out").join(name), directory.join("inbox").join(name)).unwrap();
    let (code, said, summary) = merged();
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("attestation"), "{said}");
    assert!(summary.contains("verified"), "{summary}");
    old["reviews"]["received"] = 77.into();
    fs::write(directory.join("state/evidence/2026-01.json"), old.to_string()).unwrap();
    report("inbox");
    let (_, said, _) = merged();
    assert!(said.contains("test-school"), "figures that were not attested: {said}");
}

#[test]
fn a_month_is_attested_sealed_by_the_gateway_and_verified_by_the_department() {
    let upstream = Upstream::start();
    let roles = "[school.roles]\nhead = \"Nguyễn Thị Lan\"\n";
    let state = "\n[state]\ndir = \"state\"\n";
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}{state}")
        .replace("[listen]", &format!("{roles}\n[listen]"));
    let mut gateway = Gateway::plan(&config).upstream(&upstream).start();
    // A record begins with the first second that is counted.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    gateway.terminate();
    let directory = gateway.dir().to_owned();
    let (month, mut old) = record(&directory);

    // Not enrolled: the page is there, and says that it is not signed.
    let attest = |period: &str| {
        lachan(
            &directory,
            &["attest", "--config", "gateway.toml", "--out", "out", "--period", period],
        )
    };
    let (code, said) = attest(&month);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("not signed"), "{said}");
    let page = format!("out/attestation-test-school-{month}");
    let shown = fs::read_to_string(directory.join(format!("{page}.html"))).unwrap();
    assert!(shown.contains("NOT SIGNED") && shown.contains("Nguyễn Thị Lan"), "{shown}");
    assert_eq!(attest("1999-01").0, 1);
    assert_eq!(attest("yesterday").0, 1);

    // Enrolled, with a month that is over for long: the gateway seals it after its start.
    fs::write(directory.join("org.toml"), enrol(&directory)).unwrap();
    old["month"] = "2026-01".into();
    old["school"]["box"] = "1".into();
    fs::write(directory.join("state/evidence/2026-01.json"), old.to_string()).unwrap();
    let gateway = gateway.restart();
    let sealed = directory.join("state/evidence/attested/2026-01.json");
    eventually("the month is sealed", || sealed.is_file().then_some(()));
    gateway.expect_log("sealed the record of 2026-01");
    let (code, said) = attest("2026");
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("not signed"), "{said}");
    let (code, said) = attest("2026-01");
    assert_eq!(code, 0, "{said}");
    let verify = |file: &str| lachan(&directory, &["attest", "verify", file, "--org", "org.toml"]);
    for period in ["2026", "2026-01"] {
        let (code, said) = verify(&format!("out/attestation-test-school-{period}.json"));
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("2026-01 of test-school"), "{said}");
    }
    merge_says_who_vouches(&directory, &mut old);
    let document = fs::read(&sealed).unwrap();
    assert_eq!(
        document,
        fs::read(directory.join("out/attestation-test-school-2026-01.json")).unwrap()
    );
    assert!(!String::from_utf8(document.clone()).unwrap().contains("blocked"));

    // Another number, another organisation.
    let changed =
        String::from_utf8(document).unwrap().replacen("\"enforced\":", "\"enforced\":1", 1);
    fs::write(directory.join("changed.json"), changed).unwrap();
    let (code, said) = verify("changed.json");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("was changed") || said.contains("malformed"), "{said}");
    fs::write(directory.join("org.toml"), "").unwrap();
    let (code, said) = verify("out/attestation-test-school-2026-01.json");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("is pinned"), "{said}");

    // The record is changed after it was sealed.
    old["enforcement"]["enforced"] = 99_999.into();
    fs::write(directory.join("state/evidence/2026-01.json"), old.to_string()).unwrap();
    let (code, said) = attest("2026-01");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("another one than when the month was sealed"), "{said}");
    drop(gateway);
}
