//! `lachan serve`: the resolver.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::output::complain;
use crate::life;
use crate::load::assemble::AssembleError;
use crate::serve::ServeError;
use crate::sys::{log, os, panics};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArguments {
    /// The config file. Without one, an embedded default answers on 127.0.0.1:5300.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Serves until SIGTERM; SIGHUP reads config and lists again.
pub fn run(arguments: &ServeArguments) -> ExitCode {
    log::start();
    panics::tell_without_data();
    os::leave_no_core();
    os::ignore_hangup();
    match life::run(arguments.config.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            match error {
                // What is at an address of this machine can change; a config's mistake cannot.
                ServeError::Assemble(AssembleError::OwnServer { .. }) => ExitCode::FAILURE,
                ServeError::Assemble(_) => ExitCode::from(3),
                _ => ExitCode::FAILURE,
            }
        }
    }
}
