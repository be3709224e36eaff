//! `lachan doctor`: the examination of this machine and the network around it, whether or not the
//! gateway runs.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::admin::client::is_ready;
use crate::cli::output::{CommandFailure, INVALID, complain, json, parse_lang, print};
use crate::cli::running::{GatewayArguments, USUAL, read as value};
use crate::config::Config;
use crate::config::sections::listen::CertificateFiles;
use crate::doctor::ask::{listeners, upstreams};
use crate::doctor::doh::reach;
use crate::doctor::facts::{ClockFacts, MachineFacts};
use crate::doctor::look;
use crate::doctor::report::Checkup;
use crate::lang::{Lang, Message, messages};
use crate::load::assemble::{Assembler, read_config_for_command};
use crate::load::candidate::Candidate;
use crate::load::list_state::ListState;
use crate::policy::group::time::Now;
use crate::status::state::uncovered;
use crate::status::{CertificateStatus, Status};
use crate::sys::certificate::{MAX_OCTETS, read_facts};
use crate::sys::certificates::{CertificateState, Certificates};
use crate::sys::clock::{Clock, Dates};
use crate::sys::read;
use crate::sys::state_dir::StateDir;
use crate::upstream::system_servers;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct CheckupArguments {
    #[command(flatten)]
    gateway: GatewayArguments,
    /// The language; the config's by default.
    #[arg(long, value_parser = parse_lang)]
    lang: Option<Lang>,
}

/// Examines this machine; exits 0 where nothing is a fault, 1 where something is, and 3 where no
/// gateway answers or the config cannot be used.
pub fn run(arguments: &CheckupArguments) -> ExitCode {
    let (facts, lang) = match facts(arguments) {
        Ok(found) => found,
        Err((code, message)) => {
            complain(&message);
            return ExitCode::from(code);
        }
    };
    let checkup = Checkup::of(&facts, lang);
    print(&if arguments.gateway.json { json(&checkup) } else { checkup.text(lang) });
    match checkup.state {
        _ if !checkup.is_answering => ExitCode::from(INVALID),
        "ok" => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// The facts of this machine, and the language to tell them in.
fn facts(arguments: &CheckupArguments) -> Result<(MachineFacts, Lang), CommandFailure> {
    let root = Path::new("/");
    let path = arguments.gateway.config();
    let config = read_config_for_command(path).map_err(|error| (INVALID, error.to_string()))?;
    let lang = arguments.lang.unwrap_or(config.school.lang);
    let state = state_dir(&config);
    let clock = Clock::start();
    if let Some(state) = state.as_deref().filter(|path| path.is_dir()) {
        let _ = StateDir::at(state.to_owned()).map(|state| clock.remember(&state));
    }
    let now = clock.now();
    let silent = match is_ready(config.admin.listen) {
        Ok(true) => None,
        Ok(false) => Some("/readyz: 503".to_owned()),
        Err(error) => Some(error.to_string()),
    };
    let (status, untold) = if silent.is_none() { status(arguments, lang) } else { (None, None) };
    let asked = ask(&config, clock.dates(), silent.is_none());
    let (upstreams, answering) = asked.map_err(|error| (1, error.to_string()))?;
    let (upstreams, upstreams_unusable) = match upstreams {
        Ok(each) => (each, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let (sockets, sockets_unread) = look::waiting(root);
    let (leases, leases_unread) = look::leases(root);
    let policy =
        Assembler::new(path.map(Path::to_owned)).with_kept().around(now.civil).candidate(None);
    let lists = status.as_ref().map(|status| status.lists.clone()).or_else(|| {
        policy.as_ref().ok().map(|candidate| candidate.sources().list_states(now.civil))
    });
    let (certificates, uncovered, keys_unread) = certificates(&config, now, lang);
    let facts = MachineFacts {
        admin: (config.admin.listen, silent),
        portal: config.portal.as_ref().map_or_else(Vec::new, |portal| portal.listen.clone()),
        untold,
        answering,
        owners: look::owners(root, &sockets),
        sockets,
        sockets_unread,
        clock: ClockFacts { civil: now.civil, trust: now.trust, rtc: look::rtc(root) },
        disk: state.as_deref().map(look::disk),
        upstreams,
        upstreams_unusable,
        own: look::own_addresses(root),
        leases,
        leases_unread,
        told: look::resolvers(root),
        upstream_addresses: upstream_addresses(&config),
        reach: policy.map_err(|error| error.to_string()).map(|policy: Candidate| {
            reach(&policy.look(&[], now.civil), &policy.config().groups, now)
        }),
        lists: from_elsewhere(&config, lists.unwrap_or_default()),
        certificates,
        uncovered,
        keys_unread,
        listen: config.listen,
        status,
    };
    Ok((facts, lang))
}

/// The state directory of a config, or the one of a gateway that systemd runs; it may be absent.
fn state_dir(config: &Config) -> Option<PathBuf> {
    StateDir::place(&config.state).or_else(|| Path::new(USUAL).is_dir().then(|| USUAL.into()))
}

/// What the running gateway says of itself, or why it does not.
fn status(arguments: &CheckupArguments, lang: Lang) -> (Option<Box<Status>>, Option<String>) {
    let gateway = match arguments.gateway.running() {
        Ok(gateway) => gateway,
        Err((_, why)) => return (None, Some(messages::unseen_no_token(why).in_lang(lang))),
    };
    let told = gateway.send("GET", "/api/status", "").and_then(|answer| value::<Status>(&answer));
    match told {
        Ok(status) => (Some(Box::new(status)), None),
        Err((_, why)) => (None, Some(why)),
    }
}

/// The end of the questions to servers, and of those to listeners.
type Asked = (Result<Vec<(String, Option<Message>)>, String>, Vec<(SocketAddr, bool)>);

/// Asks upstream servers, and the listeners of a gateway that runs.
fn ask(config: &Config, dates: Dates, is_running: bool) -> io::Result<Asked> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(async {
        let own = if is_running { config.listen.dns.as_slice() } else { &[] };
        (upstreams(config, dates).await, listeners(own).await)
    }))
}

/// The addresses of the servers that are upstream.
fn upstream_addresses(config: &Config) -> Vec<IpAddr> {
    let system = || system_servers(config).unwrap_or_default();
    let zones = config.forwards.iter().flat_map(|zone| zone.servers.clone());
    let servers = match config.upstream.servers.as_slice() {
        [] => system(),
        servers => servers.to_vec(),
    };
    servers.into_iter().chain(zones).map(|server| server.address.ip()).collect()
}

/// The ages of lists that come from elsewhere: a file of the school's own may be as old as it likes.
fn from_elsewhere(config: &Config, lists: Vec<ListState>) -> Vec<(String, u64)> {
    let is_own = |list: &ListState| {
        config.lists.sources.iter().any(|one| one.label == list.name && one.fetch.is_none())
    };
    let aged = lists.into_iter().filter(|list| !is_own(list));
    aged.filter_map(|list| Some((list.name, list.age_s?))).collect()
}

/// The certificates, the names that they do not cover, and the keys that this user may not read.
fn certificates(
    config: &Config,
    now: Now,
    lang: Lang,
) -> (Vec<CertificateStatus>, Vec<String>, Vec<PathBuf>) {
    let is_denied = |files: &&CertificateFiles| {
        File::open(&files.key).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
    };
    let (denied, readable): (Vec<_>, Vec<_>) = config.listen.tls.iter().partition(is_denied);
    let readable: Vec<CertificateFiles> = readable.into_iter().cloned().collect();
    let certificates = Certificates::new(&readable);
    certificates.look();
    let mut found = CertificateStatus::of(&certificates, now, lang);
    for files in &denied {
        // The dates stand in the certificate, which everybody may read.
        let octets = read::octets(&files.certificate, MAX_OCTETS);
        if let Some(facts) = octets.ok().and_then(|octets| read_facts(&octets).ok()) {
            let state =
                CertificateState { files: (*files).clone(), facts: Some(facts), fault: None };
            found.push(CertificateStatus::of_state(state, now, lang));
        }
    }
    let uncovered = if denied.is_empty() { uncovered(&certificates, config) } else { Vec::new() };
    (found, uncovered, denied.into_iter().map(|files| files.key.clone()).collect())
}
