//! Verification of a repository, in TUF's order, by `tough`.
//!
//! What `tough` leaves to its caller is here:
//!
//! - Its memory is written in place, without a flush. So it works on a copy that belongs to a
//!   generation in the making; a torn copy is dropped with it.
//! - Memory that cannot be read counts as none for it, and a rollback would be taken. So the highest
//!   versions are in a mark beside it, and are compared after each load.
//! - It never reads its stored root back. So the newest root is passed to it.
//! - It remembers the latest time of the clock, and fails each load before that time. So this memory
//!   is removed unless the clock is synchronised: a gateway that was in 2040 once must go on.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tough::schema::{Root, Signed};
use tough::{ExpirationEnforcement, Limits, Repository, RepositoryLoader, Transport};

use super::carrier::base;
use super::error::UpdateError;
use crate::release::layout;
use crate::sys::read;

/// The latest time that `tough` remembers.
const LATEST_TIME: &str = "latest_known_time.json";
/// The newest root in the memory.
const ROOT: &str = "root.json";
/// The most octets of one metadata file.
const MAX_METADATA: u64 = 10 << 20;

/// The highest versions that were seen, by role: memory beside memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HighWater(pub BTreeMap<String, u64>);

impl HighWater {
    /// The higher of both, by role.
    #[must_use]
    pub fn raised_by(mut self, other: &Self) -> Self {
        for (role, &version) in &other.0 {
            let mine = self.0.entry(role.clone()).or_default();
            *mine = version.max(*mine);
        }
        self
    }

    /// Refuses versions lower than these.
    fn refuse_lower(&self, found: &Self) -> Result<(), UpdateError> {
        for (role, &seen) in &self.0 {
            let version = found.0.get(role).copied().unwrap_or(0);
            if version < seen {
                let role = role.clone();
                return Err(UpdateError::Rollback { role, found: version, seen });
            }
        }
        Ok(())
    }
}

/// A repository that was verified.
#[derive(Debug)]
pub struct Trusted {
    /// Its targets, by `tough`.
    pub repository: Repository,
    /// Its versions.
    pub versions: HighWater,
}

/// Loads and verifies a repository.
///
/// `store` is a copy of the memory, which becomes part of a generation only if its update is
/// adopted; `enrolled` is the root that the gateway was enrolled with; `seen` the highest versions.
/// Dates are enforced while the clock `is_synced`, and at no other time.
///
/// # Errors
///
/// [`UpdateError`]; `store` is to be dropped then.
pub async fn load(
    carrier: impl Transport + 'static,
    enrolled: &[u8],
    store: &Path,
    seen: &HighWater,
    is_synced: bool,
) -> Result<Trusted, UpdateError> {
    let failed = |error| UpdateError::File { path: store.to_owned(), error };
    if !is_synced {
        match fs::remove_file(store.join(LATEST_TIME)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    let root = newest_root(enrolled, store);
    let enforcement =
        if is_synced { ExpirationEnforcement::Safe } else { ExpirationEnforcement::Unsafe };
    let loader = RepositoryLoader::new(&root, base(""), base(&format!("{}/", layout::TARGETS)))
        .transport(carrier)
        .limits(Limits { max_targets_size: MAX_METADATA, ..Limits::default() })
        .datastore(store)
        .expiration_enforcement(enforcement);
    let repository = loader.load().await?;
    let versions = versions(&repository);
    seen.refuse_lower(&versions)?;
    Ok(Trusted { repository, versions })
}

/// The root in the memory if it is newer than the enrolled one; `tough` verifies what follows it.
fn newest_root(enrolled: &[u8], store: &Path) -> Vec<u8> {
    let version = |octets: &[u8]| {
        serde_json::from_slice::<Signed<Root>>(octets).map_or(0, |root| root.signed.version.get())
    };
    let stored = read::octets(&store.join(ROOT), MAX_METADATA).unwrap_or_default();
    if version(&stored) > version(enrolled) { stored } else { enrolled.to_vec() }
}

/// The versions of all roles.
fn versions(repository: &Repository) -> HighWater {
    let mut versions: BTreeMap<String, u64> = [
        ("root", repository.root().signed.version),
        ("timestamp", repository.timestamp().signed.version),
        ("snapshot", repository.snapshot().signed.version),
        ("targets", repository.targets().signed.version),
    ]
    .map(|(role, version)| (role.to_owned(), version.get()))
    .into();
    for role in [layout::ROLLOUT, layout::EMERGENCY] {
        let entry = repository.snapshot().signed.meta.get(&format!("{role}.json"));
        versions.insert(role.to_owned(), entry.map_or(0, |entry| entry.version.get()));
    }
    HighWater(versions)
}
