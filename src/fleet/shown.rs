//! The first screen in words: what JSON has, and what the text and the page are made of.

use std::collections::BTreeMap;

use serde::Serialize;

use super::protection::SchoolProtection;
use super::question::FleetQuestion;
use super::school::FleetSchool;
use super::view::{FleetMoment, FleetView, UnitSum, UpstreamHealth};
use crate::lang::{Lang, Message, messages};

/// The most schools that are named of those that are not in the registry.
const MAX_STRANGERS: usize = 20;

/// The first screen in a language.
#[derive(Debug, Serialize)]
pub struct ShownFleet {
    /// The time, by the zone.
    pub at: String,
    /// Whether every school is protected, or reports that it is.
    pub is_protected: bool,
    /// Schools of the registry, by whether they are protected; all of them where there is none.
    pub counts: BTreeMap<SchoolProtection, usize>,
    /// Schools that only a log has, and that are not in the registry.
    pub not_registered: usize,
    /// The ids of the first of them.
    pub not_registered_ids: Vec<String>,
    /// Lines of logs that no gateway wrote, or of a day to come.
    pub passed_over: u64,
    /// Of the school minutes of this month that were due, those in which filtering was enforced, in
    /// percent; none where no gateway counts them.
    pub enforced_percent: Option<f64>,
    /// School minutes of this month without enforcement.
    pub not_enforced_minutes: Option<u64>,
    /// School minutes of this month that were due.
    pub due_minutes: Option<u64>,
    /// The schools, in the order in which a person looks.
    pub schools: Vec<ShownSchool>,
    /// Schools by release; 0 is none.
    pub releases: BTreeMap<u64, usize>,
    /// Schools by version of a program.
    pub versions: BTreeMap<String, usize>,
    /// Blocked queries of the last day, by category, the most first.
    pub blocked: Vec<(String, u64)>,
    /// Upstream servers, the worst first.
    pub upstreams: Vec<ShownUpstream>,
    /// Schools by commune, the worst first.
    pub communes: Vec<ShownUnit>,
    /// Schools by old district, the worst first.
    pub old_units: Vec<ShownUnit>,
    /// Questions without an answer, and the reason.
    pub unread: BTreeMap<FleetQuestion, String>,
}

/// A school in words.
#[derive(Debug, Serialize)]
pub struct ShownSchool {
    /// Its id.
    pub school: String,
    /// Its name; empty where it is in no registry.
    pub name: String,
    /// Whether it is in the registry.
    pub is_registered: bool,
    /// Its commune.
    pub commune: String,
    /// Its old district.
    pub old_unit: String,
    /// Whether it is protected.
    pub protected: SchoolProtection,
    /// Since when.
    pub since: String,
    /// What is to be said of it, the worst first: words for scripts.
    pub causes: Vec<String>,
    /// The same in words.
    pub cause: String,
    /// School minutes of this month without enforcement.
    pub not_enforced_minutes: Option<u64>,
    /// School minutes of this month that were due.
    pub due_minutes: Option<u64>,
    /// School seconds of this month, by what held, as its gateways counted them.
    pub seconds: BTreeMap<String, u64>,
    /// Its gateways.
    pub gateways: usize,
    /// Its release; 0 is none.
    pub release: Option<u64>,
    /// The versions of its programs.
    pub versions: Vec<String>,
    /// When it was last heard of.
    pub last_seen: String,
}

/// An upstream server in words.
#[derive(Debug, Serialize)]
pub struct ShownUpstream {
    /// The server.
    pub server: String,
    /// Gateways that find it up, in percent.
    pub up_percent: f64,
    /// Questions of the last hour that it failed, in percent.
    pub errors_percent: Option<f64>,
}

/// The schools of a unit.
#[derive(Debug, Serialize)]
pub struct ShownUnit {
    /// Its name.
    pub unit: String,
    /// Schools, by whether they are protected.
    pub counts: BTreeMap<SchoolProtection, usize>,
    /// School minutes of this month without enforcement.
    pub not_enforced_minutes: u64,
}

impl ShownFleet {
    /// The first screen in words.
    pub fn new(
        view: &FleetView,
        unread: BTreeMap<FleetQuestion, String>,
        moment: &FleetMoment,
        lang: Lang,
    ) -> Self {
        let strangers = view.strangers.iter().take(MAX_STRANGERS);
        Self {
            at: local(moment, moment.now),
            is_protected: view.is_protected(),
            counts: view.counts(),
            not_registered: view.strangers.len(),
            not_registered_ids: strangers.map(|one| one.id.clone()).collect(),
            passed_over: 0,
            enforced_percent: view.seconds.and_then(enforced),
            not_enforced_minutes: view.seconds.map(|(not, _)| minutes(not)),
            due_minutes: view.seconds.map(|(_, due)| minutes(due)),
            schools: view.schools.iter().map(|one| school(one, moment, lang)).collect(),
            releases: view.releases.clone(),
            versions: view.versions.clone(),
            blocked: view.blocked.clone(),
            upstreams: view.upstreams.iter().map(upstream).collect(),
            communes: view.communes.iter().map(|one| unit(one, lang)).collect(),
            old_units: view.old_units.iter().map(|one| unit(one, lang)).collect(),
            unread,
        }
    }
}

/// Whether a school is protected, in a word.
pub(super) fn word(protected: SchoolProtection) -> Message {
    match protected {
        SchoolProtection::No => messages::fleet_no(),
        SchoolProtection::Unknown => messages::fleet_unknown(),
        SchoolProtection::Reported => messages::fleet_reported(),
        SchoolProtection::Yes => messages::fleet_yes(),
    }
}

/// What all come to, in lines.
pub(super) fn head(fleet: &ShownFleet, lang: Lang) -> Vec<String> {
    let of = |protected| fleet.counts.get(&protected).copied().unwrap_or(0);
    let [no, unknown, reported, yes] = SchoolProtection::ALL.map(of);
    let mut lines = vec![
        messages::fleet_at(&fleet.at).in_lang(lang),
        messages::fleet_counts(no, unknown, reported, yes).in_lang(lang),
    ];
    let objective = match (fleet.enforced_percent, fleet.not_enforced_minutes, fleet.due_minutes) {
        (Some(percent), Some(not), Some(due)) => {
            messages::fleet_objective(decimal(percent, 3, lang), not, due)
        }
        _ => messages::fleet_no_objective(),
    };
    lines.push(objective.in_lang(lang));
    if reported > 0 {
        lines.push(messages::fleet_as_reported().in_lang(lang));
    }
    if fleet.not_registered > 0 {
        let mut ids = fleet.not_registered_ids.join(", ");
        if fleet.not_registered > fleet.not_registered_ids.len() {
            ids.push_str(", …");
        }
        lines.push(messages::fleet_strangers(fleet.not_registered, ids).in_lang(lang));
    }
    // A server that is down gives one reason for all.
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (question, why) in &fleet.unread {
        let word = serde_json::to_string(question).unwrap_or_default().replace('"', "");
        reasons.entry(why).or_default().push(word);
    }
    let told = |(why, questions): (&str, Vec<String>)| {
        messages::fleet_unread(questions.join(", "), why).in_lang(lang)
    };
    lines.extend(reasons.into_iter().map(told));
    lines
}

/// A number with so many decimals, as the language writes it.
pub(super) fn decimal(value: f64, places: usize, lang: Lang) -> String {
    let text = format!("{value:.places$}");
    if lang == Lang::Vi { text.replace('.', ",") } else { text }
}

/// A release in words.
pub(super) fn release(release: Option<u64>, lang: Lang) -> String {
    match release {
        None => String::new(),
        Some(0) => messages::fleet_release_none().in_lang(lang),
        Some(release) => release.to_string(),
    }
}

/// The share in percent in which filtering was enforced, never rounded up to the whole.
fn enforced((not, due): (u64, u64)) -> Option<f64> {
    let share = (due > 0).then(|| (due - not.min(due)) as f64 / due as f64 * 100.0)?;
    Some((share * 1000.0).floor() / 1000.0)
}

/// Minutes, of which one that was begun counts.
fn minutes(seconds: u64) -> u64 {
    seconds.div_ceil(60)
}

fn school(one: &FleetSchool, moment: &FleetMoment, lang: Lang) -> ShownSchool {
    let time = |at: Option<u64>| at.map_or_else(String::new, |at| local(moment, at));
    let mut causes: Vec<String> =
        one.causes.iter().map(|cause| cause.message().in_lang(lang)).collect();
    if !one.is_registered {
        causes.push(messages::fleet_not_registered().in_lang(lang));
    }
    ShownSchool {
        school: one.id.clone(),
        name: one.name.clone(),
        is_registered: one.is_registered,
        commune: one.commune.clone(),
        old_unit: one.old_unit.clone(),
        protected: one.protected,
        since: time(one.since),
        causes: one.causes.iter().map(super::cause::FleetCause::id).collect(),
        cause: causes.join("; "),
        not_enforced_minutes: one.seconds.map(|(not, _)| minutes(not)),
        due_minutes: one.seconds.map(|(_, due)| minutes(due)),
        seconds: one.states.clone(),
        gateways: one.gateways,
        release: one.release,
        versions: one.versions.iter().cloned().collect(),
        last_seen: time(one.seen),
    }
}

fn upstream(one: &UpstreamHealth) -> ShownUpstream {
    ShownUpstream {
        server: one.server.clone(),
        up_percent: one.up * 100.0,
        errors_percent: one.errors.map(|errors| errors * 100.0),
    }
}

fn unit(one: &UnitSum, lang: Lang) -> ShownUnit {
    let unknown = || messages::fleet_no_unit().in_lang(lang);
    ShownUnit {
        unit: if one.unit.is_empty() { unknown() } else { one.unit.clone() },
        counts: one.schools.clone(),
        not_enforced_minutes: minutes(one.not_enforced),
    }
}

/// A moment by the zone, to the minute.
fn local(moment: &FleetMoment, at: u64) -> String {
    moment.civil(at).strftime("%Y-%m-%d %H:%M").to_string()
}
