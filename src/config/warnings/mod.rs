//! Warnings: what is no mistake, and seldom what was meant.
//!
//! They are diagnostics as mistakes are, with their place and in both languages. `check` shows them
//! and exits 0 (with `--strict` 3), a start logs them once. A config with warnings is served.

mod contradictions;
mod networks;
mod profiles;

use std::ops::Range;

use toml::Spanned;

use crate::config::data::guard::Guard;
use crate::config::errors::ConfigErrors;
use crate::config::file::shape::File;
use crate::config::file::value::{each, place_of};
use crate::config::model::Config;
use crate::config::warnings::networks::Networks;
use crate::diagnostic::{Diagnostic, nearest};
use crate::dns::name::Name;
use crate::lang::{Message, messages};
use crate::policy::{GroupRules, Mac};

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
    let of_sources = file.lists.source.iter().map(|table| &table.get_ref().accept);
    let accepted: Vec<_> = of_sources.chain([&file.lists.accept]).flat_map(each).collect();
    let guard = (!accepted.is_empty()).then(|| Guard::of(&config.data, &config.taxonomy));
    for given in accepted {
        let name = Name::from_text(given.get_ref()).ok();
        if name.zip(guard.as_ref()).is_some_and(|(name, guard)| !guard.has(&name)) {
            let message = messages::accepts_nothing(given.get_ref());
            found.push(Diagnostic::new(given.span(), message).hint(messages::accept_guarded()));
        }
    }
    found.extend(schedules(file, config));
    found.extend(groups(file, config));
    found.extend(profiles::profiles(file, config));
    found.extend(contradictions::contradictions(file, config));
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

/// Clients of a group that get no answer at all, and hardware addresses that will not last.
fn groups(file: &File, config: &Config) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let allowed = Networks::new(&config.listen.allow);
    for (table, group) in file.group.iter().zip(&config.groups) {
        let file = table.get_ref();
        let networks =
            [(&file.clients, &group.clients), (&file.tokens_from, &group.claims.tokens_from)];
        for (key, networks) in networks {
            let Some(never) = networks.iter().find(|one| !allowed.meets(one)) else { continue };
            let message = messages::clients_never_answered(&group.name, never);
            let span = place_of(key.as_ref(), table);
            found.push(Diagnostic::new(span, message).hint(messages::widen_allow()));
        }
        for given in each(&file.macs) {
            let mac = given.get_ref().parse::<Mac>().ok();
            if let Some(mac) = mac.filter(|mac| mac.is_random()) {
                let message = messages::random_mac(mac, &group.name);
                let hint = messages::use_the_device_mac();
                found.push(Diagnostic::new(given.span(), message).hint(hint));
            }
        }
    }
    found
}
