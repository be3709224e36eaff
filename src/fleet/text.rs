//! The first screen for a terminal, and for a mail from cron.

use std::fmt::Write as _;

use super::protection::SchoolProtection;
use super::shown::{ShownFleet, ShownUnit, decimal, head, release, word};
use crate::lang::{Lang, Message, messages};

/// The most characters of a cell that is no cause.
const MAX_CELL: usize = 32;

/// The first screen as text.
pub fn text(fleet: &ShownFleet, lang: Lang) -> String {
    let mut out = head(fleet, lang).join("\n");
    out.push_str("\n\n");
    out.push_str(&schools(fleet, lang));
    let total = fleet.schools.len().max(1);
    let of_all = |count: usize| format!("{count} ({:.0} %)", count as f64 * 100.0 / total as f64);
    let releases = fleet.releases.iter().rev();
    let releases = releases.map(|(one, count)| vec![release(Some(*one), lang), of_all(*count)]);
    section(&mut out, &messages::fleet_releases(), lang, &releases.collect::<Vec<_>>());
    let versions = fleet.versions.iter().rev();
    let versions = versions.map(|(one, count)| vec![one.clone(), of_all(*count)]);
    section(&mut out, &messages::fleet_versions(), lang, &versions.collect::<Vec<_>>());
    let blocked = fleet.blocked.iter().map(|(one, count)| vec![one.clone(), count.to_string()]);
    section(&mut out, &messages::fleet_blocked(), lang, &blocked.collect::<Vec<_>>());
    let upstreams = fleet.upstreams.iter().map(|one| {
        let errors = one.errors_percent.map(|share| format!("{} %", decimal(share, 1, lang)));
        vec![
            one.server.clone(),
            format!("{} {:.0} %", messages::fleet_up().in_lang(lang), one.up_percent),
            errors.map_or_else(String::new, |errors| {
                format!("{}: {errors}", messages::fleet_errors().in_lang(lang))
            }),
        ]
    });
    section(&mut out, &messages::fleet_upstreams(), lang, &upstreams.collect::<Vec<_>>());
    section(&mut out, &messages::fleet_by_commune(), lang, &units(&fleet.communes, lang));
    section(&mut out, &messages::fleet_by_old_unit(), lang, &units(&fleet.old_units, lang));
    out
}

/// The table of schools.
fn schools(fleet: &ShownFleet, lang: Lang) -> String {
    let heads = [
        messages::fleet_school(),
        messages::fleet_commune(),
        messages::fleet_protected(),
        messages::fleet_since(),
        messages::fleet_minutes(),
        messages::fleet_release(),
        messages::fleet_seen(),
        messages::fleet_cause(),
    ];
    let mut rows = vec![heads.iter().map(|one| one.in_lang(lang)).collect::<Vec<_>>()];
    for one in &fleet.schools {
        let minutes = one.not_enforced_minutes.map_or_else(String::new, |one| one.to_string());
        rows.push(vec![
            if one.name.is_empty() { one.school.clone() } else { one.name.clone() },
            one.commune.clone(),
            word(one.protected).in_lang(lang),
            one.since.clone(),
            minutes,
            release(one.release, lang),
            one.last_seen.clone(),
            one.cause.clone(),
        ]);
    }
    aligned(&rows)
}

fn units(units: &[ShownUnit], lang: Lang) -> Vec<Vec<String>> {
    let row = |one: &ShownUnit| {
        let counts: Vec<String> = SchoolProtection::ALL
            .into_iter()
            .filter_map(|protected| {
                let count = one.counts.get(&protected)?;
                Some(format!("{}: {count}", word(protected).in_lang(lang)))
            })
            .collect();
        let minutes = messages::fleet_minutes().in_lang(lang);
        vec![
            one.unit.clone(),
            counts.join(", "),
            format!("{minutes}: {}", one.not_enforced_minutes),
        ]
    };
    units.iter().map(row).collect()
}

/// A section, where there is anything in it.
fn section(out: &mut String, title: &Message, lang: Lang, rows: &[Vec<String>]) {
    if !rows.is_empty() {
        let _ = write!(out, "\n{}\n{}", title.in_lang(lang), aligned(rows));
    }
}

/// Rows with their cells below each other; the last cell is as long as it is.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let shown: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let cell = |(place, cell): (usize, &String)| cut(cell, place + 1 == columns);
            row.iter().enumerate().map(cell).collect()
        })
        .collect();
    let width = |column: usize| {
        shown.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in &shown {
        let mut line = String::from(" ");
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, " {cell:<width$} ");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A cell without control characters, and short unless it is a row's last.
fn cut(cell: &str, is_last: bool) -> String {
    let plain: String = cell.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    if is_last || plain.chars().nth(MAX_CELL).is_none() {
        return plain;
    }
    plain.chars().take(MAX_CELL - 1).chain(['…']).collect()
}
