//! The first screen: every school in the order in which a person looks, and what all come to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::FleetAnswers;
use super::cause::FleetCause;
use super::gateways::{gateways, whole};
use super::protection::SchoolProtection;
use super::question::FleetQuestion;
use super::school::FleetSchool;
use crate::publish::status::ReportedBox;
use crate::release::organisation::{RegisteredSchool, SchoolRegistry};

/// Where and when a fleet is looked at.
#[derive(Debug, Clone)]
pub struct FleetMoment {
    /// Seconds since 1970.
    pub now: u64,
    /// The zone of days and months.
    pub zone: TimeZone,
}

/// The first screen.
#[derive(Debug, Clone, Default)]
pub struct FleetView {
    /// The schools, those with most minutes without enforcement first.
    pub schools: Vec<FleetSchool>,
    /// Schools that only a log has, and that are not in the registry, by id; none without a registry.
    pub strangers: Vec<FleetSchool>,
    /// Whether there is a registry to compare with.
    has_registry: bool,
    /// School seconds of this month without enforcement, and all that were due, of every gateway.
    pub seconds: Option<(u64, u64)>,
    /// Schools, by the release that all of their gateways have.
    pub releases: BTreeMap<u64, usize>,
    /// Schools, by the version of a program there.
    pub versions: BTreeMap<String, usize>,
    /// Blocked queries of the last day, by category, the most first.
    pub blocked: Vec<(String, u64)>,
    /// Upstream servers.
    pub upstreams: Vec<UpstreamHealth>,
    /// Schools by commune.
    pub communes: Vec<UnitSum>,
    /// Schools by old district.
    pub old_units: Vec<UnitSum>,
}

/// An upstream server, as gateways find it.
#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamHealth {
    /// The server, as configs write it.
    pub server: String,
    /// The share of gateways that find it up.
    pub up: f64,
    /// The share of the questions of the last hour that it failed; none where it was asked none.
    pub errors: Option<f64>,
}

/// What the schools of a unit come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitSum {
    /// The name of the unit; empty for schools of which it is not known.
    pub unit: String,
    /// Schools, by whether they are protected.
    pub schools: BTreeMap<SchoolProtection, usize>,
    /// School seconds of this month without enforcement.
    pub not_enforced: u64,
}

impl FleetMoment {
    /// The day.
    pub fn day(&self) -> Date {
        self.civil(self.now).date()
    }

    /// The seconds of this month that are over.
    pub fn age(&self) -> u64 {
        let first = self.day().first_of_month().to_datetime(Time::midnight());
        let begun = self.zone.to_timestamp(first).map_or(0, Timestamp::as_second);
        self.now.saturating_sub(u64::try_from(begun).unwrap_or_default())
    }

    /// A second as clocks of the zone show it.
    pub(super) fn civil(&self, second: u64) -> DateTime {
        let second = i64::try_from(second).unwrap_or(i64::MAX);
        self.zone.to_datetime(Timestamp::from_second(second).unwrap_or(Timestamp::MAX))
    }
}

impl FleetView {
    /// Puts together what a registry, Prometheus and logs say; `is_blind` where Prometheus was asked and
    /// did not say which gateways there are.
    pub fn new(
        registry: &SchoolRegistry,
        (answers, is_blind): (&FleetAnswers, bool),
        reported: &[ReportedBox],
        moment: &FleetMoment,
    ) -> Self {
        let schools = registered(registry, moment.day());
        let mut by_id: BTreeMap<String, FleetSchool> =
            schools.map(|one| (one.id.clone(), one)).collect();
        let scraped = gateways(answers);
        for (id, gateways) in &scraped {
            let school = by_id.entry(id.clone()).or_insert_with(|| FleetSchool::unknown(id));
            school.watch(gateways, moment.age());
        }
        let mut boxes: BTreeMap<&str, Vec<&ReportedBox>> = BTreeMap::new();
        for one in reported {
            boxes.entry(&one.school).or_default().push(one);
        }
        for (id, boxes) in &boxes {
            let school = by_id.entry((*id).to_owned()).or_insert_with(|| FleetSchool::unknown(id));
            school.report(boxes);
        }
        if is_blind {
            let unheard = by_id.values_mut().flat_map(|school| &mut school.causes);
            unheard
                .filter(|cause| **cause == FleetCause::NeverHeard)
                .for_each(|cause| *cause = FleetCause::NotAnswered);
        }
        // Whoever can reach the web server can write the line of any school; what is scraped the
        // department itself has named.
        let has_registry = registry.schools().len() > 0;
        let is_stranger = |school: &FleetSchool| {
            has_registry && !school.is_registered && !scraped.contains_key(&school.id)
        };
        let (strangers, mut schools): (Vec<FleetSchool>, Vec<FleetSchool>) =
            by_id.into_values().partition(is_stranger);
        schools.sort_by(|one, other| one.order().cmp(&other.order()));
        let mut view = Self { schools, strangers, has_registry, ..Self::default() };
        view.sum();
        view.blocked = blocked(answers);
        view.upstreams = upstreams(answers);
        view
    }

    /// Whether every school is protected, or reports that it is.
    pub fn is_protected(&self) -> bool {
        self.schools.iter().all(|school| school.protected >= SchoolProtection::Reported)
    }

    /// Schools of the registry, by whether they are protected; all of them where there is none.
    pub fn counts(&self) -> BTreeMap<SchoolProtection, usize> {
        let mut counts: BTreeMap<_, _> =
            SchoolProtection::ALL.into_iter().map(|one| (one, 0)).collect();
        let counted = self.schools.iter().filter(|one| one.is_registered || !self.has_registry);
        for school in counted {
            *counts.entry(school.protected).or_default() += 1;
        }
        counts
    }

    fn sum(&mut self) {
        let all = || self.schools.iter();
        self.seconds = all()
            .filter_map(|school| school.seconds)
            .reduce(|(not, due), (more, due_more)| (not + more, due + due_more));
        for school in all() {
            if let Some(release) = school.release {
                *self.releases.entry(release).or_default() += 1;
            }
            for version in &school.versions {
                *self.versions.entry(version.clone()).or_default() += 1;
            }
        }
        self.communes = units(&self.schools, |school| &school.commune);
        self.old_units = units(&self.schools, |school| &school.old_unit);
    }
}

/// The schools of a registry that are open on a day.
fn registered(registry: &SchoolRegistry, day: Date) -> impl Iterator<Item = FleetSchool> {
    let of = move |school: &RegisteredSchool| FleetSchool {
        name: school.name.clone(),
        is_registered: true,
        commune: registry.commune(school, day).map_or_else(String::new, |unit| unit.name.clone()),
        old_unit: registry.old_unit(school).map_or_else(String::new, |unit| unit.name.clone()),
        ..FleetSchool::unknown(&school.id)
    };
    registry.schools_open(day, day).map(of)
}

/// Schools by a unit, those with most minutes without enforcement first; none without any unit.
fn units(schools: &[FleetSchool], unit: impl Fn(&FleetSchool) -> &str) -> Vec<UnitSum> {
    let mut sums: BTreeMap<&str, UnitSum> = BTreeMap::new();
    for school in schools {
        let name = unit(school);
        let sum = sums.entry(name).or_default();
        name.clone_into(&mut sum.unit);
        *sum.schools.entry(school.protected).or_default() += 1;
        sum.not_enforced += school.seconds.map_or(0, |(not, _)| not);
    }
    let mut sums: Vec<UnitSum> = sums.into_values().collect();
    if sums.iter().all(|sum| sum.unit.is_empty()) {
        return Vec::new();
    }
    sums.sort_by_key(|sum| (u64::MAX - sum.not_enforced, sum.unit.is_empty()));
    sums
}

fn blocked(answers: &FleetAnswers) -> Vec<(String, u64)> {
    let found = answers.get(&FleetQuestion::Blocked).into_iter().flatten();
    let mut found: Vec<(String, u64)> = found
        .map(|one| (one.label("category").to_owned(), whole(one.value)))
        .filter(|(_, count)| *count > 0)
        .collect();
    found.sort_by_key(|(_, count)| u64::MAX - *count);
    found
}

fn upstreams(answers: &FleetAnswers) -> Vec<UpstreamHealth> {
    let errors = answers.get(&FleetQuestion::UpstreamErrors);
    let errors_of =
        |server: &str| errors.into_iter().flatten().find(|one| one.label("upstream") == server);
    let all = answers.get(&FleetQuestion::Upstream).into_iter().flatten();
    let mut all: Vec<UpstreamHealth> = all
        .map(|one| UpstreamHealth {
            server: one.label("upstream").to_owned(),
            up: one.value,
            errors: errors_of(one.label("upstream")).map(|one| one.value),
        })
        .collect();
    all.sort_by(|one, other| one.up.total_cmp(&other.up).then(one.server.cmp(&other.server)));
    all
}
