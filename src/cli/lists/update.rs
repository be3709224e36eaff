//! `lachan lists update`, `rollback`, `releases`: the department's release on this gateway.
//!
//! The running gateway is asked where there is one; else the same is done in its state directory, and
//! the next start uses it. Two at once are refused by the lock of the store.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use crate::admin::api::ReleaseRequest;
use crate::cli::output::{CommandFailure, finish, json};
use crate::cli::running::{RunningGateway, as_gateway, read, state_of};
use crate::config::Config;
use crate::lang::messages;
use crate::load::assemble::{Assembler, read_config_for_command};
use crate::load::rehearsal;
use crate::load::release::RELEASES;
use crate::load::release::urgent::{KeptDocument, UrgentList};
use crate::policy::group::time::{Now, Trust};
use crate::rehearse::recent::RecentNames;
use crate::release::rollout::KnownTime;
use crate::sys::clock::{Clock, built, system_time};
use crate::sys::state_dir::StateDir;
use crate::update::client::{UpdateHooks, Updates};
use crate::update::emergency::UrgentHooks;
use crate::update::error::UpdateError;
use crate::update::selftest;
use crate::update::status::UpdateStatus;
use crate::update::tried::TrialFault;

/// Arguments of `lists update`.
#[derive(Debug, clap::Args)]
pub struct UpdateArguments {
    /// The config file.
    config: PathBuf,
    /// A directory with a copy of the repository: a stick, a share.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Arguments of `lists rollback`.
#[derive(Debug, clap::Args)]
pub struct RollbackArguments {
    /// The config file.
    config: PathBuf,
    /// The release to go back to; by default the last one in use that is lower than the one in use.
    #[arg(long, value_name = "RELEASE")]
    to: Option<u64>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Arguments of `lists releases`.
#[derive(Debug, clap::Args)]
pub struct ReleasesArguments {
    /// The config file.
    config: PathBuf,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Takes a release from a directory; exits 0, 1 when it is refused, 3 for a config that names no
/// repository.
pub fn update(arguments: &UpdateArguments) -> ExitCode {
    let act = || {
        let from = std::path::absolute(&arguments.from).map_err(|e| (1, e.to_string()))?;
        let request = ReleaseRequest::From(from.clone());
        change(&arguments.config, &request, |updates| updates.update_from(from).map(drop))
    };
    finish(act().map(|status| shown(&status, arguments.json)))
}

/// Goes back to a release that is kept; exits as [`update`].
pub fn rollback(arguments: &RollbackArguments) -> ExitCode {
    let to = arguments.to;
    let request = ReleaseRequest::Back(to);
    let act = change(&arguments.config, &request, |updates| updates.back(to).map(drop));
    finish(act.map(|status| shown(&status, arguments.json)))
}

/// Shows the release in use, and those that are kept; exits as [`update`].
pub fn releases(arguments: &ReleasesArguments) -> ExitCode {
    let show = || {
        let config = config_of(&arguments.config)?;
        let _acting = as_gateway(&config)?;
        let updates = alone(&arguments.config, &config)?;
        Ok(shown(&updates.status(), arguments.json))
    };
    finish(show())
}

/// Forgets that a release was rejected; the answer for people.
pub(super) fn accept(config: &Path) -> Result<String, CommandFailure> {
    let asked = RunningGateway::of(Some(config), None)
        .and_then(|gateway| gateway.send("DELETE", "/api/release/rejected", ""));
    let status: UpdateStatus = if let Ok(answer) = asked {
        read(&answer)?
    } else {
        let read_config = config_of(config)?;
        let _acting = as_gateway(&read_config)?;
        let updates = alone(config, &read_config)?;
        updates.accept().map_err(|error| (1, updates.say(&error)))?;
        updates.status()
    };
    Ok(shown(&status, false))
}

/// Asks the running gateway, or acts on the store where none answers.
fn change(
    config: &Path,
    request: &ReleaseRequest,
    act: impl FnOnce(&Updates) -> Result<(), UpdateError>,
) -> Result<UpdateStatus, CommandFailure> {
    let read_config = config_of(config)?;
    let body = serde_json::to_string(request).unwrap_or_default();
    let asked = RunningGateway::of(Some(config), None)
        .and_then(|gateway| gateway.send("POST", "/api/release", &body));
    if let Ok(answer) = asked {
        return read(&answer);
    }
    let _acting = as_gateway(&read_config)?;
    let updates = alone(config, &read_config)?;
    act(&updates).map_err(|error| (1, updates.say(&error)))?;
    Ok(updates.status())
}

fn config_of(path: &Path) -> Result<Config, CommandFailure> {
    let config = read_config_for_command(Some(path)).map_err(|error| (3, error.to_string()))?;
    if config.update.root.is_none() {
        let lang = config.school.lang;
        return Err((3, messages::update_no_root(path.display()).in_lang(lang)));
    }
    Ok(config)
}

/// The update client of a gateway that does not run.
fn alone(path: &Path, config: &Config) -> Result<Updates, CommandFailure> {
    let state = state_of(config, config.school.lang)?;
    let clock = Clock::start();
    if let Some(state) = &state {
        clock.remember(state);
    }
    let assembler = || Assembler::new(Some(path.to_owned())).with_kept();
    let before = Mutex::new(assembler());
    let hooks = UpdateHooks {
        is_serving: false,
        time: Box::new(move || match clock.now().trust {
            Trust::Synced => KnownTime::Synced(clock.now().civil),
            Trust::Plausible | Trust::Untrusted => KnownTime::AtLeast(built()),
        }),
        trial: Box::new(move |directory| {
            let mut before = before.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let old = before.candidate(None);
            let old = old.map_err(|error| TrialFault::Config(error.to_string()))?;
            let new = before.trial(directory, None).map_err(|error| {
                let is_own = !old.sources().held.is_empty();
                let fault = if is_own { TrialFault::Config } else { TrialFault::Policy };
                fault(error.to_string())
            })?;
            let civil = system_time();
            let data = [&old.config().data, &new.config().data];
            let pair = (&old.look(&[], civil), &new.look(&[], civil));
            let now = Now { mono: 1, civil, trust: Trust::Synced };
            let recent = RecentNames::new(rehearsal::popular(data[0]), (0, 0));
            let found = rehearsal::rehearse_policies(pair, data, &recent, now, false);
            if found.holds() {
                return Err(TrialFault::Rehearsal(found.holding));
            }
            selftest::test(pair, data, civil).map_err(TrialFault::SelfTest)
        }),
        adopt: Box::new(|| Ok(())),
        urgent: urgent(config, state.as_ref()),
    };
    let open = Updates::open(config, state.as_ref(), hooks);
    let updates = open.map_err(|error| (1, error.to_string()))?;
    updates.ok_or_else(|| (3, "releases need a state directory: `dir` in [state]".into()))
}

/// Emergency lists, judged here and used by the next start.
fn urgent(config: &Config, state: Option<&StateDir>) -> UrgentHooks {
    let (config, releases) = (config.clone(), state.map(|state| state.join(RELEASES)));
    let stored = move || KeptDocument::stored(releases.as_ref()?).map(|one| one.version);
    UrgentHooks {
        version: Box::new(move || stored().unwrap_or(0)),
        put: Box::new(move |kept| {
            UrgentList::of(kept, &config)?.tell();
            Ok(())
        }),
    }
}

/// The state for people, or as JSON.
fn shown(status: &UpdateStatus, is_json: bool) -> String {
    if is_json {
        return json(status);
    }
    let kept: Vec<String> = status.kept.iter().map(u64::to_string).collect();
    let mut text = format!("release {} is in use; kept are: {}", status.release, kept.join(", "));
    if status.emergency > 0 {
        text = format!("{text}\nemergency list {} is in use", status.emergency);
    }
    if let Some(why) = &status.why {
        text = format!("{text}\n{}: {why}", status.state);
    }
    text
}
