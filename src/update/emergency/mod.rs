//! The department's emergency list on this gateway.
//!
//! ```text
//! repository that is trusted ▶ emergency list ▶ judged ▶ in force ▶ STATE/releases/emergency.json
//! ```
//!
//! Laws:
//!
//! - It is taken at each attempt from a repository that is trusted, whatever becomes of the release,
//!   and for every ring: an order of today cannot wait for a date.
//! - Its version never falls. A list that is refused changes nothing.
//! - It acts before it is stored: a disk that takes nothing more takes no block away, and where not even
//!   the memory of the attempt can be written, that is in RAM. Then it acts for the life of the
//!   process, and each attempt tries to store it again.

mod memory;
#[cfg(test)]
mod tests;

use tough::Transport;

use self::memory::PassingMemory;
use crate::load::release::urgent::{DOCUMENT, KeptDocument};
use crate::release::emergency::{EmergencyError, FORMAT, MAX_OCTETS};
use crate::release::layout;
use crate::release::rollout::KnownTime;
use crate::update::error::UpdateError;
use crate::update::store::{ReleaseStore, StoreLock, failed};
use crate::update::take::{self, UpdateRequest};
use crate::update::targets::target;
use crate::update::trust::Trusted;

/// Puts an emergency list in force.
pub type UrgentHook = Box<dyn Fn(&KeptDocument) -> Result<(), EmergencyError> + Send + Sync>;

/// What the gateway does for emergency lists.
pub struct UrgentHooks {
    /// The version of the list in force; 0 without one.
    pub version: Box<dyn Fn() -> u64 + Send + Sync>,
    /// Puts a list in force, within the limits of the policy in force.
    pub put: UrgentHook,
}

/// Puts the emergency list of a repository that is trusted in force, and stores it, if it is newer than
/// what is in force and stored.
///
/// # Errors
///
/// [`UpdateError`]: the list is refused, and the one before stays; or it acts and is not stored.
pub(super) async fn follow(
    trusted: &Trusted,
    (store, _lock): (&ReleaseStore, &StoreLock),
    hooks: (&UrgentHooks, KnownTime),
) -> Result<(), UpdateError> {
    let Some(list) = put(trusted, store, hooks).await? else { return Ok(()) };
    let written = store.dir().replace(DOCUMENT, &list.octets());
    written.map_err(|error| failed(&store.path().join(DOCUMENT), error))
}

/// The same where the state directory takes nothing; whether there is something to store.
///
/// # Errors
///
/// [`UpdateError`]: the repository or the list is refused, and what is in force stays.
pub(super) async fn follow_unstored(
    carrier: impl Transport + 'static,
    store: &ReleaseStore,
    request: &UpdateRequest<'_>,
    hooks: (&UrgentHooks, KnownTime),
) -> Result<bool, UpdateError> {
    let mark = take::mark_of(store, request)?;
    let memory = PassingMemory::of(store)?;
    let trusted = take::trusted(carrier, &mark, memory.path(), request).await?;
    Ok(put(&trusted, store, hooks).await?.is_some())
}

/// Puts the list in force if it is newer than what is; `None` where it is in force and stored.
async fn put(
    trusted: &Trusted,
    store: &ReleaseStore,
    (hooks, time): (&UrgentHooks, KnownTime),
) -> Result<Option<KeptDocument>, UpdateError> {
    let role = layout::EMERGENCY;
    let found = trusted.versions.0.get(role).copied().unwrap_or(0);
    // One that cannot be read may be written over: the repository has it, or a newer one, signed.
    let stored = KeptDocument::stored(store.path());
    let stored_version = stored.as_ref().map_or(0, |stored| stored.version);
    let in_force = (hooks.version)();
    let seen = stored_version.max(in_force);
    if found < seen {
        return Err(UpdateError::Rollback { role: role.to_owned(), found, seen });
    }
    if found == stored_version && found == in_force {
        return Ok(None);
    }
    let octets = target(&trusted.repository, layout::EMERGENCY_TARGET, MAX_OCTETS as u64).await?;
    let document = match octets {
        Some(octets) => String::from_utf8(octets)
            .map_err(|_| EmergencyError::Malformed("it is not UTF-8".to_owned()))?,
        // The department never published one.
        None if seen == 0 => return Ok(None),
        None => format!("{{\"format\":{FORMAT},\"signed_at\":0,\"entries\":[]}}"),
    };
    let taken_at = match (stored, time) {
        (Some(stored), _) if stored.version == found => stored.taken_at,
        (_, KnownTime::Synced(now)) => Some(now),
        (_, KnownTime::AtLeast(_)) => None,
    };
    let list = KeptDocument { version: found, taken_at, document };
    if found != in_force {
        (hooks.put)(&list)?;
    }
    Ok(Some(list))
}
