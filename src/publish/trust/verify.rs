//! The newest documents of a repository, verified as a gateway verifies them.
//!
//! Law: nothing is published that a gateway would refuse. What is wrong with one signature stops a
//! publication before its timestamp, and the repository stays as it was.

use std::num::NonZeroU64;

use tough::schema::{RoleType, Root, Signature, Signed, Snapshot, Targets, Timestamp};

use super::repository::Repository;
use crate::publish::error::PublishError;
use crate::release::layout;

/// Verifies what people and the publishing host signed, under `root`, which comes next or is in use.
///
/// # Errors
///
/// [`PublishError::Refused`], which names the document.
pub(in crate::publish) fn verify(
    repository: &Repository,
    root: &Signed<Root>,
) -> Result<(), PublishError> {
    let refused = |what: String, why: &dyn std::fmt::Display| {
        PublishError::Refused(format!(
            "{what}: {why}; gateways would refuse the repository, so nothing is published. If a \
             rotation was interrupted, run it again; else copy the file from the second copy"
        ))
    };
    let mut before: Option<Signed<Root>> = None;
    for version in 1..=root.signed.version.get() {
        let next = if version == root.signed.version.get() {
            root.clone()
        } else {
            repository.document(&layout::metadata("root", version))?
        };
        let by_itself = next.signed.verify_role(&next);
        let by_last = before.as_ref().map_or(Ok(()), |before| before.signed.verify_role(&next));
        by_itself.and(by_last).map_err(|error| refused(format!("root {version}"), &error))?;
        before = Some(next);
    }
    let (targets, _) = repository.newest::<Targets>("targets")?;
    let what =
        |document: &Signed<Targets>, role: &str| format!("{role} {}", document.signed.version);
    let verified = root.signed.verify_role(&targets);
    verified.map_err(|error| refused(what(&targets, "targets"), &error))?;
    for role in [layout::ROLLOUT, layout::EMERGENCY] {
        let (document, _) = repository.newest::<Targets>(role)?;
        let delegations = targets.signed.delegations.as_ref();
        let verified = delegations.map(|all| all.verify_role(&document, role));
        match verified {
            Some(Ok(())) => {}
            Some(Err(error)) => return Err(refused(what(&document, role), &error)),
            None => return Err(refused(what(&document, role), &"targets delegate nothing")),
        }
    }
    Ok(())
}

/// Verifies what is published now: the above, snapshot and timestamp.
///
/// # Errors
///
/// [`PublishError::Refused`], which names the document.
pub(in crate::publish) fn verify_published(repository: &Repository) -> Result<(), PublishError> {
    let (root, _) = repository.newest::<Root>("root")?;
    verify(repository, &root)?;
    let timestamp: Signed<Timestamp> = repository.document(layout::TIMESTAMP)?;
    let (snapshot, _) = repository.newest::<Snapshot>("snapshot")?;
    let verified =
        root.signed.verify_role(&timestamp).and_then(|()| root.signed.verify_role(&snapshot));
    verified.map_err(|error| {
        PublishError::Refused(format!(
            "snapshot or timestamp: {error}; run `lachan publish refresh` with the online key of the root"
        ))
    })
}

/// The number of keys that signed a root and count for it by the root `by`.
pub(in crate::publish) fn counting(document: &Signed<Root>, by: &Root) -> (u64, u64) {
    let Some(keys) = by.roles.get(&RoleType::Root) else { return (0, u64::MAX) };
    let mut alone = by.clone();
    if let Some(keys) = alone.roles.get_mut(&RoleType::Root) {
        keys.threshold = NonZeroU64::MIN;
    }
    let mut found = 0;
    for id in &keys.keyids {
        let signature = document.signatures.iter().find(|signature| signature.keyid == *id);
        let signatures: Vec<Signature> = signature.cloned().into_iter().collect();
        let one = Signed { signed: document.signed.clone(), signatures };
        found += u64::from(alone.verify_role(&one).is_ok());
    }
    (found, keys.threshold.get())
}
