//! One school of the first screen: what its gateways come to.

use std::collections::{BTreeMap, BTreeSet};

use super::cause::FleetCause;
use super::gateways::ScrapedGateway;
use super::protection::SchoolProtection;
use crate::publish::status::ReportedBox;

/// A school.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetSchool {
    /// Its id.
    pub id: String,
    /// Its name, by the registry; empty where it is in none.
    pub name: String,
    /// Whether it is in the registry.
    pub is_registered: bool,
    /// Its commune today, by name; empty where it is not known.
    pub commune: String,
    /// Its old district, by name; empty where it is not known.
    pub old_unit: String,
    /// Whether it is protected.
    pub protected: SchoolProtection,
    /// Since when, in seconds since 1970.
    pub since: Option<u64>,
    /// What is to be said of it, the worst first.
    pub causes: Vec<FleetCause>,
    /// School seconds of this month without enforcement, and all that were due.
    pub seconds: Option<(u64, u64)>,
    /// School seconds of this month, by what held, as the gateways counted them.
    pub states: BTreeMap<String, u64>,
    /// Its gateways, and those that only report.
    pub gateways: usize,
    /// The release that every gateway has, or an earlier one.
    pub release: Option<u64>,
    /// The versions of its programs.
    pub versions: BTreeSet<String>,
    /// When one of them was last heard of, in seconds since 1970.
    pub seen: Option<u64>,
}

impl FleetSchool {
    /// A school of which nothing is known.
    pub(super) fn unknown(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: String::new(),
            is_registered: false,
            commune: String::new(),
            old_unit: String::new(),
            protected: SchoolProtection::Unknown,
            since: None,
            causes: vec![FleetCause::NeverHeard],
            seconds: None,
            states: BTreeMap::new(),
            gateways: 0,
            release: None,
            versions: BTreeSet::new(),
            seen: None,
        }
    }

    /// Takes in what Prometheus knows of its gateways; the month is `age` seconds old.
    pub(super) fn watch(&mut self, gateways: &BTreeMap<String, ScrapedGateway>, age: u64) {
        let all = || gateways.values();
        self.protected =
            all().map(ScrapedGateway::protected).min().unwrap_or(SchoolProtection::Unknown);
        // The earliest of those that make it what it is.
        let worst = all().filter(|gateway| gateway.protected() == self.protected);
        self.since = if self.protected == SchoolProtection::Yes {
            worst.filter_map(ScrapedGateway::since).max()
        } else {
            worst.filter_map(ScrapedGateway::since).min()
        };
        let causes: BTreeSet<FleetCause> = all().flat_map(ScrapedGateway::causes).collect();
        self.causes = causes.into_iter().collect();
        self.seconds = all()
            .filter_map(|gateway| gateway.not_enforced(age))
            .reduce(|(not, due), (more, due_more)| (not + more, due + due_more));
        for (state, seconds) in all().filter_map(|gateway| gateway.seconds.as_ref()).flatten() {
            *self.states.entry(state.clone()).or_default() += seconds;
        }
        self.gateways = gateways.len();
        self.release = all().filter_map(|gateway| gateway.release).min();
        self.versions = all().flat_map(|gateway| gateway.versions.iter().cloned()).collect();
        self.seen = all().filter_map(|gateway| gateway.seen).max();
    }

    /// Takes in what its boxes report in a log. It fills in what is not known otherwise, and changes
    /// nothing that is.
    pub(super) fn report(&mut self, boxes: &[&ReportedBox]) {
        let is_watched = self.gateways > 0;
        let worst = boxes.iter().map(|one| reported(one)).min();
        let Some((protected, _)) = worst else { return };
        let causes: BTreeSet<FleetCause> = boxes.iter().filter_map(|one| reported(one).1).collect();
        if !is_watched {
            self.protected = protected;
            self.causes = causes.into_iter().collect();
            self.gateways = boxes.len();
            self.seen = boxes.iter().map(|one| one.last).max();
        } else if self.protected == SchoolProtection::Unknown
            && protected == SchoolProtection::Reported
        {
            self.causes.push(FleetCause::ReportedOnly);
            self.causes.extend(causes);
        }
        if self.release.is_none() {
            self.release = boxes.iter().map(|one| one.release).min();
        }
        if self.versions.is_empty() {
            self.versions = boxes.iter().map(|one| one.version.clone()).collect();
        }
    }

    /// The place in the order in which a person looks: minutes without enforcement first, then schools
    /// of which there is no count, then those without any.
    pub(super) fn order(&self) -> (u8, u64, SchoolProtection, &str) {
        let (class, seconds) = match self.seconds {
            Some((not, _)) if not > 0 => (0, not),
            None if self.protected != SchoolProtection::Yes => (1, 0),
            _ => (2, 0),
        };
        (class, u64::MAX - seconds, self.protected, &self.id)
    }
}

/// What a box comes to by its own words, and what is to be said of it.
fn reported(one: &ReportedBox) -> (SchoolProtection, Option<FleetCause>) {
    match one.state.strip_prefix("rejected:") {
        _ if one.is_silent => (SchoolProtection::Unknown, Some(FleetCause::ReportedSilent)),
        Some(reason) => {
            (SchoolProtection::Reported, Some(FleetCause::ReportedRejected(reason.to_owned())))
        }
        None if one.state == "held" => (SchoolProtection::Reported, Some(FleetCause::ReportedHeld)),
        None => (SchoolProtection::Reported, None),
    }
}
