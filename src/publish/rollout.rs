//! The publishing host's word on which school takes which release.
//!
//! Laws: it chooses among releases that officers signed; a halt and a way back change nothing else;
//! a way back never leads below the `min_release` of the release that is left.

use tough::schema::{Signed, Target, Targets};
use tough::{TargetName, schema::RoleType};

use super::error::PublishError;
use super::trust::keys::SigningKey;
use super::trust::refresh::{begin, complete};
use super::trust::repository::Repository;
use super::trust::roles::{self, ONLINE_DAYS};
use super::trust::signed::sign;
use crate::digest::hex;
use crate::release::layout;
use crate::release::manifest::ReleaseManifest;
use crate::release::program::ProgramPackage;
use crate::release::rollout::{FORMAT, Ring, Rollout};

/// A change of the rollout.
#[derive(Debug)]
pub enum RolloutChange {
    /// A release, ring by ring.
    Begin {
        /// Its serial.
        release: u64,
        /// The rings.
        rings: Vec<Ring>,
    },
    /// No further school takes the release.
    Halt,
    /// Every school goes to the release before.
    Back,
}

/// The rollout that is published; `None` before the first.
///
/// # Errors
///
/// [`PublishError`].
pub fn current(repository: &Repository) -> Result<Option<Rollout>, PublishError> {
    let octets = repository.target(layout::ROLLOUT, layout::ROLLOUT_TARGET)?;
    let parsed = octets.map(|octets| Rollout::parse(&octets)).transpose();
    parsed.map_err(|error| PublishError::Refused(error.to_string()))
}

/// Signs and publishes a change; returns the rollout as it is then.
///
/// # Errors
///
/// [`PublishError`]; what is published is unchanged then.
pub async fn change(
    repository: &Repository,
    online: &SigningKey,
    change: RolloutChange,
    now: u64,
) -> Result<Rollout, PublishError> {
    begin(repository, online)?;
    let rollout = changed(repository, current(repository)?, change)?;
    rollout.judge().map_err(|error| PublishError::Refused(error.to_string()))?;
    let octets =
        serde_json::to_vec(&rollout).map_err(|error| PublishError::Sign(error.to_string()))?;
    Rollout::parse(&octets).map_err(|error| PublishError::Refused(error.to_string()))?;
    let version = roles::next(repository.version(layout::ROLLOUT)?);
    let mut targets = roles::no_targets(version, now, ONLINE_DAYS)?;
    let name = TargetName::new(layout::ROLLOUT_TARGET)
        .map_err(|error| PublishError::Sign(error.to_string()))?;
    targets.targets.insert(name, repository.put_target(layout::ROLLOUT_TARGET, &octets)?);
    let document: Signed<Targets> = sign(targets, std::slice::from_ref(online)).await?;
    repository.put(layout::ROLLOUT, &document)?;
    complete(repository, online, now).await?;
    Ok(rollout)
}

/// The rollout after a change.
fn changed(
    repository: &Repository,
    current: Option<Rollout>,
    change: RolloutChange,
) -> Result<Rollout, PublishError> {
    let refused = |text: String| Err(PublishError::Refused(text));
    match (change, current) {
        (RolloutChange::Begin { release, rings }, current) => {
            signed_release(repository, release)?;
            if let Some(current) = current.as_ref().filter(|current| release < current.release) {
                return refused(format!(
                    "release {release} is lower than release {}, which is rolled out; the way back \
                     is `--back`, or a new release with the old content",
                    current.release
                ));
            }
            let programs = signed_programs(repository)?;
            let is_signed =
                |version: &String| programs.iter().any(|one| one.package.version == *version);
            let chosen = rings.iter().filter_map(|ring| ring.program.as_ref());
            if let Some(version) = chosen.into_iter().find(|version| !is_signed(version)) {
                return refused(format!(
                    "no officer signed the program {version}; a rollout chooses among those alone"
                ));
            }
            let previous = previous(repository, current.as_ref(), release)?;
            Ok(Rollout { format: FORMAT, release, previous, halt: false, back: false, rings })
        }
        (_, None) => refused("no release is rolled out yet; begin with `--release N`".into()),
        (RolloutChange::Halt, Some(current)) => Ok(Rollout { halt: true, ..current }),
        (RolloutChange::Back, Some(current)) => {
            let min = signed_release(repository, current.release)?.min_release;
            let previous = current.previous;
            if previous == 0 || previous < min {
                return refused(format!(
                    "release {} allows no way back below release {min}, and the one before it is \
                     {previous}; publish a new release with the old content",
                    current.release
                ));
            }
            signed_release(repository, previous)?;
            Ok(Rollout { halt: true, back: true, ..current })
        }
    }
}

/// The release that schools keep until their ring's date: never one that was halted or left.
fn previous(
    repository: &Repository,
    current: Option<&Rollout>,
    release: u64,
) -> Result<u64, PublishError> {
    let Some(current) = current else { return Ok(0) };
    let is_good = !current.halt && !current.back && current.release != release;
    let previous = if is_good { current.release } else { current.previous };
    let is_signed =
        repository.target(&RoleType::Targets.to_string(), &layout::manifest(previous))?.is_some();
    Ok(if is_signed { previous } else { 0 })
}

/// A package that officers signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignedProgram {
    /// Version and architecture.
    pub package: ProgramPackage,
    /// SHA-256 of its octets.
    pub sha256: String,
    /// Its length.
    pub octets: u64,
}

/// The packages that officers signed.
///
/// # Errors
///
/// [`PublishError`].
pub fn signed_programs(repository: &Repository) -> Result<Vec<SignedProgram>, PublishError> {
    let (targets, _) = repository.newest::<Targets>(&RoleType::Targets.to_string())?;
    let program = |(name, target): (&TargetName, &Target)| {
        Some(SignedProgram {
            package: ProgramPackage::of_target(name.raw())?,
            sha256: hex(&target.hashes.sha256),
            octets: target.length,
        })
    };
    let mut found: Vec<SignedProgram> = targets.signed.targets.iter().filter_map(program).collect();
    found.sort();
    Ok(found)
}

/// The manifest of a release that officers signed.
pub(super) fn signed_release(
    repository: &Repository,
    serial: u64,
) -> Result<ReleaseManifest, PublishError> {
    let octets = repository.target(&RoleType::Targets.to_string(), &layout::manifest(serial))?;
    let Some(octets) = octets else {
        return Err(PublishError::Refused(format!(
            "release {serial} is not among the releases that officers signed; a rollout chooses \
             among those alone"
        )));
    };
    ReleaseManifest::parse(&octets, serial)
        .map_err(|error| PublishError::Refused(error.to_string()))
}
