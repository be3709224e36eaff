//! `lachan report merge`.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::tz::TimeZone;

use crate::category::Taxonomy;
use crate::cli::output::{CommandFailure, INVALID, complain, finish, parse_lang, print};
use crate::cli::report::given::{failed, make_directory, own_taxonomy, period, put, year_start};
use crate::config::errors::ConfigErrors;
use crate::lang::{Lang, messages};
use crate::publish::enrol::{Organisation, PinnedBox};
use crate::release::organisation::SchoolRegistry;
use crate::report::detail::{self, DetailFile};
use crate::report::files;
use crate::report::merge::{MergedReport, merge};
use crate::report::period::YearStart;
use crate::report::standing::Standing;
use crate::report::summary::ReportSummary;
use crate::report::summary_page::{self, Frame};
use crate::report::table::{Audience, Geography};
use crate::reviews::day::CivilDay;
use crate::sys::clock::system_time;
use crate::sys::read;

/// Arguments of `report merge`.
#[derive(Debug, clap::Args)]
pub(super) struct MergeArguments {
    /// Directories with the report.json of schools, in folders or not; or the files themselves.
    #[arg(value_name = "DIR|FILE", required = true)]
    files: Vec<PathBuf>,
    /// The registry of schools and places.
    #[arg(long, value_name = "FILE")]
    org: PathBuf,
    /// The directory for detail.csv, the tables, summary.json and summary.html.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write public.html and public.json too: no school by name, counts rounded.
    #[arg(long)]
    public: bool,
    /// Places as they are now, as they were before the reform, or both.
    #[arg(long, value_name = "new|old|both", value_parser = parse_geography, default_value = "both")]
    geography: Geography,
    /// The period that is wanted, where schools sent several.
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// The day on which report years begin, for `--period 2026`.
    #[arg(long, value_name = "MM-DD")]
    year_from: Option<String>,
    /// The language.
    #[arg(long, value_parser = parse_lang, default_value = "vi")]
    lang: Lang,
}

fn parse_geography(text: &str) -> Result<Geography, String> {
    match text {
        "new" => Ok(Geography::New),
        "old" => Ok(Geography::Old),
        "both" => Ok(Geography::Both),
        _ => Err("a geography is `new`, `old` or `both`".to_owned()),
    }
}

/// Merges; exits 0, 1 where a file is not counted or nothing can be merged, 3 for a registry with
/// mistakes.
pub(super) fn run(arguments: &MergeArguments) -> ExitCode {
    match act(arguments) {
        Err(failure) => finish(Err(failure)),
        Ok(merged) => {
            let (lang, out) = (arguments.lang, arguments.out.display());
            for one in &merged.refused {
                let why = one.why.clone();
                complain(&messages::merge_refused(&one.file, why).in_lang(lang));
            }
            let boxes = merged.schools.iter().flat_map(|school| &school.boxes);
            for (standing, report) in boxes {
                let Standing::Refused(why) = standing else { continue };
                let (id, unit) = (&report.school.id, &report.school.unit);
                complain(&messages::merge_attestation_refused(id, unit, why.clone()).in_lang(lang));
            }
            if merged.copies > 0 {
                complain(&messages::merge_copies(merged.copies).in_lang(lang));
            }
            let (counted, all) = (merged.schools.len(), merged.registered.len());
            print(&messages::merge_done(counted, all, out).in_lang(lang));
            ExitCode::from(u8::from(!merged.refused.is_empty()))
        }
    }
}

/// The schools and the pinned keys of an `org.toml`.
fn registry(path: &Path) -> Result<(SchoolRegistry, Vec<PinnedBox>), CommandFailure> {
    let shown = path.display().to_string();
    let text = read::text(path).map_err(|error| (INVALID, format!("{shown}: {error}")))?;
    let registry = SchoolRegistry::parse(&text)
        .map_err(|mistakes| (INVALID, ConfigErrors::new(&shown, &text, mistakes).to_string()))?;
    let organisation =
        Organisation::read(path).map_err(|error| (INVALID, format!("{shown}: {error}")))?;
    Ok((registry, organisation.boxes))
}

fn act(arguments: &MergeArguments) -> Result<MergedReport, CommandFailure> {
    let (lang, out) = (arguments.lang, arguments.out.as_path());
    let (registry, pinned) = registry(&arguments.org)?;
    let taxonomy = own_taxonomy()?;
    let year = match &arguments.year_from {
        Some(given) => year_start(given, lang)?,
        None => YearStart::default(),
    };
    let wanted = arguments.period.as_deref().map(|text| period(text, year, lang)).transpose()?;
    let found = files::find(&arguments.files)
        .map_err(|(path, error)| (1, format!("{}: {error}", path.display())))?;
    let merged = merge(&found, (&registry, &pinned), &taxonomy, wanted)
        .map_err(|message| failed(&message, lang))?;
    make_directory(out)?;
    let path = out.join("detail.csv");
    detail_file(&path, &merged, &taxonomy)
        .map_err(|error| (1, format!("{}: {error}", path.display())))?;
    let made = CivilDay::of(system_time(), &TimeZone::UTC).map(String::from).unwrap_or_default();
    let made = made.parse().unwrap_or(merged.period.to.last_day());
    let frame = Frame { registry: &registry, refused: &merged.refused, made, lang };
    let of =
        |audience| ReportSummary::of(&merged, &taxonomy, lang, (arguments.geography, audience));
    let summary = of(Audience::Department);
    for table in &summary.tables {
        put(out, &format!("{}.csv", table.id), table.csv(lang).as_bytes())?;
    }
    put(out, "summary.html", summary_page::page(&summary, &frame).as_bytes())?;
    put(out, "summary.json", summary_page::json(&summary, &frame).as_bytes())?;
    if arguments.public {
        let public = of(Audience::Public);
        put(out, "public.html", summary_page::page(&public, &frame).as_bytes())?;
        put(out, "public.json", summary_page::json(&public, &frame).as_bytes())?;
    }
    Ok(merged)
}

/// Writes the detail file school by school.
fn detail_file(path: &Path, merged: &MergedReport, taxonomy: &Taxonomy) -> io::Result<()> {
    let out = BufWriter::new(File::create(path)?);
    let mut file = DetailFile::begin(out, merged.period.year(), taxonomy)?;
    for school in &merged.schools {
        for (month, (sums, boxes)) in school.months() {
            let notes = detail::notes(&sums, month, boxes);
            file.add(&school.place, month, &sums, &notes)?;
        }
    }
    file.finish()?;
    Ok(())
}
