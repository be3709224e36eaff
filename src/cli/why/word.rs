//! `lachan why service:ID`, `why bundle:NAME`: what is done with each name of a word.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::{PolicyAt, WhyArguments, WhyResult};
use crate::cli::output::{CommandFailure, finish, json};
use crate::config::Config;
use crate::config::layers::words::{UnknownWord, WordKind};
use crate::dns::name::Name;
use crate::lang::messages;

/// Result of `why` for a word, for people and for scripts.
#[derive(Debug, Serialize)]
struct WordResult {
    word: String,
    /// What a service is called in Vietnamese and in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<(String, String)>,
    group: String,
    names: Vec<WordName>,
    /// Names of a service that nobody looked up: the word does not stand for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unverified: Vec<String>,
}

/// The verdict on one name.
#[derive(Debug, Serialize)]
struct WordName {
    name: String,
    verdict: &'static str,
    layer: &'static str,
    category: Option<String>,
    rule: Option<String>,
}

/// Explains each name of a word; exits as `why` does, and 2 for an unknown word.
pub(super) fn run(arguments: &WhyArguments) -> ExitCode {
    finish(explain(arguments).map(
        |result| {
            if arguments.json { json(&result) } else { text(&result) }
        },
    ))
}

fn explain(arguments: &WhyArguments) -> Result<WordResult, CommandFailure> {
    let policy = PolicyAt::read(arguments)?;
    let names = names(&policy.config, &arguments.name).map_err(|message| (2, message))?;
    let describe = |name: &Name| policy.describe(arguments, name);
    let described: Vec<WhyResult> = names.iter().map(describe).collect();
    let services = policy.config.words.services();
    let service = match WordKind::of(&arguments.name) {
        Some((WordKind::Service, id)) => services.get(id),
        _ => None,
    };
    let shown = |name: &Name| name.to_string().trim_end_matches('.').to_owned();
    let group = policy.snapshot.group_of(arguments.client, arguments.listener);
    Ok(WordResult {
        word: arguments.name.clone(),
        label: service.map(|service| (service.vi.clone(), service.en.clone())),
        group: policy.snapshot.group(group).name.clone(),
        names: names
            .iter()
            .zip(described)
            .map(|(name, result)| WordName {
                name: shown(name),
                verdict: result.verdict,
                layer: result.layer,
                category: result.category,
                rule: result.rule,
            })
            .collect(),
        unverified: service
            .map(|one| one.unverified.iter().map(shown).collect())
            .unwrap_or_default(),
    })
}

/// The names of a word, or why there are none.
fn names(config: &Config, word: &str) -> Result<Vec<Name>, String> {
    match config.words.names(word) {
        Some(Ok(names)) => Ok(names.to_vec()),
        Some(Err(UnknownWord { kind, given, known })) => {
            let lang = config.school.lang;
            Err(messages::override_no_word(kind.message(), given, known.join(", ")).in_lang(lang))
        }
        None => Ok(Vec::new()),
    }
}

/// The result for people.
fn text(result: &WordResult) -> String {
    let label = result.label.as_ref().map_or(String::new(), |(vi, en)| {
        if vi == en { format!(": {vi}") } else { format!(": {vi} / {en}") }
    });
    let mut out = format!("{}{label}, for group {}\n", result.word, result.group);
    let width = result.names.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    for WordName { name, verdict, layer, category, .. } in &result.names {
        let category = category.as_ref().map_or(String::new(), |id| format!(", {id}"));
        let _ = writeln!(out, "  {name:width$}  {verdict} ({layer}{category})");
    }
    if result.names.is_empty() {
        out += "  no name: nobody looked its names up\n";
    }
    if !result.unverified.is_empty() {
        let _ = writeln!(out, "  unverified, not used: {}", result.unverified.join(", "));
    }
    out
}
