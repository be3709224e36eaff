//! What one school hands in, as its detail file and as a page to print and sign.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::category::{CategoryId, Taxonomy};
use crate::evidence::month::LocalMonth;
use crate::lang::{Lang, Message, messages};
use crate::paper;
use crate::report::attest::page::cause_words;
use crate::report::count::{ShownCount, permille, tenths};
use crate::report::detail::{self, DetailFile, DetailSchool, category_name, level_name};
use crate::report::period::printed_day;
use crate::report::school_month::{CategorySums, ReportSums};
use crate::report::summary_page::plot;
use crate::report::unit::UnitReport;

/// The detail file of one school; the registry's columns are the department's to fill.
///
/// # Errors
///
/// The file cannot be written.
pub fn csv(report: &UnitReport, taxonomy: &Taxonomy) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut file = DetailFile::begin(&mut out, report.period.year(), taxonomy)?;
    let school = DetailSchool {
        id: report.school.id.clone(),
        name: report.school.name.clone(),
        level: report.school.level.clone(),
        ..DetailSchool::default()
    };
    for month in &report.months {
        let mut sums = ReportSums::default();
        sums.add(month);
        file.add(&school, month.month, &sums, &detail::notes(&sums, month.month, 1))?;
    }
    file.finish()?;
    Ok(out)
}

/// Months as people write them: `11/2025, 12/2025`.
pub fn months(months: &[LocalMonth]) -> String {
    let shown = months.iter().map(|month| format!("{:02}/{}", month.number(), month.year()));
    shown.collect::<Vec<_>>().join(", ")
}

/// The page that the head of a school signs.
pub fn page(report: &UnitReport, taxonomy: &Taxonomy, lang: Lang) -> String {
    let say = |message: Message| message.in_lang(lang);
    let mut all = ReportSums::default();
    report.months.iter().for_each(|month| all.add(month));
    let school = &report.school;
    let name = if school.name.is_empty() { &school.id } else { &school.name };
    let (from, to) = (report.period.from.first_day(), report.period.to.last_day());
    let made = String::from(report.made);
    let made = made.parse().map_or(made, printed_day);
    let (missing, running) = (report.missing(), &report.not_over);
    let mut by_category: Vec<(String, ShownCount)> = all
        .categories
        .iter()
        .map(|(id, of)| (category_name(taxonomy, id, lang), of.blocked.shown()))
        .filter(|(_, count)| count.number() != Some(0))
        .collect();
    by_category.sort_by_key(|(_, count)| std::cmp::Reverse(count.number().unwrap_or(1)));
    let body = html! {
        p.soft {
            (say(messages::report_period_is(printed_day(from), printed_day(to)))) ". "
            (say(messages::report_made_on(made, &report.version))) "."
        }
        p {
            (say(messages::column_school_id())) ": " code { (school.id) }
            @if !school.level.is_empty() {
                " · " (say(messages::column_level())) ": " (level_name(taxonomy, &school.level, lang))
            }
        }
        @if !missing.is_empty() { p.no { (say(messages::report_months_missing(months(&missing)))) } }
        @if !running.is_empty() { p.no { (say(messages::report_months_running(months(running)))) } }
        (plot(&say(messages::plot_by_category()), by_category))
        (by_month(report, &all, lang))
        (by_category_table(&all, taxonomy, lang))
        (gaps(&all, lang))
        p { strong { (say(messages::report_not_people())) } }
        ul.soft {
            li { (say(messages::report_merged_rule())) }
            li { (say(messages::report_hidden_rule())) }
            @if all.queries_without_clock > 0 {
                li { (say(messages::report_without_clock(all.queries_without_clock))) }
            }
        }
        p { span.sign { (say(messages::sign_maker())) } span.sign { (say(messages::sign_head())) } }
    };
    paper::page(lang, &say(messages::report_title(name)), &body)
}

fn table(title: &Message, head: &[Message], rows: &[Vec<String>], lang: Lang) -> Markup {
    let head: Vec<String> = head.iter().map(|one| one.in_lang(lang)).collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    paper::table(&title.in_lang(lang), &head, rows)
}

fn share(value: Option<u64>) -> String {
    value.map_or_else(|| "–".to_owned(), tenths)
}

fn by_month(report: &UnitReport, all: &ReportSums, lang: Lang) -> Markup {
    let row = |name: String, sums: &ReportSums| {
        let CategorySums { blocked, merged, observed } = sums.all();
        vec![
            name,
            sums.queries().text(),
            blocked.shown().text(),
            merged.shown().text(),
            share(permille(blocked.shown(), sums.queries())),
            observed.shown().text(),
            share(sums.uptime()),
            format!("{} / {}", sums.reviews_received, sums.reviews_accepted),
            sums.orders.to_string(),
        ]
    };
    let mut rows: Vec<Vec<String>> = report
        .months
        .iter()
        .map(|month| {
            let mut sums = ReportSums::default();
            sums.add(month);
            row(months(&[month.month]), &sums)
        })
        .collect();
    rows.push(row(messages::row_total().in_lang(lang), all));
    let head = [
        messages::column_month(),
        messages::column_queries(),
        messages::column_blocked(),
        messages::column_merged(),
        messages::column_rate(),
        messages::column_observed(),
        messages::column_uptime(),
        messages::column_reviews(),
        messages::column_orders(),
    ];
    table(&messages::report_by_month(), &head, &rows, lang)
}

fn by_category_table(all: &ReportSums, taxonomy: &Taxonomy, lang: Lang) -> Markup {
    let row = |id: &str, of: &CategorySums| {
        let name = category_name(taxonomy, id, lang);
        vec![name, of.blocked.shown().text(), of.merged.shown().text(), of.observed.shown().text()]
    };
    let places: BTreeMap<usize, &String> = all
        .categories
        .keys()
        .enumerate()
        .map(|(n, id)| (taxonomy.find(id).map_or(1000 + n, CategoryId::index), id))
        .collect();
    let mut rows: Vec<Vec<String>> =
        places.values().filter_map(|id| Some(row(id, all.categories.get(*id)?))).collect();
    rows.push(row(detail::ALL, &all.all()));
    let head = [
        messages::column_category(),
        messages::column_blocked(),
        messages::column_merged(),
        messages::column_observed(),
    ];
    table(&messages::report_by_category(), &head, &rows, lang)
}

fn gaps(all: &ReportSums, lang: Lang) -> Markup {
    if all.gaps.is_empty() {
        return html! {};
    }
    let rows: Vec<Vec<String>> = all
        .gaps
        .iter()
        .map(|(of, seconds)| vec![cause_words(*of).in_lang(lang), tenths(seconds / 360)])
        .collect();
    let head = [messages::column_cause(), messages::column_hours_of()];
    table(&messages::table_gaps(), &head, &rows, lang)
}
