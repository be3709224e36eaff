//! A rule of the table → its file and line.
//!
//! The table has neither: the source is read again to find them, for `lachan why` and never for a
//! query.

use std::path::PathBuf;

use crate::blocklist::{Format, Parsed, ScopeChoice, parse};
use crate::config::Config;
use crate::config::data::starter;
use crate::load::lists::{STARTER_SOURCE, SourceOrigin};
use crate::matcher::build::Rule;
use crate::matcher::targeted::TargetRule;
use crate::sys::archive;

/// The place in which a rule is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOrigin {
    /// The source's name in the config.
    pub list: String,
    /// The file in it and the line, where the text can be read and still has the rule.
    pub place: Option<(PathBuf, u32)>,
}

/// Finds the place of `rule` about `name`, a wire name.
pub fn origin(config: &Config, sources: &[SourceOrigin], rule: &Rule, name: &[u8]) -> RuleOrigin {
    origin_by(config, sources, rule, &|parsed| {
        let says = |line: &crate::blocklist::ListRule<'_>| {
            line.name == name && line.scope == rule.scope && line.effect == rule.effect
        };
        parsed.rules().find(says).map(|found| found.line)
    })
}

/// As [`origin`], of a rule about more than a name.
pub fn origin_of_target(
    config: &Config,
    sources: &[SourceOrigin],
    TargetRule { target, rule, .. }: &TargetRule,
) -> RuleOrigin {
    origin_by(config, sources, rule, &|parsed| {
        let says = |line: &&crate::blocklist::ListTarget| {
            line.target == *target && line.scope == rule.scope && line.effect == rule.effect
        };
        parsed.targets.iter().find(says).map(|found| found.line)
    })
}

/// The place of a rule; `find` has the line in a text.
fn origin_by(
    config: &Config,
    sources: &[SourceOrigin],
    rule: &Rule,
    find: &dyn Fn(&Parsed) -> Option<u32>,
) -> RuleOrigin {
    let place = |text: &[u8], format, scope| find(&parse(text, format, scope));
    let Some(from) = sources.get(usize::from(rule.source)) else {
        return RuleOrigin { list: "several lists".into(), place: None };
    };
    if from.place == Some(STARTER_SOURCE) {
        let id = &config.taxonomy.category(rule.category).id;
        let text = starter::STARTER.iter().find(|(of, _)| of == id).map_or("", |(_, text)| text);
        let line = place(text.as_bytes(), Format::Domains, ScopeChoice::AsFormat);
        let file = PathBuf::from(format!("starter/{id}.txt"));
        return RuleOrigin { list: "starter".into(), place: line.map(|line| (file, line)) };
    }
    let source = from.place.and_then(|place| config.lists.sources.get(usize::from(place) - 1));
    let Some(source) = source else {
        // The text was not delivered with the pack.
        return RuleOrigin { list: from.name.clone(), place: None };
    };
    let mut texts = archive::files(&source.path)
        .into_iter()
        .flatten()
        .filter_map(|file| archive::texts(&file).ok())
        .flatten();
    let place =
        texts.find_map(|(file, text)| Some((file, place(&text, source.format, source.scope)?)));
    RuleOrigin { list: source.label.clone(), place }
}
