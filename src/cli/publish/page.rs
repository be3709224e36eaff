//! `lachan publish page --old PACK --new PACK -o FILE`: the page that a person reads and prints.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::output::{CommandFailure, finish};
use crate::cli::publish::review::ReviewArguments;
use crate::config::data::guard::Guard;
use crate::dns::name::Name;
use crate::publish::lint;
use crate::publish::lint::popular::PopularNames;
use crate::publish::page::PageContent;

/// Arguments of `publish page`.
#[derive(Debug, clap::Args)]
pub(super) struct PageArguments {
    #[command(flatten)]
    review: ReviewArguments,
    /// The file to write; standard output without it.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes the page.
pub(super) fn run(arguments: &PageArguments) -> ExitCode {
    finish(write(arguments))
}

fn write(arguments: &PageArguments) -> Result<String, CommandFailure> {
    let review = arguments.review.judge()?;
    let taxonomy = &review.taxonomy;
    // The names that nobody may block unasked stand before any ranking.
    let mut popular: Vec<Name> = Guard::of(&review.data, taxonomy).names().cloned().collect();
    popular.extend(PopularNames::of(&review.data, taxonomy).names().cloned());
    if let Some(path) = &arguments.review.of.popular {
        popular.extend(lint::names(path).map_err(|complaint| (3, complaint))?);
    }
    let page = PageContent {
        taxonomy,
        old: review.old.as_deref(),
        new: &review.new,
        popular: &popular,
        findings: &review.report.findings,
        lang: arguments.review.of.lang,
    };
    let text = page.text();
    let Some(out) = &arguments.out else { return Ok(text) };
    std::fs::write(out, text).map_err(|error| (1, format!("{}: {error}", out.display())))?;
    Ok(format!("{}: one page", out.display()))
}
