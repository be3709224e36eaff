//! Groups and profiles: who is bound by what.
//!
//! ```text
//! level of the profile, else of the group, else of the school, else primary
//!   │
//!   ├─ profile has `block` ─▶ complete: `block` and `observe`, nothing else
//!   └─ no `block`          ─▶ the level's defaults, moved by `observe`
//!                              │
//!                              ▼
//!            and always: what the taxonomy locks for that level is blocked
//! ```
//!
//! Every client is in a group: where the file has no default group, one is made,
//! named `default`, of the school's level. Without any level it is `primary`,
//! because a forgotten key must not open the door.

use std::collections::BTreeMap;
use std::ops::Range;

use ipnet::IpNet;
use toml::Spanned;

use super::file::{File, GroupFile, ProfileFile, Table, Texts};
use super::safesearch::{self, SafeSearch};
use super::value::{Checker, each, place_of};
use crate::category::{CategoryId, CategorySet, DefaultAction, Level, Lock, Taxonomy};
use crate::diagnostic::Diagnostic;
use crate::name::Name;
use crate::policy::{AnswerMode, CanaryKind, GroupRules};

/// The most groups, the default group included: each has its own metrics.
const MAX_GROUPS: usize = 16;
/// The name of the default group where the file says no other.
const DEFAULT: &str = "default";
/// The level where the file says none: the one that pupils cannot get out of.
const FALLBACK: Level = Level::Primary;

/// A profile, its words read; what it means depends on the level it is used at.
#[derive(Debug, Default)]
struct Profile {
    level: Option<Level>,
    /// What `block` lists; a profile that has it is complete.
    block: Option<CategorySet>,
    /// What `observe` lists, with places: a lock may forbid it.
    observe: Vec<(CategoryId, Range<usize>)>,
    allow: Vec<Name>,
    deny: Vec<Name>,
    /// Whether keyword rules block; pupils only, unless said.
    keywords: Option<bool>,
    answer: Option<AnswerMode>,
    safe: safesearch::Said,
    canaries: Option<Vec<CanaryKind>>,
}

/// Says which groups there are and which is the default.
///
/// The result is of use only if nothing was reported.
pub(super) fn check(
    checker: &mut Checker<'_>,
    file: &File,
    school: Option<Level>,
) -> (Vec<GroupRules>, usize) {
    let profiles = read_profiles(checker, file, school);
    let default = default_name(checker, file);
    let mut groups: Vec<GroupRules> = Vec::new();
    for table in &file.group {
        let group = read_group(checker, table, &profiles, school, &groups);
        let is_default = default.is_none_or(|name| name == group.name);
        if !is_default && !group.name.is_empty() && each(&table.get_ref().clients).count() == 0 {
            let span = place_of(table.get_ref().clients.as_ref(), table);
            checker.report(span, format!("no client can be in group `{}`", group.name)).hint =
                Some("add `clients = [\"10.20.0.0/16\"]`, or make it the `default_group`".into());
        }
        groups.push(group);
    }
    let default = default.unwrap_or(DEFAULT);
    let place = groups.iter().position(|group| group.name == default).unwrap_or_else(|| {
        groups.push(rules(checker, DEFAULT.into(), &Profile::default(), school));
        groups.len() - 1
    });
    if groups.len() > MAX_GROUPS {
        let span = file.group.get(MAX_GROUPS).or(file.group.last()).map_or(0..0, Spanned::span);
        checker
            .report(
                span,
                format!(
                    "there are {} groups with the default group; there may be {MAX_GROUPS}",
                    groups.len()
                ),
            )
            .hint = Some("one group can have many prefixes in `clients`".into());
    }
    (groups, place)
}

/// The name of the default group; `None` if the file names one that is not there.
fn default_name<'f>(checker: &mut Checker<'_>, file: &'f File) -> Option<&'f str> {
    let Some(given) = &file.default_group else { return Some(DEFAULT) };
    let mut names: Vec<&str> = file
        .group
        .iter()
        .filter_map(|table| Some(table.get_ref().name.as_ref()?.get_ref().as_str()))
        .collect();
    if !names.contains(&DEFAULT) {
        // It is made where the file has none, so it can be named.
        names.push(DEFAULT);
    }
    if names.contains(&given.get_ref().as_str()) {
        return Some(given.get_ref());
    }
    checker.unknown("group", given, names);
    None
}

fn read_group(
    checker: &mut Checker<'_>,
    table: &Spanned<Table<GroupFile>>,
    profiles: &BTreeMap<&str, Profile>,
    school: Option<Level>,
    before: &[GroupRules],
) -> GroupRules {
    let file = table.get_ref();
    let name = match &file.name {
        Some(name) => {
            check_label(checker, "group", name);
            if before.iter().any(|other| other.name == *name.get_ref()) {
                checker
                    .report(name.span(), format!("there is a group `{}` already", name.get_ref()))
                    .hint = Some("give each group its own name".into());
            }
            name.get_ref().clone()
        }
        None => checker.missing(table.span(), "[[group]]", "name").unwrap_or_default(),
    };
    let none = Profile::default();
    let profile = match &file.profile {
        Some(given) => profiles.get(given.get_ref().as_str()).unwrap_or_else(|| {
            checker.unknown("profile", given, profiles.keys().copied());
            &none
        }),
        None => &none,
    };
    let own = checker.level(&file.level);
    if let (Some(own), Some(its), Some(given)) = (own, profile.level, &file.level)
        && own != its
    {
        checker
            .report(
                given.span(),
                format!("`{name}` is of level `{}`, but its profile of `{}`", own.id(), its.id()),
            )
            .hint = Some("remove one of the two".into());
    }
    let mut group = rules(checker, name, profile, own.or(school));
    group.clients = clients(checker, file, &group.name, before);
    if let Some(answer) = &file.answer {
        let answer = checker.choice("answer", answer, &AnswerMode::ALL, AnswerMode::id);
        group.answer = answer.unwrap_or(group.answer);
    }
    group
}

/// The prefixes of one group; no prefix stands in two.
fn clients(
    checker: &mut Checker<'_>,
    file: &GroupFile,
    name: &str,
    before: &[GroupRules],
) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for given in each(&file.clients) {
        let Some(network) = checker.network(given) else { continue };
        let other = before.iter().find(|group| group.clients.contains(&network));
        if let Some(other) = other {
            let message = format!("`{network}` is in group `{name}` and in group `{}`", other.name);
            checker.report(given.span(), message).hint =
                Some("leave it in one; a longer prefix goes before a shorter one".into());
        } else if networks.contains(&network) {
            let message = format!("`{network}` stands twice in `clients` of group `{name}`");
            checker.report(given.span(), message).hint = Some("remove one of the two".into());
        }
        networks.push(network);
    }
    networks
}

fn read_profiles<'f>(
    checker: &mut Checker<'_>,
    file: &'f File,
    school: Option<Level>,
) -> BTreeMap<&'f str, Profile> {
    let mut profiles = BTreeMap::new();
    for (name, table) in &file.profile {
        check_label(checker, "profile", name);
        let profile = read_profile(checker, table);
        let used = |group: &Spanned<Table<GroupFile>>| {
            group.get_ref().profile.as_ref().is_some_and(|p| p.get_ref() == name.get_ref())
        };
        if !file.group.iter().any(used) {
            // Nobody asks what it means, so its locked categories are looked for here.
            rules(checker, String::new(), &profile, school);
        }
        profiles.insert(name.get_ref().as_str(), profile);
    }
    profiles
}

fn read_profile(checker: &mut Checker<'_>, file: &ProfileFile) -> Profile {
    let block = file.block.as_ref().map(|_| {
        let mut block = CategorySet::EMPTY;
        for given in each(&file.block) {
            let Some(category) = checker.category(given) else { continue };
            if checker.taxonomy.category(category).is_positive {
                let message =
                    format!("`{}` is a list of good names and never blocks", given.get_ref());
                checker.report(given.span(), message).hint =
                    Some("remove it from `block`; to refuse single names, use `deny`".into());
            }
            block = block.with(category);
        }
        block
    });
    let mut observe = Vec::new();
    for given in each(&file.observe) {
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
    Profile {
        level: checker.level(&file.level),
        block,
        observe,
        allow: names(checker, "allow", &file.allow),
        deny: names(checker, "deny", &file.deny),
        keywords: file.keywords,
        safe: SafeSearch::read(checker, file),
        canaries: safesearch::canaries(checker, file),
        answer: file
            .answer
            .as_ref()
            .and_then(|given| checker.choice("answer", given, &AnswerMode::ALL, AnswerMode::id)),
    }
}

/// What `profile` means for a group whose own (or whose school's) level is `level`.
fn rules(
    checker: &mut Checker<'_>,
    name: String,
    profile: &Profile,
    level: Option<Level>,
) -> GroupRules {
    let level = profile.level.or(level).unwrap_or(FALLBACK);
    let locked = checker.taxonomy.locked_for(level);
    let mut loosened = CategorySet::EMPTY;
    for (category, span) in &profile.observe {
        if locked.contains(*category) {
            let mistake = locked_in_observe(checker.taxonomy, *category, level, span.clone());
            checker.push(mistake);
        } else {
            loosened = loosened.with(*category);
        }
    }
    let (block, observe) = match profile.block {
        Some(block) => (block, CategorySet::EMPTY),
        None => defaults(checker.taxonomy, level),
    };
    let block = block.without(loosened).union(locked);
    GroupRules {
        name,
        clients: Vec::new(),
        block,
        observe: observe.union(loosened).without(block),
        locked,
        allow: profile.allow.clone(),
        deny: profile.deny.clone(),
        keywords: profile.keywords.unwrap_or(level.is_pupils()),
        answer: profile.answer.unwrap_or_default(),
        safe: checker.safesearch.modes(level, &profile.safe),
        canaries: profile.canaries.clone().unwrap_or_else(|| CanaryKind::ALL.to_vec()),
    }
}

/// What a level blocks and observes by itself.
fn defaults(taxonomy: &Taxonomy, level: Level) -> (CategorySet, CategorySet) {
    let place = Level::ALL.iter().position(|&one| one == level);
    let (mut block, mut observe) = (CategorySet::EMPTY, CategorySet::EMPTY);
    for (category, row) in taxonomy.iter().filter(|(_, row)| !row.is_positive) {
        match place.and_then(|place| row.defaults.get(place)) {
            // Without a timetable it is always lesson time.
            Some(DefaultAction::Block | DefaultAction::Lessons) | None => {
                block = block.with(category);
            }
            // The safe variant is a matter of rewriting, not of refusing.
            Some(DefaultAction::Observe | DefaultAction::Safe) => observe = observe.with(category),
            Some(DefaultAction::Allow) => {}
        }
    }
    (block, observe)
}

fn locked_in_observe(
    taxonomy: &Taxonomy,
    category: CategoryId,
    level: Level,
    span: Range<usize>,
) -> Diagnostic {
    let row = taxonomy.category(category);
    let (whom, way_out) = match row.lock {
        Lock::Pupils => (
            format!("for pupils, and this profile is used at level `{}`", level.id()),
            "remove it from `observe`, or give the profile `level = \"staff\"` if no pupil is bound by it",
        ),
        Lock::Everyone | Lock::None => (
            "for everyone".to_owned(),
            "remove it from `observe`; nobody at a school can loosen it",
        ),
    };
    Diagnostic::new(
        span,
        format!("`{}` cannot be let through: the taxonomy locks it {whom}", row.id),
    )
    .hint(way_out)
}

pub(super) fn names(checker: &mut Checker<'_>, key: &str, given: &Texts) -> Vec<Name> {
    let mut names = Vec::new();
    for text in each(given) {
        match Name::from_text(text.get_ref()) {
            Ok(name) => names.push(name),
            Err(error) => {
                let shown = text.get_ref();
                let mistake = checker
                    .report(text.span(), format!("`{shown}` in `{key}` is no name: {error}"));
                mistake.hint = plain_name(shown)
                    .map(|name| format!("write `{name}`: it stands for the name and all below it"));
            }
        }
    }
    names
}

/// The name inside a URL, a pattern or an address of mail.
fn plain_name(text: &str) -> Option<String> {
    let text = text.trim().split_once("://").map_or(text.trim(), |(_, rest)| rest);
    let text = text.split(['/', ':', '?', '^']).next()?;
    let text = text.trim_start_matches(['*', '.', '|', '@']).trim_end_matches('.');
    Name::from_text(text).is_ok().then(|| text.to_owned())
}

fn check_label(checker: &mut Checker<'_>, what: &str, given: &Spanned<String>) {
    let text = given.get_ref();
    let is_right = (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
    if !is_right {
        checker.report(
            given.span(),
            format!(
                "{text:?} cannot name a {what}; a name is 1 to 32 of `a` to `z`, digits, `_` and `-`"
            ),
        );
    }
}
