//! The department's emergency list: urgent entries, signed by an officer and published at once.
//!
//! Laws: what gateways would refuse is not published, and they judge by the same code; an entry that is
//! over is taken out with the next change; no other role of the officers is signed.

use std::num::NonZeroU64;

use tough::TargetName;
use tough::schema::{RoleType, Signed, Targets};

use super::error::PublishError;
use super::rollout;
use super::trust::keys::{SigningKey, key_id};
use super::trust::refresh::{begin, refresh};
use super::trust::repository::Repository;
use super::trust::roles::{self, EMERGENCY_DAYS};
use super::trust::signed::sign;
use crate::config::data::released::ReleasedData;
use crate::lang::messages;
use crate::load::release::urgent::ProtectedNames;
use crate::release::emergency::{Emergency, FORMAT, UrgentEntry};
use crate::release::layout;
use crate::release::manifest::ReleaseManifest;

/// A change of the emergency list.
#[derive(Debug)]
pub enum UrgentChange {
    /// An entry, in the place of the one with its name.
    Add(UrgentEntry),
    /// The entry with this name ends now.
    Remove(String),
    /// The list as it is, signed for another time.
    Renew,
}

/// An emergency list that is published.
#[derive(Debug)]
pub struct PublishedList {
    /// The version of its role.
    pub version: u64,
    /// The list.
    pub list: Emergency,
    /// Entries that were over, and were taken out.
    pub ended: usize,
}

/// The list that is published; an empty one before the first.
///
/// # Errors
///
/// [`PublishError`].
pub fn current(repository: &Repository) -> Result<PublishedList, PublishError> {
    let version = repository.version(layout::EMERGENCY)?.map_or(0, NonZeroU64::get);
    let octets = repository.target(layout::EMERGENCY, layout::EMERGENCY_TARGET)?;
    let list = octets.map(|octets| serde_json::from_slice(&octets)).transpose();
    let list = list.map_err(|error| PublishError::Malformed {
        path: repository.path().join(layout::EMERGENCY_TARGET),
        why: error.to_string(),
    })?;
    let empty = Emergency { format: FORMAT, signed_at: 0, entries: Vec::new() };
    Ok(PublishedList { version, list: list.unwrap_or(empty), ended: 0 })
}

/// Signs and publishes a change; returns the list as it is then.
///
/// # Errors
///
/// [`PublishError`]; what is published is unchanged then.
pub async fn change(
    repository: &Repository,
    (officer, online): (&SigningKey, &SigningKey),
    change: UrgentChange,
    now: u64,
) -> Result<PublishedList, PublishError> {
    begin(repository, online)?;
    refuse_other_officer(repository, officer)?;
    let mut list = current(repository)?.list;
    match change {
        UrgentChange::Renew => {}
        UrgentChange::Add(entry) => {
            list.entries.retain(|one| one.name != entry.name);
            list.entries.push(entry);
        }
        UrgentChange::Remove(name) => {
            if !list.entries.iter().any(|one| one.name == name) {
                return Err(PublishError::Told(messages::urgent_unknown(name)));
            }
            list.entries.retain(|one| one.name != name);
        }
    }
    let before = list.entries.len();
    list.entries.retain(|one| one.until > now);
    let ended = before - list.entries.len();
    list.signed_at = now;
    let octets = judged(repository, &list)?;
    let version = roles::next(repository.version(layout::EMERGENCY)?);
    let mut targets = roles::no_targets(version, now, EMERGENCY_DAYS)?;
    let name = TargetName::new(layout::EMERGENCY_TARGET)
        .map_err(|error| PublishError::Sign(error.to_string()))?;
    targets.targets.insert(name, repository.put_target(layout::EMERGENCY_TARGET, &octets)?);
    let document: Signed<Targets> = sign(targets, std::slice::from_ref(officer)).await?;
    repository.put(layout::EMERGENCY, &document)?;
    // The rollout is signed anew as well: it must not end before the timestamp does.
    refresh(repository, online, now).await?;
    Ok(PublishedList { version: version.get(), list, ended })
}

/// The octets of a list, of which a gateway takes every entry.
fn judged(repository: &Repository, list: &Emergency) -> Result<Vec<u8>, PublishError> {
    let octets = serde_json::to_vec(list).map_err(|error| PublishError::Sign(error.to_string()))?;
    let protected = ProtectedNames::of(&released(repository));
    let read = Emergency::parse(&octets, |name| protected.covers(name));
    let read = read.map_err(|error| PublishError::Told(error.message()))?;
    let Some(refused) = read.refused.first() else { return Ok(octets) };
    let entry = refused.number.checked_sub(1).and_then(|place| list.entries.get(place));
    let name = entry.map_or("", |entry| entry.name.as_str());
    Err(PublishError::Told(messages::urgent_refused(name, refused.fault.message())))
}

/// The tables of the release that schools take.
fn released(repository: &Repository) -> ReleasedData {
    // An order of today does not wait until a damaged rollout is mended.
    let rollout = rollout::current(repository).ok().flatten();
    let Some(rollout) = rollout else { return ReleasedData::default() };
    let targets = RoleType::Targets.to_string();
    let read = |target: &str| repository.target(&targets, target).ok().flatten();
    let manifest = read(&layout::manifest(rollout.release))
        .and_then(|octets| ReleaseManifest::parse(&octets, rollout.release).ok());
    let table = |file: &str| {
        let target = manifest.as_ref()?.data.get(file)?;
        String::from_utf8(read(target)?).ok()
    };
    ReleasedData::new(table).usable().0
}

/// Refuses a key that does not count for emergency lists.
fn refuse_other_officer(repository: &Repository, officer: &SigningKey) -> Result<(), PublishError> {
    let (targets, _) = repository.newest::<Targets>(&RoleType::Targets.to_string())?;
    let delegations = targets.signed.delegations.as_ref();
    let roles = delegations.map(|delegations| delegations.roles.as_slice()).unwrap_or_default();
    let role = roles.iter().find(|role| role.name == layout::EMERGENCY);
    let id = roles::id(&officer.public())?;
    if role.is_some_and(|role| role.keyids.contains(&id) && role.threshold.get() == 1) {
        return Ok(());
    }
    let wanted = role.map_or(1, |role| role.threshold.get());
    Err(PublishError::Told(messages::urgent_stranger(key_id(&officer.public()), wanted)))
}
