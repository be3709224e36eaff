use url::Url;

use super::*;
use crate::blocklist::{Format, ScopeChoice};
use crate::category::CategoryId;
use crate::config::Fetch;
use crate::digest::sha256;
use crate::sys::state_dir::StateDir;

fn source() -> ListSource {
    let url = Url::parse("https://lists.example/a").unwrap();
    let fetch = Fetch::new(Some(&url));
    ListSource {
        category: CategoryId::new(2).unwrap(),
        path: fetch.file_name().into(),
        format: Format::Auto,
        scope: ScopeChoice::AsFormat,
        trusted: false,
        action: crate::blocklist::ZoneAction::default(),
        accept: Vec::new(),
        min_percent: 50,
        label: fetch.url.clone(),
        fetch: Some(fetch),
    }
}

/// The wait until the next try, in seconds; the clock stands still.
fn wait(timer: &Timer) -> f64 {
    timer.due.duration_since(Instant::now()).as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_later_and_later_but_never_rarer_than_an_hour() {
    let scratch = tempfile::tempdir().unwrap();
    let copies = Copies::open(&StateDir::at(scratch.path().to_owned()).unwrap()).unwrap();
    let source = source();
    let mut timer = Timer::first(&source, &copies);
    assert!(wait(&timer) <= 0.0, "at once without a copy");
    let gone = || FetchError::Name { host: "lists.example".into(), why: "gone".into() };
    let mut expected = 5.0;
    for _ in 0..40 {
        timer.set(&source, Err(gone()));
        let wait = wait(&timer);
        assert!((expected * 0.74..expected * 1.26).contains(&wait), "{expected} {wait}");
        expected = (expected * 2.0_f64).min(3600.0);
    }
    timer.set(&source, Ok(Taken::Unchanged));
    assert!((86_400.0 * 0.74..86_400.0 * 1.26).contains(&wait(&timer)));
    assert_eq!(timer.failures, 0);
    // A list that its server must correct is not requested every few seconds.
    timer.set(&source, Err(FetchError::Shrunken { rules: 1, before: 10 }));
    assert!(wait(&timer) > 200.0);
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_left_alone_until_it_is_old() {
    let scratch = tempfile::tempdir().unwrap();
    let copies = Copies::open(&StateDir::at(scratch.path().to_owned()).unwrap()).unwrap();
    let source = source();
    let note = |checked| Note {
        url: source.label.clone(),
        etag: None,
        last_modified: None,
        sha256: sha256(b"a.example\n"),
        before: None,
        judged: String::new(),
        rules: 1,
        octets: 10,
        fetched: checked,
        checked,
    };
    let now = crate::sys::clock::system_time();
    for (checked, least, most) in [
        (now, 86_400.0 * 0.74, 86_400.0 * 1.26),
        (now - 80_000, 0.0, 86_400.0 * 1.26 - 80_000.0),
        (now - 200_000, 0.0, 0.0),
        // Written by a clock that was ahead.
        (now + 1_000_000, 0.0, 86_400.0 * 1.26),
    ] {
        copies.keep(&source.path, b"a.example\n", &note(checked)).unwrap();
        assert_eq!(copies.note(&source.path), Some(note(checked)));
        let wait = wait(&Timer::first(&source, &copies));
        assert!((least..=most).contains(&wait), "{checked}: {wait}");
    }
    std::fs::write(
        scratch.path().join("fetched").join(format!("{}.json", source.path.display())),
        "{",
    )
    .unwrap();
    assert_eq!(copies.note(&source.path), None);
}
