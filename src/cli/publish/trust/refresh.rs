//! `lachan publish refresh DIR`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::output::{CommandFailure, finish};
use crate::cli::publish::wait::{failure, wait_for};
use crate::publish::trust::keys::SigningKey;
use crate::publish::trust::refresh::refresh;
use crate::publish::trust::repository::Repository;
use crate::sys::clock::system_time;

/// Arguments of `publish refresh`.
#[derive(Debug, clap::Args)]
pub(in crate::cli::publish) struct RefreshArguments {
    /// The directory of the repository.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The key of the publishing host.
    #[arg(long, value_name = "FILE")]
    online: PathBuf,
}

/// Signs a new snapshot and timestamp.
pub(in crate::cli::publish) fn run(arguments: &RefreshArguments) -> ExitCode {
    finish(sign(arguments))
}

fn sign(arguments: &RefreshArguments) -> Result<String, CommandFailure> {
    let repository = Repository::open(&arguments.directory).map_err(|error| failure(&error))?;
    let online = SigningKey::read(&arguments.online).map_err(|error| failure(&error.into()))?;
    wait_for(refresh(&repository, &online, system_time()))?;
    Ok(format!("{}: signed for another 30 days", repository.path().display()))
}
