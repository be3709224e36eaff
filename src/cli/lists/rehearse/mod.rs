//! `lachan lists rehearse CONFIG --pack PACK`: what another pack would block or open, before it acts.
//!
//! The policy of the config is made as `why` makes it, once as it is and once with the pack in the
//! place of the delivered one. Of what this school asks for, the bits in its state directory are
//! known here; the names that only the running gateway remembers are not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::lists::pack_file::open;
use crate::cli::lists::table::table;
use crate::cli::output::{CommandFailure, INVALID, complain, json, parse_lang, print};
use crate::lang::{Lang, Message, messages};
use crate::load::assemble::{AssembleError, Assembled, Assembler};
use crate::load::rehearsal::{popular, rehearse_policies, remember};
use crate::overrides::Overrides;
use crate::rehearse::compare::{Rehearsal, RehearsedRow, RehearsedSet};
use crate::rehearse::recent::RecentNames;
use crate::resolve::{Now, Trust};
use crate::sys::clock::system_time;
use crate::sys::state_dir::StateDir;

/// Arguments of `lists rehearse`.
#[derive(Debug, clap::Args)]
pub struct RehearseArguments {
    /// The config file.
    config: PathBuf,
    /// The pack to rehearse, in the place of `packs` of `[lists]`.
    #[arg(long, value_name = "FILE")]
    pack: PathBuf,
    /// Name the names; never those of a protected category.
    #[arg(long)]
    names: bool,
    /// The language of the report; the config's by default.
    #[arg(long, value_parser = parse_lang)]
    lang: Option<Lang>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// The report as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// Whether a gateway would hold a release with this outcome.
    holds: bool,
    /// Guarded and essential names that hold it.
    holding: usize,
    /// Names of each set.
    rehearsed: &'a BTreeMap<&'static str, usize>,
    groups: usize,
    new_groups: usize,
    changes: Vec<Row<'a>>,
    /// Names that would be newly blocked in any group, by category.
    newly_blocked: &'a BTreeMap<String, usize>,
    /// Of the queries of this school, in percent; null where nothing is known of them.
    unrehearsed_percent: Option<f64>,
}

/// One change of names.
#[derive(Debug, Serialize)]
struct Row<'a> {
    group: &'a str,
    set: &'static str,
    category: &'a str,
    newly_blocked: usize,
    newly_open: usize,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    names_blocked: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    names_open: &'a [String],
}

/// Rehearses; exits 0, or 3 where guarded or essential names would be blocked, or where config or
/// pack cannot be used.
pub fn run(arguments: &RehearseArguments) -> ExitCode {
    match rehearse(arguments) {
        Ok((found, lang)) => {
            print(&if arguments.json { json(&report(&found)) } else { text(&found, lang) });
            if found.holds() { ExitCode::from(INVALID) } else { ExitCode::SUCCESS }
        }
        Err((code, message)) => {
            complain(&message);
            ExitCode::from(code)
        }
    }
}

fn rehearse(arguments: &RehearseArguments) -> Result<(Rehearsal, Lang), CommandFailure> {
    let refused = |error: AssembleError| (INVALID, error.in_lang(arguments.lang).to_string());
    // A pack that is not whole has no policy to compare.
    open(&arguments.pack).map_err(|error| (INVALID, error))?;
    let civil = system_time();
    let assembler = || Assembler::new(Some(arguments.config.clone())).with_kept().around(civil);
    let mut before = assembler();
    let (config, _) = before.downloads().map_err(refused)?;
    let mut after = assembler().with_pack(arguments.pack.clone());
    let recent = RecentNames::new(popular(&config.data), (0, 0));
    if let Some(dir) = config.state.dir.as_ref().filter(|dir| dir.is_dir()) {
        let state = StateDir::at(dir.clone()).ok();
        if let Some(state) = &state {
            remember(&recent, state);
        }
        let overrides = Overrides::open(state).list(civil);
        before.set_overrides(overrides.clone());
        after.set_overrides(overrides);
    }
    let Assembled { snapshot: old, config, .. } = before.assemble().map_err(refused)?;
    let Assembled { snapshot: new, config: next, .. } = after.assemble().map_err(refused)?;
    let now = Now { mono: 1, civil, trust: Trust::Synced };
    let found =
        rehearse_policies((&old, &new), [&config.data, &next.data], &recent, now, arguments.names);
    Ok((found, arguments.lang.unwrap_or(config.school.lang)))
}

impl<'a> From<&'a RehearsedRow> for Row<'a> {
    fn from(row: &'a RehearsedRow) -> Self {
        Self {
            group: &row.group,
            set: row.set.id(),
            category: &row.category,
            newly_blocked: row.blocked,
            newly_open: row.opened,
            names_blocked: &row.names.0,
            names_open: &row.names.1,
        }
    }
}

fn report(found: &Rehearsal) -> Report<'_> {
    Report {
        holds: found.holds(),
        holding: found.holding,
        rehearsed: &found.names,
        groups: found.groups,
        new_groups: found.new_groups,
        changes: found.rows.iter().map(Row::from).collect(),
        newly_blocked: &found.newly_blocked,
        unrehearsed_percent: found.unrehearsed_permille.map(|share| f64::from(share) / 10.0),
    }
}

/// The report for people.
fn text(found: &Rehearsal, lang: Lang) -> String {
    let say = |message: Message| message.in_lang(lang);
    let heading = [
        messages::rehearsal_group(),
        messages::rehearsal_set(),
        messages::rehearsal_category(),
        messages::rehearsal_blocked(),
        messages::rehearsal_opened(),
    ]
    .map(say);
    let rows: Vec<Vec<String>> = found
        .rows
        .iter()
        .map(|row| {
            let (blocked, opened) = (row.blocked.to_string(), row.opened.to_string());
            vec![row.group.clone(), say(set(row.set)), row.category.clone(), blocked, opened]
        })
        .collect();
    let mut out = if rows.is_empty() {
        format!("{}\n", say(messages::rehearsal_no_change()))
    } else {
        table(&heading.each_ref().map(String::as_str), &rows)
    };
    for row in &found.rows {
        for (what, names) in [
            (messages::rehearsal_names_blocked(), &row.names.0),
            (messages::rehearsal_names_opened(), &row.names.1),
        ] {
            if !names.is_empty() {
                let (set, what) = (say(set(row.set)), say(what));
                let names = names.join("\n  ");
                let _ =
                    write!(out, "\n{}, {set}, {}, {what}\n  {names}\n", row.group, row.category);
            }
        }
    }
    let count = |set: RehearsedSet| found.names.get(set.id()).copied().unwrap_or(0);
    let [guard, essential, popular, recent] = RehearsedSet::ALL.map(count);
    let names = messages::rehearsal_names_were(guard, essential, popular, recent);
    let unrehearsed =
        found.unrehearsed_permille.map_or_else(messages::rehearsal_unknown, |share| {
            messages::rehearsal_unrehearsed(format!("{}.{}", share / 10, share % 10))
        });
    let _ = write!(out, "\n{}\n{}\n", say(names), say(unrehearsed));
    if found.new_groups > 0 {
        let _ = writeln!(out, "{}", say(messages::rehearsal_new_groups(found.new_groups)));
    }
    if found.holds() {
        let _ = writeln!(out, "{}", say(messages::rehearsal_holds(found.holding)));
    }
    out
}

fn set(set: RehearsedSet) -> Message {
    match set {
        RehearsedSet::Guard => messages::rehearsal_set_guard(),
        RehearsedSet::Essential => messages::rehearsal_set_essential(),
        RehearsedSet::Popular => messages::rehearsal_set_popular(),
        RehearsedSet::Recent => messages::rehearsal_set_recent(),
    }
}
