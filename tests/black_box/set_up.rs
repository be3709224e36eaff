//! `lachan setup`: from an answers file to a system below a root, and back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::gateway::{LACHAN, run};

const ANSWERS: &str = "\
[school]
id = \"thcs-da-bac\"
name = \"THCS Đà Bắc\"
level = \"lower-secondary\"

[network]
addresses = [\"192.168.1.2\", \"fd00::2\"]
clients = [\"192.168.1.0/24\", \"fd00::/64\"]

[upstream]
servers = [\"udp://203.113.131.1\", \"tls://9.9.9.9#dns.quad9.net\"]
";

/// A file of the zone of the answers.
const ZONE: &str = "usr/share/zoneinfo/Asia/Ho_Chi_Minh";
/// The drop-in of the upgrade timer.
const TIMER: &str = "root/etc/systemd/system/lachan-upgrade.timer.d/10-timezone.conf";

/// A system below a root of its own, with answers beside it.
struct System(TempDir);

impl System {
    fn new(answers: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("answers.toml"), answers).unwrap();
        fs::create_dir_all(dir.path().join("root/etc")).unwrap();
        fs::write(dir.path().join("root/etc/resolv.conf"), "nameserver 127.0.0.53\n").unwrap();
        fs::create_dir_all(dir.path().join("root/usr/share/zoneinfo/Asia")).unwrap();
        fs::write(dir.path().join("root").join(ZONE), "TZif2").unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `setup`: its exit code and what it said.
    fn setup(&self, more: &[&str]) -> (i32, String) {
        let mut command = Command::new(LACHAN);
        command.args(["setup", "--root", "root"]).args(more).current_dir(self.0.path());
        let (status, said) = run(command);
        (status.code().unwrap(), said)
    }

    /// Every file below the root with its text, in order.
    fn files(&self) -> Vec<(String, String)> {
        let root = self.path("root");
        let (mut found, mut left) = (Vec::new(), vec![root.clone()]);
        while let Some(folder) = left.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let shown = path.strip_prefix(&root).unwrap().display().to_string();
                if path.is_dir() {
                    found.push((shown, String::new()));
                    left.push(path);
                } else {
                    found.push((shown, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    fn config(&self) -> String {
        fs::read_to_string(self.path("root/etc/lachan/gateway.toml")).unwrap()
    }
}

const WITH_ANSWERS: [&str; 2] = ["--answers", "answers.toml"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    [&WITH_ANSWERS[..], more].concat()
}

#[test]
fn a_plan_is_shown_and_nothing_is_changed_without_consent() {
    let system = System::new(ANSWERS);
    let before = system.files();
    let (code, plan) = system.setup(&with(&["--dry-run", "--lang", "vi"]));
    assert_eq!(code, 0, "{plan}");
    insta::assert_snapshot!("plan_vi", plan);
    let (code, plan) = system.setup(&with(&["--dry-run", "--lang", "en"]));
    assert_eq!(code, 0, "{plan}");
    insta::assert_snapshot!("plan_en", plan);
    // No terminal is there to consent at.
    let (code, said) = system.setup(&with(&["--lang", "en"]));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("nothing was changed; `--yes` consents"), "{said}");
    assert_eq!(system.files(), before);
}

#[test]
fn what_is_written_passes_check_and_undo_leaves_nothing_behind() {
    let system = System::new(
        &format!("{ANSWERS}\n[department]\n").replace("[network]\n", "[network]\nstub = \"off\"\n"),
    );
    let before = system.files();
    let (code, said) = system.setup(&with(&["--yes", "--lang", "en"]));
    assert_eq!(code, 0, "{said}");
    insta::assert_snapshot!("config", system.config());
    let stub = fs::read_to_string(system.path("root/etc/systemd/resolved.conf.d/lachan.conf"));
    assert!(stub.unwrap().contains("DNSStubListener=no"));
    assert!(said.contains("systemctl restart systemd-resolved"), "{said}");
    let mut check = Command::new(LACHAN);
    check.args(["check", "--lang", "en"]).arg(system.path("root/etc/lachan/gateway.toml"));
    let (status, checked) = run(check);
    assert!(status.success(), "{checked}");
    // Once more is no change.
    let files = system.files();
    assert_eq!(system.setup(&with(&["--yes"])).0, 0);
    assert_eq!(system.files(), files);
    let (code, said) = system.setup(&["--undo", "--lang", "en"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(system.files(), before);
    let (code, said) = system.setup(&["--undo", "--lang", "en"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("there is nothing to take back"), "{said}");
}

#[test]
fn a_config_that_was_there_comes_back_and_one_that_was_changed_stays() {
    let system = System::new(ANSWERS);
    let config = system.path("root/etc/lachan/gateway.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, "# of the package\n").unwrap();
    let before = system.files();
    let (code, said) = system.setup(&with(&["--yes", "--lang", "en"]));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("gateway.toml.before-setup"), "{said}");
    assert!(system.config().contains("thcs-da-bac"));
    // Other answers take the place of the first, and what was there before both is kept.
    fs::write(system.path("answers.toml"), ANSWERS.replace("lower", "upper")).unwrap();
    assert_eq!(system.setup(&with(&["--yes"])).0, 0);
    assert!(system.config().contains("upper-secondary"));
    // Somebody edits it: that is theirs.
    let edited = format!("{}# edited\n", system.config());
    fs::write(&config, &edited).unwrap();
    fs::write(system.path("answers.toml"), ANSWERS).unwrap();
    let (code, said) = system.setup(&with(&["--yes", "--lang", "en"]));
    assert_eq!((code, system.config().as_str()), (1, edited.as_str()), "{said}");
    let (code, said) = system.setup(&["--undo", "--lang", "en"]);
    assert_eq!((code, system.config().as_str()), (1, edited.as_str()), "{said}");
    assert!(said.contains("left: /etc/lachan/gateway.toml"), "{said}");
    fs::remove_file(&config).unwrap();
    let (code, said) = system.setup(&["--undo", "--lang", "en"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(system.files(), before);
}

#[test]
fn a_power_cut_behind_the_record_leaves_what_was_there() {
    let system = System::new(ANSWERS);
    let config = system.path("root/etc/lachan/gateway.toml");
    let aside = system.path("root/etc/lachan/gateway.toml.before-setup");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, "# of the package\n").unwrap();
    let before = system.files();
    for is_repeated in [false, true] {
        assert_eq!(system.setup(&with(&["--yes"])).0, 0);
        // The record is on the disk, and the config was not yet moved aside.
        fs::rename(&aside, &config).unwrap();
        if is_repeated {
            let (code, said) = system.setup(&with(&["--yes", "--lang", "en"]));
            assert!(code == 0 && aside.exists(), "{said}");
        }
        let (code, said) = system.setup(&["--undo", "--lang", "en"]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(system.files(), before);
    }
}

#[test]
fn a_power_cut_in_a_second_setup_is_taken_back_or_done_again() {
    let system = System::new(ANSWERS);
    let config = system.path("root/etc/lachan/gateway.toml");
    let record = system.path("root/etc/lachan/setup.record");
    let before = system.files();
    for is_repeated in [false, true] {
        fs::write(system.path("answers.toml"), ANSWERS).unwrap();
        assert_eq!(system.setup(&with(&["--yes"])).0, 0);
        let (first, of_first) = (system.config(), fs::read_to_string(&record).unwrap());
        fs::write(system.path("answers.toml"), ANSWERS.replace("203.113.131.1", "192.0.2.1"))
            .unwrap();
        assert_eq!(system.setup(&with(&["--yes"])).0, 0);
        let written = |text: &str| text.lines().filter(|line| line.starts_with("file ")).count();
        let of_second = fs::read_to_string(&record).unwrap();
        assert_eq!(written(&of_second), written(&of_first), "one digest a file: {of_second}");
        // The record is on the disk with both digests, and the config was not yet replaced.
        fs::write(&record, format!("{of_first}{of_second}")).unwrap();
        fs::write(&config, first).unwrap();
        if is_repeated {
            let (code, said) = system.setup(&with(&["--yes", "--lang", "en"]));
            assert!(code == 0 && system.config().contains("192.0.2.1"), "{said}");
        }
        let (code, said) = system.setup(&["--undo", "--lang", "en"]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(system.files(), before);
    }
}

#[test]
fn bad_answers_are_named_with_their_place_in_both_languages() {
    let system = System::new(&ANSWERS.replace("lower-secondary", "secondary"));
    let before = system.files();
    for (lang, word) in [("en", "unknown level"), ("vi", "cấp học")] {
        let (code, said) = system.setup(&with(&["--yes", "--lang", lang]));
        assert_eq!(code, 3, "{said}");
        assert!(said.contains("answers.toml:4:9") && said.contains(word), "{said}");
        assert!(said.contains("upper-secondary"), "{said}");
    }
    assert_eq!(system.files(), before);
}

#[test]
fn a_link_in_an_image_does_not_lead_out_of_it() {
    let system = System::new(ANSWERS);
    fs::create_dir(system.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(system.path("elsewhere"), system.path("root/etc/lachan")).unwrap();
    let (code, said) = system.setup(&with(&["--yes", "--lang", "en"]));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("a link leads out of the root"), "{said}");
    assert_eq!(fs::read_dir(system.path("elsewhere")).unwrap().count(), 0);
}

#[test]
fn a_path_that_a_record_cannot_have_is_refused() {
    let system = System::new(ANSWERS);
    let before = system.files();
    for path in [
        "gw.toml",
        "/etc/my school/gateway.toml",
        "/etc/../x/gw.toml",
        "/etc/a\nb/gateway.toml",
        "/etc/lachan/",
    ] {
        for (lang, word) in [("en", "is absolute, without a blank"), ("vi", "phải tuyệt đối")]
        {
            let (code, said) = system.setup(&with(&["--yes", "--lang", lang, "--config", path]));
            assert!(code == 3 && said.contains(word), "{path}: {code} {said}");
            let (code, said) = system.setup(&["--undo", "--lang", lang, "--config", path]);
            assert!(code == 3 && said.contains(word), "{path}: {code} {said}");
        }
    }
    assert_eq!(system.files(), before);
    assert!(!system.path("gw.toml").exists());
}

#[test]
fn a_record_with_a_line_that_cannot_be_read_stays_with_all_that_it_has() {
    let system = System::new(ANSWERS);
    let record = system.path("root/etc/lachan/setup.record");
    assert_eq!(system.setup(&with(&["--yes"])).0, 0);
    let whole = fs::read_to_string(&record).unwrap();
    let torn = whole.replace("file ", "file  ");
    fs::write(&record, &torn).unwrap();
    let files = system.files();
    for arguments in [with(&["--yes", "--lang", "en"]), vec!["--undo", "--lang", "en"]] {
        let (code, said) = system.setup(&arguments);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("setup.record:") && said.contains("`file SHA256 PATH`"), "{said}");
        assert_eq!(system.files(), files);
    }
    fs::write(&record, whole).unwrap();
    assert_eq!(system.setup(&["--undo"]).0, 0);
    assert!(!record.exists());
}

#[test]
fn a_root_that_is_no_directory_is_not_made() {
    let system = System::new(ANSWERS);
    for more in [with(&["--yes"]), vec!["--undo"]] {
        let mut command = Command::new(LACHAN);
        command.args(["setup", "--lang", "en", "--root", "nonexist"]).args(more);
        command.current_dir(system.0.path());
        let (status, said) = run(command);
        assert_eq!(status.code(), Some(3), "{said}");
        assert!(said.contains("`nonexist` is no directory"), "{said}");
    }
    assert!(!system.path("nonexist").exists());
}

#[test]
fn answers_that_are_not_there_are_told_in_the_language() {
    let system = System::new(ANSWERS);
    for (lang, word) in [("en", "cannot be read"), ("vi", "không đọc được")] {
        let (code, said) = system.setup(&["--answers", "nope.toml", "--lang", lang]);
        assert_eq!(code, 3, "{said}");
        assert!(said.contains("nope.toml") && said.contains(word), "{said}");
    }
}

#[test]
fn the_upgrade_timer_has_the_hours_of_the_school_where_the_system_knows_its_zone() {
    let system = System::new(ANSWERS);
    assert_eq!(system.setup(&with(&["--yes"])).0, 0);
    let hours = |text: &str| -> Vec<String> {
        let each = text.lines().filter(|line| line.starts_with("OnCalendar="));
        each.map(str::to_owned).collect()
    };
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/systemd/lachan-upgrade.timer");
    let unit = hours(&fs::read_to_string(unit).unwrap()).into_iter();
    let zoned = unit.map(|line| format!("{line} Asia/Ho_Chi_Minh"));
    let expected: Vec<String> = ["OnCalendar=".to_owned()].into_iter().chain(zoned).collect();
    assert!(expected.len() > 1);
    let written = fs::read_to_string(system.path(TIMER)).unwrap();
    assert!(written.contains("[Timer]\n"), "{written}");
    assert_eq!(hours(&written), expected);
    assert_eq!(system.setup(&["--undo"]).0, 0);
    assert!(!system.path("root/etc/systemd").exists());
    // A zone that systemd does not know would leave the timer without any hour.
    fs::remove_file(system.path("root").join(ZONE)).unwrap();
    let (code, said) = system.setup(&with(&["--yes", "--lang", "en"]));
    assert!(code == 0 && !system.path(TIMER).exists(), "{said}");
    assert!(said.contains("whose zones have no Asia/Ho_Chi_Minh"), "{said}");
}

#[test]
fn of_a_stub_that_was_not_looked_at_nothing_is_said() {
    let off = ANSWERS.replace("[network]\n", "[network]\nstub = \"off\"\n");
    let system = System::new(&off);
    assert_eq!(system.setup(&with(&["--yes"])).0, 0);
    fs::write(system.path("answers.toml"), ANSWERS).unwrap();
    let (_, said) = system.setup(&with(&["--dry-run", "--lang", "en"]));
    assert!(said.contains("is switched off by /etc/systemd/resolved.conf.d/lachan.conf"), "{said}");
    assert!(!said.contains("in nobody's way"), "{said}");
    assert_eq!(system.setup(&["--undo"]).0, 0);
    let (_, said) = system.setup(&with(&["--dry-run", "--lang", "en"]));
    assert!(!said.contains("systemd-resolved:"), "{said}");
}

#[test]
fn what_a_cut_left_unfinished_is_swept_away() {
    let system = System::new(ANSWERS);
    let before = system.files();
    for is_undone in [false, true] {
        assert_eq!(system.setup(&with(&["--yes"])).0, 0);
        // The number of no process: the largest is below 2^22 (proc(5), pid_max).
        for name in ["gateway.toml", "setup.record"] {
            let left = format!("root/etc/lachan/.{name}.4294967295-0.new");
            fs::write(system.path(&left), "half").unwrap();
        }
        if !is_undone {
            // Other answers, or nothing would be written.
            let other = ANSWERS.replace("203.113.131.1", "192.0.2.1");
            fs::write(system.path("answers.toml"), other).unwrap();
            assert_eq!(system.setup(&with(&["--yes"])).0, 0);
            assert!(system.files().iter().all(|(path, _)| path.strip_suffix(".new").is_none()));
        }
        assert_eq!(system.setup(&["--undo"]).0, 0);
        assert_eq!(system.files(), before);
    }
}

/// Runs a command of the department in a folder.
fn lachan(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(LACHAN);
    command.args(arguments).current_dir(folder);
    let (status, said) = run(command);
    assert!(status.success(), "{arguments:?}: {said}");
}

/// A system beside which a department has laid the enrolment file `stick.toml`.
fn with_stick() -> System {
    let system = System::new(ANSWERS);
    let dir = system.0.path();
    for key in ["r1", "r2", "r3", "o1", "o2", "online"] {
        lachan(dir, &["publish", "key", key]);
    }
    let keys = ["--root", "r1", "--root", "r2", "--root", "r3.pub"];
    let others = ["--officer", "o1", "--officer", "o2.pub", "--online", "online"];
    lachan(dir, &[&["publish", "init", "department"], &keys[..], &others].concat());
    let of =
        ["--school", "thcs-da-bac", "--url", "https://so.example/lachan", "--out", "stick.toml"];
    lachan(dir, &[&["publish", "enrol", "file", "department"], &of[..]].concat());
    system
}

const WITH_STICK: [&str; 5] = ["--yes", "--lang", "en", "--enrolment", "stick.toml"];

#[test]
fn an_enrolment_on_a_stick_is_taken_and_taken_back() {
    let system = with_stick();
    let before = system.files();
    let (code, said) = system.setup(&with(&WITH_STICK));
    assert_eq!(code, 0, "{said}");
    let config = system.config();
    assert!(config.contains("root = \"/var/lib/lachan/enrolment/root.json\""), "{config}");
    assert!(system.path("root/var/lib/lachan/enrolment/box.key").exists());
    let reply = system.path("stick.reply.json");
    let of_box = fs::read_to_string(&reply).unwrap();
    assert!(said.contains("stick.reply.json: the reply for the department"), "{said}");
    assert!(said.contains("compared with nothing"), "{said}");
    // Once more is no change, and the key stays.
    assert_eq!(system.setup(&with(&WITH_STICK)).0, 0);
    assert_eq!(fs::read_to_string(&reply).unwrap(), of_box);
    let (code, said) = system.setup(&["--undo", "--lang", "en"]);
    assert_eq!(code, 0, "{said}");
    for made in ["root.json", "box.key", "box.key.pub", "enrolment.json"] {
        let line = format!("removed: /var/lib/lachan/enrolment/{made}\n");
        assert!(said.contains(&line), "{said}");
    }
    assert_eq!(system.files(), before);
    assert!(!reply.exists(), "{said}");
    // The reply of another box is not this one's to replace.
    fs::write(&reply, "of another box").unwrap();
    let (code, said) = system.setup(&with(&WITH_STICK));
    assert!(code == 1 && said.contains("is not this box's reply"), "{said}");
    assert_eq!(fs::read_to_string(&reply).unwrap(), "of another box");
    assert_eq!(system.files(), before);
    fs::remove_file(&reply).unwrap();
    // One of another school is refused before anything is written.
    fs::write(system.path("answers.toml"), ANSWERS.replace("thcs-da-bac", "khac")).unwrap();
    let (code, said) = system.setup(&with(&WITH_STICK));
    assert_eq!(code, 3, "{said}");
    assert_eq!(system.files(), before);
}

#[test]
fn an_enrolment_is_taken_back_whole_whatever_was_there_and_wherever_it_was_cut_off() {
    let system = with_stick();
    let enrolment = system.path("root/var/lib/lachan/enrolment");
    fs::create_dir_all(&enrolment).unwrap();
    fs::set_permissions(&enrolment, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(enrolment.join("theirs"), "stays").unwrap();
    let before = system.files();
    for left in [&["root.json", "enrolment.json"][..], &["box.key"], &[]] {
        let (code, said) = system.setup(&with(&WITH_STICK));
        assert_eq!(code, 0, "{said}");
        // The power was cut before these were there, and in the midst of others.
        for name in left {
            fs::remove_file(enrolment.join(name)).unwrap();
        }
        fs::write(enrolment.join("new.key"), "half").unwrap();
        let (code, said) = system.setup(&["--undo", "--lang", "en"]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(system.files(), before);
    }
    // Changed since, the reply is somebody's, and the record says so until it is gone.
    assert_eq!(system.setup(&with(&WITH_STICK)).0, 0);
    let reply = system.path("stick.reply.json");
    fs::write(&reply, "changed").unwrap();
    let (code, said) = system.setup(&["--undo", "--lang", "en"]);
    assert!(code == 1 && said.contains("stick.reply.json was changed since"), "{said}");
    assert!(reply.exists() && system.path("root/etc/lachan/setup.record").exists());
    fs::remove_file(&reply).unwrap();
    assert_eq!(system.setup(&["--undo"]).0, 0);
    assert_eq!(system.files(), before);
}
