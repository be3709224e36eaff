//! Releases that officers signed, as the next one is compared with them.

use std::io::{Cursor, Read as _};
use std::sync::Arc;

use tough::schema::{RoleType, Targets};

use super::error::PublishError;
use super::ledger::{self, Ledger};
use super::lint::ages::{self, SourceAges};
use super::lint::gate::GateFiles;
use super::rollout;
use super::trust::repository::Repository;
use crate::pack::{Pack, SourceNote};
use crate::release::list::read::compile_noted;
use crate::release::list::{MAX_OCTETS, packed};
use crate::release::manifest::ReleaseManifest;

/// The data file with what is known of each source: licence, counts.
pub const NOTES: &str = "notes.json";

/// A release that officers signed.
#[derive(Debug)]
pub struct SignedRelease {
    /// Its manifest.
    pub manifest: ReleaseManifest,
    /// Its canonical list.
    pub text: Vec<u8>,
}

/// The serials of the releases that are signed, the lowest first.
///
/// # Errors
///
/// [`PublishError`].
pub fn serials(repository: &Repository) -> Result<Vec<u64>, PublishError> {
    let (targets, _) = repository.newest::<Targets>(&RoleType::Targets.to_string())?;
    let serial = |name: &str| name.strip_prefix("releases/")?.strip_suffix(".json")?.parse().ok();
    let mut found: Vec<u64> =
        targets.signed.targets.keys().filter_map(|name| serial(name.raw())).collect();
    found.sort_unstable();
    Ok(found)
}

/// The release that the next one is judged against: the newest, or, where schools were led back from
/// that, the one that they have.
///
/// # Errors
///
/// [`PublishError`].
pub fn accepted(repository: &Repository) -> Result<Option<u64>, PublishError> {
    let newest = serials(repository)?.last().copied();
    let left = rollout::current(repository)?.filter(|one| one.halt && Some(one.release) == newest);
    Ok(left.map_or(newest, |left| Some(left.previous).filter(|serial| *serial > 0)))
}

impl SignedRelease {
    /// A release, from the files of the repository.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; also where its list is not the one that was signed.
    pub fn read(repository: &Repository, serial: u64) -> Result<Self, PublishError> {
        let manifest = rollout::signed_release(repository, serial)?;
        let role = RoleType::Targets.to_string();
        let missing = || PublishError::Refused(format!("release {serial} has no list any more"));
        let full = repository.target(&role, &manifest.full)?.ok_or_else(missing)?;
        let mut text = Vec::new();
        let unpacked = packed::unpacker(full.as_slice())
            .and_then(|unpacked| unpacked.take(MAX_OCTETS).read_to_end(&mut text));
        let wrong = |why: String| {
            Err(PublishError::Refused(format!("the list of release {serial} is damaged: {why}")))
        };
        match unpacked {
            Err(error) => wrong(error.to_string()),
            Ok(_) if blake3::hash(&text).to_hex().as_str() != manifest.list_digest => {
                wrong("it has another digest than was signed".into())
            }
            Ok(_) => Ok(Self { manifest, text }),
        }
    }

    /// The release compiled, with the notes of its sources.
    ///
    /// # Errors
    ///
    /// [`PublishError`].
    pub fn pack(&self, repository: &Repository) -> Result<Arc<Pack>, PublishError> {
        let refused = |why: String| {
            let serial = self.manifest.serial;
            PublishError::Refused(format!("release {serial} cannot be compiled: {why}"))
        };
        let notes: Vec<SourceNote> = match self.data(repository, NOTES)? {
            Some(octets) => {
                serde_json::from_slice(&octets).map_err(|error| refused(error.to_string()))?
            }
            None => Vec::new(),
        };
        compiled(&self.text, &notes).map_err(refused)
    }

    /// A data file; `None` where the release has none of that name.
    ///
    /// # Errors
    ///
    /// [`PublishError`].
    pub fn data(
        &self,
        repository: &Repository,
        file: &str,
    ) -> Result<Option<Vec<u8>>, PublishError> {
        let Some(target) = self.manifest.data.get(file) else { return Ok(None) };
        repository.target(&RoleType::Targets.to_string(), target)
    }

    /// The data files that the gate goes on with.
    ///
    /// # Errors
    ///
    /// [`PublishError`].
    pub fn gate_files(&self, repository: &Repository) -> Result<GateFiles, PublishError> {
        let refused = |file: &str, why: String| {
            let serial = self.manifest.serial;
            PublishError::Refused(format!("{file} of release {serial}: {why}"))
        };
        let mut files = GateFiles::default();
        if let Some(octets) = self.data(repository, ledger::FILE)? {
            files.ledger =
                Ledger::parse(&octets).map_err(|e| refused(ledger::FILE, e.to_string()))?;
        }
        if let Some(octets) = self.data(repository, ages::FILE)? {
            files.ages = SourceAges::parse(&octets).map_err(|why| refused(ages::FILE, why))?;
        }
        Ok(files)
    }
}

/// The pack of a canonical list.
pub(super) fn compiled(text: &[u8], notes: &[SourceNote]) -> Result<Arc<Pack>, String> {
    let out = Cursor::new(Vec::new());
    let (out, _) =
        compile_noted(text, MAX_OCTETS, notes, out).map_err(|error| error.to_string())?;
    let pack = Pack::verify(Arc::new(out.into_inner())).map_err(|error| error.to_string())?;
    Ok(Arc::new(pack))
}
