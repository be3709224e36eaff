//! The attack of a reader of all that is published: the rule is known, and what is hidden is worked out.
//!
//! A number that follows from published cells by the published rule says nothing new. Every other one
//! is a fact about the true sum, exact or within what its rounding leaves.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fleet::Artifacts;
use super::solver::{Constraint, feasible};

/// School, month, category and column of a cell.
pub(super) type CellName = (String, String, String, usize);

/// The columns of counts: their places in the detail file, and their names in tables.
const COLUMNS: [(usize, &str); 3] = [(12, "blocked"), (13, "merged"), (15, "observed")];

/// A published number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Exactly(i64),
    About(i64),
    Hidden,
}

/// A published sum and the cells that it is of.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) cells: Vec<CellName>,
    pub(super) said: Said,
}

/// All that a stranger has.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Cells of the detail file; none where it is hidden.
    pub(super) cells: BTreeMap<CellName, Option<i64>>,
    pub(super) claims: Vec<Claim>,
    /// Queries by school and month, and whether the file marks them as rounded.
    pub(super) queries: BTreeMap<(String, String), i64>,
    /// Level, commune and district of a school, as they are printed.
    places: BTreeMap<String, [String; 3]>,
}

fn said(value: &Value) -> Said {
    match value {
        Value::Number(number) => Said::Exactly(number.as_i64().unwrap()),
        Value::String(text) if text == "<10" => Said::Hidden,
        Value::String(text) => Said::About(text.trim_start_matches('~').parse().unwrap()),
        other => panic!("no count: {other}"),
    }
}

impl Reader {
    pub(super) fn of(artifacts: &Artifacts) -> Self {
        let text = |name: &str| &artifacts.iter().find(|(file, _)| file == name).unwrap().1;
        let mut reader = Self::default();
        let rows: Vec<Vec<&str>> =
            text("detail.csv").lines().skip(1).map(|line| line.split(';').collect()).collect();
        for row in rows.iter().filter(|row| row[9] != "all") {
            for (column, (place, _)) in COLUMNS.iter().enumerate() {
                let name = (row[3].into(), row[2].into(), row[9].into(), column);
                reader.cells.insert(name, row[*place].parse().ok());
            }
        }
        for row in &rows {
            reader.places.insert(row[3].into(), [row[5], row[7], row[8]].map(String::from));
            reader.queries.insert((row[3].into(), row[2].into()), row[11].parse().unwrap());
        }
        for row in rows.iter().filter(|row| row[9] == "all") {
            for (column, (place, _)) in COLUMNS.iter().enumerate() {
                let said = match row[*place].parse() {
                    Err(_) => Said::Hidden,
                    Ok(number) if row[24].contains("làm tròn đến 10") => Said::About(number),
                    Ok(number) => Said::Exactly(number),
                };
                let is_of = |cell: &CellName| cell.0 == row[3] && cell.1 == row[2];
                reader.claim(column, said, is_of);
            }
        }
        for file in ["summary.json", "public.json"] {
            reader.tables(&serde_json::from_str(text(file)).unwrap());
        }
        reader
    }

    fn claim(&mut self, column: usize, said: Said, is_of: impl Fn(&CellName) -> bool) {
        let cells = self.cells.keys().filter(|cell| cell.3 == column && is_of(cell)).cloned();
        let cells = cells.collect();
        self.claims.push(Claim { cells, said });
    }

    fn tables(&mut self, document: &Value) {
        let places = self.places.clone();
        let by_place =
            [("by_level", "level"), ("by_commune", "commune"), ("by_district", "district")];
        for (column, (_, key)) in COLUMNS.iter().enumerate() {
            for (place, (table, name)) in by_place.iter().enumerate() {
                for row in document["tables"][table].as_array().unwrap() {
                    let of = row[name].as_str().unwrap();
                    let is_of = |cell: &CellName| of == "Tổng cộng" || places[&cell.0][place] == of;
                    self.claim(column, said(&row[key]), is_of);
                }
            }
            for row in document["tables"]["by_month"].as_array().unwrap() {
                let of = row["month"].as_str().unwrap();
                let is_of = |cell: &CellName| of == "Tổng cộng" || cell.1 == of;
                self.claim(column, said(&row[key]), is_of);
            }
            for row in document["tables"]["by_category"].as_array().unwrap() {
                let of = row["id"].as_str().unwrap();
                self.claim(column, said(&row[key]), |cell| of == "all" || cell.2 == of);
            }
        }
    }

    /// The told sum and the number of hidden cells of a claim.
    fn parts(&self, cells: &[CellName]) -> (i64, Vec<CellName>) {
        let told = cells.iter().filter_map(|cell| self.cells[cell]).sum();
        let hidden = cells.iter().filter(|cell| self.cells[*cell].is_none()).cloned().collect();
        (told, hidden)
    }

    /// Whether a number follows from published cells, by the rule for the department or for everyone.
    fn is_explained(&self, claim: &Claim) -> bool {
        let (told, hidden) = self.parts(&claim.cells);
        let middle = told + 5 * i64::try_from(hidden.len()).unwrap();
        let round = (middle + 5) / 10 * 10;
        let for_the_department = match (told, hidden.len()) {
            (told, 0) => Said::Exactly(told),
            (0, 1) => Said::Hidden,
            _ => Said::About(round),
        };
        let for_everyone = match middle {
            0 => Said::Exactly(0),
            1..10 => Said::Hidden,
            _ => Said::About(round),
        };
        claim.said == for_the_department || claim.said == for_everyone
    }

    /// What every hidden cell can be.
    pub(super) fn attack(&self) -> BTreeMap<CellName, Vec<i64>> {
        let hidden: Vec<&CellName> =
            self.cells.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        let place = |name: &CellName| hidden.binary_search(&name).unwrap();
        let terms = |names: &[CellName]| names.iter().map(|name| (place(name), 1)).collect();
        let mut constraints = Vec::new();
        for claim in self.claims.iter().filter(|claim| !self.is_explained(claim)) {
            let (told, names) = self.parts(&claim.cells);
            let (low, high) = match claim.said {
                Said::Exactly(sum) => (sum, sum),
                Said::About(sum) => (sum - 5, sum + 4),
                Said::Hidden => (1, 9),
            };
            constraints.push(Constraint {
                terms: terms(&names),
                low: low - told,
                high: high - told,
            });
        }
        for ((school, month), queries) in &self.queries {
            // A query is blocked, or observed, or neither: there are not more of both than queries.
            let of = |cell: &&CellName| cell.0 == *school && cell.1 == *month && cell.3 != 1;
            let cells: Vec<CellName> = self.cells.keys().filter(of).cloned().collect();
            let (told, names) = self.parts(&cells);
            constraints.push(Constraint { terms: terms(&names), low: 0, high: queries - told });
        }
        for merged in hidden.iter().filter(|name| name.3 == 1) {
            // Merging does not make more of them.
            let blocked = (merged.0.clone(), merged.1.clone(), merged.2.clone(), 0);
            let (told, names) = self.parts(&[blocked]);
            let mut terms: Vec<(usize, i64)> = vec![(place(merged), 1)];
            terms.extend(names.iter().map(|name| (place(name), -1)));
            constraints.push(Constraint { terms, low: -100, high: told });
        }
        let found = feasible(hidden.len(), &constraints);
        hidden.into_iter().cloned().zip(found).collect()
    }
}
