//! `lachan publish emergency`.

use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::output::{CommandFailure, INVALID, finish, json, parse_lang};
use crate::cli::publish::wait::{failure, now};
use crate::lang::{Lang, messages};
use crate::publish::emergency::{PublishedList, UrgentChange, change, current};
use crate::publish::error::PublishError;
use crate::publish::trust::keys::SigningKey;
use crate::publish::trust::repository::Repository;
use crate::release::emergency::{Emergency, UrgentAction, UrgentEntry};
use crate::status::moment;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Arguments of `publish emergency`.
#[derive(Debug, clap::Args)]
pub(super) struct EmergencyArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Publish an urgent entry, in the place of the one with its name.
    Add(AddArguments),
    /// End an urgent entry now.
    Remove(RemoveArguments),
    /// Sign the list as it is for another 180 days.
    Renew(SignArguments),
    /// Show the urgent entries that are published.
    List(ListArguments),
}

/// The repository, and the keys that sign.
#[derive(Debug, clap::Args)]
struct SignArguments {
    /// The directory of the repository.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The officer's key, on the stick.
    #[arg(long, value_name = "FILE")]
    officer: PathBuf,
    /// The key of the publishing host.
    #[arg(long, value_name = "FILE")]
    online: PathBuf,
    /// The language of messages.
    #[arg(long, value_name = "LANG", value_parser = parse_lang, default_value = "en")]
    lang: Lang,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("end").required(true))]
struct AddArguments {
    #[command(flatten)]
    sign: SignArguments,
    /// The name; it is meant with all below it.
    #[arg(value_name = "NAME")]
    name: String,
    /// `block`, `warn` (`legal_request` alone: answered, and counted), or `allow` (undoes a block of
    /// a release).
    #[arg(long, value_name = "ACTION", value_parser = parse_action, default_value = "block")]
    action: UrgentAction,
    /// `legal_request`, `fraud` or `malware`.
    #[arg(long, value_name = "ID")]
    category: String,
    /// The number of the order.
    #[arg(long, value_name = "TEXT")]
    document: String,
    /// The authority that gave it.
    #[arg(long, value_name = "TEXT")]
    authority: String,
    /// The reason, for people.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Days for which it acts; at most 30.
    #[arg(long, value_name = "DAYS", group = "end")]
    days: Option<u64>,
    /// Its end: a day such as 2026-12-31 (its end, in UTC), or RFC 3339.
    #[arg(long, value_name = "DATE", group = "end", value_parser = parse_end)]
    until: Option<u64>,
}

#[derive(Debug, clap::Args)]
struct RemoveArguments {
    #[command(flatten)]
    sign: SignArguments,
    /// The name of the entry.
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Debug, clap::Args)]
struct ListArguments {
    /// The directory of the repository.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The language of messages.
    #[arg(long, value_name = "LANG", value_parser = parse_lang, default_value = "en")]
    lang: Lang,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// What a script reads.
#[derive(Debug, Serialize)]
struct ShownList<'a> {
    version: u64,
    #[serde(flatten)]
    list: &'a Emergency,
}

/// Changes or shows the emergency list.
pub(super) fn run(arguments: &EmergencyArguments) -> ExitCode {
    finish(match &arguments.action {
        Action::Add(arguments) => add(arguments),
        Action::Remove(arguments) => {
            publish(&arguments.sign, UrgentChange::Remove(written(&arguments.name)))
        }
        Action::Renew(arguments) => publish(arguments, UrgentChange::Renew),
        Action::List(arguments) => list(arguments),
    })
}

fn add(arguments: &AddArguments) -> Result<String, CommandFailure> {
    let now = now()?;
    let days = arguments.days.map(|days| now.saturating_add(days.saturating_mul(DAY)));
    let entry = UrgentEntry {
        name: written(&arguments.name),
        action: arguments.action,
        category: arguments.category.clone(),
        document: arguments.document.clone(),
        authority: arguments.authority.clone(),
        reason: arguments.reason.clone(),
        from: now,
        until: arguments.until.or(days).unwrap_or(now),
    };
    publish(&arguments.sign, UrgentChange::Add(entry))
}

fn publish(arguments: &SignArguments, wanted: UrgentChange) -> Result<String, CommandFailure> {
    let lang = arguments.lang;
    let told = |error: PublishError| match error {
        PublishError::Told(message) => (INVALID, message.in_lang(lang)),
        error => failure(&error),
    };
    let repository = Repository::open_to_publish(&arguments.directory).map_err(told)?;
    let key = |path| SigningKey::read(path).map_err(|error| told(error.into()));
    let (officer, online) = (key(&arguments.officer)?, key(&arguments.online)?);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| (1, error.to_string()))?;
    let work = change(&repository, (&officer, &online), wanted, now()?);
    let PublishedList { version, list, ended } = runtime.block_on(work).map_err(told)?;
    let published = messages::urgent_published(version, list.entries.len(), ended).in_lang(lang);
    let lines = list.entries.iter().map(|entry| {
        "\n".to_owned() + &messages::urgent_until(&entry.name, moment(entry.until)).in_lang(lang)
    });
    Ok(published + &lines.collect::<String>())
}

fn list(arguments: &ListArguments) -> Result<String, CommandFailure> {
    let repository = Repository::open(&arguments.directory).map_err(|error| failure(&error))?;
    let PublishedList { version, list, .. } =
        current(&repository).map_err(|error| failure(&error))?;
    if arguments.json {
        return Ok(json(&ShownList { version, list: &list }));
    }
    if list.entries.is_empty() {
        return Ok(messages::urgent_none().in_lang(arguments.lang));
    }
    let line = |entry: &UrgentEntry| {
        let UrgentEntry { name, category, document, authority, reason, .. } = entry;
        let (action, until) = (entry.action.id(), moment(entry.until));
        let until = messages::urgent_until(name, until).in_lang(arguments.lang);
        format!("{action} {until}: {category}, {document}, {authority}: {reason}\n")
    };
    Ok(list.entries.iter().map(line).collect())
}

/// A name as it is written in a list: people copy it from letters and address bars.
fn written(name: &str) -> String {
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

/// Reads `--action`.
fn parse_action(text: &str) -> Result<UrgentAction, String> {
    let known = UrgentAction::ALL.into_iter().find(|action| action.id() == text);
    known.ok_or_else(|| "an action is `block`, `warn` or `allow`".to_owned())
}

/// Reads `--until`.
fn parse_end(text: &str) -> Result<u64, String> {
    let full = if text.len() == 10 { format!("{text}T23:59:59Z") } else { text.to_owned() };
    let at: Option<Timestamp> = full.parse().ok();
    let at = at.and_then(|at| u64::try_from(at.as_second()).ok());
    at.ok_or_else(|| "write a day such as 2026-12-31, or RFC 3339".to_owned())
}
