//! Safe search, `YouTube` and canaries, layer by layer.
//!
//! ```text
//! safesearch.toml's defaults of the level ▸ department's ▸ its locks        the baseline
//!   └─ the profile's settings ▸ the group's ▸ the locks again
//! ```
//!
//! ```toml
//! safesearch = "all"              # or "off", or engines by id: ["google", "bing"]
//! youtube = "strict"              # a mode of it, or "off"
//! canaries = "all"                # or "off", or kinds: ["firefox"]
//! ```
//!
//! A lower layer may always be stricter; it may be looser only down to a lock.

use std::ops::Range;

use toml::Spanned;

use crate::category::Level;
use crate::config::data::safesearch::{Mode, SafeSearch, YOUTUBE, has_modes, mode_of};
use crate::config::file::report::Report;
use crate::config::file::shape::{Choice, GroupFile, ProfileFile, SpannedText};
use crate::lang::messages;
use crate::policy::CanaryKind;
use crate::policy::group::enforcement::Enforcement;
use crate::policy::tables::rewrite::{Engine, Engines};

/// The three keys as written, of any table that has them.
#[derive(Debug, Default)]
pub(crate) struct RawKeys<'f> {
    pub(crate) safesearch: Option<&'f Spanned<Choice>>,
    pub(crate) youtube: SpannedText,
    pub(crate) canaries: Option<&'f Spanned<Choice>>,
}

impl<'f> From<&'f ProfileFile> for RawKeys<'f> {
    fn from(file: &'f ProfileFile) -> Self {
        let ProfileFile { safesearch, youtube, canaries, .. } = file;
        Self {
            safesearch: safesearch.as_ref(),
            youtube: youtube.clone(),
            canaries: canaries.as_ref(),
        }
    }
}

impl<'f> From<&'f GroupFile> for RawKeys<'f> {
    fn from(file: &'f GroupFile) -> Self {
        let GroupFile { safesearch, youtube, canaries, .. } = file;
        Self {
            safesearch: safesearch.as_ref(),
            youtube: youtube.clone(),
            canaries: canaries.as_ref(),
        }
    }
}

/// Settings of one layer, each with its place; a key with a mistake counts as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LayerSettings {
    /// For each engine, whether its one safe name is enforced.
    pub(super) plain: Option<(Vec<bool>, Range<usize>)>,
    pub(super) youtube: Option<(Mode, Range<usize>)>,
    pub(super) canaries: Option<(Vec<CanaryKind>, Range<usize>)>,
}

impl LayerSettings {
    /// Reads the three keys of a table.
    pub(crate) fn read(report: &mut Report<'_>, engines: &Engines, keys: &RawKeys<'_>) -> Self {
        let plain = keys.safesearch.and_then(|given| {
            let plain = match given.get_ref() {
                Choice::Word(word) => {
                    all_or_none(report, "safesearch", given.span(), word, engines.0.len())
                }
                Choice::List(words) => read_engines(report, engines, words),
            };
            Some((plain?, given.span()))
        });
        let youtube = engines.0.iter().find(|engine| engine.id == YOUTUBE);
        let youtube = youtube
            .zip(keys.youtube.as_ref())
            .and_then(|(engine, word)| Some((mode_of(report, engine, word)?, word.span())));
        let canaries = keys.canaries.and_then(|given| {
            let kinds = match given.get_ref() {
                Choice::Word(word) => {
                    let all = all_or_none(report, "canaries", given.span(), word, 1)?;
                    if all == [true] { CanaryKind::ALL.to_vec() } else { Vec::new() }
                }
                Choice::List(words) => {
                    let kind = |word| {
                        report.choice(messages::canary(), word, &CanaryKind::ALL, CanaryKind::id)
                    };
                    let kinds: Vec<CanaryKind> = words.iter().filter_map(kind).collect();
                    (kinds.len() == words.len()).then_some(kinds)?
                }
            };
            Some((kinds, given.span()))
        });
        Self { plain, youtube, canaries }
    }

    /// These settings, with those of `above` where they are absent.
    pub(crate) fn over(&self, above: &Self) -> Self {
        Self {
            plain: self.plain.clone().or_else(|| above.plain.clone()),
            youtube: self.youtube.clone().or_else(|| above.youtube.clone()),
            canaries: self.canaries.clone().or_else(|| above.canaries.clone()),
        }
    }

    /// `base`, changed by these settings.
    pub(super) fn apply(&self, base: &Enforcement, engines: &Engines) -> Enforcement {
        let mut changed = base.clone();
        for ((number, engine), slot) in engines.0.iter().enumerate().zip(&mut changed.safe.0) {
            if has_modes(engine) {
                if let (YOUTUBE, Some((mode, _))) = (engine.id.as_str(), &self.youtube) {
                    *slot = mode.clone().into_target();
                }
            } else if let Some(is_on) = self.plain.as_ref().and_then(|(plain, _)| plain.get(number))
            {
                let target = engine.modes.first().map(|(_, target)| target.clone());
                *slot = target.filter(|_| *is_on);
            }
        }
        if let Some((canaries, _)) = &self.canaries {
            changed.canaries =
                CanaryKind::ALL.into_iter().filter(|k| canaries.contains(k)).collect();
        }
        changed
    }

    /// The places of the settings, each with its key.
    fn places(&self) -> impl Iterator<Item = (&'static str, Range<usize>)> {
        let plain = self.plain.as_ref().map(|(_, span)| ("safesearch", span.clone()));
        let youtube = self.youtube.as_ref().map(|(_, span)| ("youtube", span.clone()));
        let canaries = self.canaries.as_ref().map(|(_, span)| ("canaries", span.clone()));
        plain.into_iter().chain(youtube).chain(canaries)
    }

    /// The setting of one key alone.
    fn only(&self, key: &str) -> Self {
        Self {
            plain: self.plain.clone().filter(|_| key == "safesearch"),
            youtube: self.youtube.clone().filter(|_| key == "youtube"),
            canaries: self.canaries.clone().filter(|_| key == "canaries"),
        }
    }
}

/// `all` or `off`, as one flag for each of `count`.
fn all_or_none(
    report: &mut Report<'_>,
    key: &str,
    span: Range<usize>,
    word: &str,
    count: usize,
) -> Option<Vec<bool>> {
    let word = Spanned::new(span, word.to_owned());
    let word = report.choice(messages::word_for(key), &word, &["all", "off"], |word| word)?;
    Some(vec![word == "all"; count])
}

/// Engines by id. One with modes has a key of its own and is refused here.
fn read_engines(
    report: &mut Report<'_>,
    engines: &Engines,
    words: &[Spanned<String>],
) -> Option<Vec<bool>> {
    let mut plain = Some(vec![false; engines.0.len()]);
    for word in words {
        let named = |engine: &&Engine| engine.id == *word.get_ref();
        let place = engines.0.iter().position(|engine| named(&engine));
        match place.and_then(|place| Some((place, engines.0.get(place)?))) {
            Some((_, engine)) if has_modes(engine) => {
                plain = None;
                let message = messages::own_key(&engine.id);
                let mode = engine.modes.first().map_or("off", |(mode, _)| mode);
                report.mistake(word.span(), message).hint =
                    Some(messages::write(format!("{} = \"{mode}\"", engine.id)));
            }
            Some((place, _)) => {
                if let Some(slot) = plain.as_mut().and_then(|plain| plain.get_mut(place)) {
                    *slot = true;
                }
            }
            None => {
                plain = None;
                let known = engines.0.iter().filter(|engine| !has_modes(engine));
                report.unknown(
                    messages::search_engine(),
                    word,
                    known.map(|engine| engine.id.as_str()),
                );
            }
        }
    }
    plain
}

//------------ The department ---------------------------------------------------

/// A department's locks and defaults of safe search and canaries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DepartmentLocks {
    locks: Vec<EnforcementLock>,
    defaults: Vec<(Level, LayerSettings)>,
}

/// One lock: no layer below may be looser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EnforcementLock {
    pub(super) enforcement: Enforcement,
    levels: Vec<Level>,
    pub(super) reason: String,
}

impl DepartmentLocks {
    /// Adds a lock; a key of it that enforces nothing is a mistake.
    pub(crate) fn lock(
        &mut self,
        report: &mut Report<'_>,
        engines: &Engines,
        settings: &LayerSettings,
        levels: &[Level],
        reason: &str,
    ) {
        let nothing = Enforcement::nothing(engines);
        for (key, span) in settings.places() {
            if settings.only(key).apply(&nothing, engines).is_nothing() {
                report.mistake(span, messages::locks_nothing_here(key)).hint =
                    Some(messages::lock_what_is_on());
            }
        }
        let enforcement = settings.apply(&nothing, engines);
        if !enforcement.is_nothing() {
            self.locks.push(EnforcementLock {
                enforcement,
                levels: levels.to_vec(),
                reason: reason.to_owned(),
            });
        }
    }

    /// Adds the defaults of a level.
    pub(crate) fn default_of(&mut self, level: Level, settings: LayerSettings) {
        self.defaults.push((level, settings));
    }

    /// The locks that apply to a level.
    pub(super) fn locks_of(&self, level: Level) -> impl Iterator<Item = &EnforcementLock> {
        let is_for =
            move |lock: &&EnforcementLock| lock.levels.is_empty() || lock.levels.contains(&level);
        self.locks.iter().filter(is_for)
    }

    /// The locks of a level, all together.
    pub(super) fn locked(&self, engines: &Engines, level: Level) -> Enforcement {
        let nothing = Enforcement::nothing(engines);
        self.locks_of(level).fold(nothing, |all, lock| all.at_least(&lock.enforcement, engines))
    }

    /// Enforcement of a level without profile and group.
    pub(super) fn baseline(&self, safesearch: &SafeSearch, level: Level) -> Enforcement {
        let engines = &safesearch.engines;
        let own =
            Enforcement { safe: safesearch.of_level(level), canaries: CanaryKind::ALL.to_vec() };
        let settings = self.defaults.iter().filter(|(of, _)| *of == level);
        let own = settings.fold(own, |base, (_, settings)| settings.apply(&base, engines));
        own.at_least(&self.locked(engines, level), engines)
    }
}
