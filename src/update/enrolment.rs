//! Enrolment on the gateway: what the department gave, and the key of the box.
//!
//! ```text
//! STATE/enrolment/root.json        the root that was enrolled
//! STATE/enrolment/box.key(.pub)    the key that only this box has; 0600
//! STATE/enrolment/enrolment.json   written last: with it the box is enrolled
//! ```
//!
//! Laws: a root whose fingerprint is another one is refused, and nothing is written; what is enrolled
//! is changed only where that is asked for; the memory of one repository is never taken for that of
//! another. A new memory begins only where nothing is left of the old one, and anew is asked for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tough::schema::key::Key;
use tough::schema::{Root, Signed};
use tracing::warn;

use super::error::UpdateError;
use super::store::ReleaseStore;
use crate::digest::{hex, sha256};
use crate::load::release::RELEASES;
use crate::publish::trust::keys::{KeyError, SigningKey, public_path};
use crate::release::enrolment::{Enrolment, EnrolmentError, EnrolmentReply};
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The directory below the state directory.
pub const DIRECTORY: &str = "enrolment";
const ROOT: &str = "root.json";
/// The key of the box, in it.
pub const KEY: &str = "box.key";
const NEW_KEY: &str = "new.key";
const DOCUMENT: &str = "enrolment.json";
/// The memory of the repository that releases came from.
const MEMORY: &str = "releases/mark.json";

/// Why a box was not enrolled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrolError {
    /// The document, or its root.
    #[error(transparent)]
    Document(#[from] EnrolmentError),
    /// The root is no root, or too few of its own keys signed it.
    #[error("the root is not signed by its own keys: {0}")]
    Root(String),
    /// The box is enrolled otherwise.
    #[error("this box is enrolled as `{unit}` of `{school}`, with the root {fingerprint}")]
    Enrolled {
        /// The school.
        school: String,
        /// The box.
        unit: String,
        /// The root.
        fingerprint: String,
    },
    /// Releases of another repository are in use.
    #[error("releases of the root {0} are in use")]
    InUse(String),
    /// The memory of releases.
    #[error(transparent)]
    Memory(#[from] Box<UpdateError>),
    /// The key of the box.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file of the state directory.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
}

/// What a box is enrolled with; none where it is not.
pub fn enrolled(state: &Path) -> Option<Enrolment> {
    let text = read::text(&state.join(DIRECTORY).join(DOCUMENT)).ok()?;
    serde_json::from_str(&text).ok()
}

/// The place of the enrolled root.
pub fn root(state: &Path) -> PathBuf {
    state.join(DIRECTORY).join(ROOT)
}

/// The files that an enrolment makes, those of a key that was not finished included.
pub fn files_made(state: &Path) -> [PathBuf; 6] {
    let directory = state.join(DIRECTORY);
    let [new, key] = [NEW_KEY, KEY].map(|name| directory.join(name));
    let [new_public, public] = [&new, &key].map(|path| public_path(path));
    [directory.join(ROOT), new, new_public, key, public, directory.join(DOCUMENT)]
}

/// Enrols this box; `told` is the fingerprint that came another way. With `anew` another enrolment
/// and its key are given up. The same document again gives the same reply.
///
/// # Errors
///
/// [`EnrolError`]; what was enrolled holds then.
pub fn enrol(
    state: &StateDir,
    document: &Enrolment,
    told: Option<&str>,
    anew: bool,
) -> Result<EnrolmentReply, EnrolError> {
    let found = fingerprint_of(document.root.as_bytes());
    document.judge_root(&found, told)?;
    let root: Signed<Root> = serde_json::from_str(&document.root)
        .map_err(|error| EnrolError::Root(error.to_string()))?;
    root.signed.verify_role(&root).map_err(|error| EnrolError::Root(error.to_string()))?;
    let before = enrolled(state.path());
    let place = state.join(DIRECTORY).join(KEY);
    if let Some(before) = &before {
        let Enrolment { school, unit, fingerprint, .. } = before.clone();
        let is_other_root = fingerprint != document.fingerprint;
        if !anew && (is_other_root || school != document.school || unit != document.unit) {
            return Err(EnrolError::Enrolled { school, unit, fingerprint });
        }
        if is_other_root && state.join(MEMORY).exists() {
            return Err(EnrolError::InUse(fingerprint));
        }
    }
    if anew && state.join(RELEASES).is_dir() {
        let forgotten = ReleaseStore::open(state).and_then(|store| store.forget_lost());
        if forgotten.map_err(Box::new)? {
            warn!("what was seen of releases was lost: a new memory begins");
        }
    }
    let failed = |error| EnrolError::File { path: state.join(DIRECTORY), error };
    let directory =
        state.subdirectory(DIRECTORY).map_err(|error| failed(io::Error::other(error)))?;
    let key = if before.is_some() && !anew && place.exists() {
        SigningKey::read(&place)?
    } else {
        new_key(&directory)?
    };
    directory.replace(ROOT, document.root.as_bytes()).map_err(failed)?;
    let text = serde_json::to_vec_pretty(document).map_err(|error| failed(error.into()))?;
    directory.replace(DOCUMENT, &text).map_err(failed)?;
    let public = public_hex(&key.public()).ok_or(KeyError::NoKey { path: place })?;
    Ok(EnrolmentReply::new(document, public))
}

/// A new key in the place of the one before.
fn new_key(directory: &StateDir) -> Result<SigningKey, EnrolError> {
    let (new, place) = (directory.join(NEW_KEY), directory.join(KEY));
    // What an attempt that was cut off has left.
    let _ = fs::remove_file(&new);
    let key = SigningKey::make(&new)?;
    let failed = |error| EnrolError::File { path: place.clone(), error };
    fs::rename(public_path(&new), public_path(&place)).map_err(failed)?;
    fs::rename(&new, &place).map_err(failed)?;
    Ok(key)
}

/// SHA-256 of a root document, in hexadecimal.
pub fn fingerprint_of(root: &[u8]) -> String {
    sha256(root)
}

/// A public key as replies and `org.toml` have it; none of another kind.
pub fn public_hex(key: &Key) -> Option<String> {
    match key {
        Key::Ed25519 { keyval, .. } => Some(hex(&keyval.public)),
        _ => None,
    }
}
