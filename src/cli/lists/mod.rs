//! `lachan lists …`: work on lists, for their maintainers. This file only dispatches.

pub mod accept;
pub mod add;
pub mod build;
pub mod catalogue;
pub mod diff;
mod exceptions;
pub mod fetch;
pub mod inspect;
pub(in crate::cli) mod pack_file;
pub mod rehearse;
mod report;
pub mod seal;
pub(in crate::cli) mod table;
pub mod update;

use std::process::ExitCode;

/// Arguments of `lists`.
#[derive(Debug, clap::Args)]
pub struct ListsArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Compile lists to a pack, and report on each source.
    Build(build::BuildArguments),
    /// Show the content of a pack.
    Inspect(inspect::InspectArguments),
    /// Verify every octet and every name of a pack.
    Verify(inspect::VerifyArguments),
    /// Compare two packs, rule by rule.
    Diff(diff::DiffArguments),
    /// Show the rules of a pack for a name and its parents.
    Lookup(inspect::LookupArguments),
    /// Say what another pack would block or open in each group of a config, before it acts.
    Rehearse(rehearse::RehearseArguments),
    /// Accept a list that became much shorter, as it is now.
    Accept(accept::AcceptArguments),
    /// Add a list of the catalogue to a config.
    Add(add::AddArguments),
    /// Show well-known public lists.
    Catalogue(catalogue::CatalogueArguments),
    /// Download the lists of a config now, and report on each.
    Fetch(fetch::FetchListArguments),
    /// Take the department's release from a copy of its repository: a stick, a share.
    Update(update::UpdateArguments),
    /// Go back to an earlier release of the department that is kept.
    Rollback(update::RollbackArguments),
    /// Show the release of the department in use, and those that are kept.
    Releases(update::ReleasesArguments),
    /// Seal names into a list that nobody can read (for the authority that gives it).
    Seal(seal::SealArguments),
}

/// Runs the subcommand; the result is its exit code.
pub fn run(arguments: &ListsArguments) -> ExitCode {
    match &arguments.command {
        Command::Build(arguments) => build::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Verify(arguments) => inspect::verify(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Lookup(arguments) => inspect::lookup(arguments),
        Command::Rehearse(arguments) => rehearse::run(arguments),
        Command::Accept(arguments) => accept::run(arguments),
        Command::Add(arguments) => add::run(arguments),
        Command::Catalogue(arguments) => catalogue::run(arguments),
        Command::Fetch(arguments) => fetch::run(arguments),
        Command::Update(arguments) => update::update(arguments),
        Command::Rollback(arguments) => update::rollback(arguments),
        Command::Releases(arguments) => update::releases(arguments),
        Command::Seal(arguments) => seal::run(arguments),
    }
}
