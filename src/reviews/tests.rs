//! The review book: bounds, clocks, disks, and what nobody may learn from it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use jiff::tz::TimeZone;

use super::book::{DAYS, MAX_ROWS, ReviewBook};
use super::day::CivilDay;
use super::forwarded::{ForwardedError, ForwardedFile, ForwardedReview};
use super::request::{AskedSite, ReviewReason};
use super::stored::{MAX_CODES, ReviewState, ReviewWord, StoredReview};
use crate::category::Level;
use crate::sys::state_dir::{AGAIN, StateDir};

const START: u64 = 1_795_910_400;
const ASK: (ReviewReason, Level, Option<&str>) =
    (ReviewReason::Lesson, Level::LowerSecondary, Some("ABCDEFG"));

fn day(offset: u64) -> Option<CivilDay> {
    CivilDay::of(START + offset * 86_400, &TimeZone::UTC)
}

fn site(name: &str) -> AskedSite {
    AskedSite::read(name).unwrap()
}

fn word(reason: &str) -> ReviewWord {
    ReviewWord { by: "Lan".into(), reason: reason.into() }
}

fn names(book: &ReviewBook) -> Vec<(String, u32)> {
    book.list().into_iter().map(|row| (row.name, row.count)).collect()
}

#[test]
fn a_row_counts_by_reason_and_level_and_nothing_else() {
    let book = ReviewBook::open(None);
    for _ in 0..6 {
        book.receive(&site("games.example"), ASK, true, day(0));
    }
    let other = (ReviewReason::Mistake, Level::Primary, Some("HJKMNPQ"));
    book.receive(&site("games.example"), other, true, day(3));
    let row = book.list().remove(0);
    assert_eq!((row.count, row.first, row.last), (7, day(0), day(3)));
    assert_eq!(row.reasons.values().collect::<Vec<_>>(), [&6, &1]);
    assert_eq!(row.levels.values().sum::<u32>(), 7);
    assert_eq!(row.codes.len(), MAX_CODES);
    assert_eq!(row.codes.last().map(String::as_str), Some("HJKMNPQ"));
    let text = serde_json::to_string(&row).unwrap();
    let fields: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut keys: Vec<_> = fields.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["codes", "count", "first", "last", "levels", "name", "reasons", "state"]);
}

#[test]
fn a_name_without_a_row_cannot_be_told_from_one_with_a_row() {
    let scratch = tempfile::tempdir().unwrap();
    let states = ["row", "none"].map(|name| StateDir::at(scratch.path().join(name)).unwrap());
    let books = states.clone().map(|state| ReviewBook::open(Some(state)));
    let receipts = [
        books[0].receive(&site("games.example"), ASK, true, day(0)),
        books[1].receive(&site("games.example"), ASK, false, day(0)),
    ];
    for (receipt, book) in receipts.iter().zip(&books) {
        assert!(receipt.is_kept);
        book.keep(0, false);
    }
    assert_eq!(receipts[0], receipts[1]);
    assert_eq!([books[0].list().len(), books[1].list().len()], [1, 0]);
    // Both files are written: the disk's activity says nothing either.
    assert!(states.iter().all(|state| state.join("reviews.json").is_file()));
    let counts = books.each_ref().map(|book| {
        let samples = book.samples();
        samples.len()
    });
    assert_eq!(counts[0], counts[1]);
}

#[test]
fn at_the_limit_a_name_that_was_asked_for_once_gives_way_and_others_stay() {
    let book = ReviewBook::open(None);
    for number in 0..MAX_ROWS as u64 {
        let often = if number < 2 { 1 } else { 2 };
        for _ in 0..often {
            book.receive(&site(&format!("n{number}.example")), ASK, true, day(number % 20));
        }
    }
    assert_eq!(book.list().len(), MAX_ROWS);
    let told = book.receive(&site("more.example"), ASK, true, day(20));
    let has = |name: &str| book.list().iter().any(|row| row.name == name);
    assert!(has("more.example") && !has("n0.example") && has("n1.example"));
    assert_eq!(book.list().len(), MAX_ROWS);
    // Those that are asked for often are never pushed out by a flood of other names.
    for number in 0..2000 {
        let flooded = book.receive(&site(&format!("f{number}.example")), ASK, true, day(20));
        assert_eq!(flooded, told);
    }
    assert_eq!(book.list().len(), MAX_ROWS);
    assert!((2..MAX_ROWS).all(|number| has(&format!("n{number}.example"))));
}

#[test]
fn a_row_is_gone_after_thirty_days_and_a_clock_that_jumps_back_keeps_none_for_ever() {
    let book = ReviewBook::open(None);
    book.receive(&site("old.example"), ASK, true, day(0));
    book.receive(&site("new.example"), ASK, true, day(5));
    book.expire(day(u64::from(DAYS) - 1).unwrap());
    assert_eq!(book.list().len(), 2);
    book.expire(day(u64::from(DAYS)).unwrap());
    assert_eq!(names(&book), [("new.example".into(), 1)]);
    // A day in 2040, then today again.
    book.receive(&site("jump.example"), ASK, true, day(5000));
    book.expire(day(6).unwrap());
    assert!(book.list().iter().all(|row| row.last <= day(6)));
    book.expire(day(6 + u64::from(DAYS)).unwrap());
    assert!(book.list().is_empty());
    // While nobody knows the day a row has none; the first day that is known is its day.
    book.receive(&site("unknown.example"), ASK, true, None);
    assert_eq!(book.list()[0].last, None);
    book.expire(day(50).unwrap());
    assert_eq!((book.list()[0].first, book.list()[0].last), (day(50), day(50)));
}

#[test]
fn the_file_is_written_seldom_survives_and_a_torn_one_starts_anew() {
    let scratch = tempfile::tempdir().unwrap();
    let state = StateDir::at(scratch.path().join("state")).unwrap();
    let file = state.join("reviews.json");
    let book = ReviewBook::open(Some(state.clone()));
    book.keep(0, true);
    assert!(!file.exists(), "nothing changed");
    book.receive(&site("a.example"), ASK, true, day(0));
    book.keep(1000, false);
    let first = fs::read(&file).unwrap();
    for second in 1001..1300 {
        book.receive(&site("b.example"), ASK, true, day(0));
        book.keep(second, false);
    }
    assert_eq!(fs::read(&file).unwrap(), first, "once in five minutes");
    book.keep(1300, false);
    assert_ne!(fs::read(&file).unwrap(), first);
    book.receive(&site("c.example"), ASK, true, day(0));
    book.keep(1301, true);
    let again = ReviewBook::open(Some(state.clone()));
    assert_eq!(names(&again), names(&book));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let whole = fs::read(&file).unwrap();
    for cut in [0, 1, whole.len() / 2, whole.len() - 2] {
        fs::write(&file, &whole[..cut]).unwrap();
        let torn = ReviewBook::open(Some(state.clone()));
        assert!(torn.list().is_empty(), "{cut}");
        torn.receive(&site("d.example"), ASK, true, day(0));
        torn.keep(0, true);
        assert_eq!(names(&ReviewBook::open(Some(state.clone()))), [("d.example".into(), 1)]);
    }
    // Rows by another hand are held to the same bounds.
    let row = |name: &str| {
        format!(
            "{{\"name\":{name:?},\"count\":1,\"reasons\":{{}},\"levels\":{{}},\"first\":null,\"last\":null,\"state\":\"open\"}}"
        )
    };
    let odd = ["<script>", "../x", "com.vn", "ok.example"].map(row).join(",");
    fs::write(&file, format!("{{\"reviews\":[{odd}]}}")).unwrap();
    assert_eq!(names(&ReviewBook::open(Some(state))), [("ok.example".into(), 1)]);
}

#[test]
fn a_disk_that_takes_nothing_is_told_and_tried_again() {
    let scratch = tempfile::tempdir().unwrap();
    let state = StateDir::at(scratch.path().join("state")).unwrap();
    let book = ReviewBook::open(Some(state.clone()));
    assert!(book.receive(&site("a.example"), ASK, true, day(0)).is_kept);
    // A directory in the file's place: the rename fails for root too.
    fs::create_dir(state.join("reviews.json")).unwrap();
    book.keep(1000, false);
    assert!(!book.receive(&site("b.example"), ASK, true, day(0)).is_kept);
    assert!(!book.receive(&site("c.example"), ASK, false, day(0)).is_kept, "for every name");
    fs::remove_dir(state.join("reviews.json")).unwrap();
    book.keep(1000 + AGAIN - 1, false);
    assert!(!book.is_kept(), "too early");
    book.keep(1000 + AGAIN, false);
    assert!(book.receive(&site("d.example"), ASK, true, day(0)).is_kept);
    assert_eq!(ReviewBook::open(Some(state)).list().len(), 2);
    assert!(!ReviewBook::open(None).receive(&site("a.example"), ASK, true, day(0)).is_kept);
}

#[test]
fn what_cannot_be_read_is_not_written_over_and_comes_back() {
    let scratch = tempfile::tempdir().unwrap();
    let state = StateDir::at(scratch.path().join("state")).unwrap();
    let book = ReviewBook::open(Some(state.clone()));
    book.receive(&site("a.example"), ASK, true, day(0));
    book.keep(1000, true);
    // A directory in its place gives an error that says nothing of a file.
    let (file, away) = (state.join("reviews.json"), state.join("away"));
    fs::rename(&file, &away).unwrap();
    fs::create_dir(&file).unwrap();
    let book = ReviewBook::open(Some(state.clone()));
    assert!(!book.receive(&site("b.example"), ASK, true, day(0)).is_kept);
    book.keep(1000, false);
    assert_eq!(book.list().len(), 1);
    fs::remove_dir(&file).unwrap();
    fs::rename(&away, &file).unwrap();
    book.keep(1000 + AGAIN - 1, false);
    assert_eq!(book.list().len(), 1, "too early");
    book.keep(1000 + AGAIN, false);
    assert_eq!(book.list().len(), 2);
    assert!(book.is_kept());
    assert_eq!(ReviewBook::open(Some(state.clone())).list().len(), 2);
    // What was read and says nothing is set aside.
    fs::write(&file, "{").unwrap();
    assert_eq!(ReviewBook::open(Some(state.clone())).list().len(), 0);
    assert!(state.join("reviews.json.broken").is_file() && !file.exists());
}

#[test]
fn a_person_closes_a_row_once_and_the_ledger_has_it() {
    let scratch = tempfile::tempdir().unwrap();
    let state = StateDir::at(scratch.path().join("state")).unwrap();
    let book = ReviewBook::open(Some(state.clone()));
    for name in ["a.example", "b.example", "c.example"] {
        book.receive(&site(name), ASK, true, day(0));
    }
    assert_eq!(book.deny(&site("none.example"), &word("no"), START), None);
    book.deny(&site("b.example"), &word("a game"), START).unwrap();
    book.allowed(&site("c.example"), word("CV 12")).unwrap();
    let states: Vec<_> = book.list().iter().map(|row| (row.name.clone(), row.state)).collect();
    let of = |name: &str, state| (name.to_owned(), state);
    assert_eq!(
        states,
        [
            of("a.example", ReviewState::Open),
            of("c.example", ReviewState::Allowed),
            of("b.example", ReviewState::Denied)
        ]
    );
    let ledger = fs::read_to_string(state.join("ledger.jsonl")).unwrap();
    assert!(
        ledger.contains(r#""action":"deny","who":"Lan","kind":"review","names":["b.example"]"#),
        "{ledger}"
    );
    // An allow that ended, however it did, opens its row again, and no other.
    book.settle(|name| name == "c.example");
    assert_eq!(book.list().iter().filter(|row| row.state == ReviewState::Open).count(), 1);
    book.allowed(&site("a.example"), word("CV 12")).unwrap();
    book.settle(|name| name == "c.example");
    assert_eq!(book.list().iter().filter(|row| row.state == ReviewState::Open).count(), 1);
    assert_eq!(book.forwarded(&[site("a.example"), site("c.example"), site("x.example")]), 2);
    let state_of = |name: &str| book.list().iter().find(|row| row.name == name).unwrap().state;
    assert_eq!(state_of("a.example"), ReviewState::Forwarded);
    assert_eq!(state_of("c.example"), ReviewState::Allowed);
    book.revoked(&site("c.example")).unwrap();
    assert_eq!(state_of("c.example"), ReviewState::Open);
    assert_eq!(names(&ReviewBook::open(Some(state))).len(), 3);
}

fn file() -> ForwardedFile {
    let mut row = StoredReview { name: "games.example".into(), ..StoredReview::default() };
    row.count(ASK, day(0));
    let reviews = vec![ForwardedReview::of(&row, None)];
    ForwardedFile { format: 1, school: "hb-1".into(), day: day(0), release: None, reviews }
}

#[test]
fn a_hostile_file_is_refused_with_its_place_and_shows_nothing() {
    let whole = serde_json::to_string(&file()).unwrap();
    assert_eq!(ForwardedFile::parse(whole.as_bytes()), Ok(file()));
    assert!(!whole.contains("ABCDEFG"), "codes stay at the school");
    for cut in 0..whole.len() {
        assert!(ForwardedFile::parse(&whole.as_bytes()[..cut]).is_err(), "{cut}");
    }
    let field = |field| ForwardedError::Review { place: 1, field };
    for (from, to, error) in [
        ("\"format\":1", "\"format\":2", ForwardedError::Format(2)),
        ("hb-1", "hb/1", ForwardedError::School),
        ("hb-1", "", ForwardedError::School),
        ("games.example", "<b>.example", field("name")),
        ("games.example", "Games.example", field("name")),
        ("games.example", "vn", field("name")),
        ("\"count\":1", "\"count\":0", field("count")),
        ("\"count\":1", "\"count\":4000000000", field("count")),
        ("\"lesson\":1", "\"lesson\":7", field("reasons")),
        ("lower-secondary", "pupils of 7A", field("levels")),
        (
            "\"blocked\":null",
            "\"blocked\":{\"layer\":\"a\\u001b[2J\",\"category\":null,\"list\":null}",
            field("blocked"),
        ),
    ] {
        let hostile = whole.replacen(from, to, 1);
        assert_ne!(hostile, whole, "{from}");
        assert_eq!(ForwardedFile::parse(hostile.as_bytes()), Err(error), "{hostile}");
    }
    for odd in ["\"state\":\"open\"", "\"first\":\"2026-"] {
        let hostile = whole.replacen(odd, "\"state\":\"<script>\",\"client\":\"10.0.0.1", 1);
        let said = ForwardedFile::parse(hostile.as_bytes()).unwrap_err().to_string();
        assert!(said.contains("column") && !said.contains("script"), "{said}");
    }
    let mut many = file();
    many.reviews = vec![many.reviews[0].clone(); MAX_ROWS + 1];
    let many = serde_json::to_vec(&many).unwrap();
    assert_eq!(ForwardedFile::parse(&many), Err(ForwardedError::TooMany(MAX_ROWS + 1)));
    let deep = format!("{{\"format\":1,\"school\":{}", "[".repeat(100_000));
    assert!(ForwardedFile::parse(deep.as_bytes()).is_err());
}
