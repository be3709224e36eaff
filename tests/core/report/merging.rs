//! What is merged, what is refused with what to do, and what a registry knows and no file has.

use std::fs;
use std::path::Path;

use super::fleet::{day, hand_in, id, merged, period, record, registry};
use lachan::config::data::starter::taxonomy;
use lachan::evidence::record::CategoryCounts;
use lachan::lang::Lang;
use lachan::release::organisation::SchoolRegistry;
use lachan::report::files;
use lachan::report::merge::{AbsentCause, MergedReport, merge};
use lachan::report::summary::ReportSummary;
use lachan::report::table::{Audience, Geography};
use lachan::report::unit::UnitReport;

const GAMES: CategoryCounts = CategoryCounts { blocked: 40, merged: 20, observed: 0 };

fn unit(school: usize, of: &str, queries: u64) -> UnitReport {
    let records: Vec<_> = period(of)
        .months()
        .map(|month| record(school, &month.to_string(), queries, &[("games", GAMES)]))
        .collect();
    UnitReport::of(&records, period(of), &taxonomy().unwrap(), day("2027-01-10"))
}

fn put(directory: &Path, name: &str, report: &UnitReport) {
    fs::write(directory.join(name), serde_json::to_vec(report).unwrap()).unwrap();
}

fn refused(merged: &MergedReport) -> Vec<(String, String)> {
    let name = |file: &str| Path::new(file).file_name().unwrap().to_string_lossy().into_owned();
    merged.refused.iter().map(|one| (name(&one.file), one.why.in_lang(Lang::En))).collect()
}

#[test]
fn each_file_that_does_not_fit_is_named_and_the_others_count() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path();
    put(directory, "a.json", &unit(0, "2026", 100));
    put(directory, "a-copy.json", &unit(0, "2026", 100));
    put(directory, "b1.json", &unit(1, "2026", 100));
    put(directory, "b2.json", &unit(1, "2026", 101));
    put(directory, "nobody.json", &unit(77, "2026", 100));
    let whole = serde_json::to_vec(&unit(2, "2026", 100)).unwrap();
    fs::write(directory.join("torn.json"), &whole[..whole.len() / 2]).unwrap();
    fs::write(directory.join("other.json"), "{\"kind\":\"lachan-attestation\",\"x\":1}").unwrap();
    fs::write(directory.join("octets.json"), b"\xff\xfe\x00").unwrap();
    fs::write(directory.join("huge.json"), vec![b' '; 5 << 20]).unwrap();
    fs::write(directory.join("notes.txt"), "nothing").unwrap();
    let merged = merged(directory.to_owned(), 4);
    assert_eq!((merged.schools.len(), merged.copies), (1, 1));
    let told = refused(&merged);
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["b1.json", "b2.json", "huge.json", "nobody.json", "octets.json", "torn.json"]
    );
    assert!(told[0].1.contains("b2.json too, with other content"), "{}", told[0].1);
    assert!(told[3].1.contains("add a [[school]] to org.toml"), "{}", told[3].1);
    assert!(told[5].1.contains("ask the school for report.json"), "{}", told[5].1);
    let absent: Vec<_> =
        merged.absent.iter().map(|(school, cause)| (&*school.id, *cause)).collect();
    let (one, two, three) = (id(1), id(2), id(3));
    assert_eq!(
        absent,
        [
            (&*one, AbsentCause::Refused),
            (&*two, AbsentCause::NoFile),
            (&*three, AbsentCause::NoFile)
        ]
    );
}

#[test]
fn mixed_periods_are_not_merged_unless_one_is_chosen() {
    let scratch = tempfile::tempdir().unwrap();
    put(scratch.path(), "a.json", &unit(0, "2026", 100));
    put(scratch.path(), "b.json", &unit(1, "2026-01..2026-12", 100));
    let found = files::find(&[scratch.path().to_owned()]).unwrap();
    let taxonomy = taxonomy().unwrap();
    let why = merge(&found, (&registry(2), &[]), &taxonomy, None).unwrap_err().in_lang(Lang::En);
    assert!(why.contains("2025-11..2026-10: 1") && why.contains("2026-01..2026-12: 1"), "{why}");
    let merged = merge(&found, (&registry(2), &[]), &taxonomy, Some(period("2026"))).unwrap();
    assert_eq!(merged.schools.len(), 1);
    let told = refused(&merged);
    assert!(told[0].1.contains("lachan report --period 2025-11..2026-10"), "{}", told[0].1);
    assert!(merge(&[], (&registry(2), &[]), &taxonomy, None).is_err());
}

#[test]
fn two_boxes_of_a_school_are_one_school() {
    let scratch = tempfile::tempdir().unwrap();
    hand_in(
        scratch.path(),
        &[vec![record(0, "2026-10", 100, &[("games", GAMES)])]],
        period("2026-10"),
    );
    let mut second = unit(0, "2026-10", 50);
    second.school.unit = "box2".into();
    put(scratch.path(), "second.json", &second);
    let merged = merged(scratch.path().to_owned(), 1);
    let taxonomy = taxonomy().unwrap();
    let by = (Geography::New, Audience::Department);
    let summary = ReportSummary::of(&merged, &taxonomy, Lang::En, by);
    assert_eq!(summary.schools(), (1, 1));
    let csv = summary.tables[0].csv(Lang::En);
    assert!(csv.contains("Total;1;1;150;80;40;53,3;0;"), "{csv}");
    assert!(summary.tables.iter().all(|table| table.id != "by_district"));
}

#[test]
fn a_school_is_registered_for_the_months_in_which_it_was_open() {
    let scratch = tempfile::tempdir().unwrap();
    put(scratch.path(), "a.json", &unit(0, "2026", 100));
    let text = "[[unit]]\nid = \"c0\"\nname = \"Xã\"\nkind = \"commune\"\n".to_owned()
        + &school(0, "")
        + &school(1, "closed = \"2026-03-31\"\n")
        + &school(2, "opened = \"2026-09-05\"\n")
        + &school(3, "closed = \"2025-10-31\"\n");
    let registry = SchoolRegistry::parse(&text).unwrap();
    let found = files::find(&[scratch.path().to_owned()]).unwrap();
    let taxonomy = taxonomy().unwrap();
    let merged = merge(&found, (&registry, &[]), &taxonomy, None).unwrap();
    let by = (Geography::New, Audience::Department);
    let summary = ReportSummary::of(&merged, &taxonomy, Lang::En, by);
    let table = summary.tables.iter().find(|table| table.id == "by_month").unwrap();
    let csv = table.csv(Lang::En);
    for row in ["11/2025;1;2;", "03/2026;1;2;", "04/2026;1;1;", "08/2026;1;1;", "09/2026;1;2;"] {
        assert!(csv.contains(row), "{row}: {csv}");
    }
    assert!(csv.contains("Total;1;3;"), "of the period all that were open in it: {csv}");
}

/// A school of a registry, with more keys.
fn school(number: usize, more: &str) -> String {
    let id = id(number);
    format!("[[school]]\nid = \"{id}\"\nname = \"T\"\nlevel = \"primary\"\nunit = \"c0\"\n{more}")
}

#[test]
fn the_public_version_names_no_school() {
    let of: Vec<_> =
        (0..3).map(|school| vec![record(school, "2026-10", 104, &[("games", GAMES)])]).collect();
    for (name, text) in super::fleet::published(&of, period("2026-10")) {
        if name.starts_with("public") {
            assert!(!text.contains("Trường 1") && !text.contains(&id(1)), "{name}");
        }
    }
}
