//! `lachan publish release DIR --officer KEY --new PACK`: sign what gateways take next.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::output::{CommandFailure, INVALID, finish, json};
use crate::cli::publish::lint::shown;
use crate::cli::publish::review::{Before, JudgeArguments};
use crate::cli::publish::wait::{failure, now, wait_for};
use crate::publish::release::{ReleaseDraft, assemble, sign_release};
use crate::publish::trust::keys::SigningKey;
use crate::publish::trust::repository::Repository;
use crate::release::manifest::ReleaseManifest;

/// Arguments of `publish release`.
#[derive(Debug, clap::Args)]
pub(super) struct ReleaseArguments {
    /// The directory of the repository.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The private key of an officer.
    #[arg(long, value_name = "FILE")]
    officer: PathBuf,
    /// The key of the publishing host; without it the next `publish refresh` publishes the release.
    #[arg(long, value_name = "FILE")]
    online: Option<PathBuf>,
    #[command(flatten)]
    of: JudgeArguments,
    /// What the release changes, for people.
    #[arg(long, value_name = "TEXT", default_value = "")]
    summary: String,
    /// The lowest release that a gateway may go back to once it has this one; for content that must
    /// not come back.
    #[arg(long, value_name = "N")]
    min_release: Option<u64>,
    /// The lowest version of the program that can take the release; that of the release before by
    /// default.
    #[arg(long, value_name = "VERSION")]
    min_program: Option<String>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// What a script reads.
#[derive(Serialize)]
struct ReleaseOutput<'a> {
    full_octets: u64,
    delta_octets: Option<u64>,
    manifest: &'a ReleaseManifest,
}

/// Signs a release; exits 3 where it is refused.
pub(super) fn run(arguments: &ReleaseArguments) -> ExitCode {
    finish(publish(arguments))
}

fn publish(arguments: &ReleaseArguments) -> Result<String, CommandFailure> {
    let failed = |error| failure(&error);
    let repository = Repository::open_to_publish(&arguments.directory).map_err(failed)?;
    let read = |path: &PathBuf| SigningKey::read(path).map_err(|error| failure(&error.into()));
    let officer = read(&arguments.officer)?;
    let online = arguments.online.as_ref().map(read).transpose()?;
    let review = arguments.of.judge(Before::of(&repository).map_err(failed)?)?;
    let lang = arguments.of.lang;
    if review.report.is_refused() {
        return Err((INVALID, shown(lang, &review.report)));
    }
    let draft = ReleaseDraft {
        pack: &review.new,
        tables: review.tables,
        report: &review.report,
        summary: arguments.summary.clone(),
        min_release: arguments.min_release,
        min_program: arguments.min_program.clone(),
        now: now()?,
    };
    let release = assemble(&repository, draft).map_err(failed)?;
    let (full_octets, delta_octets) = (release.full_octets, release.delta_octets);
    let manifest = wait_for(sign_release(&repository, release, officer, online.as_ref()))?;
    if arguments.json {
        return Ok(json(&ReleaseOutput { full_octets, delta_octets, manifest: &manifest }));
    }
    let mut text = shown(lang, &review.report);
    let _ = write!(text, "\nrelease {} is signed: {full_octets} octets", manifest.serial);
    if let Some(octets) = delta_octets {
        let _ = write!(text, ", {octets} for a gateway that has release {}", manifest.serial - 1);
    }
    if online.is_none() {
        text += "\nit is published by the next `lachan publish refresh`";
    }
    let _ = write!(
        text,
        "\ntake the stick out; schools take it after `lachan publish rollout {} --release {}`",
        arguments.directory.display(),
        manifest.serial
    );
    Ok(text)
}
