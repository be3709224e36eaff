//! `lachan publish program add|remove|list DIR`: versions of the program that officers sign.

pub(in crate::cli::publish) mod apt;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::output::{CommandFailure, finish, json};
use crate::cli::publish::wait::{failure, now, wait_for};
use crate::publish::program::{add, remove};
use crate::publish::rollout::signed_programs;
use crate::publish::trust::keys::SigningKey;
use crate::publish::trust::repository::Repository;

/// Arguments of `publish program`.
#[derive(Debug, clap::Args)]
pub(in crate::cli::publish) struct ProgramArguments {
    #[command(subcommand)]
    action: ProgramAction,
}

#[derive(Debug, clap::Subcommand)]
enum ProgramAction {
    /// Sign packages; `publish rollout --program VERSION` chooses among them.
    Add {
        #[command(flatten)]
        signing: SigningArguments,
        /// Files `lachan_VERSION_ARCHITECTURE.deb`.
        #[arg(value_name = "DEB", required = true)]
        packages: Vec<PathBuf>,
    },
    /// Take a version out, for all architectures.
    Remove {
        #[command(flatten)]
        signing: SigningArguments,
        /// The version.
        // Not under the id that clap gives to `--version` of each command.
        #[arg(id = "program", value_name = "VERSION")]
        version: String,
    },
    /// Show the packages that officers signed.
    List {
        /// The directory of the repository.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// One JSON array instead of text.
        #[arg(long)]
        json: bool,
    },
}

/// The repository, and the keys that sign.
#[derive(Debug, clap::Args)]
struct SigningArguments {
    /// The directory of the repository.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The private key of an officer.
    #[arg(long, value_name = "FILE")]
    officer: PathBuf,
    /// The key of the publishing host; without it the next `publish refresh` publishes the change.
    #[arg(long, value_name = "FILE")]
    online: Option<PathBuf>,
}

/// What a script reads.
#[derive(Serialize)]
struct ProgramOutput {
    version: String,
    architecture: String,
    sha256: String,
    octets: u64,
}

/// Changes or shows the packages.
pub(in crate::cli::publish) fn run(arguments: &ProgramArguments) -> ExitCode {
    finish(match &arguments.action {
        ProgramAction::Add { signing, packages } => {
            signing.sign(|repository, keys, now| wait_for(add(repository, keys, packages, now)))
        }
        ProgramAction::Remove { signing, version } => {
            signing.sign(|repository, keys, now| wait_for(remove(repository, keys, version, now)))
        }
        ProgramAction::List { directory, json } => list(directory, *json),
    })
}

impl SigningArguments {
    fn sign(
        &self,
        work: impl FnOnce(
            &Repository,
            (&SigningKey, Option<&SigningKey>),
            u64,
        ) -> Result<(), CommandFailure>,
    ) -> Result<String, CommandFailure> {
        let repository =
            Repository::open_to_publish(&self.directory).map_err(|error| failure(&error))?;
        let read = |path: &PathBuf| SigningKey::read(path).map_err(|error| failure(&error.into()));
        let officer = read(&self.officer)?;
        let online = self.online.as_ref().map(read).transpose()?;
        work(&repository, (&officer, online.as_ref()), now()?)?;
        drop(repository);
        let mut text = list(&self.directory, false)?;
        if online.is_none() {
            text += "\nit is published by the next `lachan publish refresh`";
        }
        Ok(text)
    }
}

fn list(directory: &Path, as_json: bool) -> Result<String, CommandFailure> {
    let repository = Repository::open(directory).map_err(|error| failure(&error))?;
    let found = signed_programs(&repository).map_err(|error| failure(&error))?;
    let outputs = found.into_iter().map(|one| ProgramOutput {
        version: one.package.version,
        architecture: one.package.architecture,
        sha256: one.sha256,
        octets: one.octets,
    });
    let outputs: Vec<ProgramOutput> = outputs.collect();
    if as_json {
        return Ok(json(&outputs));
    }
    let mut text = String::from("signed programs:");
    for ProgramOutput { version, architecture, sha256, octets } in &outputs {
        let _ =
            write!(text, "\nlachan {version} {architecture}: {octets} octets, SHA-256 {sha256}");
    }
    if outputs.is_empty() {
        text += " none";
    }
    Ok(text)
}
