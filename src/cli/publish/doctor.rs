//! `lachan publish doctor DIR`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::output::{INVALID, complain, json, print};
use crate::publish::doctor::{Examination, RoleHealth, Severity, examine};
use crate::publish::error::PublishError;
use crate::publish::trust::repository::Repository;
use crate::sys::clock::system_time;

/// Arguments of `publish doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct DoctorArguments {
    /// The directory of the repository.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The directory of a second copy, which must be in step.
    #[arg(long, value_name = "DIR")]
    mirror: Option<PathBuf>,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Examines a repository; the exit code is 0 where all is well, 1 where somebody must act soon, 3
/// where gateways refuse the repository.
pub(super) fn run(arguments: &DoctorArguments) -> ExitCode {
    let found = match look(arguments) {
        Ok(found) => found,
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::from(INVALID);
        }
    };
    print(&if arguments.json { json(&found) } else { told(&found) });
    match found.faults.first().map(|fault| fault.severity) {
        None => ExitCode::SUCCESS,
        Some(Severity::Soon) => ExitCode::FAILURE,
        Some(Severity::Broken) => ExitCode::from(INVALID),
    }
}

fn look(arguments: &DoctorArguments) -> Result<Examination, PublishError> {
    let repository = Repository::open(&arguments.directory)?;
    examine(&repository, arguments.mirror.as_deref(), system_time())
}

/// An examination for a person.
fn told(found: &Examination) -> String {
    let mut text = String::new();
    for RoleHealth { role, version, days, keys, threshold } in &found.roles {
        let _ = writeln!(
            text,
            "{role:<10} version {version:<6} {days:>4} days left, signed by {threshold} of {keys}"
        );
    }
    for fault in &found.faults {
        let mark = match fault.severity {
            Severity::Broken => "BROKEN",
            Severity::Soon => "soon",
        };
        let _ = writeln!(text, "{mark}: {}", fault.text);
    }
    if found.faults.is_empty() {
        text.push_str("all is well");
    }
    text
}
