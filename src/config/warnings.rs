//! Warnings: what is no mistake, and seldom what was meant.
//!
//! They are diagnostics as mistakes are, with their place and in both languages. `check` shows them
//! and exits 0 (with `--strict` 3), a start logs them once. A config with warnings is served.

use std::collections::HashSet;
use std::ops::Range;

use ipnet::IpNet;
use toml::Spanned;

use crate::category::{CategorySet, Taxonomy};
use crate::config::errors::ConfigErrors;
use crate::config::file::shape::{File, SpannedTexts};
use crate::config::file::value::{each, place_of};
use crate::config::layers::known::BUNDLE;
use crate::config::model::Config;
use crate::diagnostic::{Diagnostic, nearest};
use crate::lang::{Message, messages};
use crate::policy::GroupRules;

/// The name that makes a schedule the timetable.
const LESSONS: &str = "lessons";

impl Config {
    /// The warnings of a config, at a time: a calendar may have passed since.
    pub fn warnings(&self, civil: u64) -> ConfigErrors {
        let zone = self.school.zone();
        let past = self.schedules.iter().flat_map(|schedule| schedule.past(&zone, civil));
        self.warned.clone().and(past.map(|(path, span)| {
            let message = messages::calendar_is_past(path);
            Diagnostic::new(span.clone(), message).hint(messages::save_this_year())
        }))
    }
}

/// The warnings of a file without mistakes, but for those that depend on the time.
pub(super) fn warnings(file: &File, config: &Config) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut warn = |span: Range<usize>, message: Message, hint: Message| {
        found.push(Diagnostic::new(span, message).hint(hint));
    };
    if let Some(first) = file.schedule.first().filter(|_| file.school.timezone.is_none()) {
        warn(
            first.span(),
            messages::schedules_in_utc(),
            messages::add("timezone = \"Asia/Ho_Chi_Minh\""),
        );
    }
    if let Some(contradiction) = config.upstream.contradiction() {
        let key = file.upstream.deadline.as_ref().map(Spanned::span);
        let span = key.or_else(|| file.upstream.timeout.as_ref().map(Spanned::span));
        warn(span.unwrap_or(0..0), contradiction, messages::change_one());
    }
    let default = config.default_group();
    if !default.level.is_pupils() {
        let span = file.default_group.as_ref().map_or(0..0, Spanned::span);
        let message = messages::default_is_staff(&default.name, default.level.id());
        warn(span, message, messages::strictest_by_default());
    }
    let lists = &config.lists;
    if !lists.starter && lists.sources.is_empty() && lists.packs.is_none() {
        let is_listed = |group: &GroupRules| !group.is_allow_only && !group.block.is_empty();
        if config.groups.iter().any(is_listed) {
            warn(0..0, messages::no_lists_at_all(), messages::add("[[lists.source]]"));
        }
    }
    found.extend(schedules(file, config));
    found.extend(groups(file, config));
    found.extend(profiles(file, config));
    found
}

/// Schedules that nothing depends on, and windows that are longer than a day at school.
fn schedules(file: &File, config: &Config) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for table in &file.schedule {
        let Some(name) = &table.get_ref().name else { continue };
        let id = name.get_ref().as_str();
        let is_named = |given: &Option<Spanned<String>>| {
            given.as_ref().is_some_and(|given| given.get_ref() == id)
        };
        let in_groups = file.group.iter().any(|group| is_named(&group.get_ref().lessons));
        let during = file.profile.values().flat_map(|profile| profile.during.keys());
        let is_used = in_groups || during.into_iter().any(|key| key.get_ref() == id);
        let has_lessons = config.schedules.iter().any(|schedule| schedule.name == LESSONS);
        if !is_used && id != LESSONS {
            let is_near = !has_lessons && nearest(id, [LESSONS]).is_some();
            let hint = if is_near {
                messages::did_you_mean(LESSONS)
            } else {
                messages::use_the_schedule()
            };
            found.push(Diagnostic::new(name.span(), messages::schedule_unused(id)).hint(hint));
        }
        for given in each(&table.get_ref().times) {
            let text = given.get_ref();
            let minutes = |text: &str| -> Option<i32> {
                let (hour, minute) = text.trim().split_once(':')?;
                Some(hour.parse::<i32>().ok()? * 60 + minute.parse::<i32>().ok()?)
            };
            let Some((start, end)) = text.split_once('-') else { continue };
            let Some((start, end)) = minutes(start).zip(minutes(end)) else { continue };
            let length = end + 24 * 60 - start;
            if end < start && length > MOST_OVERNIGHT {
                let message = messages::window_is_long(text, length / 60, length % 60);
                let hint = messages::window_ends_next_day();
                found.push(Diagnostic::new(given.span(), message).hint(hint));
            }
        }
    }
    found
}

/// The longest window over midnight that is meant, in minutes: from the end of school to the next
/// morning.
const MOST_OVERNIGHT: i32 = 16 * 60;

/// Clients of a group that get no answer at all.
fn groups(file: &File, config: &Config) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let allowed = Merged::new(&config.listen.allow);
    for (table, group) in file.group.iter().zip(&config.groups) {
        let never = group.clients.iter().find(|client| !allowed.meets(client));
        if let Some(client) = never {
            let span = place_of(table.get_ref().clients.as_ref(), table);
            let message = messages::clients_never_answered(&group.name, client);
            found.push(Diagnostic::new(span, message).hint(messages::widen_allow()));
        }
    }
    found
}

/// Networks as ranges that do not overlap, to be searched: there may be as many clients as networks.
struct Merged([Vec<(u128, u128)>; 2]);

impl Merged {
    fn new(networks: &[IpNet]) -> Self {
        let mut all = [Vec::new(), Vec::new()];
        for network in networks {
            let (family, first, last) = ends(network);
            all[family].push((first, last));
        }
        for ranges in &mut all {
            ranges.sort_unstable();
            // A network is inside another or apart from it.
            let mut end = None;
            ranges.retain(|&(first, last)| {
                let is_apart = end.is_none_or(|end| first > end);
                end = end.max(Some(last));
                is_apart
            });
        }
        Self(all)
    }

    /// Whether an address of the network is in one of them.
    fn meets(&self, network: &IpNet) -> bool {
        let (family, first, last) = ends(network);
        let after = self.0[family].partition_point(|&(start, _)| start <= last);
        after.checked_sub(1).and_then(|at| self.0[family].get(at)).is_some_and(|one| one.1 >= first)
    }
}

/// The family of a network, as a place, and its first and last address.
fn ends(network: &IpNet) -> (usize, u128, u128) {
    match network {
        IpNet::V4(net) => (0, net.network().to_bits().into(), net.broadcast().to_bits().into()),
        IpNet::V6(net) => (1, net.network().to_bits(), net.broadcast().to_bits()),
    }
}

/// Profiles that open what their level blocks, and names that are whole top-level domains.
fn profiles(file: &File, config: &Config) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, profile) in &file.profile {
        for (key, names) in [("allow", &profile.allow), ("deny", &profile.deny)] {
            found.extend(single_labels(key, names));
        }
        let plain =
            |given: &Spanned<String>| given.get_ref().trim_end_matches('.').to_ascii_lowercase();
        let allowed: HashSet<String> = each(&profile.allow).map(plain).collect();
        for given in each(&profile.deny).filter(|given| allowed.contains(&plain(given))) {
            let message = messages::allowed_and_denied(given.get_ref());
            found.push(Diagnostic::new(given.span(), message).hint(messages::remove_one()));
        }
        let Some(block) = &profile.block else { continue };
        let id = name.get_ref().as_str();
        let of_profile = |group: &&GroupRules| group.profile.as_deref() == Some(id);
        let opened = config.groups.iter().filter(of_profile).map(opened);
        let opened = opened.fold(CategorySet::EMPTY, CategorySet::union);
        if !opened.is_empty() {
            let words = words(&config.taxonomy, opened);
            let message = messages::profile_opens(id, opened.iter().count(), words);
            found.push(Diagnostic::new(block.span(), message).hint(messages::without_block()));
        }
    }
    found
}

/// The categories that the level blocks, at least in lessons, and of which the profile says nothing.
fn opened(group: &GroupRules) -> CategorySet {
    let baseline = group.baseline.block.union(group.baseline.lessons);
    baseline.without(group.block).without(group.lessons).without(group.observe)
}

/// Names of one label: all of a top-level domain.
fn single_labels<'f>(
    key: &'f str,
    names: &'f SpannedTexts,
) -> impl Iterator<Item = Diagnostic> + 'f {
    let is_single = |text: &str| {
        let name = text.trim_end_matches('.');
        !name.is_empty() && !name.contains('.') && !name.starts_with(BUNDLE)
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
