//! Sealed months: made once, a day after the end of the month, and never again.
//!
//! Law: a document that is sealed is never replaced; a record that says otherwise later is told.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info};

use super::document::{Attestation, MAX_OCTETS, SignedAttestation};
use super::make::{AttestingBox, MakeError};
use super::verify::parse;
use crate::digest::sha256;
use crate::evidence::month::LocalMonth;
use crate::evidence::record::MonthRecord;
use crate::evidence::{self, DIRECTORY};
use crate::load::in_force::Current;
use crate::policy::group::time::{Now, Trust};
use crate::sys::os::step_aside;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// That of sealed months, in it.
const SEALED: &str = "attested";
/// The wait after the end of a month, in seconds: what came late is in its record then.
const WAIT: u64 = 86_400;
/// The most months that are looked at: more than eleven years.
const MOST: usize = 150;

/// The interval at which months that are over are looked for.
const LOOK: Duration = Duration::from_secs(600);

/// Starts the thread that seals what is due, while the clock can be trusted; it ends with the process.
pub fn start(current: Arc<Current>, state: StateDir, now: impl Fn() -> Now + Send + 'static) {
    let thread = std::thread::Builder::new().name("lachan-seal".into());
    let work = move || {
        step_aside();
        loop {
            let now = now();
            if now.trust != Trust::Untrusted {
                seal(&current, &state, now.civil);
            }
            std::thread::sleep(LOOK);
        }
    };
    if let Err(fault) = thread.spawn(work) {
        error!("no thread `lachan-seal`: {fault}");
    }
}

fn seal(current: &Current, state: &StateDir, civil: u64) {
    let in_force = current.in_force();
    let school = &in_force.config().school;
    let zone = school.zone();
    let from = AttestingBox { state, roles: &school.roles, zone: &zone };
    match from.seal_due(civil) {
        Ok(months) => months.iter().for_each(|month| info!("sealed the record of {month}")),
        Err(fault) => error!(
            "a month that is over cannot be sealed: {fault}; it is tried again each ten minutes: look at the disk \
             or the mount, and at the owner of what is there"
        ),
    }
}

/// An error with its place.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The months that a directory has files of, in order; none where it is not there.
fn months(directory: &Path) -> io::Result<Vec<String>> {
    let files = read::directory_if_any(directory).map_err(|error| at(directory, &error))?;
    let month = |path: &Path| {
        let stem = path.file_name()?.to_str()?.strip_suffix(".json")?;
        stem.parse::<LocalMonth>().ok().map(|month| month.to_string())
    };
    let mut months: Vec<String> = files.iter().filter_map(|(path, _)| month(path)).collect();
    months.sort_unstable();
    let first = months.len().saturating_sub(MOST);
    Ok(months.split_off(first))
}

impl AttestingBox<'_> {
    fn sealed_directory(&self) -> PathBuf {
        self.state.join(DIRECTORY).join(SEALED)
    }

    /// The record of a month; none where there is none that can be read.
    pub fn record(&self, month: &str) -> Option<MonthRecord> {
        evidence::record(self.state.path(), month.parse().ok()?)
    }

    /// The months of a year that have a record or are sealed.
    pub fn months_of(&self, year: &str) -> Vec<String> {
        let mut found = months(&self.state.join(DIRECTORY)).unwrap_or_default();
        found.extend(months(&self.sealed_directory()).unwrap_or_default());
        found.retain(|month| month.split('-').next() == Some(year));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The sealed document of a month, and its octets.
    pub fn sealed(&self, month: &str) -> Option<(SignedAttestation, Vec<u8>)> {
        let path = self.sealed_directory().join(format!("{month}.json"));
        let octets = read::octets(&path, MAX_OCTETS as u64).ok()?;
        Some((parse(&octets).ok()?, octets))
    }

    /// The digest of the newest sealed month before a month; empty where there is none.
    ///
    /// # Errors
    ///
    /// That it cannot be read now: it is not none then.
    fn digest_before(&self, month: &str) -> io::Result<String> {
        let sealed = months(&self.sealed_directory())?;
        let Some(before) = sealed.iter().rfind(|one| one.as_str() < month) else {
            return Ok(String::new());
        };
        let path = self.sealed_directory().join(format!("{before}.json"));
        let octets = read::octets(&path, MAX_OCTETS as u64).map_err(|error| at(&path, &error))?;
        Ok(sha256(&octets))
    }

    /// The document of a month: the sealed one, or one that is made now; none without a record.
    ///
    /// # Errors
    ///
    /// [`MakeError`].
    pub fn attest(&self, month: &str, civil: u64) -> Result<Option<SignedAttestation>, MakeError> {
        if let Some((document, _)) = self.sealed(month) {
            return Ok(Some(document));
        }
        let Some(record) = self.record(month) else { return Ok(None) };
        self.make(&record, &self.digest_before(month)?, civil).map(Some)
    }

    /// Whether the record of a sealed month says otherwise now than when it was sealed.
    pub fn was_changed(&self, sealed: &Attestation) -> bool {
        let Some(record) = self.record(&sealed.month) else { return false };
        let MonthRecord { enforcement, gaps, releases, self_test, reviews, orders, .. } = record;
        (enforcement, gaps, releases, self_test, reviews, orders)
            != (
                sealed.enforcement.clone(),
                sealed.gaps.clone(),
                sealed.releases.clone(),
                sealed.self_test.clone(),
                sealed.reviews,
                sealed.orders.clone(),
            )
    }

    /// Seals the months that are over for a day, the oldest first; those that were sealed.
    ///
    /// # Errors
    ///
    /// [`MakeError`]; months before the one that failed are sealed.
    pub fn seal_due(&self, civil: u64) -> Result<Vec<String>, MakeError> {
        // Where they cannot be read nothing is known to be unsealed.
        let sealed = months(&self.sealed_directory())?;
        let mut done = Vec::new();
        for month in months(&self.state.join(DIRECTORY))? {
            let Ok(known) = month.parse::<LocalMonth>() else { continue };
            let is_due = civil >= known.end(self.zone) + WAIT;
            // Behind a sealed month none is put in, and none is sealed again.
            let is_next = sealed.last().is_none_or(|last| *last < month);
            if !is_due || !is_next {
                continue;
            }
            // One that cannot be read now is waited for: behind a later one it would never be sealed.
            let record = evidence::readable_record(self.state.path(), known)?;
            let Some(record) = record else { continue };
            let document = self.make(&record, &self.digest_before(&month)?, civil)?;
            let directory = self.state.subdirectory(DIRECTORY).map_err(io::Error::other)?;
            let directory = directory.subdirectory(SEALED).map_err(io::Error::other)?;
            let (name, octets) = (format!("{month}.json"), document.octets()?);
            let created = directory.create(&name, &octets);
            created.map_err(|error| at(&directory.join(&name), &error))?;
            done.push(month);
        }
        Ok(done)
    }
}
