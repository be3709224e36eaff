//! `lachan status` and `lachan state`: what is in force, what is held back, and dropping what is
//! kept.

use std::process::ExitCode;

use serde::Serialize;

use crate::admin::client::is_ready;
use crate::cli::output::{CommandFailure, INVALID, finish, json, parse_lang};
use crate::cli::running::{GatewayArguments, read};
use crate::config::Config;
use crate::lang::{Lang, messages};
use crate::load::assemble::read_config_for_command;
use crate::load::kept::forget;
use crate::status::Status;
use crate::status::report::StatusReport;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct StatusArguments {
    #[command(flatten)]
    gateway: GatewayArguments,
    /// The language; the config's by default.
    #[arg(long, value_parser = parse_lang)]
    lang: Option<Lang>,
    /// Also the names that are blocked for at least ten addresses today (IPv6: networks of 64 bits).
    #[arg(long)]
    top: bool,
    /// Only whether it answers queries, as `/readyz` says; needs no token. For health checks.
    #[arg(long, conflicts_with_all = ["top", "json", "token"])]
    ready: bool,
}

/// Arguments of `state`.
#[derive(Debug, clap::Args)]
pub struct StateArguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Drop what is kept of files, so that nothing stands in for one that is lost.
    Forget,
}

/// The result of `state forget`.
#[derive(Debug, Serialize)]
struct Forgotten {
    /// True where the running gateway did it.
    by_gateway: bool,
    /// The state of the gateway without what was kept.
    status: Option<Status>,
}

/// Shows the state of the running gateway; exits 0, 1 when it is refused or not ready, 3 without an answer.
pub fn run(arguments: &StatusArguments) -> ExitCode {
    if arguments.ready {
        return finish(readiness(arguments));
    }
    let show = || {
        let gateway = arguments.gateway.running()?;
        let mut status: Status = read(&gateway.send("GET", "/api/status", "")?)?;
        let lang = arguments.lang.unwrap_or(gateway.config.school.lang);
        status.speak(lang);
        Ok(if arguments.gateway.json {
            json(&status)
        } else {
            text(&status, (lang, arguments.top), &gateway.config)
        })
    };
    finish(show())
}

/// Whether the gateway answers queries, in words.
fn readiness(arguments: &StatusArguments) -> Result<String, CommandFailure> {
    let config = read_config_for_command(arguments.gateway.config())
        .map_err(|error| (INVALID, error.to_string()))?;
    let (admin, lang) = (config.admin.listen, arguments.lang.unwrap_or(config.school.lang));
    match is_ready(admin) {
        Ok(true) => Ok(messages::gateway_ready(admin).in_lang(lang)),
        Ok(false) => Err((1, messages::gateway_not_ready(admin).in_lang(lang))),
        Err(error) => Err((INVALID, messages::gateway_silent(admin, error).in_lang(lang))),
    }
}

/// Acts on what is kept; exits as [`run`].
pub fn run_state(arguments: &StateArguments) -> ExitCode {
    let Action::Forget = arguments.action;
    finish(forget_kept(&arguments.gateway))
}

/// Drops what is kept, by the running gateway if there is one.
fn forget_kept(of: &GatewayArguments) -> Result<String, CommandFailure> {
    let answer = of.running().and_then(|gateway| gateway.send("DELETE", "/api/kept", ""));
    let (by_gateway, status) = match answer {
        Ok(answer) => (true, Some(read::<Status>(&answer)?)),
        // No gateway runs, or there is no token: the files alone are dropped.
        Err(failure) => {
            let config = of.config();
            if !config.is_some_and(forget) {
                return Err(failure);
            }
            (false, None)
        }
    };
    let forgotten = Forgotten { by_gateway, status };
    if of.json {
        return Ok(json(&forgotten));
    }
    let Some(status) = &forgotten.status else { return Ok("what was kept is dropped".into()) };
    let config = of.running()?.config;
    let shown = text(status, (config.school.lang, false), &config);
    Ok(format!("what was kept is dropped\n{shown}"))
}

/// The state for people.
fn text(status: &Status, (lang, with_top): (Lang, bool), config: &Config) -> String {
    StatusReport::of(status, lang, &config.school.zone()).text(lang, with_top)
}
