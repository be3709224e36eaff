//! `lachan upgrade`: the program that the department chooses, rehearsed, installed, proved.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::runtime::Runtime;

use crate::cli::lists::fetch;
use crate::cli::output::{complain, finish, json, parse_lang, print};
use crate::cli::running::{USUAL, USUAL_CONFIG};
use crate::config::Config;
use crate::fetch::HttpClient;
use crate::lang::{Lang, Message, messages};
use crate::load::assemble::read_config_itself;
use crate::policy::group::time::Trust;
use crate::release::enrolment::fingerprint;
use crate::release::rollout::KnownTime;
use crate::staff::token::Token;
use crate::sys::clock::{Clock, built};
use crate::sys::log;
use crate::sys::state_dir::acting::Acting;
use crate::update::carrier::{Directory, TrustedFiles, Web};
use crate::update::error::{Blame, UpdateError};
use crate::update::take::UpdateRequest;
use crate::upgrade::run::{UpgradeEnd, UpgradeSettings, Upgrader};
use crate::upgrade::signed::{SignedMemory, SignedPrograms, enrolled, message_of, message_of_root};

/// Arguments of `upgrade`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct UpgradeArguments {
    /// The config file of this gateway.
    #[arg(long, value_name = "FILE", default_value = USUAL_CONFIG)]
    config: PathBuf,
    /// A directory with a copy of the repository, such as a stick; by default as in `[update]`.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Get the package by `apt-get download`, and not from the repository; people's signatures decide all the same.
    #[arg(long)]
    apt: bool,
    /// Say what would be done, and change nothing.
    #[arg(long, visible_alias = "dry-run", conflicts_with_all = ["again", "trust"])]
    check: bool,
    /// Try packages again that failed here.
    #[arg(long)]
    again: bool,
    /// Trust the root that is enrolled now from here on; HEX is its fingerprint, as it came by letter: capitals,
    /// and spaces where it is quoted, count for nothing.
    #[arg(long, value_name = "HEX")]
    trust: Option<String>,
    /// For how many seconds a new program must live before it counts as installed.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(0..=3600))]
    settle: u64,
    /// One JSON array instead of text.
    #[arg(long)]
    json: bool,
    /// The language of messages; the config's by default.
    #[arg(long, value_parser = parse_lang)]
    lang: Option<Lang>,
}

/// What a script reads.
#[derive(Serialize)]
struct UpgradeOutput {
    state: &'static str,
    text: String,
}

/// Upgrades; exits 0 where nothing is to be done or the new program answers, 1 where something stopped it or
/// a program was refused, 3 for a config that cannot be read.
pub fn run(arguments: &UpgradeArguments) -> ExitCode {
    let config = match read_config_itself(&arguments.config) {
        Ok(config) => config,
        Err(error) => return finish(Err((3, error.to_string()))),
    };
    log::start();
    let lang = arguments.lang.unwrap_or(config.school.lang);
    let ends = match upgrade(arguments, &config) {
        Ok(ends) => ends,
        Err(message) => vec![UpgradeEnd::fault(message)],
    };
    let is_bad = ends.iter().any(|end| end.is_bad);
    let output =
        |end: &UpgradeEnd| UpgradeOutput { state: end.state, text: end.message.in_lang(lang) };
    if arguments.json {
        print(&json(&ends.iter().map(output).collect::<Vec<_>>()));
    } else {
        for end in &ends {
            let tell = if end.is_bad { complain } else { print };
            tell(&output(end).text);
        }
    }
    if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// All that came about: what was cut off before, then this run.
fn upgrade(arguments: &UpgradeArguments, config: &Config) -> Result<Vec<UpgradeEnd>, Message> {
    let Some(root) = &config.update.root else {
        let message = messages::upgrade_no_department();
        return Ok(vec![UpgradeEnd::good("no_department", message)]);
    };
    let state = config.state.dir.clone().unwrap_or_else(|| PathBuf::from(USUAL));
    let token = config.admin.token.clone().unwrap_or_else(|| state.join(Token::ADMIN));
    let mut upgrader = Upgrader::open(UpgradeSettings {
        config: std::path::absolute(&arguments.config).unwrap_or(arguments.config.clone()),
        state: state.clone(),
        admin: config.admin.listen,
        token,
        lang: config.school.lang,
        by_apt: arguments.apt,
        settle: Duration::from_secs(arguments.settle),
        is_look: arguments.check,
    })?;
    let memory = upgrader.memory()?;
    // Read once: what is trusted is what is compared, and what verifies.
    let octets = {
        let _acting = Acting::as_owner_of(&state).map_err(messages::upgrade_fault_state)?;
        enrolled(root)
    };
    let mut ends = Vec::new();
    if let Some(text) = &arguments.trust {
        let wanted = fingerprint(text).ok_or_else(|| messages::enrol_no_fingerprint(text))?;
        let octets = octets
            .as_ref()
            .map_err(|error| messages::upgrade_fault_repository(error.message(), error))?;
        memory.trust(octets, &wanted).map_err(|error| message_of_root(error, octets))?;
        ends.push(UpgradeEnd::good("trusted", messages::upgrade_trusted(wanted)));
    }
    if arguments.again {
        let count = upgrader.forget()?;
        ends.push(UpgradeEnd::good("forgot", messages::upgrade_forgot(count)));
    }
    let ended = one_run((arguments, config), octets, &mut upgrader, &memory, &mut ends);
    let end = ended.unwrap_or_else(UpgradeEnd::fault);
    upgrader.note(&end)?;
    ends.push(end);
    Ok(ends)
}

fn one_run(
    of: (&UpgradeArguments, &Config),
    root: Result<Vec<u8>, UpdateError>,
    upgrader: &mut Upgrader,
    memory: &SignedMemory,
    ends: &mut Vec<UpgradeEnd>,
) -> Result<UpgradeEnd, Message> {
    ends.extend(upgrader.recover()?);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(messages::upgrade_fault_state)?;
    let root = root.map_err(message_of)?;
    let signed = verified(of, &root, memory, &runtime);
    let signed = signed.map_err(|error| message_of_root(error, &root))?;
    upgrader.run(&signed, &runtime)
}

/// What people signed, from the stick, the directory of the config, or the first of its servers that is
/// trusted.
fn verified(
    (arguments, config): (&UpgradeArguments, &Config),
    root: &[u8],
    memory: &SignedMemory,
    runtime: &Runtime,
) -> Result<SignedPrograms, UpdateError> {
    let clock = Clock::start();
    let time = match clock.now().trust {
        Trust::Synced => KnownTime::Synced(clock.now().civil),
        Trust::Plausible | Trust::Untrusted => KnownTime::AtLeast(built()),
    };
    let request = UpdateRequest { enrolled: root, school: &config.school.id, time };
    let is_look = arguments.check;
    let directory = arguments
        .from
        .clone()
        .or_else(|| config.update.directory.clone().filter(|_| config.update.urls.is_empty()));
    if let Some(directory) = directory {
        return runtime.block_on(memory.verified(Directory(directory), &request, is_look));
    }
    let failed = |error: &dyn std::fmt::Display| UpdateError::Config(error.to_string());
    let names = {
        let _inside = runtime.enter();
        fetch::names(config, runtime.handle().clone(), clock.dates())
            .map_err(|error| failed(&error))?
    };
    let roots = config.lists.tls_roots.as_deref();
    let client = HttpClient::new(roots, names, clock.dates()).map_err(|error| failed(&error))?;
    let (client, trusted) = (Arc::new(client), TrustedFiles::default());
    let mut last = failed(&"[update] has neither `urls` nor `directory`");
    for url in &config.update.urls {
        let silence = config.update.silence;
        let web = Web::new(Arc::clone(&client), url.clone(), trusted.clone(), silence);
        let agent = format!("lachan-upgrade/{}", env!("CARGO_PKG_VERSION"));
        let ended = runtime.block_on(async {
            web.ask(&agent).await?;
            memory.verified(web.clone(), &request, is_look).await
        });
        match ended {
            Err(error) if error.blame() == Blame::Server => last = error,
            ended => return ended,
        }
    }
    Err(last)
}
