//! Profiles that open what their level blocks, names that are whole top-level domains, and words of
//! a profile that its other words make void.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::ops::Range;

use crate::category::{CategorySet, Taxonomy};
use crate::config::file::shape::{AllowOnly, DuringFile, File, ProfileFile, SpannedTexts};
use crate::config::file::value::each;
use crate::config::layers::words::WordKind;
use crate::config::model::Config;
use crate::diagnostic::Diagnostic;
use crate::dns::name::{Folded, Name};
use crate::lang::{Message, messages};
use crate::policy::GroupRules;
use crate::rule::Scope;

/// What is seldom meant in profiles, and in what they do while schedules run.
pub(super) fn profiles(file: &File, config: &Config) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let essential = Essential::new(config);
    for (name, profile) in &file.profile {
        let groups = Groups::of(config, name.get_ref());
        found.extend(names(config, &essential, &profile.allow, &profile.deny));
        found.extend(opened_by_block(name.get_ref(), profile, config, &groups));
        found.extend(allow_only(profile, config, &groups));
        if let (Some(true), false) = (profile.keywords, config.lists.use_keywords) {
            found.push(void(
                name.span(),
                "keywords",
                messages::key_is("use_keywords", "false"),
                messages::change_one(),
            ));
        }
        for (schedule, during) in &profile.during {
            found.extend(names(config, &essential, &during.allow, &during.deny));
            found.extend(window(schedule.span(), during, config, &groups));
        }
    }
    found
}

/// A setting that another one makes void.
pub(super) fn void(span: Range<usize>, key: &str, why: Message, hint: Message) -> Diagnostic {
    Diagnostic::new(span, messages::setting_is_void(key, why)).hint(hint)
}

/// The groups of one profile.
struct Groups<'c>(Vec<&'c GroupRules>);

impl<'c> Groups<'c> {
    fn of(config: &'c Config, profile: &str) -> Self {
        let is_of = |group: &&GroupRules| group.profile.as_deref() == Some(profile);
        Self(config.groups.iter().filter(is_of).collect())
    }

    /// Whether there is a group, and each is so.
    fn all(&self, is: impl Fn(&GroupRules) -> bool) -> bool {
        !self.0.is_empty() && self.0.iter().all(|group| is(group))
    }
}

/// Names that resolve whatever a school denies.
struct Essential(HashMap<Vec<u8>, Scope>);

impl Essential {
    fn new(config: &Config) -> Self {
        let own = config.essential.iter();
        Self(own.map(|(name, scope)| (name.as_wire().to_vec(), *scope)).collect())
    }

    fn covers(&self, name: &Name) -> bool {
        let folded = Folded::from_name(name);
        let at = |index: usize| self.0.get(folded.suffix(index));
        (0..folded.label_count()).any(|index| at(index).is_some_and(|of| of.covers(index == 0)))
    }
}

/// Names of `allow` and `deny` in one scope.
fn names(
    config: &Config,
    essential: &Essential,
    allow: &SpannedTexts,
    deny: &SpannedTexts,
) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for (key, names) in [("allow", allow), ("deny", deny)] {
        found.extend(single_labels(key, names));
        let addresses = each(names).filter(|given| given.get_ref().parse::<IpAddr>().is_ok());
        found.extend(addresses.map(|given| {
            let message = messages::name_is_address(given.get_ref(), key);
            Diagnostic::new(given.span(), message).hint(messages::write_names_not_addresses())
        }));
    }
    let allowed: HashSet<Name> =
        each(allow).flat_map(|given| config.words.meant(given.get_ref())).collect();
    let local: HashSet<&Name> = config.local.names.iter().map(|local| &local.name).collect();
    for given in each(deny) {
        let meant = config.words.meant(given.get_ref());
        let shown = |name: &Name| {
            if WordKind::of(given.get_ref()).is_some() {
                name.to_string().trim_end_matches('.').to_owned()
            } else {
                given.get_ref().clone()
            }
        };
        if let Some(name) = meant.iter().find(|name| allowed.contains(*name)) {
            let message = messages::allowed_and_denied(shown(name));
            found.push(Diagnostic::new(given.span(), message).hint(messages::remove_one()));
        }
        if let Some(name) = meant.iter().find(|name| essential.covers(name)) {
            let message = messages::denied_is_essential(shown(name));
            found.push(Diagnostic::new(given.span(), message).hint(messages::remove_one()));
        }
        if let Some(name) = meant.iter().find(|name| local.contains(*name)) {
            let message = messages::denied_is_local(shown(name));
            found.push(Diagnostic::new(given.span(), message).hint(messages::remove_one()));
        }
    }
    found
}

/// A complete `block` that opens what the level blocks.
fn opened_by_block(
    id: &str,
    profile: &ProfileFile,
    config: &Config,
    groups: &Groups<'_>,
) -> Option<Diagnostic> {
    let block = profile.block.as_ref()?;
    let opened = groups.0.iter().map(|group| opened(group));
    let opened = opened.fold(CategorySet::EMPTY, CategorySet::union);
    (!opened.is_empty()).then(|| {
        let words = words(&config.taxonomy, opened);
        let message = messages::profile_opens(id, opened.iter().count(), words);
        Diagnostic::new(block.span(), message).hint(messages::without_block())
    })
}

/// The categories that the level blocks, at least in lessons, and of which the profile says nothing.
fn opened(group: &GroupRules) -> CategorySet {
    let baseline = group.baseline.block.union(group.baseline.lessons);
    baseline.without(group.block).without(group.lessons).without(group.observe)
}

/// Allow-list mode beside words about categories, and without a single name.
fn allow_only(profile: &ProfileFile, config: &Config, groups: &Groups<'_>) -> Option<Diagnostic> {
    let given = profile.allow_only.as_ref()?;
    if matches!(given.get_ref(), AllowOnly::Is(false)) {
        return None;
    }
    if let Some(block) = profile.block.as_ref().filter(|block| !block.get_ref().is_empty()) {
        let why = messages::only_allowed_passes();
        return Some(void(block.span(), "block", why, messages::remove_one()));
    }
    let has_names = |group: &GroupRules| {
        !group.allow.is_empty() || group.during.iter().any(|during| !during.allow.is_empty())
    };
    let lists = &config.lists;
    let is_good = |category| config.taxonomy.category(category).is_positive;
    let has_good = lists.packs.is_some()
        || lists.starter
        || lists.sources.iter().any(|source| is_good(source.category))
        || !config.department.allow.is_empty();
    (!has_good && groups.all(|group| !has_names(group))).then(|| {
        Diagnostic::new(given.span(), messages::nothing_is_allowed())
            .hint(messages::write("allow = [\"…\"]"))
    })
}

/// Words of a window that change nothing.
fn window(
    span: Range<usize>,
    during: &DuringFile,
    config: &Config,
    groups: &Groups<'_>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let only = during.allow_only.as_ref();
    if let Some(only) = only.filter(|only| matches!(only.get_ref(), AllowOnly::Is(true)))
        && groups.all(|group| group.is_allow_only)
    {
        let why = messages::so_at_all_times();
        found.push(void(only.span(), "allow_only", why, messages::remove_it()));
    }
    for given in each(&during.block) {
        let Some(category) = config.taxonomy.find(given.get_ref()) else { continue };
        let is_blocked = |group: &GroupRules| group.block.without(group.lessons).contains(category);
        if groups.all(is_blocked) {
            let why = messages::so_at_all_times();
            found.push(void(given.span(), given.get_ref(), why, messages::remove_it()));
        }
    }
    for given in each(&during.observe) {
        let Some(category) = config.taxonomy.find(given.get_ref()) else { continue };
        if groups.all(|group| group.observe.contains(category)) {
            let why = messages::so_at_all_times();
            found.push(void(given.span(), given.get_ref(), why, messages::remove_it()));
        }
    }
    let is_empty = [&during.block, &during.observe, &during.allow, &during.deny]
        .into_iter()
        .all(|names| each(names).next().is_none());
    if is_empty && only.is_none_or(|only| matches!(only.get_ref(), AllowOnly::Is(false))) {
        found.push(Diagnostic::new(span, messages::window_says_nothing()).hint(
            messages::add_one_of(
                "block = [\"…\"]",
                "observe = [\"…\"]",
                "allow = [\"…\"]",
                "deny = [\"…\"]",
            ),
        ));
    }
    found
}

/// Names of one label: all of a top-level domain.
fn single_labels<'f>(
    key: &'f str,
    names: &'f SpannedTexts,
) -> impl Iterator<Item = Diagnostic> + 'f {
    let is_single = |text: &str| {
        let name = text.trim_end_matches('.');
        !name.is_empty() && !name.contains('.') && WordKind::of(name).is_none()
    };
    each(names).filter(move |given| is_single(given.get_ref())).map(move |given| {
        let message = messages::whole_top_level(key, given.get_ref());
        Diagnostic::new(given.span(), message).hint(messages::write_whole_name())
    })
}

/// Ids of a set, in the order of the taxonomy.
fn words(taxonomy: &Taxonomy, set: CategorySet) -> String {
    let ids: Vec<&str> = set.iter().map(|one| taxonomy.category(one).id.as_str()).collect();
    ids.join(", ")
}
