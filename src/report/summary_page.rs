//! The department's report as a page to print, and as JSON.

use jiff::civil::Date;
use maud::{Markup, html};
use serde::Serialize;

use crate::lang::{Lang, messages};
use crate::paper;
use crate::release::organisation::SchoolRegistry;
use crate::report::count::ShownCount;
use crate::report::merge::RefusedFile;
use crate::report::period::{ReportPeriod, printed_day};
use crate::report::summary::ReportSummary;
use crate::report::table::Audience;

/// Bars of a plot, at most.
const MOST_BARS: usize = 12;

/// The parts of a report that are no sums.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The publisher and the authorities that it is sent to.
    pub registry: &'a SchoolRegistry,
    /// Files that were not counted.
    pub refused: &'a [RefusedFile],
    /// The day.
    pub made: Date,
    /// The language.
    pub lang: Lang,
}

/// A plot of counts; a hidden one has the shortest bar.
pub(super) fn plot(title: &str, counts: Vec<(String, ShownCount)>) -> Markup {
    let bar =
        |(name, count): (String, ShownCount)| (name, count.number().unwrap_or(1), count.text());
    let bars: Vec<(String, u64, String)> = counts.into_iter().map(bar).collect();
    if bars.is_empty() {
        html! {}
    } else {
        paper::bars(title, &bars)
    }
}

/// The page of a summary.
pub fn page(summary: &ReportSummary, frame: &Frame<'_>) -> String {
    let lang = frame.lang;
    let say = |message: crate::lang::Message| message.in_lang(lang);
    let (from, to) = (summary.period.from.first_day(), summary.period.to.last_day());
    let title = match summary.audience {
        Audience::Department => messages::report_merged_title(summary.period.year()),
        Audience::Public => messages::report_public_title(summary.period.year()),
    };
    let categories = summary.by_category.iter().take(MOST_BARS).cloned().collect();
    let months = summary
        .by_month
        .iter()
        .map(|(month, count)| (format!("{:02}/{}", month.number(), month.year()), *count));
    let body = html! {
        @if !frame.registry.name.is_empty() { p { strong { (frame.registry.name) } } }
        p.soft {
            (say(messages::report_period_is(printed_day(from), printed_day(to)))) ". "
            (say(messages::report_made_on(printed_day(frame.made), env!("CARGO_PKG_VERSION")))) "."
        }
        p { (summary.paragraph(lang)) strong { (say(messages::report_not_people())) } }
        (plot(&say(messages::plot_by_category()), categories))
        (plot(&say(messages::plot_by_month()), months.collect()))
        @for table in summary.tables.iter().filter(|table| table.is_printed) { (table.markup(lang)) }
        (refused(summary, frame))
        (rules(summary, lang))
        (signature(summary, frame))
    };
    paper::page(lang, &say(title), &body)
}

/// The files that were not counted.
fn refused(summary: &ReportSummary, frame: &Frame<'_>) -> Markup {
    if frame.refused.is_empty() || summary.audience == Audience::Public {
        return html! {};
    }
    let say = |message: crate::lang::Message| message.in_lang(frame.lang);
    let (title, file, why) =
        (say(messages::table_refused()), say(messages::column_file()), say(messages::column_why()));
    let rows: Vec<Vec<String>> = frame
        .refused
        .iter()
        .map(|one| vec![one.file.clone(), one.why.in_lang(frame.lang)])
        .collect();
    paper::table(&title, &[&file, &why], &rows)
}

/// How the numbers are to be read.
fn rules(summary: &ReportSummary, lang: Lang) -> Markup {
    let say = |message: crate::lang::Message| message.in_lang(lang);
    let without_clock = summary.queries_without_clock();
    html! {
        ul.soft {
            li { (say(messages::report_merged_rule())) }
            li { (say(messages::report_hidden_rule())) }
            @if summary.audience == Audience::Public { li { (say(messages::report_public_rule())) } }
            @if without_clock > 0 && summary.audience == Audience::Department {
                li { (say(messages::report_without_clock(without_clock))) }
            }
        }
    }
}

/// The line to sign on, and the authorities that get a copy.
fn signature(summary: &ReportSummary, frame: &Frame<'_>) -> Markup {
    if summary.audience == Audience::Public {
        return html! {};
    }
    let say = |message: crate::lang::Message| message.in_lang(frame.lang);
    let sent: Vec<&str> = frame
        .registry
        .departments
        .iter()
        .filter(|one| one.days.has(frame.made))
        .map(|one| one.name.as_str())
        .collect();
    html! {
        p { span.sign { (say(messages::sign_maker())) } span.sign { (say(messages::sign_department())) } }
        @if !sent.is_empty() {
            p.soft { (say(messages::report_recipients())) ": " (sent.join("; ")) }
        }
    }
}

/// The summary as JSON.
pub fn json(summary: &ReportSummary, frame: &Frame<'_>) -> String {
    #[derive(Serialize)]
    struct Refused<'a> {
        file: &'a str,
        why: String,
    }
    #[derive(Serialize)]
    struct Document<'a> {
        kind: &'static str,
        format: u32,
        period: ReportPeriod,
        publisher: &'a str,
        made: String,
        schools: u64,
        registered: u64,
        queries_without_clock: u64,
        paragraph: String,
        tables: std::collections::BTreeMap<&'static str, &'a crate::report::table::SummaryTable>,
        #[serde(skip_serializing_if = "Option::is_none")]
        refused: Option<Vec<Refused<'a>>>,
    }
    let is_public = summary.audience == Audience::Public;
    let refused = frame
        .refused
        .iter()
        .map(|one| Refused { file: &one.file, why: one.why.in_lang(frame.lang) });
    let (schools, registered) = summary.schools();
    let document = Document {
        kind: if is_public { "lachan-public-report" } else { "lachan-merged-report" },
        format: 1,
        period: summary.period,
        publisher: &frame.registry.name,
        made: frame.made.to_string(),
        schools,
        registered,
        queries_without_clock: if is_public { 0 } else { summary.queries_without_clock() },
        paragraph: summary.paragraph(frame.lang),
        tables: summary.tables.iter().map(|table| (table.id, table)).collect(),
        refused: (!is_public).then(|| refused.collect()),
    };
    // Its keys are texts: it cannot fail.
    serde_json::to_string_pretty(&document).unwrap_or_default()
}
