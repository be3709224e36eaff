//! The tables of a department's report, all made of published cells.

use std::collections::{BTreeMap, BTreeSet};

use crate::category::{Level, Taxonomy};
use crate::evidence::month::LocalMonth;
use crate::lang::{Lang, Message, messages};
use crate::report::count::{ShownCount, permille, tenths};
use crate::report::detail::{DetailSchool, category_name, level_name};
use crate::report::merge::{AbsentCause, MergedReport};
use crate::report::period::{ReportPeriod, printed_day};
use crate::report::school_month::{CategorySums, ReportSums};
use crate::report::standing::Standing;
use crate::report::table::{Audience, Geography, SummaryCell, SummaryTable};

/// Schools with what they counted.
#[derive(Debug, Clone, Default)]
struct Part {
    registered: u64,
    schools: u64,
    sums: ReportSums,
}

/// All tables of a report, and what its paragraph says.
#[derive(Debug)]
pub struct ReportSummary {
    /// The period.
    pub period: ReportPeriod,
    /// The people it is for.
    pub audience: Audience,
    /// Its tables, in order.
    pub tables: Vec<SummaryTable>,
    /// Blocked queries by category, for the plot and the paragraph: the most first.
    pub by_category: Vec<(String, ShownCount)>,
    /// Blocked queries by month.
    pub by_month: Vec<(LocalMonth, ShownCount)>,
    all: Part,
}

/// What rows are summed by.
#[derive(Default)]
struct Parts {
    all: Part,
    levels: BTreeMap<String, Part>,
    communes: BTreeMap<String, Part>,
    districts: BTreeMap<String, Part>,
    months: BTreeMap<LocalMonth, Part>,
}

impl Parts {
    fn of(merged: &MergedReport) -> Self {
        let mut parts = Self::default();
        let keys = |school: &DetailSchool| {
            [school.level.clone(), school.commune.clone(), school.district.clone()]
        };
        for school in &merged.registered {
            let [level, commune, district] = keys(school);
            parts.all.registered += 1;
            parts.levels.entry(level).or_default().registered += 1;
            parts.communes.entry(commune).or_default().registered += 1;
            parts.districts.entry(district).or_default().registered += 1;
        }
        for (month, open) in &merged.open_in {
            parts.months.entry(*month).or_default().registered = *open;
        }
        for school in merged.schools.iter().filter(|school| school.has_run()) {
            let [level, commune, district] = keys(&school.place);
            let of_places = [
                &mut parts.all,
                parts.levels.entry(level).or_default(),
                parts.communes.entry(commune).or_default(),
                parts.districts.entry(district).or_default(),
            ];
            for part in of_places {
                part.schools += 1;
                for month in school.boxes.iter().flat_map(|(_, report)| &report.months) {
                    part.sums.add(month);
                }
            }
            let mut seen = BTreeSet::new();
            for month in school.boxes.iter().flat_map(|(_, report)| &report.months) {
                let part = parts.months.entry(month.month).or_default();
                part.schools += u64::from(month.queries > 0 && seen.insert(month.month));
                part.sums.add(month);
            }
        }
        parts
    }
}

impl ReportSummary {
    /// The tables of a merge.
    pub fn of(
        merged: &MergedReport,
        taxonomy: &Taxonomy,
        lang: Lang,
        (geography, audience): (Geography, Audience),
    ) -> Self {
        let parts = Parts::of(merged);
        let maker = Maker { taxonomy, lang, audience };
        let (mut tables, mut late) = (vec![maker.by_level(&parts)], Vec::new());
        if geography != Geography::Old {
            let (title, key) = (messages::table_by_commune(), messages::column_commune());
            tables.push(maker.by_place(("by_commune", title), ("commune", key), &parts.communes));
        }
        if geography != Geography::New {
            let (title, key) = (messages::table_by_district(), messages::column_district());
            tables.push(maker.by_place(
                ("by_district", title),
                ("district", key),
                &parts.districts,
            ));
        }
        tables.push(maker.by_category(&parts.all.sums));
        tables.push(maker.by_month(&parts));
        if audience == Audience::Department {
            tables.push(maker.absent(merged));
            let (states, boxes) = standings(merged, lang);
            late.extend([states, boxes]);
        }
        tables.push(maker.orders(&parts));
        tables.push(maker.reviews(&parts));
        tables.append(&mut late);
        let blocked = |part: &Part| audience.count(part.sums.all().blocked);
        Self {
            period: merged.period,
            audience,
            tables,
            by_category: maker.most_blocked(&parts.all.sums),
            by_month: parts.months.iter().map(|(month, part)| (*month, blocked(part))).collect(),
            all: parts.all,
        }
    }

    /// The paragraph that a department's report takes over.
    pub fn paragraph(&self, lang: Lang) -> String {
        let part = &self.all;
        let percent = |value: Option<u64>| value.map_or_else(|| "0".to_owned(), tenths);
        let told = ShownCount::Told;
        let blocked = self.audience.count(part.sums.all().blocked);
        let queries = self.audience.queries(&part.sums);
        let mut text = messages::report_paragraph(
            printed_day(self.period.from.first_day()),
            printed_day(self.period.to.last_day()),
            format!("{}/{}", part.schools, part.registered),
            percent(permille(told(part.schools), told(part.registered))),
            queries.text(),
            blocked.text(),
            percent(permille(blocked, queries)),
        )
        .in_lang(lang);
        let most = self.by_category.iter().take(2);
        let most = most
            .map(|(name, count)| messages::report_paragraph_one(name, count.text()).in_lang(lang));
        let most: Vec<String> = most.collect();
        if most.is_empty() {
            text.push('.');
        } else {
            text += &messages::report_paragraph_most(most.join(", ")).in_lang(lang);
        }
        let orders = match part.sums.median_hours() {
            Some(hours) => messages::report_paragraph_orders(part.sums.orders, tenths(hours)),
            None => messages::report_paragraph_orders_untimed(part.sums.orders),
        };
        text += &orders.in_lang(lang);
        let reviews = (part.sums.reviews_received, part.sums.reviews_accepted);
        text + &messages::report_paragraph_reviews(reviews.0, reviews.1).in_lang(lang)
    }

    /// Queries that came while no clock could be trusted.
    pub fn queries_without_clock(&self) -> u64 {
        self.all.sums.queries_without_clock
    }

    /// Schools that ran the filter, and all of them.
    pub fn schools(&self) -> (u64, u64) {
        (self.all.schools, self.all.registered)
    }
}

/// How far the boxes are vouched for: their number by state, and each of them.
fn standings(merged: &MergedReport, lang: Lang) -> (SummaryTable, SummaryTable) {
    let (verified, unsigned, refused) = (
        messages::standing_verified().in_lang(lang),
        messages::standing_unsigned().in_lang(lang),
        messages::standing_refused().in_lang(lang),
    );
    let mut counts = [0_u64; 3];
    let mut rows = Vec::new();
    let boxes = merged.schools.iter().flat_map(|school| {
        school.boxes.iter().map(|(standing, report)| (&school.place, &report.school.unit, standing))
    });
    for (place, unit, standing) in boxes {
        let (state, word, why) = match standing {
            Standing::Verified(months) => {
                (0, &verified, messages::standing_months(*months).in_lang(lang))
            }
            Standing::Unsigned => (1, &unsigned, String::new()),
            Standing::Refused(why) => (2, &refused, why.in_lang(lang)),
        };
        counts[state] += 1;
        let texts = [place.id.clone(), place.name.clone(), unit.clone(), word.clone(), why];
        rows.push(texts.map(SummaryCell::Text).to_vec());
    }
    let of_states = [verified, unsigned, refused].into_iter().zip(counts);
    let states = SummaryTable {
        id: "attestations",
        is_printed: true,
        title: messages::table_standings(),
        columns: vec![("state", messages::column_standing()), ("boxes", messages::column_boxes())],
        rows: of_states.map(|(word, count)| vec![SummaryCell::Text(word), told(count)]).collect(),
    };
    let boxes = SummaryTable {
        id: "boxes",
        is_printed: false,
        title: messages::table_boxes(),
        columns: vec![
            ("school", messages::column_school_id()),
            ("name", messages::column_school()),
            ("box", messages::column_box()),
            ("state", messages::column_standing()),
            ("why", messages::column_why()),
        ],
        rows,
    };
    (states, boxes)
}

/// Makes tables for somebody.
struct Maker<'a> {
    taxonomy: &'a Taxonomy,
    lang: Lang,
    audience: Audience,
}

/// A row that is sure to be a count that hides nothing.
fn told(count: u64) -> SummaryCell {
    SummaryCell::Count(ShownCount::Told(count))
}

impl Maker<'_> {
    fn words(&self, message: &Message) -> SummaryCell {
        SummaryCell::Text(message.in_lang(self.lang))
    }

    fn columns(first: (&'static str, Message)) -> Vec<(&'static str, Message)> {
        vec![
            first,
            ("schools", messages::column_schools()),
            ("registered", messages::column_registered()),
            ("queries", messages::column_queries()),
            ("blocked", messages::column_blocked()),
            ("merged", messages::column_merged()),
            ("blocked_percent", messages::column_rate()),
            ("observed", messages::column_observed()),
            ("enforced_percent", messages::column_uptime()),
        ]
    }

    fn row(&self, first: SummaryCell, part: &Part) -> Vec<SummaryCell> {
        let CategorySums { blocked, merged, observed } = part.sums.all();
        let [blocked, merged, observed] =
            [blocked, merged, observed].map(|sum| self.audience.count(sum));
        let queries = self.audience.queries(&part.sums);
        vec![
            first,
            told(part.schools),
            told(part.registered),
            SummaryCell::Count(queries),
            SummaryCell::Count(blocked),
            SummaryCell::Count(merged),
            SummaryCell::Tenths(permille(blocked, queries)),
            SummaryCell::Count(observed),
            SummaryCell::Tenths(part.sums.uptime()),
        ]
    }

    fn total(&self, parts: &Parts) -> Vec<SummaryCell> {
        self.row(self.words(&messages::row_total()), &parts.all)
    }

    fn by_level(&self, parts: &Parts) -> SummaryTable {
        let known = Level::ALL.into_iter().filter_map(|level| {
            let part = parts.levels.get(level.id())?;
            let name = level_name(self.taxonomy, level.id(), self.lang);
            Some(self.row(SummaryCell::Text(name), part))
        });
        SummaryTable {
            id: "by_level",
            is_printed: true,
            title: messages::table_by_level(),
            columns: Self::columns(("level", messages::column_level())),
            rows: known.chain([self.total(parts)]).collect(),
        }
    }

    fn by_place(
        &self,
        (id, title): (&'static str, Message),
        column: (&'static str, Message),
        places: &BTreeMap<String, Part>,
    ) -> SummaryTable {
        let name = |place: &String| match place.as_str() {
            "" => self.words(&messages::row_no_place()),
            place => SummaryCell::Text(place.to_owned()),
        };
        let rows = places.iter().map(|(place, part)| self.row(name(place), part)).collect();
        SummaryTable { id, title, columns: Self::columns(column), rows, is_printed: true }
    }

    fn by_category(&self, sums: &ReportSums) -> SummaryTable {
        let all = self.audience.count(sums.all().blocked);
        let row = |name: SummaryCell, id: &str, of: CategorySums| {
            let [blocked, merged, observed] =
                [of.blocked, of.merged, of.observed].map(|sum| self.audience.count(sum));
            vec![
                name,
                SummaryCell::Text(id.to_owned()),
                SummaryCell::Count(blocked),
                SummaryCell::Count(merged),
                SummaryCell::Tenths(permille(blocked, all)),
                SummaryCell::Count(observed),
            ]
        };
        let mut rows: Vec<_> = self
            .in_order(sums)
            .map(|(id, of)| {
                let name = category_name(self.taxonomy, id, self.lang);
                row(SummaryCell::Text(name), id, of)
            })
            .collect();
        rows.push(row(self.words(&messages::row_all_categories()), "all", sums.all()));
        SummaryTable {
            id: "by_category",
            is_printed: true,
            title: messages::table_by_category(),
            columns: vec![
                ("category", messages::column_category()),
                ("id", messages::column_category_id()),
                ("blocked", messages::column_blocked()),
                ("merged", messages::column_merged()),
                ("share_percent", messages::column_share()),
                ("observed", messages::column_observed()),
            ],
            rows,
        }
    }

    /// Categories in the taxonomy's order, and then those that it does not have.
    fn in_order<'a>(
        &'a self,
        sums: &'a ReportSums,
    ) -> impl Iterator<Item = (&'a str, CategorySums)> {
        let known = self
            .taxonomy
            .iter()
            .filter_map(|(_, row)| sums.categories.get(&row.id).map(|of| (row.id.as_str(), *of)));
        let is_other = |(id, _): &(&String, _)| self.taxonomy.find(id).is_none();
        let others = sums.categories.iter().filter(is_other);
        known.chain(others.map(|(id, of)| (id.as_str(), *of)))
    }

    fn most_blocked(&self, sums: &ReportSums) -> Vec<(String, ShownCount)> {
        let mut all: Vec<(String, ShownCount)> = self
            .in_order(sums)
            .map(|(id, of)| {
                (category_name(self.taxonomy, id, self.lang), self.audience.count(of.blocked))
            })
            .filter(|(_, count)| count.number() != Some(0))
            .collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(count.number().unwrap_or(1)));
        all
    }

    fn by_month(&self, parts: &Parts) -> SummaryTable {
        let name = |month: &LocalMonth| {
            SummaryCell::Text(format!("{:02}/{}", month.number(), month.year()))
        };
        let rows = parts.months.iter().map(|(month, part)| self.row(name(month), part));
        SummaryTable {
            id: "by_month",
            is_printed: true,
            title: messages::table_by_month(),
            columns: Self::columns(("month", messages::column_month())),
            rows: rows.chain([self.total(parts)]).collect(),
        }
    }

    fn absent(&self, merged: &MergedReport) -> SummaryTable {
        let rows = merged.absent.iter().map(|(school, cause)| {
            let why = match cause {
                AbsentCause::NoFile => messages::absent_no_file(),
                AbsentCause::Refused => messages::absent_refused(),
                AbsentCause::NoMonth => messages::absent_no_month(),
            };
            vec![
                SummaryCell::Text(school.id.clone()),
                SummaryCell::Text(school.name.clone()),
                SummaryCell::Text(level_name(self.taxonomy, &school.level, self.lang)),
                SummaryCell::Text(school.commune.clone()),
                SummaryCell::Text(school.district.clone()),
                self.words(&why),
            ]
        });
        SummaryTable {
            id: "absent",
            is_printed: true,
            title: messages::table_absent(),
            columns: vec![
                ("school", messages::column_school_id()),
                ("name", messages::column_school()),
                ("level", messages::column_level()),
                ("commune", messages::column_commune()),
                ("district", messages::column_district()),
                ("why", messages::column_why()),
            ],
            rows: rows.collect(),
        }
    }

    /// Orders, by month.
    fn orders(&self, parts: &Parts) -> SummaryTable {
        let row = |first: SummaryCell, part: &Part| {
            vec![first, told(part.sums.orders), SummaryCell::Tenths(part.sums.median_hours())]
        };
        let mut rows: Vec<_> = parts
            .months
            .iter()
            .filter(|(_, part)| part.sums.orders > 0)
            .map(|(month, part)| {
                row(SummaryCell::Text(format!("{:02}/{}", month.number(), month.year())), part)
            })
            .collect();
        rows.push(row(self.words(&messages::row_total()), &parts.all));
        SummaryTable {
            id: "orders",
            is_printed: true,
            title: messages::table_orders(),
            columns: vec![
                ("month", messages::column_month()),
                ("orders", messages::column_orders()),
                ("median_hours", messages::column_hours()),
            ],
            rows,
        }
    }

    /// Requests to open a name and those accepted, by level.
    fn reviews(&self, parts: &Parts) -> SummaryTable {
        let row = |first: SummaryCell, part: &Part| {
            vec![first, told(part.sums.reviews_received), told(part.sums.reviews_accepted)]
        };
        let known = Level::ALL.into_iter().filter_map(|level| {
            let part = parts.levels.get(level.id())?;
            let name = level_name(self.taxonomy, level.id(), self.lang);
            Some(row(SummaryCell::Text(name), part))
        });
        let total = row(self.words(&messages::row_total()), &parts.all);
        SummaryTable {
            id: "reviews",
            is_printed: true,
            title: messages::table_reviews(),
            columns: vec![
                ("level", messages::column_level()),
                ("received", messages::column_received()),
                ("accepted", messages::column_accepted()),
            ],
            rows: known.chain([total]).collect(),
        }
    }
}
