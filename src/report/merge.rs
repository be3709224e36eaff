//! The merge: unit files of all schools, against the registry.
//!
//! Laws: a file that does not fit is named with what to do, and the others are merged. Files of several
//! periods are not merged at all. Of one box nothing counts twice, and nothing is chosen where two files
//! of it differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::category::Taxonomy;
use crate::evidence::month::LocalMonth;
use crate::lang::{Message, messages};
use crate::publish::enrol::PinnedBox;
use crate::release::organisation::{RegisteredSchool, SchoolRegistry};
use crate::report::attest::bundle;
use crate::report::detail::DetailSchool;
use crate::report::period::ReportPeriod;
use crate::report::school_month::ReportSums;
use crate::report::standing::{Attestations, Standing};
use crate::report::unit::{FORMAT, UnitFault, UnitMonth, UnitReport};
use crate::sys::read;

/// Files told of one period that is not the others'.
const TOLD_FILES: usize = 3;

/// A file that is not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedFile {
    /// Its name, as far as it can be shown.
    pub file: String,
    /// The school that it is of, where it says so.
    pub school: Option<String>,
    /// Why, and what to do.
    pub why: Message,
}

/// A school that handed in.
#[derive(Debug)]
pub struct MergedSchool {
    /// Its row in the registry, in the geography of the last day of the period.
    pub place: DetailSchool,
    /// What its boxes handed in, with how far each is vouched for.
    pub boxes: Vec<(Standing, UnitReport)>,
}

impl MergedSchool {
    /// Its months, in order, each over all boxes that have it, with their number.
    pub fn months(&self) -> BTreeMap<LocalMonth, (ReportSums, usize)> {
        let mut months: BTreeMap<LocalMonth, (ReportSums, usize)> = BTreeMap::new();
        for month in self.boxes.iter().flat_map(|(_, report)| &report.months) {
            let (sums, boxes) = months.entry(month.month).or_default();
            sums.add(month);
            *boxes += 1;
        }
        months
    }

    /// Whether it filtered in the period: a month of it has queries.
    pub fn has_run(&self) -> bool {
        let mut months = self.boxes.iter().flat_map(|(_, report)| &report.months);
        months.any(|month: &UnitMonth| month.queries > 0)
    }
}

/// Why a registered school is not in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbsentCause {
    /// No file of it is there.
    NoFile,
    /// Its file was refused.
    Refused,
    /// Its file has no month with queries.
    NoMonth,
}

/// What was merged.
#[derive(Debug)]
pub struct MergedReport {
    /// The period of all files.
    pub period: ReportPeriod,
    /// Schools that handed in and are in the registry, by id.
    pub schools: Vec<MergedSchool>,
    /// Schools of the registry that were open in the period, and are not in the tables.
    pub absent: Vec<(DetailSchool, AbsentCause)>,
    /// Schools of the registry that were open in the period.
    pub registered: Vec<DetailSchool>,
    /// The number of schools of the registry that were open in each month of the period.
    pub open_in: BTreeMap<LocalMonth, u64>,
    /// Files that are not counted.
    pub refused: Vec<RefusedFile>,
    /// Files that are copies of others.
    pub copies: usize,
}

/// A unit file that was read.
struct Read {
    path: PathBuf,
    digest: [u8; 32],
    report: UnitReport,
}

/// Merges these files; `wanted` chooses a period where there are several.
///
/// # Errors
///
/// There is no unit file, or they are of several periods.
pub fn merge(
    files: &[PathBuf],
    (registry, pinned): (&SchoolRegistry, &[PinnedBox]),
    taxonomy: &Taxonomy,
    wanted: Option<ReportPeriod>,
) -> Result<MergedReport, Message> {
    let (mut refused, mut attestations) = (Vec::new(), Attestations::default());
    let mut read = read_all(files, taxonomy, &mut |path, outcome| match outcome {
        Unread::Refused(why) => {
            refused.push(RefusedFile { file: shown(path), school: None, why });
            true
        }
        Unread::Other(octets) => attestations.take(octets, pinned),
    });
    let period = match wanted {
        Some(period) => period,
        None => only_period(&read)?,
    };
    read.retain(|one| {
        let is_wanted = one.report.period == period;
        if !is_wanted {
            refused.push(one.refused(messages::merge_other_period(one.report.period, period)));
        }
        is_wanted
    });
    let mut merged = MergedReport {
        period,
        schools: Vec::new(),
        absent: Vec::new(),
        registered: Vec::new(),
        open_in: BTreeMap::new(),
        refused,
        copies: 0,
    };
    let mut schools: BTreeMap<String, MergedSchool> = BTreeMap::new();
    for one in merged.once_a_box(read) {
        let id = &one.report.school.id;
        let Some(school) = registry.school(id) else {
            merged.refused.push(one.refused(messages::merge_unknown_school(id)));
            continue;
        };
        let place = || MergedSchool { place: place(registry, school, period), boxes: Vec::new() };
        schools
            .entry(id.clone())
            .or_insert_with(place)
            .boxes
            .push((attestations.standing(&one.report), one.report));
    }
    merged.schools = schools.into_values().collect();
    merged.refused.sort_by(|a, b| a.file.cmp(&b.file));
    merged.compare_with(registry);
    Ok(merged)
}

impl Read {
    fn refused(&self, why: Message) -> RefusedFile {
        RefusedFile { file: shown(&self.path), school: Some(self.report.school.id.clone()), why }
    }
}

/// A path that can be printed.
fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

/// A file that gave no unit report.
enum Unread<'a> {
    /// It is refused.
    Refused(Message),
    /// It may be a document of another kind; these are its octets.
    Other(&'a [u8]),
}

/// Reads what is a unit file. `other` takes the rest, and says whether it knows the document.
fn read_all(
    files: &[PathBuf],
    taxonomy: &Taxonomy,
    other: &mut impl FnMut(&Path, Unread<'_>) -> bool,
) -> Vec<Read> {
    let mut all = Vec::new();
    for path in files {
        let octets = match read::octets(path, bundle::MAX_OCTETS as u64) {
            Ok(octets) => octets,
            Err(error) => {
                other(path, Unread::Refused(messages::merge_unreadable(error)));
                continue;
            }
        };
        let why = match UnitReport::parse(&octets, taxonomy) {
            Ok(report) => {
                let digest = *blake3::hash(&octets).as_bytes();
                all.push(Read { path: path.clone(), digest, report });
                continue;
            }
            Err(UnitFault::OtherKind) => {
                other(path, Unread::Other(&octets));
                continue;
            }
            Err(UnitFault::Malformed(why)) if !other(path, Unread::Other(&octets)) => {
                messages::merge_malformed(why)
            }
            Err(UnitFault::Malformed(_)) => continue,
            Err(UnitFault::Format(found)) => messages::merge_other_format(found, FORMAT),
            Err(UnitFault::Field(field)) => messages::merge_field(field),
        };
        other(path, Unread::Refused(why));
    }
    all
}

/// The period of all files.
fn only_period(read: &[Read]) -> Result<ReportPeriod, Message> {
    let mut by_period: BTreeMap<ReportPeriod, Vec<String>> = BTreeMap::new();
    for one in read {
        by_period.entry(one.report.period).or_default().push(shown(&one.path));
    }
    let mut periods = by_period.iter();
    match (periods.next(), periods.next()) {
        (None, _) => Err(messages::merge_no_files()),
        (Some((period, _)), None) => Ok(*period),
        (Some(_), Some(_)) => {
            let told = by_period.iter().map(|(period, files)| {
                let some = files.iter().take(TOLD_FILES).cloned().collect::<Vec<_>>().join(", ");
                let more = if files.len() > TOLD_FILES { ", …" } else { "" };
                format!("{period}: {} ({some}{more})", files.len())
            });
            Err(messages::merge_mixed_periods(told.collect::<Vec<_>>().join("; ")))
        }
    }
}

/// The row of a school in the geography of the last day of a period.
fn place(
    registry: &SchoolRegistry,
    school: &RegisteredSchool,
    period: ReportPeriod,
) -> DetailSchool {
    let day = period.to.last_day();
    // A school that closed in the period stands where it was.
    let day = school.days.last.filter(|last| *last < day).unwrap_or(day);
    let name = |unit: Option<&crate::release::organisation::AdminUnit>| {
        unit.map_or_else(String::new, |unit| unit.name.clone())
    };
    DetailSchool {
        id: school.id.clone(),
        name: school.name.clone(),
        level: school.level.id().to_owned(),
        kind: school.kind.clone(),
        commune: name(registry.commune(school, day)),
        district: name(registry.old_unit(school)),
    }
}

impl MergedReport {
    /// Of each box one file: copies count once, and files that differ not at all.
    fn once_a_box(&mut self, read: Vec<Read>) -> Vec<Read> {
        let mut by_box: BTreeMap<(String, String), Vec<Read>> = BTreeMap::new();
        for one in read {
            let school = &one.report.school;
            by_box.entry((school.id.clone(), school.unit.clone())).or_default().push(one);
        }
        let mut once = Vec::new();
        for ((school, unit), mut files) in by_box {
            let contents: BTreeSet<[u8; 32]> = files.iter().map(|one| one.digest).collect();
            if contents.len() > 1 {
                let names: Vec<String> = files.iter().map(|one| shown(&one.path)).collect();
                for (place, one) in files.iter().enumerate() {
                    let other = names.get(usize::from(place == 0)).cloned().unwrap_or_default();
                    let why = messages::merge_twice(school.as_str(), unit.as_str(), other);
                    self.refused.push(one.refused(why));
                }
            } else {
                self.copies += files.len() - 1;
                once.extend(files.drain(..1));
            }
        }
        once
    }

    /// Lists what the registry has and the files have not.
    fn compare_with(&mut self, registry: &SchoolRegistry) {
        let (first, last) = (self.period.from.first_day(), self.period.to.last_day());
        let ran: BTreeMap<&str, bool> =
            self.schools.iter().map(|one| (one.place.id.as_str(), one.has_run())).collect();
        let refused: BTreeSet<&str> =
            self.refused.iter().filter_map(|one| one.school.as_deref()).collect();
        let mut absent = Vec::new();
        for school in registry.schools_open(first, last) {
            let row = place(registry, school, self.period);
            let cause = match ran.get(row.id.as_str()) {
                Some(true) => None,
                Some(false) => Some(AbsentCause::NoMonth),
                None if refused.contains(row.id.as_str()) => Some(AbsentCause::Refused),
                None => Some(AbsentCause::NoFile),
            };
            absent.extend(cause.map(|cause| (row.clone(), cause)));
            self.registered.push(row);
        }
        self.absent = absent;
        for month in self.period.months() {
            let open = registry.schools_open(month.first_day(), month.last_day()).count();
            self.open_in.insert(month, open as u64);
        }
    }
}
