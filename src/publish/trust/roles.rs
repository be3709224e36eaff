//! The roles of a repository: whose keys count for what, and for how long.
//!
//! | role | keys | days | says |
//! |---|---|---|---|
//! | root | 2 of 3 sticks | 730 | whose keys count |
//! | targets | 1 of 2 officers | 180 | what exists |
//! | snapshot, timestamp | the publishing host | 30 | which versions belong together |
//! | rollout | the publishing host | 30 | which school takes what exists |
//! | emergency | 1 of 2 officers | 180 | urgent blocks |
//!
//! An expired role stops all updates, and no officer signs an emergency every month: so that role is
//! valid as long as targets are. Its entries have ends of their own, of 30 days at most.

use std::collections::HashMap;
use std::num::NonZeroU64;

use tough::schema::key::Key;
use tough::schema::{
    DelegatedRole, Delegations, PathPattern, PathSet, RoleKeys, RoleType, Root, Targets,
};

use crate::publish::error::PublishError;
use crate::release::layout;

/// The version of the TUF specification.
pub(in crate::publish) const SPECIFICATION: &str = "1.0.0";
/// The validity of root keys.
pub(in crate::publish) const ROOT_DAYS: u32 = 730;
/// The validity of what exists.
pub(in crate::publish) const TARGETS_DAYS: u32 = 180;
/// The validity of the role of urgent blocks; each of its entries ends by itself.
pub(in crate::publish) const EMERGENCY_DAYS: u32 = TARGETS_DAYS;
/// The validity of what the publishing host signs.
pub(in crate::publish) const ONLINE_DAYS: u32 = 30;
/// Signatures of root sticks that a root needs.
pub(in crate::publish) const ROOT_THRESHOLD: u64 = 2;

/// The public keys of a repository.
#[derive(Debug, Clone)]
pub struct Holders {
    /// The sticks in safes.
    pub root: Vec<Key>,
    /// Officers.
    pub officers: Vec<Key>,
    /// The publishing host.
    pub online: Key,
}

/// The number after `version`; 1 for the first.
pub(in crate::publish) fn next(version: Option<NonZeroU64>) -> NonZeroU64 {
    version.map_or(NonZeroU64::MIN, |version| version.saturating_add(1))
}

/// A moment `days` after `now` (seconds since 1970), as `tough` has it.
pub(in crate::publish) fn expiry<T: serde::de::DeserializeOwned>(
    now: u64,
    days: u32,
) -> Result<T, PublishError> {
    let seconds = now.saturating_add(u64::from(days) * 86_400);
    let at = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap_or(i64::MAX))
        .map_err(|error| PublishError::Sign(error.to_string()))?;
    serde_json::from_value(at.to_string().into())
        .map_err(|error| PublishError::Sign(error.to_string()))
}

/// A root of these keys.
pub(in crate::publish) fn root(
    holders: &Holders,
    version: NonZeroU64,
    now: u64,
) -> Result<Root, PublishError> {
    let online = std::slice::from_ref(&holders.online);
    let all = holders.root.iter().chain(&holders.officers).chain(online);
    let roles = [
        (RoleType::Root, keys_of(&holders.root, ROOT_THRESHOLD)?),
        (RoleType::Targets, keys_of(&holders.officers, 1)?),
        (RoleType::Snapshot, keys_of(online, 1)?),
        (RoleType::Timestamp, keys_of(online, 1)?),
    ];
    Ok(Root {
        spec_version: SPECIFICATION.into(),
        consistent_snapshot: true,
        version,
        expires: expiry(now, ROOT_DAYS)?,
        keys: all.map(|key| Ok((id(key)?, key.clone()))).collect::<Result<_, PublishError>>()?,
        roles: roles.into(),
        _extra: HashMap::new(),
    })
}

/// The delegations of `targets`: each ends where it begins, so that no role speaks for another.
pub(in crate::publish) fn delegations(holders: &Holders) -> Result<Delegations, PublishError> {
    let online = std::slice::from_ref(&holders.online);
    let role = |name: &str, keys: &[Key]| -> Result<DelegatedRole, PublishError> {
        let RoleKeys { keyids, threshold, .. } = keys_of(keys, 1)?;
        let pattern = PathPattern::new(format!("{name}/*"))
            .map_err(|error| PublishError::Sign(error.to_string()))?;
        let paths = PathSet::Paths(vec![pattern]);
        let name = name.to_owned();
        Ok(DelegatedRole { name, keyids, threshold, paths, terminating: true, targets: None })
    };
    let keys = holders.officers.iter().chain(online);
    Ok(Delegations {
        keys: keys.map(|key| Ok((id(key)?, key.clone()))).collect::<Result<_, PublishError>>()?,
        roles: vec![role(layout::ROLLOUT, online)?, role(layout::EMERGENCY, &holders.officers)?],
    })
}

/// A role of targets without targets.
pub(in crate::publish) fn no_targets(
    version: NonZeroU64,
    now: u64,
    days: u32,
) -> Result<Targets, PublishError> {
    Ok(Targets::new(SPECIFICATION.into(), version, expiry(now, days)?))
}

type KeyId = tough::schema::decoded::Decoded<tough::schema::decoded::Hex>;

pub(in crate::publish) fn id(key: &Key) -> Result<KeyId, PublishError> {
    key.key_id().map_err(|error| PublishError::Sign(error.to_string()))
}

fn keys_of(keys: &[Key], threshold: u64) -> Result<RoleKeys, PublishError> {
    Ok(RoleKeys {
        keyids: keys.iter().map(id).collect::<Result<_, _>>()?,
        threshold: NonZeroU64::new(threshold).unwrap_or(NonZeroU64::MIN),
        _extra: HashMap::new(),
    })
}
