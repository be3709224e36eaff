//! `lachan why service:ID`, `why bundle:NAME`: what is done with each name of a word.

use std::fmt::Write as _;

use serde::Serialize;

use crate::config::Config;
use crate::config::layers::words::{UnknownWord, WordKind};
use crate::dns::name::Name;
use crate::lang::messages;

/// Result of `why` for a word, for people and for scripts.
#[derive(Debug, Serialize)]
pub(super) struct WordResult {
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
pub(super) struct WordName {
    pub(super) name: String,
    pub(super) verdict: &'static str,
    pub(super) layer: &'static str,
    pub(super) category: Option<String>,
    pub(super) rule: Option<String>,
}

impl WordResult {
    /// Explains each name of a word for a group.
    ///
    /// # Errors
    ///
    /// That there is no such word, and which there are.
    pub(super) fn of(
        word: &str,
        config: &Config,
        group: &str,
        describe: impl Fn(&Name) -> WordName,
    ) -> Result<Self, String> {
        let names = names(config, word)?;
        let service = match WordKind::of(word) {
            Some((WordKind::Service, id)) => config.words.services().get(id),
            _ => None,
        };
        let unverified = service.map_or(&[][..], |service| &service.unverified);
        Ok(Self {
            word: word.to_owned(),
            label: service.map(|service| (service.vi.clone(), service.en.clone())),
            group: group.to_owned(),
            names: names.iter().map(describe).collect(),
            unverified: unverified.iter().map(shown).collect(),
        })
    }
}

/// The services that a name is of, as words.
pub(super) fn services_of(config: &Config, name: &Name) -> Vec<String> {
    config.words.services_of(name).map(|(id, _)| format!("service:{id}")).collect()
}

/// A name without the final dot.
pub(super) fn shown(name: &Name) -> String {
    name.to_string().trim_end_matches('.').to_owned()
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
pub(super) fn text(result: &WordResult) -> String {
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
