//! The privacy invariants P1 to P10 (`docs/concepts/privacy.md`), each by a test of its name.
//!
//! Names with a marker and an address with a marker go through every feature of one gateway; then all that
//! it wrote, said and handed in is searched for them.

mod life;
mod names;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

use life::Life;

/// In every name that is asked of the resolver; nowhere in config or lists.
const MARKER: &str = "zqmarker";
/// In the name that the portal is asked about: *is this site blocked?*
const LOOKED_UP: &str = "zqlooked";
/// In the name that the portal is asked to open, which is stored by design: without a client.
const REVIEWED: &str = "zqreviewed";
/// In the name that a lesson opens, which is stored by design: it is the teacher's.
const OPENED: &str = "zqopened";
/// The client, in all of it; in no group's prefix.
const CLIENT: &str = "127.0.66.6";

/// One life of one gateway for all tests: they only read what it left.
static LIFE: LazyLock<Life> = LazyLock::new(life::lived);

/// Every file below a directory, as text with losses; what is packed as what is in it.
fn files(dir: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                return files(&path);
            }
            let mut octets = std::fs::read(&path).unwrap();
            if octets.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
                octets = zstd::decode_all(&*octets).unwrap();
            }
            vec![(path.display().to_string(), String::from_utf8_lossy(&octets).into_owned())]
        })
        .collect()
}

/// Places, with what was found in each.
fn with<'a>(found: &'a [(String, String)], secret: &str) -> Vec<&'a str> {
    let has = |text: &str| text.to_lowercase().contains(secret);
    found.iter().filter(|(_, text)| has(text)).map(|(place, _)| place.as_str()).collect()
}

/// The label sets of an exposition: each series without its value.
fn series(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series).collect()
}

/// Every number of a document.
fn numbers(value: &Value, found: &mut Vec<f64>) {
    match value {
        Value::Number(number) => found.extend(number.as_f64()),
        Value::Array(all) => all.iter().for_each(|one| numbers(one, found)),
        Value::Object(all) => all.values().for_each(|one| numbers(one, found)),
        _ => {}
    }
}

#[test]
fn p1_no_query_is_on_the_disk_nor_handed_in() {
    let life = &*LIFE;
    for (secret, by_design) in [
        (MARKER, &[][..]),
        (LOOKED_UP, &[]),
        (REVIEWED, &["state/reviews.json", "school.backup", "review list"]),
        (
            OPENED,
            &["state/overrides.json", "state/ledger.jsonl", "school.backup", "out/attestation"],
        ),
    ] {
        let mut places = with(&life.files, secret);
        places.extend(with(&life.said, secret));
        places.retain(|place| !by_design.iter().any(|one| place.contains(one)));
        assert!(places.is_empty(), "{secret} is in {places:?}");
    }
    // What is stored by design has a day at most, and no moment.
    let (_, reviews) =
        life.files.iter().find(|(path, _)| path.ends_with("state/reviews.json")).unwrap();
    assert!(reviews.contains(REVIEWED), "{reviews}");
    let mut all = Vec::new();
    numbers(&serde_json::from_str(reviews).unwrap(), &mut all);
    assert!(all.iter().all(|number| *number < 1e8), "a moment is in {reviews}");
}

#[test]
fn p2_labels_are_closed_sets_and_grow_with_nothing_that_is_asked() {
    let life = &*LIFE;
    let (first, last) = (series(&life.first_scrape), series(&life.last_scrape));
    let news: Vec<_> = last.difference(&first).collect();
    assert!(news.is_empty(), "a hundred names of fifty clients made series: {news:?}");
    assert!(last.len() <= 400, "{}", last.len());
    // Each label is one of the reference, which is made from the table of families.
    let reference = include_str!("../../../docs/reference/metrics.md");
    let row = |name: &str| {
        let start = format!("| `{name}` |");
        reference.lines().find(|line| line.starts_with(&start)).map(str::to_owned)
    };
    for one in last {
        let (name, labels) = one.split_once('{').unwrap_or((one, ""));
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let row = row(name).or_else(|| row(family?)).unwrap_or_else(|| panic!("{name}"));
        let keys = labels.split("=\"").filter_map(|part| part.rsplit([',', '"']).next());
        for key in keys.filter(|key| !key.is_empty() && *key != "}" && *key != "le") {
            assert!(row.contains(&format!("`{key}`")), "{key} of {one}: {row}");
        }
    }
}

#[test]
fn p3_addresses_are_in_memory_alone() {
    let life = &*LIFE;
    for found in [&life.files, &life.said] {
        let places = with(found, CLIENT);
        assert!(places.is_empty(), "{places:?}");
    }
    // Nor in octets: a table of addresses is no text.
    let octets = String::from_utf8_lossy(&[127, 0, 66, 6]).into_owned();
    let state = life.files.iter().filter(|(path, _)| path.contains("/state/"));
    let small = state.filter(|(_, text)| text.len() < 64 << 10 && text.contains(&octets));
    assert_eq!(small.map(|(path, _)| path).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn p4_top_names_are_of_ten_clients_and_of_no_sensitive_category() {
    let top = LIFE.of("status --top");
    assert!(top.contains("many.game.example: games"), "{top}");
    for absent in ["few.game.example", "adult.example", "harm.example", "sealed.example", MARKER] {
        assert!(!top.contains(absent), "{absent}: {top}");
    }
    let plain = LIFE.of("status in words");
    assert!(!plain.contains("many.game.example"), "only who asks is shown them: {plain}");
}

#[test]
fn p5_help_is_counted_as_any_name_and_shown_nowhere() {
    let life = &*LIFE;
    for place in [life.of("status --top"), life.of("status --json"), &life.diagnosis] {
        assert!(!place.contains("tongdai111"), "{place}");
    }
    let differs = |[before, after]: &[String; 2]| -> BTreeSet<String> {
        let changed: BTreeSet<&str> = {
            let before: BTreeSet<&str> = before.lines().collect();
            after.lines().filter(|line| !before.contains(line)).collect()
        };
        let name = |line: &str| line.split(['{', ' ']).next().unwrap_or_default().to_owned();
        let is_kept = |name: &String| {
            // What time alone changes, and the traffic that a scrape makes.
            !["_seconds", "_timestamp", "_bytes", "state_written", "_age"]
                .iter()
                .any(|word| name.contains(word))
                || name.contains("response_duration")
        };
        changed.into_iter().map(name).filter(is_kept).collect()
    };
    let counted = differs(&life.help);
    let wanted = ["lachan_queries_total", "lachan_responses_total"];
    assert!(wanted.iter().all(|one| counted.contains(*one)), "{counted:?}");
    let below = ["blocked", "observed", "matches", "canary", "safesearch"];
    assert!(!counted.iter().any(|one| below.iter().any(|word| one.contains(word))), "{counted:?}");
}

#[test]
fn p6_a_diagnosis_has_a_person_an_end_and_no_delicate_name() {
    let life = &*LIFE;
    let shown: Value = serde_json::from_str(&life.diagnosis).unwrap();
    let blocks = shown["blocks"].as_array().unwrap();
    let names: BTreeSet<&str> = blocks.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains("zqmarker.game.example"), "{shown}");
    for delicate in ["adult", "harm", "sealed", "tongdai111", "good"] {
        assert!(!names.iter().any(|name| name.contains(delicate)), "{delicate}: {shown}");
    }
    let keys: BTreeSet<&String> =
        blocks.iter().flat_map(|one| one.as_object().unwrap().keys()).collect();
    assert!(keys.iter().all(|key| ["at", "name", "type", "source", "category"].contains(&&***key)));
    assert!(life.of("diagnosis for 31 minutes").contains("30"));
    assert!(!life.of("diagnosis without a reason").contains("Cô Lan"));
    let (_, ledger) = life.files.iter().find(|(path, _)| path.ends_with("ledger.jsonl")).unwrap();
    for word in ["\"diagnose\"", "\"diagnose_end\"", "Cô Lan", "trang bài tập"] {
        assert!(ledger.contains(word), "{word}: {ledger}");
    }
    assert!(life.of("diagnosis after a restart").contains("no diagnosis is on"));
}

#[test]
fn p9_no_name_is_in_the_log_of_any_feature() {
    let life = &*LIFE;
    for secret in [MARKER, LOOKED_UP, REVIEWED, CLIENT] {
        assert_eq!(with(&life.logs, secret), [""; 0], "{secret}");
    }
}

#[test]
fn p10_protected_categories_are_one_wherever_they_are_counted() {
    let life = &*LIFE;
    let blocked = |category: &str| -> f64 {
        let of = format!("category=\"{category}\"");
        let lines = life
            .last_scrape
            .lines()
            .filter(|line| line.starts_with("lachan_blocked_total{") && line.contains(&of));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    };
    assert!(blocked("protected") >= 2.0, "{}", life.last_scrape);
    for (place, text) in life.said.iter().chain(&life.files) {
        let is_counted = ["metrics", "/out/", "/evidence/", "status --top"];
        if is_counted.iter().any(|one| place.contains(one)) {
            assert!(!text.contains("csam") && !text.contains("self_harm"), "{place}: {text}");
        }
    }
    // Neither alerts nor dashboards have them by name, and no alert has what is counted of them.
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    for (path, text) in files(&deploy) {
        let is_rule = path.contains("rules") || path.contains(".json");
        let has = |word: &str| text.contains(word);
        assert!(!is_rule || !has("csam") && !has("self_harm"), "{path}");
        assert!(!path.contains("rules") || !has("category=\"protected\""), "{path}");
    }
}
