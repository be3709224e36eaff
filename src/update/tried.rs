//! A release on trial: the first ten minutes of its use.
//!
//! Law: a gateway that dies twice in them goes back by itself at its next start, and does not take
//! that release again. A planned end is no death, nor is a start that fails once there is a policy.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tracing::error;

use super::error::UpdateError;
use super::store::{Mark, RejectedRelease, ReleaseStore, failed};
use crate::load::release::Generation;
use crate::metrics::labels::UpdateRefusal;
use crate::sys::clock::system_time;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The fault of a release that is tried.
#[derive(Debug)]
pub enum TrialFault {
    /// The config of this gateway is at fault, with whatever release.
    Config(String),
    /// No policy can be made of it.
    Policy(String),
    /// It blocks so many names that no list may block by mistake.
    Rehearsal(usize),
    /// The policy fails the self-test.
    SelfTest(String),
}

/// Makes a policy of the generation in a directory, and tests it.
pub type TrialHook = Box<dyn Fn(&Path) -> Result<(), TrialFault> + Send + Sync>;

/// The file of the trial, in the store.
const TRYING: &str = "trying.json";
/// Deaths after which a release is given up.
const MOST_DEATHS: u32 = 2;

/// The release on trial, and the lives that began with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trying {
    number: u64,
    serial: u64,
    /// Lives that have begun and not ended as planned.
    lives: u32,
}

fn trying(store: &ReleaseStore) -> Option<Trying> {
    let text = read::octets(&store.path().join(TRYING), read::MAX_TEXT).ok()?;
    serde_json::from_slice(&text).ok()
}

fn write(store: &ReleaseStore, trying: &Trying) -> Result<(), UpdateError> {
    let text = serde_json::to_vec(trying).unwrap_or_default();
    let written = store.dir().replace(TRYING, &text);
    written.map_err(|error| failed(&store.path().join(TRYING), error))
}

/// Puts a generation on trial; a life that serves is the first of it, and that of a command is none.
pub(super) fn begin(
    store: &ReleaseStore,
    generation: &Generation,
    is_serving: bool,
) -> Result<(), UpdateError> {
    let Generation { number, serial, .. } = *generation;
    write(store, &Trying { number, serial, lives: u32::from(is_serving) })
}

/// Ends the trial: the release stays, or was given up.
pub(super) fn end(store: &ReleaseStore) {
    let _ = std::fs::remove_file(store.path().join(TRYING));
}

/// The generation that is on trial.
pub(super) fn number(store: &ReleaseStore) -> Option<u64> {
    trying(store).map(|trying| trying.number)
}

/// Begins a life of the gateway, before any release is read: goes back where the release on trial
/// has ended two of them.
pub fn begin_life(state: &StateDir) {
    if !read::is_directory(&state.join(crate::load::release::RELEASES)) {
        return;
    }
    let began = ReleaseStore::open(state).and_then(|store| begin_life_with(&store));
    if let Err(error) = began {
        error!("the release on trial cannot be judged: {error}");
    }
}

fn begin_life_with(store: &ReleaseStore) -> Result<(), UpdateError> {
    let lock = store.lock()?;
    let Some(mut trying) = trying(store) else { return Ok(()) };
    let current = store.current();
    if current.as_ref().is_none_or(|current| current.number != trying.number) {
        // A power cut came between the trial and the pointer.
        end(store);
        return Ok(());
    }
    if trying.lives < MOST_DEATHS {
        trying.lives += 1;
        return write(store, &trying);
    }
    let why = format!("the gateway died {MOST_DEATHS} times within minutes of its adoption");
    error!("release {} is given up: {why}; the release before is in use", trying.serial);
    let rejected = RejectedRelease {
        serial: trying.serial,
        reason: UpdateRefusal::Died.id().to_owned(),
        why,
        at: system_time(),
    };
    let mark = Mark { rejected: Some(rejected), ..store.mark()? };
    store.leave(&lock, trying.serial, &mark)?;
    end(store);
    Ok(())
}

/// Ends a life as planned.
pub fn end_life(state: &StateDir) {
    if !read::is_directory(&state.join(crate::load::release::RELEASES)) {
        return;
    }
    let Ok(store) = ReleaseStore::open(state) else { return };
    if let Some(trying) = trying(&store) {
        let lives = trying.lives.saturating_sub(1);
        let _ = write(&store, &Trying { lives, ..trying });
    }
}
