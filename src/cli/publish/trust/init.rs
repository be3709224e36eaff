//! `lachan publish init DIR`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::output::{CommandFailure, finish};
use crate::cli::publish::wait::{failure, now, wait_for};
use crate::publish::trust::init::{Founders, init};
use crate::publish::trust::keys::{self, SigningKey};
use crate::publish::trust::roles::Holders;

/// Arguments of `publish init`.
#[derive(Debug, clap::Args)]
pub(in crate::cli::publish) struct InitArguments {
    /// The directory of the repository.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The three root keys; two of them private, the third may be its .pub file.
    #[arg(long = "root", value_name = "FILE", required = true)]
    root: Vec<PathBuf>,
    /// The officers' keys; the first one private, the others may be .pub files.
    #[arg(long = "officer", value_name = "FILE", required = true)]
    officers: Vec<PathBuf>,
    /// The key of the publishing host.
    #[arg(long, value_name = "FILE")]
    online: PathBuf,
}

/// Makes a repository.
pub(in crate::cli::publish) fn run(arguments: &InitArguments) -> ExitCode {
    finish(make(arguments))
}

fn make(arguments: &InitArguments) -> Result<String, CommandFailure> {
    let public = |paths: &[PathBuf]| {
        paths.iter().map(|path| keys::public(path)).collect::<Result<Vec<_>, _>>()
    };
    let invalid = |error: keys::KeyError| failure(&error.into());
    let keys = arguments.root.iter().chain(&arguments.officers).chain([&arguments.online]);
    for key in keys.filter(|path| path.extension().is_none_or(|end| end != "pub")) {
        keys::refuse_inside(key, &arguments.directory).map_err(invalid)?;
    }
    let online = SigningKey::read(&arguments.online).map_err(invalid)?;
    let holders = Holders {
        root: public(&arguments.root).map_err(invalid)?,
        officers: public(&arguments.officers).map_err(invalid)?,
        online: online.public(),
    };
    let is_private = |path: &&PathBuf| path.extension().is_none_or(|end| end != "pub");
    let root = arguments.root.iter().filter(is_private);
    let root = root.map(|path| SigningKey::read(path)).collect::<Result<_, _>>();
    let officer = arguments.officers.iter().find(is_private);
    let Some(officer) = officer else {
        return Err((2, "one --officer must be a private key".into()));
    };
    let officer = SigningKey::read(officer).map_err(invalid)?;
    let founders = Founders { root: root.map_err(invalid)?, officer, online };
    let path = &arguments.directory;
    let digest = wait_for(init(path, &holders, founders, now()?))?;
    Ok(format!(
        "{}: a new repository\nroot {digest}\nwrite the root's digest down: gateways are enrolled with it",
        path.display()
    ))
}
