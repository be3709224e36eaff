//! The first screen as a page of its own, to be opened from a share or printed.

use maud::{Markup, html};

use super::protection::SchoolProtection;
use super::shown::{ShownFleet, ShownSchool, ShownUnit, decimal, head, release, word};
use crate::lang::{Lang, Message, messages};
use crate::paper::{bars, page as paper_page, table};

/// The first screen as a page.
pub fn page(fleet: &ShownFleet, lang: Lang) -> String {
    let total = fleet.schools.len();
    let share = |name: String, count: usize, total: usize| {
        let percent = count as f64 * 100.0 / total.max(1) as f64;
        (name, count as u64, format!("{count} ({percent:.0} %)"))
    };
    let counted = fleet.counts.values().sum();
    let counts: Vec<_> = SchoolProtection::ALL
        .into_iter()
        .map(|one| {
            share(word(one).in_lang(lang), fleet.counts.get(&one).copied().unwrap_or(0), counted)
        })
        .collect();
    let releases = fleet.releases.iter().rev();
    let releases: Vec<_> =
        releases.map(|(one, count)| share(release(Some(*one), lang), *count, total)).collect();
    let versions = fleet.versions.iter().rev();
    let versions: Vec<_> = versions.map(|(one, count)| share(one.clone(), *count, total)).collect();
    let blocked = fleet.blocked.iter();
    let blocked: Vec<_> =
        blocked.map(|(one, count)| (one.clone(), *count, count.to_string())).collect();
    let body = html! {
        @for line in head(fleet, lang) { p { (line) } }
        (plot(&messages::fleet_protected(), lang, &counts))
        (schools(fleet, lang))
        (plot(&messages::fleet_releases(), lang, &releases))
        (plot(&messages::fleet_versions(), lang, &versions))
        (plot(&messages::fleet_blocked(), lang, &blocked))
        (upstreams(fleet, lang))
        (units(&messages::fleet_by_commune(), messages::fleet_commune(), &fleet.communes, lang))
        (units(&messages::fleet_by_old_unit(), messages::fleet_old_unit(), &fleet.old_units, lang))
    };
    paper_page(lang, &messages::fleet_title().in_lang(lang), &body)
}

/// Bars, where there are any.
fn plot(title: &Message, lang: Lang, rows: &[(String, u64, String)]) -> Markup {
    html! { @if !rows.is_empty() { (bars(&title.in_lang(lang), rows)) } }
}

/// The table of schools.
fn schools(fleet: &ShownFleet, lang: Lang) -> Markup {
    let heads = [
        messages::fleet_school(),
        messages::fleet_commune(),
        messages::fleet_protected(),
        messages::fleet_since(),
        messages::fleet_cause(),
        messages::fleet_minutes(),
        messages::fleet_release(),
        messages::fleet_seen(),
    ];
    let is = |one: &ShownSchool, protected| one.protected == protected;
    html! {
        table {
            caption { (messages::fleet_schools().in_lang(lang)) }
            thead {
                tr {
                    @for (place, head) in heads.iter().enumerate() {
                        // A date and a word stand on one line.
                        th.whole[place < 4] scope="col" { (head.in_lang(lang)) }
                    }
                }
            }
            tbody {
                @for one in &fleet.schools {
                    tr {
                        td {
                            @if !one.name.is_empty() { (one.name) br; }
                            code { (one.school) }
                        }
                        td { (one.commune) }
                        td.whole.yes[is(one, SchoolProtection::Yes)].no[is(one, SchoolProtection::No)] {
                            (word(one.protected).in_lang(lang))
                        }
                        td.whole { (one.since) }
                        td { (one.cause) }
                        td.number { @if let Some(minutes) = one.not_enforced_minutes { (minutes) } }
                        td.number { (release(one.release, lang)) }
                        td.whole { (one.last_seen) }
                    }
                }
            }
        }
    }
}

fn upstreams(fleet: &ShownFleet, lang: Lang) -> Markup {
    let percent = |share: f64| format!("{} %", decimal(share, 1, lang));
    let rows: Vec<Vec<String>> = fleet
        .upstreams
        .iter()
        .map(|one| {
            let errors = one.errors_percent.map_or_else(String::new, percent);
            vec![one.server.clone(), percent(one.up_percent), errors]
        })
        .collect();
    let heads = [messages::fleet_server(), messages::fleet_up(), messages::fleet_errors()];
    listed(&messages::fleet_upstreams(), &heads, &rows, lang)
}

/// The schools of units.
fn units(title: &Message, head: Message, units: &[ShownUnit], lang: Lang) -> Markup {
    let heads: Vec<Message> = [head]
        .into_iter()
        .chain(SchoolProtection::ALL.map(word))
        .chain([messages::fleet_minutes()])
        .collect();
    let row = |one: &ShownUnit| {
        let counts =
            SchoolProtection::ALL.map(|protected| one.counts.get(&protected).copied().unwrap_or(0));
        let counts = counts.iter().map(ToString::to_string);
        let minutes = one.not_enforced_minutes.to_string();
        [one.unit.clone()].into_iter().chain(counts).chain([minutes]).collect()
    };
    let rows: Vec<Vec<String>> = units.iter().map(row).collect();
    listed(title, &heads, &rows, lang)
}

/// A table, where it has rows.
fn listed(title: &Message, heads: &[Message], rows: &[Vec<String>], lang: Lang) -> Markup {
    let heads: Vec<String> = heads.iter().map(|one| one.in_lang(lang)).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    html! { @if !rows.is_empty() { (table(&title.in_lang(lang), &heads, rows)) } }
}
