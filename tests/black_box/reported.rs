//! `lachan report` on gateways and `lachan report merge` at their department, as programs and files.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::gateway::{LACHAN, run};

const ORG: &str = r#"
name = "Sở Ví Dụ"
[[unit]]
id = "xa"
name = "Xã Sông Xanh"
kind = "commune"
[[school]]
id = "a"
name = "THCS A; =1+1"
level = "lower-secondary"
unit = "xa"
[[school]]
id = "b"
name = "THCS B"
level = "lower-secondary"
unit = "xa"
"#;

/// A record as a gateway writes it, of a month that is over.
fn record(school: &str, month: &str, adult: u64) -> String {
    format!(
        r#"{{"format":1,"month":"{month}","school":{{"id":"{school}","name":"THCS","level":"lower-secondary",
        "timezone":"Asia/Ho_Chi_Minh","box":"1"}},"queries":5000,"queries_without_clock":3,
        "groups":{{"pupils":{{"level":"lower-secondary","categories":{{
        "adult":{{"blocked":{adult},"merged":{adult},"observed":0}},
        "games":{{"blocked":700,"merged":90,"observed":4}}}}}}}},
        "active_days":[1,2,3],"enforcement":{{"enforced":2592000,"gaps":{{}}}},"gaps":[],
        "releases":[{{"release":7,"from":1790000000}}],"reviews":{{"received":4,"accepted":1}},
        "orders":{{"applied":1,"seconds":[7200]}},
        "self_test":{{"runs":1,"failed":0,"rows":{{}}}},"sources":{{"secret-list":{adult}}},
        "config_digest":"","version":"0"}}"#
    )
}

fn lachan(directory: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(LACHAN);
    command.current_dir(directory).args(arguments);
    let (status, said) = run(command);
    (status.code(), said)
}

/// Every file of a directory, as text.
fn texts(directory: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn schools_hand_in_and_the_department_merges() {
    let scratch = tempfile::tempdir().unwrap();
    let here = scratch.path();
    for (school, adult) in [("a", 7), ("b", 31)] {
        let evidence = here.join(school).join("evidence");
        fs::create_dir_all(&evidence).unwrap();
        fs::write(evidence.join("2026-01.json"), record(school, "2026-01", adult)).unwrap();
        fs::write(evidence.join("2026-02.json"), "{").unwrap();
        let out = format!("inbox/{school}");
        let (code, said) = lachan(
            here,
            &["report", "--state", school, "--period", "2026-01..2026-02", "--out", &out],
        );
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.contains("bản ghi bị hỏng") && said.contains("không có bản ghi của 02/2026"),
            "{said}"
        );
    }
    for (name, text) in texts(&here.join("inbox/a")) {
        assert!(!text.contains("secret-list"), "{name}");
        assert!(text.contains("<10") || text.contains("&lt;10"), "{name}");
    }
    fs::write(here.join("org.toml"), ORG).unwrap();
    let merge = ["report", "merge", "inbox", "--org", "org.toml", "--out", "out", "--public"];
    let (code, said) = lachan(here, &merge);
    assert_eq!((code, said.trim()), (Some(0), "đã tổng hợp 2/2 trường vào out"));
    let detail = fs::read_to_string(here.join("out/detail.csv")).unwrap();
    assert!(detail.starts_with("\u{feff}STT;Năm báo cáo;Tháng;"));
    let row = "1;2026;01/2026;a;\"THCS A; =1+1\";Trung học cơ sở;;Xã Sông Xanh;;adult;\
               Khiêu dâm, người lớn;5000;<10;<10;;0;3;100,0;7;";
    assert!(detail.lines().any(|line| line.starts_with(row)), "{detail}");
    let summary = fs::read_to_string(here.join("out/summary.json")).unwrap();
    assert!(summary.contains("\"~1440\"") && !summary.contains("1438"), "{summary}");
    for (name, text) in texts(&here.join("out")) {
        assert!(!name.contains("public") || !text.contains("THCS A"), "{name}");
    }
}

#[test]
fn what_cannot_be_reported_or_merged_says_what_to_do() {
    let scratch = tempfile::tempdir().unwrap();
    let here = scratch.path();
    fs::create_dir_all(here.join("a/evidence")).unwrap();
    fs::create_dir_all(here.join("inbox")).unwrap();
    fs::write(here.join("org.toml"), ORG).unwrap();
    let report = |period: &str| {
        lachan(here, &["report", "--state", "a", "--period", period, "--lang", "en", "--out", "o"])
    };
    let (code, said) = report("2026-01");
    assert!(code == Some(1) && said.contains("no record of a month"), "{said}");
    let (code, said) = report("January");
    assert!(code == Some(1) && said.contains("write `2026`"), "{said}");
    let merge = |org: &str| {
        lachan(here, &["report", "merge", "inbox", "--org", org, "--lang", "en", "--out", "o"])
    };
    let (code, said) = merge("org.toml");
    assert!(code == Some(1) && said.contains("there is no report"), "{said}");
    fs::write(here.join("bad.toml"), "[[school]]\nid = \"a\"\n").unwrap();
    assert_eq!(merge("bad.toml").0, Some(3));
    assert!(!here.join("o").exists(), "nothing is written of what cannot be used");
}
