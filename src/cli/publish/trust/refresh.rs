//! `lachan publish refresh DIR`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::output::{CommandFailure, finish};
use crate::cli::publish::wait::{failure, now, wait_for};
use crate::publish::trust::keys::SigningKey;
use crate::publish::trust::refresh::refresh;
use crate::publish::trust::repository::Repository;

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
    let repository =
        Repository::open_to_publish(&arguments.directory).map_err(|error| failure(&error))?;
    let online = SigningKey::read(&arguments.online).map_err(|error| failure(&error.into()))?;
    wait_for(refresh(&repository, &online, now()?))?;
    Ok(format!("{}: signed for another 30 days", repository.path().display()))
}
