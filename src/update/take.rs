//! Taking a release: from what carries a repository to a generation that may be adopted.
//!
//! ```text
//! carrier ▶ trust ▶ rollout (which release is mine) ▶ manifest ▶ list, data ▶ compile ▶ generation
//!              └▶ emergency list, whatever becomes of the release
//! ```
//!
//! Laws: nothing is in use before [`ReleaseStore::adopt`]; what is read from a repository has a bound
//! that is compiled in, before and after it is unpacked; a release is taken in the place of a higher
//! one only where the rollout says so in a newer version, and never below `min_release`.

use std::fmt::Write as _;
use std::path::Path;

use blake3::Hash;
use tough::{Repository, TargetName, Transport};

use super::content;
use super::error::UpdateError;
use super::status::ChosenProgram;
use super::store::{Incoming, Mark, RejectedRelease, ReleaseStore, StoreLock};
use super::targets::{needed, target};
use super::trust::{self, HighWater, Trusted};
use crate::load::release::{Generation, TRUST};
use crate::release::layout;
use crate::release::manifest::{self, ReleaseManifest};
use crate::release::program::{OWN, own_architecture};
use crate::release::rollout::{self, KnownTime, Rollout};

/// The validity of what the publishing host signs: its expiry less this is when it was signed.
const ONLINE_VALIDITY: u64 = 30 * 86_400;
/// The most octets of a package.
pub const MAX_PACKAGE: u64 = 64 << 20;

/// The gateway that asks, and what it knows.
#[derive(Debug, Clone, Copy)]
pub struct UpdateRequest<'a> {
    /// The root that it was enrolled with.
    pub enrolled: &'a [u8],
    /// The id of its school.
    pub school: &'a str,
    /// The time, as far as it is known.
    pub time: KnownTime,
}

/// A repository that is trusted, and what is known beside it.
#[derive(Debug)]
pub struct TrustedRepository {
    /// The repository.
    pub trusted: Trusted,
    /// What is to be remembered of it.
    pub seen: Mark,
    /// The generation in the making, with the memory of its metadata.
    incoming: Incoming,
    /// The end of each role's validity, in seconds since 1970.
    expires: Vec<(&'static str, u64)>,
}

/// The end of a look at a repository that is trusted.
#[derive(Debug)]
pub struct TakenRelease {
    /// The ring of the school; empty where there is no rollout yet.
    pub ring: String,
    /// A new generation, which is not in use yet; none where the release in use stays.
    pub generation: Option<Generation>,
    /// What is to be remembered of the repository.
    pub seen: Mark,
    /// The end of each role's validity, in seconds since 1970.
    pub expires: Vec<(&'static str, u64)>,
}

/// Looks whether a repository is trusted.
///
/// # Errors
///
/// [`UpdateError`]; nothing is left behind, and what is in use stays.
pub async fn open(
    carrier: impl Transport + 'static,
    store: &ReleaseStore,
    lock: &StoreLock,
    request: &UpdateRequest<'_>,
) -> Result<TrustedRepository, UpdateError> {
    let mark = mark_of(store, request)?;
    let incoming = store.begin(lock)?;
    let trusted = trusted(carrier, &mark, &incoming.path().join(TRUST), request).await?;
    let expires = expiries(&trusted.repository);
    let seen = Mark { versions: mark.versions.clone().raised_by(&trusted.versions), ..mark };
    Ok(TrustedRepository { trusted, seen, incoming, expires })
}

/// What was seen of the repository that the gateway was enrolled with.
pub(super) fn mark_of(
    store: &ReleaseStore,
    request: &UpdateRequest<'_>,
) -> Result<Mark, UpdateError> {
    let root = digest_of_root(request.enrolled);
    let mark = store.mark()?;
    if !mark.root.is_empty() && mark.root != root {
        return Err(UpdateError::OtherRoot { wanted: root, found: mark.root });
    }
    Ok(Mark { root, ..mark })
}

/// Verifies a repository with a copy of the memory in the directory `memory`.
pub(super) async fn trusted(
    carrier: impl Transport + 'static,
    mark: &Mark,
    memory: &Path,
    request: &UpdateRequest<'_>,
) -> Result<Trusted, UpdateError> {
    let is_synced = matches!(request.time, KnownTime::Synced(_));
    trust::load(carrier, request.enrolled, memory, &mark.versions, is_synced).await
}

/// The program that the rollout of a repository chooses for this gateway. It is looked for by itself:
/// a release may need just that program.
///
/// # Errors
///
/// [`UpdateError::UnsignedProgram`]; or the rollout cannot be read.
pub async fn program(
    opened: &TrustedRepository,
    store: &ReleaseStore,
    request: &UpdateRequest<'_>,
) -> Result<Option<ChosenProgram>, UpdateError> {
    let repository = &opened.trusted.repository;
    let Some(rollout) = rollout(repository).await? else { return Ok(None) };
    let has = store.current().map_or(0, |one| one.serial);
    let time = lower_bound(request.time, &opened.expires);
    let chosen = rollout.choice(request.school, time, has).program;
    chosen.map(|version| program_of(repository, version)).transpose()
}

/// The package of a version for this architecture, if officers sign one.
pub fn signed_program(opened: &TrustedRepository, version: &str) -> Option<ChosenProgram> {
    program_of(&opened.trusted.repository, version).ok()
}

/// The octets of a package, which are those that officers signed.
///
/// # Errors
///
/// [`UpdateError`].
pub async fn package(
    opened: &TrustedRepository,
    program: &ChosenProgram,
) -> Result<Vec<u8>, UpdateError> {
    let name = layout::program(&program.version, own_architecture());
    needed(&opened.trusted.repository, &name, MAX_PACKAGE).await
}

/// Makes a generation of the release of a repository for this school, if that is not in use already.
///
/// # Errors
///
/// [`UpdateError`]; nothing is left behind, and what is in use stays.
pub async fn take(
    opened: TrustedRepository,
    store: &ReleaseStore,
    lock: &StoreLock,
    request: &UpdateRequest<'_>,
) -> Result<TakenRelease, UpdateError> {
    let TrustedRepository { trusted, seen, incoming, expires } = opened;
    let current = store.current();
    let none = |ring: &str| TakenRelease {
        ring: ring.to_owned(),
        generation: None,
        seen: seen.clone(),
        expires: expires.clone(),
    };
    let Some(rollout) = rollout(&trusted.repository).await? else { return Ok(none("")) };
    let time = lower_bound(request.time, &expires);
    let has = current.as_ref().map_or(0, |one| one.serial);
    let chosen = rollout.choice(request.school, time, has);
    let is_damaged = current.as_ref().is_some_and(|current| {
        chosen.release == current.serial && !content::is_usable(&store.directory(current))
    });
    // A release whose compiled list cannot be used is not in use: another one stands in for it.
    if !is_damaged
        && !is_to_be_taken(chosen.release, chosen.is_back, current.as_ref(), &trusted.versions)
    {
        return Ok(none(chosen.ring));
    }
    if let Some(rejected) = seen.rejected.as_ref().filter(|one| one.serial == chosen.release) {
        let RejectedRelease { serial, reason, why, .. } = rejected.clone();
        store.raise(lock, &seen)?;
        return Err(UpdateError::Rejected { serial, reason, why });
    }
    if let Some(current) = current.as_ref().filter(|one| chosen.release < one.min_release) {
        let (release, least) = (chosen.release, current.min_release);
        return Err(UpdateError::Lower { release, least });
    }
    let manifest = manifest_of(&trusted.repository, chosen.release).await?;
    let ring = chosen.ring.to_owned();
    content::tables(&trusted.repository, &manifest, incoming.path()).await?;
    let is_digest_checked =
        content::list(&trusted.repository, &manifest, (store, current.as_ref()), incoming.path())
            .await?;
    let generation = Generation {
        number: 0,
        serial: manifest.serial,
        ring: ring.clone(),
        min_release: manifest.min_release,
        signed_at: manifest.signed_at,
        list_digest: manifest.list_digest.clone(),
        is_digest_checked,
        versions: seen.versions.0.clone(),
    };
    let generation = store.complete(lock, incoming, generation)?;
    Ok(TakenRelease { ring, generation: Some(generation), seen, expires })
}

/// Whether a release is taken in the place of the one in use.
fn is_to_be_taken(
    release: u64,
    is_back: bool,
    current: Option<&Generation>,
    versions: &HighWater,
) -> bool {
    let Some(current) = current else { return release > 0 };
    if release >= current.serial {
        return release > current.serial;
    }
    let rollout = |versions: &std::collections::BTreeMap<String, u64>| {
        versions.get(layout::ROLLOUT).copied().unwrap_or(0)
    };
    is_back && release > 0 && rollout(&versions.0) > rollout(&current.versions)
}

/// A memory in which this root was seen, and nothing else.
pub fn mark_anew(root: &[u8]) -> Mark {
    Mark { root: digest_of_root(root), ..Mark::default() }
}

/// The digest by which a root is known.
fn digest_of_root(root: &[u8]) -> String {
    let hash: Hash = blake3::hash(root);
    hash.to_hex().to_string()
}

/// The ends of validity.
fn expiries(repository: &Repository) -> Vec<(&'static str, u64)> {
    let seconds = |at: i64| u64::try_from(at).unwrap_or(0);
    vec![
        ("root", seconds(repository.root().signed.expires.as_second())),
        ("timestamp", seconds(repository.timestamp().signed.expires.as_second())),
        ("snapshot", seconds(repository.snapshot().signed.expires.as_second())),
        ("targets", seconds(repository.targets().signed.expires.as_second())),
    ]
}

/// What is known of time: without a clock it is at least as late as the timestamp was signed.
fn lower_bound(time: KnownTime, expires: &[(&'static str, u64)]) -> KnownTime {
    let KnownTime::AtLeast(bound) = time else { return time };
    let timestamp = expires.iter().find(|(role, _)| *role == "timestamp");
    let signed = timestamp.map_or(0, |(_, expires)| expires.saturating_sub(ONLINE_VALIDITY));
    KnownTime::AtLeast(bound.max(signed))
}

/// The rollout; `None` where none was published yet.
async fn rollout(repository: &Repository) -> Result<Option<Rollout>, UpdateError> {
    let most = rollout::MAX_OCTETS as u64;
    let Some(octets) = target(repository, layout::ROLLOUT_TARGET, most).await? else {
        return Ok(None);
    };
    let rollout = Rollout::parse(&octets).map_err(|e| UpdateError::Malformed(e.to_string()))?;
    Ok(Some(rollout))
}

/// The package of a version for this gateway: officers signed it, or it is not chosen.
fn program_of(repository: &Repository, version: &str) -> Result<ChosenProgram, UpdateError> {
    let architecture = own_architecture();
    let signed = TargetName::new(layout::program(version, architecture)).ok();
    let signed = signed.as_ref().and_then(|name| repository.targets().signed.targets.get(name));
    let Some(signed) = signed else {
        let version = version.to_owned();
        return Err(UpdateError::UnsignedProgram { version, architecture });
    };
    let sha256 = signed.hashes.sha256.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    });
    Ok(ChosenProgram { version: version.to_owned(), sha256, octets: signed.length })
}

/// The manifest of a release.
async fn manifest_of(repository: &Repository, serial: u64) -> Result<ReleaseManifest, UpdateError> {
    let octets = needed(repository, &layout::manifest(serial), manifest::MAX_OCTETS as u64).await?;
    Ok(ReleaseManifest::parse_for(OWN, &octets, serial)?)
}
