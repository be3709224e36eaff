//! What `check` warns of: no mistake, and seldom what was meant.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::gateway::LACHAN;

/// What `check` says of a config, and its exit codes without and with `--strict`.
fn check(text: &str, files: &[(&str, &str)]) -> (Vec<String>, Option<i32>, Option<i32>) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let config = dir.path().join("gateway.toml");
    std::fs::write(&config, text).unwrap();
    let run = |more: &[&str]| {
        let mut command = Command::new(LACHAN);
        command.args(["check", "--json"]).args(more).arg(&config).output().unwrap()
    };
    let output = run(&[]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let warnings = said["warnings"].as_array().unwrap().iter().map(|one| {
        format!("{}: {}", one["line"].as_u64().unwrap_or(0), one["message"].as_str().unwrap())
    });
    (warnings.collect(), output.status.code(), run(&["--strict"]).status.code())
}

const SCHOOL: &str = "[school]\nlevel = \"lower-secondary\"\ntimezone = \"Asia/Ho_Chi_Minh\"\n";

#[test]
fn what_costs_dearly_is_told_with_its_line() {
    let calendar = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20110101\nEND:VEVENT\n\
        END:VCALENDAR\n";
    let lessons = "[[schedule]]\nname = \"lessons\"\ntimes = [\"07:00-11:30\"]\n";
    let cases = [
        (format!("[school]\nlevel = \"primary\"\n{lessons}"), "3: [school] has no `timezone`"),
        (
            format!("{SCHOOL}{}", lessons.replace("lessons", "lesson")),
            "5: nothing depends on schedule `lesson`",
        ),
        (
            format!("{SCHOOL}{lessons}except = [\"old.ics\"]\n"),
            "7: no event of `old.ics` is to come",
        ),
        (
            format!("{SCHOOL}{}", lessons.replace("07:00-11:30", "13:30-12:00")),
            "6: `13:30-12:00` ends on the next day and lasts 22 h 30 min",
        ),
        (
            format!(
                "default_group = \"staff\"\n{SCHOOL}[[group]]\nname = \"staff\"\nlevel = \"staff\"\n"
            ),
            "1: every client in no other group is in `staff`",
        ),
        (
            format!(
                "{SCHOOL}[[group]]\nname = \"default\"\nprofile = \"p\"\n[profile.p]\nblock = [\"malware\"]\n"
            ),
            "8: `block` of profile `p` is complete, and opens",
        ),
        (
            format!(
                "{SCHOOL}[[group]]\nname = \"default\"\nprofile = \"p\"\n[profile.p]\ndeny = [\"youtube\"]\n"
            ),
            "8: `youtube` in `deny` is a whole top-level domain",
        ),
        (
            format!(
                "{SCHOOL}[[group]]\nname = \"default\"\nprofile = \"p\"\n[profile.p]\nallow = [\"a.example\"]\ndeny = [\"A.example.\"]\n"
            ),
            "9: `A.example.` is in `allow` and in `deny`",
        ),
        (
            format!(
                "{SCHOOL}[listen]\nallow = [\"127.0.0.1/32\"]\n[[group]]\nname = \"lab\"\nclients = [\"127.0.0.2-127.0.0.9\"]\n"
            ),
            "8: group `lab`: `127.0.0.2/31` is outside `allow`",
        ),
        (
            format!(
                "{SCHOOL}[upstream]\nservers = [\"udp://9.9.9.9\"]\ndeadline = \"100ms\"\ntimeout = \"2s\"\n"
            ),
            "6: ",
        ),
    ];
    for (text, expected) in cases {
        let (warnings, plain, strict) = check(&text, &[("old.ics", calendar)]);
        let is_told = warnings.iter().any(|said| said.starts_with(expected));
        assert!(is_told, "{text}\n{expected}\n{warnings:#?}");
        assert_eq!((plain, strict), (Some(0), Some(3)), "{text}");
    }
    // Nothing is said of what is meant.
    let night = "[[schedule]]\nname = \"night\"\ntimes = [\"21:00-05:00\"]\n[profile.p.during.night]\nallow_only = true\n";
    let usual = format!(
        "{SCHOOL}{lessons}{night}[[group]]\nname = \"default\"\nprofile = \"p\"\n[profile.p]\nallow = [\"a.example\"]\n"
    );
    assert_eq!(check(&usual, &[]), (Vec::new(), Some(0), Some(0)));
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/gateway.toml");
    let output = Command::new(LACHAN).arg("check").arg(own).output().unwrap();
    assert!(output.status.success());
}

#[test]
fn a_file_that_root_alone_can_read_is_told() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let dir = tempfile::tempdir().unwrap();
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(dir.path(), 0o755);
    let (config, list) = (dir.path().join("gateway.toml"), dir.path().join("list.txt"));
    std::fs::write(&list, "bad.example\n").unwrap();
    std::fs::write(&config, "[[lists.source]]\ncategory = \"games\"\npath = \"list.txt\"\n")
        .unwrap();
    open(&list, 0o600);
    open(&config, 0o644);
    if std::fs::metadata(&list).unwrap().uid() != 0 {
        return;
    }
    let said = |mode| {
        open(&list, mode);
        let output = Command::new(LACHAN).args(["check"]).arg(&config).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(
        said(0o600).contains("list.txt` (mode 0600) can be read by this user"),
        "{}",
        said(0o600)
    );
    assert!(!said(0o644).contains("warning"), "{}", said(0o644));
    open(dir.path(), 0o700);
    assert!(said(0o644).contains("(mode 0700)"), "{}", said(0o644));
}

#[test]
fn the_zone_and_the_times_are_in_the_effective_policy() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("gateway.toml");
    let lessons =
        "[[schedule]]\nname = \"lessons\"\ndays = [\"mon-wed\"]\ntimes = [\"07:00-11:30\"]\n";
    std::fs::write(&config, format!("{SCHOOL}{lessons}")).unwrap();
    let output = Command::new(LACHAN).args(["check", "--effective"]).arg(&config).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("times by Asia/Ho_Chi_Minh"), "{said}");
    assert!(said.contains("lessons  mon tue wed 07:00-11:30"), "{said}");
}
