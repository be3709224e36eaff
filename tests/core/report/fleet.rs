//! A fleet of schools: raw records, the registry, and all that is published of them.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use lachan::config::data::starter::taxonomy;
use lachan::evidence::record::{CategoryCounts, GroupMonth, MonthRecord, RecordedSchool};
use lachan::lang::Lang;
use lachan::release::organisation::SchoolRegistry;
use lachan::report::detail::{self, DetailFile};
use lachan::report::files;
use lachan::report::merge::{MergedReport, merge};
use lachan::report::period::{ReportPeriod, YearStart};
use lachan::report::summary::ReportSummary;
use lachan::report::summary_page::{self, Frame};
use lachan::report::table::{Audience, Geography};
use lachan::report::unit::UnitReport;
use lachan::report::unit_page;
use lachan::reviews::day::CivilDay;

pub(super) const LEVELS: [&str; 3] = ["primary", "lower-secondary", "upper-secondary"];

/// Every text that leaves schools or the department, by the name of its file.
pub(super) type Artifacts = Vec<(String, String)>;

pub(super) fn period(text: &str) -> ReportPeriod {
    ReportPeriod::parse(text, YearStart::default()).unwrap()
}

pub(super) fn day(text: &str) -> CivilDay {
    CivilDay::try_from(text.to_owned()).unwrap()
}

/// The id of a school by its number.
pub(super) fn id(school: usize) -> String {
    format!("school-{school:04}")
}

/// A record of a school's month, with these counts in one group.
pub(super) fn record(
    school: usize,
    month: &str,
    queries: u64,
    counts: &[(&str, CategoryCounts)],
) -> MonthRecord {
    let categories = counts.iter().map(|(id, counts)| ((*id).to_owned(), *counts)).collect();
    let mut record = MonthRecord {
        format: 1,
        month: month.to_owned(),
        school: RecordedSchool {
            id: id(school),
            name: format!("Trường {school}"),
            level: LEVELS[school % LEVELS.len()].into(),
            timezone: "Asia/Ho_Chi_Minh".into(),
            unit: "box1".into(),
        },
        queries,
        ..MonthRecord::default()
    };
    record.groups.insert("pupils".into(), GroupMonth { level: String::new(), categories });
    record
}

/// A registry of so many schools in three communes of two former districts.
pub(super) fn registry(schools: usize) -> SchoolRegistry {
    let mut text = String::from("name = \"Sở Giáo dục và Đào tạo Ví Dụ\"\n");
    for district in 0..2 {
        let _ = writeln!(
            text,
            "[[unit]]\nid = \"d{district}\"\nname = \"Huyện {district}\"\nkind = \"district\"\nvalid_to = \"2025-06-30\""
        );
    }
    for commune in 0..3 {
        let _ = writeln!(
            text,
            "[[unit]]\nid = \"c{commune}\"\nname = \"Xã {commune}\"\nkind = \"commune\""
        );
    }
    for school in 0..schools {
        let _ = writeln!(
            text,
            "[[school]]\nid = \"{}\"\nname = \"Trường {school}\"\nlevel = \"{}\"\nkind = \"công lập\"\nunit = \"c{}\"\nold_unit = \"d{}\"",
            id(school),
            LEVELS[school % LEVELS.len()],
            school % 3,
            school % 2
        );
    }
    SchoolRegistry::parse(&text).unwrap()
}

/// The unit files of these records, written into a directory of their own.
pub(super) fn hand_in(directory: &std::path::Path, of: &[Vec<MonthRecord>], period: ReportPeriod) {
    let taxonomy = taxonomy().unwrap();
    for (school, records) in of.iter().enumerate() {
        let report = UnitReport::of(records, period, &taxonomy, day("2027-01-10"));
        let folder = directory.join(id(school));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("report.json"), serde_json::to_vec(&report).unwrap()).unwrap();
    }
}

pub(super) fn merged(directory: PathBuf, schools: usize) -> MergedReport {
    let found = files::find(&[directory]).unwrap();
    merge(&found, (&registry(schools), &[]), &taxonomy().unwrap(), None).unwrap()
}

/// The detail file of a merge.
pub(super) fn detail_of(merged: &MergedReport) -> String {
    let taxonomy = taxonomy().unwrap();
    let mut out = Vec::new();
    let mut file = DetailFile::begin(&mut out, merged.period.year(), &taxonomy).unwrap();
    for school in &merged.schools {
        for (month, (sums, boxes)) in school.months() {
            let notes = detail::notes(&sums, month, boxes);
            file.add(&school.place, month, &sums, &notes).unwrap();
        }
    }
    file.finish().unwrap();
    String::from_utf8(out).unwrap()
}

/// All that is published of these records: at the schools, by the department, and for everyone.
pub(super) fn published(of: &[Vec<MonthRecord>], period: ReportPeriod) -> Artifacts {
    let scratch = tempfile::tempdir().unwrap();
    let taxonomy = taxonomy().unwrap();
    let mut texts = Artifacts::new();
    for (school, records) in of.iter().enumerate() {
        let report = UnitReport::of(records, period, &taxonomy, day("2027-01-10"));
        let csv = String::from_utf8(unit_page::csv(&report, &taxonomy).unwrap()).unwrap();
        texts.push((format!("{school}/report.csv"), csv));
        let page = unit_page::page(&report, &taxonomy, Lang::Vi);
        texts.push((format!("{school}/report.html"), page));
        texts.push((format!("{school}/report.json"), serde_json::to_string(&report).unwrap()));
    }
    hand_in(scratch.path(), of, period);
    let merged = merged(scratch.path().to_owned(), of.len());
    texts.push(("detail.csv".into(), detail_of(&merged)));
    let registry = registry(of.len());
    let made = "2027-01-10".parse().unwrap();
    let frame = Frame { registry: &registry, refused: &[], made, lang: Lang::Vi };
    for (name, audience) in [("summary", Audience::Department), ("public", Audience::Public)] {
        let summary = ReportSummary::of(&merged, &taxonomy, Lang::Vi, (Geography::Both, audience));
        texts.push((format!("{name}.html"), summary_page::page(&summary, &frame)));
        texts.push((format!("{name}.json"), summary_page::json(&summary, &frame)));
        for table in &summary.tables {
            texts.push((format!("{name}/{}.csv", table.id), table.csv(Lang::Vi)));
        }
    }
    texts
}
