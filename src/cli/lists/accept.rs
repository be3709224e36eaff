//! `lachan lists accept CONFIG SOURCE`: a list or pack that became much shorter is meant to be so, or a
//! release that was rejected is tried again.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::lists::update;
use crate::cli::output::{CommandFailure, finish};
use crate::cli::running::state_of;
use crate::lang::messages;
use crate::load::assemble::Assembler;
use crate::load::lists::patience::{accept, accept_pack};

/// The word for the department's release.
const RELEASE: &str = "release";

/// Arguments of `lists accept`.
#[derive(Debug, clap::Args)]
pub struct AcceptArguments {
    /// The config file.
    config: PathBuf,
    /// The `path` of the source, or `packs` of `[lists]`, as the config has it; `release` for a
    /// release of the department that was rejected.
    source: String,
}

/// Accepts the list as it is now.
pub fn run(arguments: &AcceptArguments) -> ExitCode {
    finish(accept_source(arguments))
}

fn accept_source(arguments: &AcceptArguments) -> Result<String, CommandFailure> {
    let name = arguments.source.as_str();
    if name == RELEASE {
        return update::accept(&arguments.config);
    }
    let read = Assembler::new(Some(arguments.config.clone())).downloads();
    let (config, downloads) = read.map_err(|error| (3, error.to_string()))?;
    let lang = config.school.lang;
    if downloads.sources.iter().any(|source| source.label == name) {
        return Err((2, messages::accept_downloaded(name).in_lang(lang)));
    }
    let is_it = |path: &Path, label: &str| label == name || path == Path::new(name);
    let source = config.lists.sources.iter().find(|one| is_it(&one.path, &one.label));
    let packs = config.lists.packs.as_ref().filter(|path| path.ends_with(name));
    let (Some(path), is_pack) = (source.map(|one| &one.path).or(packs), source.is_none()) else {
        return Err((2, messages::accept_no_source(name).in_lang(lang)));
    };
    let state = state_of(&config, lang)?;
    let state = state.ok_or_else(|| (3, messages::accept_no_state().in_lang(lang)))?;
    let failed = |error| (1, format!("{}: {error}", path.display()));
    let _acting = state.act_as_owner().map_err(failed)?;
    let accept = if is_pack { accept_pack } else { accept };
    accept(&state, path).map_err(failed)?;
    Ok(format!("{name}: accepted as it is now; a gateway takes it within a minute, or at SIGHUP"))
}
