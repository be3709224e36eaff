//! The detail file: one row a school, month and category, as the department's spreadsheets take it.
//!
//! UTF-8 with a byte order mark, `;` between fields, days as `16/11/2026`, counts as plain integers,
//! a comma in decimal numbers; the words are Vietnamese whatever the language of the pages is.

use std::io::{self, Write};

use crate::category::{Level, NO_CATEGORY, PROTECTED, Taxonomy};
use crate::evidence::month::LocalMonth;
use crate::lang::{Lang, Message, messages};
use crate::report::count::{PublishedSum, ShownCount, permille, tenths};
use crate::report::school_month::{CategorySums, ReportSums};

/// The first line.
pub const HEADER: &str = "STT;Năm báo cáo;Tháng;Mã trường;Tên trường;Cấp học;Loại hình;Xã/Phường;\
    Huyện/Thành phố (trước 01/7/2025);Mã nhóm;Nhóm nội dung;Tổng số truy vấn;Số lượt bị chặn;\
    Số lượt bị chặn (đã gộp);Tỷ lệ chặn (%);Số lượt chỉ ghi nhận;Số ngày có hoạt động;\
    Tỷ lệ thời gian hoạt động (%);Phiên bản danh mục;Ngày cập nhật danh mục gần nhất;\
    Số đề nghị xem xét bỏ chặn;Số đề nghị được chấp nhận;\
    Số yêu cầu của cơ quan có thẩm quyền đã thực hiện;Thời gian thực hiện trung vị (giờ);Ghi chú";
/// The id of the row over all categories.
pub const ALL: &str = "all";
/// The byte order mark, by which spreadsheets know UTF-8.
pub(super) const MARK: &str = "\u{feff}";

/// A field that is text wherever it is opened: never a formula, never two fields.
pub fn field(text: &str) -> String {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([';', '"', '\n', '\r', '\t']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// A line of fields.
pub fn line(fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|one| field(one)).collect();
    fields.join(";") + "\r\n"
}

/// The name of a category in a language; that of an unknown one is its id.
pub fn category_name(taxonomy: &Taxonomy, id: &str, lang: Lang) -> String {
    match (taxonomy.find(id).map(|id| taxonomy.category(id)), id, lang) {
        (Some(row), _, Lang::Vi) => row.vi.clone(),
        (Some(row), _, Lang::En) => row.en.clone(),
        (None, PROTECTED, _) => messages::row_protected().in_lang(lang),
        (None, NO_CATEGORY, _) => messages::row_no_category().in_lang(lang),
        (None, ALL, _) => messages::row_all_categories().in_lang(lang),
        (None, ..) => id.to_owned(),
    }
}

/// The name of a level in a language; that of an unknown one is its id.
pub fn level_name(taxonomy: &Taxonomy, id: &str, lang: Lang) -> String {
    let level = Level::ALL.into_iter().find(|level| level.id() == id);
    level
        .and_then(|level| taxonomy.level_name(level, lang == Lang::En))
        .unwrap_or_else(|| id.to_owned())
}

/// A school, as the rows of it say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetailSchool {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id of its level.
    pub level: String,
    /// Its kind.
    pub kind: String,
    /// Its commune.
    pub commune: String,
    /// Its district before the reform.
    pub district: String,
}

/// Writes a detail file row by row.
#[derive(Debug)]
pub struct DetailFile<'a, W: Write> {
    out: W,
    rows: u64,
    year: i16,
    taxonomy: &'a Taxonomy,
}

impl<'a, W: Write> DetailFile<'a, W> {
    /// Begins a file of a report year.
    pub fn begin(mut out: W, year: i16, taxonomy: &'a Taxonomy) -> io::Result<Self> {
        write!(out, "{MARK}{HEADER}\r\n")?;
        Ok(Self { out, rows: 0, year, taxonomy })
    }

    /// Writes the rows of a school's month: its categories in the taxonomy's order, others, and all.
    pub fn add(
        &mut self,
        school: &DetailSchool,
        month: LocalMonth,
        sums: &ReportSums,
        notes: &[Message],
    ) -> io::Result<()> {
        let known = self.taxonomy.iter().map(|(_, row)| row.id.as_str());
        let of_known: Vec<&str> = known.filter(|id| sums.categories.contains_key(*id)).collect();
        let is_other = |id: &&str| self.taxonomy.find(id).is_none();
        let others: Vec<&str> =
            sums.categories.keys().map(String::as_str).filter(is_other).collect();
        let level = level_name(self.taxonomy, &school.level, Lang::Vi);
        let front = [
            self.year.to_string(),
            format!("{:02}/{}", month.number(), month.year()),
            school.id.clone(),
            school.name.clone(),
            level,
            school.kind.clone(),
            school.commune.clone(),
            school.district.clone(),
        ]
        .map(|text| field(&text))
        .join(";");
        let back = back(sums).map(|text| field(&text)).join(";");
        for id in of_known.into_iter().chain(others) {
            let counts = sums.categories.get(id).copied().unwrap_or_default();
            self.row(&front, (id, &counts), sums.queries(), &back, notes)?;
        }
        self.row(&front, (ALL, &sums.all()), sums.queries(), &back, notes)
    }

    fn row(
        &mut self,
        front: &str,
        (id, counts): (&str, &CategorySums),
        queries: ShownCount,
        back: &str,
        notes: &[Message],
    ) -> io::Result<()> {
        self.rows += 1;
        let [blocked, merged, observed] =
            [counts.blocked, counts.merged, counts.observed].map(PublishedSum::shown);
        let is_rounded = |count: &ShownCount| matches!(count, ShownCount::Rounded(_));
        let mut notes: Vec<String> = notes.iter().map(|note| note.in_lang(Lang::Vi)).collect();
        if [blocked, merged, observed].iter().any(is_rounded) {
            notes.push(messages::note_rounded().in_lang(Lang::Vi));
        }
        if is_rounded(&queries) {
            notes.push(messages::note_raised().in_lang(Lang::Vi));
        }
        let rate = permille(blocked, queries).map_or_else(String::new, tenths);
        let name = field(&category_name(self.taxonomy, id, Lang::Vi));
        let (rows, id, note) = (self.rows, field(id), field(&notes.join(", ")));
        let (queries, blocked) = (queries.plain(), blocked.plain());
        let (merged, observed) = (merged.plain(), observed.plain());
        write!(
            self.out,
            "{rows};{front};{id};{name};{queries};{blocked};{merged};{rate};{observed};{back};{note}\r\n"
        )
    }

    /// Writes what is left.
    pub fn finish(mut self) -> io::Result<u64> {
        self.out.flush()?;
        Ok(self.rows)
    }
}

/// The fields of a school's month, which every row of it has.
fn back(sums: &ReportSums) -> [String; 8] {
    let tenths_of = |value: Option<u64>| value.map_or_else(String::new, tenths);
    let lists = sums.lists;
    // A day is kept as 2026-11-29.
    let printed = |day: String| day.split('-').rev().collect::<Vec<_>>().join("/");
    [
        sums.active_days.to_string(),
        tenths_of(sums.uptime()),
        lists.map_or_else(String::new, |lists| lists.release.to_string()),
        lists.map_or_else(String::new, |lists| printed(lists.day.into())),
        sums.reviews_received.to_string(),
        sums.reviews_accepted.to_string(),
        sums.orders.to_string(),
        tenths_of(sums.median_hours()),
    ]
}

/// What is to be noted of a month: boxes, time without a clock, days without a record.
pub fn notes(sums: &ReportSums, month: LocalMonth, boxes: usize) -> Vec<Message> {
    let mut notes = Vec::new();
    if boxes > 1 {
        notes.push(messages::note_boxes(boxes));
    }
    if sums.queries_without_clock > 0 {
        notes.push(messages::note_without_clock(sums.queries_without_clock));
    }
    if sums.began_anew {
        notes.push(messages::note_began_anew());
    }
    let days = (sums.enforced + sums.not_enforced()) / 86_400 / boxes.max(1) as u64;
    if days + 1 < u64::from(month.last_day().day().unsigned_abs()) {
        notes.push(messages::note_partly_recorded(days));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_text_wherever_it_is_opened() {
        for (text, safe) in [
            ("Trường A", "Trường A"),
            ("a;b", "\"a;b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            (" @SUM(A1)", "' @SUM(A1)"),
            ("-2;3", "\"'-2;3\""),
            ("<10", "<10"),
        ] {
            assert_eq!(field(text), safe);
        }
    }

    #[test]
    fn the_header_has_as_many_fields_as_a_row() {
        let taxonomy = crate::config::data::starter::taxonomy().unwrap();
        let mut out = Vec::new();
        let mut file = DetailFile::begin(&mut out, 2026, &taxonomy).unwrap();
        let month = "2026-02".parse::<LocalMonth>().unwrap();
        let sums = ReportSums::default();
        let notes = notes(&sums, month, 1);
        file.add(&DetailSchool::default(), month, &sums, &notes).unwrap();
        assert_eq!(file.finish().unwrap(), 1);
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0].split(';').count(), 25);
        assert_eq!(
            lines[1],
            "1;2026;02/2026;;;;;;;all;Tất cả các nhóm;0;0;0;;0;0;;;;0;0;0;;có số liệu 0 ngày"
        );
    }
}
