//! Targets of a repository: verified by `tough`, and bounded here.

use tough::{IntoVec as _, Repository, TargetName};

use super::error::UpdateError;

/// The octets of a target that must be there.
pub(super) async fn needed(
    repository: &Repository,
    name: &str,
    most: u64,
) -> Result<Vec<u8>, UpdateError> {
    let octets = target(repository, name, most).await?;
    octets.ok_or_else(|| UpdateError::Missing { name: name.to_owned() })
}

/// The signed length of a target; `None` where there is no such target.
pub(super) fn length(repository: &Repository, name: &str) -> Option<u64> {
    let name = TargetName::new(name).ok()?;
    repository.targets().signed.find_target(&name, false).ok().map(|target| target.length)
}

/// The octets of a target, verified; `None` where there is no such target.
pub(super) async fn target(
    repository: &Repository,
    name: &str,
    most: u64,
) -> Result<Option<Vec<u8>>, UpdateError> {
    let Some(octets) = length(repository, name) else { return Ok(None) };
    if octets > most {
        return Err(UpdateError::TooLarge { name: name.to_owned(), octets, most });
    }
    let wanted = TargetName::new(name)?;
    match repository.read_target(&wanted).await? {
        Some(stream) => Ok(Some(stream.into_vec().await?)),
        None => Ok(None),
    }
}
