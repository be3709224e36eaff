//! `lachan check FILE`: every mistake at once, and the policy in effect.

mod policy;
mod readable;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use self::policy::{
    Difference, GroupView, department_text, difference_text, differences, effective, group_text,
    times_text,
};
use crate::cli::output::{INVALID, complain, json, parse_lang, print};
use crate::config::{Config, ConfigErrors, ListSource};
use crate::lang::{Lang, Message, messages};
use crate::load::assemble::{AssembleError, Assembled, Assembler};
use crate::load::guard::GuardFinding;
use crate::load::kept::find;
use crate::load::kept::held::Held;
use crate::load::lists::FileReport;
use crate::load::lists::list_error::ListError;
use crate::sys::certificates::{CertificateChange, Certificates};
use crate::sys::clock::system_time;
use crate::sys::os::interface_number;
use crate::sys::presence::absent;
use crate::sys::read::text;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct CheckArguments {
    /// The config file.
    file: PathBuf,
    /// Print the policy in effect for each group.
    #[arg(long)]
    effective: bool,
    /// Print how each group differs from the policy of the department, or of the taxonomy.
    #[arg(long)]
    diff: bool,
    /// The language of hints and refusals; the config's by default.
    #[arg(long, value_parser = parse_lang)]
    lang: Option<Lang>,
    /// Exit 3 where there is a warning.
    #[arg(long)]
    strict: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Result of a check, as JSON.
#[derive(Debug, Serialize)]
struct CheckResult {
    ok: bool,
    mistakes: Vec<Mistake>,
    /// What may be a mistake, or only be later: addresses and interfaces that are not there.
    warnings: Vec<Mistake>,
    /// True where a gateway of this config would go on with kept copies of mistaken files.
    kept: bool,
    lists: Vec<List>,
    /// Listed names, of all lists.
    names: usize,
    /// The time zone of schedules.
    timezone: String,
    /// Schedules, by name: days, times and calendars.
    schedules: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective: Option<Vec<GroupView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Vec<Difference>>,
}

/// One mistake; its place is absent where it is about a whole file.
#[derive(Debug, Serialize)]
struct Mistake {
    path: String,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
    hint: Option<String>,
}

/// One list and its rules.
#[derive(Debug, Serialize)]
struct List {
    path: PathBuf,
    format: &'static str,
    rules: usize,
    rejected: u32,
    /// The same by reason.
    rejects: BTreeMap<String, u32>,
    /// Rules with answers of their own that only block: the source is not `trusted`.
    answers: u64,
    examples: String,
}

/// Checks, and exits 0, or 3 when anything is wrong. A warning is wrong with `--strict` alone.
pub fn run(arguments: &CheckArguments) -> ExitCode {
    match Assembler::new(Some(arguments.file.clone())).check() {
        Ok(assembled) => {
            let effective = arguments.effective.then(|| effective(&assembled.config));
            let diff = arguments.diff.then(|| differences(&assembled.config));
            print(&if arguments.json {
                json(&passed(arguments, &assembled, effective, diff))
            } else {
                for_people(arguments, &assembled, effective.as_deref(), diff.as_deref())
            });
            let is_warned = !warnings(arguments, &assembled.config, &assembled.voided).is_empty();
            let is_refused = arguments.strict && is_warned || !assembled.held.is_empty();
            if is_refused { ExitCode::from(INVALID) } else { ExitCode::SUCCESS }
        }
        Err(errors) => {
            let errors: Vec<AssembleError> =
                errors.into_iter().map(|error| error.in_lang(arguments.lang)).collect();
            let kept = find(&arguments.file, &text(&arguments.file).unwrap_or_default());
            let kept = kept.is_of(&arguments.file);
            if arguments.json {
                let mistakes = errors.iter().flat_map(mistakes).collect();
                let (lists, names) = (Vec::new(), 0);
                let (effective, diff) = (None, None);
                let warnings = Vec::new();
                let result = CheckResult {
                    ok: false,
                    mistakes,
                    warnings,
                    kept,
                    lists,
                    names,
                    timezone: String::new(),
                    schedules: BTreeMap::new(),
                    effective,
                    diff,
                };
                print(&json(&result));
            } else {
                for error in &errors {
                    complain(&error.to_string());
                }
                if kept {
                    let lang = errors.iter().find_map(lang_of).or(arguments.lang);
                    complain(&messages::kept_copies_stand_in().in_lang(lang.unwrap_or_default()));
                }
            }
            ExitCode::from(INVALID)
        }
    }
}

/// The result of a config without mistakes.
fn passed(
    arguments: &CheckArguments,
    assembled: &Assembled,
    effective: Option<Vec<GroupView>>,
    diff: Option<Vec<Difference>>,
) -> CheckResult {
    let list = |file: &FileReport| List {
        path: file.path.clone(),
        format: file.format.id(),
        rules: file.rules,
        rejected: file.rejected,
        rejects: file.rejects.clone(),
        answers: file.answers,
        examples: file.examples.clone(),
    };
    CheckResult {
        ok: assembled.held.is_empty(),
        mistakes: assembled.held.iter().map(lost).collect(),
        warnings: warnings(arguments, &assembled.config, &assembled.voided),
        kept: !assembled.held.is_empty(),
        lists: assembled.files.iter().map(list).collect(),
        names: assembled.snapshot.lists().len(),
        timezone: assembled.config.school.timezone.clone(),
        schedules: assembled
            .config
            .schedules
            .iter()
            .map(|schedule| (schedule.name.clone(), schedule.words()))
            .collect(),
        effective,
        diff,
    }
}

/// The warnings of the config, and what this machine does not have now: a typing mistake, or what
/// comes later.
fn warnings(arguments: &CheckArguments, config: &Config, voided: &[GuardFinding]) -> Vec<Mistake> {
    let lang = arguments.lang.unwrap_or(config.school.lang);
    let listen: Vec<_> = config.listen.all().chain([config.admin.listen]).collect();
    let addresses = absent(&listen).into_iter().map(messages::address_absent);
    let zones = config.forwards.iter().flat_map(|zone| &zone.servers);
    let interfaces = config.upstream.servers.iter().chain(zones).filter_map(|server| {
        let name = server.interface.as_deref()?;
        interface_number(name).is_none().then(|| messages::interface_absent(&server.label, name))
    });
    let path = arguments.file.display().to_string();
    let placeless = |(message, hint): (Message, Option<Message>)| Mistake {
        path: path.clone(),
        line: None,
        column: None,
        message: message.in_lang(lang),
        hint: hint.map(|hint| hint.in_lang(lang)),
    };
    let certificates = Certificates::new(&config.listen.tls).look().into_iter();
    let faults = certificates.filter_map(|change| match change {
        CertificateChange::Refused(fault) => Some(fault.message()),
        CertificateChange::Used(_) => None,
    });
    let machine = addresses.chain(interfaces).chain(faults).map(|message| (message, None));
    let voided = voided.iter().map(|one| {
        let message = messages::guard_voids(&one.source, &one.category, one.count, one.shown());
        (message, Some(messages::accept_if_meant()))
    });
    let unreadable = readable::warnings(&arguments.file, config);
    let mut all = in_text(&config.warnings(system_time()).in_lang(lang));
    let state = readable::state(config);
    all.extend(voided.chain(machine).chain(unreadable).chain(state).map(placeless));
    all
}

/// A file that a gateway here holds back, though it has no mistake in itself.
fn lost(held: &Held) -> Mistake {
    let path = held.label.clone();
    Mistake { path, line: None, column: None, message: held.why.clone(), hint: None }
}

/// The mistakes of one error; without a place where the error has none.
fn mistakes(error: &AssembleError) -> Vec<Mistake> {
    match error {
        AssembleError::Config(errors) | AssembleError::Lists(ListError::Keywords(errors), _) => {
            in_text(errors)
        }
        other => vec![Mistake {
            path: match other {
                AssembleError::ReadConfig { path, .. }
                | AssembleError::OwnServer { path, .. }
                | AssembleError::Lists(
                    ListError::Read { path, .. }
                    | ListError::Refused { path, .. }
                    | ListError::Lost { path, .. },
                    _,
                ) => path.display().to_string(),
                AssembleError::Sealed(error, _) => error.path().display().to_string(),
                _ => String::new(),
            },
            line: None,
            column: None,
            message: other.to_string(),
            hint: None,
        }],
    }
}

/// The mistakes of a text, each with its place.
fn in_text(errors: &ConfigErrors) -> Vec<Mistake> {
    let mistake = |mistake| {
        let (line, column) = errors.place_of(mistake);
        Mistake {
            path: errors.path().to_owned(),
            line: Some(line),
            column: Some(column),
            message: mistake.message.in_lang(errors.lang()),
            hint: mistake.hint.as_ref().map(|hint| hint.in_lang(errors.lang())),
        }
    };
    errors.mistakes().iter().map(mistake).collect()
}

/// The language of an error that has one.
fn lang_of(error: &AssembleError) -> Option<Lang> {
    match error {
        AssembleError::Config(errors) => Some(errors.lang()),
        AssembleError::Lists(_, lang) | AssembleError::Sealed(_, lang) => Some(*lang),
        _ => None,
    }
}

/// The result for people.
fn for_people(
    arguments: &CheckArguments,
    assembled: &Assembled,
    effective: Option<&[GroupView]>,
    diff: Option<&[Difference]>,
) -> String {
    let Assembled { config, snapshot, files, voided, .. } = assembled;
    let mut out = String::new();
    for Mistake { path, line, column, message, hint } in warnings(arguments, config, voided) {
        let place = line.zip(column).map(|(line, column)| format!(":{line}:{column}"));
        let _ = writeln!(out, "{path}{}: warning: {message}", place.unwrap_or_default());
        let lang = arguments.lang.unwrap_or(config.school.lang);
        if let Some(hint) = hint {
            let word = if lang == Lang::Vi { "gợi ý" } else { "hint" };
            let _ = writeln!(out, "{word}: {hint}");
        }
    }
    out += &lists_text(arguments, assembled);
    for sealed in snapshot.sealed() {
        let (id, entries) = (sealed.table.id(), sealed.table.len());
        let _ = writeln!(out, "sealed list csam#{id}: {entries} entries");
    }
    if effective.is_some() {
        out += &department_text(config);
        out += &times_text(config);
    }
    for group in effective.unwrap_or(&[]) {
        out += &group_text(group);
    }
    for difference in diff.unwrap_or(&[]) {
        out += &difference_text(difference);
    }
    let servers = match config.upstream.servers.len() {
        0 => "the system's upstreams".to_owned(),
        count => counted(count, "upstream"),
    };
    let path = arguments.file.display();
    if !assembled.held.is_empty() {
        for Mistake { path, message, .. } in assembled.held.iter().map(lost) {
            let _ = writeln!(out, "{path}: {message}");
        }
        let lang = arguments.lang.unwrap_or(config.school.lang);
        return out + &messages::kept_copies_stand_in().in_lang(lang) + "\n";
    }
    let groups = counted(config.groups.len(), "group");
    let (lists, names) = (counted(files.len(), "list"), snapshot.lists().len());
    out + &format!("{path}: ok ({groups}, {servers}, {lists}, {names} names)\n")
}

/// What is to be said of lists: those that are not there yet, and what of them does not act.
fn lists_text(arguments: &CheckArguments, assembled: &Assembled) -> String {
    let Assembled { config, files, downloads, .. } = assembled;
    let is_absent = |source: &&ListSource| !config.lists.sources.contains(source);
    let absent = downloads.sources.iter().filter(is_absent);
    let absent = absent.map(|source| messages::list_not_downloaded(&source.label));
    let lost = files.iter().filter(|file| file.rejected > 0).map(|file| {
        let FileReport { path, rules, rejected, examples, .. } = file;
        let format = file.format.id();
        messages::list_lines_left_out(path.display(), rules, format, rejected, examples)
    });
    let answers = files.iter().filter(|file| file.answers > 0).map(|file| {
        messages::untrusted_answers(file.path.display(), file.answers, "trusted = true")
    });
    let unused = files.iter().filter_map(|file| {
        let triggers = file.rejects.iter().filter(|(reason, _)| reason.starts_with("rpz-"));
        let triggers: Vec<String> =
            triggers.map(|(reason, count)| format!("{count} {reason}")).collect();
        let is_any = !triggers.is_empty();
        is_any.then(|| messages::unused_triggers(file.path.display(), triggers.join(", ")))
    });
    let lang = arguments.lang.unwrap_or(config.school.lang);
    absent
        .chain(lost)
        .chain(unused)
        .chain(answers)
        .map(|message| message.in_lang(lang) + "\n")
        .collect()
}

/// A count with its noun.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
