//! What officers sign: the targets, by the key of one of them.

use std::collections::HashMap;

use tough::TargetName;
use tough::schema::{RoleType, Root, Target, Targets};

use super::keys::SigningKey;
use super::refresh::{begin, refresh};
use super::repository::Repository;
use super::roles::{self, EMERGENCY_DAYS, TARGETS_DAYS};
use super::signed::sign;
use super::verify::verify;
use crate::publish::error::PublishError;
use crate::release::layout;

/// A name as `tough` has it.
pub(in crate::publish) fn target_name(name: &str) -> Result<TargetName, PublishError> {
    TargetName::new(name).map_err(|error| PublishError::Sign(error.to_string()))
}

/// Changes what officers sign, with the key of one; published where the online key is at hand.
///
/// # Errors
///
/// [`PublishError`]; what is published is unchanged then.
pub(in crate::publish) async fn sign_targets(
    repository: &Repository,
    officer: &SigningKey,
    online: Option<&SigningKey>,
    now: u64,
    change: impl FnOnce(&mut HashMap<TargetName, Target>) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    let (root, _) = repository.newest::<Root>("root")?;
    match online {
        Some(online) => begin(repository, online)?,
        None => verify(repository, &root)?,
    }
    let role = RoleType::Targets.to_string();
    let id = roles::id(&officer.public())?;
    if root.signed.roles.get(&RoleType::Targets).is_none_or(|keys| !keys.keyids.contains(&id)) {
        return Err(PublishError::Refused(
            "the key is no officer's of this repository; a release is signed by one of them".into(),
        ));
    }
    let (newest, _) = repository.newest::<Targets>(&role)?;
    let mut targets = newest.signed;
    targets.version = roles::next(repository.version(&role)?);
    targets.expires = roles::expiry(now, TARGETS_DAYS)?;
    change(&mut targets.targets)?;
    let document = sign(targets, std::slice::from_ref(officer)).await?;
    repository.put(&role, &document)?;
    // A department may have no emergency for years, and no update is taken once a role has ended.
    let (emergency, _) = repository.newest::<Targets>(layout::EMERGENCY)?;
    let mut emergency = emergency.signed;
    emergency.version = roles::next(Some(emergency.version));
    emergency.expires = roles::expiry(now, EMERGENCY_DAYS)?;
    let emergency = sign(emergency, std::slice::from_ref(officer)).await?;
    repository.put(layout::EMERGENCY, &emergency)?;
    match online {
        Some(online) => refresh(repository, online, now).await,
        None => Ok(()),
    }
}
