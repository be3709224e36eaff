//! Profiles: the school's policy, applied to the layers above.
//!
//! ```text
//! taxonomy's defaults of the level ▸ department's ▸ its locks          the baseline
//!   │
//!   ├─ profile has `block` ─▶ complete: `block` and `observe`, nothing else
//!   └─ no `block`          ─▶ the baseline, changed by `observe`
//!                              │
//!                              ▼
//!            and always: a category that is locked for the level is blocked
//! ```

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use crate::category::{CategoryId, CategorySet, Level, Taxonomy};
use crate::config::file::report::Report;
use crate::config::file::shape::{
    AllowOnly, DuringFile, File, GroupFile, ProfileFile, SpannedTexts, Table,
};
use crate::config::file::value::each;
use crate::config::layers::department::{Department, LockedBy};
use crate::config::layers::effective::{self, Effective};
use crate::config::layers::enforcement::{LayerSettings, RawKeys};
use crate::config::layers::known::Known;
use crate::config::layers::words::WordKind;
use crate::diagnostic::Diagnostic;
use crate::dns::name::Name;
use crate::lang::messages;
use crate::policy::{Actions, AnswerMode, During, GroupClaims, GroupRules};

/// Level without any `level` key: a missing key must never loosen policy.
const FALLBACK: Level = Level::Primary;

/// Categories with their places, for mistakes about locks.
type Placed = Vec<(CategoryId, Range<usize>)>;

/// A profile as read. Its rules depend on the level of the group that uses it.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    pub(crate) name: Option<String>,
    pub(crate) level: Option<Level>,
    /// Categories of `block`; a profile that has it is complete.
    block: Option<CategorySet>,
    /// Categories of `observe`.
    observe: Placed,
    is_allow_only: Option<bool>,
    during: Vec<Window>,
    allow: Vec<(Name, Range<usize>)>,
    deny: Vec<Name>,
    /// Whether keyword rules block; by default for pupils only.
    keywords: Option<bool>,
    answer: Option<AnswerMode>,
    /// Settings of safe search and canaries.
    settings: LayerSettings,
}

/// Changes while a schedule runs, as read: what the level's locks bind has its place.
#[derive(Debug)]
struct Window {
    during: During,
    observe: Placed,
    allow: Vec<(Name, Range<usize>)>,
}

/// Reads the profiles, by name.
pub(crate) fn read_profiles<'f>(
    report: &mut Report<'_>,
    known: &Known<'_>,
    file: &'f File,
    school: Option<Level>,
) -> BTreeMap<&'f str, Profile> {
    let mut profiles = BTreeMap::new();
    for (name, table) in &file.profile {
        report.label(messages::profile(), name);
        let profile = Profile { name: Some(name.get_ref().clone()), ..read(report, known, table) };
        let used = |group: &Spanned<Table<GroupFile>>| {
            group.get_ref().profile.as_ref().is_some_and(|p| p.get_ref() == name.get_ref())
        };
        if !file.group.iter().any(used) {
            // No group uses it: its mistakes about locks are found here alone.
            rules(report, known, String::new(), &profile, &LayerSettings::default(), school);
        }
        profiles.insert(name.get_ref().as_str(), profile);
    }
    profiles
}

/// Reads one profile.
fn read(report: &mut Report<'_>, known: &Known<'_>, file: &ProfileFile) -> Profile {
    let block = file.block.as_ref().map(|_| blocked(report, known.taxonomy, &file.block));
    let observe = observed(report, known.taxonomy, &file.observe, block);
    let (is_allow_only, allow) = allowed(report, known, &file.allow, file.allow_only.as_ref());
    Profile {
        name: None,
        level: report.level(&file.level),
        block,
        observe,
        is_allow_only,
        during: file
            .during
            .iter()
            .filter_map(|(name, table)| during(report, known, name, table))
            .collect(),
        allow,
        deny: denied(report, known, &file.deny),
        keywords: file.keywords,
        settings: LayerSettings::read(report, &known.safesearch.engines, &RawKeys::from(file)),
        answer: file.answer.as_ref().and_then(|given| known.answer(report, given)),
    }
}

/// Reads one `[profile.<name>.during.<schedule>]`.
fn during(
    report: &mut Report<'_>,
    known: &Known<'_>,
    name: &Spanned<String>,
    file: &DuringFile,
) -> Option<Window> {
    let schedule = known.schedule(report, name);
    let block = blocked(report, known.taxonomy, &file.block);
    let observe = observed(report, known.taxonomy, &file.observe, Some(block));
    let (is_allow_only, allow) = allowed(report, known, &file.allow, file.allow_only.as_ref());
    let during = During {
        schedule: schedule?,
        block,
        observe: CategorySet::EMPTY,
        is_allow_only: is_allow_only.unwrap_or(false),
        allow: allow.iter().map(|(name, _)| name.clone()).collect(),
        deny: denied(report, known, &file.deny),
    };
    Some(Window { during, observe, allow })
}

/// Whether only allowed names pass, and the names of `allow` and of `allow_only`.
fn allowed(
    report: &mut Report<'_>,
    known: &Known<'_>,
    allow: &SpannedTexts,
    only: Option<&Spanned<AllowOnly>>,
) -> (Option<bool>, Vec<(Name, Range<usize>)>) {
    let mut names = known.words.read(report, "allow", allow);
    let Some(given) = only else { return (None, names) };
    match given.get_ref() {
        AllowOnly::Is(is) => (Some(*is), names),
        AllowOnly::Names(texts) => {
            let texts = Some(Spanned::new(given.span(), texts.clone()));
            names.extend(known.words.read(report, "allow_only", &texts));
            (Some(true), names)
        }
    }
}

/// The names of `deny`.
fn denied(report: &mut Report<'_>, known: &Known<'_>, given: &SpannedTexts) -> Vec<Name> {
    known.words.read(report, "deny", given).into_iter().map(|(name, _)| name).collect()
}

/// A category by its id; what stands for names is told where it belongs.
fn category(
    report: &mut Report<'_>,
    taxonomy: &Taxonomy,
    given: &Spanned<String>,
) -> Option<CategoryId> {
    if WordKind::of(given.get_ref()).is_none() {
        return report.category(taxonomy, given);
    }
    let message = messages::word_is_no_category(given.get_ref());
    report.mistake(given.span(), message).hint = Some(messages::words_stand_in("deny", "allow"));
    None
}

/// Categories of `block`; one of good names cannot block.
fn blocked(report: &mut Report<'_>, taxonomy: &Taxonomy, given: &SpannedTexts) -> CategorySet {
    let mut block = CategorySet::EMPTY;
    for given in each(given) {
        let Some(category) = category(report, taxonomy, given) else { continue };
        if taxonomy.category(category).is_positive {
            let message = messages::never_blocks(given.get_ref());
            report.mistake(given.span(), message).hint =
                Some(messages::remove_from_block("block", "deny"));
        }
        block = block.with(category);
    }
    block
}

/// Categories of `observe`; one that is in `block` too is a mistake.
fn observed(
    report: &mut Report<'_>,
    taxonomy: &Taxonomy,
    given: &SpannedTexts,
    block: Option<CategorySet>,
) -> Placed {
    let mut observe = Vec::new();
    for given in each(given) {
        let Some(category) = category(report, taxonomy, given) else { continue };
        if block.is_some_and(|block| block.contains(category)) {
            let message = messages::in_block_and_observe(given.get_ref());
            report.mistake(given.span(), message).hint =
                Some(messages::leave_in_block_or_observe());
        } else {
            observe.push((category, given.span()));
        }
    }
    observe
}

/// The rules of a group with this profile.
///
/// `level` is the group's, or the school's; `own` are the group's settings of safe search and
/// canaries.
pub(crate) fn rules(
    report: &mut Report<'_>,
    known: &Known<'_>,
    name: String,
    profile: &Profile,
    own: &LayerSettings,
    level: Option<Level>,
) -> GroupRules {
    let level = profile.level.or(level).unwrap_or(FALLBACK);
    let baseline = known.department.baseline(known.taxonomy, level);
    let locked = known.department.locked_for(known.taxonomy, level);
    let loosened = loosened(report, known, &profile.observe, locked, level);
    let during: Vec<During> = profile
        .during
        .iter()
        .map(|window| {
            let observe = self::loosened(report, known, &window.observe, locked, level);
            denied_by_department(report, known.department, &window.allow);
            During { observe, ..window.during.clone() }
        })
        .collect();
    denied_by_department(report, known.department, &profile.allow);
    let effective = effective::layers(report, known, &own.over(&profile.settings), level);
    let own = match profile.block {
        Some(block) => Actions { block, ..Actions::default() },
        None => baseline,
    };
    let block = own.block.without(loosened).union(locked);
    let Effective { own: enforcement, locked: enforcement_locked, baseline: enforcement_baseline } =
        effective;
    GroupRules {
        name,
        level,
        profile: profile.name.clone(),
        clients: Vec::new(),
        listeners: Vec::new(),
        claims: GroupClaims::default(),
        block,
        lessons: own.lessons.without(loosened).without(locked),
        observe: own.observe.union(loosened).without(block),
        locked,
        is_allow_only: profile.is_allow_only.unwrap_or(own.is_allow_only),
        lesson_schedule: known.lessons(),
        during,
        allow: profile.allow.iter().map(|(name, _)| name.clone()).collect(),
        deny: profile.deny.clone(),
        keywords: profile.keywords.unwrap_or(level.is_pupils()),
        answer: profile.answer.unwrap_or_default(),
        enforcement,
        enforcement_locked,
        baseline,
        enforcement_baseline,
    }
}

/// Categories that the school may observe instead of block, without locked ones.
fn loosened(
    report: &mut Report<'_>,
    known: &Known<'_>,
    observe: &Placed,
    locked: CategorySet,
    level: Level,
) -> CategorySet {
    let mut loosened = CategorySet::EMPTY;
    for (category, span) in observe {
        if locked.contains(*category) {
            locked_in_observe(report, known, *category, level, span.clone());
        } else {
            loosened = loosened.with(*category);
        }
    }
    loosened
}

/// Reports a locked category in `observe`: a mistake, and void where the department locks it.
fn locked_in_observe(
    report: &mut Report<'_>,
    known: &Known<'_>,
    category: CategoryId,
    level: Level,
    span: Range<usize>,
) {
    let department = known.department;
    let by = department.locked_by(known.taxonomy, category, level).unwrap_or(LockedBy::Everyone);
    let id = &known.taxonomy.category(category).id;
    let way_out = match &by {
        LockedBy::Pupils => messages::remove_or_staff("level = \"staff\""),
        LockedBy::Everyone => messages::remove_locked(),
        LockedBy::Department(_) if department.contact.is_empty() => {
            messages::remove_from("observe")
        }
        LockedBy::Department(_) => messages::remove_or_ask(&department.contact),
    };
    let words = by.words(&department.name, level);
    let found = Diagnostic::new(span, messages::stays_blocked(id, words)).hint(way_out);
    match by {
        LockedBy::Department(_) => report.void(found),
        LockedBy::Everyone | LockedBy::Pupils => report.push(found),
    }
}

/// Reports names that a school allows and the department denies: void. Of the department's own
/// names the longest decides, and of two equal ones the allowed.
fn denied_by_department(
    report: &mut Report<'_>,
    department: &Department,
    allow: &[(Name, Range<usize>)],
) {
    let longest = |names: &[Name], name: &Name| {
        let covers = |other: &&Name| {
            crate::dns::name::Folded::from_name(name).is_at_or_below(other.as_wire())
        };
        names.iter().filter(covers).max_by_key(|other| other.label_count()).cloned()
    };
    for (name, span) in allow {
        let Some(denied) = longest(&department.deny, name) else { continue };
        let is_opened = longest(&department.allow, name)
            .is_some_and(|allowed| allowed.label_count() >= denied.label_count());
        if !is_opened {
            let shown = |name: &Name| name.to_string().trim_end_matches('.').to_owned();
            report.void(
                Diagnostic::new(
                    span.clone(),
                    messages::department_denies(shown(name), &department.name, shown(&denied)),
                )
                .hint(messages::remove_from("allow")),
            );
        }
    }
}
