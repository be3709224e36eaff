//! The wear of the disk: what a school day writes in the state directory.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use lachan::category::Level;
use lachan::load::rehearsal::popular;
use lachan::metrics::labels::Protection;
use lachan::overrides::ledger::{self, LedgerEntry};
use lachan::rehearse::recent::RecentNames;
use lachan::reviews::ReviewBook;
use lachan::reviews::ask::today;
use lachan::reviews::request::{AskedSite, ReviewReason};
use serde_json::json;

use super::{HOUR, MORNING, School, at, seconds};

/// A file as it was seen: its identity, and its length.
type Seen = ((u64, i64, i64), u64);

/// The octets that were written to the files below a directory since the last look: of a file that is
/// another one, all; of one that grew, what it grew by.
fn written(directory: &Path, seen: &mut BTreeMap<PathBuf, Seen>) -> u64 {
    let mut sum = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let of = fs::metadata(&path).unwrap();
        if of.is_dir() {
            sum += written(&path, seen);
            continue;
        }
        let is_appended = path.extension().is_some_and(|end| end == "jsonl");
        let stamp = if is_appended { (0, 0) } else { (of.mtime(), of.mtime_nsec()) };
        let now = ((of.ino(), stamp.0, stamp.1), of.len());
        sum += match seen.insert(path, now) {
            Some((identity, length)) if identity == now.0 => now.1.saturating_sub(length),
            _ => now.1,
        };
    }
    sum
}

/// Law: a day of a school writes five megabytes at most. Everything is as large as it comes: a gap every
/// five minutes, a self-test of sixty rows, a hundred names under review, a change each quarter of an
/// hour.
#[test]
fn a_school_day_writes_less_than_five_megabytes() {
    let school = School::new();
    let (book, reviews) = (school.book(), ReviewBook::open(Some(school.state.clone())));
    let rows: Vec<_> = (0..60).map(|row| (format!("category-{row}@pupils"), true)).collect();
    let site = |number: u64| AskedSite::read(&format!("site-{number}.example")).unwrap();
    let word = (ReviewReason::Lesson, Level::Primary, None);
    for number in 0..100 {
        reviews.receive(&site(number), word, true, today(&school.config, at(1, MORNING)));
    }
    let (mut seen, mut octets) = (BTreeMap::new(), 0);
    let (mut of_records, state) = (0, school.state.path());
    for now in seconds(1..=86_400, MORNING - 6 * HOUR) {
        let protection = if now.mono % 300 < 20 { Protection::ListMissing } else { Protection::Ok };
        if now.mono % 300 == 0 {
            school.ask("games.example");
            book.self_tested(&rows);
        }
        let is_open = (6 * HOUR..18 * HOUR).contains(&now.mono);
        if now.mono % 900 == 0 && is_open {
            // Three an hour.
            if now.mono % 1200 != 0 {
                reviews.receive(&site(now.mono), word, true, today(&school.config, now));
            }
            let what = json!({"kind": "lesson", "group": "pupils", "names": ["a.example"]});
            ledger::write(&school.state, &LedgerEntry::new(now.civil, "begin", "Lan", &what));
        }
        school.tick(&book, now, protection, false);
        if now.mono % 60 == 30 {
            of_records += written(&state.join("evidence"), &mut seen);
            reviews.keep(now.mono, false);
            octets += written(state, &mut seen);
        }
    }
    // What an hour keeps of names that are asked for lately, and the time.
    let recent = RecentNames::new(popular(&school.config.data), (1, 2)).kept().len() as u64;
    let all = of_records + octets + 24 * (recent + 20);
    eprintln!("a school day: {all} octets, of them {of_records} of records");
    assert!(of_records < 2_500_000, "{of_records}");
    assert!(of_records > 100_000, "{of_records}");
    assert!(all < 5_000_000, "{all}");
    assert_eq!(book.this_month().unwrap().gaps.len(), 200);
}
