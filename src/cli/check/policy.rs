//! Policy in effect for each group, and its differences from the layers above the school.

use std::fmt::Write as _;

use serde::Serialize;

use crate::category::{CategorySet, Taxonomy};
use crate::config::Config;
use crate::dns::name::Name;
use crate::policy::group::enforcement::Enforcement;
use crate::policy::{Actions, CanaryKind, GroupRules};

/// Policy in effect for one group.
#[derive(Debug, Serialize)]
pub(super) struct GroupView {
    name: String,
    is_default: bool,
    level: &'static str,
    profile: Option<String>,
    clients: Vec<String>,
    listen: Vec<String>,
    server_names: Vec<String>,
    macs: Vec<String>,
    tokens_from: Vec<String>,
    answer: &'static str,
    keywords: bool,
    /// Locked categories: blocked, and a setting of the school must never loosen them.
    locked: Vec<String>,
    /// Those of `locked` that the department locks, not the taxonomy.
    locked_by_department: Vec<String>,
    /// Categories blocked at all times, by level or profile.
    block: Vec<String>,
    /// Categories blocked in lessons, observed outside.
    lessons: Vec<String>,
    /// Schedule of lessons; without one lessons last at all times.
    lesson_schedule: Option<String>,
    observe: Vec<String>,
    allow_only: bool,
    allow: Vec<String>,
    deny: Vec<String>,
    /// Changes while schedules run.
    during: Vec<During>,
    /// Search engines in safe mode.
    safesearch: Vec<String>,
    /// Those that the department locks.
    safesearch_locked: Vec<String>,
    /// Canaries that are answered negatively.
    canaries: Vec<&'static str>,
    canaries_locked: Vec<&'static str>,
}

/// Changes while one schedule runs.
#[derive(Debug, Serialize)]
struct During {
    schedule: String,
    block: Vec<String>,
    observe: Vec<String>,
    allow_only: bool,
    allow: Vec<String>,
    deny: Vec<String>,
}

/// The differences of one group from its baseline.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    group: String,
    level: &'static str,
    /// Author of the baseline: the department, or the taxonomy.
    baseline: String,
    changes: Vec<Change>,
}

/// One point of difference.
#[derive(Debug, Serialize)]
struct Change {
    what: String,
    from: String,
    to: String,
    /// `stricter`, `looser` or `other`.
    effect: &'static str,
}

/// Policy in effect for every group.
pub(super) fn effective(config: &Config) -> Vec<GroupView> {
    let schedule = |place: usize| config.schedules.get(place).map(|one| one.name.clone());
    let group = |(place, rules): (usize, &GroupRules)| GroupView {
        name: rules.name.clone(),
        is_default: place == config.default_group,
        level: rules.level.id(),
        profile: rules.profile.clone(),
        clients: rules.clients.iter().map(ToString::to_string).collect(),
        listen: rules.listeners.iter().map(ToString::to_string).collect(),
        server_names: rules.claims.server_names.clone(),
        macs: rules.claims.macs.iter().map(ToString::to_string).collect(),
        tokens_from: rules.claims.tokens_from.iter().map(ToString::to_string).collect(),
        answer: rules.answer.id(),
        keywords: rules.keywords && config.lists.use_keywords,
        locked: ids(&config.taxonomy, rules.locked),
        locked_by_department: ids(
            &config.taxonomy,
            rules.locked.without(config.taxonomy.locked_for(rules.level)),
        ),
        block: ids(&config.taxonomy, rules.block.without(rules.locked).without(rules.lessons)),
        lessons: ids(&config.taxonomy, rules.lessons),
        lesson_schedule: rules.lesson_schedule.and_then(schedule),
        observe: ids(&config.taxonomy, rules.observe),
        allow_only: rules.is_allow_only,
        allow: names(&rules.allow),
        deny: names(&rules.deny),
        during: rules
            .during
            .iter()
            .map(|during| During {
                schedule: schedule(during.schedule).unwrap_or_default(),
                block: ids(&config.taxonomy, during.block),
                observe: ids(&config.taxonomy, during.observe),
                allow_only: during.is_allow_only,
                allow: names(&during.allow),
                deny: names(&during.deny),
            })
            .collect(),
        safesearch: engines(config, &rules.enforcement),
        safesearch_locked: engines(config, &rules.enforcement_locked),
        canaries: rules.enforcement.canaries.iter().map(|kind| kind.id()).collect(),
        canaries_locked: rules.enforcement_locked.canaries.iter().map(|kind| kind.id()).collect(),
    };
    config.groups.iter().enumerate().map(group).collect()
}

/// Policy of the department, for all groups.
pub(super) fn department_text(config: &Config) -> String {
    let department = &config.department;
    if department.is_silent() {
        return String::new();
    }
    let mut out = format!("department {}\n", department.name);
    for (what, list) in [("allow", &department.allow), ("deny", &department.deny)] {
        if !list.is_empty() {
            let _ = writeln!(out, "  {what:8} {}", names(list).join(" "));
        }
    }
    out
}

/// The time zone, and each schedule with its days, times and calendars.
pub(super) fn times_text(config: &Config) -> String {
    let mut out = String::new();
    if config.schedules.is_empty() {
        return out;
    }
    let _ = writeln!(out, "times by {}", config.school.timezone);
    for schedule in &config.schedules {
        let _ = writeln!(out, "  {:8} {}", schedule.name, schedule.words());
    }
    out
}

/// Policy of one group, for people.
pub(super) fn group_text(group: &GroupView) -> String {
    let default = if group.is_default { " (default: clients in no other network)" } else { "" };
    let keywords = if group.keywords { "block" } else { "do nothing" };
    let mut out = format!("group {}{default}\n", group.name);
    let profile = group.profile.as_ref().map_or(String::new(), |name| format!(", profile {name}"));
    let _ = writeln!(out, "  level    {}{profile}", group.level);
    for (what, words) in [
        ("clients", &group.clients),
        ("listen", &group.listen),
        ("server_names", &group.server_names),
        ("macs", &group.macs),
        ("tokens_from", &group.tokens_from),
        ("locked", &group.locked),
        ("  of these by the department", &group.locked_by_department),
        ("block", &group.block),
    ] {
        if !words.is_empty() {
            let _ = writeln!(out, "  {what:8} {}", words.join(" "));
        }
    }
    if !group.lessons.is_empty() {
        let when = group.lesson_schedule.as_ref();
        let when = when.map_or("no timetable: always".into(), |name| format!("schedule {name}"));
        let _ = writeln!(out, "  lessons  {} ({when})", group.lessons.join(" "));
    }
    for (what, words) in
        [("observe", &group.observe), ("allow", &group.allow), ("deny", &group.deny)]
    {
        if !words.is_empty() {
            let _ = writeln!(out, "  {what:8} {}", words.join(" "));
        }
    }
    if group.allow_only {
        out += "  only     what is allowed\n";
    }
    for during in &group.during {
        let only = if during.allow_only { " only what is allowed" } else { "" };
        let listed = |what: &str, words: &[String]| match words {
            [] => String::new(),
            words => format!(" {what} {}", words.join(" ")),
        };
        let (block, observe) = (listed("block", &during.block), listed("observe", &during.observe));
        let (allow, deny) = (listed("allow", &during.allow), listed("deny", &during.deny));
        let schedule = &during.schedule;
        let _ = writeln!(out, "  during   {schedule}:{block}{observe}{allow}{deny}{only}");
    }
    for (what, words, locked) in [
        ("safesearch", group.safesearch.join(" "), group.safesearch_locked.join(" ")),
        ("canaries", group.canaries.join(" "), group.canaries_locked.join(" ")),
    ] {
        let words = if words.is_empty() { "off" } else { &words };
        let _ = writeln!(out, "  {what:10} {words}");
        if !locked.is_empty() {
            let _ = writeln!(out, "    locked by the department {locked}");
        }
    }
    out + &format!("  answer   {}\n  keywords {keywords}\n", group.answer)
}

/// Differences of each group from the layers above the school.
pub(super) fn differences(config: &Config) -> Vec<Difference> {
    let baseline = match config.department.name.as_str() {
        "" => "the taxonomy".to_owned(),
        name => name.to_owned(),
    };
    let of = |rules: &GroupRules| Difference {
        group: rules.name.clone(),
        level: rules.level.id(),
        baseline: baseline.clone(),
        changes: changes(config, rules),
    };
    config.groups.iter().map(of).collect()
}

/// Differences of one group, by category and name.
fn changes(config: &Config, rules: &GroupRules) -> Vec<Change> {
    let own = Actions {
        block: rules.block,
        lessons: rules.lessons,
        observe: rules.observe,
        is_allow_only: rules.is_allow_only,
    };
    let effect = |from: usize, to: usize| if to > from { "stricter" } else { "looser" };
    let mut changes = Vec::new();
    for (category, row) in config.taxonomy.iter().filter(|(_, row)| !row.is_positive) {
        let (from, to) = (rules.baseline.rank(category), own.rank(category));
        if from != to {
            let effect = effect(from, to);
            let (from, to) = (rules.baseline.word(category).into(), own.word(category).into());
            changes.push(Change { what: row.id.clone(), from, to, effect });
        }
    }
    let (from, to) = (rules.baseline.is_allow_only, rules.is_allow_only);
    if from != to {
        let word = |is: bool| if is { "on" } else { "off" }.to_owned();
        let effect = effect(usize::from(from), usize::from(to));
        changes.push(Change { what: "allow-list".into(), from: word(from), to: word(to), effect });
    }
    changes.extend(enforcement_changes(config, rules));
    let mut add = |what: String, to: &str, effect| {
        changes.push(Change { what, from: "-".into(), to: to.into(), effect });
    };
    for name in names(&rules.allow) {
        add(name, "allow", "looser");
    }
    for name in names(&rules.deny) {
        add(name, "deny", "stricter");
    }
    for during in &rules.during {
        let schedule = config.schedules.get(during.schedule).map_or("", |one| one.name.as_str());
        for (set, word, effect) in
            [(during.block, "block", "stricter"), (during.observe, "observe", "looser")]
        {
            for id in ids(&config.taxonomy, set) {
                add(format!("{id} during {schedule}"), word, effect);
            }
        }
        for (list, word, effect) in
            [(&during.allow, "allow", "looser"), (&during.deny, "deny", "stricter")]
        {
            for name in names(list) {
                add(format!("{name} during {schedule}"), word, effect);
            }
        }
        if during.is_allow_only {
            add(format!("allow-list during {schedule}"), "on", "stricter");
        }
    }
    changes
}

/// Differences of search engines, canaries and keywords.
fn enforcement_changes(config: &Config, rules: &GroupRules) -> Vec<Change> {
    let (before, now) = (&rules.enforcement_baseline, &rules.enforcement);
    let engines = &config.safesearch.engines;
    let mut changes = Vec::new();
    let mut change = |what: String, from: &str, to: &str, is_stricter: bool| {
        let effect = if is_stricter { "stricter" } else { "looser" };
        changes.push(Change { what, from: from.into(), to: to.into(), effect });
    };
    for (number, engine) in engines.0.iter().enumerate() {
        let target = |of: &Enforcement| of.safe.0.get(number).cloned().flatten();
        let (from, to) = (target(before), target(now));
        if from != to {
            let is_stricter =
                engines.rank(number, to.as_ref()) > engines.rank(number, from.as_ref());
            let (from, to) = (engine.mode_of(from.as_ref()), engine.mode_of(to.as_ref()));
            change(format!("safe search of {}", engine.id), from, to, is_stricter);
        }
    }
    let word = |is: bool| if is { "on" } else { "off" };
    for kind in CanaryKind::ALL {
        let (from, to) = (before.canaries.contains(&kind), now.canaries.contains(&kind));
        if from != to {
            change(format!("canary {}", kind.id()), word(from), word(to), to);
        }
    }
    let (from, to) = (rules.level.is_pupils(), rules.keywords);
    if from != to && config.lists.use_keywords {
        change("keywords".into(), word(from), word(to), to);
    }
    changes
}

/// Engines with their modes, for people.
fn engines(config: &Config, enforcement: &Enforcement) -> Vec<String> {
    config.safesearch.engines.words(&enforcement.safe).map(|word| word.to_string()).collect()
}

/// Differences of one group, for people.
pub(super) fn difference_text(difference: &Difference) -> String {
    let Difference { group, level, baseline, changes } = difference;
    let mut out = format!("group {group} ({level}), against {baseline}\n");
    if changes.is_empty() {
        out += "  no difference\n";
    }
    for Change { what, from, to, effect } in changes {
        let _ = writeln!(out, "  {what:28} {from} → {to}  {effect}");
    }
    out
}

/// Names without the final dot.
fn names(names: &[Name]) -> Vec<String> {
    names.iter().map(|name| name.to_string().trim_end_matches('.').to_owned()).collect()
}

/// Ids of a set, in the order of the taxonomy.
fn ids(taxonomy: &Taxonomy, set: CategorySet) -> Vec<String> {
    set.iter().map(|category| taxonomy.category(category).id.clone()).collect()
}
