//! `lachan publish apt DIR --to DIRECTORY`: an apt repository of what officers signed.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;
use url::Url;

use crate::cli::output::{CommandFailure, finish, json};
use crate::cli::publish::wait::failure;
use crate::publish::apt::{AptPublication, publish};
use crate::publish::trust::repository::Repository;

/// Arguments of `publish apt`.
#[derive(Debug, clap::Args)]
pub(in crate::cli::publish) struct AptArguments {
    /// The directory of the repository that officers sign.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The directory of the apt repository, which a web server carries.
    #[arg(long, value_name = "DIRECTORY")]
    to: PathBuf,
    /// Where schools find it.
    #[arg(long, value_name = "URL")]
    url: Url,
    /// The key of gpg that signs; the only secret key by default.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The name of the department, as apt shows it.
    #[arg(long, value_name = "NAME", default_value = "lachan")]
    origin: String,
    /// One JSON array instead of text.
    #[arg(long)]
    json: bool,
}

/// What a script reads.
#[derive(Serialize)]
struct SuiteOutput {
    suite: &'static str,
    version: String,
}

/// Makes or refreshes it; exits 0, 1 where a file fails, 3 where a program, a key or a signature is missing.
pub(in crate::cli::publish) fn run(arguments: &AptArguments) -> ExitCode {
    finish(published(arguments))
}

fn published(arguments: &AptArguments) -> Result<String, CommandFailure> {
    let repository = Repository::open(&arguments.directory).map_err(|error| failure(&error))?;
    let publication = AptPublication {
        to: &arguments.to,
        key: arguments.key.as_deref(),
        url: &arguments.url,
        origin: &arguments.origin,
    };
    let suites = publish(&repository, &publication).map_err(|error| failure(&error))?;
    let suites: Vec<SuiteOutput> = suites
        .into_iter()
        .map(|one| SuiteOutput { suite: one.name, version: one.version })
        .collect();
    if arguments.json {
        return Ok(json(&suites));
    }
    let lines: Vec<String> =
        suites.iter().map(|one| format!("{}: lachan {}", one.suite, one.version)).collect();
    let to = arguments.to.display();
    Ok(format!("{}\nfor schools: {to}/lachan.sources, {to}/lachan.asc", lines.join("\n")))
}
