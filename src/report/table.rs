//! Tables of a report: rows of cells, as a page, a spreadsheet and JSON have them.

use maud::Markup;
use serde::Serialize;
use serde::ser::SerializeMap as _;

use crate::lang::{Lang, Message};
use crate::paper;
use crate::report::count::{PublishedSum, ShownCount, tenths};
use crate::report::detail;
use crate::report::school_month::ReportSums;

/// The people that a table is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The department: what schools handed in.
    Department,
    /// Everyone: no school by its name, and every count rounded.
    Public,
}

impl Audience {
    pub(super) fn count(self, sum: PublishedSum) -> ShownCount {
        match self {
            Self::Department => sum.shown(),
            Self::Public => sum.shown_to_the_public(),
        }
    }

    pub(super) fn queries(self, sums: &ReportSums) -> ShownCount {
        match (self, sums.queries()) {
            (Self::Public, ShownCount::Told(count) | ShownCount::Rounded(count)) => {
                PublishedSum::told(count).shown_to_the_public()
            }
            (_, shown) => shown,
        }
    }
}

/// Which geography tables of places are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Geography {
    /// By commune.
    New,
    /// By the district of before the reform.
    Old,
    /// Both tables.
    Both,
}

/// A field of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SummaryCell {
    /// Words.
    Text(String),
    /// A count.
    Count(ShownCount),
    /// Tenths; none where they cannot be said.
    Tenths(Option<u64>),
}

impl SummaryCell {
    /// For a page.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.text(),
            Self::Tenths(value) => value.map_or_else(|| "–".to_owned(), tenths),
        }
    }

    /// For a spreadsheet.
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.plain(),
            Self::Tenths(value) => value.map_or_else(String::new, tenths),
        }
    }
}

impl Serialize for SummaryCell {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => to.serialize_str(text),
            Self::Count(count) => count.serialize(to),
            #[expect(clippy::cast_precision_loss, reason = "tenths of a percent, or of hours")]
            Self::Tenths(value) => value.map(|tenths| tenths as f64 / 10.0).serialize(to),
        }
    }
}

/// A table of the report.
#[derive(Debug, Clone)]
pub struct SummaryTable {
    /// Its id: the name of its file, and its key in the JSON.
    pub id: &'static str,
    /// Its title.
    pub title: Message,
    /// Its columns: the key in the JSON, and what people read.
    pub columns: Vec<(&'static str, Message)>,
    /// Its rows.
    pub rows: Vec<Vec<SummaryCell>>,
    /// Whether it is on the page; else it is a file alone.
    pub is_printed: bool,
}

impl Serialize for SummaryTable {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        struct Row<'a>(&'a SummaryTable, &'a [SummaryCell]);
        impl Serialize for Row<'_> {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let mut map = to.serialize_map(Some(self.1.len()))?;
                for ((key, _), cell) in self.0.columns.iter().zip(self.1) {
                    map.serialize_entry(key, cell)?;
                }
                map.end()
            }
        }
        to.collect_seq(self.rows.iter().map(|row| Row(self, row)))
    }
}

impl SummaryTable {
    /// For a page.
    pub fn markup(&self, lang: Lang) -> Markup {
        let head: Vec<String> = self.columns.iter().map(|(_, name)| name.in_lang(lang)).collect();
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(SummaryCell::text).collect()).collect();
        paper::table(&self.title.in_lang(lang), &head, &rows)
    }

    /// For a spreadsheet.
    pub fn csv(&self, lang: Lang) -> String {
        let head: Vec<String> = self.columns.iter().map(|(_, name)| name.in_lang(lang)).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(SummaryCell::plain).collect());
        let lines =
            std::iter::once(head).chain(rows).map(|fields: Vec<String>| detail::line(&fields));
        detail::MARK.to_owned() + &lines.collect::<String>()
    }
}
