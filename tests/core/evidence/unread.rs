//! Records that the disk does not give for a while.

use std::fs;

use lachan::evidence::record::GapCause;
use lachan::metrics::counters::Counters;
use lachan::metrics::labels::Protection;

use super::{HOUR, MORNING, School, at, seconds};

#[test]
fn a_record_that_cannot_be_read_at_a_start_is_left_alone_and_counted_on_when_it_can_be() {
    let school = School::new();
    let book = school.book();
    school.tick(&book, at(1, MORNING), Protection::Ok, false);
    school.ask("games.example");
    school.tick(&book, at(61, MORNING + 60), Protection::Ok, true);
    let (file, aside) = (school.file("2026-11.json"), school.folder.path("aside"));
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    let next =
        School { counters: Counters::shared(), state: school.state.clone(), ..School::new() };
    let book = next.book();
    next.ask("games.example");
    for now in seconds(1..=100, MORNING + 100) {
        next.tick(&book, now, Protection::Ok, false);
    }
    assert!(!book.is_kept());
    assert!(file.is_dir() && !school.file("2026-11.json.broken").exists());
    fs::remove_dir(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    for now in seconds(101..=200, MORNING + 200) {
        next.tick(&book, now, Protection::Ok, false);
    }
    assert!(book.is_kept());
    let [record] = next.months();
    assert!(!record.began_anew, "{record:?}");
    assert_eq!(record.queries, 2);
    assert_eq!(record.enforcement.gaps.get(&GapCause::Stopped), Some(&40), "{record:?}");
}

#[test]
fn a_record_that_cannot_be_read_later_is_added_to_when_it_can_be() {
    let school = School::new();
    let book = school.book();
    school.tick(&book, at(1, MORNING), Protection::Ok, false);
    school.ask("games.example");
    for now in seconds(2..=700, MORNING + 1) {
        school.tick(&book, now, Protection::Ok, false);
    }
    let november = fs::read_to_string(school.file("2026-11.json")).unwrap();
    let file = school.file("2026-12.json");
    fs::create_dir(&file).unwrap();
    let day = MORNING + 24 * HOUR;
    school.tick(&book, at(701, day), Protection::Ok, false);
    school.ask("games.example");
    for now in seconds(702..=800, day + 1) {
        school.tick(&book, now, Protection::Ok, false);
    }
    assert!(!book.is_kept() && file.is_dir());
    fs::remove_dir(&file).unwrap();
    fs::write(&file, november.replace("\"month\":\"2026-11\"", "\"month\":\"2026-12\"")).unwrap();
    for now in seconds(801..=900, day + 100) {
        school.tick(&book, now, Protection::Ok, false);
    }
    assert!(book.is_kept());
    let [first, second] = school.months();
    assert_eq!((first.queries, second.queries, second.began_anew), (1, 2, false));
}
