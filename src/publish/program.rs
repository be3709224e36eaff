//! Versions of the program among what officers sign.
//!
//! Laws: a version is never replaced by other octets; one that a rollout chooses is not taken out.

use std::path::PathBuf;

use super::error::PublishError;
use super::rollout::{self, signed_programs};
use super::trust::keys::SigningKey;
use super::trust::officers::{sign_targets, target_name};
use super::trust::repository::Repository;
use crate::digest::sha256;
use crate::release::program::ProgramPackage;
use crate::sys::read;

/// The most octets of a package.
const MAX_OCTETS: u64 = 128 << 20;
/// The beginning of each Debian package: an archive of `ar` with the file `debian-binary`.
const MAGIC: &[u8] = b"!<arch>\ndebian-binary";

/// Signs packages in files `lachan_VERSION_ARCHITECTURE.deb`.
///
/// # Errors
///
/// [`PublishError`]; what is published is unchanged then.
pub async fn add(
    repository: &Repository,
    (officer, online): (&SigningKey, Option<&SigningKey>),
    files: &[PathBuf],
    now: u64,
) -> Result<(), PublishError> {
    let known = signed_programs(repository)?;
    let mut packages = Vec::new();
    for path in files {
        let refused = |why: &str| PublishError::Refused(format!("{}: {why}", path.display()));
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let package = ProgramPackage::of_file(name)
            .ok_or_else(|| refused("a package is named lachan_VERSION_ARCHITECTURE.deb"))?;
        let octets = read::octets(path, MAX_OCTETS)
            .map_err(|error| PublishError::File { path: path.clone(), error })?;
        if !octets.starts_with(MAGIC) {
            return Err(refused("it is no Debian package"));
        }
        let digest = sha256(&octets);
        if known.iter().any(|one| one.package == package && one.sha256 != digest) {
            return Err(refused(
                "this version is signed with other octets; give it another revision",
            ));
        }
        packages.push((package, octets));
    }
    sign_targets(repository, officer, online, now, |targets| {
        for (package, octets) in &packages {
            let name = package.target();
            let entry = repository.put_target(&name, octets)?;
            targets.insert(target_name(&name)?, entry);
        }
        Ok(())
    })
    .await
}

/// Takes a version out of what officers sign, for all architectures.
///
/// # Errors
///
/// [`PublishError`]; what is published is unchanged then.
pub async fn remove(
    repository: &Repository,
    (officer, online): (&SigningKey, Option<&SigningKey>),
    version: &str,
    now: u64,
) -> Result<(), PublishError> {
    let is_it = |one: &ProgramPackage| one.version == version;
    if !signed_programs(repository)?.iter().any(|one| is_it(&one.package)) {
        return Err(PublishError::Refused(format!("no officer signed the program {version}")));
    }
    let rollout = rollout::current(repository)?;
    let rings = rollout.iter().flat_map(|rollout| &rollout.rings);
    if rings.filter_map(|ring| ring.program.as_deref()).any(|chosen| chosen == version) {
        return Err(PublishError::Refused(format!(
            "the rollout chooses the program {version}; change it first"
        )));
    }
    sign_targets(repository, officer, online, now, |targets| {
        targets.retain(|name, _| !ProgramPackage::of_target(name.raw()).is_some_and(|p| is_it(&p)));
        Ok(())
    })
    .await
}
