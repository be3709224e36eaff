//! `lachan lists …`: work on lists, for those who keep them.

pub mod add;
pub mod catalogue;
pub mod fetch;
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
    /// Add a list of the catalogue to a config.
    Add(add::Arguments),
    /// Show well-known public lists.
    Catalogue(catalogue::Arguments),
    /// Download the lists of a config now, and say what became of each.
    Fetch(fetch::Arguments),
    /// Seal names into a list that nobody can read (for the authority that gives it).
    Seal(seal::Arguments),
}

/// Runs the subcommand; the result is its exit code.
pub fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Add(arguments) => add::run(arguments),
        Command::Catalogue(arguments) => catalogue::run(arguments),
        Command::Fetch(arguments) => fetch::run(arguments),
        Command::Seal(arguments) => seal::run(arguments),
    }
}
