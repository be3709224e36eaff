//! The update client of one gateway: one attempt after another, and what is told of them.
//!
//! ```text
//! update(carrier) ▶ lock ▶ open ▶ take ▶ trial (policy, self-test) ▶ pointer ▶ adopt ▶ ten minutes on trial
//!                └ urgent    └ refused: counted by reason      └ fails: back, and not tried again
//! ```

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tough::Transport;
use tracing::{error, info, warn};

use super::carrier::Directory;
use super::content::is_usable;
use super::emergency::{self, UrgentHooks};
use super::enrolment::enrolled;
use super::error::UpdateError;
use super::status::{ChosenProgram, ServerStatus, UpdateStatus, UpgradeRecord, is_held};
use super::store::{Mark, RejectedRelease, ReleaseStore, StoreLock};
use super::take::{self, TakenRelease, TrustedRepository, UpdateRequest, take};
use super::tried::{self, TrialFault, TrialHook};
use crate::config::{Config, UpdateSettings};
use crate::lang::Lang;
use crate::load::release::Generation;
use crate::metrics::labels::{UpdateRefusal, UpdateRole};
use crate::metrics::{Sample, families};
use crate::release::report::{GatewayReport, ReportedState};
use crate::release::rollout::KnownTime;
use crate::sys::clock::system_time;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The most octets of an enrolled root.
const MAX_ROOT: u64 = 1 << 20;

/// What the gateway does for its update client.
pub struct UpdateHooks {
    /// Whether this process serves: its death within minutes of an adoption counts against a release.
    pub is_serving: bool,
    /// The time, as far as it is known.
    pub time: Box<dyn Fn() -> KnownTime + Send + Sync>,
    /// Makes a policy of the generation in a directory, and tests it; nothing is put in force.
    pub trial: TrialHook,
    /// Puts the generation in use in force, and tests what is in force then.
    pub adopt: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// The same for emergency lists.
    pub urgent: UrgentHooks,
}

/// The update client.
pub struct Updates {
    settings: UpdateSettings,
    school: String,
    /// The box, as it was enrolled; empty without an enrolment.
    unit: String,
    lang: Lang,
    store: ReleaseStore,
    hooks: UpdateHooks,
    told: Mutex<Told>,
}

/// What is told of the attempts of this process.
#[derive(Debug, Default)]
struct Told {
    refused: [u64; UpdateRefusal::COUNT],
    last_attempt: u64,
    last_success: u64,
    ring: String,
    refusal: Option<(UpdateRefusal, String)>,
    expires: Vec<(&'static str, u64)>,
    program: Option<ChosenProgram>,
    /// Emergency lists that were refused, by reason.
    urgent_refused: [u64; UpdateRefusal::COUNT],
    /// How each server did, by its URL: the reason of a failure, and the same for people.
    servers: BTreeMap<String, (Option<&'static str>, Option<String>)>,
}

impl Updates {
    /// The client of a config; `None` where it names no root, or nothing can be stored.
    ///
    /// # Errors
    ///
    /// [`UpdateError::File`].
    pub fn open(
        config: &Config,
        state: Option<&StateDir>,
        hooks: UpdateHooks,
    ) -> Result<Option<Self>, UpdateError> {
        let (Some(_), Some(state)) = (&config.update.root, state) else { return Ok(None) };
        Ok(Some(Self {
            settings: config.update.clone(),
            school: config.school.id.clone(),
            unit: enrolled(state.path()).map(|one| one.unit).unwrap_or_default(),
            lang: config.school.lang,
            store: ReleaseStore::open(state)?,
            hooks,
            told: Mutex::default(),
        }))
    }

    /// The settings.
    pub fn settings(&self) -> &UpdateSettings {
        &self.settings
    }

    /// One attempt with a repository; the generation that came in use, if it is a new one.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]; what was in force stays.
    pub async fn update(
        &self,
        carrier: impl Transport + Clone + 'static,
    ) -> Result<Option<Generation>, UpdateError> {
        let ended = self.attempt(carrier).await;
        self.note(ended.as_ref().map(drop));
        ended
    }

    /// The same with a repository in a directory, on this thread.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]; what was in force stays.
    pub fn update_from(&self, directory: PathBuf) -> Result<Option<Generation>, UpdateError> {
        self.wait_for(self.update(Directory(directory)))
    }

    /// What the gateway says of itself to the department's server.
    pub(super) fn report(&self) -> GatewayReport {
        let UpdateStatus { release, ring, reason, program, upgrade, .. } = self.status();
        let refused = program
            .zip(upgrade)
            .is_some_and(|(program, record)| record.refusal(&program.sha256).is_some());
        let word = |text: String| if text.is_empty() { "-".to_owned() } else { text };
        GatewayReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            school: word(self.school.clone()),
            box_id: word(self.unit.clone()),
            release,
            ring: word(ring),
            state: match reason {
                None if refused => ReportedState::Rejected("upgrade".to_owned()),
                None => ReportedState::Ok,
                Some(reason) if is_held(&reason) => ReportedState::Held,
                Some(reason) => ReportedState::Rejected(reason),
            },
        }
    }

    fn wait_for<T>(
        &self,
        work: impl Future<Output = Result<T, UpdateError>>,
    ) -> Result<T, UpdateError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let failed = |error| UpdateError::File { path: self.store.path().to_owned(), error };
        runtime.map_err(failed)?.block_on(work)
    }

    /// One attempt, which is not noted.
    pub(super) async fn attempt(
        &self,
        carrier: impl Transport + Clone + 'static,
    ) -> Result<Option<Generation>, UpdateError> {
        let root = self.settings.root.clone().unwrap_or_default();
        let enrolled = read::octets(&root, MAX_ROOT);
        let enrolled = enrolled.map_err(|error| UpdateError::Enrolled { path: root, error })?;
        let time = (self.hooks.time)();
        let request = UpdateRequest { enrolled: &enrolled, school: &self.school, time };
        let opened = match self.store.lock() {
            Ok(lock) => take::open(carrier.clone(), &self.store, &lock, &request)
                .await
                .map(|opened| (lock, opened)),
            Err(error) => Err(error),
        };
        let (lock, opened) = match opened {
            Err(error) if error.refusal() == UpdateRefusal::Disk => {
                // An order waits for no disk.
                self.follow_urgent_unstored(carrier, &request).await;
                return Err(error);
            }
            opened => opened?,
        };
        let urgent = self.follow_urgent(&lock, &opened, time).await;
        let program = take::program(&opened, &self.store, &request).await;
        self.told().program = program.as_ref().ok().cloned().flatten();
        let taken = take(opened, &self.store, &lock, &request).await;
        let TakenRelease { ring, generation, seen, expires } = match taken {
            Ok(taken) => taken,
            Err(error) => {
                self.reject(&lock, &error, &self.store.mark().unwrap_or_default());
                return Err(error);
            }
        };
        {
            let mut told = self.told();
            told.ring = ring;
            told.expires = expires;
        }
        let generation = match generation {
            None => self.store.raise(&lock, &seen).map(|()| None)?,
            Some(generation) => self.put_in_use(&lock, generation, &seen).map(Some)?,
        };
        // Told last: no fault of it stops a release, and no attempt without it ended well.
        urgent.and(program.map(drop)).map(|()| generation)
    }

    /// Takes the emergency list, whatever becomes of the release; what is refused is counted.
    async fn follow_urgent(
        &self,
        lock: &StoreLock,
        opened: &TrustedRepository,
        time: KnownTime,
    ) -> Result<(), UpdateError> {
        let (place, hooks) = ((&self.store, lock), (&self.hooks.urgent, time));
        let ended = emergency::follow(&opened.trusted, place, hooks).await;
        // Whatever becomes of the release: an older emergency list is refused from now on.
        let ended = ended.and_then(|()| self.store.raise(lock, &opened.seen));
        ended.map_err(|error| {
            self.count_urgent(error.refusal());
            UpdateError::Urgent(Box::new(error))
        })
    }

    /// Puts the emergency list in force where the state directory takes nothing: it acts for the life
    /// of the process.
    async fn follow_urgent_unstored(
        &self,
        carrier: impl Transport + 'static,
        request: &UpdateRequest<'_>,
    ) {
        let hooks = (&self.hooks.urgent, request.time);
        match emergency::follow_unstored(carrier, &self.store, request, hooks).await {
            Ok(false) => {}
            Ok(true) => self.count_urgent(UpdateRefusal::Disk),
            Err(error) => {
                warn!("nothing can be stored, and no emergency list is taken: {error}");
                self.count_urgent(error.refusal());
            }
        }
    }

    fn count_urgent(&self, refusal: UpdateRefusal) {
        if let Some(count) = self.told().urgent_refused.get_mut(refusal.index()) {
            *count += 1;
        }
    }

    /// Tries a generation, and puts it in use.
    fn put_in_use(
        &self,
        lock: &StoreLock,
        generation: Generation,
        seen: &Mark,
    ) -> Result<Generation, UpdateError> {
        let serial = generation.serial;
        let directory = self.store.directory(&generation);
        // A disk that fails for a moment is no fault of the release.
        let tried = match (self.hooks.trial)(&directory) {
            Err(TrialFault::Policy(_)) => (self.hooks.trial)(&directory),
            ended => ended,
        };
        let tried = tried.map_err(|fault| match fault {
            TrialFault::Config(why) => UpdateError::Config(why),
            TrialFault::Policy(why) if !is_usable(&directory) => {
                UpdateError::File { path: directory, error: io::Error::other(why) }
            }
            TrialFault::Policy(why) => UpdateError::Policy { serial, why },
            TrialFault::Rehearsal(names) => UpdateError::Rehearsal { serial, names },
            TrialFault::SelfTest(why) => UpdateError::SelfTest { serial, why },
        });
        if let Err(error) = tried {
            self.store.discard(lock, &generation);
            self.reject(lock, &error, seen);
            return Err(error);
        }
        let seen = Mark { rejected: None, ..seen.clone() };
        let adopted = tried::begin(&self.store, &generation, self.hooks.is_serving)
            .and_then(|()| self.store.adopt(lock, &generation, &seen));
        if let Err(error) = adopted {
            self.store.discard(lock, &generation);
            return Err(error);
        }
        if let Err(why) = (self.hooks.adopt)() {
            let error = UpdateError::SelfTest { serial, why };
            self.give_up(lock, &error);
            return Err(error);
        }
        info!(release = serial, "a new release is in use");
        Ok(generation)
    }

    /// Goes back from the release in use, which is not tried again.
    fn give_up(&self, lock: &StoreLock, fault: &UpdateError) {
        let Some(serial) = fault.serial() else { return };
        error!("going back from release {serial}: {fault}");
        let mark = Mark { rejected: rejected(fault), ..self.store.mark().unwrap_or_default() };
        tried::end(&self.store);
        let left = self.store.leave(lock, serial, &mark).map_err(|error| error.to_string());
        if let Err(error) = left.and_then(|()| (self.hooks.adopt)()) {
            error!("the release before cannot be put in force: {error}");
        }
    }

    /// Remembers a release that is at fault.
    fn reject(&self, lock: &StoreLock, fault: &UpdateError, seen: &Mark) {
        let Some(rejected) = rejected(fault) else { return };
        let mark = Mark { rejected: Some(rejected), ..seen.clone() };
        if let Err(error) = self.store.raise(lock, &mark) {
            warn!("the rejected release cannot be remembered: {error}");
        }
    }

    /// The generation that is on trial.
    pub fn on_trial(&self) -> Option<u64> {
        tried::number(&self.store)
    }

    /// Ends the trial of the release in use: it stays.
    pub fn end_trial(&self) {
        tried::end(&self.store);
    }

    /// Goes back to a release that is kept, or to the one before.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]; what was in force stays.
    pub fn back(&self, to: Option<u64>) -> Result<Generation, UpdateError> {
        let lock = self.store.lock()?;
        let left = self.store.current().map(|current| current.serial);
        let (generation, _) = self.store.again(&lock, to)?;
        let mut seen = self.store.mark()?;
        let generation = self.put_in_use(&lock, generation, &seen)?;
        // The release that was left would be taken again at the next poll.
        if let Some(serial) = left.filter(|left| *left > generation.serial) {
            let why = "somebody went back from it by hand".to_owned();
            let reason = UpdateRefusal::Rollback.id().to_owned();
            seen.rejected = Some(RejectedRelease { serial, reason, why, at: system_time() });
            self.store.raise(&lock, &seen)?;
        }
        Ok(generation)
    }

    /// Forgets that a release was rejected; its number, if one was.
    ///
    /// # Errors
    ///
    /// [`UpdateError`].
    pub fn accept(&self) -> Result<Option<u64>, UpdateError> {
        let lock = self.store.lock()?;
        let mark = self.store.mark()?;
        let serial = mark.rejected.as_ref().map(|one| one.serial);
        self.store.raise(&lock, &Mark { rejected: None, ..mark })?;
        self.told().refusal = None;
        Ok(serial)
    }

    /// Notes the end of an attempt.
    pub(super) fn note(&self, ended: Result<(), &UpdateError>) {
        let Err(error) = ended else {
            let mut told = self.told();
            told.last_attempt = system_time();
            told.last_success = told.last_attempt;
            told.refusal = None;
            return;
        };
        let why = self.count(error);
        let is_new = self.told().refusal.as_ref().is_none_or(|(_, known)| *known != why);
        if is_new {
            warn!(reason = error.reason(), "no update: {why}");
        }
        self.note_unreached(error);
    }

    /// Notes the end of a poll by no server, each of which was noted.
    pub(super) fn note_unreached(&self, error: &UpdateError) {
        let why = self.say(error);
        let mut told = self.told();
        told.last_attempt = system_time();
        told.refusal = Some((error.refusal(), why));
    }

    /// Notes how a server did; the same failure is logged once.
    pub(super) fn note_server(&self, url: &str, failure: Option<&UpdateError>) {
        let why = failure.map(|error| self.count(error));
        let reason = failure.map(UpdateError::reason);
        let mut told = self.told();
        let known = told.servers.insert(url.to_owned(), (reason, why.clone()));
        if let (Some(reason), Some(why)) = (reason, &why)
            && known.is_none_or(|(_, known)| known.as_ref() != Some(why))
        {
            warn!(server = url, reason, "no update from it: {why}");
        }
    }

    /// Counts a refusal; what is said of it.
    fn count(&self, error: &UpdateError) -> String {
        let mut told = self.told();
        if let Some(count) = told.refused.get_mut(error.refusal().index()) {
            *count += 1;
        }
        self.say(error)
    }

    /// A refusal in the language of the school, with the fault itself.
    pub fn say(&self, error: &UpdateError) -> String {
        format!("{} ({error})", error.message().in_lang(self.lang))
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, for people and for the department.
    pub fn status(&self) -> UpdateStatus {
        let current = self.store.current();
        let rejected = self.store.mark().ok().and_then(|mark| mark.rejected);
        let told = self.told();
        let ring = current.as_ref().map(|one| one.ring.clone()).filter(|_| told.ring.is_empty());
        let own =
            told.refusal.as_ref().map(|(refusal, why)| (refusal.id().to_owned(), why.clone()));
        let refusal = own.or_else(|| rejected.map(|one| (one.reason, one.why)));
        let (reason, why) = refusal.unzip();
        let server = |(url, (reason, why)): (&String, &(Option<&str>, Option<String>))| {
            ServerStatus { url: url.clone(), reason: reason.map(Into::into), why: why.clone() }
        };
        UpdateStatus {
            release: current.map_or(0, |one| one.serial),
            ring: ring.unwrap_or_else(|| told.ring.clone()),
            last_attempt: told.last_attempt,
            last_success: told.last_success,
            state: match &reason {
                None => "ok",
                Some(reason) if is_held(reason) => "held",
                Some(_) => "rejected",
            }
            .to_owned(),
            reason,
            why,
            kept: self.store.generations().iter().map(|one| one.serial).collect(),
            emergency: (self.hooks.urgent.version)(),
            program: told.program.clone(),
            upgrade: UpgradeRecord::beside(&self.store.state),
            servers: told.servers.iter().map(server).collect(),
        }
    }

    /// Release, refusals by reason, dates.
    pub fn samples(&self) -> Vec<Sample> {
        let current = self.store.current();
        let release = current.as_ref().map_or(0, |one| one.serial);
        let is_checked = current.as_ref().is_some_and(|one| one.is_digest_checked);
        let told = self.told();
        let now = system_time();
        let counts = |of: [u64; UpdateRefusal::COUNT]| UpdateRefusal::ALL.into_iter().zip(of);
        let of_updates = counts(told.refused)
            .map(|(one, count)| families::UPDATES_REJECTED.sample((one,), count));
        let of_urgent = counts(told.urgent_refused)
            .map(|(one, count)| families::EMERGENCY_REJECTED.sample((one,), count));
        let mut samples: Vec<Sample> = of_updates.chain(of_urgent).collect();
        samples.extend([
            families::RELEASE.sample((), release as f64),
            families::PACK_DIGEST_CHECKED.flag((), is_checked),
            families::ROLLBACK_MEMORY_LOST.flag((), self.store.is_memory_lost()),
            families::UPDATE_LAST_SUCCESS.sample((), told.last_success as f64),
        ]);
        let program = told.program.as_ref().map(|one| one.version.as_str().into());
        samples.extend(program.map(|version| families::PROGRAM_CHOSEN.flag((version,), true)));
        let upgrades = UpgradeRecord::beside(&self.store.state);
        samples.extend(upgrades.iter().flat_map(UpgradeRecord::samples));
        samples.extend(told.expires.iter().filter_map(|(role, at)| {
            let role = UpdateRole::ALL.into_iter().find(|one| one.id() == *role)?;
            Some(families::METADATA_EXPIRY.sample((role,), *at as f64 - now as f64))
        }));
        samples
    }
}

/// The rejection of a release that is at fault.
fn rejected(fault: &UpdateError) -> Option<RejectedRelease> {
    let serial = fault.serial()?;
    let reason = fault.reason().to_owned();
    Some(RejectedRelease { serial, reason, why: fault.to_string(), at: system_time() })
}
