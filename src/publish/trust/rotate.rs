//! Other keys, or other dates: a new root, and what it changes below it.
//!
//! ```text
//! holders ▶ stage ▶ root N+1 ▶ add (each person, at any machine) ▶ threshold of root N and N+1
//!                                                                    └ enact: targets, delegations,
//!                                                                      rollout, emergency, root,
//!                                                                      snapshot, timestamp
//! ```
//!
//! Laws: a root is written only with enough signatures of the root before and of its own; the root
//! comes after what its keys signed and before the timestamp, so that a gateway sees the old
//! repository or the new one. `rehearse` does all of it in a copy, and asks a gateway that knows the
//! first root alone.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::slice::from_ref;

use tough::schema::key::Key;
use tough::schema::{RoleKeys, RoleType, Root, Signed, Targets};

use super::init::refuse_shared_keys;
use super::keys::{SigningKey, key_id};
use super::refresh::complete;
use super::repository::Repository;
use super::roles::{self, EMERGENCY_DAYS, Holders, ONLINE_DAYS, TARGETS_DAYS};
use super::signed::{add, octets, sign};
use super::verify::{counting, verify};
use crate::publish::error::PublishError;
use crate::release::layout;
use crate::sys::read;

/// The most octets of a staged root.
const MAX_STAGED: u64 = 1 << 20;

/// The keys that are replaced; what is `None` stays.
#[derive(Debug, Default)]
pub struct NewHolders {
    /// The root sticks, all of them.
    pub root: Option<Vec<Key>>,
    /// The officers, all of them.
    pub officers: Option<Vec<Key>>,
    /// The publishing host.
    pub online: Option<Key>,
}

/// Signatures on a staged root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootSignatures {
    /// Of the root in use: found, and needed.
    pub old: (u64, u64),
    /// Of the new root: found, and needed.
    pub new: (u64, u64),
}

impl RootSignatures {
    /// Whether both thresholds are met.
    pub fn are_enough(&self) -> bool {
        self.old.0 >= self.old.1 && self.new.0 >= self.new.1
    }
}

/// The keys of a repository.
///
/// # Errors
///
/// [`PublishError`].
pub fn holders(repository: &Repository) -> Result<Holders, PublishError> {
    of_root(&repository.root()?)
}

/// The next root, without signatures.
///
/// # Errors
///
/// [`PublishError`]; also for a key that would serve two purposes.
pub fn stage(
    repository: &Repository,
    new: NewHolders,
    now: u64,
) -> Result<Signed<Root>, PublishError> {
    let old = holders(repository)?;
    let holders = Holders {
        root: new.root.unwrap_or(old.root),
        officers: new.officers.unwrap_or(old.officers),
        online: new.online.unwrap_or(old.online),
    };
    refuse_shared_keys(&holders)?;
    let version = roles::next(repository.version("root")?);
    Ok(Signed { signed: roles::root(&holders, version, now)?, signatures: Vec::new() })
}

/// Reads a root that was staged by another person.
///
/// # Errors
///
/// [`PublishError`]; also where it is not the next root of this repository.
pub fn staged(repository: &Repository, path: &Path) -> Result<Signed<Root>, PublishError> {
    let octets = read::octets(path, MAX_STAGED)
        .map_err(|error| PublishError::File { path: path.to_owned(), error })?;
    let root: Signed<Root> = serde_json::from_slice(&octets).map_err(|error| {
        PublishError::Malformed { path: path.to_owned(), why: error.to_string() }
    })?;
    let next = roles::next(repository.version("root")?);
    if root.signed.version == next {
        return Ok(root);
    }
    Err(PublishError::Refused(format!(
        "{}: root {} was staged, and the next root of the repository is {next}; stage it again",
        path.display(),
        root.signed.version
    )))
}

/// Adds signatures, and writes the staged root to a file for the next person.
///
/// # Errors
///
/// [`PublishError`]; also for a key that counts for neither root.
pub async fn add_signatures(
    repository: &Repository,
    root: Signed<Root>,
    keys: &[SigningKey],
) -> Result<(Signed<Root>, RootSignatures), PublishError> {
    let old = repository.root()?;
    for key in keys {
        let id = roles::id(&key.public())?;
        let counts = |keys: Option<&RoleKeys>| keys.is_some_and(|keys| keys.keyids.contains(&id));
        if !counts(old.roles.get(&RoleType::Root))
            && !counts(root.signed.roles.get(&RoleType::Root))
        {
            return Err(PublishError::Refused(format!(
                "key {} is a root key neither of the root in use nor of the new one",
                key_id(&key.public())
            )));
        }
    }
    let root = add(root, keys).await?;
    let signatures =
        RootSignatures { old: counting(&root, &old), new: counting(&root, &root.signed) };
    Ok((root, signatures))
}

/// Writes a staged root for the next person.
///
/// # Errors
///
/// [`PublishError::File`].
pub fn write_staged(
    root: &Signed<Root>,
    path: &Path,
    is_replaced: bool,
) -> Result<(), PublishError> {
    let octets = octets(root)?;
    let mut options = fs::OpenOptions::new();
    // A staged root that was read from there is replaced; nothing else, which may be a key.
    let options = if is_replaced { options.truncate(true) } else { options.create_new(true) };
    let written = options.write(true).open(path).and_then(|mut file| file.write_all(&octets));
    written.map_err(|error| PublishError::File { path: path.to_owned(), error })
}

/// Puts a root in force that has its signatures.
///
/// # Errors
///
/// [`PublishError`]; gateways go on with the old root then.
pub async fn enact(
    repository: &Repository,
    root: &Signed<Root>,
    (officer, online): (&SigningKey, &SigningKey),
    now: u64,
) -> Result<(), PublishError> {
    let keys_of = |role| root.signed.roles.get(&role);
    let is_of = |key: &SigningKey, keys: Option<&RoleKeys>| -> Result<bool, PublishError> {
        let id = roles::id(&key.public())?;
        Ok(keys.is_some_and(|keys| keys.keyids.contains(&id)))
    };
    if !is_of(officer, keys_of(RoleType::Targets))? || !is_of(online, keys_of(RoleType::Timestamp))?
    {
        return Err(PublishError::Refused(
            "the key of an officer and the online key are needed, both as the new root has them"
                .into(),
        ));
    }
    let holders = of_root(&root.signed)?;
    let renewed = |role: &str, days| -> Result<Targets, PublishError> {
        let (document, _) = repository.newest::<Targets>(role)?;
        let mut targets = document.signed;
        targets.version = roles::next(Some(targets.version));
        targets.expires = roles::expiry(now, days)?;
        Ok(targets)
    };
    let mut targets = renewed("targets", TARGETS_DAYS)?;
    targets.delegations = Some(roles::delegations(&holders)?);
    let rollout = renewed(layout::ROLLOUT, ONLINE_DAYS)?;
    let emergency = renewed(layout::EMERGENCY, EMERGENCY_DAYS)?;
    repository.put("targets", &sign(targets, from_ref(officer)).await?)?;
    repository.put(layout::ROLLOUT, &sign(rollout, from_ref(online)).await?)?;
    repository.put(layout::EMERGENCY, &sign(emergency, from_ref(officer)).await?)?;
    verify(repository, root)?;
    repository.put("root", root)?;
    complete(repository, online, now).await
}

/// The keys of a root.
fn of_root(root: &Root) -> Result<Holders, PublishError> {
    let of = |role: RoleType| -> Vec<Key> {
        let ids = root.roles.get(&role).map_or(&[][..], |keys| &keys.keyids);
        ids.iter().filter_map(|id| root.keys.get(id).cloned()).collect()
    };
    let online = of(RoleType::Timestamp).into_iter().next();
    let online =
        online.ok_or_else(|| PublishError::Refused("the root has no online key".into()))?;
    Ok(Holders { root: of(RoleType::Root), officers: of(RoleType::Targets), online })
}

/// Copies the metadata of a repository; targets are not changed by a rotation.
///
/// # Errors
///
/// [`PublishError::File`].
pub fn copy_of(repository: &Repository, to: &Path) -> Result<Repository, PublishError> {
    let failed = |error| PublishError::File { path: to.to_owned(), error };
    fs::create_dir_all(to).map_err(failed)?;
    for (path, metadata) in read::directory(repository.path()).map_err(failed)? {
        if let Some(name) = path.file_name().filter(|_| metadata.is_file()) {
            fs::copy(&path, to.join(name)).map_err(failed)?;
        }
    }
    Repository::open(to)
}
