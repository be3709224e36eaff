//! A clock that is ten years off, or of 1970, at the start and while the gateway serves.
//!
//! The time is libfaketime's: a namespace of time moves no `CLOCK_REALTIME`.

use std::fs;
use std::path::{Path, PathBuf};

use super::load;
use crate::kit::data::skipped;
use crate::kit::repository::{TestRepository, copy};
use crate::support::api::Api;
use crate::support::{Ask, Gateway, PUPIL, STAFF, Upstream, eventually};

/// The times, as libfaketime reads them, and how far the clock can be trusted then.
const TIMES: [(&str, &str); 4] = [
    ("+9y", "plausible"),
    // Over ten years behind the build of the program.
    ("+11y", "untrusted"),
    ("-10y", "untrusted"),
    ("@1970-01-01 00:01:00", "untrusted"),
];

/// In the lessons of a trusted clock, and at no other time.
const LESSON: &str = "lesson.example";

/// A clock that a file moves.
struct Clock {
    file: PathBuf,
    words: Vec<String>,
    _dir: tempfile::TempDir,
}

impl Clock {
    /// The right time at first; `None` without libfaketime.
    fn new(test: &str) -> Option<Self> {
        let library = |entry: fs::DirEntry| entry.path().join("faketime/libfaketimeMT.so.1");
        let found = fs::read_dir("/usr/lib").unwrap().flatten().map(library).find(|at| at.exists());
        let Some(library) = found else {
            skipped(&format!("{test}: no libfaketime (Debian's package `faketime`)"));
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("time");
        let words = [
            "env".to_owned(),
            format!("LD_PRELOAD={}", library.display()),
            format!("FAKETIME_TIMESTAMP_FILE={}", file.display()),
            "FAKETIME_NO_CACHE=1".to_owned(),
            // As a wrong clock has it: monotonic time and the times of files are right.
            "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
            "DONT_FAKE_MONOTONIC=1".to_owned(),
            "NO_FAKE_STAT=1".to_owned(),
        ];
        let clock = Self { file, words: words.to_vec(), _dir: dir };
        clock.set("+0");
        Some(clock)
    }

    fn set(&self, time: &str) {
        let beside = self.file.with_extension("next");
        fs::write(&beside, format!("{time}\n")).unwrap();
        fs::rename(beside, &self.file).unwrap();
    }

    fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }
}

/// A school with lessons all day, which follows a department.
fn school(office: &TestRepository, upstream: &Upstream, clock: &Clock) -> Gateway {
    let lessons = format!(
        "[[schedule]]\nname = \"lessons\"\ntimes = [\"00:00-12:00\", \"12:00-24:00\"]\n\
         [profile.pupils.during.lessons]\nallow = [\"{LESSON}\"]\n\
         [update]\nroot = \"root.json\"\ndirectory = \"copy\"\n"
    );
    let plan = load::with_files(Gateway::plan(&load::config(&lessons)).upstream(upstream));
    let plan = plan.file("lists/lesson.txt", &format!("{LESSON}\n"));
    plan.made(|dir: &Path| {
        fs::copy(office.root(), dir.join("root.json")).unwrap();
        copy(&office.path(), &dir.join("copy"));
    })
    .under(&clock.words())
    .start()
}

fn release(office: &TestRepository, serial: u64) {
    office.release_of(&["released.example".to_owned(), format!("release-{serial}.example")]);
    office.rollout(serial);
}

/// What no clock changes: what is blocked, and the times for which answers are kept.
fn assert_sane(gateway: &Gateway, time: &str, is_trusted: bool) {
    load::assert_filters(gateway, time);
    assert!(load::is_blocked(gateway, "released.example"), "{time}: the release is lost");
    if is_trusted {
        // What was not worked out is strict until it is.
        eventually("lessons", || (!load::is_blocked(gateway, LESSON)).then_some(()));
    } else {
        assert!(load::is_blocked(gateway, LESSON), "{time}: a lesson opens {LESSON}");
    }
    for name in ["free.example", "adult.example"] {
        let ttls = Ask::new(name, "A").from(PUPIL).expect(gateway.dns).ttls();
        assert!(ttls.iter().all(|ttl| (1..=3600).contains(ttl)), "{time}: {name} {ttls:?}");
    }
    let (status, text) = gateway.get("/readyz");
    assert_eq!(status, 200, "{time}: {text}");
}

fn until_clock(gateway: &Gateway, state: &str) {
    eventually(&format!("the clock is {state}"), || {
        let metrics = gateway.metrics();
        (metrics.value("lachan_clock_state", &[("state", state)]) > 0.0).then_some(())
    });
}

/// The records of months.
fn records(gateway: &Gateway) -> Vec<String> {
    let entries = fs::read_dir(gateway.dir().join("state/evidence")).unwrap().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_clock_that_jumps_while_it_serves_changes_no_verdict_but_the_lessons() {
    let Some(clock) = Clock::new("a clock that jumps") else { return };
    let (upstream, office) = (Upstream::start(), TestRepository::new());
    release(&office, 1);
    let gateway = school(&office, &upstream, &clock);
    load::until_blocked(&gateway, "release-1.example");
    until_clock(&gateway, "plausible");
    assert_sane(&gateway, "at first", true);
    let ((), seen) = load::asked(gateway.dns, || {
        for (time, state) in TIMES {
            // By way of a time that nobody trusts, so that each step is seen.
            clock.set("-20y");
            until_clock(&gateway, "untrusted");
            clock.set(time);
            until_clock(&gateway, state);
            assert_sane(&gateway, time, state != "untrusted");
            gateway.reload();
            assert_sane(&gateway, time, state != "untrusted");
            // An exam that begins under a wrong clock binds, and can be ended.
            let api = Api::of(&gateway);
            let (status, body) = api.exam("staff", "only.example").unwrap();
            let has_exam = || {
                Ask::new("free.example", "A").from(STAFF).expect(gateway.dns).rcode() == "NXDOMAIN"
            };
            assert_eq!(has_exam(), status == 201, "{time}: {body}");
            if let Some(id) = api.id_for("staff") {
                assert_eq!(api.end(id).unwrap().0, 200, "{time}");
            }
            assert!(!has_exam(), "{time}");
            clock.set("+0");
            until_clock(&gateway, "plausible");
            assert_sane(&gateway, "the right time again", true);
        }
    });
    seen.assert_answered();
    release(&office, 2);
    copy(&office.path(), &gateway.dir().join("copy"));
    load::until_blocked(&gateway, "release-2.example");
    assert_sane(&gateway, "after a release", true);
}

#[test]
fn a_start_under_a_wrong_clock_filters_and_forgets_nothing() {
    let Some(clock) = Clock::new("a start under a wrong clock") else { return };
    let (upstream, office) = (Upstream::start(), TestRepository::new());
    release(&office, 1);
    let mut gateway = school(&office, &upstream, &clock);
    load::until_blocked(&gateway, "release-1.example");
    gateway.terminate();
    let before = records(&gateway);
    assert!(!before.is_empty());
    for (time, state) in TIMES {
        clock.set(time);
        gateway = gateway.restart_under(&clock.words());
        until_clock(&gateway, state);
        assert_sane(&gateway, time, state != "untrusted");
        gateway.terminate();
        clock.set("+0");
        gateway = gateway.restart_under(&clock.words());
        until_clock(&gateway, "plausible");
        assert_sane(&gateway, "the right time again", true);
        gateway.terminate();
        let after = records(&gateway);
        assert!(before.iter().all(|name| after.contains(name)), "{time}: {before:?} {after:?}");
    }
    release(&office, 2);
    copy(&office.path(), &gateway.dir().join("copy"));
    gateway = gateway.restart_under(&clock.words());
    load::until_blocked(&gateway, "release-2.example");
}
