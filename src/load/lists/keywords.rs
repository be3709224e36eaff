//! Keyword rules: those of a file, of a pack, or those that are built in.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::data::starter;
use crate::config::{Config, ConfigErrors};
use crate::lang::messages;
use crate::load::guard::{self, GuardFinding};
use crate::load::kept::Kept;
use crate::load::kept::held::Held;
use crate::load::kept::left_out::LeftOut;
use crate::load::lists::list_error::ListError;
use crate::matcher::keyword::{KeywordRules, Keywords};
use crate::metrics::labels::HeldFile;
use crate::pack::Pack;
use crate::sys::read;

/// The text of the keyword rules to use.
#[derive(Debug, Default)]
pub(super) struct KeywordText {
    /// None where keywords are not used, empty where the config names no file.
    pub(super) text: Option<String>,
    /// The file that it is to be kept for.
    pub(super) path: Option<PathBuf>,
    pub(super) held: Option<Held>,
    pub(super) left_out: Option<LeftOut>,
}

impl KeywordText {
    /// The text that a config names, or its kept copy; without either those of a pack, or the
    /// built-in rules.
    ///
    /// `is_known` says of a text that it was parsed before.
    pub(super) fn of(config: &Config, kept: &Kept, is_known: impl Fn(&str) -> bool) -> Self {
        let named = config.lists.keywords.as_ref().filter(|_| config.lists.use_keywords);
        let Some(path) = named else {
            let released = || config.data.keywords().unwrap_or_default().to_owned();
            let text = config.lists.use_keywords.then(released);
            return Self { text, ..Self::default() };
        };
        let lang = config.school.lang;
        let good = |text: &str| {
            !text.trim().is_empty() && (is_known(text) || keywords(config, Some(text)).is_ok())
        };
        let unread = |why: String| match kept.unread_of(path) {
            Some(unread) => format!("{why}; {}", unread.in_lang(lang)),
            None => why,
        };
        let why = match keyword_text(config) {
            Ok(Some(text)) if good(&text) => {
                return Self { text: Some(text), path: Some(path.clone()), ..Self::default() };
            }
            Ok(text) => {
                let text = text.unwrap_or_default();
                let error = keywords(config, Some(&text)).err();
                let empty = || messages::keywords_empty(path.display()).in_lang(lang);
                let is_blank = text.trim().is_empty();
                if error.is_none() && is_blank && kept.whole(path, text.clone()).is_ok() {
                    // It was empty before: it is meant.
                    return Self { text: Some(text), path: Some(path.clone()), ..Self::default() };
                }
                error.map_or_else(empty, |error| error.in_lang(lang))
            }
            Err(error) => error.in_lang(lang),
        };
        if let Some(text) = kept.text(path).filter(|text| keywords(config, Some(text)).is_ok()) {
            let held = Some(Held::at(HeldFile::Keywords, path, why));
            return Self { text: Some(text), path: Some(path.clone()), held, left_out: None };
        }
        let left_out = Some(LeftOut::file(path, unread(why)));
        Self { text: Some(String::new()), path: None, held: None, left_out }
    }
}

/// The text of the keyword rules that the config names; none where they are not used, empty
/// where it names none.
pub(super) fn keyword_text(config: &Config) -> Result<Option<String>, ListError> {
    if !config.lists.use_keywords {
        return Ok(None);
    }
    match &config.lists.keywords {
        None => Ok(Some(config.data.keywords().unwrap_or_default().to_owned())),
        Some(path) => read::text(path)
            .map(Some)
            .map_err(|error| ListError::Read { path: path.clone(), error }),
    }
}

/// The rules to use: those of the config, else of a pack, else those that are built in.
pub(super) fn keyword_rules<'a>(text: Option<&'a str>, packs: &'a [Arc<Pack>]) -> Option<&'a str> {
    let of_packs = || packs.iter().map(|pack| pack.keywords()).find(|text| !text.is_empty());
    match text {
        Some("") => Some(of_packs().unwrap_or(starter::KEYWORDS)),
        other => other,
    }
}

/// The rules of a text without effect on guarded names, and the findings about these.
pub(super) fn guarded_keywords(
    config: &Config,
    text: Option<&str>,
) -> Result<(Arc<Keywords>, Vec<GuardFinding>), ListError> {
    let mut keywords = keywords(config, text)?;
    let of = (&config.data, &config.taxonomy);
    let found = guard::void_keywords(of, &mut keywords, &config.lists.accept);
    Ok((Arc::new(keywords), found))
}

/// The rules of a text.
pub(super) fn keywords(config: &Config, text: Option<&str>) -> Result<Keywords, ListError> {
    let Some(text) = text else { return Ok(Keywords::default()) };
    let rules = KeywordRules::parse(text, &config.taxonomy).map_err(|mistakes| {
        let path = config.lists.keywords.as_ref();
        let path = path.map_or("built-in keywords.txt".into(), |path| path.display().to_string());
        ListError::Keywords(ConfigErrors::new(&path, text, mistakes).in_lang(config.school.lang))
    })?;
    Ok(Keywords::compile(rules))
}
