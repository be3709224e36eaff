//! Nothing that is published says more of a hidden cell than 1 to 9; and what proves it can break worse.

use proptest::prelude::*;

use super::fleet::{Artifacts, id, period, published, record};
use super::reader::{CellName, Claim, Reader, Said};
use lachan::evidence::record::{CategoryCounts, MonthRecord};

/// Sensitive ones, protected ones, and one that is told.
const CATEGORIES: [&str; 4] = ["adult", "protected", "dating", "games"];
const MONTHS: [&str; 2] = ["2026-09", "2026-10"];

/// Raw counts by school, month and category, with the queries of each month.
type Raw = Vec<Vec<(u64, Vec<CategoryCounts>)>>;

fn counts() -> impl Strategy<Value = CategoryCounts> {
    // Most are near the threshold, where it matters.
    let count = || prop_oneof![3 => 0_u64..14, 1 => 0_u64..200];
    (count(), count(), count()).prop_map(|(blocked, merged, observed)| CategoryCounts {
        blocked,
        merged: merged.min(blocked),
        observed,
    })
}

fn fleets() -> impl Strategy<Value = Raw> {
    let month = (0_u64..60, proptest::collection::vec(counts(), CATEGORIES.len()));
    let month = month.prop_map(|(others, counts)| {
        let sum: u64 = counts.iter().map(|one| one.blocked + one.observed).sum();
        (sum + others, counts)
    });
    proptest::collection::vec(proptest::collection::vec(month, MONTHS.len()), 1..5)
}

fn records(raw: &Raw) -> Vec<Vec<MonthRecord>> {
    let of = |school: usize, months: &Vec<(u64, Vec<CategoryCounts>)>| {
        let month = |(name, (queries, counts)): (&&str, &(u64, Vec<CategoryCounts>))| {
            let counts: Vec<_> = CATEGORIES.into_iter().zip(counts.iter().copied()).collect();
            record(school, name, *queries, &counts)
        };
        MONTHS.iter().zip(months).map(month).collect()
    };
    raw.iter().enumerate().map(|(school, months)| of(school, months)).collect()
}

fn publish(raw: &Raw) -> Artifacts {
    published(&records(raw), period("2026-09..2026-10"))
}

/// The same fleet with another value of one hidden cell, such as a school could have had.
fn other(
    raw: &Raw,
    (school, month, category): (usize, usize, usize),
    column: usize,
    value: u64,
) -> Raw {
    let mut raw = raw.clone();
    let (queries, counts) = &mut raw[school][month];
    let of = &mut counts[category];
    match column {
        0 => {
            of.blocked = value;
            of.merged = of.merged.min(value);
        }
        1 => {
            of.merged = value;
            of.blocked = of.blocked.max(value);
        }
        _ => of.observed = value,
    }
    let sum = counts.iter().map(|one| one.blocked + one.observed).sum();
    *queries = (*queries).max(sum);
    raw
}

fn column(counts: &CategoryCounts, column: usize) -> u64 {
    [counts.blocked, counts.merged, counts.observed][column]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The attack from outside: tables as constraints over whole numbers.
    #[test]
    fn every_hidden_cell_can_be_anything_from_1_to_9(raw in fleets()) {
        let all: Vec<i64> = (1..=9).collect();
        for (cell, values) in Reader::of(&publish(&raw)).attack() {
            prop_assert_eq!(&values, &all, "{:?}", cell);
        }
    }

    /// The law itself: what is published is the same, octet by octet, whatever a hidden cell is.
    #[test]
    fn nothing_published_depends_on_a_hidden_cell(raw in fleets(), values in proptest::collection::vec(1_u64..10, 4)) {
        let before = publish(&raw);
        let mut values = values.into_iter();
        for (school, months) in raw.iter().enumerate() {
            for (month, (_, counts)) in months.iter().enumerate() {
                for (category, of) in counts.iter().enumerate().filter(|(n, _)| CATEGORIES[*n] != "games") {
                    for place in (0..3).filter(|place| (1..10).contains(&column(of, *place))) {
                        let Some(value) = values.next() else { return Ok(()) };
                        // A month without any merged count stays one: 0 is told.
                        if place == 0 && of.merged == 0 || place == 1 && of.blocked >= 10 && value > of.blocked {
                            continue;
                        }
                        let after = publish(&other(&raw, (school, month, category), place, value));
                        prop_assert!(before == after, "{school} {month} {category} {place} {value}");
                    }
                }
            }
        }
    }
}

/// Two schools, two months; adult has 7 at one of them in one month, and 30 or more elsewhere.
fn planted() -> (Raw, CellName) {
    let counts = |adult: u64, games: u64| {
        let of = |blocked| CategoryCounts { blocked, merged: blocked, observed: 0 };
        vec![of(adult), of(0), of(0), of(games)]
    };
    let raw = vec![
        vec![(900, counts(7, 3)), (900, counts(30, 5))],
        vec![(900, counts(41, 8)), (900, counts(50, 2))],
    ];
    (raw, (id(0), "09/2026".into(), "adult".into(), 0))
}

/// The true sum of what a claim is of.
fn truth(raw: &Raw, claim: &Claim) -> i64 {
    let value = |(school, month, category, place): &CellName| {
        let school = (0..raw.len()).find(|number| id(*number) == *school).unwrap();
        let month = MONTHS.iter().position(|one| one[5..] == month[..2]).unwrap();
        let category = CATEGORIES.iter().position(|one| one == category).unwrap();
        column(&raw[school][month].1[category], *place).cast_signed()
    };
    claim.cells.iter().map(value).sum()
}

/// What a stranger finds of the planted cell where every total is made by `publish` of the true sum.
fn found(publish: impl Fn(i64) -> Said) -> Vec<i64> {
    let (raw, cell) = planted();
    let mut reader = Reader::of(&self::publish(&raw));
    let totals: Vec<Said> = reader.claims.iter().map(|claim| publish(truth(&raw, claim))).collect();
    for (claim, said) in reader.claims.iter_mut().zip(totals) {
        claim.said = said;
    }
    reader.attack().remove(&cell).unwrap()
}

#[test]
fn what_is_published_leaves_the_planted_cell_hidden() {
    let (raw, cell) = planted();
    let reader = Reader::of(&publish(&raw));
    assert_eq!(reader.cells[&cell], None);
    assert_eq!(reader.attack()[&cell], (1..=9).collect::<Vec<_>>());
}

#[test]
fn true_totals_beside_a_hidden_cell_are_broken() {
    assert_eq!(found(Said::Exactly), [7]);
}

#[test]
fn rounded_true_totals_are_broken_too() {
    // Each total alone leaves ten values; where they overlap, few are left.
    let values = found(|sum| Said::About((sum + 5) / 10 * 10));
    assert!(values.contains(&7) && values.len() < 9, "{values:?}");
}

#[test]
fn hidden_totals_are_not_enough_where_one_table_forgets() {
    let (raw, cell) = planted();
    let mut reader = Reader::of(&publish(&raw));
    // One true sum in one table: the old district of the school, say.
    let is_of = |claim: &&mut Claim| claim.cells.contains(&cell) && claim.cells.len() > 4;
    let claim = reader.claims.iter_mut().find(is_of).unwrap();
    claim.said = Said::Exactly(truth(&raw, claim));
    assert_eq!(reader.attack()[&cell], [7]);
}

#[test]
fn a_true_number_of_queries_is_broken() {
    let (mut raw, cell) = planted();
    let queries = 7 + 3;
    raw[0][0].0 = queries;
    let mut reader = Reader::of(&publish(&raw));
    assert_eq!(reader.attack()[&cell], (1..=9).collect::<Vec<_>>());
    reader.queries.insert((cell.0.clone(), cell.1.clone()), queries.cast_signed());
    assert_eq!(reader.attack()[&cell], (1..=7).collect::<Vec<_>>());
}
