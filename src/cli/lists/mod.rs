//! `lachan lists …`: work on lists, for those who keep them.

pub mod add;
pub mod build;
pub mod catalogue;
pub mod diff;
pub mod fetch;
pub mod inspect;
mod lint;
mod report;
pub mod seal;
mod table;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use crate::pack::Pack;
use crate::rule::{Action, Effect, Rule, Scope};

/// Arguments of `lists`.
#[derive(Debug, clap::Args)]
pub struct ListsArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Compile lists to a pack, and say what became of each.
    Build(build::BuildArguments),
    /// Say what is in a pack.
    Inspect(inspect::InspectArguments),
    /// Look at every octet and every name of a pack.
    Verify(inspect::Verify),
    /// Say what a second pack lists otherwise than a first.
    Diff(diff::DiffArguments),
    /// Say what a pack lists of a name and what is above it.
    Lookup(inspect::NameLookup),
    /// Add a list of the catalogue to a config.
    Add(add::AddArguments),
    /// Show well-known public lists.
    Catalogue(catalogue::CatalogueArguments),
    /// Download the lists of a config now, and say what became of each.
    Fetch(fetch::FetchListArguments),
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
        Command::Add(arguments) => add::run(arguments),
        Command::Catalogue(arguments) => catalogue::run(arguments),
        Command::Fetch(arguments) => fetch::run(arguments),
        Command::Seal(arguments) => seal::run(arguments),
    }
}

/// Reads and verifies a pack, or says what is wrong with it.
fn open(path: &Path) -> Result<Arc<Pack>, String> {
    let octets = fs::read(path).map_err(|e| format!("{}: cannot be read: {e}", path.display()))?;
    let pack = Pack::verify(Arc::new(octets)).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(Arc::new(pack))
}

/// Ends with what a pack says, or with exit code 3 and what is wrong with it.
fn told(said: Result<String, String>) -> ExitCode {
    match said {
        Ok(said) => {
            super::print(&said);
            ExitCode::SUCCESS
        }
        Err(complaint) => {
            super::complain(&complaint);
            ExitCode::from(3)
        }
    }
}

/// A rule about `name`, as people write it: `=x`, `x`, `*.x`.
fn reach(scope: Scope, name: &str) -> String {
    match scope {
        Scope::Exact => format!("={name}"),
        Scope::Subtree => name.to_owned(),
        Scope::Below => format!("*.{name}"),
    }
}

/// What a rule does, in a word.
fn effect(rule: &Rule) -> &'static str {
    match (rule.effect, rule.action) {
        (Effect::Rpz, Action::Passthru) => "passes",
        (Effect::Add | Effect::Rpz, _) => "lists",
        (Effect::AddImportant, _) => "lists (important)",
        (Effect::Clear, _) => "frees",
        (Effect::ClearImportant, _) => "frees (important)",
    }
}

/// A wire name as people write it, without the dot at its end.
fn shown(wire: &[u8]) -> String {
    let mut text = String::new();
    let _ = crate::dns::name::write_presentation(wire, &mut text);
    text.trim_end_matches('.').to_owned()
}
