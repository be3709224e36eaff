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
    assert!(said["ok"] == true, "{said:#}");
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

const PROFILE: &str = "[[group]]\nname = \"default\"\nprofile = \"p\"\n[profile.p]\n";

/// Pairs of settings of which one makes the other void. Each is told at the void one.
#[test]
fn settings_that_contradict_are_told() {
    let profile = PROFILE;
    let source = |more: &str| {
        format!("[lists]\nstarter = false\n[[lists.source]]\ncategory = \"games\"\n{more}\n")
    };
    let cases = [
        (String::from("[rebinding]\nprotect = false\nallow = [\"a.example\"]\n"), "`allow` has no"),
        ("[limits]\nclient_rate = 0\nclient_burst = 9\n".into(), "`client_burst` has no effect"),
        ("[limits]\nexempt = [\"203.0.113.0/24\"]\n".into(), "`203.0.113.0/24` of `exempt`"),
        ("[cache]\nstale = \"0s\"\nstale_after = \"1s\"\n".into(), "`stale_after` has no effect"),
        (
            "[listen]\ntcp_connections = 9\ntcp_per_client = 10\n".into(),
            "`tcp_per_client` is 10, more than `tcp_connections`, which is 9",
        ),
        (
            "[listen]\nstream_memory = \"1MiB\"\nstream_memory_client = \"2MiB\"\n".into(),
            "`stream_memory_client` is 2MiB, more than",
        ),
        (
            "[upstream]\nin_flight = 5\nserver_in_flight = 6\n".into(),
            "`server_in_flight` is 6, more than",
        ),
        (
            "[upstream]\nservers = [\"udp://9.9.9.9\"]\nresolv_conf = \"/etc/resolv.conf\"\n"
                .into(),
            "`resolv_conf` has no effect: `servers` names",
        ),
        (
            "[lists]\nuse_keywords = false\nkeywords = \"k.txt\"\n".into(),
            "`keywords` has no effect: `use_keywords` is false",
        ),
        (
            format!("[lists]\nuse_keywords = false\n{profile}keywords = true\n"),
            "`keywords` has no effect",
        ),
        (
            format!("{}[fail_mode]\nsocial = \"closed\"\n", source("path = \"g.txt\"")),
            "`social` has no effect: no list",
        ),
        (
            format!("{}{profile}block = [\"social\"]\n", source("path = \"g.txt\"")),
            "`social` has no effect: no list",
        ),
        (
            source("url = \"https://x.example/l\"\nevery = \"15m\"\ntimeout = \"30m\"")
                + "[state]\ndir = \"state\"\n",
            "`timeout` is 30m, more than `every`",
        ),
        (
            format!("{}[admin]\ntoken = \"./g.txt\"\n", source("path = \"g.txt\"")),
            "g.txt` is the file of `path` and of `token`",
        ),
    ];
    told(&cases);
}

#[test]
fn words_of_a_profile_that_contradict_are_told() {
    let profile = PROFILE;
    let window = "[[schedule]]\nname = \"w\"\ntimes = [\"07:00-08:00\"]\n[profile.p.during.w]\n";
    let source = |more: &str| {
        format!("[lists]\nstarter = false\n[[lists.source]]\ncategory = \"games\"\n{more}\n")
    };
    let cases = [
        (
            format!("{profile}allow_only = [\"a.example\"]\nblock = [\"games\"]\n"),
            "`block` has no effect: with `allow_only`",
        ),
        (
            format!("{}{profile}allow_only = true\n", source("path = \"g.txt\"")),
            "`allow_only` without a name",
        ),
        (
            format!("[essential]\nnames = [\"a.example\"]\n{profile}deny = [\"www.a.example\"]\n"),
            "`www.a.example` is in `deny` and is essential",
        ),
        (
            format!("[local]\nrecords = [\"p.lan A 10.0.0.9\"]\n{profile}deny = [\"p.lan\"]\n"),
            "`p.lan` is in `deny` and has local records",
        ),
        (
            format!(
                "{profile}{window}allow = [\"bundle:b\"]\ndeny = [\"a.example\"]\n[bundle.b]\nnames = [\"a.example\"]\n"
            ),
            "`a.example` is in `allow` and in `deny`",
        ),
        (format!("{profile}{window}deny = [\"com\"]\n"), "`com` in `deny` is a whole top-level"),
        (format!("{profile}{window}block = [\"adult\"]\n"), "`adult` has no effect: it is so"),
        (format!("{profile}{window}"), "this `during` changes nothing"),
        (
            format!(
                "{profile}level = \"staff\"\n[[group]]\nname = \"g\"\nclients = [\"10.0.0.0/8\"]\nlevel = \"staff\"\nlessons = \"w\"\n[[schedule]]\nname = \"w\"\ntimes = [\"07:00-08:00\"]\n"
            ),
            "`lessons` has no effect: lessons change nothing for group `g`",
        ),
        (
            "[[group]]\nname = \"tablets\"\nmacs = [\"da:a1:19:00:00:01\"]\n".into(),
            "group `tablets`: `da:a1:19:00:00:01` was drawn by the device itself",
        ),
        (
            "[[group]]\nname = \"desk\"\nmacs = [\"a0:36:9f:00:00:01\"]\ntokens_from = [\"192.0.2.0/24\"]\n".into(),
            "group `desk`: `192.0.2.0/24` is outside `allow`",
        ),
        (
            "[department]\npolicy = \"dep.toml\"\n".into(),
            "Sở locks `adult` and unlocks it; the lock counts",
        ),
        (
            "[department]\npolicy = \"dep.toml\"\n".into(),
            "Sở allows `x.example` and denies it; it is allowed",
        ),
    ];
    told(&cases);
}

/// Each config is right, and its warnings have these words.
fn told(cases: &[(String, &str)]) {
    let department = "name = \"Sở\"\nallow = [\"x.example\"]\ndeny = [\"x.example\"]\n\
        [[lock]]\ncategory = \"adult\"\n[[unlock]]\ncategory = \"adult\"\n";
    let files = [("g.txt", "games.example\n"), ("k.txt", ""), ("dep.toml", department)];
    for (text, expected) in cases {
        // Keys before the first table would be of the table before them.
        let text =
            if text.starts_with("[[group]]") { format!("{SCHOOL}{text}") } else { text.clone() };
        let (warnings, plain, strict) = check(&text, &files);
        let is_told = warnings.iter().any(|said| said.contains(expected));
        assert!(is_told, "{text}\n{expected}\n{warnings:#?}");
        assert_eq!((plain, strict), (Some(0), Some(3)), "{text}");
    }
}

/// What is said of a list is said in the language of the school, or of `--lang`; a result that
/// cannot be written is no success, and a reader that has seen enough is no failure.
#[test]
fn what_is_said_of_lists_is_in_both_languages_and_a_full_disk_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("gateway.toml");
    let source = "[[lists.source]]\ncategory = \"games\"\npath = \"list.txt\"\n";
    std::fs::write(&config, format!("[school]\nlang = \"vi\"\n{source}")).unwrap();
    let list = "||x.example^$dnsrewrite=192.0.2.1\n||y.example^$bogus=1\n";
    std::fs::write(dir.path().join("list.txt"), list).unwrap();
    let run = |more: &[&str]| {
        let mut command = Command::new(LACHAN);
        command.arg("check").args(more).arg(&config);
        command
    };
    let said = |more: &[&str]| String::from_utf8(run(more).output().unwrap().stdout).unwrap();
    for (more, words) in [
        (&[][..], ["câu trả lời riêng của danh sách", "bỏ qua 1 dòng"]),
        (&["--lang", "en"][..], ["answers of the list's own", "1 lines left out"]),
    ] {
        let said = said(more);
        assert!(words.iter().all(|words| said.contains(words)), "{said}");
    }
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = run(&[]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be written"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = run(&["--effective"]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}
