//! `lachan lists …`: work on lists, for those who keep them.

pub mod seal;

use std::process::ExitCode;

/// Arguments of `lists`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Seal names into a list that nobody can read (for the authority that gives it).
    Seal(seal::Arguments),
}

/// Runs the subcommand; the result is its exit code.
pub fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Seal(arguments) => seal::run(arguments),
    }
}
