//! `lachan lists inspect`, `verify`, `lookup`: the content of a pack.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use crate::category::CategorySet;
use crate::cli::lists::pack_file::{effect, open};
use crate::cli::lists::report::{SourceReport, Summary, sources_text};
use crate::cli::lists::table::table;
use crate::cli::output::{complain, finish_or_invalid, json};
use crate::digest::hex;
use crate::dns::name::{Folded, Name};
use crate::matcher::SuffixHashes;
use crate::matcher::build::join;
use crate::pack::{Pack, TargetedRule};
use crate::publish::lint::finding::{reach, shown};

/// Arguments of `lists inspect`.
#[derive(Debug, clap::Args)]
pub struct InspectArguments {
    /// The pack.
    file: PathBuf,
    /// Print every listed name with its rules.
    #[arg(long)]
    names: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Arguments of `lists verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArguments {
    /// The pack.
    file: PathBuf,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Arguments of `lists lookup`.
#[derive(Debug, clap::Args)]
pub struct LookupArguments {
    /// The name in presentation form.
    name: String,
    /// The pack.
    file: PathBuf,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// The content of a pack.
#[derive(Debug, Serialize)]
struct Inspected {
    pack: String,
    seed: u64,
    #[serde(flatten)]
    summary: Summary,
    sections: Vec<(&'static str, usize)>,
    sources: Vec<SourceReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    listed: Vec<Listed>,
}

/// One rule for one name.
#[derive(Debug, Serialize)]
struct Listed {
    rule: String,
    category: String,
    effect: &'static str,
    source: String,
}

/// Shows a pack; exits 0, or 3 for a file that is no pack.
pub fn run(arguments: &InspectArguments) -> ExitCode {
    finish_or_invalid(inspect(arguments))
}

/// The content of a pack, as text or JSON.
fn inspect(arguments: &InspectArguments) -> Result<String, String> {
    let pack = open(&arguments.file)?;
    let inspected = Inspected {
        pack: arguments.file.display().to_string(),
        seed: pack.seed(),
        summary: Summary::of(&pack),
        sections: pack.section_octets().collect(),
        sources: pack.sources().iter().map(SourceReport::of).collect(),
        listed: if arguments.names { all(&pack) } else { Vec::new() },
    };
    if arguments.json {
        return Ok(json(&inspected));
    }
    let rows = inspected.sections.iter().map(|(id, octets)| vec![(*id).into(), octets.to_string()]);
    let rows: Vec<Vec<String>> = rows.collect();
    let mut out = format!(
        "{}: {}\n{}\n{}",
        inspected.pack,
        inspected.summary.text(),
        sources_text(&inspected.sources),
        table(&["section", "octets"], &rows)
    );
    if arguments.names {
        let _ = write!(out, "\n{}", listed_text(&inspected.listed));
    }
    Ok(out)
}

/// Every rule of a pack, by name.
fn all(pack: &Pack) -> Vec<Listed> {
    let mut names = Vec::with_capacity(pack.len());
    pack.each_name(|wire, set| names.push((shown(wire), set)));
    names.sort_unstable();
    let named = names.iter().flat_map(|(name, set)| rules(pack, name, *set));
    named.chain(pack.targets().iter().map(|one| target(pack, one))).collect()
}

/// A rule about more than a name.
fn target(pack: &Pack, one: &TargetedRule) -> Listed {
    listed(pack, &one.rule, one.target.text(one.rule.scope))
}

/// The rules of a set, for `name`.
fn rules(pack: &Pack, name: &str, set: u16) -> Vec<Listed> {
    let (_, rules) = pack.set(set);
    rules.map(|rule| listed(pack, rule, reach(rule.scope, name))).collect()
}

/// A rule with its category and source.
fn listed(pack: &Pack, rule: &crate::rule::Rule, text: String) -> Listed {
    Listed {
        rule: text,
        category: pack.categories().get(rule.category.index()).cloned().unwrap_or_default(),
        effect: effect(rule),
        source: match pack.sources().get(usize::from(rule.source)) {
            Some(source) => source.name.clone(),
            None => "several".into(),
        },
    }
}

/// Rules as columns.
fn listed_text(listed: &[Listed]) -> String {
    let row = |l: &Listed| {
        vec![l.rule.clone(), l.effect.to_owned(), l.category.clone(), l.source.clone()]
    };
    let rows: Vec<Vec<String>> = listed.iter().map(row).collect();
    table(&["rule", "effect", "category", "source"], &rows)
}

/// A pack that has passed every check.
#[derive(Debug, Serialize)]
struct Verified {
    ok: bool,
    names: usize,
    digest: String,
    check: String,
}

/// Verifies a pack; exits 0, or 3 for a file that cannot be used.
pub fn verify(arguments: &VerifyArguments) -> ExitCode {
    let result = open(&arguments.file).and_then(|pack| {
        let path = arguments.file.display();
        pack.verify_names().map_err(|error| format!("{path}: {error}"))?;
        let (names, digest, check) = (pack.len(), hex(&pack.digest()), hex(&pack.check()));
        Ok(if arguments.json {
            json(&Verified { ok: true, names, digest, check })
        } else {
            format!("{path}: ok ({names} names, digest {digest})\n")
        })
    });
    finish_or_invalid(result)
}

/// A name and its rules.
#[derive(Debug, Serialize)]
struct Found {
    name: String,
    categories: Vec<String>,
    /// Rules for the name and its parents, nearest first.
    rules: Vec<Listed>,
}

/// Looks a name up; exits 0, listed or not.
pub fn lookup(arguments: &LookupArguments) -> ExitCode {
    let name = match Name::from_text(&arguments.name) {
        Ok(name) => name,
        Err(error) => {
            complain(&format!("`{}` is no name: {error}", arguments.name));
            return ExitCode::from(2);
        }
    };
    finish_or_invalid(find(arguments, &name))
}

/// The rules for a name, as text or JSON.
fn find(arguments: &LookupArguments, name: &Name) -> Result<String, String> {
    let pack = open(&arguments.file)?;
    let folded = Folded::from_name(name);
    // Category numbers of the pack suffice: no taxonomy is needed to print ids.
    let number = |id: &str| pack.categories().iter().position(|other| other == id);
    let joined =
        join([std::sync::Arc::clone(&pack)], |id| crate::category::CategoryId::new(number(id)?));
    let table = joined.map_err(|error| error.to_string())?.table;
    let set: CategorySet = table.lookup(&folded, &SuffixHashes::of(&folded, table.seed())).set;
    let mut found =
        Found { name: shown(name.as_wire()), categories: Vec::new(), rules: Vec::new() };
    found.categories =
        set.iter().filter_map(|c| pack.categories().get(c.index()).cloned()).collect();
    let mut at = Some(name.clone());
    while let Some(node) = at.filter(|node| !node.is_root()) {
        if let Some(set) = pack.set_of(&Folded::from_name(&node)) {
            found.rules.extend(rules(&pack, &shown(node.as_wire()), set));
        }
        at = node.parent();
    }
    let hashes = SuffixHashes::of(&folded, table.seed());
    let beside = table.trace_targets(&folded, &hashes, None).into_iter();
    // The numbers of a pack joined alone are its own.
    found.rules.extend(beside.map(|one| listed(&pack, &one.rule, one.target.text(one.rule.scope))));
    if arguments.json {
        return Ok(json(&found));
    }
    let mut out = String::new();
    let listed =
        if found.categories.is_empty() { "not listed".into() } else { found.categories.join(", ") };
    let _ = writeln!(out, "{}: {listed}", found.name);
    if !found.rules.is_empty() {
        let _ = write!(out, "\n{}", listed_text(&found.rules));
    }
    Ok(out)
}
