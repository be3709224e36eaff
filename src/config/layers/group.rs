//! Groups: clients by prefix, listener or claims, and the rules that apply to them.
//!
//! The rules of a profile at a level are in `profile.rs`.
//!
//! Every client is in a group: where the file has no default group, one is made,
//! named `default`, of the school's level. Without any level it is `primary`,
//! because a missing key must never loosen policy.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use ipnet::IpNet;
use toml::Spanned;

use crate::category::Level;
use crate::config::file::report::Report;
use crate::config::file::shape::{File, GroupFile, Table};
use crate::config::file::value::{each, place_of};
use crate::config::layers::claims::TakenClaims;
use crate::config::layers::enforcement::{LayerSettings, RawKeys};
use crate::config::layers::known::Known;
use crate::config::layers::profile::{Profile, read_profiles, rules};
use crate::lang::messages;
use crate::policy::GroupRules;

/// Most groups, the default group included: each has metric series of its own.
const MAX_GROUPS: usize = 16;
/// Name of the default group, unless `default_group` names another.
const DEFAULT: &str = "default";

/// Reads the groups, and the index of the default group.
///
/// The result is valid only without mistakes in the report.
pub(crate) fn check(
    report: &mut Report<'_>,
    known: &Known<'_>,
    file: &File,
    school: Option<Level>,
    listen: &[SocketAddr],
) -> (Vec<GroupRules>, usize) {
    let profiles = read_profiles(report, known, file, school);
    let default = default_name(report, file);
    let mut groups: Vec<GroupRules> = Vec::new();
    let (mut taken, mut claims) = (HashMap::new(), TakenClaims::default());
    // Too many are a mistake, and each is compared with those before it.
    for table in file.group.iter().take(2 * MAX_GROUPS) {
        let mut group =
            read_group(report, known, table, (&profiles, school), (&groups, &mut taken));
        group.listeners = listeners(report, table.get_ref(), listen, &groups);
        group.claims = claims.read(report, table.get_ref(), &group.name);
        let is_default = default.is_none_or(|name| name == group.name);
        let file = table.get_ref();
        let by_claims = [&file.server_names, &file.macs, &file.tokens_from];
        let by_address = [&file.clients, &file.listen];
        let is_empty = by_address.into_iter().chain(by_claims).all(|key| each(key).count() == 0);
        if !is_default && !group.name.is_empty() && is_empty {
            let span = place_of(table.get_ref().clients.as_ref(), table);
            report.mistake(span, messages::empty_group(&group.name)).hint =
                Some(messages::add_or_make_it("clients = [\"10.20.0.0/16\"]", "default_group"));
        }
        groups.push(group);
    }
    let default = default.unwrap_or(DEFAULT);
    let place = groups.iter().position(|group| group.name == default).unwrap_or_else(|| {
        groups.push(rules(
            report,
            known,
            DEFAULT.into(),
            &Profile::default(),
            &LayerSettings::default(),
            school,
        ));
        groups.len() - 1
    });
    if groups.len() > MAX_GROUPS || file.group.len() > MAX_GROUPS {
        let count = groups.len().max(file.group.len());
        let span = file.group.get(MAX_GROUPS).or(file.group.last()).map_or(0..0, Spanned::span);
        report.mistake(span, messages::too_many_groups(count, MAX_GROUPS)).hint =
            Some(messages::many_prefixes("clients"));
    }
    (groups, place)
}

/// Name of the default group; `None`, with a mistake, if the file has no group of that name.
fn default_name<'f>(report: &mut Report<'_>, file: &'f File) -> Option<&'f str> {
    let Some(given) = &file.default_group else { return Some(DEFAULT) };
    let mut names: Vec<&str> = file
        .group
        .iter()
        .filter_map(|table| Some(table.get_ref().name.as_ref()?.get_ref().as_str()))
        .collect();
    if !names.contains(&DEFAULT) {
        // The default group is made where the file has none, so its name is known.
        names.push(DEFAULT);
    }
    if names.contains(&given.get_ref().as_str()) {
        return Some(given.get_ref());
    }
    report.unknown(messages::group(), given, names);
    None
}

/// Reads one `[[group]]`.
fn read_group(
    report: &mut Report<'_>,
    known: &Known<'_>,
    table: &Spanned<Table<GroupFile>>,
    (profiles, school): (&BTreeMap<&str, Profile>, Option<Level>),
    (before, taken): (&[GroupRules], &mut HashMap<IpNet, String>),
) -> GroupRules {
    let file = table.get_ref();
    let name = match &file.name {
        Some(name) => {
            report.label(messages::group(), name);
            if before.iter().any(|other| other.name == *name.get_ref()) {
                report.mistake(name.span(), messages::group_already(name.get_ref())).hint =
                    Some(messages::each_its_own_name());
            }
            name.get_ref().clone()
        }
        None => report.missing(table.span(), "[[group]]", "name").unwrap_or_default(),
    };
    let none = Profile::default();
    let profile = match &file.profile {
        Some(given) => profiles.get(given.get_ref().as_str()).unwrap_or_else(|| {
            report.unknown(messages::profile(), given, profiles.keys().copied());
            &none
        }),
        None => &none,
    };
    let own = report.level(&file.level);
    if let (Some(own), Some(its), Some(given)) = (own, profile.level, &file.level)
        && own != its
    {
        report.mistake(given.span(), messages::level_of_profile(&name, own.id(), its.id())).hint =
            Some(messages::remove_one());
    }
    let settings = LayerSettings::read(report, &known.safesearch.engines, &RawKeys::from(&**file));
    let mut group = rules(report, known, name, profile, &settings, own.or(school));
    group.clients = clients(report, file, &group.name, taken);
    if let Some(lessons) = &file.lessons {
        group.lesson_schedule = known.schedule(report, lessons);
        // `during.lessons` of a shared profile means the lessons of each group.
        for during in group.during.iter_mut().filter(|one| Some(one.schedule) == known.lessons()) {
            during.schedule = group.lesson_schedule.unwrap_or(during.schedule);
        }
    }
    if let Some(answer) = &file.answer {
        group.answer = known.answer(report, answer).unwrap_or(group.answer);
    }
    group
}

/// The prefixes of one group. A prefix must never be in two groups.
fn clients(
    report: &mut Report<'_>,
    file: &GroupFile,
    name: &str,
    taken: &mut HashMap<IpNet, String>,
) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for given in each(&file.clients) {
        for network in report.network_or_range(given) {
            match taken.get(&network) {
                Some(other) if other == name => {
                    let message = messages::twice_in_group(network, "clients", name);
                    report.mistake(given.span(), message).hint = Some(messages::remove_one());
                }
                Some(other) => {
                    let message = messages::in_two_groups(network, name, other);
                    report.mistake(given.span(), message).hint =
                        Some(messages::longer_prefix_first());
                }
                None => {
                    taken.insert(network, name.to_owned());
                }
            }
            networks.push(network);
        }
    }
    networks
}

/// The listeners of one group, each of `[listen] dns`. A listener must never be in two groups.
fn listeners(
    report: &mut Report<'_>,
    file: &GroupFile,
    listen: &[SocketAddr],
    before: &[GroupRules],
) -> Vec<SocketAddr> {
    let mut listeners = Vec::new();
    for given in each(&file.listen) {
        let Some(address) = report.address(given, 53) else { continue };
        if !listen.contains(&address) {
            let known: Vec<String> = listen.iter().map(ToString::to_string).collect();
            report.unknown(messages::listener(), given, known.iter().map(String::as_str));
        } else if let Some(other) = before.iter().find(|g| g.listeners.contains(&address)) {
            let message = messages::listener_of(address, &other.name);
            report.mistake(given.span(), message).hint = Some(messages::leave_in_one());
        }
        listeners.push(address);
    }
    listeners
}
