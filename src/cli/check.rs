//! `lachan check FILE`: every mistake at once, and what the policy comes to.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use crate::category::{CategorySet, Taxonomy};
use crate::config::{Config, ConfigErrors, Source};
use crate::name::Name;
use crate::policy::GroupRules;
use crate::serve::assemble::{AssembleError, Assembled, Assembler};
use crate::serve::lists::{FileReport, ListError};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The config file.
    file: PathBuf,
    /// Print the policy that the config comes to.
    #[arg(long)]
    effective: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// The result, for scripts.
#[derive(Debug, Serialize)]
struct Said {
    ok: bool,
    mistakes: Vec<Mistake>,
    lists: Vec<List>,
    /// Names listed in all.
    names: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective: Option<Vec<Group>>,
}

#[derive(Debug, Serialize)]
struct Mistake {
    path: String,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
    hint: Option<String>,
}

#[derive(Debug, Serialize)]
struct List {
    path: PathBuf,
    format: &'static str,
    rules: usize,
    rejected: u32,
    examples: String,
}

/// One group as it will be applied.
#[derive(Debug, Serialize)]
struct Group {
    name: String,
    is_default: bool,
    clients: Vec<String>,
    answer: &'static str,
    keywords: bool,
    /// Blocked, and nothing at the school can loosen it.
    locked: Vec<String>,
    /// Blocked by level or profile.
    block: Vec<String>,
    observe: Vec<String>,
    allow: Vec<String>,
    deny: Vec<String>,
    /// The search engines that are held to their safe mode.
    safesearch: Vec<String>,
    /// The canaries that are answered negatively.
    canaries: Vec<&'static str>,
}

/// Checks, and exits 0, or 3 when anything is wrong.
pub fn run(arguments: &Arguments) -> ExitCode {
    match Assembler::new(Some(arguments.file.clone())).check() {
        Ok(assembled) => {
            let effective = arguments.effective.then(|| effective(&assembled.config));
            super::print(&if arguments.json {
                super::json(&said_well(&assembled, effective))
            } else {
                text(arguments, &assembled, effective.as_deref())
            });
            ExitCode::SUCCESS
        }
        Err(errors) => {
            if arguments.json {
                let mistakes = errors.iter().flat_map(mistakes).collect();
                let (lists, names, effective) = (Vec::new(), 0, None);
                super::print(&super::json(&Said { ok: false, mistakes, lists, names, effective }));
            } else {
                for error in &errors {
                    super::complain(&error.to_string());
                }
            }
            ExitCode::from(3)
        }
    }
}

fn said_well(assembled: &Assembled, effective: Option<Vec<Group>>) -> Said {
    let list = |file: &FileReport| List {
        path: file.path.clone(),
        format: file.format.id(),
        rules: file.rules,
        rejected: file.rejected,
        examples: file.examples.clone(),
    };
    Said {
        ok: true,
        mistakes: Vec::new(),
        lists: assembled.files.iter().map(list).collect(),
        names: assembled.snapshot.lists().len(),
        effective,
    }
}

fn mistakes(error: &AssembleError) -> Vec<Mistake> {
    match error {
        AssembleError::Config(errors) | AssembleError::Lists(ListError::Keywords(errors)) => {
            in_text(errors)
        }
        other => vec![Mistake {
            path: match other {
                AssembleError::ReadConfig { path, .. }
                | AssembleError::Lists(
                    ListError::Read { path, .. } | ListError::Refused { path, .. },
                ) => path.display().to_string(),
                AssembleError::Sealed(error) => error.path().display().to_string(),
                _ => String::new(),
            },
            line: None,
            column: None,
            message: other.to_string(),
            hint: None,
        }],
    }
}

fn in_text(errors: &ConfigErrors) -> Vec<Mistake> {
    let mistake = |mistake| {
        let (line, column) = errors.place_of(mistake);
        Mistake {
            path: errors.path().to_owned(),
            line: Some(line),
            column: Some(column),
            message: mistake.message.clone(),
            hint: mistake.hint.clone(),
        }
    };
    errors.mistakes().iter().map(mistake).collect()
}

fn text(arguments: &Arguments, assembled: &Assembled, effective: Option<&[Group]>) -> String {
    let Assembled { config, snapshot, files, downloads, .. } = assembled;
    let mut out = String::new();
    let is_absent = |source: &&Source| !config.lists.sources.contains(source);
    for source in downloads.sources.iter().filter(is_absent) {
        let _ = writeln!(out, "{}: not downloaded yet, and so not in force", source.label);
    }
    for file in files.iter().filter(|file| file.rejected > 0) {
        let FileReport { path, rules, rejected, examples, .. } = file;
        let (path, format) = (path.display(), file.format.id());
        let _ = writeln!(
            out,
            "{path}: {rules} rules as `{format}`, {rejected} lines left out, for example {examples}"
        );
    }
    for sealed in snapshot.sealed() {
        let (id, entries) = (sealed.table.id(), sealed.table.len());
        let _ = writeln!(out, "sealed list csam#{id}: {entries} entries");
    }
    for group in effective.unwrap_or(&[]) {
        out += &group_text(group);
    }
    let servers = match config.upstream.servers.len() {
        0 => "the system's upstreams".to_owned(),
        count => counted(count, "upstream"),
    };
    let path = arguments.file.display();
    let groups = counted(config.groups.len(), "group");
    let (lists, names) = (counted(files.len(), "list"), snapshot.lists().len());
    out + &format!("{path}: ok ({groups}, {servers}, {lists}, {names} names)\n")
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn group_text(group: &Group) -> String {
    let default = if group.is_default { " (default: clients in no other network)" } else { "" };
    let keywords = if group.keywords { "block" } else { "do nothing" };
    let mut out = format!("group {}{default}\n", group.name);
    for (what, words) in [
        ("clients", &group.clients),
        ("locked", &group.locked),
        ("block", &group.block),
        ("observe", &group.observe),
        ("allow", &group.allow),
        ("deny", &group.deny),
    ] {
        if !words.is_empty() {
            let _ = writeln!(out, "  {what:8} {}", words.join(" "));
        }
    }
    for (what, words) in
        [("safesearch", group.safesearch.join(" ")), ("canaries", group.canaries.join(" "))]
    {
        let words = if words.is_empty() { "off" } else { &words };
        let _ = writeln!(out, "  {what:10} {words}");
    }
    out + &format!("  answer   {}\n  keywords {keywords}\n", group.answer)
}

fn effective(config: &Config) -> Vec<Group> {
    let group = |(place, rules): (usize, &GroupRules)| Group {
        name: rules.name.clone(),
        is_default: place == config.default_group,
        clients: rules.clients.iter().map(ToString::to_string).collect(),
        answer: rules.answer.id(),
        keywords: rules.keywords && config.lists.use_keywords,
        locked: ids(&config.taxonomy, rules.locked),
        block: ids(&config.taxonomy, rules.block.without(rules.locked)),
        observe: ids(&config.taxonomy, rules.observe),
        allow: names(&rules.allow),
        deny: names(&rules.deny),
        safesearch: config.safesearch.engines.words(&rules.safe).map(|w| w.to_string()).collect(),
        canaries: rules.canaries.iter().map(|kind| kind.id()).collect(),
    };
    config.groups.iter().enumerate().map(group).collect()
}

fn names(names: &[Name]) -> Vec<String> {
    names.iter().map(|name| name.to_string().trim_end_matches('.').to_owned()).collect()
}

fn ids(taxonomy: &Taxonomy, set: CategorySet) -> Vec<String> {
    set.iter().map(|category| taxonomy.category(category).id.clone()).collect()
}
