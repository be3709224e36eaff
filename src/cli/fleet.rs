//! `lachan fleet status`: which schools are protected now, and why one is not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use jiff::tz::TimeZone;
use url::Url;

use crate::cli::output::{CommandFailure, INVALID, complain, json, parse_lang, print};
use crate::fleet::FleetAnswers;
use crate::fleet::page::page;
use crate::fleet::question::FleetQuestion;
use crate::fleet::shown::ShownFleet;
use crate::fleet::text::text;
use crate::fleet::view::{FleetMoment, FleetView};
use crate::lang::Lang;
use crate::publish::series::{SeriesServer, parse_base};
use crate::publish::status::{ReportedBox, ReportedFleet};
use crate::release::organisation::SchoolRegistry;
use crate::sys::clock::system_time;
use crate::sys::read;
use crate::sys::state_dir::whole;

/// Arguments of `fleet`.
#[derive(Debug, clap::Args)]
pub struct FleetArguments {
    #[command(subcommand)]
    command: FleetCommand,
}

#[derive(Debug, Subcommand)]
enum FleetCommand {
    /// Show which schools are protected now, those with most minutes without enforcement first.
    Status(FleetStatusArguments),
}

/// Arguments of `fleet status`.
#[derive(Debug, clap::Args)]
struct FleetStatusArguments {
    /// Prometheus, or what answers as it does; `/api/v1/query` is put behind.
    #[arg(
        long = "prometheus",
        value_name = "URL",
        value_parser = parse_base,
        required_unless_present = "access_log"
    )]
    server: Option<Url>,
    /// Certificates of authorities to trust besides the public ones.
    #[arg(long, value_name = "FILE", requires = "server")]
    tls_roots: Option<PathBuf>,
    /// Access logs of the repository's web server, in the combined format (nginx, Apache), unpacked.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    access_log: Vec<PathBuf>,
    /// The registry: schools in it that say nothing are shown as unknown.
    #[arg(long, value_name = "FILE")]
    org: Option<PathBuf>,
    /// The zone of days and months.
    #[arg(long, value_name = "ZONE", default_value = "Asia/Ho_Chi_Minh", value_parser = parse_zone)]
    timezone: TimeZone,
    /// Write a page of its own, to be opened or printed.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// The language.
    #[arg(long, value_parser = parse_lang, default_value = "en")]
    lang: Lang,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Runs a subcommand of `fleet`: 0 where every school is protected, 1 where one is not or something
/// was not answered, 3 where the registry is invalid.
pub fn run(arguments: &FleetArguments) -> ExitCode {
    let FleetCommand::Status(arguments) = &arguments.command;
    match status(arguments) {
        Ok(is_protected) => ExitCode::from(u8::from(!is_protected)),
        Err((code, message)) => {
            complain(&message);
            ExitCode::from(code)
        }
    }
}

/// Shows the fleet; true where every school is protected, and everything was answered.
fn status(arguments: &FleetStatusArguments) -> Result<bool, CommandFailure> {
    let registry = arguments.org.as_deref().map(registry).transpose()?.unwrap_or_default();
    let moment = FleetMoment { now: system_time(), zone: arguments.timezone.clone() };
    let (answers, unread) = match &arguments.server {
        Some(url) => ask(url, arguments.tls_roots.as_deref(), moment.age())?,
        None => (FleetAnswers::new(), BTreeMap::new()),
    };
    let (reported, passed_over) = reported(&arguments.access_log, moment.now)?;
    // Which gateways there are, and how each is.
    let of_gateways = [FleetQuestion::Up, FleetQuestion::Protected, FleetQuestion::Seen];
    let is_blind = of_gateways.iter().any(|question| unread.contains_key(question));
    let view = FleetView::new(&registry, (&answers, is_blind), &reported, &moment);
    let mut fleet = ShownFleet::new(&view, unread, &moment, arguments.lang);
    fleet.passed_over = passed_over;
    if let Some(path) = &arguments.html {
        let file = |error| (1, format!("{}: {error}", path.display()));
        whole::replace(path, 0o666, page(&fleet, arguments.lang).as_bytes()).map_err(file)?;
    }
    match (&arguments.html, arguments.json) {
        (_, true) => print(&json(&fleet)),
        (None, false) => print(&text(&fleet, arguments.lang)),
        (Some(_), false) => {}
    }
    Ok(fleet.is_protected && fleet.unread.is_empty())
}

/// The registry of a file.
fn registry(path: &Path) -> Result<SchoolRegistry, CommandFailure> {
    let shown = path.display().to_string();
    let text = read::text(path).map_err(|error| (INVALID, format!("{shown}: {error}")))?;
    SchoolRegistry::parse(&text).map_err(|mistakes| {
        (INVALID, mistakes.iter().map(|one| one.render(&shown, &text)).collect())
    })
}

/// Asks every question; a server that does not answer one may answer the next.
fn ask(
    url: &Url,
    tls_roots: Option<&Path>,
    age: u64,
) -> Result<(FleetAnswers, BTreeMap<FleetQuestion, String>), CommandFailure> {
    let server = SeriesServer::new(url.clone(), tls_roots)
        .map_err(|(is_invalid, why)| (if is_invalid { INVALID } else { 1 }, why))?;
    let (mut answers, mut unread) = (FleetAnswers::new(), BTreeMap::new());
    for question in FleetQuestion::ALL {
        match server.ask(&question.text(age)) {
            Ok(values) => {
                answers.insert(question, values);
            }
            Err(why) => {
                unread.insert(question, why);
            }
        }
    }
    Ok((answers, unread))
}

/// What boxes report in logs, and the lines that were passed over.
fn reported(logs: &[PathBuf], now: u64) -> Result<(Vec<ReportedBox>, u64), CommandFailure> {
    let mut fleet = ReportedFleet::at(now);
    for path in logs {
        fleet.read(path).map_err(|error| (1, format!("{}: {error}", path.display())))?;
    }
    Ok((fleet.boxes(), fleet.passed_over))
}

/// Reads `--timezone`.
fn parse_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| "a zone has an IANA name, as Asia/Ho_Chi_Minh".to_owned())
}
