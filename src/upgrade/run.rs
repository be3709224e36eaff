//! One run: what was cut off is ended, then the chosen program is rehearsed, installed, proved, or left.

use std::cmp::Ordering;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::runtime::Runtime;
use tracing::warn;

use super::decide::{UpgradeDecision, UpgradeFacts, decide};
use super::directory::{UpgradeDirectory, is_root};
use super::host::{self, DpkgState};
use super::packages::{InstallFault, Packages};
use super::rehearse::{ProgramRehearsal, RehearsalFault};
use super::served::{FailedRows, failing, new_failures, ready};
use super::signed::{SignedMemory, SignedPrograms, message_of};
use crate::lang::{Lang, Message, messages};
use crate::release::program::ProgramPackage;
use crate::sys::clock::system_time;
use crate::sys::command::deb;
use crate::update::status::{
    ChosenProgram, InstalledProgram, RejectedProgram, UpgradeAttempt, UpgradeRecord,
};

/// Time limit of a start: a slow box compiles a million names.
const START: Duration = Duration::from_secs(600);
/// Starts by itself after which a program is dead.
const MOST_RESTARTS: u64 = 3;
/// Installations that a power cut may end before the program counts as the cause.
const MOST_TIMES: u32 = 2;
/// The most refused packages that are remembered.
const MOST_REJECTED: usize = 16;

/// What a run is about.
#[derive(Debug)]
pub struct UpgradeSettings {
    /// The gateway's config file.
    pub config: PathBuf,
    /// Its state directory.
    pub state: PathBuf,
    /// Its admin address.
    pub admin: SocketAddr,
    /// The file of its token.
    pub token: PathBuf,
    /// The language of what is recorded.
    pub lang: Lang,
    /// Whether packages come by apt, and not from the repository.
    pub by_apt: bool,
    /// For how long a program must live after its installation.
    pub settle: Duration,
    /// Whether nothing may be changed.
    pub is_look: bool,
}

/// What a run came to.
#[derive(Debug)]
pub struct UpgradeEnd {
    /// What a script reads: `no_department`, `trusted`, `forgot`, `none_chosen`, `up_to_date`, `would_install`, `older`, `rejected_before`,
    /// `installed`, `refused`, `went_back`, `fault`.
    pub state: &'static str,
    /// The same for people.
    pub message: Message,
    /// Whether something is not as the department wants it.
    pub is_bad: bool,
}

impl UpgradeEnd {
    /// One that is as it should be.
    pub fn good(state: &'static str, message: Message) -> Self {
        Self { state, message, is_bad: false }
    }

    fn bad(state: &'static str, message: Message) -> Self {
        Self { state, message, is_bad: true }
    }

    /// What stopped a run, and is no fault of a program.
    pub fn fault(message: Message) -> Self {
        Self::bad("fault", message)
    }
}

/// Why an installed program does not stay.
enum ProofFault {
    /// Rows of the self-test that passed before.
    Rows(FailedRows, String),
    Other(String),
}

impl ProofFault {
    fn why(&self) -> &str {
        match self {
            Self::Rows(_, why) | Self::Other(why) => why,
        }
    }
}

/// Upgrades of one gateway.
pub struct Upgrader {
    settings: UpgradeSettings,
    dir: UpgradeDirectory,
    packages: Packages,
    record: UpgradeRecord,
}

impl Upgrader {
    /// The upgrades of a gateway, with what is recorded of them.
    ///
    /// # Errors
    ///
    /// The message of what stops it.
    pub fn open(settings: UpgradeSettings) -> Result<Self, Message> {
        if !settings.is_look && !is_root() {
            return Err(messages::upgrade_fault_root());
        }
        let dir = UpgradeDirectory::open(&settings.state, settings.is_look)?;
        let record = UpgradeDirectory::record(&settings.state)?;
        let packages = Packages::new(dir.clone(), settings.by_apt);
        Ok(Self { settings, dir, packages, record })
    }

    /// The memory of what was signed.
    ///
    /// # Errors
    ///
    /// The message of what stops it.
    pub fn memory(&self) -> Result<SignedMemory, Message> {
        self.dir.memory().map_err(message_of)
    }

    /// Forgets which packages were refused; their number.
    ///
    /// # Errors
    ///
    /// The message of what stops it.
    pub fn forget(&mut self) -> Result<usize, Message> {
        let count = self.record.rejected.len();
        self.record.rejected.clear();
        self.save()?;
        Ok(count)
    }

    /// Records how a run ended.
    ///
    /// # Errors
    ///
    /// The message of what stops it.
    pub fn note(&mut self, end: &UpgradeEnd) -> Result<(), Message> {
        let is_of_machine = matches!(end.state, "fault" | "older");
        self.record.fault = is_of_machine.then(|| end.message.in_lang(self.settings.lang));
        self.save()
    }

    fn save(&self) -> Result<(), Message> {
        self.dir.write(&self.record)
    }

    fn say(&self, message: &Message) -> String {
        message.in_lang(self.settings.lang)
    }

    /// Ends what a power cut has ended: none where nothing was cut off, or the old program is whole.
    ///
    /// # Errors
    ///
    /// The message of what stops it.
    pub fn recover(&mut self) -> Result<Option<UpgradeEnd>, Message> {
        let Some(mut state) = dpkg()? else { return Ok(None) };
        if self.settings.is_look || state.is_whole && self.record.attempt.is_none() {
            return Ok(None);
        }
        let mut why = String::new();
        if !state.is_whole {
            warn!("dpkg was cut off: it is ended now");
            why = host::configure().err().unwrap_or_default();
            state = dpkg()?.ok_or_else(messages::upgrade_fault_package)?;
        }
        let Some(attempt) = self.record.attempt.clone() else {
            let is_ended = if state.is_whole { Ok(None) } else { Err(()) };
            return is_ended.map_err(|()| messages::upgrade_fault_dpkg(why));
        };
        if !state.is_whole {
            // A cut is no fault of the program yet: the one before is whole again, and decides anew.
            let back = self.install_before(&attempt.from).and_then(|()| self.wait_ready());
            back.map_err(|error| messages::upgrade_fault_dpkg(format!("{why} {error}")))?;
            state = dpkg()?.ok_or_else(messages::upgrade_fault_package)?;
        }
        let is_new = state.version == attempt.program.version;
        if let Some(refusal) = self.record.refusal(&attempt.program.sha256).filter(|_| is_new) {
            let why = ProofFault::Other(refusal.why.clone());
            return self.go_back(&attempt, &why).map(Some);
        }
        if is_new {
            return self.conclude(&attempt).map(Some);
        }
        if state.version != attempt.from.version {
            self.record.attempt = None;
        } else if attempt.times >= MOST_TIMES {
            let why = self.say(&messages::upgrade_died(attempt.times));
            self.reject(&attempt.program, &why);
            self.record.attempt = None;
        }
        self.save().map(|()| None)
    }

    /// Decides by what people signed, and acts.
    ///
    /// # Errors
    ///
    /// The message of what stops it.
    pub fn run(
        &mut self,
        signed: &SignedPrograms,
        runtime: &Runtime,
    ) -> Result<UpgradeEnd, Message> {
        let state = dpkg()?.ok_or_else(messages::upgrade_fault_package)?;
        let (installed, unkept) = self.see(&state, signed, runtime);
        self.save()?;
        let order = match &signed.chosen {
            None => Ordering::Equal,
            Some(chosen) => host::compare(&chosen.version, &state.version)
                .map_err(messages::upgrade_fault_dpkg_asked)?,
        };
        let decision = decide(UpgradeFacts {
            installed: &state.version,
            is_signed: signed.of(&state.version).is_some(),
            was_signed: installed.sha256.is_some(),
            chosen: signed.chosen.as_ref(),
            order,
            rejected: &self.record.rejected,
        });
        let version = &state.version;
        let program = match decision {
            UpgradeDecision::NoneChosen => {
                let message = messages::upgrade_none_chosen(version);
                return Ok(UpgradeEnd::good("none_chosen", message));
            }
            UpgradeDecision::UpToDate => {
                return Ok(UpgradeEnd::good("up_to_date", messages::upgrade_up_to_date(version)));
            }
            UpgradeDecision::Older(program) => {
                let message = messages::upgrade_older(&program.version, version);
                return Ok(UpgradeEnd::bad("older", message));
            }
            UpgradeDecision::Rejected(one) => {
                let message = messages::upgrade_rejected_before(&one.version, &one.why);
                return Ok(UpgradeEnd::bad("rejected_before", message));
            }
            UpgradeDecision::Install(program) | UpgradeDecision::Back(program) => program.clone(),
        };
        if self.settings.is_look {
            let message = messages::upgrade_would(&program.version, version);
            return Ok(UpgradeEnd::good("would_install", message));
        }
        if let Some(why) = unkept.filter(|_| !self.packages.has(&installed)) {
            return Err(messages::upgrade_fault_way_back(&installed.version, why));
        }
        self.upgrade(&program, installed, signed, runtime)
    }

    /// Records what is installed, and fetches its package: the way back, or why there is none.
    fn see(
        &mut self,
        state: &DpkgState,
        signed: &SignedPrograms,
        runtime: &Runtime,
    ) -> (InstalledProgram, Option<Message>) {
        let version = state.version.clone();
        let program = signed.of(&version);
        let known = self.record.installed.take().filter(|one| one.version == version);
        let (sha256, at) = known.map_or((None, 0), |known| (known.sha256, known.at));
        let sha256 = program.as_ref().map(|one| one.sha256.clone()).or(sha256);
        let installed = InstalledProgram { version, sha256, at };
        self.record.installed = Some(installed.clone());
        let missing = program.filter(|_| !self.settings.is_look && !self.packages.has(&installed));
        let fetched = missing.map(|program| self.packages.fetch(&program, signed, runtime));
        let unkept = fetched.and_then(Result::err);
        if let Some(why) = &unkept {
            warn!("{}", self.say(why));
        }
        (installed, unkept)
    }

    /// Gives the package to dpkg that was installed before.
    fn install_before(&self, program: &InstalledProgram) -> Result<(), String> {
        let installed = self.packages.install(program);
        installed.map_err(|fault| fault.in_lang(self.settings.lang))
    }

    /// Rehearses and installs a program.
    fn upgrade(
        &mut self,
        program: &ChosenProgram,
        from: InstalledProgram,
        signed: &SignedPrograms,
        runtime: &Runtime,
    ) -> Result<UpgradeEnd, Message> {
        if !self.packages.has(&from) {
            return Err(messages::upgrade_fault_no_way_back(&from.version));
        }
        let before = self.before()?;
        let package = self.packages.fetch(program, signed, runtime)?;
        let rehearsed = deb::refuse_other(&package, &ProgramPackage::of_own(&program.version))
            .map_err(RehearsalFault::from)
            .and_then(|()| self.rehearse(&package, &before));
        match rehearsed {
            Ok(()) => {}
            Err(RehearsalFault::Both(why)) => return Err(messages::upgrade_fault_both(why)),
            Err(RehearsalFault::Machine(why)) => {
                return Err(messages::upgrade_fault_machine(why));
            }
            Err(RehearsalFault::Program(why)) => {
                self.reject(program, &why);
                self.save()?;
                let _ = fs::remove_file(&package);
                let message = messages::upgrade_refused(&program.version, &from.version, why);
                return Ok(UpgradeEnd::bad("refused", message));
            }
        }
        let again = self.record.attempt.take();
        let again = again.filter(|one| one.program.sha256 == program.sha256);
        let times = again.map_or(0, |one| one.times) + 1;
        let attempt = UpgradeAttempt { program: program.clone(), from, times, failing: before };
        self.record.attempt = Some(attempt.clone());
        self.save()?;
        let ChosenProgram { version, sha256, .. } = program.clone();
        let installed = InstalledProgram { version, sha256: Some(sha256), at: system_time() };
        let fault = match self.packages.install(&installed) {
            Ok(()) => return self.conclude(&attempt),
            Err(fault) => fault,
        };
        let is_there = |state: DpkgState| state.is_whole && state.version == attempt.from.version;
        let of_machine = match &fault {
            InstallFault::Changed(message) => Some(message.clone()),
            InstallFault::Machine(why) => Some(messages::upgrade_fault_machine(why)),
            InstallFault::Package(_) => None,
        };
        if let Some(message) = of_machine
            && dpkg()?.is_some_and(is_there)
        {
            self.record.attempt = None;
            self.save()?;
            return Err(message);
        }
        self.go_back(&attempt, &ProofFault::Other(fault.in_lang(self.settings.lang)))
    }

    /// Proves what was installed; it stays, or the one before comes back.
    fn conclude(&mut self, attempt: &UpgradeAttempt) -> Result<UpgradeEnd, Message> {
        if let Err(fault) = self.proved(&attempt.failing) {
            return self.go_back(attempt, &fault);
        }
        let ChosenProgram { version, sha256, .. } = attempt.program.clone();
        let message = messages::upgrade_done(&version, &attempt.from.version);
        let installed = InstalledProgram { version, sha256: Some(sha256), at: system_time() };
        self.record.installed = Some(installed);
        self.record.attempt = None;
        self.save()?;
        self.packages.sweep(&[&attempt.program.version, &attempt.from.version]);
        Ok(UpgradeEnd::good("installed", message))
    }

    /// Puts the package before in the place of one that failed, which is recorded first.
    fn go_back(
        &mut self,
        attempt: &UpgradeAttempt,
        fault: &ProofFault,
    ) -> Result<UpgradeEnd, Message> {
        let (version, before) = (&attempt.program.version, &attempt.from.version);
        let why = fault.why().to_owned();
        self.reject(&attempt.program, &why);
        self.save()?;
        let lost = |error: String| messages::upgrade_fault_lost(version, error);
        self.install_before(&attempt.from).map_err(lost)?;
        self.wait_ready().map_err(lost)?;
        self.record.installed = Some(attempt.from.clone());
        self.record.attempt = None;
        let own = failing(self.settings.admin, &self.settings.token).unwrap_or_default();
        let is_of_machine =
            matches!(fault, ProofFault::Rows(rows, _) if new_failures(rows, &own).is_none());
        if is_of_machine {
            self.record.rejected.retain(|one| one.sha256 != attempt.program.sha256);
            self.save()?;
            return Err(messages::upgrade_fault_both(why));
        }
        self.save()?;
        let message = messages::upgrade_went_back(version, before, why);
        Ok(UpgradeEnd::bad("went_back", message))
    }

    fn reject(&mut self, program: &ChosenProgram, why: &str) {
        let ChosenProgram { version, sha256, .. } = program.clone();
        let rejected = &mut self.record.rejected;
        rejected.retain(|one| one.sha256 != sha256);
        rejected.push(RejectedProgram { version, sha256, why: why.to_owned(), at: system_time() });
        let many = rejected.len().saturating_sub(MOST_REJECTED);
        rejected.drain(..many);
    }

    /// Rows that fail now, before anything is changed.
    fn before(&self) -> Result<FailedRows, Message> {
        let state = host::service_state().map_err(messages::upgrade_fault_machine)?;
        match state.as_str() {
            "active" | "reloading" => failing(self.settings.admin, &self.settings.token)
                .map_err(messages::upgrade_fault_machine),
            "inactive" | "deactivating" => Err(messages::upgrade_fault_stopped()),
            // It does not start by itself: the new one may.
            _ => Ok(FailedRows::new()),
        }
    }

    fn rehearse(&self, package: &Path, before: &FailedRows) -> Result<(), RehearsalFault> {
        let installed = host::own_program()
            .map_err(|error| RehearsalFault::Machine(format!("this program: {error}")))?;
        let running = (self.settings.admin, self.settings.token.as_path());
        let scratch = &self.dir.join("rehearsal");
        let (config, state) = (&self.settings.config, &self.settings.state);
        let installed = &installed;
        ProgramRehearsal { package, installed, config, state, scratch, running, before }.run()
    }

    /// Waits until the service answers; an error where it dies meanwhile.
    fn wait_ready(&self) -> Result<(), String> {
        // systemd counts on where a start by hand came between two of its own.
        let (before, _) = host::lives()?;
        let is_up = host::until(START, || {
            let deaths = host::lives()?.0.saturating_sub(before);
            if deaths >= MOST_RESTARTS {
                return Err(format!("it ended {deaths} times at its start"));
            }
            Ok(host::service_state()? == "active" && ready(self.settings.admin))
        })?;
        is_up.then_some(()).ok_or_else(|| "it does not become ready".to_owned())
    }

    /// Proves the program that is installed: it serves, by its own test, and goes on.
    fn proved(&self, before: &FailedRows) -> Result<(), ProofFault> {
        self.wait_ready().map_err(ProofFault::Other)?;
        let (_, process) = host::lives().map_err(ProofFault::Other)?;
        // Where a policy forbids package scripts to restart services, the old program serves on.
        if host::runs_old_file(process) {
            host::restart().and_then(|()| self.wait_ready()).map_err(ProofFault::Other)?;
        }
        let begun = host::lives().map_err(ProofFault::Other)?;
        let now = failing(self.settings.admin, &self.settings.token).map_err(ProofFault::Other)?;
        if let Some(why) = new_failures(&now, before) {
            return Err(ProofFault::Rows(now.difference(before).cloned().collect(), why));
        }
        std::thread::sleep(self.settings.settle);
        let is_same = host::lives().map_err(ProofFault::Other)? == begun;
        if is_same && ready(self.settings.admin) {
            return Ok(());
        }
        Err(ProofFault::Other("it ended by itself soon after its start".to_owned()))
    }
}

fn dpkg() -> Result<Option<DpkgState>, Message> {
    host::installed().map_err(messages::upgrade_fault_dpkg_asked)
}
