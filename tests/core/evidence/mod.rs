//! The evidence book in virtual time: months, restarts, power cuts, damage, and the wear of the disk.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use lachan::config::Config;
use lachan::dns::name::Name;
use lachan::dns::rtype;
use lachan::evidence::cause::Holding;
use lachan::evidence::record::{GapCause, MonthRecord, ReviewCounts};
use lachan::evidence::{EvidenceBook, EvidenceInput, records};
use lachan::metrics::counters::{Counters, Totals};
use lachan::metrics::labels::Protection;
use lachan::resolve::{Now, Transport, Trust};
use lachan::sys::state_dir::StateDir;

mod unread;
mod wear;

use crate::kit::core::{Core, synced};
use crate::kit::folder::Folder;
use crate::kit::wire::{an_address, query};

const SCHOOL: &str = r#"
default_group = "pupils"
[school]
id = "thcs"
timezone = "Asia/Ho_Chi_Minh"
level = "lower-secondary"
[lists]
starter = false
[[lists.source]]
category = "games"
path = "games.txt"
[[lists.source]]
category = "self_harm"
path = "harm.txt"
[[lists.source]]
category = "csam"
path = "csam.txt"
[[group]]
name = "pupils"
clients = ["10.1.0.0/16"]
profile = "pupils"
[profile.pupils]
level = "lower-secondary"
block = ["games", "self_harm"]
[evidence]
hours = "always"
"#;

/// 2026-11-30 06:00 in Hanoi.
const MORNING: u64 = 1_795_993_200;
const HOUR: u64 = 3600;
const PUPIL: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 5);

/// A gateway without sockets.
struct School {
    folder: Folder,
    config: Config,
    core: Core,
    counters: Counters,
    state: StateDir,
}

impl School {
    fn new() -> Self {
        let files = [
            ("games.txt", "games.example\n"),
            ("harm.txt", "harm.example\n"),
            ("csam.txt", "csam.example\n"),
        ];
        let folder = Folder::new(SCHOOL, &files);
        let made = folder.assembler().assemble().unwrap();
        let state = StateDir::at(folder.path("state")).unwrap();
        let core = Core::new(made.snapshot);
        Self { config: made.config, core, counters: Counters::shared(), folder, state }
    }

    /// A query, counted as the gateway counts it.
    fn ask(&self, name: &str) {
        let query = query(&Name::from_text(name).unwrap(), rtype::A);
        let reply = self.core.resolve(&query, PUPIL, synced(MORNING), |_| an_address(&query));
        self.counters.query(Transport::Udp, false);
        self.counters.outcome(&reply.outcome, 100);
    }

    fn tick(&self, book: &EvidenceBook, now: Now, protection: Protection, is_last: bool) {
        let holding =
            Holding { protection, held: Vec::new(), is_refused: false, has_upstream: true };
        let input = || EvidenceInput {
            config: &self.config,
            snapshot: &self.core.snapshot,
            totals: Totals::of([&self.counters]),
            config_digest: "d".repeat(64),
            unit: "box-1".to_owned(),
            release: 7,
            emergency: (0, None),
            reviews: ReviewCounts { received: 3, accepted: 1 },
        };
        book.tick(now, &holding, input, is_last);
    }

    fn book(&self) -> EvidenceBook {
        EvidenceBook::open(Some(&self.state), 0)
    }

    fn records(&self) -> Vec<MonthRecord> {
        records(self.state.path())
    }

    /// The same, where there are so many.
    fn months<const N: usize>(&self) -> [MonthRecord; N] {
        self.records().try_into().unwrap()
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path("state/evidence").join(name)
    }
}

fn at(mono: u64, civil: u64) -> Now {
    Now { mono, civil, trust: Trust::Synced }
}

/// Every second of a span of the monotonic clock; its first second is `civil`.
fn seconds(span: std::ops::RangeInclusive<u64>, civil: u64) -> impl Iterator<Item = Now> {
    let first = *span.start();
    span.map(move |mono| at(mono, civil + mono - first))
}

#[test]
fn a_month_has_what_was_counted_and_nothing_of_protected_categories() {
    let school = School::new();
    let book = school.book();
    school.tick(&book, at(1, MORNING), Protection::Ok, false);
    for name in ["games.example", "games.example", "harm.example", "csam.example", "free.example"] {
        school.ask(name);
    }
    for now in seconds(2..=601, MORNING + 1) {
        let is_missing = now.mono > 301;
        let protection = if is_missing { Protection::ListMissing } else { Protection::Ok };
        school.tick(&book, now, protection, false);
    }
    let live = book.this_month().unwrap();
    assert_eq!(live.queries, 5);
    school.tick(&book, at(602, MORNING + 601), Protection::Ok, true);
    let [record] = school.months();
    assert_eq!((record.month.as_str(), record.queries), ("2026-11", 5));
    let pupils = &record.groups["pupils"];
    assert_eq!(pupils.level, "lower-secondary");
    let blocked: Vec<_> =
        pupils.categories.iter().map(|(id, counts)| (id.as_str(), counts.blocked)).collect();
    assert_eq!(blocked, [("games", 2), ("protected", 2)]);
    assert_eq!(record.enforcement.enforced, 301);
    assert_eq!(record.enforcement.gaps[&GapCause::Lists], 300);
    assert_eq!(record.gaps.len(), 1);
    assert_eq!(record.active_days.iter().copied().collect::<Vec<_>>(), [30]);
    assert_eq!((record.reviews.received, record.reviews.accepted), (3, 1));
    let used: Vec<_> = record.releases.iter().map(|used| (used.release, used.from)).collect();
    assert_eq!(used, [(7, MORNING)]);
    assert_eq!((record.school.id.as_str(), record.school.unit.as_str()), ("thcs", "box-1"));
    assert_eq!(record.config_digest.len(), 64);
    let text = fs::read_to_string(school.file("2026-11.json")).unwrap();
    for secret in ["harm", "csam", "example", "10.1"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[test]
fn counts_until_midnight_are_of_the_day_before() {
    let school = School::new();
    let book = school.book();
    let midnight = MORNING + 18 * HOUR;
    school.tick(&book, at(1, midnight - 30), Protection::Ok, false);
    school.ask("games.example");
    for now in seconds(2..=31, midnight - 29) {
        school.tick(&book, now, Protection::Ok, false);
    }
    school.ask("free.example");
    school.tick(&book, at(91, midnight + 60), Protection::Ok, true);
    let [november, december] = school.months();
    assert_eq!((november.queries, december.queries), (1, 1));
    assert_eq!((november.enforcement.enforced, december.enforcement.enforced), (30, 60));
    assert_eq!(november.active_days.iter().copied().collect::<Vec<_>>(), [30]);
    assert_eq!(december.active_days.iter().copied().collect::<Vec<_>>(), [1]);
    assert_eq!(november.releases.len() + december.releases.len(), 2);
}

/// The cause of the gap over a restart, after a change of the text of the record.
fn gap_after(change: impl Fn(String) -> String, is_clean: bool) -> (Option<GapCause>, u64) {
    let school = School::new();
    let book = school.book();
    for now in seconds(1..=700, MORNING) {
        school.tick(&book, now, Protection::Ok, false);
    }
    if is_clean {
        school.tick(&book, at(701, MORNING + 700), Protection::Ok, true);
    }
    drop(book);
    let file = school.file("2026-11.json");
    fs::write(&file, change(fs::read_to_string(&file).unwrap())).unwrap();
    let book = school.book();
    school.tick(&book, at(1, MORNING + 4_300), Protection::Ok, false);
    let record = book.this_month().unwrap();
    let all = record.enforcement.enforced + record.enforcement.gaps.values().sum::<u64>();
    // Law: what a cut loses and what is told wrongly is ten minutes at most.
    let last = record.enforcement.enforced;
    assert!((100..=700).contains(&last), "{last}");
    (record.enforcement.gaps.keys().next().copied(), all)
}

#[test]
fn a_restart_knows_how_long_there_was_no_life_and_why() {
    let as_it_is = |text: String| text;
    let boot = |text: String| {
        let (before, after) = text.split_once("\"boot\":\"").unwrap();
        let (_, after) = after.split_once('"').unwrap();
        format!("{before}\"boot\":\"another\"{after}")
    };
    // From the first second to the start of the next life, each second is told once.
    assert_eq!(gap_after(as_it_is, true), (Some(GapCause::Stopped), 4_300));
    assert_eq!(gap_after(as_it_is, false), (Some(GapCause::Program), 4_300));
    assert_eq!(gap_after(boot, false), (Some(GapCause::Power), 4_300));
    assert_eq!(gap_after(boot, true), (Some(GapCause::Power), 4_300));
}

#[test]
fn a_power_cut_at_any_write_leaves_a_record_that_was_whole() {
    let school = School::new();
    let book = school.book();
    let file = school.file("2026-11.json");
    let mut kept = Vec::new();
    for now in seconds(1..=3 * HOUR, MORNING) {
        if now.mono % 600 == 0 {
            school.ask("games.example");
        }
        school.tick(&book, now, Protection::Ok, false);
        // Unfinished files of a writer that died, at any moment.
        if now.mono % 1000 == 0 {
            fs::write(school.file(".2026-11.json.4294967295-7.new"), "{\"form").unwrap();
        }
        if let Ok(text) = fs::read_to_string(&file) {
            let record: MonthRecord = serde_json::from_str(&text).unwrap();
            if kept.last() != Some(&record) {
                kept.push(record);
            }
        }
        // What only memory has is ten minutes at most.
        let on_disk = kept.last().map_or(0, |record| record.written.at);
        assert!(now.civil - on_disk.max(MORNING) <= 660, "{}", now.civil - MORNING);
    }
    assert!((18..=20).contains(&kept.len()), "{}", kept.len());
    // Every one of them is one that a next life goes on from, counting no query twice.
    for (place, record) in kept.iter().enumerate() {
        fs::write(&file, serde_json::to_vec(record).unwrap()).unwrap();
        let next = school.book();
        // Its process counts from zero.
        let queries = record.queries;
        let fresh = School { counters: Counters::shared(), ..School::new() };
        let fresh = School { state: school.state.clone(), ..fresh };
        fresh.tick(&next, at(1, MORNING + 4 * HOUR), Protection::Ok, false);
        let found = next.this_month().unwrap();
        assert_eq!(found.queries, queries, "{place}");
        let gap = found.enforcement.gaps[&GapCause::Program];
        assert_eq!(found.enforcement.enforced + gap, 4 * HOUR, "{place}");
    }
}

#[test]
fn a_damaged_record_is_set_aside_and_told_and_none_begins_a_gap() {
    for damage in
        ["{\"format\":1,\"mon", "", "\u{0}\u{0}", "[]", "{\"format\":9,\"month\":\"2026-11\"}"]
    {
        let school = School::new();
        fs::create_dir_all(school.file("")).unwrap();
        fs::write(school.file("2026-11.json"), damage).unwrap();
        fs::write(school.file("held.json"), damage).unwrap();
        fs::write(school.file("notes.txt"), "a person's").unwrap();
        let book = school.book();
        for now in seconds(1..=70, MORNING) {
            school.tick(&book, now, Protection::Ok, false);
        }
        school.tick(&book, at(71, MORNING + 70), Protection::Ok, true);
        let [record] = school.months();
        assert!(record.began_anew, "{damage}");
        assert_eq!(record.enforcement.gaps.len(), 0);
        assert_eq!(fs::read_to_string(school.file("2026-11.json.broken")).unwrap(), damage);
        // A second one is set aside beside the first.
        fs::write(school.file("2026-11.json"), "again").unwrap();
        school.book();
        assert_eq!(fs::read_to_string(school.file("2026-11.json.broken")).unwrap(), damage);
        assert_eq!(fs::read_to_string(school.file("2026-11.json.broken.2")).unwrap(), "again");
        assert!(school.file("notes.txt").exists() && school.file("held.json.broken").exists());
    }
}

#[test]
fn a_record_of_another_school_or_of_no_month_is_set_aside() {
    type Edit = fn(&mut serde_json::Value);
    let edits: [Edit; 3] = [
        |record| record["school"]["id"] = "other".into(),
        |record| record["enforcement"]["enforced"] = 99_999_999.into(),
        |record| record["enforcement"]["gaps"]["power"] = u64::MAX.into(),
    ];
    for edit in edits {
        let school = School::new();
        let book = school.book();
        for now in seconds(1..=70, MORNING) {
            school.tick(&book, now, Protection::Ok, false);
        }
        school.tick(&book, at(71, MORNING + 70), Protection::Ok, true);
        let file = school.file("2026-11.json");
        let mut record = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        edit(&mut record);
        fs::write(&file, record.to_string()).unwrap();
        let book = school.book();
        for now in seconds(1..=70, MORNING + 100) {
            school.tick(&book, now, Protection::Ok, false);
        }
        school.tick(&book, at(71, MORNING + 170), Protection::Ok, true);
        let [record] = school.months();
        assert!(record.began_anew && record.enforcement.enforced < 100, "{record:?}");
        assert!(school.file("2026-11.json.broken").exists());
    }
}

#[test]
fn counts_without_a_clock_outlive_a_restart_and_are_counted_once() {
    let school = School::new();
    let untrusted = |mono| Now { mono, civil: 500 + mono, trust: Trust::Untrusted };
    let book = school.book();
    school.tick(&book, untrusted(1), Protection::Clock, false);
    school.ask("games.example");
    school.tick(&book, untrusted(120), Protection::Clock, true);
    assert_eq!(school.records(), []);
    assert!(school.file("held.json").exists());
    let held = fs::read(school.file("held.json")).unwrap();
    // The next life of the machine: the process counts from zero.
    let next =
        School { counters: Counters::shared(), state: school.state.clone(), ..School::new() };
    let book = next.book();
    next.tick(&book, untrusted(1), Protection::Clock, false);
    next.tick(&book, at(61, MORNING), Protection::Ok, false);
    let [record] = next.months();
    assert_eq!((record.month.as_str(), record.queries), ("2026-11", 1));
    assert_eq!(record.queries_without_clock, 1);
    assert_eq!(record.groups["pupils"].categories["games"].blocked, 1);
    assert!(!school.file("held.json").exists());
    // A cut between the record and the removal of the counts: they are in already.
    fs::write(school.file("held.json"), held).unwrap();
    let last =
        School { counters: Counters::shared(), state: school.state.clone(), ..School::new() };
    let book = last.book();
    last.tick(&book, at(1, MORNING + 100), Protection::Ok, true);
    assert_eq!(last.records()[0].queries, 1);
}

#[test]
fn a_disk_that_takes_nothing_loses_nothing_while_the_process_lives() {
    let school = School::new();
    let book = school.book();
    school.tick(&book, at(1, MORNING), Protection::Ok, false);
    assert!(book.is_kept());
    // A file stands where the directory was.
    fs::remove_dir_all(school.file("")).unwrap();
    fs::write(school.folder.path("state/evidence"), "").unwrap();
    school.ask("games.example");
    for now in seconds(2..=700, MORNING + 1) {
        school.tick(&book, now, Protection::Ok, false);
    }
    assert!(!book.is_kept());
    assert_eq!(book.this_month().unwrap().queries, 1);
    fs::remove_file(school.folder.path("state/evidence")).unwrap();
    for now in seconds(701..=770, MORNING + 700) {
        school.tick(&book, now, Protection::Ok, false);
    }
    assert!(book.is_kept());
    assert_eq!(school.records()[0].queries, 1);
}

#[test]
fn self_tests_are_counted_by_row() {
    let school = School::new();
    let book = school.book();
    let row = |id: &str, passed| (id.to_owned(), passed);
    book.self_tested(&[row("games@pupils", true), row("fresh", true)]);
    book.self_tested(&[row("games@pupils", false), row("fresh", true)]);
    school.tick(&book, at(1, MORNING), Protection::Ok, true);
    let [record] = school.months();
    assert_eq!((record.self_test.runs, record.self_test.failed), (2, 1));
    let games = record.self_test.rows["games@pupils"];
    assert_eq!((games.asked, games.passed), (2, 1));
}

#[test]
fn records_go_by_age_only_where_a_time_server_says_so() {
    let school = School::new();
    fs::create_dir_all(school.file("")).unwrap();
    let months = ["2023-01", "2024-10", "2024-11", "2026-10"];
    let write = |month: &str| {
        let record = MonthRecord::new(month.parse().unwrap());
        fs::write(school.file(&format!("{month}.json")), serde_json::to_vec(&record).unwrap())
            .unwrap();
    };
    for month in &months {
        write(month);
    }
    let found = |school: &School| -> Vec<String> {
        school.records().into_iter().map(|record| record.month).collect()
    };
    let book = school.book();
    let plausible = Now { trust: Trust::Plausible, ..at(1, MORNING) };
    school.tick(&book, plausible, Protection::Ok, true);
    assert_eq!(found(&school), ["2023-01", "2024-10", "2024-11", "2026-10", "2026-11"]);
    let book = school.book();
    school.tick(&book, at(1, MORNING), Protection::Ok, true);
    assert_eq!(found(&school), ["2024-11", "2026-10", "2026-11"]);
    assert!(!book.was_cut());
}

/// P7: what is older than its key says is gone, once a time server says what time it is.
#[test]
fn p7_records_and_changes_are_kept_as_long_as_their_keys_say() {
    let school = School::new();
    fs::create_dir_all(school.file("")).unwrap();
    for month in ["2020-01", "2024-11"] {
        let record = MonthRecord::new(month.parse().unwrap());
        fs::write(school.file(&format!("{month}.json")), serde_json::to_vec(&record).unwrap())
            .unwrap();
    }
    let ledger = |month: &str| school.state.path().join(format!("ledger-{month}.jsonl"));
    for month in ["2020-01", "2022-01"] {
        fs::write(ledger(month), "{\"at\":1600000000,\"action\":\"begin\"}\n").unwrap();
    }
    let book = school.book();
    school.tick(&book, at(1, MORNING), Protection::Ok, true);
    let found: Vec<String> = school.records().into_iter().map(|record| record.month).collect();
    assert_eq!(found, ["2024-11", "2026-11"], "`keep` is 24 months");
    assert!(!ledger("2020-01").exists() && ledger("2022-01").exists(), "`ledger` is 60 months");
    // No count is of an hour or a day: nothing finer than a month is there to be kept.
    let text = fs::read_to_string(school.file("2026-11.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let finer = |key: &&String| key.contains("hour") || key.contains("minute");
    assert!(!record.as_object().unwrap().keys().any(|key| finer(&key)), "{text}");
}

/// Law: a reader takes no other file for a record, and needs no directory.
#[test]
fn a_reader_needs_nothing_to_be_there() {
    assert_eq!(records(Path::new("/nonexistent")), []);
}
