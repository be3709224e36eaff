//! The unit file: what leaves of records, and what is taken of the octets of strangers.

use std::collections::BTreeMap;

use crate::config::data::starter::taxonomy;
use crate::evidence::month::LocalMonth;
use crate::evidence::record::{CategoryCounts, GapCause, GroupMonth, MonthRecord, RecordedSchool};
use crate::report::count::PublishedCount;
use crate::report::period::ReportPeriod;
use crate::report::unit::{UnitFault, UnitReport};
use crate::reviews::day::CivilDay;

fn record(month: &str, groups: &[&[(&str, u64, u64, u64)]]) -> MonthRecord {
    let group = |counts: &&[(&str, u64, u64, u64)]| GroupMonth {
        level: String::new(),
        categories: counts
            .iter()
            .map(|&(id, blocked, merged, observed)| {
                (id.to_owned(), CategoryCounts { blocked, merged, observed })
            })
            .collect(),
    };
    MonthRecord {
        format: 1,
        month: month.into(),
        school: RecordedSchool { id: "s1".into(), timezone: "UTC".into(), ..Default::default() },
        queries: 1000,
        groups: groups.iter().enumerate().map(|(n, of)| (format!("g{n}"), group(of))).collect(),
        ..MonthRecord::default()
    }
}

fn day(text: &str) -> CivilDay {
    CivilDay::try_from(text.to_owned()).unwrap()
}

fn period(text: &str) -> ReportPeriod {
    ReportPeriod::parse(text, crate::report::period::YearStart::default()).unwrap()
}

fn made(records: &[MonthRecord], of: &str, on: &str) -> UnitReport {
    UnitReport::of(records, period(of), &taxonomy().unwrap(), day(on))
}

#[test]
fn groups_are_summed_before_a_count_is_judged() {
    let records =
        [record("2026-10", &[&[("adult", 6, 5, 0), ("games", 3, 1, 4)], &[("adult", 6, 4, 0)]])];
    let report = made(&records, "2026-10", "2026-11-01");
    let counts = |id: &str| serde_json::to_string(&report.months[0].categories[id]).unwrap();
    assert_eq!(counts("adult"), r#"{"blocked":12,"merged":"<10","observed":0}"#);
    assert_eq!(counts("games"), r#"{"blocked":3,"merged":1,"observed":4}"#);
}

#[test]
fn what_no_taxonomy_knows_is_hidden_and_good_names_are_not_told() {
    let records = [record(
        "2026-10",
        &[&[
            ("protected", 2, 1, 0),
            ("of_last_year", 3, 1, 0),
            ("none", 4, 1, 0),
            ("safe", 0, 0, 5),
            ("games", 0, 0, 0),
        ]],
    )];
    let report = made(&records, "2026-10", "2026-11-01");
    let shown = serde_json::to_string(&report.months[0].categories).unwrap();
    assert_eq!(
        shown,
        r#"{"none":{"blocked":4,"merged":1,"observed":0},"of_last_year":{"blocked":"<10","merged":"<10","observed":0},"protected":{"blocked":"<10","merged":"<10","observed":0}}"#
    );
}

#[test]
fn queries_do_not_tell_that_a_hidden_cell_is_small() {
    let mut one = record("2026-10", &[&[("adult", 1, 1, 0), ("games", 5, 2, 0)]]);
    one.queries = 6;
    let report = made(&[one], "2026-10", "2026-11-01");
    assert_eq!(report.months[0].queries, 14);
    assert!(report.months[0].has_raised_queries());
}

#[test]
fn a_month_that_runs_is_not_reported() {
    let records = [record("2026-10", &[]), record("2026-11", &[])];
    let report = made(&records, "2026-09..2026-11", "2026-11-30");
    assert_eq!(report.months.len(), 1);
    assert_eq!(report.not_over, ["2026-11".parse::<LocalMonth>().unwrap()]);
    assert_eq!(report.missing(), ["2026-09".parse::<LocalMonth>().unwrap()]);
    assert_eq!(made(&records, "2026-09..2026-11", "2026-12-01").months.len(), 2);
}

#[test]
fn a_unit_file_is_read_as_it_was_written() {
    let mut one = record("2026-10", &[&[("adult", 1, 1, 0), ("games", 5, 2, 0)]]);
    one.enforcement.gaps = BTreeMap::from([(GapCause::Power, 60)]);
    let report = made(&[one], "2026-10", "2026-11-01");
    let octets = serde_json::to_vec(&report).unwrap();
    assert_eq!(UnitReport::parse(&octets, &taxonomy().unwrap()).unwrap(), report);
}

#[test]
fn what_another_program_let_out_is_hidden_again() {
    let report = made(&[record("2026-10", &[&[("adult", 11, 11, 0)]])], "2026-10", "2026-11-01");
    let text = serde_json::to_string(&report).unwrap().replace("11,\"obs", "7,\"obs");
    let read = UnitReport::parse(text.as_bytes(), &taxonomy().unwrap()).unwrap();
    assert_eq!(read.months[0].categories["adult"].merged, PublishedCount::Hidden);
}

#[test]
fn hostile_files_have_a_fault_and_no_panic() {
    let report = made(&[record("2026-10", &[&[("games", 5, 2, 0)]])], "2026-10", "2026-11-01");
    let text = serde_json::to_string(&report).unwrap();
    let fault = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        UnitReport::parse(text.replacen(from, to, 1).as_bytes(), &taxonomy().unwrap()).unwrap_err()
    };
    assert_eq!(fault("\"s1\"", "\"../s1\""), UnitFault::Field("school.id"));
    assert_eq!(fault("\"format\":1", "\"format\":2"), UnitFault::Format(2));
    assert_eq!(fault("\"games\"", "\"=cmd|x\""), UnitFault::Field("categories"));
    assert_eq!(fault("\"month\":\"2026-10\"", "\"month\":\"2026-11\""), UnitFault::Field("months"));
    assert_eq!(fault("lachan-unit-report", "lachan-attestation"), UnitFault::OtherKind);
    assert!(matches!(fault("\"queries\":1000", "\"queries\":-1"), UnitFault::Malformed(_)));
    assert!(matches!(fault("\"queries\"", "\"x\":1,\"queries\""), UnitFault::Malformed(_)));
    for length in 0..text.len() {
        assert!(UnitReport::parse(&text.as_bytes()[..length], &taxonomy().unwrap()).is_err());
    }
}
