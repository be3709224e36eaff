//! `lachan lists fetch CONFIG`: downloads now, with a report on each list.
//!
//! The same attempt that the gateway makes in the background, through the upstream servers
//! of the config. A running gateway loads the new copies as any changed file.

use std::cmp::Reverse;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::cli::output::{complain, json, print};
use crate::cli::running::as_gateway;
use crate::config::Config;
use crate::dns::name::{Folded, Name};
use crate::fetch::{AT_ONCE, Copies, Downloads, FetchError, HttpClient, Names, Taken, fetch_once};
use crate::load::assemble::Assembler;
use crate::load::zone_ids::ZoneIds;
use crate::sys::clock::{Clock, Dates};
use crate::sys::state_dir::StateDir;
use crate::upstream::zones::{Numbered, Zones};
use crate::upstream::{Options, UpstreamError, Upstreams};

/// Arguments of `lists fetch`.
#[derive(Debug, clap::Args)]
pub struct FetchListArguments {
    /// The config file.
    config: PathBuf,
    /// Only the sources with this text in their URL.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Take a list that is much smaller than the copy before.
    #[arg(long)]
    accept_shrunken: bool,
    /// One JSON array instead of text.
    #[arg(long)]
    json: bool,
}

/// Result of one download.
#[derive(Debug, Serialize)]
struct FetchResult {
    url: String,
    /// `new`, `unchanged`, `refused` or `failed`.
    result: &'static str,
    rules: Option<u64>,
    octets: Option<u64>,
    /// Path of the copy.
    file: PathBuf,
    why: Option<String>,
}

/// Downloads the lists; exits 0, 1 when one failed, or 3 when one was refused.
pub fn run(arguments: &FetchListArguments) -> ExitCode {
    let (config, downloads) = match Assembler::new(Some(arguments.config.clone())).downloads() {
        Ok(read) => read,
        Err(error) => return failed(3, &error.to_string()),
    };
    let _acting = match as_gateway(&config) {
        Ok(acting) => acting,
        Err((code, complaint)) => return failed(code, &complaint),
    };
    let copies = match downloads.copies() {
        Ok(Some(copies)) => copies,
        Ok(None) => {
            return failed(3, "lists by `url` need a directory for their copies: `dir` in [state]");
        }
        Err(error) => return failed(1, &error.to_string()),
    };
    match fetch(arguments, &config, &downloads, &copies) {
        Ok(results) => {
            print(&if arguments.json {
                json(&results)
            } else {
                results.iter().map(text).collect::<Vec<_>>().join("\n")
            });
            let ended = |result| results.iter().any(|one| one.result == result);
            match (ended("refused"), ended("failed")) {
                (true, _) => ExitCode::from(3),
                (false, true) => ExitCode::FAILURE,
                (false, false) => ExitCode::SUCCESS,
            }
        }
        Err(complaint) => failed(1, &complaint),
    }
}

/// Writes the message and fails.
fn failed(code: u8, complaint: &str) -> ExitCode {
    complain(complaint);
    ExitCode::from(code)
}

/// Downloads each source that `--only` selects.
fn fetch(
    arguments: &FetchListArguments,
    config: &Config,
    downloads: &Downloads,
    copies: &Copies,
) -> Result<Vec<FetchResult>, String> {
    let shown = |error: io::Error| error.to_string();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(shown)?;
    let clock = Clock::start();
    if let Ok(Some(state)) = StateDir::open(&config.state) {
        clock.remember(&state);
    }
    let names = {
        let _inside = runtime.enter();
        let handle = runtime.handle().clone();
        names(config, handle, clock.dates()).map_err(|error| error.to_string())?
    };
    let client = HttpClient::new(downloads.tls_roots.as_deref(), names, clock.dates());
    let client = Arc::new(client.map_err(|error| error.to_string())?);
    let is_wanted = |url: &str| arguments.only.as_ref().is_none_or(|text| url.contains(text));
    let wanted = downloads.sources.iter().filter(|source| is_wanted(&source.label));
    // All at once: one slow server must not hold up the others.
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let attempts: Vec<_> = wanted
        .map(|source| {
            let (client, turns) = (Arc::clone(&client), Arc::clone(&turns));
            let (own, copies, source) = (source.clone(), copies.clone(), source);
            let may_shrink = arguments.accept_shrunken;
            let attempt = runtime.spawn(async move {
                let _turn = turns.acquire().await;
                fetch_once(&client, &copies, &own, may_shrink).await
            });
            (source, attempt)
        })
        .collect();
    let mut results = Vec::new();
    for (source, attempt) in attempts {
        let taken = runtime.block_on(attempt).map_err(|error| error.to_string())?;
        results.push(result_of(&source.label, &source.path, copies, taken));
    }
    if results.is_empty() {
        return Err("no source of this config is to be downloaded; nothing was done".into());
    }
    Ok(results)
}

/// A resolver for the hosts of lists: servers of the longest forward zone, else of `[upstream]`.
pub(in crate::cli) fn names(
    config: &Config,
    runtime: Handle,
    dates: Dates,
) -> Result<Names, UpstreamError> {
    // A config has fewer zones than there are ids.
    let mut wanted = ZoneIds::default().number(&config.forwards).unwrap_or_default();
    let options = Options::of(&config.upstream, dates.clone());
    let zones = Zones::new(&options).followed_by(&wanted)?;
    let upstreams = Upstreams::of(config, dates)?;
    wanted.sort_by_key(|(_, forward)| Reverse(forward.zone.label_count()));
    let upstreams = Arc::new(upstreams);
    let servers = move |name: &Name| {
        let folded = Folded::from_name(name);
        let covers = |(_, forward): &&Numbered| folded.is_at_or_below(forward.zone.as_wire());
        match wanted.iter().find(covers) {
            Some((id, _)) => zones.servers(*id),
            None => Some(Arc::clone(&upstreams)),
        }
    };
    let local = config.local.clone();
    Ok(Names::new(servers, runtime).with_own(move |name| local.addresses(name)))
}

/// The result of one attempt, with the copy that is in place after it.
fn result_of(
    url: &str,
    file: &std::path::Path,
    copies: &Copies,
    taken: Result<Taken, FetchError>,
) -> FetchResult {
    let (result, why) = match taken {
        Ok(Taken::New { .. }) => ("new", None),
        Ok(Taken::Unchanged) => ("unchanged", None),
        Err(error) if error.is_refusal() => ("refused", Some(error.to_string())),
        Err(error) => ("failed", Some(error.to_string())),
    };
    let note = copies.whole(file);
    FetchResult {
        url: url.to_owned(),
        result,
        rules: note.as_ref().map(|note| note.rules),
        octets: note.as_ref().map(|note| note.octets),
        file: file.to_owned(),
        why,
    }
}

/// The result for people.
fn text(result: &FetchResult) -> String {
    let FetchResult { url, result: outcome, why, rules, octets, .. } = result;
    let copy = match (rules, octets) {
        (Some(rules), Some(octets)) => format!("{rules} rules, {octets} octets"),
        _ => "none that is whole".to_owned(),
    };
    match why {
        None => format!("{url}: {outcome} ({copy})"),
        Some(why) => {
            let why = why.strip_prefix("refused: ").unwrap_or(why);
            format!("{url}: {outcome}: {why}\n  the copy before stays: {copy}")
        }
    }
}
