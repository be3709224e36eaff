//! Assembling and signing a release.
//!
//! ```text
//! pack ▶ canonical list ▶ full, difference ─┐
//! tables, ledger, ages, notes ▶ data files ─┼▶ manifest ▶ targets (an officer's stick)
//! gate ▶ what people accepted ──────────────┘              ▶ snapshot, timestamp (the online key)
//! ```
//!
//! Laws: nothing is written before the gate has passed; the list that is signed compiles to the
//! digest that is signed, and the difference gives it from the list before; what no gateway may go
//! back to any more leaves the metadata, so that its size has a bound.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::PublishError;
use super::last::{self, NOTES, SignedRelease, compiled};
use super::ledger;
use super::lint::ages;
use super::lint::gate::GateReport;
use super::lint::release::names_by_category;
use super::reviews;
use super::rollout;
use super::trust::keys::SigningKey;
use super::trust::officers::{sign_targets, target_name};
use super::trust::repository::Repository;
use crate::config::data::released::ANSWERS;
use crate::digest::{hex, sha256};
use crate::pack::{Pack, SourceNote};
use crate::release::layout;
use crate::release::list::{delta, packed, write};
use crate::release::manifest::{FORMAT, ReleaseManifest};
use crate::release::program::ProgramPackage;

/// The level at which lists are packed: octets are sent to every school, and this machine has time.
const LEVEL: i32 = 19;
/// Releases that stay in the metadata: to these a gateway can go back.
const KEPT: u64 = 8;
/// Differences that stay: a gateway that was away for so many releases takes the full list.
const KEPT_DELTAS: u64 = 31;

/// What a release is made of.
#[derive(Debug)]
pub struct ReleaseDraft<'a> {
    /// The compiled lists, as `lachan lists build` wrote them.
    pub pack: &'a Arc<Pack>,
    /// Tables by file name; those of the release before where there are none.
    pub tables: Option<BTreeMap<String, Vec<u8>>>,
    /// The judgement about it, which does not refuse it.
    pub report: &'a GateReport,
    /// What it changes, for people.
    pub summary: String,
    /// The lowest release that a gateway may go back to; that of the release before by default.
    pub min_release: Option<u64>,
    /// The lowest version of the program that can take it; that of the release before by default.
    pub min_program: Option<String>,
    /// Seconds since 1970.
    pub now: u64,
}

/// A release with its files, before it is signed.
#[derive(Debug)]
pub struct AssembledRelease {
    /// Its manifest.
    pub manifest: ReleaseManifest,
    /// The octets of its full list, packed.
    pub full_octets: u64,
    /// The octets of its difference, packed.
    pub delta_octets: Option<u64>,
    files: BTreeMap<String, Vec<u8>>,
}

/// The serial of the next release.
///
/// # Errors
///
/// [`PublishError`].
pub fn next_serial(repository: &Repository) -> Result<u64, PublishError> {
    Ok(last::serials(repository)?.last().map_or(1, |serial| serial + 1))
}

/// Puts a release together; nothing is written.
///
/// # Errors
///
/// [`PublishError`].
pub fn assemble(
    repository: &Repository,
    draft: ReleaseDraft<'_>,
) -> Result<AssembledRelease, PublishError> {
    let refused = |why: String| Err(PublishError::Refused(why));
    let serial = next_serial(repository)?;
    let before = match serial {
        1 => None,
        _ => Some(SignedRelease::read(repository, serial - 1)?),
    };
    let least = before.as_ref().map_or(1, |before| before.manifest.min_release);
    let min_release = draft.min_release.unwrap_or(least);
    if min_release == 0 || min_release > serial || min_release < least {
        return refused(format!(
            "the lowest release to go back to is {min_release}; it is one from {least} (that of the \
             release before) to {serial} (this one)"
        ));
    }
    let before_needs = before.as_ref().and_then(|before| before.manifest.min_program.clone());
    let min_program = draft.min_program.clone().or(before_needs);
    if min_program.as_ref().is_some_and(|least| semver::Version::parse(least).is_err()) {
        return refused("the lowest program is a version such as 0.2.0".into());
    }
    let mut text = Vec::new();
    write::write(draft.pack, &mut text).map_err(|error| PublishError::Sign(error.to_string()))?;
    // The gateways compile the text: so does this machine, and compares.
    let pack = compiled(&text, &[])
        .map_err(|why| PublishError::Refused(format!("the list does not compile: {why}")))?;
    if pack.digest() != draft.pack.digest() {
        return refused(
            "the pack and its canonical list differ in their rules; build the pack again with this \
             version of the program"
                .into(),
        );
    }
    let mut files = BTreeMap::new();
    let full = packed_list(&text)?;
    let full_octets = full.len() as u64;
    files.insert(layout::full(serial), full);
    let delta = before.as_ref().map(|before| difference(before, &text, serial)).transpose()?;
    let delta_octets = delta.as_ref().map(|octets| octets.len() as u64);
    let delta = delta.map(|octets| {
        files.insert(layout::delta(serial), octets);
        layout::delta(serial)
    });
    let mut data = BTreeMap::new();
    for (file, octets) in data_files(repository, before.as_ref(), &draft, serial)? {
        let target = layout::data(&file, &sha256(&octets));
        files.insert(target.clone(), octets);
        data.insert(file, target);
    }
    let manifest = ReleaseManifest {
        format: FORMAT,
        serial,
        signed_at: draft.now,
        min_release,
        summary: draft.summary,
        full: layout::full(serial),
        delta,
        list_digest: blake3::hash(&text).to_hex().to_string(),
        list_octets: text.len() as u64,
        pack_digest: [(Pack::FORMAT, hex(&pack.digest()))].into(),
        data,
        names: names_by_category(&pack),
        accepted: draft.report.accepted.clone(),
        min_program,
    };
    let octets =
        serde_json::to_vec(&manifest).map_err(|error| PublishError::Sign(error.to_string()))?;
    ReleaseManifest::parse(&octets, serial)
        .map_err(|error| PublishError::Refused(error.to_string()))?;
    files.insert(layout::manifest(serial), octets);
    Ok(AssembledRelease { manifest, full_octets, delta_octets, files })
}

/// The data files of a release: its tables, and what the gate and the next lint go on with.
fn data_files(
    repository: &Repository,
    before: Option<&SignedRelease>,
    draft: &ReleaseDraft<'_>,
    serial: u64,
) -> Result<BTreeMap<String, Vec<u8>>, PublishError> {
    let own = [ledger::FILE, ages::FILE, NOTES];
    let mut files = match (&draft.tables, before) {
        (Some(tables), _) => tables.clone(),
        (None, None) => BTreeMap::new(),
        (None, Some(before)) => {
            let mut files = BTreeMap::new();
            for file in before.manifest.data.keys().filter(|file| !own.contains(&file.as_str())) {
                if let Some(octets) = before.data(repository, file)? {
                    files.insert(file.clone(), octets);
                }
            }
            files
        }
    };
    let gate = &draft.report.files;
    let mut ledger = gate.ledger.clone();
    let answered = before.map(|before| before.data(repository, ANSWERS)).transpose()?.flatten();
    let answers = files.get(ANSWERS).map(Vec::as_slice);
    reviews::record(&mut ledger, (answered.as_deref(), answers), (serial, draft.now));
    // Counts, and no paths of this machine.
    let public = |note: &SourceNote| SourceNote { files: Vec::new(), ..note.clone() };
    let notes: Vec<SourceNote> = draft.pack.sources().iter().map(public).collect();
    let notes =
        serde_json::to_vec(&notes).map_err(|error| PublishError::Sign(error.to_string()))?;
    let made = [ledger.octets().to_vec(), gate.ages.octets(), notes];
    files.extend(own.into_iter().map(str::to_owned).zip(made));
    Ok(files)
}

fn packed_list(text: &[u8]) -> Result<Vec<u8>, PublishError> {
    let failed = |error: std::io::Error| PublishError::Sign(error.to_string());
    let mut packer = packed::packer(Vec::new(), LEVEL).map_err(failed)?;
    std::io::Write::write_all(&mut packer, text).map_err(failed)?;
    packer.finish().map_err(failed)
}

/// The difference from the list before, which was tried.
fn difference(before: &SignedRelease, text: &[u8], to: u64) -> Result<Vec<u8>, PublishError> {
    let failed = |error: std::io::Error| PublishError::Sign(error.to_string());
    let from = before.manifest.serial;
    let mut plain = Vec::new();
    delta::diff(&before.text, text, (from, to), &mut plain).map_err(failed)?;
    let mut again = Vec::with_capacity(text.len());
    delta::apply(before.text.as_slice(), plain.as_slice(), text.len() as u64, &mut again)
        .map_err(|error| PublishError::Refused(format!("the difference is wrong: {error}")))?;
    packed_list(&plain)
}

/// Signs a release, and publishes it where the online key is at hand; else the next refresh does.
///
/// # Errors
///
/// [`PublishError`]; what is published is unchanged then.
pub async fn sign_release(
    repository: &Repository,
    release: AssembledRelease,
    officer: SigningKey,
    online: Option<&SigningKey>,
) -> Result<ReleaseManifest, PublishError> {
    let AssembledRelease { manifest, files, .. } = release;
    sign_targets(repository, &officer, online, manifest.signed_at, |targets| {
        for (name, octets) in &files {
            let entry = repository.put_target(name, octets)?;
            targets.insert(target_name(name)?, entry);
        }
        let kept = kept(repository, &manifest)?;
        targets.retain(|name, _| {
            kept.contains(name.raw()) || ProgramPackage::of_target(name.raw()).is_some()
        });
        Ok(())
    })
    .await?;
    Ok(manifest)
}

/// The targets that stay: a few releases with their data, and differences for gateways that were
/// away.
fn kept(
    repository: &Repository,
    newest: &ReleaseManifest,
) -> Result<BTreeSet<String>, PublishError> {
    let in_use = rollout::current(repository)?;
    let is_in_use = |serial: u64| {
        in_use.as_ref().is_some_and(|one| one.release == serial || one.previous == serial)
    };
    let mut kept = BTreeSet::new();
    let mut keep = |manifest: &ReleaseManifest| {
        kept.insert(layout::manifest(manifest.serial));
        kept.insert(manifest.full.clone());
        kept.extend(manifest.data.values().cloned());
    };
    for serial in last::serials(repository)? {
        let is_recent = serial + KEPT > newest.serial && serial >= newest.min_release;
        if is_recent || is_in_use(serial) {
            keep(&rollout::signed_release(repository, serial)?);
        }
    }
    keep(newest);
    let first = newest.serial.saturating_sub(KEPT_DELTAS - 1);
    kept.extend((first..=newest.serial).map(layout::delta));
    Ok(kept)
}
