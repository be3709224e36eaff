//! `lachan report`: what a gateway hands in of a period; `lachan report merge`: what its department
//! makes of all of them.

mod given;
mod merge;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::tz::TimeZone;

use crate::category::Taxonomy;
use crate::cli::output::{CommandFailure, INVALID, complain, finish, json, parse_lang};
use crate::cli::report::given::{failed, make_directory, own_taxonomy, period, put, year_start};
use crate::cli::running::config_of_machine;
use crate::evidence::record::MonthRecord;
use crate::evidence::{DIRECTORY, records};
use crate::lang::{Lang, messages};
use crate::load::assemble::read_config_for_command;
use crate::report::period::{ReportPeriod, YearStart};
use crate::report::unit::UnitReport;
use crate::report::unit_page;
use crate::reviews::day::CivilDay;
use crate::sys::clock::system_time;
use crate::sys::state_dir::StateDir;

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ReportArguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// `2026`, the report year that ends in it; `2026-11`; or `2025-11-16..2026-11-15`. The year that
    /// ended last without it. A month belongs to the period that has its last day.
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// The day on which report years begin; `[school] report_from` by default.
    #[arg(long, value_name = "MM-DD")]
    year_from: Option<String>,
    /// The directory for report.json, report.csv and report.html.
    #[arg(long, value_name = "DIR", required = true)]
    out: Option<PathBuf>,
    /// The config of the gateway; its state directory has the records. By default /etc/lachan/gateway.toml where it is there.
    #[arg(long, value_name = "FILE", conflicts_with = "state")]
    config: Option<PathBuf>,
    /// The state directory, without a config.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The language of the page; the config's by default.
    #[arg(long, value_parser = parse_lang)]
    lang: Option<Lang>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Merge the report.json of all schools: the department's detail file, tables and page.
    Merge(merge::MergeArguments),
}

/// Writes a report; exits 0, 1 where it cannot be made or a file is not counted, 3 for a config or a
/// registry with mistakes.
pub fn run(arguments: &ReportArguments) -> ExitCode {
    match &arguments.action {
        Some(Action::Merge(merge)) => merge::run(merge),
        None => finish(report(arguments)),
    }
}

/// The places and words of a gateway.
struct School {
    state: PathBuf,
    taxonomy: Taxonomy,
    lang: Lang,
    year: YearStart,
    zone: TimeZone,
}

impl ReportArguments {
    fn school(&self) -> Result<School, CommandFailure> {
        let mut school = match &self.state {
            Some(state) => School {
                state: state.clone(),
                taxonomy: own_taxonomy()?,
                lang: self.lang.unwrap_or(Lang::Vi),
                year: YearStart::default(),
                zone: TimeZone::UTC,
            },
            None => self.configured()?,
        };
        if let Some(given) = &self.year_from {
            school.year = year_start(given, school.lang)?;
        }
        Ok(school)
    }

    fn configured(&self) -> Result<School, CommandFailure> {
        let config = read_config_for_command(config_of_machine(self.config.as_deref()))
            .map_err(|error| (INVALID, error.to_string()))?;
        let lang = self.lang.unwrap_or(config.school.lang);
        let state = StateDir::place(&config.state)
            .ok_or_else(|| failed(&messages::report_no_state(), lang))?;
        let zone = config.school.zone();
        let year = year_start(&config.school.report_from, lang)?;
        Ok(School { state, taxonomy: config.taxonomy, lang, year, zone })
    }
}

fn report(arguments: &ReportArguments) -> Result<String, CommandFailure> {
    let school = arguments.school()?;
    let lang = school.lang;
    let out = arguments.out.as_deref().unwrap_or(Path::new("."));
    let no_clock = || (1, "the clock of this machine is beyond all calendars".to_owned());
    let made = CivilDay::of(system_time(), &school.zone).ok_or_else(no_clock)?;
    let today = String::from(made).parse().map_err(|_| no_clock())?;
    let period = match &arguments.period {
        Some(text) => period(text, school.year, lang)?,
        None => ReportPeriod::newest(school.year, today).ok_or_else(no_clock)?,
    };
    let directory = school.state.join(DIRECTORY);
    let in_period =
        |record: &MonthRecord| period.months().any(|one| record.month == one.to_string());
    let records: Vec<MonthRecord> = records(&school.state).into_iter().filter(in_period).collect();
    for month in period.months() {
        let file = directory.join(format!("{month}.json"));
        // A file that gives no record is damaged.
        if !records.iter().any(|record| record.month == month.to_string()) && file.exists() {
            complain(&messages::report_damaged_record(file.display()).in_lang(lang));
        }
    }
    let ids: BTreeSet<&str> = records.iter().map(|record| record.school.id.as_str()).collect();
    if ids.len() > 1 {
        let ids = ids.into_iter().collect::<Vec<_>>().join(", ");
        return Err(failed(&messages::report_several_schools(ids), lang));
    }
    let report = UnitReport::of(&records, period, &school.taxonomy, made);
    if report.months.is_empty() {
        return Err(failed(&messages::report_no_records(directory.display()), lang));
    }
    make_directory(out)?;
    let csv = unit_page::csv(&report, &school.taxonomy).map_err(|error| (1, error.to_string()))?;
    put(out, "report.csv", &csv)?;
    put(out, "report.html", unit_page::page(&report, &school.taxonomy, lang).as_bytes())?;
    put(out, "report.json", json(&report).as_bytes())?;
    let mut told = vec![messages::report_written(report.months.len(), out.display())];
    let missing = report.missing();
    if !missing.is_empty() {
        told.push(messages::report_months_missing(unit_page::months(&missing)));
    }
    if !report.not_over.is_empty() {
        told.push(messages::report_months_running(unit_page::months(&report.not_over)));
    }
    Ok(told.iter().map(|one| one.in_lang(lang)).collect::<Vec<_>>().join("\n"))
}
