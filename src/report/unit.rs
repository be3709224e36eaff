//! The unit file: what one gateway hands in for a period, `report.json`.
//!
//! Its months are published cells: of raw counts nothing is in it that `count` does not let out. What
//! reads it takes the octets of a stranger: they are bounded, and every field is judged.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::category::{NO_CATEGORY, Taxonomy};
use crate::evidence::month::LocalMonth;
use crate::evidence::record::{
    GapCause, MOST_SECONDS, MonthRecord, OrderCounts, RecordedSchool, ReviewCounts,
};
use crate::release::enrolment::is_id;
use crate::report::count::{MAX_COUNT, PublishedCount};
use crate::report::period::ReportPeriod;
use crate::reviews::day::CivilDay;

/// What stands in `kind`.
pub const KIND: &str = "lachan-unit-report";
/// The format of a unit file.
pub const FORMAT: u32 = 1;
/// The most octets of a unit file.
const MAX_OCTETS: usize = 4 << 20;
/// The most categories of a month.
const MAX_CATEGORIES: usize = 80;
/// The most orders of a month with their times.
const MAX_ORDERS: usize = 500;

/// What one gateway hands in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitReport {
    /// [`KIND`].
    pub kind: String,
    /// [`FORMAT`].
    pub format: u32,
    /// The months that it is about.
    pub period: ReportPeriod,
    /// The school and its box.
    pub school: RecordedSchool,
    /// The day on which it was made.
    pub made: CivilDay,
    /// The version of the program that made it.
    pub version: String,
    /// The months of which there is a record, in order.
    pub months: Vec<UnitMonth>,
    /// Months of the period that were not over when it was made.
    #[serde(default)]
    pub not_over: Vec<LocalMonth>,
}

/// One month of a gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitMonth {
    /// The month.
    pub month: LocalMonth,
    /// Queries received; raised to what the cells could be at most, where hidden cells could make it so.
    pub queries: u64,
    /// Of them, those that came while no clock could be trusted.
    pub queries_without_clock: u64,
    /// Counts by category id.
    pub categories: BTreeMap<String, UnitCounts>,
    /// Days on which a query came.
    pub active_days: u8,
    /// Seconds in which all was enforced.
    pub enforced: u64,
    /// Seconds in which it was not, by cause.
    pub gaps: BTreeMap<GapCause, u64>,
    /// The release in use last; none where lists are the school's own.
    pub lists: Option<UsedLists>,
    /// True where an earlier record of the month was lost.
    #[serde(default)]
    pub began_anew: bool,
    /// Requests to open a name.
    pub reviews: ReviewCounts,
    /// Orders of an authority.
    pub orders: OrderCounts,
    /// Self-tests that ran, and those of which a row failed.
    pub self_tests: (u64, u64),
}

/// A release and its first day at the school.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsedLists {
    /// Its serial.
    pub release: u64,
    /// The day of its first use.
    pub day: CivilDay,
}

/// What policy did with a category in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitCounts {
    /// Queries answered as blocked.
    pub blocked: PublishedCount,
    /// The same, where one group and one registrable domain count once in 60 s.
    pub merged: PublishedCount,
    /// Queries let through and counted.
    pub observed: PublishedCount,
}

impl UnitCounts {
    fn is_none(self) -> bool {
        self.blocked.is_none() && self.merged.is_none() && self.observed.is_none()
    }

    fn hides(self) -> bool {
        [self.blocked, self.merged, self.observed].contains(&PublishedCount::Hidden)
    }
}

/// Whether counts of a category are hidden where few asked.
pub fn is_sensitive(taxonomy: &Taxonomy, category: &str) -> bool {
    match taxonomy.find(category) {
        Some(id) => taxonomy.category(id).is_sensitive,
        // `protected`, and what an older taxonomy had: nobody knows that it was harmless.
        None => category != NO_CATEGORY,
    }
}

impl UnitMonth {
    /// What leaves of a record.
    fn of(record: &MonthRecord, month: LocalMonth, taxonomy: &Taxonomy) -> Self {
        let categories = counts(record, taxonomy);
        let zone = TimeZone::get(&record.school.timezone).unwrap_or(TimeZone::UTC);
        let lists = record.releases.iter().max_by_key(|used| used.from).and_then(|used| {
            Some(UsedLists { release: used.release, day: CivilDay::of(used.from, &zone)? })
        });
        let mut orders = record.orders.clone();
        orders.seconds.truncate(MAX_ORDERS);
        let mut made = Self {
            month,
            queries: record.queries.min(MAX_COUNT),
            queries_without_clock: record.queries_without_clock.min(MAX_COUNT),
            categories,
            active_days: u8::try_from(record.active_days.len()).unwrap_or(31).min(31),
            enforced: record.enforcement.enforced.min(MOST_SECONDS),
            gaps: record.enforcement.gaps.clone(),
            lists,
            began_anew: record.began_anew,
            reviews: record.reviews,
            orders,
            self_tests: (record.self_test.runs, record.self_test.failed),
        };
        made.raise_queries();
        made
    }

    /// The greatest number of queries that the cells can stand for.
    fn most_counted(&self) -> u64 {
        let most = |counts: &UnitCounts| counts.blocked.at_most() + counts.observed.at_most();
        self.categories.values().map(most).sum()
    }

    /// Whether a cell is hidden.
    pub fn hides(&self) -> bool {
        self.categories.values().any(|counts| counts.hides())
    }

    /// Whether the number of queries may be a raised one; told from published cells alone.
    pub fn has_raised_queries(&self) -> bool {
        self.hides() && self.queries == self.most_counted()
    }

    /// Fewer queries than the cells can stand for would say that a hidden cell is small.
    fn raise_queries(&mut self) {
        if self.hides() {
            self.queries = self.queries.max(self.most_counted());
        }
    }

    /// Hides what another program let out.
    fn hide(&mut self, taxonomy: &Taxonomy) {
        let again = |count: PublishedCount| match count {
            PublishedCount::Told(count) => PublishedCount::of(count, true),
            PublishedCount::Hidden => PublishedCount::Hidden,
        };
        for (category, counts) in &mut self.categories {
            if is_sensitive(taxonomy, category) {
                counts.blocked = again(counts.blocked);
                counts.merged = again(counts.merged);
                counts.observed = again(counts.observed);
            }
        }
        self.raise_queries();
    }

    /// The name of a field that cannot be so.
    fn fault(&self) -> Option<&'static str> {
        let is_category = |id: &String| {
            (1..=32).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let fits = |seconds: &u64| *seconds <= MOST_SECONDS;
        let checks = [
            ("queries", self.queries <= MAX_COUNT),
            ("queries_without_clock", self.queries_without_clock <= MAX_COUNT),
            ("categories", self.categories.len() <= MAX_CATEGORIES),
            ("categories", self.categories.keys().all(is_category)),
            ("active_days", self.active_days <= 31),
            ("enforced", fits(&self.enforced)),
            ("gaps", self.gaps.values().all(fits)),
            ("reviews", self.reviews.received.max(self.reviews.accepted) <= MAX_COUNT),
            ("orders", self.orders.seconds.len() <= MAX_ORDERS),
            ("orders", self.orders.applied <= MAX_COUNT),
            ("self_tests", self.self_tests.0.max(self.self_tests.1) <= MAX_COUNT),
        ];
        checks.into_iter().find(|(_, is_right)| !is_right).map(|(field, _)| field)
    }
}

/// Cells by category, over the groups of a record; what was never counted has none.
fn counts(record: &MonthRecord, taxonomy: &Taxonomy) -> BTreeMap<String, UnitCounts> {
    let mut sums: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for group in record.groups.values() {
        for (category, counts) in &group.categories {
            // Good names are no count of anybody's.
            if taxonomy.find(category).is_some_and(|id| taxonomy.category(id).is_positive) {
                continue;
            }
            let sum = sums.entry(category).or_default();
            let add = |to: &mut u64, count: u64| *to = to.saturating_add(count).min(MAX_COUNT);
            add(&mut sum.0, counts.blocked);
            add(&mut sum.1, counts.merged);
            add(&mut sum.2, counts.observed);
        }
    }
    let cells = sums.into_iter().map(|(category, (blocked, merged, observed))| {
        let is_sensitive = is_sensitive(taxonomy, category);
        let cell = |count| PublishedCount::of(count, is_sensitive);
        let counts =
            UnitCounts { blocked: cell(blocked), merged: cell(merged), observed: cell(observed) };
        (category.to_owned(), counts)
    });
    cells.filter(|(_, counts)| !counts.is_none()).collect()
}

/// A unit file that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitFault {
    /// It is a document of another kind.
    OtherKind,
    /// It is no JSON, or not of this shape.
    Malformed(String),
    /// Another format.
    Format(u32),
    /// A field has a value that it cannot have.
    Field(&'static str),
}

impl UnitReport {
    /// The report of these records, which are of months of the period; those that are not over by
    /// `made` are left out.
    pub fn of(
        records: &[MonthRecord],
        period: ReportPeriod,
        taxonomy: &Taxonomy,
        made: CivilDay,
    ) -> Self {
        let is_over = |month: &LocalMonth| String::from(made) > month.last_day().to_string();
        let (over, not_over): (Vec<_>, Vec<_>) = period.months().partition(is_over);
        let find = |month: &LocalMonth| {
            let record = records.iter().find(|record| record.month == month.to_string())?;
            Some(UnitMonth::of(record, *month, taxonomy))
        };
        let school = records.iter().max_by_key(|record| &record.month);
        Self {
            kind: KIND.to_owned(),
            format: FORMAT,
            period,
            school: school.map(|record| record.school.clone()).unwrap_or_default(),
            made,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            months: over.iter().filter_map(find).collect(),
            not_over,
        }
    }

    /// Months of the period that are over and of which there is no record.
    pub fn missing(&self) -> Vec<LocalMonth> {
        let has = |month: &LocalMonth| self.months.iter().any(|one| one.month == *month);
        self.period.months().filter(|month| !has(month) && !self.not_over.contains(month)).collect()
    }

    /// Reads a unit file; what it should not have told is hidden again.
    ///
    /// # Errors
    ///
    /// [`UnitFault`].
    pub fn parse(octets: &[u8], taxonomy: &Taxonomy) -> Result<Self, UnitFault> {
        if octets.len() > MAX_OCTETS {
            return Err(UnitFault::Malformed(format!("it has more than {MAX_OCTETS} octets")));
        }
        let mut report: Self = match serde_json::from_slice(octets) {
            Ok(report) => report,
            Err(error) => return Err(Head::of(octets).fault(&error)),
        };
        if report.kind != KIND {
            return Err(UnitFault::OtherKind);
        }
        if report.format != FORMAT {
            return Err(UnitFault::Format(report.format));
        }
        if let Some(field) = report.fault() {
            return Err(UnitFault::Field(field));
        }
        for month in &mut report.months {
            month.hide(taxonomy);
        }
        Ok(report)
    }

    fn fault(&self) -> Option<&'static str> {
        let is_text =
            |text: &str| text.chars().count() <= 200 && !text.chars().any(char::is_control);
        let school = &self.school;
        let in_period = |month: LocalMonth| (self.period.from..=self.period.to).contains(&month);
        let checks = [
            ("period", self.period.is_right()),
            ("school.id", is_id(&school.id)),
            ("school.box", school.unit.is_empty() || is_id(&school.unit)),
            ("school.name", is_text(&school.name)),
            ("school.level", is_text(&school.level)),
            ("school.timezone", is_text(&school.timezone)),
            ("version", is_text(&self.version)),
            ("months", self.months.iter().all(|one| in_period(one.month))),
            ("months", self.months.windows(2).all(|two| two[0].month < two[1].month)),
            ("not_over", self.not_over.iter().copied().all(in_period)),
            ("not_over", self.not_over.len() <= super::period::MAX_MONTHS),
        ];
        let own = checks.into_iter().find(|(_, is_right)| !is_right).map(|(field, _)| field);
        own.or_else(|| self.months.iter().find_map(UnitMonth::fault))
    }
}

/// What every document of ours begins with.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    kind: Option<String>,
    format: Option<u32>,
}

impl Head {
    fn of(octets: &[u8]) -> Self {
        serde_json::from_slice(octets).unwrap_or_default()
    }

    /// The fault of a document that does not have the shape.
    fn fault(self, error: &serde_json::Error) -> UnitFault {
        match (self.kind.as_deref(), self.format) {
            (Some(KIND), Some(format)) if format != FORMAT => UnitFault::Format(format),
            (Some(kind), _) if kind != KIND => UnitFault::OtherKind,
            _ => UnitFault::Malformed(error.to_string()),
        }
    }
}
