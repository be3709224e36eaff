//! A year of 20 schools: every cell that is told is what the traffic was.

use std::collections::{BTreeMap, BTreeSet};

use super::fleet::{detail_of, hand_in, id, merged, period, record};
use lachan::config::data::starter::taxonomy;
use lachan::evidence::record::{CategoryCounts, GapCause, GroupMonth, MonthRecord, UsedRelease};
use lachan::lang::Lang;
use lachan::report::summary::ReportSummary;
use lachan::report::table::{Audience, Geography, SummaryCell};

const SCHOOLS: usize = 20;
const CATEGORIES: [&str; 7] =
    ["adult", "protected", "games", "social", "gambling", "none", "dating"];
const GROUPS: [&str; 2] = ["pupils", "staff"];

/// One query of the year: its school, month, day, group, category, and what became of it.
struct Query {
    school: usize,
    month: usize,
    day: u8,
    group: usize,
    /// None where no list has the name.
    category: Option<usize>,
    is_blocked: bool,
    /// The same site was asked for by the group within the minute.
    is_repeated: bool,
}

/// The traffic: small numbers of a sequence that is always the same.
fn traffic() -> impl Iterator<Item = Query> {
    let mut seed = 20_261_129_u64;
    let mut next = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    (0..120_000).map(move |_| {
        let school = next(SCHOOLS as u64) as usize;
        let kind = next(100);
        let category = match kind {
            0 => Some(0),
            1 => (next(4) == 0).then_some(1),
            2..12 => Some(2),
            12..20 => Some(3),
            20..24 => Some(4),
            24 => Some(5),
            25 => (next(2) == 0).then_some(6),
            _ => None,
        };
        Query {
            school,
            month: next(12) as usize,
            day: 1 + next(28) as u8,
            group: next(2) as usize,
            category,
            is_blocked: category != Some(3) || next(2) == 0,
            is_repeated: next(3) == 0,
        }
    })
}

fn months() -> Vec<String> {
    period("2026").months().map(|month| month.to_string()).collect()
}

/// What gateways would write of the traffic.
fn records() -> Vec<Vec<MonthRecord>> {
    let months = months();
    let of = |school: usize| {
        months.iter().map(|month| record(school, month, 0, &[])).collect::<Vec<_>>()
    };
    let mut all: Vec<Vec<MonthRecord>> = (0..SCHOOLS).map(of).collect();
    for query in traffic() {
        let record = &mut all[query.school][query.month];
        record.queries += 1;
        record.active_days.insert(query.day);
        let Some(category) = query.category else { continue };
        let group: &mut GroupMonth = record.groups.entry(GROUPS[query.group].into()).or_default();
        let counts = group.categories.entry(CATEGORIES[category].into()).or_default();
        if query.is_blocked {
            counts.blocked += 1;
            counts.merged += u64::from(!query.is_repeated);
        } else {
            counts.observed += 1;
        }
    }
    for (school, records) in all.iter_mut().enumerate() {
        for (number, record) in records.iter_mut().enumerate() {
            record.enforcement.enforced = 2_592_000 - 36_000;
            record.enforcement.gaps = BTreeMap::from([(GapCause::Power, 36_000)]);
            record.releases = vec![UsedRelease { release: number as u64 + 1, from: 1_767_200_400 }];
            record.reviews.received = school as u64;
            record.reviews.accepted = school as u64 / 2;
            record.orders.applied = 1;
            record.orders.seconds = vec![3600 * (number as u64 + 1)];
        }
    }
    all
}

/// Sums of the traffic by school, month as it is printed, and category.
fn model() -> BTreeMap<(String, String, &'static str), CategoryCounts> {
    let months = months();
    let mut model: BTreeMap<(String, String, &'static str), CategoryCounts> = BTreeMap::new();
    for query in traffic() {
        let Some(category) = query.category else { continue };
        let (year, month) = months[query.month].split_once('-').unwrap();
        let key = (id(query.school), format!("{month}/{year}"), CATEGORIES[category]);
        let of = model.entry(key).or_default();
        of.blocked += u64::from(query.is_blocked);
        of.merged += u64::from(query.is_blocked && !query.is_repeated);
        of.observed += u64::from(!query.is_blocked);
    }
    model
}

fn shown(count: u64, category: &str) -> String {
    let is_sensitive = ["adult", "protected", "dating"].contains(&category);
    if is_sensitive && (1..10).contains(&count) { "<10".into() } else { count.to_string() }
}

#[test]
fn every_cell_of_a_year_is_what_the_traffic_was() {
    let scratch = tempfile::tempdir().unwrap();
    hand_in(scratch.path(), &records(), period("2026"));
    let merged = merged(scratch.path().to_owned(), SCHOOLS);
    let detail = detail_of(&merged);
    let rows: Vec<Vec<&str>> =
        detail.lines().skip(1).map(|line| line.split(';').collect()).collect();
    let mut model = model();
    let (mut queries, mut days): (BTreeMap<_, u64>, BTreeMap<_, BTreeSet<u8>>) = Default::default();
    for query in traffic() {
        *queries.entry((query.school, query.month)).or_default() += 1;
        days.entry((query.school, query.month)).or_default().insert(query.day);
    }
    let months = months();
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row.len(), 25);
        assert_eq!((row[0], row[1]), (&*(number + 1).to_string(), "2026"));
        let school: usize = row[3].trim_start_matches("school-").parse().unwrap();
        let printed = |month: &String| format!("{}/{}", &month[5..], &month[..4]) == row[2];
        let month = months.iter().position(printed).unwrap();
        assert_eq!(row[11], queries[&(school, month)].to_string());
        assert_eq!(row[16], days[&(school, month)].len().to_string());
        assert_eq!((row[17], row[18]), ("98,6", &*(month + 1).to_string()));
        assert_eq!((row[20], row[21]), (&*school.to_string(), &*(school / 2).to_string()));
        assert_eq!((row[22], row[23]), ("1", &*format!("{},0", month + 1)));
        if row[9] == "all" {
            continue;
        }
        let category = CATEGORIES.into_iter().find(|one| *one == row[9]).unwrap();
        let of = model.remove(&(row[3].into(), row[2].into(), category)).unwrap();
        let cells = [of.blocked, of.merged, of.observed].map(|count| shown(count, category));
        assert_eq!([row[12], row[13], row[15]], cells.each_ref().map(|cell| &**cell), "{row:?}");
    }
    assert!(model.is_empty(), "cells of the traffic that no row has: {}", model.len());
}

#[test]
fn totals_without_hidden_cells_are_what_the_traffic_was() {
    let scratch = tempfile::tempdir().unwrap();
    hand_in(scratch.path(), &records(), period("2026"));
    let merged = merged(scratch.path().to_owned(), SCHOOLS);
    let taxonomy = taxonomy().unwrap();
    let by = (Geography::Both, Audience::Department);
    let summary = ReportSummary::of(&merged, &taxonomy, Lang::En, by);
    let table = summary.tables.iter().find(|table| table.id == "by_category").unwrap();
    let model = model();
    for category in ["games", "social", "gambling", "none"] {
        let is_of = |row: &&Vec<SummaryCell>| row[1].plain() == category;
        let row = table.rows.iter().find(is_of).unwrap();
        let sum = |part: fn(&CategoryCounts) -> u64| {
            let of = model.iter().filter(|((_, _, id), _)| *id == category);
            of.map(|(_, counts)| part(counts)).sum::<u64>().to_string()
        };
        let counts = [sum(|one| one.blocked), sum(|one| one.merged), sum(|one| one.observed)];
        assert_eq!([row[2].plain(), row[3].plain(), row[5].plain()], counts, "{category}");
    }
    let paragraph = summary.paragraph(Lang::En);
    assert!(paragraph.contains("20/20 schools ran the filter, 100,0 %"), "{paragraph}");
    assert!(paragraph.contains("240 orders"), "{paragraph}");
}
