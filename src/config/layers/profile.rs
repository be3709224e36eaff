//! Profiles: what a school says, on top of what stands above it.
//!
//! ```text
//! taxonomy's defaults of the level ▸ department's ▸ its locks          the baseline
//!   │
//!   ├─ profile has `block` ─▶ complete: `block` and `observe`, nothing else
//!   └─ no `block`          ─▶ the baseline, moved by `observe`
//!                              │
//!                              ▼
//!            and always: what is locked for the level is blocked
//! ```

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use crate::category::{CategoryId, CategorySet, Level};
use crate::config::file::shape::{
    AllowOnly, DuringFile, File, GroupFile, ProfileFile, SpannedTexts, Table,
};
use crate::config::file::value::{Checker, each};
use crate::config::layers::department::LockedBy;
use crate::config::layers::enforcement::{self, Effective, LayerSettings, RawKeys};
use crate::config::layers::group::check_label;
use crate::diagnostic::Diagnostic;
use crate::dns::name::Name;
use crate::policy::{Actions, AnswerMode, During, GroupRules};

/// The level where the file says none: the one that pupils cannot get out of.
const FALLBACK: Level = Level::Primary;
/// What stands before the name of a bundle in a list of names.
pub(crate) const BUNDLE: &str = "bundle:";

/// Categories with their places: a lock may forbid them.
type Placed = Vec<(CategoryId, Range<usize>)>;

/// A profile, its words read; what it means depends on the level it is used at.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    pub(crate) name: Option<String>,
    pub(crate) level: Option<Level>,
    /// What `block` lists; a profile that has it is complete.
    block: Option<CategorySet>,
    /// What `observe` lists.
    observe: Placed,
    is_allow_only: Option<bool>,
    during: Vec<(During, Placed)>,
    allow: Vec<(Name, Range<usize>)>,
    deny: Vec<Name>,
    /// Whether keyword rules block; pupils only, unless said.
    keywords: Option<bool>,
    answer: Option<AnswerMode>,
    /// Of safe search and canaries.
    said: LayerSettings,
}

pub(crate) fn read_profiles<'f>(
    checker: &mut Checker<'_>,
    file: &'f File,
    school: Option<Level>,
) -> BTreeMap<&'f str, Profile> {
    let mut profiles = BTreeMap::new();
    for (name, table) in &file.profile {
        check_label(checker, "profile", name);
        let profile = Profile { name: Some(name.get_ref().clone()), ..read(checker, table) };
        let used = |group: &Spanned<Table<GroupFile>>| {
            group.get_ref().profile.as_ref().is_some_and(|p| p.get_ref() == name.get_ref())
        };
        if !file.group.iter().any(used) {
            // Nobody asks what it means, so its locked categories are looked for here.
            rules(checker, String::new(), &profile, &LayerSettings::default(), school);
        }
        profiles.insert(name.get_ref().as_str(), profile);
    }
    profiles
}

fn read(checker: &mut Checker<'_>, file: &ProfileFile) -> Profile {
    let block = file.block.as_ref().map(|_| blocked(checker, &file.block));
    let observe = observed(checker, &file.observe, block);
    let (is_allow_only, more) = match &file.allow_only {
        None => (None, Vec::new()),
        Some(given) => match given.get_ref() {
            AllowOnly::Is(is) => (Some(*is), Vec::new()),
            AllowOnly::Names(texts) => {
                let texts = Some(Spanned::new(given.span(), texts.clone()));
                (Some(true), placed_names(checker, "allow_only", &texts))
            }
        },
    };
    let mut allow = placed_names(checker, "allow", &file.allow);
    allow.extend(more);
    Profile {
        name: None,
        level: checker.level(&file.level),
        block,
        observe,
        is_allow_only,
        during: file
            .during
            .iter()
            .filter_map(|(name, table)| during(checker, name, table))
            .collect(),
        allow,
        deny: names(checker, "deny", &file.deny),
        keywords: file.keywords,
        said: LayerSettings::read(checker, &RawKeys::from(file)),
        answer: file
            .answer
            .as_ref()
            .and_then(|given| checker.choice("answer", given, &AnswerMode::ALL, AnswerMode::id)),
    }
}

fn during(
    checker: &mut Checker<'_>,
    name: &Spanned<String>,
    file: &DuringFile,
) -> Option<(During, Placed)> {
    let schedule = checker.schedule_named(name);
    let block = blocked(checker, &file.block);
    let observe = observed(checker, &file.observe, Some(block));
    let is_allow_only = file.allow_only.unwrap_or(false);
    let during = During { schedule: schedule?, block, observe: CategorySet::EMPTY, is_allow_only };
    Some((during, observe))
}

fn blocked(checker: &mut Checker<'_>, given: &SpannedTexts) -> CategorySet {
    let mut block = CategorySet::EMPTY;
    for given in each(given) {
        let Some(category) = checker.category(given) else { continue };
        if checker.taxonomy.category(category).is_positive {
            let message = format!("`{}` is a list of good names and never blocks", given.get_ref());
            checker.report(given.span(), message).hint =
                Some("remove it from `block`; to refuse single names, use `deny`".into());
        }
        block = block.with(category);
    }
    block
}

fn observed(checker: &mut Checker<'_>, given: &SpannedTexts, block: Option<CategorySet>) -> Placed {
    let mut observe = Vec::new();
    for given in each(given) {
        let Some(category) = checker.category(given) else { continue };
        if block.is_some_and(|block| block.contains(category)) {
            let message = format!("`{}` is in `block` and in `observe`", given.get_ref());
            checker.report(given.span(), message).hint = Some(
                "leave it in one: `block` refuses its names, `observe` only counts them".into(),
            );
        } else {
            observe.push((category, given.span()));
        }
    }
    observe
}

/// What `profile` means for a group whose own (or whose school's) level is `level`, and that
/// says `own` of safe search and canaries itself.
pub(crate) fn rules(
    checker: &mut Checker<'_>,
    name: String,
    profile: &Profile,
    own: &LayerSettings,
    level: Option<Level>,
) -> GroupRules {
    let level = profile.level.or(level).unwrap_or(FALLBACK);
    let baseline = checker.externals.department.baseline(checker.taxonomy, level);
    let locked = checker.externals.department.locked_for(checker.taxonomy, level);
    let loosened = loosened(checker, &profile.observe, locked, level);
    let during: Vec<During> = profile
        .during
        .iter()
        .map(|(during, observe)| {
            let observe = self::loosened(checker, observe, locked, level);
            During { observe, ..during.clone() }
        })
        .collect();
    denied_by_department(checker, &profile.allow);
    let held = enforcement::layers(checker, &own.over(&profile.said), level);
    let own = match profile.block {
        Some(block) => Actions { block, ..Actions::default() },
        None => baseline,
    };
    let block = own.block.without(loosened).union(locked);
    let Effective { own: held, locked: held_locked, baseline: held_baseline } = held;
    GroupRules {
        name,
        level,
        profile: profile.name.clone(),
        clients: Vec::new(),
        listeners: Vec::new(),
        block,
        lessons: own.lessons.without(loosened).without(locked),
        observe: own.observe.union(loosened).without(block),
        locked,
        is_allow_only: profile.is_allow_only.unwrap_or(own.is_allow_only),
        lesson_schedule: checker.lessons(),
        during,
        allow: profile.allow.iter().map(|(name, _)| name.clone()).collect(),
        deny: profile.deny.clone(),
        keywords: profile.keywords.unwrap_or(level.is_pupils()),
        answer: profile.answer.unwrap_or_default(),
        held,
        held_locked,
        baseline,
        held_baseline,
    }
}

/// The categories that a school lets through, but for those it cannot.
fn loosened(
    checker: &mut Checker<'_>,
    observe: &Placed,
    locked: CategorySet,
    level: Level,
) -> CategorySet {
    let mut loosened = CategorySet::EMPTY;
    for (category, span) in observe {
        if locked.contains(*category) {
            let mistake = locked_in_observe(checker, *category, level, span.clone());
            checker.push(mistake);
        } else {
            loosened = loosened.with(*category);
        }
    }
    loosened
}

/// Who keeps a category blocked, in words: "the taxonomy locks it for everyone".
pub(crate) fn lock_words(by: &LockedBy, department: &str, level: Level) -> String {
    match by {
        LockedBy::Everyone => "the taxonomy locks it for everyone".to_owned(),
        LockedBy::Pupils => {
            format!(
                "the taxonomy locks it for pupils, and this profile is used at level `{}`",
                level.id()
            )
        }
        LockedBy::Department(reason) if reason.is_empty() => {
            format!("{department} locks it for level `{}`", level.id())
        }
        LockedBy::Department(reason) => {
            format!("{department} locks it for level `{}` ({reason})", level.id())
        }
    }
}

fn locked_in_observe(
    checker: &Checker<'_>,
    category: CategoryId,
    level: Level,
    span: Range<usize>,
) -> Diagnostic {
    let department = &checker.externals.department;
    let by = department.locked_by(checker.taxonomy, category, level).unwrap_or(LockedBy::Everyone);
    let id = &checker.taxonomy.category(category).id;
    let way_out = match &by {
        LockedBy::Pupils => {
            "remove it from `observe`, or give the profile `level = \"staff\"` if no pupil is bound by it".to_owned()
        }
        LockedBy::Everyone => "remove it from `observe`; nobody at a school can loosen it".to_owned(),
        LockedBy::Department(_) if department.contact.is_empty() => {
            "remove it from `observe`; only the department can open it".to_owned()
        }
        LockedBy::Department(_) => {
            format!("remove it from `observe`; only the department can open it: {}", department.contact)
        }
    };
    let words = lock_words(&by, &department.name, level);
    Diagnostic::new(span, format!("`{id}` cannot be let through: {words}")).hint(way_out)
}

/// Refuses names that a school allows and the department denies.
fn denied_by_department(checker: &mut Checker<'_>, allow: &[(Name, Range<usize>)]) {
    let department = &checker.externals.department;
    let longest = |names: &[Name], name: &Name| {
        let covers = |other: &&Name| {
            crate::dns::name::Folded::from_name(name).is_at_or_below(other.as_wire())
        };
        names.iter().filter(covers).max_by_key(|other| other.label_count()).cloned()
    };
    let mut mistakes = Vec::new();
    for (name, span) in allow {
        let Some(denied) = longest(&department.deny, name) else { continue };
        let is_opened = longest(&department.allow, name)
            .is_some_and(|allowed| allowed.label_count() >= denied.label_count());
        if !is_opened {
            let shown = |name: &Name| name.to_string().trim_end_matches('.').to_owned();
            mistakes.push(
                Diagnostic::new(
                    span.clone(),
                    format!(
                        "`{}` cannot be let through: {} denies `{}`",
                        shown(name),
                        department.name,
                        shown(&denied)
                    ),
                )
                .hint("remove it from `allow`; only the department can open it"),
            );
        }
    }
    for mistake in mistakes {
        checker.push(mistake);
    }
}

//------------ Names -----------------------------------------------------------

impl Checker<'_> {
    /// The place of a schedule.
    pub(crate) fn schedule_named(&mut self, given: &Spanned<String>) -> Option<usize> {
        let found = self.schedules.iter().position(|schedule| schedule.name == *given.get_ref());
        if found.is_none() {
            let known: Vec<String> = self.schedules.iter().map(|one| one.name.clone()).collect();
            self.unknown("schedule", given, known.iter().map(String::as_str));
        }
        found
    }

    /// The schedule that is called `lessons`.
    fn lessons(&self) -> Option<usize> {
        self.schedules.iter().position(|schedule| schedule.name == "lessons")
    }

    /// The bundles of the file, beside those that are built in.
    pub(crate) fn read_bundles(&mut self, file: &File) {
        for (name, table) in &file.bundle {
            check_label(self, "bundle", name);
            if table.names.is_none() {
                self.missing::<()>(name.span(), "[bundle]", "names");
            }
            let names = names(self, "names", &table.names);
            self.bundles.insert(name.get_ref().clone(), names);
        }
    }
}

/// Names with their places; a bundle stands for all of its names.
fn placed_names(
    checker: &mut Checker<'_>,
    key: &str,
    given: &SpannedTexts,
) -> Vec<(Name, Range<usize>)> {
    let mut found = Vec::new();
    for text in each(given) {
        if let Some(bundle) = text.get_ref().strip_prefix(BUNDLE) {
            if let Some(names) = checker.bundles.get(bundle) {
                found.extend(names.iter().map(|name| (name.clone(), text.span())));
            } else {
                let known: Vec<String> = checker.bundles.keys().cloned().collect();
                let bundle = Spanned::new(text.span(), bundle.to_owned());
                checker.unknown("bundle", &bundle, known.iter().map(String::as_str));
            }
        } else if let Some(name) = name(checker, key, text) {
            found.push((name, text.span()));
        }
    }
    found
}

pub(crate) fn names(checker: &mut Checker<'_>, key: &str, given: &SpannedTexts) -> Vec<Name> {
    each(given).filter_map(|text| name(checker, key, text)).collect()
}

fn name(checker: &mut Checker<'_>, key: &str, text: &Spanned<String>) -> Option<Name> {
    match Name::from_text(text.get_ref()) {
        Ok(name) => Some(name),
        Err(error) => {
            let shown = text.get_ref();
            let mistake =
                checker.report(text.span(), format!("`{shown}` in `{key}` is no name: {error}"));
            mistake.hint = plain_name(shown)
                .map(|name| format!("write `{name}`: it stands for the name and all below it"));
            None
        }
    }
}

/// The name inside a URL, a pattern or an address of mail.
fn plain_name(text: &str) -> Option<String> {
    let text = text.trim().split_once("://").map_or(text.trim(), |(_, rest)| rest);
    let text = text.split(['/', ':', '?', '^']).next()?;
    let text = text.trim_start_matches(['*', '.', '|', '@']).trim_end_matches('.');
    Name::from_text(text).is_ok().then(|| text.to_owned())
}
