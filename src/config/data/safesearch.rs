//! `safesearch.toml` → search engines, and their default modes by level.
//!
//! The key `safesearch` is for every engine with one safe name. An engine with several
//! (`modes`) has a key of its own, its id. Layers of settings are in `layers/enforcement.rs`.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;

use crate::category::Level;
use crate::config::file::report::Report;
use crate::config::file::shape::{self, SpannedText, SpannedTexts, Table};
use crate::config::file::value::each;
use crate::config::file::wire_error::name_error;
use crate::diagnostic::Diagnostic;
use crate::dns::name::Name;
use crate::lang::messages;
use crate::policy::tables::rewrite::{Engine, Engines, MAX_ENGINES, SafeModes};

/// The engine that has a key of its own.
pub(crate) const YOUTUBE: &str = "youtube";

/// Modes, weakest first: a lock sets the least one.
const STRICTNESS: [&str; 2] = ["moderate", "strict"];

/// Engines with a safe mode, and their default modes by level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SafeSearch {
    /// The engines.
    pub engines: Engines,
    /// By level, in the order of [`Level::ALL`].
    defaults: [SafeModes; 7],
}

/// The mode of an engine with modes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// No safe name.
    Off,
    /// The mode with this safe name.
    Safe(Name),
}

impl Mode {
    /// The safe name.
    pub(crate) fn target(&self) -> Option<&Name> {
        match self {
            Self::Off => None,
            Self::Safe(target) => Some(target),
        }
    }

    /// The safe name.
    pub(crate) fn into_target(self) -> Option<Name> {
        match self {
            Self::Off => None,
            Self::Safe(target) => Some(target),
        }
    }
}

/// The whole file as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SafeSearchFile {
    defaults: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<String>>>,
    engine: Vec<Spanned<Table<EngineFile>>>,
}

/// One `[[engine]]` as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct EngineFile {
    id: SpannedText,
    hosts: SpannedTexts,
    target: SpannedText,
    modes: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
    origin: SpannedText,
}

/// Reads the table of engines.
///
/// # Errors
///
/// The first mistake of shape, or every mistake of meaning.
pub fn parse(text: &str) -> Result<SafeSearch, Vec<Diagnostic>> {
    let file: SafeSearchFile = shape::parse(text).map_err(|mistake| vec![mistake])?;
    let mut report = Report::new(Path::new(""));
    let mut engines: Vec<Engine> = Vec::new();
    for table in &file.engine {
        let Some(engine) = read_engine(&mut report, table) else { continue };
        if engines.iter().any(|other| other.id == engine.id) {
            report.mistake(table.span(), messages::engine_already(&engine.id));
        }
        engines.push(engine);
    }
    if let Some(table) = file.engine.get(MAX_ENGINES) {
        report.mistake(table.span(), messages::too_many_engines(MAX_ENGINES));
    }
    let engines = Engines(engines);
    let defaults = read_defaults(&mut report, &file, &engines);
    let mistakes = report.into_mistakes();
    if mistakes.is_empty() { Ok(SafeSearch { engines, defaults }) } else { Err(mistakes) }
}

/// Reads one `[[engine]]`.
fn read_engine(report: &mut Report<'_>, table: &Spanned<Table<EngineFile>>) -> Option<Engine> {
    let file = table.get_ref();
    let Some(id) = &file.id else { return report.missing(table.span(), "[[engine]]", "id") };
    let is_label = |text: &str| {
        (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if !is_label(id.get_ref()) {
        let message = messages::no_engine_id(format!("{:?}", id.get_ref()));
        report.mistake(id.span(), message);
    }
    let mut name = |text: &Spanned<String>| match Name::from_text(text.get_ref()) {
        Ok(name) => Some(name),
        Err(error) => {
            report.mistake(text.span(), messages::no_name(text.get_ref(), name_error(&error)));
            None
        }
    };
    let hosts: Vec<Name> = each(&file.hosts).filter_map(&mut name).collect();
    let mut modes: Vec<(String, Name)> = file
        .modes
        .iter()
        .flatten()
        .filter_map(|(mode, target)| Some((mode.get_ref().clone(), name(target)?)))
        .collect();
    modes.sort_by_key(|(mode, _)| STRICTNESS.iter().position(|known| known == mode));
    modes.extend(file.target.as_ref().and_then(name).map(|target| (String::new(), target)));
    for mode in file.modes.iter().flatten().map(|(mode, _)| mode) {
        report.choice(messages::mode(), mode, &STRICTNESS, |mode| mode);
    }
    if file.target.is_some() == file.modes.is_some() || hosts.is_empty() {
        let message = messages::engine_needs(id.get_ref());
        report.mistake(table.span(), message);
    }
    let Some(origin) = &file.origin else {
        return report.missing(table.span(), "[[engine]]", "origin");
    };
    let origins = ["vendor", "third-party"];
    let origin = report.choice(messages::origin(), origin, &origins, |origin| origin)?;
    let is_third_party = origin == "third-party";
    Some(Engine { id: id.get_ref().clone(), hosts, modes, is_third_party })
}

/// Default modes by level. A level that is not named is a mistake, and never "off".
fn read_defaults(
    report: &mut Report<'_>,
    file: &SafeSearchFile,
    engines: &Engines,
) -> [SafeModes; 7] {
    let mut defaults = [(); 7].map(|()| SafeModes(vec![None; engines.0.len()]));
    for (key, levels) in &file.defaults {
        let own = engines.0.iter().position(|engine| engine.id == *key.get_ref());
        if own.is_none() && key.get_ref() != "safesearch" {
            report.unknown(messages::key(), key, ["safesearch", YOUTUBE]);
        }
        let mut seen = 0;
        for (level, word) in levels {
            let level = report.choice(messages::level(), level, &Level::ALL, Level::id);
            let place = Level::ALL.iter().position(|&one| Some(one) == level);
            let Some(modes) = place.and_then(|place| defaults.get_mut(place)) else { continue };
            seen += 1;
            for (number, engine) in engines.0.iter().enumerate() {
                let Some(slot) = modes.0.get_mut(number) else { continue };
                match own {
                    Some(own) if own == number => {
                        *slot = mode_of(report, engine, word).and_then(Mode::into_target);
                    }
                    None if !has_modes(engine) => *slot = plain_of(report, engine, word),
                    _ => {}
                }
            }
        }
        if seen != Level::ALL.len() {
            report.mistake(key.span(), messages::not_every_level(key.get_ref()));
        }
    }
    defaults
}

/// Whether an engine has modes, and so a key of its own.
pub(crate) fn has_modes(engine: &Engine) -> bool {
    engine.modes.iter().any(|(mode, _)| !mode.is_empty())
}

/// The safe name of an engine without modes, by `all` or `off`.
fn plain_of(report: &mut Report<'_>, engine: &Engine, word: &Spanned<String>) -> Option<Name> {
    let is_on = report.choice(messages::word(), word, &["all", "off"], |word| word) == Some("all");
    engine.modes.first().filter(|_| is_on).map(|(_, target)| target.clone())
}

/// A mode by its name, or `off`.
pub(crate) fn mode_of(
    report: &mut Report<'_>,
    engine: &Engine,
    word: &Spanned<String>,
) -> Option<Mode> {
    if word.get_ref() == "off" {
        return Some(Mode::Off);
    }
    let found = engine.modes.iter().find(|(mode, _)| mode == word.get_ref());
    if found.is_none() {
        let known = engine.modes.iter().map(|(mode, _)| mode.as_str()).chain(["off"]);
        report.unknown(messages::mode_of(&engine.id), word, known);
    }
    found.map(|(_, target)| Mode::Safe(target.clone()))
}

impl SafeSearch {
    /// Default modes of a level.
    pub(crate) fn of_level(&self, level: Level) -> SafeModes {
        let place = Level::ALL.iter().position(|&one| one == level);
        place.and_then(|place| self.defaults.get(place)).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_in_a_released_table_have_a_place() {
        let text = r#"
[defaults]
safesearch = { primary = "on" }
yutube = { primary = "strict" }

[[engine]]
id = "x"
hosts = ["a..example"]
target = "safe.x.example"
origin = "vendr"

[[engine]]
id = "youtube"
hosts = ["www.youtube.com"]
"#;
        let mistakes = parse(text).unwrap_err();
        let shown: String = mistakes.iter().map(|m| m.render("safesearch.toml", text)).collect();
        insta::assert_snapshot!(shown, @r#"
        safesearch.toml:3:1: `safesearch` does not name every level
          |
        3 | safesearch = { primary = "on" }
          | ^^^^^^^^^^
        safesearch.toml:4:1: `yutube` does not name every level
          |
        4 | yutube = { primary = "strict" }
          | ^^^^^^
        safesearch.toml:4:1: unknown key `yutube`; known are `safesearch`, `youtube`
          |
        4 | yutube = { primary = "strict" }
          | ^^^^^^
        hint: did you mean `youtube`?
        safesearch.toml:6:1: engine `x` needs `hosts`, and `target` or `modes`
          |
        6 | [[engine]]
          | ^^^^^^^^^^
        safesearch.toml:8:10: `a..example` is no name: a label is empty; write single dots between labels
          |
        8 | hosts = ["a..example"]
          |          ^^^^^^^^^^^^
        safesearch.toml:10:10: unknown origin `vendr`; known are `vendor`, `third-party`
           |
        10 | origin = "vendr"
           |          ^^^^^^^
        hint: did you mean `vendor`?
        safesearch.toml:12:1: engine `youtube` needs `hosts`, and `target` or `modes`
           |
        12 | [[engine]]
           | ^^^^^^^^^^
        safesearch.toml:12:1: this `[[engine]]` has no `origin`
           |
        12 | [[engine]]
           | ^^^^^^^^^^
        hint: add `origin = "…"`
        "#);
    }
}
