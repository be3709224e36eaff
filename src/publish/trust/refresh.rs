//! The daily work of the publishing host: all that its key signs, for another 30 days.
//!
//! Laws: this needs the online key alone. What officers signed is read, and never signed anew. No
//! role of the online key ends before the timestamp does: gateways refuse a repository of which one
//! delegated role has expired, so a rollout that nobody renewed would stop all updates.

use tough::schema::{RoleType, Root, Signed, Snapshot, Targets, Timestamp};

use super::keys::{SigningKey, key_id};
use super::repository::Repository;
use super::roles::{self, ONLINE_DAYS, SPECIFICATION};
use super::signed::{self, meta, sign};
use super::verify::verify;
use crate::publish::error::PublishError;
use crate::release::layout;

/// Signs the rollout as it is, and which versions belong together, for 30 days from `now` (seconds
/// since 1970).
///
/// # Errors
///
/// [`PublishError`]; also where `online` is not the key of the publishing host.
pub async fn refresh(
    repository: &Repository,
    online: &SigningKey,
    now: u64,
) -> Result<(), PublishError> {
    begin(repository, online)?;
    let (rollout, _) = repository.newest::<Targets>(layout::ROLLOUT)?;
    let mut rollout = rollout.signed;
    rollout.version = roles::next(Some(rollout.version));
    rollout.expires = roles::expiry(now, ONLINE_DAYS)?;
    let rollout = sign(rollout, std::slice::from_ref(online)).await?;
    repository.put(layout::ROLLOUT, &rollout)?;
    complete(repository, online, now).await
}

/// Signs which versions belong together: the end of each publication.
pub(in crate::publish) async fn complete(
    repository: &Repository,
    online: &SigningKey,
    now: u64,
) -> Result<(), PublishError> {
    refuse_stranger(repository, online)?;
    let (root, _) = repository.newest::<Root>("root")?;
    verify(repository, &root)?;
    seal(repository, online, now).await
}

/// The same without a look at what belongs together: whoever has the online key can do that.
///
/// # Errors
///
/// [`PublishError`].
pub async fn seal(
    repository: &Repository,
    online: &SigningKey,
    now: u64,
) -> Result<(), PublishError> {
    let keys = std::slice::from_ref(online);
    let version = roles::next(repository.version("snapshot")?);
    let mut snapshot =
        Snapshot::new(SPECIFICATION.into(), version, roles::expiry(now, ONLINE_DAYS)?);
    for role in ["targets", layout::ROLLOUT, layout::EMERGENCY] {
        let (document, octets) = repository.newest::<Targets>(role)?;
        let meta = meta(&octets, document.signed.version);
        snapshot.meta.insert(format!("{role}.json"), meta);
    }
    let snapshot = sign(snapshot, keys).await?;
    let mut timestamp =
        Timestamp::new(SPECIFICATION.into(), version, roles::expiry(now, ONLINE_DAYS)?);
    let entry = meta(&signed::octets(&snapshot)?, version);
    timestamp.meta.insert("snapshot.json".into(), entry);
    repository.put("snapshot", &snapshot)?;
    repository.put_timestamp(&signed::octets(&sign(timestamp, keys).await?)?)
}

/// Begins a publication: the key is the publishing host's, and what is there would be trusted.
///
/// # Errors
///
/// [`PublishError`]; nothing was written.
pub(in crate::publish) fn begin(
    repository: &Repository,
    online: &SigningKey,
) -> Result<(), PublishError> {
    refuse_stranger(repository, online)?;
    let (root, _) = repository.newest::<Root>("root")?;
    verify(repository, &root)?;
    repository.version("snapshot").map(drop)
}

/// Refuses a key that is not the publishing host's.
///
/// # Errors
///
/// [`PublishError::Refused`], or a root that cannot be read.
pub fn refuse_stranger(repository: &Repository, online: &SigningKey) -> Result<(), PublishError> {
    let (root, _): (Signed<Root>, _) = repository.newest("root")?;
    let id = roles::id(&online.public())?;
    let counts = root.signed.roles.get(&RoleType::Timestamp);
    if counts.is_some_and(|role| role.keyids.contains(&id)) {
        return Ok(());
    }
    Err(PublishError::Refused(format!(
        "key {} is not the online key of this repository",
        key_id(&online.public())
    )))
}
