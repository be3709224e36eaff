//! What `publish lint` and `publish page` have in common: the two packs, the files of the last
//! release, what people accept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

use crate::category::Taxonomy;
use crate::cli::lists::pack_file;
use crate::cli::output::{CommandFailure, INVALID, parse_lang};
use crate::cli::publish::wait::failure;
use crate::config::data::released::ReleasedData;
use crate::lang::Lang;
use crate::pack::Pack;
use crate::publish::error::PublishError;
use crate::publish::last::{self, SignedRelease};
use crate::publish::ledger::{self, Consent, Ledger};
use crate::publish::lint::ages::{self, SourceAges};
use crate::publish::lint::gate::{Gate, GateFiles, GateReport};
use crate::publish::lint::release::RELEASE_LIMITS;
use crate::publish::lint::{self, Lint, places};
use crate::publish::release::next_serial;
use crate::publish::tables;
use crate::publish::trust::repository::Repository;
use crate::sys::clock::system_time;
use crate::sys::read;

/// The most octets of a data file.
const MOST: u64 = 16 << 20;

/// What is judged, and each acceptance with its person.
#[derive(Debug, clap::Args)]
pub(super) struct JudgeArguments {
    /// The pack of the new release.
    #[arg(long, value_name = "PACK")]
    pub(super) new: PathBuf,
    /// The ledger to go on with, where it is not that of the last release.
    #[arg(long, value_name = "FILE")]
    pub(super) ledger: Option<PathBuf>,
    /// A directory with tables: categories.toml, essential.txt, guard.txt, popular.txt, …, org.toml.
    /// Without it those of the release before go on.
    #[arg(long, value_name = "DIR")]
    pub(super) tables: Option<PathBuf>,
    /// Popular names beside those of the tables, one a line, the most popular first.
    #[arg(long, value_name = "FILE")]
    pub(super) popular: Option<PathBuf>,
    /// A source that is the same for so many days is told.
    #[arg(long, value_name = "NUMBER", default_value_t = 90)]
    pub(super) days: u64,
    /// The key of a finding that is accepted. May be given many times.
    #[arg(long = "accept", value_name = "KEY", requires_all = ["by", "reason"])]
    pub(super) accept: Vec<String>,
    /// The person that accepts; once for all, or once for each --accept.
    #[arg(long = "by", value_name = "NAME")]
    pub(super) by: Vec<String>,
    /// The reason; once for all, or once for each --accept.
    #[arg(long = "reason", value_name = "TEXT")]
    pub(super) reason: Vec<String>,
    /// The last day of the acceptances; without it they are for this release alone.
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    pub(super) until: Option<u64>,
    /// The language of findings.
    #[arg(long, value_name = "LANG", value_parser = parse_lang, default_value = "en")]
    pub(super) lang: Lang,
}

/// The same with what it is compared with.
#[derive(Debug, clap::Args)]
pub(super) struct ReviewArguments {
    #[command(flatten)]
    pub(super) of: JudgeArguments,
    /// The repository; its last release is compared with.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["old", "data", "serial"])]
    pub(super) repository: Option<PathBuf>,
    /// The pack of the last accepted release; without it all that the new pack blocks is new.
    #[arg(long, value_name = "PACK")]
    pub(super) old: Option<PathBuf>,
    /// The directory with the data files of the last release: ledger.jsonl, sources.json.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The number of the release; one more than the last in the ledger by default.
    #[arg(long, value_name = "NUMBER")]
    pub(super) serial: Option<u64>,
}

/// What a release is compared with.
#[derive(Debug, Default)]
pub(super) struct Before {
    old: Option<Arc<Pack>>,
    files: GateFiles,
    serial: Option<u64>,
    /// The tables of the newest release.
    data: ReleasedData,
}

/// A release that was judged, and what a page needs beside.
pub(super) struct Review {
    pub(super) taxonomy: Taxonomy,
    /// The tables that gateways will have.
    pub(super) data: ReleasedData,
    /// The tables of the new release, where they are given.
    pub(super) tables: Option<BTreeMap<String, Vec<u8>>>,
    pub(super) old: Option<Arc<Pack>>,
    pub(super) new: Arc<Pack>,
    pub(super) report: GateReport,
}

/// Reads `--until`: the end of that day, UTC.
fn parse_day(text: &str) -> Result<u64, String> {
    let wrong = || "write a day such as 2026-12-31".to_owned();
    let day: Date = text.parse().map_err(|_| wrong())?;
    let end = day.at(23, 59, 59, 0).in_tz("UTC").map_err(|_| wrong())?;
    u64::try_from(end.timestamp().as_second()).map_err(|_| wrong())
}

impl ReviewArguments {
    /// Judges the release.
    pub(super) fn judge(&self) -> Result<Review, CommandFailure> {
        let invalid = |complaint: String| (INVALID, complaint);
        let before = match &self.repository {
            Some(directory) => Repository::open(directory)
                .and_then(|one| Before::of(&one))
                .map_err(|e| failure(&e)),
            None => Ok(Before {
                old: self.old.as_deref().map(pack_file::open).transpose().map_err(invalid)?,
                files: self
                    .data
                    .as_deref()
                    .map_or(Ok(GateFiles::default()), last_files)
                    .map_err(invalid)?,
                serial: self.serial,
                data: ReleasedData::default(),
            }),
        };
        self.of.judge(before?)
    }
}

impl Before {
    /// The last release of a repository.
    pub(super) fn of(repository: &Repository) -> Result<Self, PublishError> {
        let read = |serial| SignedRelease::read(repository, serial);
        let newest = last::serials(repository)?.last().copied().map(read).transpose()?;
        let old = last::accepted(repository)?.map(read).transpose()?;
        let files = newest.as_ref().map(|newest| newest.gate_files(repository)).transpose()?;
        let mut tables = BTreeMap::new();
        for file in ReleasedData::FILES {
            let Some(newest) = &newest else { break };
            if let Some(octets) = newest.data(repository, file)? {
                tables.insert(file.to_owned(), octets);
            }
        }
        Ok(Self {
            old: old.map(|old| old.pack(repository)).transpose()?,
            files: files.unwrap_or_default(),
            serial: Some(next_serial(repository)?),
            data: tables::of(&tables),
        })
    }
}

impl JudgeArguments {
    /// Judges the release.
    pub(super) fn judge(&self, before: Before) -> Result<Review, CommandFailure> {
        let invalid = |complaint: String| (INVALID, complaint);
        let tables = self.tables.as_deref().map(tables::read).transpose();
        let tables = tables.map_err(|error| failure(&error))?;
        let Before { old, files: last, serial, data } = before;
        let data = tables.as_ref().map_or(data, tables::of);
        let taxonomy = data.taxonomy().map_err(|fault| invalid(fault.to_string()))?;
        let consents = self.consents()?;
        let new = pack_file::open(&self.new).map_err(invalid)?;
        let popular = self.popular.as_deref().map(lint::names).transpose().map_err(invalid)?;
        let ledger = self.ledger.as_deref().map(read_ledger).transpose().map_err(invalid)?;
        let newest = ledger.as_ref().unwrap_or(&last.ledger).lines().last();
        let serial = serial.unwrap_or_else(|| newest.map_or(1, |line| line.serial + 1));
        let lint = Lint {
            data: &data,
            taxonomy: &taxonomy,
            previous: old.clone(),
            popular: popular.unwrap_or_default(),
            limits: RELEASE_LIMITS,
            lang: self.lang,
        };
        let gate = Gate {
            lint: &lint,
            last: &last,
            ledger,
            days: self.days,
            serial,
            now: system_time(),
            consents: &consents,
        };
        let mut report = gate.judge(&new).map_err(|error| invalid(error.to_string()))?;
        places::read_again(&mut report.findings, &new, &taxonomy);
        Ok(Review { taxonomy, data, tables, old, new, report })
    }

    /// The acceptances: a name and a reason each, or one of both for all.
    fn consents(&self) -> Result<Vec<Consent>, CommandFailure> {
        let count = self.accept.len();
        let fits = |given: &[String]| given.len() == count || (given.len() == 1 && count > 0);
        if !(fits(&self.by) && fits(&self.reason)) && count + self.by.len() + self.reason.len() > 0
        {
            let text = "give --by and --reason once for all, or once for each --accept";
            return Err((2, text.to_owned()));
        }
        let of = |given: &[String], place: usize| {
            let text = given.get(place).or_else(|| given.first());
            text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let consent = |(place, finding): (usize, &String)| {
            let (Some(by), Some(reason)) = (of(&self.by, place), of(&self.reason, place)) else {
                return Err((2, format!("{finding}: --by or --reason is empty")));
            };
            Ok(Consent { finding: finding.clone(), by, reason, until: self.until })
        };
        self.accept.iter().enumerate().map(consent).collect()
    }
}

fn read_ledger(path: &Path) -> Result<Ledger, String> {
    let octets =
        read::octets(path, MOST).map_err(|error| format!("{}: {error}", path.display()))?;
    Ledger::parse(&octets).map_err(|error| format!("{}: {error}", path.display()))
}

/// The data files of the last release; one that it did not have yet is empty.
fn last_files(directory: &Path) -> Result<GateFiles, String> {
    let (ledger, sources) = (directory.join(ledger::FILE), directory.join(ages::FILE));
    if !directory.is_dir() {
        return Err(format!("{}: no directory", directory.display()));
    }
    let ledger = if ledger.exists() { read_ledger(&ledger)? } else { Ledger::default() };
    let ages = if sources.exists() {
        let failed = |error: String| format!("{}: {error}", sources.display());
        let octets = read::octets(&sources, MOST).map_err(|error| failed(error.to_string()))?;
        SourceAges::parse(&octets).map_err(failed)?
    } else {
        SourceAges::default()
    };
    Ok(GateFiles { ledger, ages })
}
