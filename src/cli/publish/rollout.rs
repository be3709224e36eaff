//! `lachan publish rollout DIR`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::output::{CommandFailure, INVALID, finish};
use crate::cli::publish::rings;
use crate::cli::publish::wait::{failure, now, wait_for};
use crate::publish::rollout::{RolloutChange, change};
use crate::publish::trust::keys::SigningKey;
use crate::publish::trust::repository::Repository;
use crate::release::rollout::{Ring, Rollout};

/// The file of rings in the working directory.
const RINGS: &str = "rings.toml";

/// Arguments of `publish rollout`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("change").required(true))]
pub(super) struct RolloutArguments {
    /// The directory of the repository.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The key of the publishing host.
    #[arg(long, value_name = "FILE")]
    online: PathBuf,
    /// Begin with this release, which officers signed; after a halt, go on with it.
    #[arg(long, value_name = "N", group = "change")]
    release: Option<u64>,
    /// No further school takes the release; those that have it stay.
    #[arg(long, group = "change")]
    halt: bool,
    /// Every school goes to the release before.
    #[arg(long, group = "change")]
    back: bool,
    /// A ring, in the order of dates: NAME=DATE:SCHOOL,SCHOOL or NAME=DATE:PERCENT%; DATE is `now`,
    /// `+2d`, `2026-12-01` (UTC) or RFC 3339. Without: `rings.toml`, or the usual ones.
    #[arg(long = "ring", value_name = "RING", requires = "release")]
    rings: Vec<String>,
    /// The version of the program for each ring that names none: one that `publish program add` signed.
    #[arg(long, value_name = "VERSION", requires = "release")]
    program: Option<String>,
}

/// Changes the rollout.
pub(super) fn run(arguments: &RolloutArguments) -> ExitCode {
    finish(publish(arguments))
}

fn publish(arguments: &RolloutArguments) -> Result<String, CommandFailure> {
    let repository =
        Repository::open_to_publish(&arguments.directory).map_err(|error| failure(&error))?;
    let online = SigningKey::read(&arguments.online).map_err(|error| failure(&error.into()))?;
    let now = now()?;
    let wanted = match arguments.release {
        Some(release) => {
            let mut rings = rings_of(&arguments.rings, now).map_err(|error| (INVALID, error))?;
            for ring in &mut rings {
                ring.program = ring.program.take().or_else(|| arguments.program.clone());
            }
            RolloutChange::Begin { release, rings }
        }
        None if arguments.back => RolloutChange::Back,
        None => RolloutChange::Halt,
    };
    let rollout = wait_for(change(&repository, &online, wanted, now))?;
    Ok(told(&rollout))
}

/// The rings that are given, those of the file, or the usual ones.
fn rings_of(given: &[String], now: u64) -> Result<Vec<Ring>, String> {
    let file = Path::new(RINGS);
    if !given.is_empty() {
        given.iter().map(|text| rings::of_argument(text, now)).collect()
    } else if file.exists() {
        rings::of_file(file, now)
    } else {
        Ok(rings::usual(now))
    }
}

/// A rollout in plain words.
fn told(rollout: &Rollout) -> String {
    let Rollout { release, previous, halt, back, rings, .. } = rollout;
    if *back {
        return format!(
            "back: every school goes to release {previous}, also those that have release {release}"
        );
    }
    let before = match previous {
        0 => "what they have".to_owned(),
        previous => format!("release {previous}"),
    };
    if *halt {
        return format!(
            "halted: no further school takes release {release}; those that have it stay, the \
             others keep {before}"
        );
    }
    let mut text = format!("release {release}; until their date schools keep {before}");
    for Ring { name, from, schools, percent, program } in rings {
        let share = match percent {
            100 => "all schools".to_owned(),
            0 => "no school".to_owned(),
            percent => format!("{percent} % of schools"),
        };
        let members = match (schools.is_empty(), percent) {
            (true, _) => share,
            (false, 0) => schools.join(", "),
            (false, _) => format!("{} and {share}", schools.join(", ")),
        };
        let _ = write!(text, "\n{name}: {members} from {}", shown(*from));
        if let Some(program) = program {
            let _ = write!(text, ", program {program}");
        }
    }
    text
}

/// A moment for a person.
fn shown(seconds: u64) -> String {
    let at = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap_or(i64::MAX));
    at.map_or_else(|_| seconds.to_string(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}
