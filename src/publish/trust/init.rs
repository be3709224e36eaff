//! A new repository.

use std::path::Path;

use tough::schema::Root;

use super::keys::{SigningKey, key_id};
use super::refresh::complete;
use super::repository::Repository;
use super::roles::{self, EMERGENCY_DAYS, Holders, ONLINE_DAYS, ROOT_THRESHOLD, TARGETS_DAYS};
use super::signed::{self, sign};
use super::verify::counting;
use crate::digest::sha256;
use crate::publish::error::PublishError;
use crate::release::layout;

/// The private keys that are at hand when a repository is made.
#[derive(Debug)]
pub struct Founders {
    /// At least two of the root sticks.
    pub root: Vec<SigningKey>,
    /// One officer.
    pub officer: SigningKey,
    /// The publishing host.
    pub online: SigningKey,
}

/// Makes a repository in `path`: root, empty targets, delegations, snapshot and timestamp; returns
/// the digest of the root, by which gateways are enrolled.
///
/// # Errors
///
/// [`PublishError`]; nothing that gateways would read is there then, as the timestamp comes last.
pub async fn init(
    path: &Path,
    holders: &Holders,
    founders: Founders,
    now: u64,
) -> Result<String, PublishError> {
    refuse_shared_keys(holders)?;
    let first = roles::next(None);
    let root: Root = roles::root(holders, first, now)?;
    let root = sign(root, &founders.root).await?;
    let (found, _) = counting(&root, &root.signed);
    if found < ROOT_THRESHOLD {
        return Err(PublishError::Threshold {
            role: "root",
            wanted: ROOT_THRESHOLD,
            found,
            of: "the root sticks",
            hint: "give two of them as private keys, the third as its .pub file",
        });
    }
    let repository = Repository::new(path)?;
    let mut targets = roles::no_targets(first, now, TARGETS_DAYS)?;
    targets.delegations = Some(roles::delegations(holders)?);
    let officer = std::slice::from_ref(&founders.officer);
    let online = std::slice::from_ref(&founders.online);
    let rollout = roles::no_targets(first, now, ONLINE_DAYS)?;
    let emergency = roles::no_targets(first, now, EMERGENCY_DAYS)?;
    repository.put("targets", &sign(targets, officer).await?)?;
    repository.put(layout::ROLLOUT, &sign(rollout, online).await?)?;
    repository.put(layout::EMERGENCY, &sign(emergency, officer).await?)?;
    repository.put("root", &root)?;
    complete(&repository, &founders.online, now).await?;
    Ok(sha256(&signed::octets(&root)?))
}

/// A key for two purposes would let one theft be two.
pub(in crate::publish) fn refuse_shared_keys(holders: &Holders) -> Result<(), PublishError> {
    let all = holders.root.iter().chain(&holders.officers).chain([&holders.online]);
    let mut ids: Vec<String> = all.map(key_id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() == count && holders.root.len() >= 3 && holders.officers.len() >= 2 {
        return Ok(());
    }
    Err(PublishError::Refused(
        "a repository needs three root keys, two officers and one online key, each another key"
            .into(),
    ))
}
