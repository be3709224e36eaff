//! A test in words: the table that a head of school signs, as text and as a page to print.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::html;

use crate::lang::{Lang, Message, messages};
use crate::paper;
use crate::selftest::run::{RowKind, RowResult, SelfTestRow, SelfTestRun};

/// The most rows of a summary that failed.
const MOST: usize = 20;

/// A test in a language, with times of a zone.
pub struct SelfTestReport<'a> {
    run: &'a SelfTestRun,
    lang: Lang,
    zone: &'a TimeZone,
}

impl<'a> SelfTestReport<'a> {
    /// The report of a test.
    pub fn new(run: &'a SelfTestRun, lang: Lang, zone: &'a TimeZone) -> Self {
        Self { run, lang, zone }
    }

    #[expect(clippy::needless_pass_by_value, reason = "a page makes a message where it says it")]
    fn say(&self, message: Message) -> String {
        message.in_lang(self.lang)
    }

    /// The moment of the test, in the school's time.
    pub fn moment(&self) -> String {
        let at = i64::try_from(self.run.at).ok().and_then(|at| Timestamp::from_second(at).ok());
        let form = if self.lang == Lang::Vi { "%d/%m/%Y %H:%M" } else { "%Y-%m-%d %H:%M" };
        at.map_or_else(String::new, |at| self.zone.to_datetime(at).strftime(form).to_string())
    }

    /// The head: school, time, release, sums.
    fn head(&self) -> [String; 4] {
        let run = self.run;
        let school =
            if run.school_name.is_empty() { run.school.clone() } else { run.school_name.clone() };
        let release = run.release.map_or_else(|| "-".to_owned(), |release| release.to_string());
        [
            self.say(messages::selftest_school(school, &run.school)),
            self.say(messages::selftest_time(self.moment())),
            self.say(messages::selftest_release(release, &run.version)),
            self.say(messages::selftest_sums(run.passed, run.failed, run.unknown)),
        ]
    }

    /// The rows, those that failed first, then those of which nothing can be said.
    fn rows(&self) -> Vec<&'a SelfTestRow> {
        let mut rows: Vec<&SelfTestRow> = self.run.rows.iter().collect();
        rows.sort_by_key(|row| match row.result {
            RowResult::Failed => 0,
            RowResult::Unknown => 1,
            RowResult::Passed => 2,
        });
        rows
    }

    fn cells(&self, row: &SelfTestRow) -> Vec<String> {
        let way = match row.transport.as_str() {
            "-" => "-".to_owned(),
            transport => format!("{}/{transport}", row.listener),
        };
        let way = row.server_name.iter().fold(way, |way, name| format!("{way} {name}"));
        vec![
            self.say(row.result.message()),
            row.group.clone(),
            self.say(row.kind.message()),
            row.name.clone(),
            way,
            self.say(row.expected.message()),
            self.say(row.found.message()),
        ]
    }

    fn columns(&self) -> [String; 7] {
        [
            messages::selftest_result(),
            messages::selftest_group(),
            messages::selftest_kind(),
            messages::selftest_name(),
            messages::selftest_way(),
            messages::selftest_expected(),
            messages::selftest_found(),
        ]
        .map(|message| self.say(message))
    }

    /// A table of the rows for a page.
    fn table(&self) -> maud::Markup {
        let columns = self.columns();
        let head: Vec<&str> = columns.iter().map(String::as_str).collect();
        let rows: Vec<Vec<String>> = self.rows().into_iter().map(|row| self.cells(row)).collect();
        paper::table(&self.say(messages::selftest_title()), &head, &rows)
    }

    /// Rows that passed among all, by group and kind, and those that failed: it fits a sheet.
    pub fn summary(&self) -> maud::Markup {
        let mut groups: Vec<&str> = Vec::new();
        for row in &self.run.rows {
            if !groups.contains(&row.group.as_str()) {
                groups.push(&row.group);
            }
        }
        let cell = |group: &str, kind: RowKind| {
            let of = self.run.rows.iter().filter(|row| row.group == group && row.kind == kind);
            let passed = of.clone().filter(|row| row.result == RowResult::Passed).count();
            match of.count() {
                0 => "-".to_owned(),
                all => format!("{passed}/{all}"),
            }
        };
        let of_group = |group: &&str| {
            let name = if group.is_empty() { "-" } else { group };
            let cells = RowKind::ALL.into_iter().map(|kind| cell(group, kind));
            std::iter::once(name.to_owned()).chain(cells).collect()
        };
        let rows: Vec<Vec<String>> = groups.iter().map(of_group).collect();
        let kinds = RowKind::ALL.into_iter().map(|kind| self.say(kind.message()));
        let head: Vec<String> =
            std::iter::once(self.say(messages::selftest_group())).chain(kinds).collect();
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        let title = self.say(messages::selftest_title());
        let columns = self.columns();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let others = self.rows().into_iter().filter(|row| row.result == RowResult::Failed);
        let others: Vec<Vec<String>> = others.take(MOST).map(|row| self.cells(row)).collect();
        html! {
            (paper::table(&title, &head, &rows))
            @if !others.is_empty() {
                (paper::table(&self.say(messages::selftest_failed()), &columns, &others))
            }
        }
    }

    /// The page to print.
    pub fn page(&self) -> String {
        let body = html! {
            @for line in self.head() { p { (line) } }
            p.soft { (self.say(messages::selftest_what())) }
            (self.summary())
            @for line in self.signatures() { span.sign { (line) } }
            section.appendix { (self.table()) }
        };
        paper::page(self.lang, &self.say(messages::selftest_title()), &body)
    }

    fn signatures(&self) -> [String; 3] {
        [messages::selftest_sign_name(), messages::selftest_sign_date(), messages::selftest_sign()]
            .map(|message| self.say(message))
    }

    /// The same as text.
    pub fn text(&self) -> String {
        let columns = self.columns().to_vec();
        let rows = self.rows().into_iter().map(|row| self.cells(row));
        let table: Vec<Vec<String>> = std::iter::once(columns).chain(rows).collect();
        let width = |place: usize| {
            table.iter().filter_map(|row| row.get(place)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> = (0..7).map(|place| width(place).unwrap_or(0)).collect();
        let mut text = self.say(messages::selftest_title());
        for line in self.head() {
            let _ = write!(text, "\n{line}");
        }
        text.push('\n');
        for row in &table {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            let line = cells.collect::<Vec<_>>().join("  ");
            let _ = write!(text, "\n{}", line.trim_end());
        }
        text.push('\n');
        for line in self.signatures() {
            let _ = write!(text, "\n{line}: ______________________________");
        }
        text
    }
}
