//! `lachan publish key FILE`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::output::finish;
use crate::publish::trust::keys::{SigningKey, key_id, public_path};

/// Arguments of `publish key`.
#[derive(Debug, clap::Args)]
pub(in crate::cli::publish) struct KeyArguments {
    /// The file to make, on the stick of its holder; FILE.pub is its public half.
    #[arg(value_name = "FILE")]
    path: PathBuf,
}

/// Makes a key.
pub(in crate::cli::publish) fn run(arguments: &KeyArguments) -> ExitCode {
    let made = SigningKey::make(&arguments.path).map_err(|error| (3, error.to_string()));
    finish(made.map(|key| {
        format!(
            "key {}\n{}: private, stays on the stick\n{}: public, for `lachan publish init`",
            key_id(&key.public()),
            arguments.path.display(),
            public_path(&arguments.path).display(),
        )
    }))
}
