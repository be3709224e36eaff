//! `lachan publish status ACCESS.LOG…`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::output::{CommandFailure, finish, json};
use crate::publish::status::{ReportedBox, ReportedFleet};
use crate::sys::clock::system_time;

/// Arguments of `publish status`.
#[derive(Debug, clap::Args)]
pub(super) struct ReportedArguments {
    /// Access logs of the web server, in the combined format (nginx, Apache), unpacked.
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// What is shown of a fleet.
#[derive(Debug, Serialize)]
struct ShownFleet {
    /// Boxes, by the version of the program.
    versions: BTreeMap<String, u64>,
    /// Boxes, by release.
    releases: BTreeMap<u64, u64>,
    /// Each box as it reports itself, what needs a hand first.
    reported: Vec<ReportedBox>,
    /// Lines that no gateway wrote, that are not of the grammar, or of a day to come.
    passed_over: u64,
}

/// Shows a fleet as its gateways report it.
pub(super) fn run(arguments: &ReportedArguments) -> ExitCode {
    finish(show(arguments))
}

fn show(arguments: &ReportedArguments) -> Result<String, CommandFailure> {
    let mut fleet = ReportedFleet::at(system_time());
    for path in &arguments.logs {
        fleet.read(path).map_err(|error| (1, format!("{}: {error}", path.display())))?;
    }
    let reported = fleet.boxes();
    let (mut versions, mut releases) = (BTreeMap::new(), BTreeMap::new());
    for one in &reported {
        *versions.entry(one.version.clone()).or_default() += 1;
        *releases.entry(one.release).or_default() += 1;
    }
    let passed_over = fleet.passed_over;
    let shown = ShownFleet { versions, releases, reported, passed_over };
    Ok(if arguments.json { json(&shown) } else { told(&shown) })
}

/// A fleet for a person.
fn told(shown: &ShownFleet) -> String {
    let mut text = String::from("as reported by gateways; anybody can send such a line\n");
    for (version, boxes) in &shown.versions {
        let _ = writeln!(text, "program {version}: {boxes}");
    }
    for (release, boxes) in &shown.releases {
        let _ = writeln!(text, "release {release}: {boxes}");
    }
    for one in &shown.reported {
        let silent = if one.is_silent { ", silent" } else { "" };
        let _ = writeln!(
            text,
            "{} box {}: {}{silent}, release {}, ring {}",
            one.school, one.box_id, one.state, one.release, one.ring
        );
    }
    let _ = write!(text, "{} lines passed over", shown.passed_over);
    text
}
