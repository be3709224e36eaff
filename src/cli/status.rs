//! `lachan status` and `lachan state`: what is in force, what is held back, and dropping what is
//! kept.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use crate::admin::status::{EmergencyStatus, Status, moment};
use crate::cli::output::{CommandFailure, finish, json};
use crate::cli::running::{GatewayArguments, read};
use crate::load::kept::forget;
use crate::load::list_state::ListCondition;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct StatusArguments {
    #[command(flatten)]
    gateway: GatewayArguments,
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

/// Shows the state of the running gateway; exits 0, 1 when it is refused, 3 without an answer.
pub fn run(arguments: &StatusArguments) -> ExitCode {
    let show = || {
        let gateway = arguments.gateway.running()?;
        let status: Status = read(&gateway.send("GET", "/api/status", "")?)?;
        Ok(if arguments.gateway.json { json(&status) } else { text(&status) })
    };
    finish(show())
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
            let config = of.config.as_deref();
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
    let shown = forgotten.status.as_ref().map_or_else(String::new, text);
    Ok(format!("what was kept is dropped\n{shown}"))
}

/// The state for people.
fn text(status: &Status) -> String {
    let mut out = format!("{} since {}", status.state, status.since);
    let _ = writeln!(out, " (lachan {}, generation {})", status.version, status.generation);
    if let Some(why) = &status.refused {
        let _ = writeln!(out, "refused, the old policy stays in force: {}", why.trim_end());
    }
    if let Some(update) = &status.update {
        let ring = if update.ring.is_empty() { "no ring yet" } else { &update.ring };
        let _ = writeln!(out, "release {} ({ring}): {}", update.release, update.state);
        if let Some(why) = &update.why {
            let _ = writeln!(out, "  {}", why.trim_end());
        }
        let polled = update.last_success > 0;
        let at = if polled { moment(update.last_success) } else { "not since the start".into() };
        let _ = writeln!(out, "last update looked for: {at}");
        for server in &update.servers {
            let why = server.why.as_deref().unwrap_or("ok").trim_end();
            let _ = writeln!(out, "  {}: {why}", server.url);
        }
    }
    if let Some(list) = &status.emergency {
        let EmergencyStatus { version, block, warn, allow, refused, .. } = list;
        let _ = write!(
            out,
            "emergency list {version}: {block} blocked, {warn} warned, {allow} allowed now"
        );
        if *refused > 0 {
            let _ = write!(out, ", {refused} entries beyond the limits");
        }
        let took = list.seconds_to_use;
        let _ = match took {
            Some(seconds) => writeln!(out, "; in use {seconds} s after its signing"),
            None => writeln!(out, "; signed at {}", list.signed_at),
        };
    }
    if status.reviews_open > 0 || status.allows > 0 {
        let (open, allows) = (status.reviews_open, status.allows);
        let _ = writeln!(out, "reviews: {open} wait, {allows} names allowed; `lachan review list`");
    }
    for held in &status.held {
        let why = held.why.trim_end();
        let _ = writeln!(out, "held: the kept copy of `{}` stands in: {why}", held.name);
    }
    for list in &status.lists {
        let state = match list.state {
            ListCondition::Ok => "ok",
            ListCondition::Held => "held",
            ListCondition::LeftOut => "left out",
        };
        let age = list.age_s.map_or_else(String::new, |age| format!(", {} h old", age / 3600));
        let _ = writeln!(out, "list {}: {state}, {} rules{age}", list.name, list.rules);
        if let (ListCondition::LeftOut, Some(why)) = (list.state, &list.why) {
            let _ = writeln!(out, "  {}", why.trim_end());
        }
    }
    for upstream in &status.upstreams {
        let state = if upstream.up { "up" } else { "down" };
        let _ = writeln!(out, "upstream {}: {state}", upstream.name);
    }
    let kept = if status.is_kept { "in the state directory" } else { "in memory only" };
    let _ = writeln!(out, "clock: {}", status.clock);
    let _ = writeln!(out, "kept for the next start: {kept}");
    out
}
