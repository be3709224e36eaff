//! An examination of a repository: days to each end, signers, files, a second copy.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tough::schema::{Role, RoleKeys, RoleType, Root, Signed, Snapshot, Targets, Timestamp};

use super::error::PublishError;
use super::trust::repository::Repository;
use super::trust::roles::{ONLINE_DAYS, ROOT_DAYS, TARGETS_DAYS};
use super::trust::verify::verify_published;
use crate::digest::{hex, sha256};
use crate::release::layout;
use crate::sys::read;

/// The most octets of one file.
const MAX_FILE: u64 = 256 << 20;
/// Days before the end of a role of people from which somebody must act.
const SOON: i64 = 30;
/// The same for a role of the publishing host, whose timer renews 30 days every day.
const SOON_ONLINE: i64 = 27;

/// The health of a repository.
#[derive(Debug, Serialize)]
pub struct Examination {
    /// Each role.
    pub roles: Vec<RoleHealth>,
    /// Faults, the worst first.
    pub faults: Vec<Fault>,
}

/// The health of a role.
#[derive(Debug, Serialize)]
pub struct RoleHealth {
    /// Its name.
    pub role: &'static str,
    /// Its version.
    pub version: u64,
    /// Days until it ends; below 0 after that.
    pub days: i64,
    /// Keys that may sign it.
    pub keys: usize,
    /// Signatures that it needs.
    pub threshold: u64,
}

/// A fault of a repository.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, and what to do.
    pub text: String,
}

/// How bad a fault is; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Gateways refuse the repository, or cannot take a release.
    Broken,
    /// Somebody must act, and gateways go on.
    Soon,
}

/// Examines a repository at `now` (seconds since 1970), and compares a second copy with it.
///
/// # Errors
///
/// [`PublishError`] where a metadata file is missing or malformed.
pub fn examine(
    repository: &Repository,
    mirror: Option<&Path>,
    now: u64,
) -> Result<Examination, PublishError> {
    let (root, _) = repository.newest::<Root>("root")?;
    let (snapshot, snapshot_octets) = repository.newest::<Snapshot>("snapshot")?;
    let (targets, _) = repository.newest::<Targets>("targets")?;
    let (rollout, _) = repository.newest::<Targets>(layout::ROLLOUT)?;
    let (emergency, _) = repository.newest::<Targets>(layout::EMERGENCY)?;
    let timestamp: Signed<Timestamp> = document(&repository.path().join(layout::TIMESTAMP))?;
    let of_root = |role: RoleType| root.signed.roles.get(&role);
    let delegated = |name: &str| {
        let roles = targets.signed.delegations.as_ref().map(|all| &all.roles);
        let role = roles.and_then(|roles| roles.iter().find(|role| role.name == name));
        role.map_or((0, 0), |role| (role.keyids.len(), role.threshold.get()))
    };
    let keys = |role: Option<&RoleKeys>| {
        role.map_or((0, 0), |role| (role.keyids.len(), role.threshold.get()))
    };
    let roles = vec![
        health("root", &root.signed, keys(of_root(RoleType::Root)), now),
        health("targets", &targets.signed, keys(of_root(RoleType::Targets)), now),
        health("snapshot", &snapshot.signed, keys(of_root(RoleType::Snapshot)), now),
        health("timestamp", &timestamp.signed, keys(of_root(RoleType::Timestamp)), now),
        health(layout::ROLLOUT, &rollout.signed, delegated(layout::ROLLOUT), now),
        health(layout::EMERGENCY, &emergency.signed, delegated(layout::EMERGENCY), now),
    ];
    let mut faults: Vec<Fault> = roles.iter().filter_map(late).collect();
    faults.extend(roles.iter().filter_map(long));
    if let Err(error) = verify_published(repository) {
        faults.push(Fault { severity: Severity::Broken, text: error.to_string() });
    }
    let named = timestamp.signed.meta.get("snapshot.json");
    let digest = named.and_then(|named| named.hashes.as_ref()).map(|all| hex(&all.sha256));
    if digest.is_none_or(|digest| digest != sha256(&snapshot_octets)) {
        faults.push(half_done("the timestamp names another snapshot than the newest"));
    }
    for role in [&roles[1], &roles[4], &roles[5]] {
        let named = snapshot.signed.meta.get(&format!("{}.json", role.role));
        if named.is_none_or(|named| named.version.get() != role.version) {
            faults.push(half_done(&format!(
                "the snapshot names another {} than the newest",
                role.role
            )));
        }
    }
    let mut files = vec![layout::TIMESTAMP.to_owned()];
    files.extend(roles.iter().filter(|role| role.role != "timestamp").map(metadata));
    for document in [&targets, &rollout, &emergency] {
        files.extend(damaged(repository.path(), &document.signed, &mut faults));
    }
    if let Some(mirror) = mirror {
        faults.extend(behind(repository.path(), mirror, &files));
    }
    faults.sort();
    Ok(Examination { roles, faults })
}

fn metadata(role: &RoleHealth) -> String {
    layout::metadata(role.role, role.version)
}

fn document<T: DeserializeOwned>(path: &Path) -> Result<T, PublishError> {
    let octets = read::octets(path, MAX_FILE)
        .map_err(|error| PublishError::File { path: path.to_owned(), error })?;
    serde_json::from_slice(&octets)
        .map_err(|error| PublishError::Malformed { path: path.to_owned(), why: error.to_string() })
}

fn health(
    role: &'static str,
    document: &impl Role,
    (keys, threshold): (usize, u64),
    now: u64,
) -> RoleHealth {
    let ends = document.expires().to_string().parse::<jiff::Timestamp>();
    let seconds = ends.map_or(0, jiff::Timestamp::as_second);
    let days = (seconds - i64::try_from(now).unwrap_or(i64::MAX)).div_euclid(86_400);
    RoleHealth { role, version: document.version().get(), days, keys, threshold }
}

/// A role that ends soon, or has ended.
fn late(role: &RoleHealth) -> Option<Fault> {
    let (soon, remedy) = match role.role {
        "root" => (2 * SOON, "`lachan publish rotate` with two root sticks"),
        "targets" => (SOON, "a release with an officer's stick"),
        layout::EMERGENCY => (SOON, "an emergency list with an officer's stick"),
        _ => (SOON_ONLINE, "`lachan publish refresh`; does its timer run?"),
    };
    let RoleHealth { role: name, days, .. } = role;
    let (severity, text) = if *days < 0 {
        (Severity::Broken, format!("{name} has expired: gateways take nothing; {remedy}"))
    } else if *days < soon {
        (Severity::Soon, format!("{name} ends in {days} days; {remedy}"))
    } else {
        return None;
    };
    Some(Fault { severity, text })
}

/// A role that is valid for longer than such roles are.
fn long(role: &RoleHealth) -> Option<Fault> {
    let most = match role.role {
        "root" => ROOT_DAYS,
        "targets" | layout::EMERGENCY => TARGETS_DAYS,
        _ => ONLINE_DAYS,
    };
    let RoleHealth { role: name, days, .. } = role;
    let text = || {
        format!(
            "{name} ends in {days} days, and such a role is signed for {most}: the clock of the \
             machine that signed it was ahead, or that of this one is behind"
        )
    };
    (*days > i64::from(most)).then(|| Fault { severity: Severity::Soon, text: text() })
}

fn half_done(what: &str) -> Fault {
    let text = format!("{what}: a publication stopped halfway; run `lachan publish refresh`");
    Fault { severity: Severity::Soon, text }
}

/// The places of all targets of a role; those that are missing or damaged are faults.
fn damaged(repository: &Path, targets: &Targets, faults: &mut Vec<Fault>) -> Vec<String> {
    let mut places = Vec::new();
    for (name, entry) in &targets.targets {
        let digest = hex(&entry.hashes.sha256);
        let place = layout::place(name.raw(), &digest);
        let text = match read::octets(&repository.join(&place), MAX_FILE) {
            Err(error) => format!("{place}: {error}"),
            Ok(octets) if octets.len() as u64 != entry.length => {
                format!("{place}: {} octets, and {} were signed", octets.len(), entry.length)
            }
            Ok(octets) if sha256(&octets) != digest => {
                format!("{place}: not the octets that were signed")
            }
            Ok(_) => {
                places.push(place);
                continue;
            }
        };
        let text = format!("{text}; copy it from the second copy");
        faults.push(Fault { severity: Severity::Broken, text });
    }
    places
}

/// Files that a second copy lacks or has otherwise.
fn behind(repository: &Path, mirror: &Path, files: &[String]) -> Vec<Fault> {
    let differs = |place: &&String| {
        let here = read::octets(&repository.join(place), MAX_FILE).ok();
        here != read::octets(&mirror.join(place), MAX_FILE).ok()
    };
    let fault = |place: &String| {
        let text = format!("the second copy is behind: {place} is missing there, or another one");
        Fault { severity: Severity::Soon, text }
    };
    files.iter().filter(differs).map(fault).collect()
}
