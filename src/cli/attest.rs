//! `lachan attest`: what this box says of a month or a year, signed; and whether such a file is what a
//! box said.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::output::{CommandFailure, INVALID, complain, finish, json, parse_lang, print};
use crate::cli::running::{config_of_machine, state_of};
use crate::lang::{Lang, Message, messages};
use crate::load::assemble::read_config_for_command;
use crate::publish::enrol::{Organisation, PinnedBox};
use crate::report::attest::bundle::{self, AttestationBundle};
use crate::report::attest::make::AttestingBox;
use crate::report::attest::page::page;
use crate::report::attest::{AttestError, SignedAttestation, Verified, verify};
use crate::sys::clock::system_time;
use crate::sys::read;
use crate::sys::state_dir::whole;

/// Arguments of `attest`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AttestArguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// The month, as 2026-11, or the year.
    #[arg(long, required = true)]
    period: Option<String>,
    /// The directory for the document and its page.
    #[arg(long, value_name = "DIR", required = true)]
    out: Option<PathBuf>,
    /// The config of the gateway; by default /etc/lachan/gateway.toml where it is there, else the embedded default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The language of the page; the config's by default.
    #[arg(long, value_parser = parse_lang)]
    lang: Option<Lang>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Say whether files are what boxes said, by the keys that a department pins.
    Verify(VerifyArguments),
}

/// Arguments of `attest verify`.
#[derive(Debug, clap::Args)]
struct VerifyArguments {
    /// Documents of months, and bundles of years.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The organisation, with the keys of its boxes.
    #[arg(long, value_name = "FILE")]
    org: PathBuf,
    /// One JSON list instead of text.
    #[arg(long)]
    json: bool,
    /// The language.
    #[arg(long, value_parser = parse_lang, default_value = "en")]
    lang: Lang,
}

/// Writes a document, or verifies some; exits 0, 1 where one is not valid or there is no record, 3 for
/// a config or organisation that cannot be used.
pub fn run(arguments: &AttestArguments) -> ExitCode {
    match &arguments.action {
        Some(Action::Verify(arguments)) => verify_files(arguments),
        None => finish(attested(arguments)),
    }
}

/// Writes the document of a period and its page.
fn attested(of: &AttestArguments) -> Result<String, CommandFailure> {
    let config = read_config_for_command(config_of_machine(of.config.as_deref()));
    let config = config.map_err(|error| (INVALID, error.to_string()))?;
    let lang = of.lang.unwrap_or(config.school.lang);
    let refused = |message: Message| (1, message.in_lang(lang));
    let state = state_of(&config, lang)?;
    let state = state.ok_or_else(|| refused(messages::attest_no_state()))?;
    let zone = config.school.zone();
    let from = AttestingBox { state: &state, roles: &config.school.roles, zone: &zone };
    let period = of.period.as_deref().unwrap_or_default();
    let is_year = period.len() == 4 && period.bytes().all(|octet| octet.is_ascii_digit());
    let is_month = period.len() == 7 && period.as_bytes().get(4) == Some(&b'-');
    let months = match (is_year, is_month) {
        (true, _) => from.months_of(period),
        (_, true) => vec![period.to_owned()],
        _ => return Err(refused(messages::attest_no_period(period))),
    };
    let mut documents: Vec<SignedAttestation> = Vec::new();
    let acting = state.act_as_owner().map_err(|error| (1, error.to_string()))?;
    for month in &months {
        let made = from.attest(month, system_time()).map_err(|error| (1, error.to_string()))?;
        let Some(document) = made else { continue };
        if from.was_changed(&document.signed) {
            complain(&messages::attest_changed(month).in_lang(lang));
        }
        documents.push(document);
        // The chain goes on behind a sealed month only.
        if from.sealed(month).is_none() {
            break;
        }
    }
    // What the person gets is where the person says.
    drop(acting);
    if documents.is_empty() {
        return Err(refused(messages::attest_no_record(period)));
    }
    let has = |month: &&String| documents.iter().any(|one| one.signed.month == **month);
    let missing: Vec<&str> = months.iter().filter(|one| !has(one)).map(String::as_str).collect();
    let missing = (!missing.is_empty()).then(|| messages::attest_left_out(missing.join(", ")));
    if documents.iter().any(|one| one.signatures.is_empty()) {
        complain(&messages::attest_warn_unsigned().in_lang(lang));
    }
    let printed = page(&documents, lang, &zone);
    let octets = if is_year {
        AttestationBundle::new(period, documents).octets()
    } else {
        documents.first().map_or_else(|| Ok(Vec::new()), SignedAttestation::octets)
    };
    let octets = octets.map_err(|error| (1, error.to_string()))?;
    let out = of.out.as_deref().unwrap_or(Path::new("."));
    std::fs::create_dir_all(out).map_err(|error| (1, format!("{}: {error}", out.display())))?;
    let mut said = Vec::new();
    for (end, octets) in [("json", octets), ("html", printed.into_bytes())] {
        let path = out.join(format!("attestation-{}-{period}.{end}", config.school.id));
        whole::replace(&path, 0o666, &octets)
            .map_err(|error| (1, format!("{}: {error}", path.display())))?;
        said.push(messages::attest_wrote(path.display()).in_lang(lang));
    }
    match missing {
        None => Ok(said.join("\n")),
        Some(missing) => {
            said.push(missing.in_lang(lang));
            Err((1, said.join("\n")))
        }
    }
}

/// The result about one file, for scripts.
#[derive(serde::Serialize)]
struct FileVerdict {
    file: String,
    valid: bool,
    months: Vec<String>,
    school: String,
    #[serde(rename = "box")]
    unit: String,
    why: Option<String>,
}

fn verify_files(of: &VerifyArguments) -> ExitCode {
    let organisation = match Organisation::read(&of.org) {
        Ok(organisation) => organisation,
        Err(error) => return finish(Err((INVALID, error.to_string()))),
    };
    let mut lines = Vec::new();
    let mut verdicts = Vec::new();
    for path in &of.files {
        let file = path.display().to_string();
        match verified(path, &organisation.boxes, of.lang) {
            Ok(months) => {
                for Verified { attestation, .. } in &months {
                    let school = &attestation.school;
                    let line =
                        messages::attest_valid(&file, &attestation.month, &school.id, &school.unit);
                    let mut line = line.in_lang(of.lang);
                    if !attestation.is_over {
                        let running = messages::attest_valid_running().in_lang(of.lang);
                        line = format!("{line}; {running}");
                    }
                    lines.push(line);
                }
                lines.extend(cut_head(&months).map(|line| line.in_lang(of.lang)));
                let school = months.first().map(|one| one.attestation.school.clone());
                let school = school.unwrap_or_default();
                let months = months.iter().map(|one| one.attestation.month.clone()).collect();
                let (school, unit) = (school.id, school.unit);
                verdicts.push(FileVerdict { file, valid: true, months, school, unit, why: None });
            }
            Err(why) => {
                lines.push(messages::attest_invalid(&file, &why).in_lang(of.lang));
                let (months, school, unit) = (Vec::new(), String::new(), String::new());
                let why = Some(why);
                verdicts.push(FileVerdict { file, valid: false, months, school, unit, why });
            }
        }
    }
    let is_valid = verdicts.iter().all(|one| one.valid);
    print(&if of.json { json(&verdicts) } else { lines.join("\n") });
    if is_valid { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is to be said of a bundle that begins behind a sealed month of its year.
fn cut_head(months: &[Verified]) -> Option<Message> {
    let first = &months.first()?.attestation;
    let is_later = !first.before.is_empty() && !first.month.ends_with("-01");
    is_later.then(|| messages::attest_begins_later(&first.month))
}

/// The months of one file.
fn verified(path: &Path, boxes: &[PinnedBox], lang: Lang) -> Result<Vec<Verified>, String> {
    let octets =
        read::octets(path, bundle::MAX_OCTETS as u64).map_err(|error| error.to_string())?;
    let told = |error: AttestError| error.message().in_lang(lang);
    match AttestationBundle::verify(&octets, boxes) {
        Err(AttestError::Malformed(_) | AttestError::Format(..)) => {
            verify(&octets, boxes).map(|one| vec![one]).map_err(told)
        }
        verified => verified.map_err(told),
    }
}
