//! `lachan publish lint --old PACK --new PACK`: what would refuse the release.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use serde::Serialize;

use crate::cli::output::{CommandFailure, INVALID, complain, json, print};
use crate::cli::publish::review::ReviewArguments;
use crate::lang::{Lang, messages};
use crate::publish::lint::finding::{LintFinding, findings_text};
use crate::publish::lint::gate::{GateFiles, GateReport};
use crate::publish::{ledger, lint::ages};
use crate::release::manifest::Acceptance;

/// Arguments of `publish lint`.
#[derive(Debug, clap::Args)]
pub(super) struct LintArguments {
    #[command(flatten)]
    review: ReviewArguments,
    /// Write the data files of this release to a directory, unless it is refused.
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// What a script reads.
#[derive(Serialize)]
struct LintOutput<'a> {
    refused: bool,
    findings: &'a [LintFinding],
    accepted: &'a [Acceptance],
    unmet: &'a [String],
}

/// Judges a release; exits 0, or 3 where it is refused.
pub(super) fn run(arguments: &LintArguments) -> ExitCode {
    match judge(arguments) {
        Ok((text, is_refused)) => {
            print(&text);
            ExitCode::from(if is_refused { INVALID } else { 0 })
        }
        Err((code, complaint)) => {
            complain(&complaint);
            ExitCode::from(code)
        }
    }
}

fn judge(arguments: &LintArguments) -> Result<(String, bool), CommandFailure> {
    let report = arguments.review.judge()?.report;
    let is_refused = report.is_refused();
    if let Some(directory) = arguments.write.as_deref().filter(|_| !is_refused) {
        write(directory, &report.files)
            .map_err(|error| (1, format!("{}: {error}", directory.display())))?;
    }
    let text = if arguments.json {
        let GateReport { findings, accepted, unmet, .. } = &report;
        json(&LintOutput { refused: is_refused, findings, accepted, unmet })
    } else {
        shown(arguments.review.of.lang, &report)
    };
    Ok((text, is_refused))
}

/// A judgement in plain words.
pub(super) fn shown(lang: Lang, report: &GateReport) -> String {
    let mut text = findings_text(&report.findings, lang);
    for key in &report.unmet {
        text += &(messages::consent_unmet(key).in_lang(lang) + "\n");
    }
    let last = if report.is_refused() {
        messages::release_refused()
    } else {
        messages::release_passes(report.accepted.len())
    };
    text + &last.in_lang(lang)
}

/// Writes the data files, each whole or not at all.
fn write(directory: &Path, files: &GateFiles) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let put = |name: &str, octets: &[u8]| {
        let beside = directory.join(format!(".{name}.{}", std::process::id()));
        fs::write(&beside, octets)?;
        fs::rename(&beside, directory.join(name))
    };
    put(ages::FILE, &files.ages.octets())?;
    put(ledger::FILE, files.ledger.octets())
}
